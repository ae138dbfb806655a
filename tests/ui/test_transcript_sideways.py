"""Lines that are never wrapped go sideways: code, formulas and tables, by the block and no further than to their ends."""

from __future__ import annotations

import re

import pytest
from rich.segment import Segment
from rich.style import Style

from tests.support.canned_servers import ollama_answer
from tests.support.walk import answered, walked
from tui.core.codeblocks import code_blocks
from tui.ui.transcript.entry import Entry, Heading, Tone
from tui.ui.transcript.layout import TranscriptLayout
from tui.ui.transcript.line_position import LinePosition
from tui.ui.transcript.palette import RolePalette
from tui.ui.transcript.prose import shifted
from tui.ui.transcript.search_highlight import SearchHighlight

LONG = "".join(f"{number:04}" for number in range(30))
ROW = "| " + " | ".join(f"column{number:02}" for number in range(12)) + " |\n"
TEXT = f"Prose that stays.\n\n```sh\nshort\n{LONG}\n```\n\n```\nfits\n```\n\n{ROW}{'|---' * 12}|\n{ROW}\n\\[\n{LONG}\n\\]"


def document(text: str, width: int = 40) -> TranscriptLayout:
    made = TranscriptLayout(RolePalette.plain(), "Ctrl+O")
    made.set_width(width, LinePosition())
    made.show([Entry("a", Heading("", Tone.MODEL), text)])
    return made


def shown(made: TranscriptLayout) -> list[str]:
    return ["".join(segment.text for segment in line).rstrip() for line in made.window(LinePosition(), 1000)]


@pytest.mark.parametrize(
    ("parts", "cells", "left"),
    [
        (["abcdef"], 0, "abcdef"),
        (["abcdef"], 2, "←def"),
        (["ab", "cd", "ef"], 3, "←ef"),
        (["ab"], 5, "←"),
        ([], 5, ""),
        (["中文排版"], 2, "← 排版"),
        (["a中b"], 1, "← b"),
    ],
)
def test_a_line_without_its_beginning(parts: list[str], cells: int, left: str) -> None:
    line = [Segment(part, Style()) for part in parts]
    assert "".join(segment.text for segment in shifted(line, cells, "←", Style())) == left


def test_what_is_too_wide_moves_to_its_end_and_back() -> None:
    made = document(TEXT)
    before = shown(made)
    assert made.is_too_wide("a", None)
    assert any(line.startswith("   │ 00000001") and line.endswith("→") for line in before)
    assert made.move_sideways("a", None, 20) is True
    middle = shown(made)
    assert len(middle) == len(before), "nothing is ever wrapped"
    assert "Prose that stays." in middle
    assert any(line.startswith("   │ fits") for line in middle), "what fits stays"
    assert sum(line.startswith("   │ ←") and line.endswith("→") for line in middle) == 2
    assert any(line.startswith("←") and line.endswith("→") for line in middle), "the table goes too"
    while made.move_sideways("a", None, 20):
        pass
    ends = shown(made)
    assert sum(line.endswith("0029") for line in ends) == 2
    assert not any(line.endswith("→") for line in ends)
    assert made.move_sideways("a", None, 20) is False
    while made.move_sideways("a", None, -20):
        pass
    assert shown(made) == before
    assert made.move_sideways("a", None, -1) is False


def test_a_block_moves_alone_and_its_copy_is_whole() -> None:
    made = document(TEXT)
    assert made.move_sideways("a", 1, 8) is True
    assert sum("←" in line for line in shown(made)) == 2  # its two lines
    assert made.move_sideways("a", 2, 8) is None
    assert not made.is_too_wide("a", 2)
    assert [block.text for block in code_blocks(TEXT)] == [f"short\n{LONG}", "fits", f"\\[\n{LONG}\n\\]"]


def test_the_parts_of_a_long_block_move_together_and_stay_where_they_are_while_it_grows() -> None:
    made = document("```\n" + "x\n" * 60 + LONG + "\n")
    made.move_sideways("a", None, 4)
    made.rendered("a").append("y\n" * 60 + "```\n", "")
    lines = shown(made)
    assert len(lines) == 121
    assert all(line.startswith("   │ ←") for line in lines)
    assert sum(line.startswith("   │ ←001") for line in lines) == 1


def test_another_width_shows_the_beginnings_again() -> None:
    made = document(TEXT)
    made.move_sideways("a", None, 20)
    made.set_width(200, LinePosition())
    assert not made.is_too_wide("a", None)
    assert not any("←" in line for line in shown(made))
    assert made.move_sideways("a", None, 20) is None


async def test_the_keys_move_it_and_say_where_it_ends() -> None:
    long = "0123456789" * 9 + "the end"
    async with walked(ollama_answer(f"So:\n\n```sh\n{long}\n```\n"), ollama_answer("Short.")) as (driver, _):
        await answered(driver, "One?", "So:")
        await driver.see("678→")
        await driver.press("shift+tab")
        await driver.see(r"1 code block · Shift\+→ sideways")
        await driver.press("shift+left")
        await driver.see("This is where the lines begin")
        await driver.press("shift+right")
        await driver.see(r"│ ←.*the end +\[1\]")
        await driver.press("shift+right")
        await driver.see("This is where the longest line ends")
        await driver.press("shift+left")
        await driver.see(r"│ 0123456789")
        await driver.press("escape")
        await answered(driver, "Two?", "Short")
        await driver.press("shift+tab", "shift+right")
        await driver.see("Nothing here is wider than the screen")


def test_what_a_search_has_found_beyond_the_edge_of_code_is_moved_into_sight() -> None:
    made = document(TEXT)
    found = SearchHighlight(made)
    found.show("a", re.compile("0021"))
    place = found.take_pending_line()
    assert place is not None
    assert "0021" in "".join(segment.text for segment in made.window(place, 1)[0])
    found.show("a", re.compile("0001"))
    place = found.take_pending_line()
    assert place is not None
    assert "0001" in "".join(segment.text for segment in made.window(place, 1)[0])
