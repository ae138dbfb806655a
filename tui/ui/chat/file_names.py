"""The files that a name which is being typed may become."""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from tui.core.slash import CompletionItem, FileWanted
from tui.core.text import human_size

READ_AT_MOST = 50_000
"""How many names of a folder are looked at."""
SHOWN_AT_MOST = 100
"""How many of them are offered: a person types another letter rather than walk through more."""


def file_choices(wanted: FileWanted) -> tuple[CompletionItem, ...]:
    """Folders and files whose path begins with what is typed, folders first; `~` is the home folder. Hidden ones only
    after a dot, and none whose name could not be typed in one line. Empty for a folder that cannot be read."""
    head, slash, tail = wanted.typed.rpartition("/")
    if not slash and tail.startswith("~"):
        return (CompletionItem("~/", "your home folder"),) if tail == "~" else ()
    start = head + slash
    try:
        found = _fitting(_folder(start), tail, wanted.endings)
        best = heapq.nsmallest(SHOWN_AT_MOST, found, key=lambda one: (not one[1], one[0].casefold(), one[0]))
    except (OSError, RuntimeError, ValueError):  # no such folder, ~nobody, a name with a zero byte
        return ()
    choices = []
    for name, is_folder, path in best:
        shown = name + "/" if is_folder else name
        choices.append(CompletionItem(start + shown, "folder" if is_folder else _size(path), shown))
    return tuple(choice for choice in choices if choice.text != wanted.typed)


def _folder(start: str) -> Path:
    return Path(start or ".").expanduser()


def _fitting(folder: Path, tail: str, endings: tuple[str, ...]) -> Iterable[tuple[str, bool, str]]:
    """(name, whether it is a folder, path) of what fits."""
    key = tail.casefold()
    with os.scandir(folder) as entries:
        for entry in islice(entries, READ_AT_MOST):
            name = entry.name
            if not name.casefold().startswith(key) or not name.isprintable():
                continue
            if name.startswith(".") and not tail.startswith("."):
                continue
            is_folder = entry.is_dir()
            if is_folder or not endings or name.lower().endswith(endings):
                yield name, is_folder, entry.path


def _size(path: str) -> str:
    try:
        return human_size(Path(path).stat().st_size)
    except OSError:
        return ""
