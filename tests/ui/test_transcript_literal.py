"""What a model wrote is shown: its line breaks, its formulas, and signs that Markdown would take for its own."""

from __future__ import annotations

import pytest
from rich.style import Style

from tui.core.blocks import BlockSplitter, split
from tui.ui.transcript.inline import mended, runs_of
from tui.ui.transcript.markdown import block_lines
from tui.ui.transcript.palette import RolePalette

PALETTE = RolePalette.plain()
MARKING = RolePalette(
    {
        "background": Style(),
        "foreground": Style(),
        "strong_code": Style(reverse=True),
        "link": Style(),
        "muted": Style(),
    }
)


def shown(text: str, width: int = 60) -> list[str]:
    lines = [line for block in split(text) for line in block_lines(block, width, PALETTE)]
    return ["".join(segment.text for segment in line).rstrip() for line in lines]


def inline(text: str, *, is_open: bool = False) -> str:
    """The text with code and formulas in «», and bold in <>."""
    said = ""
    for part, style in runs_of(text, MARKING, Style(), is_open):
        said += f"«{part}»" if style.reverse else f"<{part}>" if style.bold else part
    return said


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("Roses are red,\nViolets are blue,", ["Roses are red,", "Violets are blue,"]),
        ("Steps:\n• one\n• two", ["Steps:", "• one", "• two"]),
        ("- a\n  b\n- c", ["• a", "  b", "• c"]),
        ("> a\n> b\nc", ["│ a", "│ b", "│ c"]),
        ("1. > a\n   > b", ["1. │ a", "   │ b"]),
        ("**a\nb** *c\nd*", ["a", "b c", "d"]),
        ("`a\nb`", ["a", "b"]),
        ("[a\nb](c)", ["a", "b (c)"]),
        ("a  \nb\\\nc", ["a", "b", "c"]),
        ("a<br>\nb<br/>c", ["a", "b", "c"]),
        ("a\nb\n# c", ["a", "b", "", "c"]),
        ("a\nb\n===", ["a", "b"]),
        ("| a |\n|---|\n| b<br>c |", ["a", "─", "b", "c"]),
    ],
)
def test_a_line_break_that_was_written_is_one(text: str, lines: list[str]) -> None:
    assert shown(text) == lines


@pytest.mark.parametrize(
    "text",
    [
        r"snake_case, C:\Users\_temp\*.txt, 2*3*4",
        r"C:\Users\_a_\b and \\host\__all__\_x_",
        "a*b*c and width*height*depth and 2*(x+1)*(y)",
        "x**2 + y**2, 2**3**4",
        "__init__, __init__.py and __new_member__",
        r"\\server\_share\*.md and .\_venv\* and %APPDATA%\_x",
        r"C:\Program Files\_x\*.txt",
        "C:\\Users\\\nnext",
        r"foo\(bar and [^\]]+ and \{1,2\}",
        "costs $5 and $6, $a_1$, echo $$ or kill $$;",
        r"use \( and ) as \) here",
    ],
)
def test_signs_that_are_no_markup_stay(text: str) -> None:
    assert inline(text) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (r"a \(x_1*b*c\) d", r"a «\(x_1*b*c\)» d"),
        (r"**see \(a_1\) so** [l\(b_1\)](u)", r"<see >«\(a_1\)»< so> l«\(b_1\)» (u)"),
        (r"`\(a\)` $$a_1$$", r"«\(a\)» «$$a_1$$»"),
        (r"\[not a link\](u) \*so\* \_x\_ \# a", "[not a link](u) *so* _x_ # a"),
        ("**bold**text *Note*s 2*3", "<bold>text Notes 2*3"),
        (r"C:\a_b, **so** \*x\*", r"C:\a_b, <so> *x*"),
        (r"<http://a_b_c> \(x", r"http://a_b_c \(x"),
    ],
)
def test_formulas_are_set_apart_and_markup_is_markup(text: str, said: str) -> None:
    assert inline(text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (r"where \(a*b_i* c", r"where «\(a*b_i* c»"),
        (r"**see \(a*b", r"<see> «\(a*b»"),
        (r"is $$a_1 + b_", "is «$$a_1 + b_»"),
        ("echo $$ > /tmp/a_b and then some more", "echo $$ > /tmp/a_b and then some more"),
        (r"\(a*b\) and `co", r"«\(a*b\)» and «co»"),
        ("2*3", "2*3"),
        ("2*3*4 and **bo", "2*3*4 and <bo>"),
    ],
)
def test_an_unfinished_formula_is_shown_as_one(text: str, said: str) -> None:
    assert inline(text, is_open=True) == said


def test_a_star_that_multiplies_is_not_closed() -> None:
    assert mended("a*b") == "a*b"
    assert mended("x**2") == "x**2"
    assert mended("a *b") == "a *b*"


def test_formulas_in_headings_and_cells() -> None:
    assert shown("# The \\(a_i*b*c\\) case") == ["The \\(a_i*b*c\\) case"]
    assert shown("| a | b |\n|---|---|\n| \\(|x|\\) | \\(a_1*b*c\\) |")[2] == "\\(|x|\\) │ \\(a_1*b*c\\)"


def test_a_formula_block_has_a_bar_and_a_number_and_is_cut_not_wrapped() -> None:
    lines = shown("\\[\nf &= \\{1,2\\} \\\\\n- " + "x" * 60 + "\n\\]", 30)
    assert lines[0] == "   │ \\[" + " " * 18 + " [1]".rjust(5)
    assert lines[1] == "   │ f &= \\{1,2\\} \\\\"
    assert lines[2] == "   │ - " + "x" * 22 + "→"


def test_half_a_sign_that_begins_a_formula_is_not_shown_yet() -> None:
    for half in ("\\", "$", "$$", "\\beg"):
        splitter = BlockSplitter()
        splitter.feed(f"So:\n{half}")
        assert [block.text for block in splitter.tail] == ["So:"]
