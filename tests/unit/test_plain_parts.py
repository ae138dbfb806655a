"""Plain mode's parts: whole words out of pieces, the registry, what an event of the servers makes of the state."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.test_lazy_imports import loaded_by
from tui.chat.commands import CommandRegistry
from tui.chat.connections import ServerConnected, ServerLoading, ServerNotFound, state_after
from tui.chat.state import ClientState, ConnectionStatus, ModelSettings, ServerState
from tui.cli.plain_output import LONGEST_WORD, PlainOutput, WholeWords
from tui.core.endpoint import Endpoint, ServerKind
from tui.core.model import ServerInfo
from tui.core.text import safe_block
from tui.errors import Unreachable, UsageError
from tui.servers.connect import Connection
from tui.servers.kinds.llamacpp import LlamaCppServer

HERE = Endpoint("http://127.0.0.1:1", kind=ServerKind.LLAMACPP)


def pieces(*texts: str) -> list[str]:
    """What is written after each of these has come, and at the end."""
    words = WholeWords()
    return [*(words.add(text) for text in texts), words.finish()]


def test_a_word_is_written_when_it_has_ended() -> None:
    assert pieces("Hel", "lo wor", "ld, ", "all") == ["", "Hello ", "world, ", "", "all"]


def test_a_script_without_blanks_is_written_after_forty_characters() -> None:
    assert pieces("字" * (LONGEST_WORD - 1), "字", "字") == ["", "字" * LONGEST_WORD, "", "字"]


@given(st.text(), st.lists(st.integers(1, 9)))
def test_nothing_is_lost_however_a_text_is_cut(text: str, sizes: list[int]) -> None:
    text = "".join(letter for letter in text if letter not in "\x1b\x9b")
    cut, at = [], 0
    for size in sizes:
        cut.append(text[at : at + size])
        at += size
    assert "".join(pieces(*cut, text[at:])) == safe_block(text)


@pytest.mark.parametrize(
    "cut",
    [
        ("a \x1b[3", "1mred\x1b", "[0m b"),
        ("a \x1b]0;a new ", "title\x07b c"),
        ("a \x1b]0;x\x1b", "\\b c"),
        ("a \x9b", "31m b"),
        ("a\r", "\nb"),
    ],
)
def test_an_escape_sequence_that_is_cut_is_taken_out_whole(cut: tuple[str, ...]) -> None:
    written = "".join(pieces(*cut))
    assert written == safe_block("".join(cut))
    assert "\x1b" not in written
    assert "31m" not in written


def test_a_sequence_without_an_end_does_not_hold_up_the_text() -> None:
    words = WholeWords()
    assert words.add("a \x1b]0;") == "a "
    assert "\x1b" not in words.add("word " * 1000)
    assert words.add("\nmore ") == "\nmore "


async def test_what_is_left_of_a_stopped_answer_is_not_written(capfd: pytest.CaptureFixture[str]) -> None:
    output = PlainOutput(color=False)
    output.heading("model, preset technical:")
    output.write("some ")
    output.write("words ")
    output.line("stopped by you")
    assert output.drop_answer()
    assert not output.drop_answer()
    writing = asyncio.ensure_future(output.run())
    await output.drained()
    writing.cancel()
    assert capfd.readouterr().out == "model, preset technical:\n\nstopped by you\n"


def test_a_command_has_one_handler_and_says_why_not() -> None:
    registry, done = CommandRegistry(), list[str]()
    busy = "An answer is coming in"
    registry.add("answer.retry", done.append, lambda: busy)
    registry.add("help", done.append)
    registry.refuse("theme.use", "/theme works on the screen only")
    registry.run("help", "set")
    for id, reason in (("answer.retry", busy), ("theme.use", "screen only"), ("copy", "cannot be done here")):
        with pytest.raises(UsageError, match=reason):
            registry.run(id)
        assert reason in registry.why_not(id)
    assert done == ["set"]
    assert "help" in registry
    assert "copy" not in registry
    with pytest.raises(ValueError, match="already"):
        registry.add("help", done.append)
    with pytest.raises(ValueError, match="no command"):
        registry.add("hepl", done.append)


def test_what_news_of_servers_make_of_the_state() -> None:
    state = state_after(ClientState(), ServerLoading("Ollama on this machine"))
    assert (state.status, state.server.loads) == (ConnectionStatus.STARTING, "Ollama on this machine")
    nobody = Unreachable("No model server answers")
    missing = Unreachable("no engine")
    assert state_after(state, ServerNotFound(nobody, searched=True)).server.may_guide
    for named in (ServerNotFound(nobody), ServerNotFound(nobody, missing, searched=True)):
        none = state_after(state, named)
        assert (none.status, none.server.problem) == (ConnectionStatus.NONE, nobody)
        assert not none.server.may_guide


def test_a_larger_window_that_did_not_work_is_undone() -> None:
    engine = Connection(LlamaCppServer(HERE), ServerInfo(ServerKind.LLAMACPP, HERE.url), embedded=True)
    before = ClientState(
        ServerState(ConnectionStatus.CONNECTED, engine), ModelSettings("m", 1024, overrides={"seed": 1})
    )
    larger = before.with_window(2048)
    assert (larger.status, larger.connection, larger.window) == (ConnectionStatus.STARTING, None, None)
    assert larger.has_window(2048)
    assert not before.has_window(2048)
    failed = state_after(state_after(larger, ServerLoading()), ServerNotFound(Unreachable("no memory")))
    assert (failed.status, failed.overrides) == (ConnectionStatus.NONE, {"seed": 1})
    worked = state_after(larger, ServerConnected(engine, "m"))
    assert worked.overrides == {"seed": 1, "context_window": 2048}
    later = state_after(worked.with_server(ServerState()), ServerNotFound(Unreachable("gone")))
    assert later.overrides == worked.overrides


def test_plain_mode_loads_no_screen() -> None:
    loaded = loaded_by(
        "import tui.cli.plain, tui.cli.main, tui.chat.chat_library, tui.servers.connect, tui.store.store"
    )
    assert not {"textual", "rich", "tui.ui"} & loaded
    assert "tui.cli.plain_commands" in loaded
