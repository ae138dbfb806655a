"""The catalogue of models that are known by name, and the names that are offered where one to download is typed."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from tui.core.folding import folded

_FILE = Path(__file__).with_name("catalogue.toml")
MOST_OFFERED = 50


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A model, or a family of them. What is empty is not known; `context` is tokens, `names` are those of Ollama's library,
    `tags` what a person may look for it by."""

    title: str
    parameters: str = ""
    context: int | None = None
    needs: str = ""
    licence: str = ""
    good_at: str = ""
    limits: str = ""
    names: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def get_it(self) -> str:
        """The first of its names, which downloads it; empty where none is known."""
        return self.names[0] if self.names else ""


@dataclass(frozen=True, slots=True)
class OfferedName:
    """A name to download, and a few words on it."""

    name: str
    help: str = ""


@lru_cache(maxsize=1)
def load_catalogue() -> tuple[CatalogueEntry, ...]:
    """The catalogue, read from its file."""
    entries = tomllib.loads(_FILE.read_text(encoding="utf-8"))["models"]
    return tuple(
        CatalogueEntry(
            **{**entry, "names": tuple(entry.get("names", ())), "tags": tuple(entry.get("tags", ()))}
        )
        for entry in entries
    )


LICENCES: Mapping[str, str] = MappingProxyType(
    {
        "apache": "any use, also commercial; keep the licence with copies",
        "mit": "any use, also commercial; keep the licence with copies",
        "gemma": "commercial use with the limits of its terms, which go on with what is made of it",
        "llama": "commercial use under its own terms; very large companies have to ask",
        "jamba": "commercial use under its own terms, up to a size of the company",
    }
)
"""What a licence permits, in one line, by a word of its name."""


def licence_permits(licence: str) -> str:
    """What it permits; empty for one that is not known here."""
    name = _WORDS.findall(folded(licence))
    return next((words for key, words in LICENCES.items() if key in name), "")


_WORDS = re.compile(r"[^\W\d_]+")
_BITS = 4.85  # a weight of Q4_K_M takes, with its scales
_SPARE = 1.15  # the cache of a short conversation, and buffers


def least_memory(entry: CatalogueEntry) -> int | None:
    """Roughly the bytes that the smallest of an entry takes in q4, from its parameters; None where these are not told."""
    found = re.findall(r"(\d+(?:\.\d+)?)\s*B\b", entry.parameters.split("active")[0].partition(",")[0])
    sizes = [float(number) for number in found]
    if not sizes:
        return None
    return round(min(sizes) * 1e9 * _BITS / 8 * _SPARE)


def filtered(
    entries: Iterable[CatalogueEntry], need: str = "", licence: str = "", room: int | None = None
) -> tuple[CatalogueEntry, ...]:
    """Those that have every word of `need` in what is told of them, are under such a `licence`, and take at most `room` bytes in
    their smallest size; what is not told of one counts against it. “commercial” as a licence means that it is free for that."""
    words = folded(need).split()
    wanted = _WORDS.findall(folded(licence))
    found = []
    for entry in entries:
        about = folded(
            " ".join((entry.title, entry.good_at, entry.needs, entry.parameters, *entry.names, *entry.tags))
        )
        terms = _WORDS.findall(folded(f"{entry.licence} {licence_permits(entry.licence)}"))
        permitted = all(any(term.startswith(word) for term in terms) for word in wanted)
        least = least_memory(entry)
        if (
            all(word in about for word in words)
            and permitted
            and (room is None or (least is not None and least <= room))
        ):
            found.append(entry)
    return tuple(found)


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
