"""The catalogue, and what is offered where the name of a model to download is typed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tui.cli.command_arguments import Models
from tui.cli.models_catalog import catalog
from tui.models.catalogue import MOST_OFFERED, filtered, licence_permits, load_catalogue, offered_names

CATALOGUE = load_catalogue()


def test_the_catalogue_is_whole() -> None:
    assert len(CATALOGUE) == 13
    assert len({entry.title for entry in CATALOGUE}) == len(CATALOGUE)
    names = [name for entry in CATALOGUE for name in entry.names]
    assert len(set(names)) == len(names)
    assert all(":" in name and name == name.lower() for name in names)
    phi = next(entry for entry in CATALOGUE if entry.title == "Phi-3 Mini")
    assert (phi.context, phi.licence, phi.names) == (128_000, "MIT", ("phi3:mini",))


def test_what_was_downloaded_comes_first() -> None:
    offered = offered_names("", ["gemma2:2b", "hf.co/a/b:Q4_K_M"], CATALOGUE)
    assert [each.name for each in offered][:3] == ["gemma2:2b", "hf.co/a/b:Q4_K_M", "mistral:7b"]
    assert offered[0].help == "downloaded before"
    assert [each.name for each in offered].count("gemma2:2b") == 1


def test_beginnings_come_before_what_is_within() -> None:
    offered = [each.name for each in offered_names("MISTRAL", ["hf.co/x/mistral-nemo"], CATALOGUE)]
    assert offered == ["mistral:7b", "hf.co/x/mistral-nemo", "dolphin-mistral:7b"]
    assert "deepseek-coder:6.7b" in [each.name for each in offered_names("code", [], CATALOGUE)]
    assert offered_names("no such model", [], CATALOGUE) == ()
    assert len(offered_names("", map(str, range(1000)), CATALOGUE)) == MOST_OFFERED


def test_the_catalogue_is_filtered_by_need_licence_and_memory() -> None:
    entries = load_catalogue()

    def titles(**wanted: Any) -> list[str]:
        return [entry.title for entry in filtered(entries, **wanted)]

    assert titles(need="polish") == ["Bielik", "PLLuM"]
    assert "Phi-3 Mini" in titles(need="small laptop", licence="MIT")
    assert titles(licence="mit") == ["Phi-3 Mini"]
    assert "Jamba Mini" not in titles(room=8_000_000_000)
    assert "Mixtral" not in titles(room=8_000_000_000)  # what is not told counts against it
    assert "Gemma 2 2B" in titles(need="LAPTOP", room=2_000_000_000)
    assert titles(need="nothing like it") == []


def test_what_a_licence_permits() -> None:
    assert "any use" in licence_permits("MIT")
    assert "limits" in licence_permits("Gemma terms (limits on some commercial use)")
    assert licence_permits("") == licence_permits("permits nothing") == ""
    assert all(licence_permits(entry.licence) for entry in load_catalogue() if entry.licence)


def test_the_command_lists_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert catalog(Models("catalog", need="code", fits=False)) == 0
    out = capsys.readouterr().out
    assert out.startswith("MODEL ")
    assert "deepseek-coder:1.3b" in out
    assert catalog(Models("catalog", ("polish",), json=True)) == 0
    told = json.loads(capsys.readouterr().out)
    assert [each["title"] for each in told] == ["Bielik", "PLLuM"]
    assert told[0]["memory"] > 2_000_000_000
    assert catalog(Models("catalog", ("nothing",))) == 0
    assert "No model" in capsys.readouterr().err
