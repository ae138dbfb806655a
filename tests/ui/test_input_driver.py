"""What the terminal sends, as events: pastes whole, keys of all terminals, broken bytes, and late answers to questions."""

from __future__ import annotations

import os
import select

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from textual import events
from textual.message import Message

from tui.ui.compat import teach_keys
from tui.ui.terminal.driver import InputReader, _Outlet, _WakingEvent

PASTED = "первая строка\nzażółć 👍\x1b[31m\n[b]x[/b]"


@pytest.fixture(autouse=True, scope="module")
def _keys() -> None:
    teach_keys()


def heard(*pieces: bytes, silence: bool = True) -> list[tuple[str, str]]:
    """The events as (kind, what) for bytes that come in these pieces, then nothing for a while."""
    reader = InputReader()
    found: list[Message] = []
    for piece in pieces:
        found += reader.feed(piece)
    if silence:
        found += reader.silence()
    reader.close()
    shown = []
    for event in found:
        if isinstance(event, events.Key):
            shown.append(("key", event.key))
        elif isinstance(event, events.Paste):
            shown.append(("paste", event.text))
        else:
            shown.append(("other", type(event).__name__))
    return shown


def test_escape_is_held_back_for_one_silence_only() -> None:
    """Also before the terminal has answered lokal's questions, when an answer may start like this."""
    reader = InputReader()
    assert reader.feed(b"\x1b") == []
    assert [event.key for event in reader.silence() if isinstance(event, events.Key)] == ["escape"]
    assert not reader.pending
    reader.close()


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        (b"\x1b1", "alt+1"),
        (b"\x1b9", "alt+9"),
        (b"\x1b\r", "alt+enter"),
        (b"\x1b[13;2u", "shift+enter"),
        (b"\x1b[27;2;13~", "shift+\r"),
        (b"\n", "ctrl+j"),
        (b"\r", "enter"),
        (b"\x1b", "escape"),
        (b"\x1bOS", "f4"),
        (b"\x1b[17~", "f6"),
        (b"\x1b[5~", "pageup"),
        (b"\x1b[1;5H", "ctrl+home"),
        (b"\x14", "ctrl+t"),
        ("¡".encode(), "inverted_exclamation_mark"),
    ],
)
def test_one_key(sent: bytes, key: str) -> None:
    assert heard(sent) == [("key", key)]


def test_two_escapes_are_two() -> None:
    assert heard(b"\x1b\x1b") == [("key", "escape"), ("key", "escape")]


def test_a_paste_is_one_event_between_keys() -> None:
    sent = b"a\x1b[200~" + PASTED.encode() + b"\x1b[201~\r"
    assert heard(sent) == [("key", "a"), ("paste", PASTED), ("key", "enter")]
    assert heard(b"\x1b[200~\x1b[201~") == [("paste", "")]
    assert heard(b"\x1b[200~nul\x00byte\x1b[201~") == [("paste", "nulbyte")]


@given(st.lists(st.integers(0, 60), max_size=8))
@example([3])
@example([1, 2, 4])
@example([48])
def test_a_paste_torn_at_any_byte_is_the_same(cuts: list[int]) -> None:
    """The marks that start a paste and end it, and letters of several bytes, may be cut by the line."""
    sent = b"\x1b[200~" + PASTED.encode() + b"\x1b[201~b"
    places = sorted({min(cut, len(sent)) for cut in cuts})
    pieces = [sent[a:b] for a, b in zip([0, *places], [*places, len(sent)], strict=True)]
    assert heard(*pieces) == [("paste", PASTED), ("key", "b")]


def test_a_paste_of_megabytes_is_taken_in_one_piece() -> None:
    text = "строка текста\n" * 200_000
    sent = b"\x1b[200~" + text.encode() + b"\x1b[201~"
    pieces = [sent[start : start + 65536] for start in range(0, len(sent), 65536)]
    assert heard(*pieces) == [("paste", text)]


@given(st.binary(max_size=40))
def test_no_bytes_do_harm(data: bytes) -> None:
    """Whatever comes, the keys that come later are heard: an open paste is closed first."""
    reader = InputReader()
    reader.feed(data)
    reader.silence()
    reader.feed(b"\x1b[201~")
    reader.silence()
    keys = [event.key for event in reader.feed(b"z") if isinstance(event, events.Key)]
    reader.close()
    assert keys[-1:] == ["z"]


def test_broken_utf8_costs_only_itself() -> None:
    keys = [key for _, key in heard(b"a\xff\xc3(b")]
    assert keys[0] == "a"
    assert keys[-2:] == ["left_parenthesis", "b"]
    assert heard("ж".encode()[:1], "ж".encode()[1:] + b"!")[-1] == ("key", "exclamation_mark")


def test_answers_to_questions_are_not_typed() -> None:
    reader = InputReader()
    assert reader.feed(b"\x1b]11;rgb:1c1c/1c1c/1c1c\x1b\\\x1b[?62;22c") == []
    assert reader.background == (28, 28, 28)
    assert [type(event) for event in reader.feed(b"k")] == [events.Key]
    reader.close()
    assert heard(b"a\x1b]11;rgb:1c1c/1c", b"1c/1c1c\x1b", b"\\b\x1b[?6", b"2;22cc") == [
        ("key", key) for key in "abc"
    ]


def test_what_looks_like_an_answer_in_a_paste_is_kept() -> None:
    assert heard(b"\x1b[200~\x1b[?62;22c\x1b", b"[201~") == [("paste", "\x1b[?62;22c")]


def test_the_waking_event_wakes_a_waiting_select() -> None:
    event = _WakingEvent()
    assert not select.select([event.fd], [], [], 0)[0]
    event.set()
    assert event.is_set()
    assert select.select([event.fd], [], [], 0)[0]
    event.clear()
    assert not event.is_set()
    assert not select.select([event.fd], [], [], 0)[0]


def test_a_terminal_that_is_gone_takes_everything() -> None:
    master, slave = os.openpty()
    with os.fdopen(slave, "w") as file:
        outlet = _Outlet(file)
        assert outlet.isatty()
        assert outlet.fileno() == slave
        outlet.write("shown")
        outlet.flush()
        assert os.read(master, 100) == b"shown"
        os.close(master)
        for _ in range(3):
            outlet.write("lost" * 10_000)
            outlet.flush()
        # What the file still holds is not to be complained of when it is closed.
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, slave)
        os.close(quiet)
