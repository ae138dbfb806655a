"""Long chats and many chats: what opening and listing them takes."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from textual.app import App, ComposeResult

from tests.bench.figure import Figure, median, ratio
from tests.bench.stage import Stage
from tests.support.sample import MARKDOWN
from tui.core.message import Message, Role
from tui.store.store import Store
from tui.ui.chat.entries import entries_of
from tui.ui.transcript.view import Transcript

LONG, SHORT = 10_000, 100
MANY, FEW = 10_000, 10
_LAST = "The last words of the chat"
_F7, _END = "\x1b[18~", "\x1b[F"


def opening(stage: Stage) -> list[Figure]:
    """`lokal --resume` on a chat of 10,000 messages and on one of 100."""
    short, long = stage.home(stage.fast), stage.home(stage.fast)
    _write_chat(short, SHORT)
    _write_chat(long, LONG)
    to_shown: dict[Path, list[float]] = {short: [], long: []}
    for run in range(stage.runs + 1):
        for home in (short, long):
            with stage.lokal("--resume", home=home) as watched:
                shown_at = watched.seen(_LAST)
            if run:
                to_shown[home].append(shown_at - watched.started_at)
    load, show = asyncio.run(_in_process(long, stage.runs))
    both = [one + other for one, other in zip(load, show, strict=True)]
    return [
        ratio("open", f"exec to a chat of {LONG} messages / of {SHORT}", to_shown[long], to_shown[short], 2),
        median("open", f"reading and showing {LONG} messages", both, "ms", 300),
        median("open", f"of that: store.load of {LONG} messages", load, "ms"),
        median("open", "of that: entries and transcript.show", show, "ms"),
        median("open", f"exec to a chat of {LONG} messages", [s * 1000 for s in to_shown[long]], "ms"),
        median("open", f"exec to a chat of {SHORT} messages", [s * 1000 for s in to_shown[short]], "ms"),
    ]


def listing(stage: Stage) -> list[Figure]:
    """`lokal chats list` with 10,000 chats and with 10."""
    few, many = stage.home(), stage.home()
    _write_chats(few, FEW)
    _write_chats(many, MANY)
    seconds: dict[Path, list[float]] = {few: [], many: []}
    for run in range(stage.runs + 1):
        for home in (few, many):
            taken = stage.run("chats", "list", home=home)
            if run:
                seconds[home].append(taken)
    return [
        ratio("list", f"`lokal chats list`, {MANY} chats / {FEW}", seconds[many], seconds[few], 2),
        median("list", f"`lokal chats list`, {MANY} chats", [s * 1000 for s in seconds[many]], "ms", 300),
        median("list", f"`lokal chats list`, {FEW} chats", [s * 1000 for s in seconds[few]], "ms"),
        *_on_the_screen(stage, many),
    ]


def _on_the_screen(stage: Stage, home: Path) -> list[Figure]:
    """F7 and then End, until the chats are painted; the first F7 loads the list's code too."""
    opened, ended = [], []
    with stage.lokal(home=home, columns=100) as watched:
        watched.seen("No model server|No server")
        watched.quiet(1.0)
        for run in range(stage.runs + 1):
            f7 = watched.send(_F7)
            shown_at = watched.seen(f"Chats  {MANY:,}.*number {MANY - 1}[?]")
            end = watched.send(_END)
            ended_at = watched.seen("number 0[?]")
            if run:
                opened.append((shown_at - f7) * 1000)
                ended.append((ended_at - end) * 1000)
            watched.send(_F7)
            watched.seen(lambda screen: f"Chats  {MANY:,}" not in screen)
    return [
        median("list", f"F7 to the list of {MANY} chats on the screen", opened, "ms", 100),
        median("list", "End to its last chat", ended, "ms", 100),
    ]


class _App(App[None]):
    def compose(self) -> ComposeResult:
        yield Transcript()


async def _in_process(home: Path, runs: int) -> tuple[list[float], list[float]]:
    """Milliseconds to read the chat from the disk, and to show it."""
    load, show = [], []
    app = _App()
    async with app.run_test(size=(120, 40)):
        transcript = app.query_one(Transcript)
        for _ in range(runs):
            began = time.perf_counter()
            store = Store.open(_database(home))
            conversation = store.load(store.find("last").id)
            load.append((time.perf_counter() - began) * 1000)
            began = time.perf_counter()
            transcript.show(entries_of(conversation, lambda id: "F1"))
            show.append((time.perf_counter() - began) * 1000)
            store.close()
    return load, show


def _write_chat(home: Path, count: int) -> None:
    store = Store.open(_database(home))
    store.create_chat("chat", "A long chat", 1.0)
    texts = MARKDOWN.split("\n## ")
    parent: str | None = None
    for number in range(count):
        role = Role.ASSISTANT if number % 2 else Role.USER
        text = texts[number % len(texts)] if number < count - 1 else _LAST
        message = Message(f"message-{number:06}", parent, role, text, float(number), model="m")
        store.add_message("chat", message)
        parent = message.id
    store.close()


def _write_chats(home: Path, count: int) -> None:
    store = Store.open(_database(home))
    for number in range(count):
        store.create_chat(f"chat-{number:06}", f"How do I do thing number {number}?", float(number))
    store.close()


def _database(home: Path) -> Path:
    return home / ".local/share/lokal/chats.db"
