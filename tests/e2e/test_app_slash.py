"""Slash commands in the real program, against the real engine: a walk from the first question to an export and back."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.app import chat_titles, command, last_chat
from tests.support.terminal import lokal

SIZES = ((80, 24), (120, 40))


async def test_a_walk_through_the_commands(engine_installed: None, script_gguf: Path, own_home: Path) -> None:
    async with lokal("--gguf", str(script_gguf)) as terminal:
        await terminal.wait_for("Connected")
        terminal.send("/hom\r")
        await terminal.wait_for(r"There is no command /hom\. Did you mean /help\?")
        terminal.send("\x15")
        terminal.send("/pres\t")
        await terminal.wait_for(r"\n technical +exact and short")
        terminal.send("cr\t\r")
        await terminal.wait_for("── preset creative")
        terminal.send("/set max_tokens=40 temperature=0\r")
        await terminal.wait_for(r"max_tokens 40, was 1024, for this run; temperature 0, was 0\.85")
        terminal.send("/system Be terse.\r")
        await terminal.wait_for("System prompt of this chat from the next answer on")
        terminal.send("/rename All kinds of things\r")
        await terminal.wait_for("This chat is now “All kinds of things”")
        terminal.send("//what is that?\r")
        await terminal.wait_for(r"\n/what is that\?")
        await terminal.wait_for("cut at 40 tokens")
        terminal.send("/continue")
        await terminal.wait_for("› /continue")
        terminal.send("\r")
        await terminal.wait_until_gone("› /continue")
        await terminal.wait_for(r"8\d tokens|7\d tokens|cut at 40 tokens(?s:.*)F6 continue")
        terminal.send("/stats\r")
        await terminal.wait_for("Statistics of “All kinds of things”")
        await terminal.wait_for(r"1  /what is that\?")
        terminal.send("\x1b")
        await terminal.wait_until_gone("Statistics of")
        terminal.send("/title\r")
        await terminal.wait_for("This chat is now “(?!All kinds)")
        terminal.send("/rename Named by hand\r")
        await terminal.wait_for("This chat is now “Named by hand”")
        terminal.send("/export ~/out.json\r")
        await terminal.wait_for(r"2 messages in ~/out\.json")
        terminal.send("/export ~/out.json\r")
        await terminal.wait_for(r"~/out\.json is there already\. Enter again overwrites it")
        terminal.send("\r")
        await terminal.wait_for(r"2 messages in ~/out\.json")
        terminal.send("/import ~/o")
        await terminal.wait_for(r"\n .*out\.json(.*\n)+› /import ~/o")
        terminal.send("\t\r")
        await terminal.wait_for(r"0 chats imported from ~/out\.json; 1 chat was here already")
        terminal.send("/new\r")
        await terminal.wait_for("Connected")
        terminal.send("/quit\r")
        assert await terminal.ended() == 0
    exported = json.loads((own_home / "out.json").read_text())
    assert exported["title"] == "Named by hand"
    assert await chat_titles() == ["Named by hand"]
    question, answer = await last_chat()
    assert question.content == "/what is that?"
    assert (answer.parameters["max_tokens"], answer.parameters["system"]) == (40, "Be terse.")  # type: ignore[index]
    assert answer.preset == "creative"
    assert "Be terse." in await command("chats", "export", "last", "--format", "json")


async def test_a_popup_costs_little_on_the_line(engine_installed: None, script_gguf: Path) -> None:
    """A key that changes one row of it sends no screen."""
    async with lokal("--gguf", str(script_gguf)) as terminal:
        await terminal.wait_for("Connected")
        terminal.send("/")
        await terminal.wait_for(r"── 1 of \d+ ─")
        terminal.send("\x1b[B")
        await terminal.wait_for(r"── 2 of \d+ ─")
        before = len(terminal.raw)
        terminal.send("\x1b[B")
        await terminal.wait_for(r"── 3 of \d+ ─")
        assert len(terminal.raw) - before < 700
        terminal.send("\x1b")
        await terminal.wait_until_gone("Tab fills in")
        await terminal.wait_for(r"\n› /")
        await terminal.quit()
