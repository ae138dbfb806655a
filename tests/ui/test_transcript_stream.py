"""A growing text as pieces: a long one is the same pieces, whether they are kept or split anew."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.sample import MARKDOWN
from tui.core.blocks import Block, Kind, split
from tui.ui.transcript.stream import KEPT_PORTIONS, PORTION, Stream

MARKS = ("\n", "\n", "\n\n", "- ", "1. ", "  ", "> ", "```", "```py\n", "# ", "| a | b |\n|--|--|\n", "| c |\n", "word " * 9,
         "**", "`", "中文", "===\n", "x" * 90, "y" * 5000, "$$\n", "\\[", "\\]\n", "\\frac")  # fmt: skip


def long_text(seed: int, size: int) -> str:
    chance = random.Random(seed)
    text = ""
    while len(text) < size:
        text += "".join(chance.choice(MARKS) for _ in range(200))
    return text


def whole(text: str, *, markdown: bool = True) -> list[Block]:
    """The blocks of a text that is not split in portions."""
    return [replace(block, source="") for block in split(text, markdown) if block.kind is not Kind.BLANK]


def shown(stream: Stream, *, is_open: bool = False) -> list[Block]:
    return [stream.piece(at).block for at in range(stream.pieces(is_open))]


def grown(text: str, seed: int, *, markdown: bool = True, look: bool = True) -> Stream:
    """The text in uneven bits, looked at from the start."""
    chance, stream, at = random.Random(seed), Stream("", markdown), 0
    if look:
        assert stream.pieces(True) == 0
    while at < len(text):
        size = chance.choice((1, 4, 40, 700, 20_000))
        stream.append(text[at : at + size])
        at += size
    return stream


@given(st.integers(0, 10_000), st.booleans(), st.booleans())
@settings(max_examples=12, deadline=None)
def test_a_long_text_is_the_same_pieces_however_it_came(seed: int, markdown: bool, look: bool) -> None:
    text = long_text(seed, 4 * PORTION)
    stream = grown(text, seed, markdown=markdown, look=look)
    assert shown(stream) == whole(text, markdown=markdown)
    assert stream.text == text


@pytest.mark.parametrize("markdown", [True, False])
def test_pieces_that_are_not_kept_come_back_as_they_were(markdown: bool) -> None:
    text = long_text(1, (KEPT_PORTIONS + 8) * PORTION)
    stream = Stream(text, markdown)
    blocks = whole(text, markdown=markdown)
    assert stream.pieces(False) == len(blocks)
    chance = random.Random(2)
    for at in [0, len(blocks) - 1, *(chance.randrange(len(blocks)) for _ in range(300))]:
        assert stream.piece(at).block == blocks[at]
        assert stream.piece(at) is stream.piece(at)
    with pytest.raises(IndexError):
        stream.piece(len(blocks))


@pytest.mark.parametrize("size", [0, 10, 900, PORTION, 3 * PORTION + 5])
def test_a_text_goes_on_after_its_end(size: int) -> None:
    text, more = (MARKDOWN * 40)[:size], "\n\nand **more** of it\n" * 900
    stream = Stream(text, True)
    first = shown(stream)
    stream.append(more)
    assert shown(stream) == whole(text + more)
    assert shown(stream)[: len(first) // 2] == first[: len(first) // 2]
    assert stream.text == text + more


def test_what_stays_the_same_in_another_text_keeps_its_pieces() -> None:
    text = long_text(9, 3 * PORTION)
    stream = Stream(text, True)
    before = [stream.piece(at) for at in range(stream.pieces(False))]
    stream.replace(text[: len(text) // 2] + "\n\nanother end")
    after = [stream.piece(at) for at in range(stream.pieces(False))]
    same = [one is other for one, other in zip(before, after, strict=False)]
    assert sum(same) > len(after) * 0.9
    assert [piece.block for piece in after] == whole(stream.text)


def test_an_open_text_shows_its_end() -> None:
    stream = grown((MARKDOWN * 40)[: 2 * PORTION] + "\n```\n\n\n# done\n\nand **bo", 4)
    last = stream.piece(stream.pieces(True) - 1).block
    assert (last.text, last.open) == ("and **bo", True)
    assert stream.pieces(True) == stream.settled + 1
