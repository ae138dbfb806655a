"""The catalogue of models that are known by name, and the names that are offered where one to download is typed."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tui.core.folding import folded

_FILE = Path(__file__).with_name("catalogue.toml")
MOST_OFFERED = 50


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A model, or a family of them. What is empty is not known; `context` is tokens, `names` are those of Ollama's library."""

    title: str
    parameters: str = ""
    context: int | None = None
    needs: str = ""
    licence: str = ""
    good_at: str = ""
    limits: str = ""
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OfferedName:
    """A name to download, and a few words on it."""

    name: str
    help: str = ""


@lru_cache(maxsize=1)
def load_catalogue() -> tuple[CatalogueEntry, ...]:
    """The catalogue, read from its file."""
    entries = tomllib.loads(_FILE.read_text(encoding="utf-8"))["models"]
    return tuple(CatalogueEntry(**{**entry, "names": tuple(entry.get("names", ()))}) for entry in entries)


def offered_names(
    typed: str, downloaded: Iterable[str], catalogue: Sequence[CatalogueEntry]
) -> tuple[OfferedName, ...]:
    """What completes `typed`: names that were downloaded before, the last one first, then those of the catalogue; those that
    begin with it before those that have it, or a word of what the model is good at, somewhere. Case does not matter."""
    key = folded(typed.strip())
    known = [OfferedName(name, "downloaded before") for name in downloaded]
    for entry in catalogue:
        about = ", ".join(filter(None, (entry.title, entry.good_at, entry.licence)))
        known += [OfferedName(name, about) for name in entry.names]
    once: dict[str, OfferedName] = {}
    for each in known:
        once.setdefault(each.name, each)
    begin = [each for each in once.values() if folded(each.name).startswith(key)]
    within = [
        each for each in once.values() if each not in begin and key in folded(f"{each.name} {each.help}")
    ]
    return tuple([*begin, *within][:MOST_OFFERED])
