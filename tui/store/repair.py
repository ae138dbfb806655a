"""A database that is damaged, or gone while it was open: a new one takes its place, with all that can be had."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tui.core.text import count_of, safe_line
from tui.private_files import make_private_file

if TYPE_CHECKING:
    from tui.store.salvage import Salvaged

Prepare = Callable[[sqlite3.Connection], None]
"""Makes the tables in an empty database."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """What became of a database that could not be used any more. `aside` is where the old file is now, None = it was
    deleted while it was open; `salvaged` is what was read of it, None = all of it."""

    path: Path
    aside: Path | None
    salvaged: Salvaged | None
    chats: int

    def __str__(self) -> str:
        """In words: what happened, what was kept and what not, where the old file is."""
        where = safe_line(str(self.path))
        if self.aside is None:
            again = f"{count_of(self.chats, 'chat')} written again" if self.chats else "a new one was begun"
            return f"{where} was deleted or moved while lokal had it open: {again}"
        found = self.salvaged
        if found is None or not (found.chats or found.lost_messages):
            kept = "no chat could be read in it, and a new file was begun"
        else:
            kept = f"{count_of(found.chats, 'chat')} with {count_of(found.messages, 'message')} recovered"
            if found.lost_chats:
                kept += f", {count_of(found.lost_chats, 'chat')} not"
            if found.lost_messages:
                kept += f", {count_of(found.lost_messages, 'message')} could not be read"
            if found.cut_messages:
                kept += f", {count_of(found.cut_messages, 'message')} only in part"
            if found.changed_messages:
                kept += f", {count_of(found.changed_messages, 'message')} may be wrong in places"
            if not (found.lost_messages or found.cut_messages or found.changed_messages):
                kept += "; nothing is known to be missing"
        return f"{where} was damaged: {kept}. The old file is {safe_line(str(self.aside))}"


def recover(path: Path, shown: Path, prepare: Prepare) -> Renewal:
    """Put a new database with all that can be read of the damaged one in its place, and the old one aside. Raises OSError
    and sqlite3.Error; the old one is then where it was."""
    from tui.store.salvage import salvage  # not loaded where the database is sound

    unfinished = _unfinished(path)
    try:
        make_private_file(unfinished)
        with contextlib.closing(sqlite3.connect(unfinished, isolation_level=None)) as connection:
            prepare(connection)
            connection.execute("BEGIN IMMEDIATE")
            salvaged = salvage(path, connection)
            connection.execute("COMMIT")
        aside = _set_aside(path)
        unfinished.replace(path)  # at no moment is there none
    finally:
        _remove(unfinished)
    return Renewal(shown, shown.with_name(aside.name), salvaged, salvaged.chats)


def write_anew(source: sqlite3.Connection, path: Path, shown: Path, prepare: Prepare) -> Renewal:
    """The file at `path` is gone, and `source` still has it open: write it again. What cannot be read of it any more is
    lost. Raises OSError and sqlite3.Error for the new one."""
    unfinished = _unfinished(path)
    try:
        make_private_file(unfinished)
        with contextlib.closing(sqlite3.connect(unfinished, isolation_level=None)) as connection:
            with contextlib.suppress(sqlite3.DatabaseError):
                source.backup(connection)
            prepare(connection)
            chats = connection.execute("SELECT count(*) FROM chats WHERE deleted_at IS NULL").fetchone()[0]
        for suffix in ("-wal", "-shm"):  # of the one that is gone: the new one must not take them for its own
            path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)
        unfinished.replace(path)
    finally:
        _remove(unfinished)
    return Renewal(shown, None, None, int(chats))


def _set_aside(path: Path) -> Path:
    """Give the damaged file another name, which is returned, and its log with it."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    aside, number = path.with_name(f"{path.stem}.damaged-{stamp}{path.suffix}"), 1
    while os.path.lexists(aside):
        number += 1
        aside = path.with_name(f"{path.stem}.damaged-{stamp}-{number}{path.suffix}")
    log = path.with_name(f"{path.name}-wal")
    try:
        os.link(path, aside)
    except OSError:  # a file system that has no links
        path.rename(aside)
    with contextlib.suppress(FileNotFoundError):
        log.rename(aside.with_name(f"{aside.name}-wal"))
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    return aside


def _unfinished(path: Path) -> Path:
    unfinished = path.with_name(f".{path.name}.recovered")
    _remove(unfinished)
    return unfinished


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)
