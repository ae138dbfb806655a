"""The person's files are read and judged once, for the screen and for the commands alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.config.startup import Configuration, load_configuration
from tui.config.themes import AUTO
from tui.core.presets import SHIPPED
from tui.errors import UsageError
from tui.paths import folders


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "person"
    path.mkdir()
    return path


def said(config: Configuration) -> list[str]:
    return [str(problem) for problem in config.problems]


def written(home: Path, text: str) -> Path:
    places = folders({"HOME": str(home)})
    places.settings_file.parent.mkdir(parents=True, exist_ok=True)
    places.settings_file.write_text(text, encoding="utf-8")
    return places.settings_file


def test_without_files_there_is_all_that_ships_and_nothing_is_made(home: Path) -> None:
    config = load_configuration(folders({"HOME": str(home)}))
    assert (config.presets, config.preset, config.problems) == (SHIPPED, SHIPPED[0], ())
    assert config.theme == AUTO
    assert len(config.themes) >= 4
    assert config.keys["answer.retry"]
    assert list(home.iterdir()) == []


def test_every_mistake_is_told_and_costs_only_what_it_concerns(home: Path) -> None:
    path = written(home, 'preset = "nope"\ntheme = "neon\\u001b[1m"\nmodel = "m"\n[keys]\nfly = "f9"\n')
    (path.parent / "presets").mkdir()
    (path.parent / "presets" / "mine.toml").write_text("[parameters]\ntemperature = 9\n", encoding="utf-8")
    (path.parent / "themes").mkdir()
    (path.parent / "themes" / "bad.toml").write_text("dark = true\n", encoding="utf-8")
    config = load_configuration(folders({"HOME": str(home)}))
    assert config.settings.model == "m"
    assert (config.preset.name, config.theme) == ("mine", AUTO)
    problems = said(config)
    for word in ("fly", "temperature cannot be 9", "“nope”. mine is used", "bad.toml", "no theme “neon"):
        assert [problem for problem in problems if word in problem], (word, problems)
    assert len(problems) == 5
    assert not any("\x1b" in problem for problem in problems)


def test_the_preset_that_is_asked_for_counts_and_has_to_be_there(home: Path) -> None:
    written(home, 'preset = "nope"\n')
    places = folders({"HOME": str(home)})
    config = load_configuration(places, "creative")
    assert (config.preset.name, config.problems) == ("creative", ())
    with pytest.raises(UsageError, match="“other”"):
        load_configuration(places, "other")


def test_without_a_screen_the_themes_are_neither_read_nor_judged(home: Path) -> None:
    written(home, 'theme = "neon"\n')
    config = load_configuration(folders({"HOME": str(home)}), themes=False)
    assert (dict(config.themes), config.theme, config.problems) == ({}, AUTO, ())


def test_keys_of_the_person_are_in_effect(home: Path) -> None:
    written(home, '[keys]\nanswer.retry = "f11"\n')
    assert load_configuration(folders({"HOME": str(home)})).keys["answer.retry"] == "f11"
