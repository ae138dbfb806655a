"""The catalogue, and what is offered where the name of a model to download is typed."""

from __future__ import annotations

from tui.models.catalogue import MOST_OFFERED, load_catalogue, offered_names

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
