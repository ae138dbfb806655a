"""`lokal --plain` itself: in a terminal over the real llama.cpp, and with its input piped in."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.conftest import StartServer
from tests.support.app import last_chat
from tests.support.canned_servers import chats, like_ollama, ollama_answer, options, questions
from tests.support.command import lokal_command
from tests.support.fitting_prompts import LONG, counted
from tests.support.replay import Replay, replay, text
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


async def test_a_title_is_asked_for_and_a_chat_is_written_and_read(tmp_path: Path) -> None:
    kept, elsewhere = tmp_path / "kept.json", {"XDG_DATA_HOME": str(tmp_path / "elsewhere")}
    async with replay() as server:
        like_ollama(server)
        server.on("/api/chat", ollama_answer("The first."), ollama_answer("Of first things"))
        titled = await lokal_command(
            "--plain", "--server", server.url, stdin=f"One?\n/title\n/export {kept}\n".encode()
        )
        assert titled.status == 0, titled.err
        assert "you> /title\nThis chat is now “Of first things”\n" in titled.text
        assert f"2 messages in {kept}" in titled.text
        lines = f"/import {kept}\n/import {kept}\n".encode()
        read = await lokal_command("--plain", "--server", server.url, stdin=lines, environ=elsewhere)
    assert read.status == 0, read.err
    assert f"1 chat imported from {kept}\n" in read.text
    assert "1 chat was here already" in read.text
    listed = await lokal_command("chats", "list", "--json", environ=elsewhere)
    assert [chat["title"] for chat in listed.json()] == ["Of first things"]


@asynccontextmanager
async def not_fitting() -> AsyncIterator[tuple[Lines, Replay]]:
    """A chat with Ollama in which the person is asked about a prompt that does not fit."""
    async with replay() as server:
        like_ollama(server)
        server.on("/api/chat", counted("One.", 2400), counted("Two.", 5000), counted("Three.", 7600))
        async with lokal("--server", server.url, environ=DUMB) as terminal:
            lines = Lines(terminal)
            await lines.until("\nyou> $")
            for question in ("Who was Euler?", "And Gauss?", "And Noether?"):
                await lines.say(f"{question}\n")
            asked = await lines.say(f"{LONG}\n", "number> $")
            assert "This does not fit into the context window" in asked
            assert "\n2. let the model summarise" in asked
            assert "\n3. a window of 16k: reloads the model" in asked
            yield lines, server
            terminal.send("/quit\n")
            assert await terminal.ended() == 0
            assert b"\x1b" not in terminal.raw


async def test_a_larger_window_takes_the_prompt_along() -> None:
    async with not_fitting() as (lines, server):
        server.on("/api/chat", counted("Four.", 8400))
        said = await lines.say("3\n")
        assert "A window of 16k for this run: reloads the model" in said
        assert "\nFour.\n" in said
        assert options(chats(server)[-1])["num_ctx"] == 16384
        assert "context_window=16384, for this run" in await lines.say("/set\n")


async def test_a_summary_takes_the_place_of_the_oldest() -> None:
    async with not_fitting() as (lines, server):
        server.on("/api/chat", ollama_answer("They spoke of mathematicians."), counted("Four.", 900))
        said = await lines.say("2\n")
        assert "Writing a summary; Ctrl+C stops it" in said
        assert "only this summary:\nThey spoke of mathematicians.\n" in said
        assert "\nFour.\n" in said
        assert "They spoke of mathematicians." in str(chats(server)[-1]["messages"])


async def test_a_larger_window_of_the_built_in_engine(engine_installed: None, script_gguf: Path) -> None:
    async with lokal("--gguf", str(script_gguf), *SMALL, environ=DUMB) as terminal:
        lines = Lines(terminal)
        await lines.until("\nyou> $")
        for _ in range(6):  # until the window is full
            asked = await lines.say(QUESTION, "\n(you|number)> $")
            if "number>" in asked:
                break
        larger = re.search(r"\n(\d)\. a window of 2k: reloads the model", asked)
        assert larger is not None, asked
        said = await lines.say(f"{larger[1]}\n")
        assert "number>" not in said
        assert "\nscript, preset technical:\n" in said
        terminal.send("/quit\n")
        assert await terminal.ended() == 0


async def test_what_had_come_of_an_answer_outlives_a_kill(
    start_llama: StartServer, endless_gguf: Path
) -> None:
    server = start_llama(endless_gguf, context_window=100_000)
    key = {"LOKAL_API_KEY": server.endpoint.api_key, **DUMB}
    async with lokal("--server", server.endpoint.url, *ENDLESS, environ=key) as terminal:
        lines = Lines(terminal)
        await lines.until("\nyou> $")
        await lines.say("Go on for ever\n", "## In the shell")
        await terminal.until(lambda: b"## In the shell" in _database(), "a part of the answer is on the disk")
        terminal.kill(signal.SIGKILL)
        await terminal.ended()
    async with lokal("--server", server.endpoint.url, "--resume", environ=key) as terminal:
        opened = await Lines(terminal).until("\nyou> $")
        assert "\nyou> Go on for ever\nendless, preset technical:\n# Reading a file" in opened
        assert "## In the shell" in opened
        assert "/continue continues" in opened
        terminal.send("/quit\n")
        assert await terminal.ended() == 0


def _database() -> bytes:
    """All that the database has written."""
    folder = Path.home() / ".local" / "share" / "lokal"
    return b"".join(path.read_bytes() for path in folder.glob("chats.db*"))


async def test_the_guide_is_asked_this_once(engine_installed: None) -> None:
    async with replay() as server:
        like_ollama(server)
        server.on("/api/chat", ollama_answer("I am a llama."))
        done = await lokal_command(
            "--plain", "--server", server.url, stdin=b"/guide How do I stop an answer?\nAnd you?\n"
        )
        assert questions(server) == ["And you?"]
    assert done.status == 0, done.err
    guide, model = done.text.split("you> And you?\n")
    assert guide.startswith("you> /guide How do I stop an answer?\nguide")
    assert "Esc" in guide
    assert model == "llama3.2:3b, preset technical:\nI am a llama.\n"


async def test_a_script_leaves_the_draft_of_a_person_alone(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("private")
    async with replay() as server:
        like_ollama(server)
        server.on("/api/chat", ollama_answer("Yes."))
        async with lokal("--server", server.url, environ=DUMB) as terminal:
            lines = Lines(terminal)
            await lines.until("\nyou> $")
            assert "Goes with the next question" in await lines.say(f"/attach {notes}\n", "next question.*\n")
            terminal.send("half a question\x04\x04")
            assert await terminal.ended() == 0
        done = await lokal_command("--plain", "--server", server.url, stdin=b"One?\n")
        assert "private" not in str(chats(server)[-1])
        assert "half a question" not in done.text + done.err
        async with lokal("--server", server.url, environ=DUMB) as terminal:
            text, file = "Not sent: “half a question”", "Goes with the next question: "
            await Lines(terminal).until(f"(?s){text}.*{file}|{file}.*{text}")
