"""`lokal chats rename|rm|import`: what changes the chats from the shell."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from tui.cli.command_arguments import STDIN
from tui.cli.input import read_input
from tui.cli.output import say
from tui.core.text import count_of, safe_line, safe_name
from tui.errors import UsageError
from tui.servers.engine.slot_files import SlotFiles
from tui.store.importing import LARGEST, Export, read_chats
from tui.store.schema import MIGRATIONS, backup_path
from tui.store.store import ChatSummary, Store


def rename(store: Store, chat: ChatSummary, title: str) -> None:
    """Give a chat another title."""
    line = safe_line(title)
    if not line:
        raise UsageError("A title needs a word in it", "", "See: lokal chats rename --help")
    store.rename(chat.id, line)
    say(f"“{_named(chat)}” is now “{safe_name(line, 60)}”")


def delete(store: Store, chats: Sequence[ChatSummary], path: Path, slots: Path, *, sure: bool) -> None:
    """Delete chats for good, after asking unless `sure`; `slots` is the folder of what the engine keeps of them."""
    chats = list({chat.id: chat for chat in chats}.values())
    if not sure and not _is_sure(chats):
        say("Nothing was deleted")
        return
    for chat in chats:
        store.purge_chat(chat.id)
    SlotFiles(slots).forget([chat.id for chat in chats])
    while store.index_some():  # until their words are out of the files
        pass
    for chat in chats:
        say(f"Deleted forever: {chat.id} “{_named(chat)}”")
    for version in range(1, len(MIGRATIONS)):
        if (copy := backup_path(path, version)).exists():
            say(f"A copy from before an update of lokal may still hold what was deleted: {copy}")


def import_files(path: Path, files: Sequence[Path]) -> bool:
    """Read all files, then keep their chats, all of them or none; STDIN among them is standard input. Whether each of
    them made sense: those that do not are told and left out."""
    exports = [_export(file) for file in dict.fromkeys(files)]
    chats = [chat for export in exports for chat in export.chats]
    left_out = [each for export in exports for each in export.left_out]
    for each in left_out:
        say(f"Left out “{each.title}”: {each.reason}")
    if not chats:
        say("There is no message in it")
        return not left_out
    store = Store.open(path, on_renewed=lambda renewal: say(str(renewal)))
    try:
        done = store.import_chats(chats)
        while store.index_some():
            pass
    finally:
        store.close()
    messages = sum(len(chat.conversation) for chat in chats)
    if done.added:
        say(f"Imported: {count_of(len(done.added), 'chat')}")
    if done.skipped:
        say(f"Already there and skipped: {count_of(len(done.skipped), 'chat')}")
    if left_out:
        say(f"Left out, as said above: {count_of(len(left_out), 'chat')}")
    if done.added and not done.skipped:
        say(f"With {count_of(messages, 'message')}. “lokal chats list” shows them")
    return not left_out


def _export(file: Path) -> Export:
    if file != STDIN:
        return read_chats(file, pipe_too=True)
    if sys.stdin.isatty():
        raise UsageError("Nothing is piped in", "", "Like: lokal chats import - < conversations.json")
    return read_chats(read_input(LARGEST), "standard input")


def _is_sure(chats: Sequence[ChatSummary]) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            "lokal chats rm asks before it deletes, and nobody is there to answer",
            "",
            "To delete without being asked: lokal chats rm --yes ID",
        )
    for chat in chats:
        say(f"{chat.id} “{_named(chat)}”, {count_of(chat.message_count, 'message')}")
    sys.stderr.write(f"Delete {'it' if len(chats) == 1 else f'all {len(chats)}'} forever? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _named(chat: ChatSummary) -> str:
    return safe_name(chat.title, 60) or "no title"
