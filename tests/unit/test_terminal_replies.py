"""Late answers of the terminal never look typed."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tui.ui.terminal.replies import LateReplies

COLOUR = "\x1b]11;rgb:1e1e/2e2e/3e3e\x1b\\"
COLOUR_BEL = "\x1b]11;rgba:1e1e/2e2e/3e3e/ffff\x07"
ATTRIBUTES = "\x1b[?62;22c"
typed = st.text(alphabet="aж1;c]?\r", max_size=5)


def fed(pieces: list[str]) -> str:
    replies = LateReplies()
    return "".join(replies.without(piece) for piece in pieces) + replies.released()


@given(typed, typed, typed, st.sampled_from([COLOUR, COLOUR_BEL]), st.lists(st.integers(0, 60), max_size=6))
def test_only_the_answers_go_however_they_are_cut(
    before: str, between: str, after: str, colour: str, cuts: list[int]
) -> None:
    text = before + colour + between + ATTRIBUTES + after
    edges = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    pieces = [text[start:stop] for start, stop in pairwise(edges)]
    assert fed(pieces) == before + between + after


def test_keys_come_through() -> None:
    keys = "\x1b[A\x1bOP\x1b[1;5C\x1b[<0;3;4M\x1b[200~text\x1b[201~\x1b[?2026;2$y\x1b"
    assert fed([keys]) == keys
    assert fed(list(keys)) == keys


def test_an_escape_key_is_held_until_nothing_follows() -> None:
    replies = LateReplies()
    assert replies.without("\x1b") == ""
    assert replies.released() == "\x1b"
    assert replies.released() == ""


def test_after_the_last_answer_nothing_is_touched() -> None:
    replies = LateReplies()
    assert replies.without(ATTRIBUTES) == ""
    assert replies.without("\x1b") == "\x1b"
    assert replies.without(COLOUR) == COLOUR
