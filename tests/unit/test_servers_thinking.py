"""Reasoning told from text by its tags."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.events import ReasoningDelta, TextDelta, TextWasReasoning
from tui.servers.thinking import Piece, ThinkSplitter


def split(text: str, cuts: list[int] | None = None) -> tuple[str, str]:
    """Reasoning and text when `text` comes in pieces that end at `cuts`."""
    splitter = ThinkSplitter()
    pieces: list[Piece] = []
    edges = [0, *sorted(cuts if cuts is not None else range(len(text))), len(text)]
    for start, end in pairwise(edges):
        pieces += splitter.feed(text[start:end])
    reasoning = said = ""
    for piece in [*pieces, *splitter.finish()]:
        match piece:
            case TextDelta(more):
                said += more
            case ReasoningDelta(more):
                reasoning += more
            case TextWasReasoning():
                reasoning, said = reasoning + said, ""
    return reasoning, said


@pytest.mark.parametrize(
    ("text", "reasoning", "said"),
    [
        ("", "", ""),
        ("plain", "", "plain"),
        ("  indented", "", "  indented"),
        ("<think>a</think>b", "a", "b"),
        ("\n <think>\na\n</think>\n\nb", "a", "b"),
        ("<think></think>b", "", "b"),
        ("<think>a</think><think>c</think>b", "ac", "b"),
        ("<think>a", "a", ""),
        ("<think>a</thi", "a</thi", ""),
        ("a</think>b", "a", "b"),
        ("a</think>\n\nb</think>c", "a", "b</think>c"),
        ("<thinking is hard", "", "<thinking is hard"),
        ("<", "", "<"),
        ("a < b and c </ d", "", "a < b and c </ d"),
        ("Write <think>x</think> so", "", "Write <think>x</think> so"),
        ("`</think>` ends it", "", "`</think>` ends it"),
        ("```\n</think>\n```", "", "```\n</think>\n```"),
        ("<think>a <think> b</think>c", "a <think> b", "c"),
    ],
)
def test_split(text: str, reasoning: str, said: str) -> None:
    for found in (split(text), split(text, [])):
        assert (found[0].strip(), found[1]) == (reasoning, said)


@given(
    st.lists(st.sampled_from(["<think>", "</think>", "<", "/", "th", "ink>", "`", "\n", " ", "слово"]), max_size=12).map("".join),
    st.lists(st.integers(0, 60), max_size=12),
)  # fmt: skip
def test_the_cut_changes_nothing_and_nothing_is_lost(text: str, cuts: list[int]) -> None:
    whole, cut = split(text, []), split(text, [at for at in cuts if at <= len(text)])
    assert [part.strip() for part in cut] == [part.strip() for part in whole]
    kept = "".join("".join(whole).split()).replace("<think>", "").replace("</think>", "")
    assert kept == "".join(text.split()).replace("<think>", "").replace("</think>", "")


def test_only_what_could_be_a_tag_is_held_back() -> None:
    splitter = ThinkSplitter()
    assert splitter.feed("a <") == [TextDelta("a ")]
    assert splitter.feed("b") == [TextDelta("<b")]
    assert splitter.feed(" </thin") == [TextDelta(" ")]
    assert splitter.finish() == [TextDelta("</thin")]


def test_endless_blanks_are_not_held_back_for_ever() -> None:
    assert ThinkSplitter().feed(" " * 2000) == [TextDelta(" " * 2000)]
