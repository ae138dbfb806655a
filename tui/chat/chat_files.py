"""Chats as files: where an export goes, and how it is written without taking the place of anything unasked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from tui import atomic
from tui.core.text import count_of, safe_line
from tui.errors import FileError, UsageError
from tui.private_files import make_private_file

if TYPE_CHECKING:
    from tui.store.importing import Export
    from tui.store.rows import WholeChat
    from tui.store.store import Store

MARKDOWN, JSON = ".md", ".json"
LONGEST_NAME = 60
"""Characters of a title that become a file's name: 180 bytes at the most, where a name may have 255."""


class TakenName(FileError):
    """There is such a file already."""


def export_path(argument: str, title: str) -> Path:
    """The file that is meant: a name with its suffix, one without, which gets `.md`, a folder, or nothing: the title in
    the folder that lokal was started in. Raises UsageError for another suffix."""
    if not argument:
        return Path.cwd() / name_from(title)
    path = as_path(argument)
    if argument.endswith("/") or path.is_dir():
        return path / name_from(title)
    if not path.suffix:
        return path.with_name(path.name + MARKDOWN)
    if path.suffix.lower() not in (MARKDOWN, JSON):
        raise UsageError(
            f"lokal writes no {safe_line(path.suffix, 20)} files", "", "Let the name end with .md or .json"
        )
    return path


def as_path(argument: str) -> Path:
    """A path as a person types it; relative ones start where lokal was started. Raises UsageError."""
    try:
        return Path.cwd() / Path(argument).expanduser()
    except (RuntimeError, ValueError, OSError) as error:  # ~nobody; the folder is gone
        raise UsageError(f"There is no {safe_line(argument, 80)}", safe_line(str(error), 80)) from error


def name_from(title: str) -> str:
    """A file name made of a title: words joined by hyphens, nothing that a shell or a file system minds."""
    numbered = re.search(r"\((\d{1,9})\)\s*$", title)  # a branch's, by which it differs
    number = f"-{numbered[1]}" if numbered else ""
    words = re.findall(r"\w+", title[: numbered.start() if numbered else None][: LONGEST_NAME * 4])
    name = "-".join(words)[: LONGEST_NAME - len(number)].strip("-_")
    return (name or "chat") + number + MARKDOWN


def export(path: Path, chat: WholeChat, *, overwrite: bool) -> int:
    """Write a chat, all of it into a `.json`, else the open branch; how many messages that were. Raises as `write` does."""
    from tui.store.export import chat_as_json, chat_as_markdown

    whole = path.suffix.lower() == JSON
    form = chat_as_json if whole else chat_as_markdown
    write(path, form(chat.conversation, chat.summary), overwrite=overwrite)
    return len(chat.conversation) if whole else len(chat.conversation.path())


def write(path: Path, text: str, *, overwrite: bool) -> None:
    """Write the file as a whole or not at all. Raises TakenName, leaving the file as it is, unless it may be
    overwritten; FileError where there is no such folder or no right to write."""
    made = False
    try:
        if not path.parent.is_dir():
            raise FileError(path, f"There is no folder {path.parent}", "", "Make it first, or name another")
        if path.exists() and not path.is_file():
            raise FileError(path, f"{path} is not a file", "", "Give another name")
        # The name is taken before anything is written, so that of two who want it only one gets it.
        made = make_private_file(path)
        if not made and not overwrite:
            raise TakenName(path, f"{path} is there already")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FileError(path, f"Cannot write {path}", reason, "Give another name") from error
    try:
        atomic.write_text(path, text)
    except FileError:
        if made:
            path.unlink(missing_ok=True)
        raise


def read_export(argument: str) -> tuple[Path, Export]:
    """The file that is meant, and the chats in it. It blocks. Raises FileError, UsageError."""
    from tui.store.importing import read_chats

    path = as_path(argument)
    return path, read_chats(path)


def import_export(store: Store, path: Path, export: Export) -> str:
    """Put the chats of a file into the store, all of them or none; in words, what came of it. Raises LokalError."""
    if not export.chats:
        raise UsageError(f"There is no message in {path}")
    done = store.import_chats(export.chats)
    words = f"{count_of(len(done.added), 'chat')} imported from {path}"
    if done.skipped:
        were = "was" if len(done.skipped) == 1 else "were"
        words += f"; {count_of(len(done.skipped), 'chat')} {were} here already"
    if export.left_out:
        first, more = export.left_out[0], len(export.left_out) - 1
        words += f"; left out “{first.title}”: {first.reason}{f', and {more:,} more' if more else ''}"
    return words
