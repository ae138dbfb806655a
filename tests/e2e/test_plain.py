"""`lokal --plain` itself: in a terminal over the real llama.cpp, and with its input piped in."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from tests.conftest import StartServer
from tests.support.app import last_chat
from tests.support.canned_servers import like_ollama, ollama_answer, questions
from tests.support.command import lokal_command
from tests.support.replay import replay, text
from tests.support.terminal import TerminalSession, lokal
from tui.core.commands import BY_SLASH

DUMB = {"TERM": "dumb"}
SMALL = ("--set", "context_window=1024", "--set", "max_tokens=200")
ENDLESS = ("--set", "max_tokens=90000")
QUESTION = "What is the difference between a list and a tuple, and when do I use which?\n"


class Lines:
    """What comes out of a terminal, read on from where it was read last."""

    def __init__(self, terminal: TerminalSession) -> None:
        self._terminal = terminal
        self._read = 0

    @property
    def fresh(self) -> str:
        """What has not been read yet."""
        return self._terminal.raw.decode("utf-8", "ignore")[self._read :].replace("\r\n", "\n")

    async def until(self, pattern: str) -> str:
        """What comes up to the end of `pattern`."""
        await self._terminal.until(lambda: re.search(pattern, self.fresh) is not None, f"{pattern!r} comes")
        fresh = self.fresh
        self._read = len(self._terminal.raw.decode("utf-8", "ignore"))
        return fresh

    async def say(self, line: str, pattern: str = "\nyou> $") -> str:
        """What comes after a line was typed."""
        self._terminal.send(line)
        return await self.until(pattern)


async def test_a_whole_conversation_without_one_escape_byte(
    engine_installed: None, script_gguf: Path
) -> None:
    async with lokal("--gguf", str(script_gguf), *SMALL, environ=DUMB) as terminal:
        lines = Lines(terminal)
        assert "built-in llama.cpp on this machine, script" in await lines.until("\nyou> $")
        hello = await lines.say("Hello\n")
        assert "\nscript, preset technical:\n# Reading a file line by line\n" in hello
        assert "cut at 200 tokens" in hello
        assert "\npreset creative\n" in await lines.say("/preset creative\n")
        assert "\nscript, preset creative:\n" in await lines.say("/retry\n")
        await lines.say(QUESTION)
        for _ in range(4):  # until the window is full
            asked = await lines.say(QUESTION, "\n(you|number)> $")
            if "number>" in asked:
                break
        assert "This does not fit into the context window" in asked
        first = re.search(r"\n1\. leave out the (\d) oldest questions and answers, from “Hello” on", asked)
        assert first is not None, asked
        assert "Choose first, by a number from 1" in await lines.say("7\n", "number> $")
        assert "/theme works on the screen only" in await lines.say("/theme\n", "number> $")
        answer = await lines.say("1\n")
        assert "The model no longer sees the oldest messages" in answer
        assert "\nscript, preset creative:\n" in answer
        assert "Ctrl+D or /quit leaves lokal" in await lines.say("\x03")
        assert "What is the difference" in await lines.say("/history 1\n")
        terminal.send("\x04")
        assert await terminal.ended() == 0
        assert b"\x1b" not in terminal.raw
    chat = await last_chat()
    assert isinstance(chat[-1].parameters, dict)
    assert chat[-1].parameters["left_out_to"]
    async with lokal("--plain", "--resume", "--gguf", str(script_gguf)) as terminal:
        lines = Lines(terminal)
        opened = await lines.until("\nyou> $")
        assert "Chat “Hello”" in opened
        assert f"\nyou> {QUESTION}" in opened
        assert "Not sent: “What is the difference" in opened
        terminal.send("/quit\n")
        assert await terminal.ended() == 0
        assert b"\x1b" not in terminal.raw


async def test_ctrl_c_stops_an_answer_that_is_kept(start_llama: StartServer, endless_gguf: Path) -> None:
    server = start_llama(endless_gguf, context_window=100_000)
    key = {"LOKAL_API_KEY": server.endpoint.api_key, **DUMB}
    async with lokal("--server", server.endpoint.url, *ENDLESS, environ=key) as terminal:
        lines = Lines(terminal)
        await lines.until("\nyou> $")
        await lines.say("Go on for ever\n", "endless, preset technical:\n# Reading a file")
        assert "stopped by you" in await lines.say("\x03")
        terminal.send("half a question\x04\x04")
        assert await terminal.ended() == 0
        assert b"\x1b" not in terminal.raw
    chat = await last_chat()
    assert chat[-1].status == "stopped"
    assert chat[-1].content.startswith("# Reading a file")
    async with lokal("--server", server.endpoint.url, "--resume", environ=key) as terminal:
        await Lines(terminal).until("Not sent: “half a question”")


async def test_what_came_is_kept_when_the_terminal_is_closed(
    start_llama: StartServer, endless_gguf: Path
) -> None:
    server = start_llama(endless_gguf, context_window=100_000)
    key = {"LOKAL_API_KEY": server.endpoint.api_key, **DUMB}
    async with lokal("--server", server.endpoint.url, *ENDLESS, environ=key) as terminal:
        lines = Lines(terminal)
        await lines.until("\nyou> $")
        await lines.say("Go on for ever\n", "## In the shell")
        os.kill(terminal.pid, signal.SIGHUP)
        assert await terminal.ended() == 128 + signal.SIGHUP
    chat = await last_chat()
    assert chat[-1].status == "interrupted"
    assert "## In the shell" in chat[-1].content


async def test_what_is_piped_in_is_asked_line_by_line() -> None:
    async with replay() as server:
        like_ollama(server)
        server.on("/api/chat", ollama_answer("The first.\x1b[31m"), ollama_answer("The second."))
        done = await lokal_command(
            "--plain", "--server", server.url, stdin=b"One?\n\n/preset creative\nTwo?\n/theme dark\nThree?\n"
        )
        assert questions(server) == ["One?", "Two?"]
    assert done.text == (
        "you> One?\nllama3.2:3b, preset technical:\nThe first.\n"
        "you> /preset creative\npreset creative\n"
        "you> Two?\nllama3.2:3b, preset creative:\nThe second.\nyou> /theme dark\n"
    )
    assert done.status == 2
    assert "/theme works on the screen only" in done.err
    assert "\x1b" not in done.err
    assert [message.content for message in await last_chat()] == [
        "One?",
        "The first.",
        "Two?",
        "The second.",
    ]


async def test_the_exit_status_tells_what_failed() -> None:
    nobody = await lokal_command("--plain", "--server", "127.0.0.1:1", stdin=b"One?\n")
    assert nobody.status == 3
    assert nobody.out == b""
    async with replay() as server:
        like_ollama(server)
        server.on("/api/chat", text(500, "out of memory"))
        refused = await lokal_command("--plain", "--server", server.url, stdin=b"One?\nTwo?\n")
        assert questions(server) == ["One?"]
    assert refused.status == 4
    assert "out of memory" in refused.err


async def test_every_slash_command_works_or_says_why_not() -> None:
    unknown = []
    async with replay() as server:
        like_ollama(server)
        async with lokal("--server", server.url, environ=DUMB) as terminal:
            lines = Lines(terminal)
            await lines.until("\nyou> $")
            for name in BY_SLASH:
                if name in ("quit", "guide"):
                    continue
                said = await lines.say(f"/{name}\n", "\n(you|number)> $")
                if len(said.splitlines()) < 3 or "cannot be done here" in said:
                    unknown.append((name, said))
            terminal.send("/quit\n")
            assert await terminal.ended() == 0
    assert unknown == []


async def test_colour_is_written_only_where_it_is_asked_for() -> None:
    async with replay() as server:
        like_ollama(server)
        server.on("/api/chat", ollama_answer("Yes."))
        done = await lokal_command("--plain", "--color", "--server", server.url, stdin=b"One?\n")
    assert "\x1b[1mllama3.2:3b, preset technical:\x1b[0m\nYes.\n" in done.text
    assert (await lokal_command("--color")).failed(2).startswith("lokal: --color belongs to --plain")


@pytest.mark.parametrize("stdin", [None, b"One?\n"])
async def test_without_a_terminal_nothing_is_chosen_by_itself(stdin: bytes | None) -> None:
    said = (await lokal_command(stdin=stdin, environ=DUMB)).failed(2)
    assert "lokal needs a terminal" in said
    assert "lokal --plain" in said
