"""Working on a chat by key, in the real program with the real llama.cpp: copy, edit, siblings, delete, branch, write."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import pytest

from tests.support.app import chat_titles, command, last_chat, name_server
from tests.support.sample import MARKDOWN
from tests.support.terminal import TerminalSession, context_used, lokal
from tui.core.endpoint import Endpoint

OVER_SSH = {"SSH_TTY": "/dev/pts/9"}


def copied(terminal: TerminalSession) -> list[str]:
    """What the terminal was asked to put on its clipboard."""
    sent = re.findall(rb"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", bytes(terminal.raw))
    return [base64.b64decode(each).decode() for each in sent]


async def answered(terminal: TerminalSession) -> None:
    """The script's one answer is there."""
    await terminal.wait_for(r"A plain 👍 closes it")
    await terminal.wait_for(r"ctx \d\S* of 8")


async def test_a_walk_through_a_chat(llama_server: Endpoint) -> None:
    name_server(llama_server)
    async with lokal("--set", "max_tokens=900", environ=OVER_SSH) as terminal:
        await terminal.wait_for("· script")
        terminal.send("How do I read a file?\r")
        await answered(terminal)

        # Copy: in one piece, as a slow line hands it over, and the screen is whole after it.
        terminal.send("\x1b[Zc1\x1b[A")
        await terminal.wait_for("message 1 of 2")
        await terminal.until(lambda: len(copied(terminal)) == 2, "two texts were copied")
        code = MARKDOWN.split("```python\n")[1].split("\n```")[0]
        assert copied(terminal) == [MARKDOWN, code]
        terminal.send("c")
        await terminal.wait_for("21 characters by OSC 52; the terminal may ignore it")
        assert copied(terminal)[-1] == "How do I read a file?"

        # Edit: asked beside the old one, the draft comes back.
        terminal.send("\x1b\x1b[Ze")
        await terminal.wait_for("editing the answer")
        terminal.send("\x1b")
        await terminal.wait_for("message 2 of 2")
        terminal.send("\x1b[Ae")
        await terminal.wait_for("editing: Enter asks it beside the old one")
        terminal.send(" Line by line?\r")
        await answered(terminal)
        terminal.send("\x1b[Z\x1b[A")
        await terminal.wait_for(r"›─ you ─+ 2/2 ─\n *How do I read a file\? Line by line\?")
        terminal.send("\x1b[D")
        await terminal.wait_for(r"›─ you ─+ 1/2 ─\n *How do I read a file\?\n")

        # Delete, and bring back.
        terminal.send("d")
        await terminal.wait_for("Deleted 2 messages: u brings them back")
        await terminal.wait_for(r"›─ you ─+\n *How do I read a file\? Line by line\?")
        terminal.send("u")
        await terminal.wait_for("2 messages are back")
        await terminal.wait_for(r"›─ you ─+ 1/2 ─")

        # Write to a file.
        terminal.send("]]w")
        await terminal.wait_for(r"block \[2\] to which file\?")
        terminal.send("\x15~/words.sh\r")
        await terminal.wait_for("characters written to ~/words.sh")
        written = (Path.home() / "words.sh").read_text()
        assert written == MARKDOWN.split("```sh\n")[1].split("```")[0]

        # Branch.
        terminal.send("b")
        await terminal.wait_for("A new chat with 2 messages; the old one stays")
        await terminal.quit()

    assert await chat_titles() == ["How do I read a file? (2)", "How do I read a file?"]
    question, answer = await last_chat()
    assert (question.content, answer.content) == ("How do I read a file?", MARKDOWN)
    counts = [chat["message_count"] for chat in json.loads(await command("chats", "list", "--json"))]
    assert sorted(counts) == [2, 4]


async def test_what_was_deleted_is_gone_and_what_was_brought_back_is_there_the_next_time(
    llama_server: Endpoint,
) -> None:
    name_server(llama_server)
    async with lokal("--set", "max_tokens=900", environ=OVER_SSH) as terminal:
        await terminal.wait_for("· script")
        terminal.send("One?\r")
        await answered(terminal)
        one_turn = context_used(terminal)
        terminal.send("Two?\r")
        await terminal.until(
            lambda: context_used(terminal) >= 2 * one_turn - 10, "two turns are in the window"
        )
        await terminal.wait_for("Enter send")
        terminal.send("\x1b[Z\x1b[Ad")
        await terminal.wait_for("Deleted 2 messages")
        terminal.send("d")
        await terminal.wait_for("Deleted 1 message: ")
        terminal.send("u")
        await terminal.wait_for("The message is back")
        await terminal.quit()
    assert [message.content for message in await last_chat()] == ["One?", MARKDOWN]


@pytest.mark.parametrize(
    ("term", "sequence"),
    [
        ("tmux-256color", b"\x1b]52;c;SGk=\x07\x1bPtmux;\x1b\x1b]52;c;SGk=\x07\x1b\\"),
        ("screen-256color", b"\x1bP\x1b]52;c;SGk=\x07\x1b\\"),
    ],
)
async def test_inside_tmux_and_screen_the_sequence_is_wrapped(
    llama_server: Endpoint, term: str, sequence: bytes
) -> None:
    name_server(llama_server)
    async with lokal(environ={**OVER_SSH, "TERM": term}) as terminal:
        await terminal.wait_for("· script")
        terminal.send("Hi\r")
        await terminal.wait_for(r"ctx [1-9]\d* of 8k .*Enter send")
        terminal.send("\x1b[Z\x1b[Ac")
        # The emulator reads no sequence inside another, as tmux and screen do.
        await terminal.until(lambda: sequence in terminal.raw, "the sequence was sent")
        await terminal.quit()
