"""What the command line of each command but `lokal` itself asks for: one frozen value a command."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tui.cli.arguments import Screen, Target

STDIN = Path("-")
"""What stands for standard input among files."""


@dataclass(frozen=True, slots=True)
class Ask:
    """`lokal ask`. `system` None = the preset's own system prompt; `schema` is `json`, a file, or None for free text;
    `encoding` is that of what is piped in, None = UTF-8. `guide` = the guide is asked and nobody else."""

    target: Target
    prompt: str
    system: str | None = None
    save: bool = False
    json: bool = False
    schema: str | None = None
    encoding: str | None = None
    guide: bool = False
    persona: str | None = None


@dataclass(frozen=True, slots=True)
class Bench:
    """`lokal bench`. `depths` are tokens of prompts, empty = the usual ones; `runs` and `tokens` are how often each is measured,
    and how many tokens an answer has."""

    target: Target
    depths: tuple[int, ...] = ()
    runs: int = 3
    tokens: int = 64
    json: bool = False


@dataclass(frozen=True, slots=True)
class Doctor:
    """`lokal doctor`."""

    json: bool = False


@dataclass(frozen=True, slots=True)
class Presets:
    """`lokal presets ACTION`; `name` is the preset that it is about, `other` the second one or a new name, `assignments` are
    still `name=value`, `texts` what else a preset says by its key, `yes` deletes without asking."""

    name: str | None = None
    json: bool = False
    action: str = "list"
    other: str = ""
    assignments: tuple[str, ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    yes: bool = False


@dataclass(frozen=True, slots=True)
class Chats:
    """`lokal chats ACTION`; `format` is that of an export. `words` are what is searched, or the new title; `ids` what is
    deleted, `yes` without asking; `files` what is imported."""

    action: str
    id: str = ""
    json: bool = False
    format: str = "md"
    archived: bool = False
    words: str = ""
    limit: int = 20
    ids: tuple[str, ...] = ()
    yes: bool = False
    files: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Models:
    """`lokal models ACTION NAME…`; no names = all of them. `server` None = the one in use. `sort` is the order of a list,
    `context` and the `cache_type` of the KV cache, `rate` is the most bytes a second of a download, `examples` is a file of them, a preset is saved under `save_as`; `need`,
    `licence` and `fits` filter the catalogue, `keep_alive` and the `arguments` of a loader are for loading, with `yes` it is not asked before deleting. A model is made from the
    Modelfile `file`, or from `source` with a `preset` and a `system` prompt."""

    action: str
    names: tuple[str, ...] = ()
    server: str | None = None
    json: bool = False
    sort: str = ""
    context: int | None = None
    keep_alive: str | None = None
    arguments: tuple[tuple[str, str | int | float | bool], ...] = ()
    yes: bool = False
    file: Path | None = None
    source: str = ""
    preset: str | None = None
    system: str | None = None
    quantize: str = ""
    cache_type: str = "f16"
    rate: int | None = None
    examples: Path | None = None
    save_as: str = ""
    need: str = ""
    licence: str = ""
    fits: bool = False


Subcommand = Ask | Bench | Doctor | Presets | Chats | Models
Command = Screen | Subcommand
