"""Streamed Markdown splits into the same blocks however it is cut, and what stays open is bounded."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.core.block import LIMIT
from tui.core.blocks import Block, BlockSplitter, Holder, Kind, Splitter, VerbatimSplitter, split

ANSWER = """\
The usual causes:
1. The upstream is **starting**. Check with
   ```bash
   curl -i http://127.0.0.1

   echo done
   ```
2. Another port
  - nested, indented too little
  - second

     its second paragraph
1. numbered on

> quoted
> - item
>
> ```py
> a = 1
> ```
after

Intro to the table:
| a | b |
|---|:-:|
| 1 | `x\\|y` |
| 2 |

Title
=====
## Second ##
text
---
    indented

    more
end
- [ ] open
- [x] done
-

***
<div>
 *not italic*
</div>

~~~markdown
```python
x
```
~~~
"""

MARKS = st.sampled_from(
    [
        "\n", "\n\n", "- ", "1. ", "  ", "    ", "> ", "```", "```py\n", "~~~\n", "# ", "| a | b |\n", "|--|--|\n", "===\n",
        "---\n", "***", "word ", "<div>\n", "\t", "é", "中", "[ ] ", "`", "**", "*\n", "2) ", "````\n", "\r\n",
        "$$", "$$\n", "\\[", "\\[\n", "\\]", "\\]\n", "\\(", "\\begin{a}", "\\end{a}", "x_1 ",
    ]
)  # fmt: skip
TEXTS = st.lists(MARKS, max_size=40).map("".join)


def streamed(splitter: Splitter, pieces: list[str]) -> list[Block]:
    blocks: list[Block] = []
    for piece in pieces:
        blocks += splitter.feed(piece)
        assert len(splitter.tail) < 20
    return blocks + splitter.close()


def cut_at(text: str, cuts: list[int]) -> list[str]:
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[start:stop] for start, stop in pairwise(places)]


def shapes(text: str) -> list[tuple[Kind, str, str]]:
    return [
        (block.kind, " ".join(holder.marker for holder in block.holders), block.text) for block in split(text)
    ]


@given(TEXTS, st.lists(st.integers(0, 10_000), max_size=12))
@settings(max_examples=300, deadline=None)
def test_any_cut_gives_the_same_blocks_and_loses_nothing(text: str, cuts: list[int]) -> None:
    whole = split(text)
    assert streamed(BlockSplitter(), cut_at(text, cuts)) == whole
    assert "".join(block.source for block in whole) == text


@given(TEXTS, st.lists(st.integers(0, 10_000), max_size=12))
@settings(max_examples=100, deadline=None)
def test_verbatim_text_splits_the_same_at_any_cut(text: str, cuts: list[int]) -> None:
    whole = split(text, markdown=False)
    assert streamed(VerbatimSplitter(), cut_at(text, cuts)) == whole
    assert "".join(block.source for block in whole) == text


def test_an_answer_a_character_at_a_time() -> None:
    assert streamed(BlockSplitter(), list(ANSWER)) == split(ANSWER)


def test_the_blocks_of_an_answer() -> None:
    assert shapes(ANSWER) == [
        (Kind.PARAGRAPH, "", "The usual causes:"),
        (Kind.PARAGRAPH, "1.", "The upstream is **starting**. Check with"),
        (Kind.CODE, "1.", "curl -i http://127.0.0.1\n\necho done"),
        (Kind.PARAGRAPH, "2.", "Another port"),
        (Kind.PARAGRAPH, "2. -", "nested, indented too little"),
        (Kind.PARAGRAPH, "2. -", "second"),
        (Kind.PARAGRAPH, "2. -", "its second paragraph"),
        (Kind.PARAGRAPH, "3.", "numbered on"),
        (Kind.PARAGRAPH, ">", "quoted"),
        (Kind.PARAGRAPH, "> -", "item"),
        (Kind.CODE, ">", "a = 1"),
        (Kind.PARAGRAPH, "", "after"),
        (Kind.PARAGRAPH, "", "Intro to the table:"),
        (Kind.TABLE, "", "| a | b |\n| 1 | `x\\|y` |\n| 2 |"),
        (Kind.HEADING, "", "Title"),
        (Kind.HEADING, "", "Second"),
        (Kind.HEADING, "", "text"),
        (Kind.CODE, "", "indented\n\nmore"),
        (Kind.PARAGRAPH, "", "end"),
        (Kind.PARAGRAPH, "[ ]", "open"),
        (Kind.PARAGRAPH, "[x]", "done"),
        (Kind.PARAGRAPH, "-", ""),
        (Kind.RULE, "", ""),
        (Kind.HTML, "", "<div>\n *not italic*\n</div>"),
        (Kind.CODE, "", "```python\nx\n```"),
    ]
    assert [block.number for block in split(ANSWER) if block.kind is Kind.CODE] == [1, 2, 3, 4]


def test_an_item_opens_beside_its_first_block_only() -> None:
    first, code, second = split("1. one\n   ```sh\n   ls\n   ```\n2. two")
    assert first.holders == (Holder("1.", True),)
    assert code.holders == (Holder("1.", False),)
    assert (code.info, code.number, code.gap, code.shared) == ("sh", 1, True, 1)
    assert second.holders == (Holder("2.", True),)


def test_tight_lists_stay_tight_and_loose_ones_loose() -> None:
    assert [block.gap for block in split("- a\n- b\n- c")] == [False, False, False]
    assert [block.gap for block in split("- a\n\n- b\n\n- c")] == [False, True, True]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("```py\nnever closed", ["code"]),
        ("````md\n```\ninner\n```\n````\nafter", ["code", "paragraph"]),
        ("```markdown\n```py\nx\n```\nstill inside\n```\nafter", ["code", "paragraph"]),
        ("1. a\n   ```\nnot indented\n   ```\n2. b", ["paragraph", "code", "paragraph"]),
        ("text\n1986. What a year", ["paragraph"]),
        ("**Next:**\n4. four\n5. five", ["paragraph", "paragraph", "paragraph"]),
        ("a | b\nno delimiter", ["paragraph"]),
        ("`a` ```not a fence```", ["paragraph"]),
        ("> a\nlazy\n\n> b", ["paragraph", "paragraph"]),
        ("* * *\n- - -", ["rule", "rule"]),
        ("#no heading", ["paragraph"]),
        ("- foo\n---\nbar", ["paragraph", "rule", "paragraph"]),
        ("", []),
        ("\n\n", ["blank"]),
    ],
)
def test_kinds(text: str, kinds: list[str]) -> None:
    assert [block.kind.value for block in split(text)] == kinds


def test_numbers_count_on_but_larger_ones_are_believed() -> None:
    text = "1. a\n1. b\n5. c\n\n```\nx\n```\n6. d"
    assert [block.holders[0].marker for block in split(text) if block.holders] == ["1.", "2.", "5.", "6."]


def test_a_half_line_of_markup_is_not_shown_yet() -> None:
    splitter = BlockSplitter()
    splitter.feed("Causes:\n")
    for mark in ("2", ".", " "):
        splitter.feed(mark)
        assert [block.text for block in splitter.tail] == ["Causes:"]
    splitter.feed("x")
    assert splitter.tail[0].text.startswith("Causes:")
    assert splitter.tail[-1].open


LONG = {
    "prose": "A sentence of some words that goes on. " * 40 + "\n\n",
    "one line": "A sentence of some words that goes on. ",
    "one word": "abcdefghij",
    "fence": "    total = compute(1, 2, 3)\n\n",
    "list": "- an item with some words\n",
    "table": "| 1 | some words in a cell |\n",
    "quote": "> a line of a quote\n",
    "quoted code": "> x = 1\n",
    "blank lines": "\n",
    "html": "<div>some</div>\n",
    "json": '{"a": [1, 2, 3]},',
}
BEFORE = {
    "fence": "```python\n",
    "table": "| n | words |\n|--:|---|\n",
    "quoted code": "> ```py\n",
    "json": "```json\n",
}


@pytest.mark.parametrize("kind", LONG)
def test_the_open_end_does_not_grow_with_the_answer(kind: str) -> None:
    splitter = BlockSplitter()
    blocks = splitter.feed(BEFORE.get(kind, ""))
    text = LONG[kind] * (120_000 // len(LONG[kind]))
    most_open = most_closed = 0
    for start in range(0, len(text), 97):
        closed = splitter.feed(text[start : start + 97])
        blocks += closed
        tail = splitter.tail
        most_open = max(most_open, sum(len(block.source) + len(block.context) for block in tail))
        most_closed = max(most_closed, len(closed))
    blocks += splitter.close()
    assert most_open <= 4 * LIMIT
    assert most_closed <= 97
    assert max(len(block.source) for block in blocks) <= 2 * LIMIT
    assert "".join(block.source for block in blocks) == BEFORE.get(kind, "") + text


def test_parts_of_code_know_where_they_come_from() -> None:
    blocks = split(
        "```python\n" + "\n".join(f"line {n}" for n in range(100)) + "\n```\nafter\n```\nnext\n```"
    )
    parts = [block for block in blocks if block.kind is Kind.CODE and block.number == 1]
    assert len(parts) > 2
    assert [block.part for block in parts] == list(range(len(parts)))
    assert {block.info for block in parts} == {"python"}
    assert "\n".join(block.text for block in parts) == "\n".join(f"line {n}" for n in range(100))
    assert parts[1].context == parts[0].text
    assert not parts[1].gap
    assert blocks[-1].number == 2


def test_parts_of_a_table_know_its_first_part() -> None:
    rows = [f"| {n} | x |" for n in range(100)]
    blocks = split("| n | v |\n|--:|---|\n" + "\n".join(rows))
    assert len(blocks) > 2
    assert all(block.head == blocks[0] for block in blocks[1:])
    assert {block.columns for block in blocks} == {("right", "")}
    assert "\n".join(block.text for block in blocks) == "| n | v |\n" + "\n".join(rows)


def test_random_text_never_fails() -> None:
    source = random.Random(7)
    alphabet = "-*_`~#>|+=1. \n\t[]()<x:&中"
    for _ in range(300):
        text = "".join(source.choices(alphabet, k=200))
        blocks = split(text)
        assert "".join(block.source for block in blocks) == text
        assert streamed(BlockSplitter(), cut_at(text, [source.randrange(200) for _ in range(20)])) == blocks
