"""Searching: what is folded, what the query language means, and that the index says what is stored whatever happens."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.database import database_of
from tui.core.message import Message, Role, Status, new_id
from tui.store.highlight import SNIPPET, pattern_of, snippet_of, spans_in
from tui.store.query import Term, is_in, parse
from tui.store.search import Hit
from tui.store.store import Store
from tui.store.words import folded_words

NOON = 1_790_000_000.0


def said(text: str, role: Role = Role.USER, at: float = NOON) -> Message:
    return Message(new_id(), None, role, text, at)


@pytest.fixture(params=[True, False], ids=["index", "scan"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    opened = Store.in_memory(full_text=request.param)
    opened.create_chat("one", "Wąż i żółw", NOON)
    yield opened
    opened.close()


def found(store: Store, text: str) -> list[str]:
    return [hit.snippet for hit in store.search(text)]


def marked(hit: Hit) -> list[str]:
    return [hit.snippet[start:end] for start, end in hit.spans]


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Zażółć gęślą jaźń", " zazolc gesla jazn "),
        ("Tiếng Việt, đường", " tieng viet duong "),
        ("Ти\u0301 Ёлка — Йод", " ти елка иод "),
        ("oʻzbek, o'zbek, o‘zbek, o’zbek; sanʼat", " ozbek ozbek ozbek ozbek sanat "),
        ("ўзбек қиз ғоз ҳа", " узбек киз гоз ха "),
        ("l'eau qu'il don't", " l eau qu il dont "),
        ("Straße ÆSIR ﬁne øre", " strasse aesir fine ore "),
        ("snake_case C++ 3.11 m²", " snake case c 3 11 m2 "),
        ("中文 ひら", " 中 文 ひ ら "),
        ("한국어", " 한국어 "),
        ("a\u200bb\u00adc \x00 …", " abc "),
        (" -- ", ""),
    ],
)
def test_folding(text: str, folded: str) -> None:
    assert folded_words(text) == folded


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("serv", (Term(("serv",)),)),
        ('bad "Bad  Gateway" bad', (Term(("bad",)), Term(("bad", "gateway"), True))),
        ("“bad gateway”", (Term(("bad", "gateway"), True),)),
        ('"bad gate', (Term(("bad",)), Term(("gate",)))),
        (
            "a AND (NEAR* col:umn -x",
            tuple(Term(words) for words in [("a",), ("and",), ("near",), ("col", "umn"), ("x",)]),
        ),
        ("* \" - : ^ '", ()),
        ("", ()),
    ],
)
def test_queries(text: str, terms: tuple[Term, ...]) -> None:
    assert parse(text) == terms


@pytest.mark.parametrize(
    ("text", "query", "matches"),
    [
        ("Ala ma zażółć", "zazolc", ["zażółć"]),
        ("Học tiếng Việt", "tieng viet", ["tiếng", "Việt"]),
        ("Học tiếng Việt", '"tieng viet"', ["tiếng Việt"]),
        ("Men oʻzbekman", "o'zbek", ["oʻzbek"]),
        ("Ўзбекистон", "узбек", ["Ўзбек"]),
        ("Die Straße", "strass", ["Straß"]),
        ("Die Straße", "stras", ["Straß"]),
        ("日本語の文", "本語", ["本語"]),
        ("nginx answers 502.", "ngi 50", ["ngi", "50"]),
        ("The server's log", "server", ["server"]),
    ],
)
def test_matches_are_marked_in_the_text_as_it_was_written(
    store: Store, text: str, query: str, matches: list[str]
) -> None:
    store.add_message("one", said(text))
    (hit,) = store.search(query)
    assert (hit.chat_id, hit.title, hit.role, hit.snippet) == ("one", "Wąż i żółw", Role.USER, text)
    assert marked(hit) == matches


def test_every_word_must_be_there_and_a_phrase_in_its_order(store: Store) -> None:
    for text in ("a bad gateway", "the gateway is bad", "a badly made gateway"):
        store.add_message("one", said(text))
    assert len(found(store, "bad gateway")) == 3
    assert found(store, '"bad gateway"') == ["a bad gateway"]
    assert found(store, '"gate"') == []
    assert found(store, "gateway missing") == []


def test_titles_are_found_too_and_follow_a_rename(store: Store) -> None:
    (hit,) = store.search("zolw")
    assert (hit.message_id, hit.role, hit.snippet, marked(hit)) == ("", None, "Wąż i żółw", ["żółw"])
    store.rename("one", "Snakes")
    assert found(store, "zolw") == []
    assert found(store, "snake") == ["Snakes"]


def test_a_snippet_is_one_safe_line_around_the_first_match() -> None:
    text = "word " * 100 + "\n\x1b[31mthe ne\u202eedle\x07 is here\r\n" + "more " * 100
    line, spans = snippet_of(text, pattern_of(parse("needle")))
    assert len(line) <= SNIPPET
    assert line.startswith("…")
    assert line.endswith("…")
    assert [line[start:end] for start, end in spans] == ["needle"]
    assert line.isprintable()


def test_what_is_deleted_is_not_found_and_comes_back(store: Store) -> None:
    first, second = said("first apple"), said("second apple")
    for message in (first, second):
        store.add_message("one", message)
    store.remove_messages("one", [first.id])
    assert found(store, "apple") == ["second apple"]
    store.delete_chat("one")
    assert found(store, "apple") == []
    store.restore_chat("one")
    store.restore_messages("one", [first.id])
    assert sorted(found(store, "apple")) == ["first apple", "second apple"]


def test_an_answer_is_found_when_it_is_saved_as_a_whole() -> None:
    store = Store.in_memory()
    store.create_chat("one", "", NOON)
    streaming = replace(said("apple", Role.ASSISTANT), status=Status.STREAMING)
    store.add_message("one", streaming)
    store.checkpoint(streaming.id, " pie", "")
    assert found(store, "apple") == []
    store.update_message("one", replace(streaming, content="apple pie", status=Status.COMPLETE))
    assert found(store, "pie") == ["apple pie"]
    store.update_message("one", replace(streaming, content="plums", status=Status.COMPLETE))
    assert found(store, "pie") == []
    assert found(store, "plum") == ["plums"]
    assert store.index_backlog() == 0
    store.close()


def test_pages_follow_each_other_without_gap_or_repetition() -> None:
    store = Store.in_memory()
    store.create_chat("one", "", NOON)
    for number in range(60):
        store.add_message("one", said(f"apple {number}", at=NOON + number))
    whole = store.search("apple", limit=60)
    assert len({hit.message_id for hit in whole}) == 60
    assert whole[0].snippet == "apple 59"  # as good as the others, and newer
    pages = [hit for offset in range(0, 60, 7) for hit in store.search("apple", limit=7, offset=offset)]
    assert tuple(pages) == whole
    store.close()


def test_more_matches_than_are_weighed_are_all_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.store.search.RANKED", 10)
    store = Store.in_memory()
    store.create_chat("one", "", NOON)
    for number in range(35):
        store.add_message("one", said(f"apple {number}", at=NOON + number))
    hits = store.search("apple", limit=100)
    assert [hit.snippet for hit in hits] == [f"apple {number}" for number in reversed(range(35))]
    store.close()


def test_an_old_program_that_knows_no_index_is_caught_up_with(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "chats.db")
    store.create_chat("one", "", NOON)
    store.add_message("one", said("apple"))
    other = Store.open(tmp_path / "chats.db", full_text=False)
    for number in range(30):
        other.add_message("one", said(f"pear {number}"))
    assert store.index_backlog() == 30
    while store.index_some():
        pass
    assert store.index_backlog() == 0
    assert len(store.search("pear")) == 30
    other.purge_chat("one")
    assert store.search("apple") == ()
    while store.index_some():
        pass
    check(store)
    other.close()
    store.close()


def check(store: Store) -> None:
    """FTS5's own check of the index against the documents, and the documents against what is stored."""
    connection = database_of(store).connection
    connection.execute("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")
    stored = {
        (chat, message): folded_words(text)
        for chat, message, text in connection.execute(
            "SELECT chat_id, id, content FROM messages WHERE status <> 'streaming' UNION ALL SELECT id, '', title FROM chats"
        )
        if folded_words(text)
    }
    documents = connection.execute("SELECT chat_id, message_id, folded FROM documents").fetchall()
    assert {(chat, message): folded for chat, message, folded in documents} == stored
    assert len(documents) == len(stored)


