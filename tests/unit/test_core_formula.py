"""Formulas are blocks and spans of their own, and what only looks like one stays text."""

from __future__ import annotations

import pytest

from tui.core.block import LIMIT, Block, Kind
from tui.core.blocklines import split_row
from tui.core.blocks import BlockSplitter, split
from tui.core.codeblocks import code_blocks, suffix_of
from tui.core.formula import LINES, spans


def kinds(text: str) -> list[str]:
    return [block.kind.value for block in split(text) if block.kind is not Kind.BLANK]


def formulas(text: str) -> list[str]:
    return [block.text for block in split(text) if block.kind is Kind.FORMULA]


def a_character_at_a_time(text: str) -> list[Block]:
    splitter = BlockSplitter()
    blocks = [block for character in text for block in splitter.feed(character)]
    return blocks + splitter.close()


WHOLE = [
    r"\[ f &= \{1,2\} \\ \]",
    "\\[\nx_{1,2} = *a* \\\\\n- b\n+ c\n1. d\n\\]",
    "$$\n- a_i\n+ b_i\n=\n$$",
    "$$\\begin{aligned}\na &= b \\\\\n- c\n\\end{aligned}$$",
    "\\begin{align*}\na &= b \\\\[2pt]\n\n- c\n\\end{align*}",
    "\\begin{cases}{l}\n\\begin{cases}\n- a\n\\end{cases}\n- b\n\\end{cases}",
    "$$\n\na = b\n\n- c\n$$",
    "$$x^2$$.",
    "$$\n" + "- a &= b \\\\\n" * (LINES * 3) + "$$",
]


@pytest.mark.parametrize("text", WHOLE)
@pytest.mark.parametrize("before", ["", "Text:\n", "# Title\n", "| a |\n|---|\n| 1 |\n\n"])
def test_a_formula_is_a_block_and_copied_exactly(text: str, before: str) -> None:
    whole = f"{before}{text}\n\nafter *it*"
    found = formulas(whole)
    assert "\n".join(found) == text
    assert kinds(whole)[-1] == "paragraph"
    assert [block.text for block in code_blocks(whole)] == [text]
    assert a_character_at_a_time(whole) == split(whole)


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("1. so:\n   \\[\n   a\n   - b\n   \\]\n2. next", "\\[\na\n- b\n\\]"),
        ("1. so:\n   \\[\n- b\n   \\]\n2. next", "\\[\n- b\n\\]"),
        ("> $$\n> - a\n>\n> + b\n> $$\n> after", "$$\n- a\n\n+ b\n$$"),
        ("- > \\begin{a}\n  > - x\n  > \\end{a}", "\\begin{a}\n- x\n\\end{a}"),
    ],
)
def test_a_formula_in_a_list_or_quote_is_copied_without_its_marks(text: str, formula: str) -> None:
    assert formulas(text) == [formula]
    assert [block.text for block in code_blocks(text)] == [formula]
    assert a_character_at_a_time(text) == split(text)


def test_a_formula_leaves_a_list_that_it_does_not_stand_in() -> None:
    blocks = split("1. so\n\\[\n- x\n\\]\n2. on")
    assert [(block.kind.value, block.text) for block in blocks] == [
        ("paragraph", "so"),
        ("formula", "\\[\n- x\n\\]"),
        ("paragraph", "on"),
    ]
    assert [len(block.holders) for block in blocks] == [1, 0, 1]


def test_text_before_and_behind_a_formula_of_several_lines_stays_text() -> None:
    text = "We have: $$\\begin{cases}\n- 1 \\\\\n+ 2\n\\end{cases}$$ where it ends.\nOn."
    assert [(block.kind.value, block.text) for block in split(text)] == [
        ("paragraph", "We have:"),
        ("formula", "$$\\begin{cases}\n- 1 \\\\\n+ 2\n\\end{cases}$$"),
        ("paragraph", "where it ends.\nOn."),
    ]
    assert "".join(block.source for block in split(text)) == text
    assert code_blocks(text)[0].text == "$$\\begin{cases}\n- 1 \\\\\n+ 2\n\\end{cases}$$"


