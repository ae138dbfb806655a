"""Finding what the terminal can scroll by itself."""

from __future__ import annotations

from tui.ui.terminal.cells import UNKNOWN, CellRow
from tui.ui.terminal.scroll import Shift, find_shift
from tui.ui.terminal.sgr import DEFAULT_PEN

WIDTH = 60
LINES = [f"{n}: " + "the quick brown fox jumps over the lazy dog "[n % 9 :] for n in range(100)]


def rows(texts: list[str]) -> list[CellRow]:
    return [CellRow.of([(text, DEFAULT_PEN)], WIDTH) for text in texts]


def test_lines_that_went_up_and_down() -> None:
    before = rows(["head", *LINES[10:30], "", "foot"])
    assert find_shift(before, rows(["head", *LINES[13:33], "", "foot"])) == Shift(1, 20, 3)
    assert find_shift(before, rows(["head", *LINES[8:28], "", "foot"])) == Shift(1, 20, -2)


def test_the_last_line_may_grow_while_it_moves() -> None:
    before = rows([*LINES[:20], "The upst"])
    after = rows([*LINES[1:20], "The upstream is still starting. Check with", "the next"])
    assert find_shift(before, after) == Shift(0, 20, 1)


def test_a_scrollbar_or_a_list_beside_the_text_does_not_hide_the_shift() -> None:
    def beside(lines: list[str], thumb: int) -> list[CellRow]:
        return rows(
            [
                f"item {y:<8}{line[: WIDTH - 16]:<{WIDTH - 15}}{'█' if y == thumb else '│'}"
                for y, line in enumerate(lines)
            ]
        )

    assert find_shift(beside(LINES[0:30], 3), beside(LINES[2:32], 4)) == Shift(0, 29, 2)


def test_nothing_is_scrolled_that_does_not_pay() -> None:
    assert find_shift(rows(LINES[:20]), rows(LINES[:20])) is None
    assert find_shift(rows(LINES[:20]), rows([f"{n * 7919 % 1000}" * 15 for n in range(20)])) is None
    assert find_shift(rows(["a", "b", "c"]), rows(["b", "c", "d"])) is None
    assert find_shift(rows([*LINES[:9], "x"]), rows([*LINES[:9], "y"])) is None


def test_rows_that_came_in_are_not_known() -> None:
    before = rows(LINES[:5])
    assert [row.glyphs[0] == UNKNOWN for row in Shift(1, 3, 1).applied(before)] == [
        False,
        False,
        False,
        True,
        False,
    ]
    assert [row.glyphs[0] == UNKNOWN for row in Shift(0, 4, -2).applied(before)] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert Shift(1, 3, 1).applied(before)[1] == before[2]
