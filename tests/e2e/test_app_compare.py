"""Side by side in the real program, with the real engine."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.app import last_chat
from tests.support.terminal import lokal

RIGHT = "\x1b[C"


async def test_two_presets_one_kept_and_both_there_later(engine_installed: None, script_gguf: Path) -> None:
    async with lokal("--gguf", str(script_gguf)) as terminal:
        await terminal.wait_for(r"ctx 0 of \d")
        terminal.send("/compare technical creative: How do I read a file?\r")
        await terminal.wait_for(r"compare +How do I read a file\?")
        await terminal.wait_for("›─ technical .*─── creative ")
        await terminal.wait_for(r"\n 2 answers ")
        terminal.send(RIGHT)
        await terminal.wait_for("─›─ creative ")
        terminal.send("\r")
        await terminal.wait_for("Kept; the other answer stays beside it")
        await terminal.quit()
    async with lokal("--gguf", str(script_gguf), "--resume") as terminal:
        await terminal.wait_for("closes it")
        terminal.send("\x1b[1;5H")
        await terminal.wait_for(r"── script · creative ─.* 2/2 ─")
        await terminal.quit()
    kept = await last_chat()
    assert [(message.role, message.preset) for message in kept] == [
        ("user", ""),
        ("assistant", "creative"),
    ]


async def test_killed_in_the_middle_both_answers_are_there(
    engine_installed: None, endless_gguf: Path
) -> None:
    async with lokal("--gguf", str(endless_gguf), "--set", "max_tokens=") as terminal:
        await terminal.wait_for(r"ctx 0 of \d")
        terminal.send("/compare: Hello\r")
        await terminal.wait_for(r"2 of 2 answers are coming")
        await terminal.wait_for("Reading|file")
        terminal.send("\x1b")
        await terminal.wait_for(r"\n (2 answers|1 answer) ")
        terminal.close_terminal()
        await terminal.ended()
    async with lokal("--gguf", str(endless_gguf), "--resume") as terminal:
        await terminal.wait_for(r"endless · (technical|creative) ─.* [12]/2 ─|stopped by you")
        await terminal.quit()


async def test_structured_output(engine_installed: None, bigram_gguf: Path, own_home: Path) -> None:
    schema = {
        "type": "object",
        "required": ["ok"],
        "properties": {"ok": {"type": "boolean"}},
        "additionalProperties": False,
    }
    (own_home / "ok.json").write_text(json.dumps(schema))
    async with lokal("--gguf", str(bigram_gguf)) as terminal:
        await terminal.wait_for(r"ctx 0 of \d")
        terminal.send("/schema ok.json\r")
        await terminal.wait_for("Answers fit ok.json from the next one on")
        await terminal.wait_for("· schema ok.json")
        terminal.send("Is it?\r")
        # A model that knows no JSON may end its answer with nothing but blanks.
        await terminal.wait_for('"ok": (true|false)|cut at 512 tokens')
        await terminal.quit()
