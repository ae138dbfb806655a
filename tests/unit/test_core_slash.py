"""What a text in the composer means: a command, a question, a mistake that is named; and how it may go on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.commands import BY_SLASH, COMMANDS
from tui.core.slash import (
    Completion,
    CompletionItem,
    CompletionSource,
    FileWanted,
    ParsedCommand,
    as_written,
    complete,
    is_forced,
    one_of,
    parse,
)
from tui.errors import UsageError

NAMES = CompletionSource(
    presets=(CompletionItem("technical"), CompletionItem("creative"), CompletionItem("chatbot")),
    models=(
        CompletionItem("llama3.2:3b"),
        CompletionItem("qwen2.5-coder:7b"),
        CompletionItem("hf.co/who/qwen:Q4"),
    ),
    servers=(CompletionItem("lab"), CompletionItem("http://127.0.0.1:11434")),
    themes=(CompletionItem("lokal-dark"), CompletionItem("terminal")),
    missing=frozenset({"compare"}),
    values={"temperature": 0.4, "stop": ("a, b", "c")},
)


def texts(line: str) -> list[str]:
    found = complete(line, NAMES)
    return [choice.text for choice in found.choices] if isinstance(found, Completion) else []


# -- what a text means --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "id", "argument"),
    [
        ("/new", "chat.new", ""),
        ("/NEW  ", "chat.new", ""),
        ("/preset", "preset.use", ""),
        ("/preset creative", "preset.use", "creative"),
        ("/attach", "attach", ""),
        ("/attach notes.txt\n\n", "attach", "notes.txt"),
        ("/theme", "theme.use", ""),
        ("/compare creative:\nWhy?", "compare", "creative:\nWhy?"),
        ("/set\ttemperature = 0.3 ", "parameter.set", "temperature = 0.3"),
        ("/system You are terse.\nVery.", "system.set", "You are terse.\nVery."),
        ("/export", "chat.export", ""),
        ("/export! notes.md", "chat.export", "! notes.md"),
        ("/export!", "chat.export", "!"),
        ("/search two words", "search", "two words"),
    ],
)
def test_commands(text: str, id: str, argument: str) -> None:
    typed = parse(text)
    assert isinstance(typed, ParsedCommand)
    assert (typed.command.id, typed.argument) == (id, argument)


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("Why?", "Why?"),
        (" /new", " /new"),
        ("//new", "/new"),
        ("//", "/"),
        ("/home/user is full, why?", "/home/user is full, why?"),
        ("/etc/passwd", "/etc/passwd"),
        ("/retry2/continue", "/retry2/continue"),
        ("/ is division", "/ is division"),
        ("/etc/hosts\nis a path", "/etc/hosts\nis a path"),
        ("/new!\nis no command", "/new!\nis no command"),
        ("/usr\nis a folder", "/usr\nis a folder"),
    ],
)
def test_what_is_sent(text: str, sent: str) -> None:
    assert parse(text) == sent


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/hom", "There is no command /hom. Did you mean /help? // sends it as text"),
        ("/prest creative", "There is no command /prest. Did you mean /preset? // sends it as text"),
        ("/xyzzy", "There is no command /xyzzy. /help lists them; // sends it as text"),
        ("/", "There is no command /. /help lists them; // sends it as text"),
        ("/new!", "There is no command /new! Did you mean /new? // sends it as text"),
        ("/stop the server, how?", "/stop takes nothing after it. // at the start sends it as text"),
        ("/rename", "/rename wants TITLE. Give this chat another title"),
        ("/import  ", "/import wants FILE. "),
        (
            "/attach notes.txt\nWhat is it?",
            "/attach is one line, and there is more. // at the start sends it as text",
        ),
        ("/NEW\n\nis what I typed", "/new is one line, and there is more. "),
        ("/export! a.md\nb", "/export is one line, and there is more. "),
    ],
)
def test_mistakes_are_named(text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert str(caught.value).startswith(words)


def test_every_slash_name_is_one_lower_case_word_of_one_command() -> None:
    named = [command for command in COMMANDS if command.slash]
    assert len(named) == len(BY_SLASH)
    assert all(command.slash.isalpha() and command.slash.islower() for command in named)


def test_force() -> None:
    assert is_forced("! notes.md") == (True, "notes.md")
    assert is_forced("!") == (True, "")
    assert is_forced("!notes.md") == (False, "!notes.md")
    assert is_forced("") == (False, "")


@given(st.text(alphabet=st.one_of(st.sampled_from("/! \n\t=aexpsort.~"), st.characters()), max_size=60))
def test_whatever_is_typed_is_a_command_a_text_or_a_mistake(text: str) -> None:
    for typed in (text, f"/{text}"):
        try:
            meant = parse(typed)
        except UsageError:
            continue
        if isinstance(meant, str):
            assert meant == (typed[1:] if typed.startswith("//") else typed), "nothing of a question is lost"


def test_one_of_several_names() -> None:
    names = ["technical", "creative", "chatbot", "Chat"]
    assert one_of("creative", names, "preset") == "creative"
    assert one_of("TECH", names, "preset") == "technical"
    assert one_of("chat", names, "preset") == "Chat", "the whole name goes before one that begins so"
    with pytest.raises(UsageError, match="More than one preset begins with “c”"):
        one_of("c", names, "preset")
    with pytest.raises(UsageError, match=r"There is no preset “bot”.* chatbot"):
        one_of("bot", names, "preset")
    with pytest.raises(UsageError, match=r"“x”.* There are: technical, creative, chatbot, Chat"):
        one_of("x", names, "preset")


# -- how it may go on ---------------------------------------------------------------------------------------------------


def test_names_of_commands() -> None:
    assert texts("/pre") == ["/preset "]
    assert texts("/q") == ["/quit"]
    assert texts("/set") == ["/set ", "/settings"], "the whole name goes first"
    assert texts("/SETT") == ["/settings"]
    assert texts("/compare") == [], "what cannot be done is not offered"
    assert texts("/nothing") == []
    found = complete("/preset", NAMES)
    assert isinstance(found, Completion)
    assert found.sure
    assert found.choices[0].label == "/preset [NAME]"
    assert len(texts("/")) == len(BY_SLASH) - 1


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("/preset ", ["technical", "creative", "chatbot"]),
        ("/preset c", ["creative", "chatbot"]),
        ("/preset ch", ["chatbot", "technical"]),
        ("/preset creative", []),
        ("/model qw", ["qwen2.5-coder:7b", "hf.co/who/qwen:Q4"]),
        ("/MODEL LL", ["llama3.2:3b"]),
        ("/server ", ["lab", "http://127.0.0.1:11434"]),
        ("/theme t", ["terminal"]),
        (
            "/set think=",
            ["think=off", "think=on", "think=low", "think=medium", "think=high", "think=default"],
        ),
        ("/set temperature=", ["temperature=0.4", "temperature=default"]),
        ("/set temperature=0.", ["temperature=0.4"]),
        ("/set nothing=", []),
        ("/copy ", ["all"]),
        ("/system ", ["-"]),
        ("/system You", []),
        ("/rename x", []),
        ("/compare t", []),
        ("/nothing x", []),
        ("Why?", []),
        ("//pre", []),
        ("", []),
    ],
)
def test_arguments(line: str, offered: list[str]) -> None:
    assert texts(line) == offered


def test_parameters_are_offered_with_what_they_are_set_to() -> None:
    found = complete("/set temp", NAMES)
    assert isinstance(found, Completion)
    assert not found.sure
    first = found.choices[0]
    assert (first.text, first.label, first.goes_on) == ("temperature=", "temperature=0.4", True)
    assert first.help
    times = complete("/set keep_alive=", NAMES)
    assert isinstance(times, Completion)
    assert [choice.text for choice in times.choices] == [
        f"keep_alive={value}" for value in ("30m", "0", "forever", "default")
    ]


def test_the_last_of_several_names() -> None:
    all_there = CompletionSource(presets=NAMES.presets, models=NAMES.models)
    found = complete("/compare technical c", all_there)
    assert isinstance(found, Completion)
    assert found.start == len("/compare technical ")
    assert [choice.text for choice in found.choices][:2] == ["creative", "chatbot"]


def test_files() -> None:
    assert complete("/import ~/ex", NAMES) == FileWanted(8, "~/ex", (), (".json", ".txt", ".md"))
    assert complete("/attach  a b", NAMES) == FileWanted(9, "a b")
    assert complete("/export! n", NAMES) == FileWanted(9, "n", (), (".md", ".json"))
    found = complete("/schema j", NAMES)
    assert isinstance(found, FileWanted)
    assert [choice.text for choice in found.first] == ["json"]


@given(st.sampled_from(sorted(BY_SLASH)), st.text(max_size=40))
def test_what_is_offered_begins_where_it_says(name: str, typed: str) -> None:
    line = f"/{name} {typed}"
    found = complete(line, NAMES)
    if found is not None:
        assert 0 <= found.start <= len(line)
    if isinstance(found, Completion):
        assert found.choices
        assert all(choice.text for choice in found.choices)


@pytest.mark.parametrize(
    ("sent", "written"),
    [
        ("/help me", "//help me"),
        ("/quit", "//quit"),
        ("/nothing", "//nothing"),
        ("//", "///"),
        ("/usr/bin is what?", "/usr/bin is what?"),
        ("/help\nis a command", "//help\nis a command"),
        ("/helpful\nis none", "/helpful\nis none"),
        ("why /help?", "why /help?"),
        ("/help \x02a\nb\x03", "//help \x02a\nb\x03"),
        ("", ""),
    ],
)
def test_a_question_comes_back_as_it_has_to_be_written(sent: str, written: str) -> None:
    assert as_written(sent) == written
    assert parse(as_written(sent).translate({2: None, 3: None})) == sent.translate({2: None, 3: None})


@pytest.mark.parametrize(
    "text", ["/retry/continue", "/Retry/x y", "/export!/a", "/compare:/a", "/set/a\n/set/b", "/help/"]
)
def test_what_begins_as_a_command_is_no_path(text: str) -> None:
    with pytest.raises(UsageError, match="There is no command"):
        parse(text)
    assert parse(as_written(text)) == text, "it can be sent all the same"