@pytest.mark.parametrize("seed", range(4))
def test_after_anything_the_index_is_what_a_new_one_would_be(seed: int) -> None:
    chance = random.Random(seed)
    store = Store.in_memory()
    words = ["apple", "zażółć", "tiếng", "oʻzbek", "Ўзбек", "", "中文"]
    chats: list[str] = []
    for number in range(150):
        step = chance.choice(
            ["chat", "add", "add", "add", "update", "rename", "remove", "delete", "restore", "purge"]
        )
        text = " ".join(chance.choices(words, k=3))
        if step == "chat" or not chats:
            chats.append(f"c{number}")
            store.create_chat(chats[-1], text, NOON)
            continue
        chat = chance.choice(chats)
        messages = list(store.load(chat))
        if step == "add":
            status = chance.choice([Status.COMPLETE, Status.STREAMING])
            parent = chance.choice([None, *(message.id for message in messages)])
            store.add_message(chat, replace(said(text), parent=parent, status=status))
        elif step == "update" and messages:
            store.update_message(chat, replace(chance.choice(messages), content=text, status=Status.STOPPED))
        elif step == "rename":
            store.rename(chat, text)
        elif step == "remove" and messages:
            gone = store.remove_messages(chat, [chance.choice(messages).id])
            if chance.random() < 0.5:
                store.restore_messages(chat, gone)
        elif step == "delete":
            store.delete_chat(chat)
            store.restore_chat(chat)
        elif step == "restore":
            store.recover()
        elif step == "purge" and chance.random() < 0.2:
            store.purge_chat(chat)
            chats.remove(chat)
    while store.index_some():
        pass
    check(store)
    store.recover(now=NOON * 2)
    while store.index_some():
        pass
    check(store)
    for word in ("apple", "zazolc", "tieng", "ozbek", "中"):
        expected = {
            (chat, message.id)
            for chat in chats
            for message in store.load(chat)
            if message.status is not Status.STREAMING and is_in(parse(word), folded_words(message.content))
        }
        hits = store.search(word, limit=1000)
        assert {(hit.chat_id, hit.message_id) for hit in hits if hit.message_id} == expected
        assert all(hit.spans for hit in hits)
    store.close()


