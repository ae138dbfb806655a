"""Full-text search over 100,000 messages: a rare word, a common one, beginnings of words, a phrase."""

from __future__ import annotations

import itertools
import random
import sqlite3
import time
from pathlib import Path

from tests.bench.figure import Figure, median
from tests.bench.stage import Stage
from tui.core.message import Message, Role
from tui.store.rows import message_row
from tui.store.schema import MIGRATIONS, migrate
from tui.store.store import Store

CHATS, EACH = 2_000, 50
_VOCABULARY = 30_000
_BAR_MS = 50.0
_SYLLABLES = [
    "ba",
    "ce",
    "di",
    "fo",
    "gu",
    "ka",
    "le",
    "mi",
    "no",
    "pu",
    "ra",
    "se",
    "ti",
    "vo",
    "zu",
    "żół",
    "ść",
    "viê",
    "đươ",
    "ен",
    "ка",
    "ло",
    "ми",
    "ўз",
    "қо",
    "ʻo",
    "gʻa",
    "str",
    "in",
    "er",
    "un",
    "al",
]


def search(stage: Stage) -> list[Figure]:
    """Milliseconds for the first 50 hits, warm, after the migration of a database that the first release wrote."""
    path = stage.home() / ".local/share/lokal/chats.db"
    path.parent.mkdir(parents=True)
    words = _first_release(path)
    began = time.perf_counter()
    store = Store.open(path)
    opened_ms = (time.perf_counter() - began) * 1000
    began = time.perf_counter()
    steps = []
    more = True
    while more:
        step_began = time.perf_counter()
        more = store.index_some()
        steps.append((time.perf_counter() - step_began) * 1000)
    indexed_s = time.perf_counter() - began
    queries = {
        "a rare word": words[-1],
        "a word in most messages": words[0],
        "two common words": f"{words[1]} {words[4]}",
        "one letter": words[0][:1],
        "two letters": words[0][:2],
        "three letters": words[30][:3],
        "a phrase of common words": f'"{words[0]} {words[1]}"',
        "nothing that is there": "zzzzzzz",
    }
    figures = [
        median("search", "opening 100,000 messages of the first release", [opened_ms], "ms", 2000, 1000),
        median("search", "indexing them, in the background", [indexed_s], "s"),
        median("search", "the longest step of that", [max(steps)], "ms"),
    ]
    for name, text in queries.items():
        store.search(text)
        figures.append(
            median("search", name, [_ms(store, text) for _ in range(max(5, stage.runs))], "ms", _BAR_MS)
        )
    store.close()
    return figures


def _ms(store: Store, text: str) -> float:
    began = time.perf_counter()
    store.search(text)
    return (time.perf_counter() - began) * 1000


def _first_release(path: Path) -> list[str]:
    """A database as the first release wrote it; its words, the most common first, as Zipf has them."""
    chance = random.Random(7)
    words = list(
        dict.fromkeys("".join(chance.choices(_SYLLABLES, k=chance.randint(1, 4))) for _ in range(_VOCABULARY))
    )
    weights = list(itertools.accumulate(1 / place for place in range(1, len(words) + 1)))
    connection = sqlite3.connect(path, isolation_level=None)
    migrate(connection, path, MIGRATIONS[:1])
    connection.execute("BEGIN")
    for chat in range(CHATS):
        id = f"{chat:012x}"
        connection.execute(
            "INSERT INTO chats VALUES (?, ?, ?, ?, ?, NULL)", (id, f"Chat {chat}", chat, chat, EACH)
        )
        parent: str | None = None
        for number in range(EACH):
            text = " ".join(chance.choices(words, cum_weights=weights, k=chance.choice((15, 60, 200))))
            role = Role.ASSISTANT if number % 2 else Role.USER
            message = Message(f"{chat:06x}{number:06x}", parent, role, text, 1e9 + chat * EACH + number)
            connection.execute(
                "INSERT INTO messages (id, parent, role, content, created_at, reasoning, status, model, server, preset,"
                " parameters, usage, timings, finish_reason, problem, chat_id, ordinal)"
                f" VALUES ({', '.join('?' * 17)})",
                (*message_row(message)[:15], id, number),
            )
            parent = message.id
    connection.execute("COMMIT")
    connection.close()
    return words
