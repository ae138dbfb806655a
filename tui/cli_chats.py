"""`lokal chats list|show|export`."""

from __future__ import annotations

import argparse
import json
import sys
import time

from tui.core.message import Message, Role, Status
from tui.core.text import safe_block, safe_line
from tui.paths import folders
from tui.store.export import branch_as_json, chat_as_json, chat_as_markdown, iso_time
from tui.store.store import ChatSummary, Store

ALL = 1_000_000_000


def chats(options: argparse.Namespace) -> int:
    """Run `lokal chats`. Raises StoreError."""
    path = folders().database
    if options.action == "list" and not path.exists():
        print(
            "[]" if options.json else "There are no chats yet.",
            file=sys.stdout if options.json else sys.stderr,
        )
        return 0
    store = Store.open(path)
    try:
        if options.action == "list":
            _list(store.chats(ALL), as_json=options.json)
            return 0
        summary = store.find(options.id)
        conversation = store.load(summary.id)
        if options.action == "export":
            write = chat_as_json if options.format == "json" else chat_as_markdown
            sys.stdout.write(write(conversation, summary))
        elif options.json:
            sys.stdout.write(branch_as_json(conversation, summary))
        else:
            for message in conversation.path():
                _show(message)
    finally:
        store.close()
    return 0


def _list(summaries: tuple[ChatSummary, ...], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([_as_object(summary) for summary in summaries], ensure_ascii=False, indent=2))
        return
    for summary in summaries:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(summary.updated_at))
        print(f"{summary.id}  {when}  {summary.message_count:>5}  {safe_line(summary.title, 80)}")


def _as_object(summary: ChatSummary) -> dict[str, object]:
    return {
        "id": summary.id,
        "title": summary.title,
        "created_at": iso_time(summary.created_at),
        "updated_at": iso_time(summary.updated_at),
        "message_count": summary.message_count,
    }


def _show(message: Message) -> None:
    who = "you" if message.role is Role.USER else " · ".join(filter(None, (message.model, message.preset)))
    ending = "" if message.status is Status.COMPLETE else f" ({message.status})"
    print(f"── {safe_line(who or str(message.role), 100)}{ending}")
    print(safe_block(message.content))
    if message.problem is not None:
        print(f"[{safe_line(message.problem.title)}]")
    print()