@pytest.mark.parametrize(
    "text",
    [
        "Run echo $$\n- one\n- kill $$\n",
        "echo $$\necho $$",
        "echo $$ > /tmp/my_pid\nkill $$",
        "$$ is the PID.\n- one\n\n# Next",
        "$$\n: the pid\n\n# Next\n\ntext",
        "\\[a-z is a bad range\n- one",
        "\\begin{itemize} is how a list begins\n- one",
        "Restaurants: $$ and $$$\n- one",
        "Use grep \\[0-9 to find\n- things",
        "$5\n- one",
        "$\nx\n$",
        "\\[\n```sh\nls\n```\n",
        "$$$\n- a",
    ],
)
def test_what_never_ends_or_reads_as_words_is_text(text: str) -> None:
    assert formulas(text) == []
    assert "".join(block.source for block in split(text)) == text
    assert a_character_at_a_time(text) == split(text)


def test_what_was_taken_for_a_formula_is_split_as_if_it_had_never_been_one() -> None:
    text = "$$\n- one\n- two\n\n## Title"
    assert kinds(text) == ["paragraph", "paragraph", "paragraph", "heading"]
    assert [block.holders[0].marker for block in split(text) if block.holders] == ["-", "-"]


@pytest.mark.parametrize(
    "text", ["\\[\na_1 \\\\\n- b", "$$ \\frac{a_1}{b", "\\begin{align}\n- a", "so \\[ x\n- b"]
)
def test_a_formula_that_was_cut_off_stays_one(text: str) -> None:
    assert formulas(text)
    splitter = BlockSplitter()
    splitter.feed(text)
    assert [block.text for block in splitter.tail if block.kind is Kind.FORMULA] == formulas(text)
    assert splitter.tail[-1].open


@pytest.mark.parametrize(
    "line", ["$$\n", "\\[\n\n", "\\[ x\n", "so $$\\frac\n", "\\begin{a}\n- \n", "$$\n\n"]
)
def test_the_open_end_stays_short_where_nothing_ever_ends(line: str) -> None:
    splitter, text = BlockSplitter(), line * (30_000 // len(line))
    most = 0
    blocks = []
    for start in range(0, len(text), 97):
        blocks += splitter.feed(text[start : start + 97])
        most = max(most, sum(len(block.source) for block in splitter.tail))
    blocks += splitter.close()
    assert most <= 3 * LIMIT
    assert "".join(block.source for block in blocks) == text
    assert blocks == split(text)


def test_blocks_of_code_and_formulas_are_numbered_together() -> None:
    text = "```py\nx\n```\n\\[ y \\]\n```\nz\n```"
    assert [(block.number, block.text) for block in code_blocks(text)] == [
        (1, "x"),
        (2, "\\[ y \\]"),
        (3, "z"),
    ]
    assert suffix_of(code_blocks(text)[1].info) == "tex"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (r"a \(x_1\) b", [r"\(x_1\)"]),
        (r"\(a\) and \[b\] and $$c$$", [r"\(a\)", r"\[b\]", "$$c$$"]),
        (r"`\(a\)` and \(b\)", [r"\(b\)"]),
        ("kill $$; `$$a$$`", []),
        ("$5 and $6, $a$", []),
        ("echo $$; kill $$", []),
        (r"escape ( as \( and ) as \)", []),
        (r"\(\d+\)", [r"\(\d+\)"]),
        (r"$$\text{the way} \$5$$", [r"$$\text{the way} \$5$$"]),
        (r"so \begin{pmatrix} a \\ b \end{pmatrix}.", [r"\begin{pmatrix} a \\ b \end{pmatrix}"]),
        ("\\(" * 2000, []),
    ],
)
def test_formulas_inside_a_paragraph(text: str, found: list[str]) -> None:
    assert [text[start:stop] for start, stop in spans(text)[0].items()] == found


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        (r"| \(|x|\) | $$a|b$$ |", [r"\(|x|\)", "$$a|b$$"]),
        (r"| \(\|x\|\) | b |", [r"\(\|x\|\)", "b"]),
        (r"| \( | ( | \) | ) |", [r"\(", "(", r"\)", ")"]),
        (r"| `\(` | a\|b |", [r"`\(`", "a|b"]),
    ],
)
def test_a_bar_in_a_formula_parts_no_cells(row: str, cells: list[str]) -> None:
    assert split_row(row) == cells
