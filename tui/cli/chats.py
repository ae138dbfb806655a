"""`lokal chats list|show|export`, and the way to the database for all of `lokal chats`."""

from __future__ import annotations

import contextlib
import shutil
import sys
from pathlib import Path

from tui.cli.command_arguments import Chats
from tui.cli.output import say, write, write_json
from tui.core.message import Message, Role, Status
from tui.core.text import local_minute, safe_block, safe_line, safe_name
from tui.errors import StoreError, UsageError
from tui.paths import folders
from tui.store.export import branch_as_json, chat_as_json, chat_as_markdown, chat_fields
from tui.store.store import ChatSummary, Store

ALL = 1_000_000_000


def chats(command: Chats) -> int:
    """Run `lokal chats`. Raises UsageError for a chat that there is not, FileError for a bad import, StoreError."""
    places = folders()
    path = places.database
    if command.action == "import":
        from tui.cli.chats_change import import_files

        return 0 if import_files(path, command.files) else 1
    if _is_missing(path):  # no database is made for a question about it
        if command.action == "list":
            _list((), command)
        elif command.action == "search" and command.json:
            write_json([])
        elif command.action == "search":
            say("There are no chats yet")
        else:
            raise UsageError("There is no chat yet", "", "lokal keeps those that you have on its screen")
        return 0
    store = Store.open(path, on_renewed=lambda renewal: say(str(renewal)))
    try:
        with contextlib.suppress(StoreError):  # what a killed lokal left is found and shown as what it is
            store.recover()
        if command.action == "list":
            _list(store.chats(ALL, archived=command.archived), command)
        elif command.action in ("show", "export"):
            _show(store, command)
        elif command.action == "search":
            from tui.cli.chats_search import search

            search(store, command)
        elif command.action == "rename":
            from tui.cli.chats_change import rename

            rename(store, find(store, command.id), command.words)
        else:
            from tui.cli.chats_change import delete

            delete(store, [find(store, id) for id in command.ids], path, places.slots, sure=command.yes)
    finally:
        store.close()
    return 0


def find(store: Store, id: str) -> ChatSummary:
    """The chat that is meant. Raises UsageError when there is none, or more than one."""
    try:
        return store.find(id)
    except StoreError as error:
        if error.__cause__ is None:  # nothing failed: there is no such chat, or more than one
            raise UsageError(error.title, error.detail, error.hint) from error
        raise


def _is_missing(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False  # opening it says why
    return False


def _list(summaries: tuple[ChatSummary, ...], command: Chats) -> None:
    if command.json:
        write_json([_as_object(summary) for summary in summaries])
        return
    if not summaries:
        say("No chat is archived" if command.archived else "There are no chats yet")
        return
    # On a terminal a line a chat; elsewhere the whole title.
    room = max(20, shutil.get_terminal_size().columns - 42) if sys.stdout.isatty() else 300
    lines = [f"{'ID':<14}{'LAST USED':<18}{'MESSAGES':<10}TITLE"]
    for summary in summaries:
        when = local_minute(summary.updated_at)
        title = safe_name(f"{'* ' if summary.pinned else ''}{summary.title}", room)
        lines.append(f"{safe_line(summary.id):<14}{when:<18}{summary.message_count:>8}  {title}")
    write("\n".join(lines) + "\n")


def _show(store: Store, command: Chats) -> None:
    summary = find(store, command.id)
    conversation = store.load(summary.id)
    if command.action == "export":
        text = (chat_as_json if command.format == "json" else chat_as_markdown)(conversation, summary)
        # A file gets what was said to the letter; a terminal must not act on what somebody pasted.
        write(safe_block(text) if sys.stdout.isatty() else text)
    elif command.json:
        write(branch_as_json(conversation, summary))
    else:
        write("\n".join(_in_words(message) for message in conversation.path()))


def _as_object(summary: ChatSummary) -> dict[str, object]:
    return {**chat_fields(summary), "pinned": summary.pinned, "archived": summary.archived}


def _in_words(message: Message) -> str:
    who = "you" if message.role is Role.USER else " · ".join(filter(None, (message.model, message.preset)))
    ending = "" if message.status is Status.COMPLETE else f" ({message.status})"
    lines = [f"── {safe_line(who or str(message.role), 100)}{ending}"]
    if message.content.strip():
        lines.append(safe_block(message.content).rstrip())
    if message.problem is not None:
        lines.append(f"[{safe_line(message.problem.title)}]")
    return "\n".join(lines) + "\n"
