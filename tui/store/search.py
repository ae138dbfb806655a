"""Searching the messages and titles: through the index, or through all messages where SQLite has no FTS5.

The best matches come first (BM25), newer ones first among those that are about as good. Of a word that is nearly
everywhere only the newest RANKED matches are weighed, and older ones follow by age: weighing a hundred thousand matches
of “the” would take a tenth of a second and tell nobody anything.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from tui.core.message import Role
from tui.store.highlight import pattern_of, snippet_of
from tui.store.query import Term, as_match, is_in
from tui.store.words import folded_words

RANKED = 2000


@dataclass(frozen=True, slots=True)
class Hit:
    """A message, or the title of a chat, that has all that was asked for.

    `message_id` is empty and `role` None for a title. `snippet` is one safe line of the original text around the first
    match, `spans` the matches in it as (start, end). `created_at` is in seconds since the epoch, UTC.
    """

    chat_id: str
    title: str
    message_id: str
    role: Role | None
    created_at: float
    snippet: str
    spans: tuple[tuple[int, int], ...]


_Row = tuple[str, str, str, str | None, float, str]
"""chat_id, title, message_id, role, created_at, text"""

_THERE = "chats.deleted_at IS NULL AND messages.deleted_at IS NULL"
_ROWS = f"""
    SELECT documents.id, chats.id, chats.title, documents.message_id, messages.role,
        coalesce(messages.created_at, chats.updated_at), coalesce(messages.content, chats.title)
    FROM documents JOIN chats ON chats.id = documents.chat_id LEFT JOIN messages ON messages.id = documents.message_id
    WHERE {_THERE} AND (messages.id IS NOT NULL OR documents.message_id = '') AND documents.id IN
"""
_MATCHES = """
    SELECT documents.id, documents.created_at{folded} FROM search JOIN documents ON documents.id = search.rowid
    WHERE search MATCH ? AND search.rowid < ? ORDER BY search.rowid DESC LIMIT ?
"""
_SATURATION, _LENGTH = 1.2, 0.75  # k1 and b of BM25 in their usual values
_SCAN = f"""
    SELECT chats.id, chats.title, messages.id, messages.role, messages.created_at, messages.content
    FROM messages JOIN chats ON chats.id = messages.chat_id WHERE {_THERE} ORDER BY messages.created_at DESC
"""
_TITLES = "SELECT id, title, '', NULL, updated_at, title FROM chats WHERE deleted_at IS NULL ORDER BY updated_at DESC"


def search(
    connection: sqlite3.Connection, terms: Sequence[Term], limit: int, offset: int, has_index: bool
) -> tuple[Hit, ...]:
    """One page of what has all `terms`."""
    if not terms:
        return ()
    rows = _indexed(connection, terms, limit) if has_index else _scanned(connection, terms)
    pattern = pattern_of(terms)
    return tuple(
        Hit(
            chat_id,
            title,
            message_id,
            None if role is None else Role(role),
            created_at,
            *snippet_of(text, pattern),
        )
        for chat_id, title, message_id, role, created_at, text in islice(rows, offset, offset + limit)
    )


def _indexed(connection: sqlite3.Connection, terms: Sequence[Term], page: int) -> Iterator[_Row]:
    ordered = _ordered(connection, terms)
    while ids := tuple(islice(ordered, max(20, min(page, 200)))):
        found = {row[0]: row[1:] for row in connection.execute(f"{_ROWS} ({', '.join('?' * len(ids))})", ids)}
        yield from (found[id] for id in ids if id in found)


def _ordered(connection: sqlite3.Connection, terms: Sequence[Term]) -> Iterator[int]:
    """The documents that match, best first."""
    match = as_match(terms)
    newest = connection.execute(
        _MATCHES.format(folded=", documents.folded"), (match, 2**62, RANKED)
    ).fetchall()
    yield from _weighed(newest, [term.needle for term in terms])
    last = newest[-1][0] if len(newest) == RANKED else 0
    while last:
        older = connection.execute(_MATCHES.format(folded=""), (match, last, RANKED)).fetchall()
        yield from (row[0] for row in older)
        last = older[-1][0] if len(older) == RANKED else 0


def _weighed(rows: list[tuple[int, float, str]], needles: list[str]) -> list[int]:
    """Documents by BM25 without the weight of rare words, which all of them have alike: the words in a short text count
    more than in a long one. FTS5's own bm25() first counts every match there is, which takes most of the time."""
    usual = max(1.0, sum(len(folded) for _, _, folded in rows) / max(1, len(rows)))

    def weight(folded: str) -> float:
        room = _SATURATION * (1 - _LENGTH + _LENGTH * len(folded) / usual)
        counts = [folded.count(needle) for needle in needles]
        return round(sum(count * (_SATURATION + 1) / (count + room) for count in counts), 1)

    ranked = sorted((-weight(folded), -created_at, -id) for id, created_at, folded in rows)
    return [-id for _, _, id in ranked]


def _scanned(connection: sqlite3.Connection, terms: Sequence[Term]) -> Iterator[_Row]:
    for query in (_TITLES, _SCAN):
        for row in connection.execute(query):
            if is_in(terms, folded_words(row[5])):
                yield row
