"""Reasoning told from text by the marks around it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.core.events import ReasoningDelta, TextDelta, TextWasReasoning, ToolCall
from tui.core.message import Message, Role
from tui.core.request import turns_of
from tui.core.thinking import SPELLINGS, Piece, Spelling, ThinkSplitter, without_reasoning

ANALYSIS, FINAL = "<|channel|>analysis<|message|>", "<|channel|>final<|message|>"
NEXT = "<|end|><|start|>assistant"


def split(
    text: str, cuts: list[int] | None = None, *, apart: bool = False
) -> tuple[str, str, list[ToolCall]]:
    """Reasoning, text and calls when `text` comes in pieces that end at `cuts`, by default character by character."""
    splitter = ThinkSplitter(apart=apart)
    pieces: list[Piece] = []
    edges = [0, *sorted(cuts if cuts is not None else range(len(text))), len(text)]
    for start, end in pairwise(edges):
        pieces += splitter.feed(text[start:end])
    reasoning = said = ""
    calls = []
    for piece in [*pieces, *splitter.finish()]:
        match piece:
            case TextDelta(more):
                said += more
            case ReasoningDelta(more):
                reasoning += more
            case TextWasReasoning():
                reasoning, said = reasoning + said, ""
            case ToolCall():
                calls.append(piece)
    return reasoning, said, calls


@pytest.mark.parametrize(
    ("text", "reasoning", "said"),
    [
        ("", "", ""),
        ("plain", "", "plain"),
        ("  indented", "", "  indented"),
        ("<think>a</think>b", "a", "b"),
        ("\n <think>\na\n</think>\n\nb", "a", "b"),
        ("<think></think>b", "", "b"),
        ("<think>a</think><think>c</think>b", "ac", "b"),
        ("<think>a", "a", ""),
        ("<think>a</thi", "a</thi", ""),
        ("a</think>b", "a", "b"),
        ("a</think>\n\nb</think>c", "a", "b</think>c"),
        ("<thinking is hard", "", "<thinking is hard"),
        ("<", "", "<"),
        ("a < b and c </ d", "", "a < b and c </ d"),
        ("Write <think>x</think> so", "", "Write <think>x</think> so"),
        ("<think>a <think> b</think>c", "a <think> b", "c"),
        ("<Thinking>a</Thinking>b", "a", "b"),
        ("[think]ing of you[/think]", "", "[think]ing of you[/think]"),
        ("<think>say `</think>` then</think>b", "say `</think>` then", "b"),
        ("<|channel>thought\na<channel|>b", "a", "b"),
        # what an answer writes about marks
        ("`</think>` ends it", "", "`</think>` ends it"),
        ("``</think>`` ends it", "", "``</think>`` ends it"),
        ("```\n</think>\n```", "", "```\n</think>\n```"),
        ("~~~html\n</think>\n~~~", "", "~~~html\n</think>\n~~~"),
        ("Close it with </think> at the end.", "", "Close it with </think> at the end."),
        ("It ends (see “</thought>”).", "", "It ends (see “</thought>”)."),
        ("It ends with [/THINK].", "", "It ends with [/THINK]."),
        ("- a </think> b", "", "- a </think> b"),
        ("```\nx\n```\nso.\n</think>\n\nb", "```\nx\n```\nso.", "b"),
    ],
)
def test_split(text: str, reasoning: str, said: str) -> None:
    for found in (split(text), split(text, [])):
        assert (found[0].strip(), found[1]) == (reasoning, said)


@pytest.mark.parametrize("spelling", SPELLINGS, ids=[each.open for each in SPELLINGS])
def test_every_spelling(spelling: Spelling) -> None:
    opened, closed = spelling.open, spelling.close
    begin, end = spelling.answer_open, spelling.answer_close
    for text in (f"{opened}hm{closed}{begin}so{end}", f"hm{closed}{begin}so{end}"):
        assert split(text)[:2] == split(text, [])[:2] == ("hm", "so")
    about = f"The marks are `{opened}` and `{closed}`."
    assert split(about)[:2] == ("", about)


@pytest.mark.parametrize(
    ("text", "reasoning", "said"),
    [
        (f"{ANALYSIS}hm{NEXT}{FINAL}so", "hm", "so"),
        (f"<|start|>assistant{ANALYSIS}hm{NEXT}{FINAL}so<|return|>", "hm", "so"),
        (f"{ANALYSIS}hm{FINAL}so<|end|>", "hm", "so"),
        (f"{ANALYSIS}hm<|end|>so", "hm", "so"),
        (f"hm{NEXT}{FINAL}so", "hm", "so"),
        (f"{FINAL}so", "", "so"),
        (f"{ANALYSIS}hm", "hm", ""),
        (f"{ANALYSIS}hm{NEXT}<|chan", "hm", ""),
        (f"{ANALYSIS}a{NEXT}<|channel|>commentary<|message|>b{NEXT}{ANALYSIS}c{NEXT}{FINAL}d", "ac", "b\n\nd"),
        (f"{ANALYSIS}a `<|end|>` b{NEXT}{FINAL}so", "a `<|end|>` b", "so"),
        # what an answer writes about the format
        ("<|channel|> names the channel", "", "<|channel|> names the channel"),
        (f"So: `{NEXT}{FINAL}` begins it", "", f"So: `{NEXT}{FINAL}` begins it"),
        (f"```\n{ANALYSIS}hm{NEXT}{FINAL}so\n```", "", f"```\n{ANALYSIS}hm{NEXT}{FINAL}so\n```"),
        (f"{FINAL}See:\n```\n{ANALYSIS}x{NEXT}{FINAL}y\n```\n", "", f"See:\n```\n{ANALYSIS}x{NEXT}{FINAL}y\n```\n"),
        (f"{FINAL}It ends with <|return|>, or `<|end|>`", "", "It ends with <|return|>, or `<|end|>`"),
        ("Yours <|end|>", "", "Yours <|end|>"),
    ],
)  # fmt: skip
def test_harmony(text: str, reasoning: str, said: str) -> None:
    for found in (split(text), split(text, [])):
        assert found[:2] == (reasoning, said)


def test_a_call_in_harmony_is_a_call() -> None:
    text = f'{ANALYSIS}hm{NEXT}<|channel|>commentary to=functions.f <|constrain|>json<|message|>{{"a":1}}<|call|>'
    assert split(text)[1:] == ("", [ToolCall("", "f", '{"a":1}')])


@pytest.mark.parametrize("text", ["<think>a</think>b", "a\n</think>\nb", "[THINK]a[/THINK]"])
def test_where_the_server_tells_them_apart_marks_are_text(text: str) -> None:
    assert split(text, apart=True)[:2] == ("", text)
    assert split(f"{FINAL}so", apart=True)[:2] == ("", "so")


_PIECES = (
    "<think>", "</think>", "</THOUGHT>", "<thought>", "[THINK]", "[/THINK]", "◁think▷", "◁/think▷", "<|START_THINKING|>",
    "<|END_THINKING|>", "<|START_RESPONSE|>", "<|END_RESPONSE|>", "<|channel>thought", "<channel|>", "<|channel|>",
    "<|start|>", "<|message|>", "<|end|>", "<|return|>", "<|call|>", "<|constrain|>", "assistant", "analysis", "final",
    "commentary", " to=f", ANALYSIS, FINAL, "<", "<|", "/", "th", "ink>", "`", "```", "\n", " ", "a", ".", "слово",
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(_PIECES), max_size=14).map("".join),
    st.lists(st.integers(0, 200), max_size=14),
    st.booleans(),
)
def test_the_cut_changes_nothing(text: str, cuts: list[int], apart: bool) -> None:
    whole = split(text, [], apart=apart)
    assert split(text, [at for at in cuts if at <= len(text)], apart=apart) == whole
    assert split(text, apart=apart) == whole


@given(st.lists(st.sampled_from(["<think>", "</think>", "<", "/", "th", "ink>", "`", "\n", " ", "слово"]), max_size=12).map("".join))  # fmt: skip
def test_nothing_is_lost(text: str) -> None:
    kept = "".join("".join(split(text)[:2]).split()).replace("<think>", "").replace("</think>", "")
    assert kept == "".join(text.split()).replace("<think>", "").replace("</think>", "")


def test_only_what_could_be_a_mark_is_held_back() -> None:
    splitter = ThinkSplitter()
    assert splitter.feed("a <") == [TextDelta("a ")]
    assert splitter.feed("b") == [TextDelta("<b")]
    assert splitter.feed(" </thin") == [TextDelta(" ")]
    assert splitter.finish() == [TextDelta("</thin")]


def test_endless_blanks_are_not_held_back_for_ever() -> None:
    assert ThinkSplitter().feed(" " * 2000) == [TextDelta(" " * 2000)]


@pytest.mark.parametrize(
    ("kept", "sent"),
    [
        (f"{ANALYSIS}hm{NEXT}{FINAL}so", "so"),
        ("<thought>hm</thought>\n\nso", "so"),
        ("[THINK]hm[/THINK]so", "so"),
        ("<thinking> is what some models write", "<thinking> is what some models write"),
        ("Use `</think>`", "Use `</think>`"),
        ("a\n</think>\nb", "a\n</think>\nb"),
        ("plain", "plain"),
    ],
)
def test_reasoning_that_was_kept_in_the_text_is_not_sent_back(kept: str, sent: str) -> None:
    assert without_reasoning(kept) == sent
    question, answer = Message("q", None, Role.USER, kept, 0), Message("a", "q", Role.ASSISTANT, kept, 1)
    assert [turn.content for turn in turns_of([question, answer])] == [kept, sent]
    edited = Message("a", "q", Role.ASSISTANT, kept, 1, edited=True)
    assert turns_of([question, edited])[1].content == kept, "what a person wrote is theirs"


@pytest.mark.parametrize("kept", [f"{ANALYSIS}hm", "<|channel|>anal"])
def test_an_answer_that_broke_off_in_its_reasoning_is_not_sent_back(kept: str) -> None:
    path = [Message("q", None, Role.USER, "Hi", 0), Message("a", "q", Role.ASSISTANT, kept, 1)]
    assert [turn.content for turn in turns_of(path)] == ["Hi"]
