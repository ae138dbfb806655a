"""Presets in the real program: switched in mid-answer, changed in the Settings tab, saved, and sent as they are."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

from tests.support.app import (
    CHAT,
    answer,
    becomes_llamacpp,
    bodies,
    in_two,
    last_chat,
    model_server,
    parameters_in,
    turns,
)
from tests.support.terminal import lokal
from tui.config.presets import make_presets

TECHNICAL = {"temperature": 0.4, "top_p": 0.8, "top_k": 30, "max_tokens": 512, "repeat_penalty": 1.2}
CREATIVE = {"temperature": 0.85, "top_p": 0.95, "top_k": 50, "max_tokens": 1024, "repeat_penalty": 1.2}
F2, F3, F4 = "\x1bOQ", "\x1bOR", "\x1bOS"
UP, DOWN, RIGHT, LEFT = "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D"


def presets_folder() -> Path:
    return Path(os.environ["XDG_CONFIG_HOME"]) / "lokal" / "presets"


async def test_switching_in_mid_answer() -> None:
    make_presets(presets_folder())  # makes the folder with the presets that ship
    own = presets_folder() / "terse.toml"
    own.write_text('system = "Be terse."\n[parameters]\nmin_p = 0.05\nstop = ["END"]\n')
    async with model_server(in_two(["Old "], ["words."])) as server:
        becomes_llamacpp(server)
        async with lokal("--server", server.url) as terminal:
            await terminal.wait_for("· replay-3b")
            terminal.send("One\r")
            await terminal.wait_for("Old")
            terminal.send("\x14")
            await terminal.wait_for("The next answer uses creative")
            terminal.send("\x1b4")
            await terminal.wait_for("The next answer uses terse")
            terminal.send("\x1b2")
            await terminal.wait_for("The next answer uses creative")
            await terminal.wait_for(r"\n answering.* creative")
            await terminal.wait_for(r"── replay-3b · technical ─+ answering")
            server.release.set()
            await terminal.wait_for(r"── replay-3b · technical ─+ .*3 tokens.*─\nOld words\.")

            server.on(CHAT, answer("New."))
            terminal.send("Two\r")
            await terminal.wait_for(r"── replay-3b · creative ─+.*─\nNew\.")
            server.on(CHAT, answer("Short."))
            terminal.send("\x1b4")
            await terminal.wait_for(r"\n terse .*F1 keys")
            terminal.send("Three\r")
            await terminal.wait_for(r"── replay-3b · terse ─+.*─\nShort\.")
            terminal.send("\x1b9")
            await terminal.wait_for("There is no preset number 9")
            assert not any(row.startswith("› ") and row[2:].strip() for row in terminal.screen())
            await terminal.quit()

    first, second, third = bodies(server)
    assert parameters_in(first) == TECHNICAL
    assert parameters_in(second) == CREATIVE
    assert parameters_in(third) == {"min_p": 0.05, "stop": ["END"]}
    assert [role for role, _ in turns(second)] == ["user", "assistant", "user"]
    assert turns(third)[0] == ("system", "Be terse.")
    answers = (await last_chat())[1::2]
    assert [message.preset for message in answers] == ["technical", "creative", "terse"]
    assert [message.parameters for message in answers] == [TECHNICAL, CREATIVE, parameters_in(third)]


async def test_changing_values_in_the_settings_tab() -> None:
    async with model_server(answer("Fine.")) as server:
        becomes_llamacpp(server)
        async with lokal("--server", server.url) as terminal:
            await terminal.wait_for("· replay-3b")
            terminal.send(F4)
            await terminal.wait_for(r"›.? ?temperature +0\.4 ")
            await terminal.wait_for("temperature: how random")
            terminal.send(RIGHT + RIGHT + LEFT)
            await terminal.wait_for(r"temperature +0\.45 ")
            await terminal.wait_for("changed: ")
            terminal.send(DOWN + "5\r")
            await terminal.wait_for(r"top_p.* cannot be 5")
            await terminal.wait_for("Esc leaves it as it was")
            terminal.send("\x1b")
            await terminal.wait_until_gone("Esc leaves it as it was")
            terminal.send("0.55\r")
            await terminal.wait_for(r"top_p.* 0\.55 ")
            terminal.send(DOWN + "x")
            await terminal.wait_for(r"top_k +default")
            terminal.send("\x13")
            await terminal.wait_for(r"(?s)Saved.*technical")
            await terminal.wait_until_gone("changed: ")
            saved = tomllib.loads((presets_folder() / "technical.toml").read_text())["parameters"]
            changed = {**TECHNICAL, "temperature": 0.45, "top_p": 0.55}
            del changed["top_k"]
            assert saved == changed

            terminal.send(DOWN + RIGHT)
            await terminal.wait_for(r"max_tokens +640 ")
            await terminal.wait_for("changed: ")
            terminal.send("\x1a")
            await terminal.wait_for(r"max_tokens +512 ")
            await terminal.wait_until_gone("changed: ")

            terminal.send(F2)
            await terminal.wait_for("Enter send")
            terminal.send("Now?\r")
            await terminal.wait_for("Fine\\.")
            await terminal.quit()
    assert parameters_in(bodies(server)[0]) == changed
    assert (await last_chat())[1].parameters == changed
    assert tomllib.loads((presets_folder() / "technical.toml").read_text())["parameters"] == changed