LETTERS = st.text(
    st.characters(codec="utf-8", max_codepoint=0x24F) | st.sampled_from("ừẫ Ўқʻ'’ßæ\u0301ﬁ中"), max_size=30
)


@settings(deadline=None, max_examples=300)
@given(LETTERS, LETTERS)
def test_any_query_is_harmless_and_what_is_found_is_marked(text: str, query: str) -> None:
    terms = parse(query)
    if terms and is_in(terms, folded_words(text)):
        assert spans_in(text, pattern_of(terms))


@settings(deadline=None, max_examples=100)
@given(
    st.text(st.characters(codec="utf-8"), max_size=40)
    | st.sampled_from(['"', '""', "a*", "NEAR(a b)", "a:b", "\x00"])
)
def test_any_query_can_be_asked(query: str) -> None:
    store = Store.in_memory()
    store.create_chat("one", query, NOON)
    assert bool(store.search(query)) == bool(parse(query))
    store.close()


def test_fts5_gets_nothing_but_folded_words(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "chats.db")
    store.create_chat("one", "a AND b", NOON)
    for query in ('a" OR "b', "a) OR (b", "{title}: a", "^a", "a + b", "NOT a"):
        store.search(query)
    store.close()
    with sqlite3.connect(tmp_path / "chats.db") as connection:
        assert connection.execute("SELECT folded FROM documents").fetchall() == [(" a and b ",)]
    connection.close()
