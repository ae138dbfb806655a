"""Pens and the way from one to the next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.emulator import Terminal
from tui.ui.terminal.sgr import DEFAULT_PEN, RESET, Pen, UnknownSgr, blank_pen, pen_from, transition

ATTRIBUTES = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "21", "51", "52", "53")
colours = st.sampled_from(("", "31", "97", "38;5;200", "38;2;1;2;3"))
backgrounds = st.sampled_from(("", "41", "107", "48;5;200", "48;2;1;2;3"))
parameters = st.tuples(st.lists(st.sampled_from(ATTRIBUTES), unique=True), colours, backgrounds).map(
    lambda parts: ";".join(part for part in (*parts[0], *parts[1:]) if part)
)
links = st.sampled_from(("", "https://a.example/", "https://b.example/"))


def drawn(sequences: str) -> tuple[str, str, frozenset[str], str]:
    terminal = Terminal(2, 1)
    terminal.feed(f"\x1b[H{sequences}X")
    return terminal.cells()[0][0][1:]


@given(st.one_of(st.none(), st.tuples(parameters, links)), parameters, links)
def test_a_transition_is_as_good_as_starting_anew(
    before: tuple[str, str] | None, sgr: str, link: str
) -> None:
    start = transition(None, pen_from(*before)) if before else "\x1b[1;3;7;9;53;41m"
    step = transition(pen_from(*before) if before else None, pen_from(sgr, link))
    anew = f"\x1b[0m\x1b[{sgr}m" if sgr else RESET
    # The link is set the plain way, with no id.
    assert drawn(start + step) == drawn(f"{anew}\x1b]8;;{link}\x1b\\")


@given(parameters, parameters)
def test_a_transition_is_never_longer_than_starting_anew(before: str, after: str) -> None:
    assert len(transition(pen_from(before), pen_from(after))) <= len(transition(None, pen_from(after)))


def test_short_ways() -> None:
    plain, bold = pen_from("38;2;1;2;3;48;2;9;9;9"), pen_from("1;38;2;1;2;3;48;2;9;9;9")
    assert transition(plain, bold) == "\x1b[1m"
    assert transition(bold, plain) == "\x1b[22m"
    assert transition(pen_from("1;2;31"), pen_from("2;31")) == "\x1b[22;2m"
    assert transition(plain, DEFAULT_PEN) == RESET
    assert transition(plain, plain) == ""


def test_a_pen_is_read_from_what_textual_would_send() -> None:
    assert pen_from("") == DEFAULT_PEN
    assert pen_from("1;4;38;5;7;44") == Pen("38;5;7", "44", 1 | 8)
    assert pen_from("31;39;41;49") == DEFAULT_PEN


@pytest.mark.parametrize("sgr", ["38", "38;7;1", "38;2;1;2", "1x", "10", "58;5;1", "999"])
def test_what_no_pen_can_hold_is_refused(sgr: str) -> None:
    with pytest.raises(UnknownSgr):
        pen_from(sgr)


def test_a_link_that_could_end_its_own_sequence_is_left_out() -> None:
    assert pen_from("", "https://a.example/\x1b\\\x1b[2J").link == ""
    assert pen_from("", "https://a.example/\x07").link == ""


def test_blanks_that_look_alike_are_alike() -> None:
    assert blank_pen(pen_from("1;3;31;44")) == blank_pen(pen_from("2;32;44"))
    assert blank_pen(pen_from("4;31;44")) != blank_pen(pen_from("4;32;44"))
    assert blank_pen(pen_from("7;31")) != blank_pen(pen_from("31"))
