"""The context window in the real program, with the real llama.cpp and a window of a thousand tokens."""

from __future__ import annotations

import re
import signal
from functools import partial
from pathlib import Path

from tests.support.app import last_chat
from tests.support.terminal import TerminalSession, lokal

QUESTION = "What is the difference between a list and a tuple, and when do I use which?\r"
SMALL = ("--set", "context_window=1024", "--set", "max_tokens=200")
ASKED = "This does not fit into the context window"


def used(terminal: TerminalSession) -> int:
    """Tokens of the window in use, as the screen shows them when no answer is coming; -1 meanwhile."""
    found = re.search(r"ctx (\d+) of 1k .*continue", terminal.text())
    return int(found[1]) if found else -1


def is_more(terminal: TerminalSession, before: int) -> bool:
    """Whether an answer has taken more of the window."""
    return used(terminal) > before


async def fill(terminal: TerminalSession) -> None:
    """Ask three questions, until the window is nearly full."""
    await terminal.wait_for("ctx 0 of 1k")
    for question in ("Hello\r", QUESTION, QUESTION):
        before = used(terminal)
        terminal.send(question)
        await terminal.until(partial(is_more, terminal, max(before, 0)), "it is answered")
    assert used(terminal) > 700


async def test_the_oldest_are_left_out_and_stay_so_in_the_next_run(
    engine_installed: None, script_gguf: Path
) -> None:
    async with lokal("--gguf", str(script_gguf), *SMALL) as terminal:
        await fill(terminal)
        terminal.send(QUESTION)
        await terminal.wait_for(ASKED)
        await terminal.wait_for("leave out the 2 oldest questions and answers, from “Hello” on")
        terminal.send("\t1")
        await terminal.wait_until_gone(ASKED)
        await terminal.until(lambda: used(terminal) > 0, "it is answered")
        terminal.send("\x1b[1;5H")
        await terminal.wait_for("── you ─+ not seen ─\nHello")
        await terminal.quit()
    chat = await last_chat()
    assert len(chat) == 8
    assert isinstance(chat[-1].parameters, dict)
    assert chat[-1].parameters["left_out_to"] == chat[3].fields["id"]
    async with lokal("--gguf", str(script_gguf), *SMALL, "--resume") as terminal:
        await terminal.until(lambda: used(terminal) > 0, "the figures are there")
        terminal.send("\x1b[1;5H")
        await terminal.wait_for("── you ─+ not seen ─\nHello")
        await terminal.quit()


async def test_a_larger_window_of_the_built_in_engine(engine_installed: None, script_gguf: Path) -> None:
    async with lokal("--gguf", str(script_gguf), *SMALL) as terminal:
        await fill(terminal)
        terminal.send(QUESTION)
        await terminal.wait_for("a window of 2k: reloads the model")
        terminal.send("\t3")
        await terminal.wait_for(r"ctx 1\.\dk of 2k")
        await terminal.quit()
    chat = await last_chat()
    assert len(chat) == 8
    assert chat[-1].status == "complete"


async def test_what_was_not_asked_outlives_lokal(engine_installed: None, script_gguf: Path) -> None:
    async with lokal("--gguf", str(script_gguf), *SMALL) as terminal:
        await fill(terminal)
        terminal.send("Is this kept? " * 20 + "\r")
        await terminal.wait_for(ASKED)
        terminal.send("\x1b")
        await terminal.wait_for("› Is this kept?")
        terminal.send("\r")
        await terminal.wait_for(ASKED)
        await terminal.until(lambda: b"Is this kept?" in _drafts(), "the draft is on the disk")
        terminal.kill(signal.SIGKILL)
        await terminal.ended()
    async with lokal("--gguf", str(script_gguf), *SMALL, "--resume") as terminal:
        await terminal.wait_for("Is this kept?")
        await terminal.quit()
    assert len(await last_chat()) == 6


def _drafts() -> bytes:
    """All that the database has written."""
    folder = Path.home() / ".local" / "share" / "lokal"
    return b"".join(path.read_bytes() for path in folder.glob("chats.db*"))
