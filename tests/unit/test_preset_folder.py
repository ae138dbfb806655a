"""Presets as files: made, copied, renamed, deleted and brought back, ordered, compared; and what `/preset` does with them."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest

from tests.support.headless_chat import headless
from tui.chat.preset_commands import PresetCommands
from tui.chat.state import ModelSettings
from tui.config.preset_folder import PresetFolder, differences, with_values
from tui.config.presets import load_presets
from tui.core.presets import SHIPPED, Preset
from tui.errors import FileError, UsageError

BY_HAND = """\
# made on a rainy day
description = "verse"
mine = 3          # lokal does not know this

[parameters]
temperature = 1.1 # wild
"""


@pytest.fixture
def folder(tmp_path: Path) -> PresetFolder:
    return PresetFolder(tmp_path / "presets")


def names(folder: PresetFolder) -> list[str]:
    return [preset.name for preset in folder.presets()]


def test_a_preset_is_made_copied_renamed_deleted_and_brought_back(
    folder: PresetFolder, tmp_path: Path
) -> None:
    folder.new(Preset("bard", {"temperature": 1.1}, "verse", model="llama3.2:3b", persona="shakespeare"))
    path = tmp_path / "presets/bard.toml"
    path.write_text(BY_HAND)
    folder.copy("bard", "poet")
    folder.rename("poet", "Żaba")
    assert (tmp_path / "presets/Żaba.toml").read_text() == BY_HAND
    folder.describe("Żaba", "po polsku")
    kept = (tmp_path / "presets/Żaba.toml").read_text()
    assert kept == BY_HAND.replace('"verse"', '"po polsku"')
    deleted = folder.delete("Żaba")
    assert "Żaba" not in names(folder)
    folder.restore(deleted)
    assert (tmp_path / "presets/Żaba.toml").read_text() == kept
    assert names(folder) == ["technical", "creative", "chatbot", "bard", "Żaba"]


def test_what_a_preset_names_is_read_again(folder: PresetFolder) -> None:
    made = Preset("bard", {"top_k": 5}, "d", 'Be\n"brief".', "llama3.2:3b", "pirate")
    folder.new(made)
    assert folder.presets()[-1] == made
    folder.save(replace(made, model="", persona=""))
    assert folder.presets()[-1] == replace(made, model="", persona="")


def test_the_order_is_the_persons(folder: PresetFolder) -> None:
    folder.new(Preset("bard"))
    assert folder.move("bard", 1) == ("bard", "technical", "creative", "chatbot")
    folder.move("technical", 99)
    folder.rename("creative", "wild")
    assert names(folder) == ["bard", "wild", "chatbot", "technical"]
    folder.delete("wild")
    assert names(folder) == ["bard", "chatbot", "technical"]


@pytest.mark.parametrize(
    "name", ["save", "New", "drop", "../x", "a/b", "", " x", "x\x1b[31m", "x" * 300, ".x", "Technical"]
)
def test_names_that_cannot_be(folder: PresetFolder, name: str) -> None:
    with pytest.raises(UsageError):
        folder.new(Preset(name))
    with pytest.raises(UsageError):
        folder.rename("technical", name)
    assert names(folder) == ["technical", "creative", "chatbot"]


def test_the_last_preset_stays(folder: PresetFolder) -> None:
    for name in ("technical", "creative"):
        folder.delete(name)
    with pytest.raises(UsageError, match="only preset"):
        folder.delete("chatbot")


def test_one_that_ships_is_reset_and_no_other(folder: PresetFolder) -> None:
    folder.save(with_values(SHIPPED[0], {"temperature": 2.0, "seed": 1}))
    folder.reset("technical")
    assert folder.presets()[0] == SHIPPED[0]
    folder.new(Preset("bard"))
    with pytest.raises(UsageError, match="does not ship"):
        folder.reset("bard")


def test_nothing_is_lost_where_nothing_can_be_written(folder: PresetFolder, tmp_path: Path) -> None:
    folder.new(Preset("bard", {"top_k": 5}))
    path = tmp_path / "presets/bard.toml"
    before = path.read_bytes()
    (tmp_path / "presets/mine.toml").mkdir()
    with pytest.raises(UsageError, match="already"):
        folder.copy("bard", "mine")
    path.write_text("temperature = = 1")
    with pytest.raises(FileError, match="line 1"):
        folder.save(Preset("bard", {"top_k": 6}))
    assert path.read_text() == "temperature = = 1"
    (problem,) = [one for one in load_presets(tmp_path / "presets").problems if "bard" in str(one)]
    assert "column" in str(problem)
    path.write_bytes(before)
    assert folder.presets()[-1].values == {"top_k": 5}


def test_in_what_two_presets_differ() -> None:
    technical, creative, _ = SHIPPED
    found = {one.name: (one.first, one.second) for one in differences(technical, creative)}
    assert found["temperature"] == (0.4, 0.85)
    assert "repeat_penalty" not in found
    assert differences(technical, technical) == ()


# -- /preset ----------------------------------------------------------------------------------------------------------


async def test_values_in_use_are_saved_dropped_or_become_another_preset(folder: PresetFolder) -> None:
    commands = PresetCommands(folder)
    changed = ModelSettings(overrides={"temperature": 0.7, "seed": None})
    saved = await commands.run("save", changed)
    assert saved.settings is not None
    assert (saved.settings.preset.values["temperature"], saved.settings.overrides) == (0.7, {})
    dropped = await commands.run("drop", replace(saved.settings, overrides={"top_k": 1}))
    assert dropped.settings is not None
    assert dropped.settings.overrides == {}
    other = await commands.run("save bold", replace(saved.settings, overrides={"top_k": 99}))
    assert other.settings is not None
    assert (other.settings.preset.name, other.settings.preset.values["top_k"]) == ("bold", 99)
    assert folder.presets()[0].values["top_k"] == 30
    gone = await commands.run("delete", other.settings)
    assert gone.settings is not None
    assert gone.settings.preset.name == "technical"
    back = await commands.run("undo", gone.settings)
    assert back.settings is not None
    assert back.settings.preset == other.settings.preset
    with pytest.raises(UsageError, match="No preset was deleted"):
        await commands.run("undo", back.settings)


async def test_a_file_that_is_dropped_into_the_folder_is_there(folder: PresetFolder, tmp_path: Path) -> None:
    folder.save(SHIPPED[0])
    commands = PresetCommands(folder)
    settings = ModelSettings(presets=folder.presets())
    assert await commands.refreshed(lambda: settings) is None
    (tmp_path / "presets/rainy.toml").write_text(BY_HAND)
    edited = replace(settings.with_edited(with_values(settings.preset, {"top_k": 7})))
    found = await commands.refreshed(lambda: edited)
    assert found is not None
    assert [preset.name for preset in found.presets][-1] == "rainy"
    assert (found.preset.values["top_k"], found.unsaved) == (7, True), "what was changed is not lost"


@pytest.mark.parametrize(
    "wrong", ["new", "rename", "move up", "copy technical", "reset bard", "delete nobody", "diff nobody"]
)
async def test_what_cannot_be_done_is_said(folder: PresetFolder, wrong: str) -> None:
    folder.save(SHIPPED[0])
    with pytest.raises(UsageError):
        await PresetCommands(folder).run(wrong, ModelSettings())


async def test_switching_never_leaks_a_value_of_the_preset_before(tmp_path: Path) -> None:
    presets = (
        Preset("one", {"temperature": 0.1, "top_k": 5, "seed": 7}),
        Preset("two", {"top_p": 0.5, "stop": ("END",), "min_p": 0.1}),
        Preset("none", {}),
        *SHIPPED,
    )
    async with headless(tmp_path) as chat:
        from tests.support.canned_servers import ollama_answer, options

        alone: dict[str, object] = {}
        for before, after in [*((one, one) for one in presets), *permutations(presets, 2)]:
            chat.server.on("/api/chat", *[ollama_answer("Yes.")] * 2)
            for preset in (before, after):
                state = chat.controller.chat.state
                chat.controller.use(state.with_settings(state.settings.chosen(preset)))
                await chat.ask("Well?")
            sent = options(chat.server.last("/api/chat").json())
            assert sent == alone.setdefault(after.name, sent), (before.name, after.name)
        assert alone["none"] == {}
