"""`lokal chats search`."""

from __future__ import annotations

import os
import sys

from tui.cli.command_arguments import Chats
from tui.cli.output import ProgressLine, say, write, write_json
from tui.core.text import local_minute, safe_line, safe_name
from tui.store.export import iso_time
from tui.store.search import Hit
from tui.store.store import Store

_BOLD, _PLAIN = "\x1b[1m", "\x1b[22m"


def search(store: Store, command: Chats) -> None:
    """Print what was found, best first."""
    _catch_up(store)
    hits = store.search(command.words, command.limit)
    if command.json:
        write_json([_as_object(hit) for hit in hits])
    elif not hits:
        say("Nothing was found")
    else:
        bold = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        write("\n".join(_in_words(hit, bold) for hit in hits))


def _catch_up(store: Store) -> None:
    """Let the index learn what it does not know yet, so that all there is is found."""
    progress = ProgressLine()
    try:
        while store.index_some():
            progress.show(f"Indexing: {store.index_backlog()} messages to go")
    finally:
        progress.clear()


def _in_words(hit: Hit, bold: bool) -> str:
    when = local_minute(hit.created_at)
    who = "title" if hit.role is None else "you" if hit.role == "user" else str(hit.role)
    head = f"{safe_line(hit.chat_id):<14}{when}  {safe_name(hit.title, 100) or 'no title'} · {who}"
    return f"{head}\n    {_marked(hit) if bold else hit.snippet}\n"


def _marked(hit: Hit) -> str:
    parts = []
    at = 0
    for start, end in hit.spans:
        parts += [hit.snippet[at:start], _BOLD, hit.snippet[start:end], _PLAIN]
        at = end
    return "".join([*parts, hit.snippet[at:]])


def _as_object(hit: Hit) -> dict[str, object]:
    return {
        "chat": hit.chat_id,
        "title": hit.title,
        "message": hit.message_id or None,
        "role": None if hit.role is None else hit.role.value,
        "created_at": iso_time(hit.created_at),
        "snippet": hit.snippet,
        "matches": [list(span) for span in hit.spans],
    }
