"""How blocks look as lines: wrapping, tables, code, lists, and that no line is ever wider than it may be."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.style import Style

from tui.core.blocks import split
from tui.ui.transcript.entry import EntryNotice, Heading, Tone
from tui.ui.transcript.heading import heading_line, notice_lines
from tui.ui.transcript.inline import mended, runs_of
from tui.ui.transcript.markdown import block_lines
from tui.ui.transcript.palette import RolePalette
from tui.ui.transcript.prose import Line, steady, width_of, wrap

PALETTE = RolePalette.plain()


def shown(text: str, width: int = 40) -> list[str]:
    lines = [line for block in split(text) for line in block_lines(block, width, PALETTE)]
    return ["".join(segment.text for segment in line).rstrip() for line in lines]


def wrapped(text: str, width: int) -> list[str]:
    return [text[start:stop] for start, stop in wrap(text, width)]


def styles_of(line: Line) -> dict[str, Style]:
    return {segment.text: segment.style or Style.null() for segment in line}


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("one two three", 7, ["one two", "three"]),
        ("one  two", 3, ["one", "two"]),
        ("a\n\nb", 5, ["a", "", "b"]),
        ("  kept indent", 20, ["  kept indent"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("x abcdefghij", 4, ["x", "abcd", "efgh", "ij"]),
        ("съешь ещё этих", 9, ["съешь ещё", "этих"]),
        ("中文排版。好", 8, ["中文排", "版。好"]),
        ("Tiếng Việt đẹp", 10, ["Tiếng Việt", "đẹp"]),
        ("a\u00a0b c", 3, ["a\u00a0b", "c"]),
        ("", 5, [""]),
    ],
)
def test_wrapping(text: str, width: int, lines: list[str]) -> None:
    assert wrapped(text, width) == lines


@given(
    st.text(alphabet="ab \n中。（e\u0301\U0001f469\u200d\U0001f467\U0001f3fdЖ", max_size=80),
    st.integers(2, 30),
)
@settings(max_examples=200, deadline=None)
def test_wrapped_lines_fit_and_lose_only_blanks(text: str, width: int) -> None:
    text = steady(text)
    lines = wrapped(text, width)
    assert "".join(lines).replace(" ", "") == text.replace("\n", "").replace(" ", "")
    for block in split(text, markdown=False):
        assert all(width_of(line) <= width for line in block_lines(block, width, PALETTE))


def test_emphasis_code_and_links() -> None:
    runs = runs_of("a **b** *c* ~~d~~ `e` [f](http://g.h) ![i](j.png) <k> &amp; [m]", PALETTE, PALETTE.base)
    assert "".join(text for text, _ in runs) == "a b c d e f (http://g.h) i (j.png) <k> & [m]"
    style = dict(runs)
    assert style["b"].bold
    assert style["c"].italic
    assert style["d"].strike
    assert style["e"] == PALETTE.ink("strong_code")
    assert style["f"].underline
    assert style[" (http://g.h)"] == PALETTE.ink("muted")


def test_a_link_that_says_where_it_leads_says_it_once() -> None:
    assert "".join(
        text for text, _ in runs_of("[http://a.b](http://a.b/) <http://c.d>", PALETTE, PALETTE.base)
    ) == ("http://a.b http://c.d")


def test_no_terminal_link_is_ever_made() -> None:
    runs = runs_of("[click](javascript:x) http://a.b", PALETTE, PALETTE.base)
    assert all(style.link is None for _, style in runs)
    assert "(javascript:x)" in "".join(text for text, _ in runs)


@pytest.mark.parametrize(
    ("half", "whole"),
    [
        ("**bo", "**bo**"),
        ("**bold*", "**bold**"),
        ("**bold**", "**bold**"),
        ("a `co", "a `co`"),
        ("a `", "a "),
        ("**b *it", "**b *it***"),
        ("[name](http://ha", "name"),
        ("snake_case_x", "snake_case_x"),
        ("2 * 3", "2 * 3"),
        ("plain", "plain"),
    ],
)
def test_half_markup_is_mended(half: str, whole: str) -> None:
    assert mended(half) == whole


def test_lists_hang_and_nest() -> None:
    text = "1. one two three four\n   - nested item that is long\n2. two\n- [x] done"
    assert shown(text, 24) == [
        "1. one two three four",
        "   • nested item that is",
        "     long",
        "2. two",
        "[x] done",
    ]


def test_code_has_a_bar_and_a_number_and_is_cut_not_wrapped() -> None:
    lines = shown("text\n```python\nx = 1\n" + "y" * 60 + "\n```")
    assert lines == ["text", "", "   │ x = 1" + " " * 27 + "[1]", "   │ " + "y" * 34 + "→"]


def test_code_in_an_item_stands_under_its_text() -> None:
    assert shown("1. Check with\n   ```\n   ls\n   ```")[2] == "   │ ls" + " " * 30 + "[1]"


def test_code_is_coloured_by_role() -> None:
    palette = RolePalette(
        {**{role: Style() for role in ROLES}, "keyword": Style(bold=True), "comment": Style(dim=True)}
    )
    (line,) = block_lines(split("```python\nreturn 1  # one\n```")[0], 60, palette)
    assert styles_of(line)["return"].bold
    assert styles_of(line)["# one"].dim


def test_a_string_that_began_in_an_earlier_part_is_still_one() -> None:
    code = '"""\n' + "words\n" * 60 + '"""\nreturn 1'
    palette = RolePalette(
        {**{role: Style() for role in ROLES}, "string": Style(italic=True), "keyword": Style(bold=True)}
    )
    lines = [line for block in split(f"```python\n{code}\n```") for line in block_lines(block, 60, palette)]
    assert all(styles_of(line)["words"].italic for line in lines[1:61])
    assert styles_of(lines[-1])["return"].bold


def test_an_unknown_language_is_shown_plain() -> None:
    assert shown("```nosuchlanguage\nx\n```")[0].startswith("   │ x")


def test_a_table_is_aligned_under_its_header() -> None:
    assert shown("| name | size |\n|---|--:|\n| a | 12 |\n| long name | 3 |") == [
        "name      │ size",
        "──────────┼─────",
        "a         │   12",
        "long name │    3",
    ]


def test_a_wide_table_wraps_its_widest_column() -> None:
    lines = shown("| k | text |\n|---|---|\n| a | " + "word " * 12 + "|", 30)
    assert lines[0].startswith("k │ text")
    assert len(lines) == 5
    assert all(len(line) <= 30 for line in lines)


def test_later_rows_keep_the_columns_of_the_first_part() -> None:
    rows = "".join(f"| {n} | v |\n" for n in range(60)) + "| 60 | a much wider value than before |\n"
    lines = shown("| n | v |\n|---|---|\n" + rows)
    assert {line.index("│") for line in lines if "│" in line} == {3}


def test_a_line_break_in_a_cell_is_one() -> None:
    assert shown("| a | b |\n|---|---|\n| one<br>two | x |")[2:] == ["one │ x", "two │"]


def test_a_table_with_more_columns_than_cells_is_cut() -> None:
    row = "| " + " | ".join(["abcdefgh"] * 12) + " |\n"
    lines = shown(row + "|---" * 12 + "|\n" + row)
    assert all(len(line) <= 40 for line in lines)
    assert lines[0].endswith("→")


def test_quotes_have_a_bar_in_their_empty_lines_too() -> None:
    assert shown("> a\n>\n> b") == ["│ a", "│", "│ b"]


def test_prose_is_set_to_a_measure_and_code_is_not() -> None:
    lines = shown("word " * 60 + "\n```\n" + "x" * 140 + "\n```", 150)
    assert max(len(line) for line in lines[:3]) <= 100
    assert len(lines[-1]) == 150


def test_markup_of_rich_is_plain_text() -> None:
    assert shown("[bold]x[/bold] [red]") == ["[bold]x[/bold] [red]"]


def test_joiners_the_emoji_sign_and_skin_tones_go() -> None:
    assert steady("a\x1b[31m\tb\x07") == "a[31m   b"
    assert steady("ж\u202e\u2066\x9b31m\n") == "ж31m\n"
    assert steady("\u2764\ufe0f \U0001f44d\U0001f3fd a\u200db\t.") == "\u2764 \U0001f44d ab  ."


@pytest.mark.parametrize("width", [1, 2, 5, 10, 20, 40, 79, 200])
def test_the_heading_takes_exactly_the_width(width: int) -> None:
    heading = Heading("модель-с-именем:7b", Tone.MODEL, "technical", "answering  41 tok/s")
    line = heading_line(heading, width, PALETTE)
    assert width_of(line) == max(width, 5), "less than a rule and one sign is never drawn"


def test_the_heading_as_drawn() -> None:
    heading = Heading("llama3.2:3b", Tone.MODEL, "technical", "41 tok/s")
    text = "".join(segment.text for segment in heading_line(heading, 50, PALETTE))
    assert text == "── llama3.2:3b · technical ──────────── 41 tok/s ─"


def test_a_notice_has_its_tone_in_the_first_line() -> None:
    first, second = notice_lines(EntryNotice("Refused\nAsk again", Tone.ERROR), 40, PALETTE)
    assert first[0].style == PALETTE.ink("error")
    assert second[0].style == PALETTE.base


@given(
    st.lists(st.sampled_from(["- ", "1. ", "> ", "```\n", "\n", "| a | b |\n|--|--|\n", "word ", "中文", "# ", "x" * 30, "\t", "**", "`", "$$", "\\[", "\\]\n", "\\(a*b", "\\)", "C:\\_"]), max_size=25).map("".join),
    st.integers(1, 60),
)  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_no_line_is_wider_than_asked_for(text: str, width: int) -> None:
    for block in split(text):
        for line in block_lines(block, width, PALETTE):
            assert width_of(line) <= max(width, 8)


ROLES = (
    "background", "foreground", "accent", "second", "muted", "rule", "warning", "error", "success", "heading",
    "strong_code", "link", "quote", "cursor_line", "selection", "keyword", "string", "number", "comment", "name",
    "type", "operator", "punctuation",
)  # fmt: skip
