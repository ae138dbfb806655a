"""Code blocks taken out of an answer: exactly what the model wrote between the fences."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.core.codeblocks import CodeBlock, code_blocks, numbered, suffix_of

ANSWER = """\
Two ways:

1. With make

   ```make
   all:
   \tcc -o a a.c
   ```

> ```sh
> \tls
> ```

    indented
    \tmore

```
```

~~~python title="x.py"
print("```")
~~~
"""


def test_the_text_is_what_stands_between_the_fences_with_its_tabs() -> None:
    assert code_blocks(ANSWER) == (
        CodeBlock(1, "all:\n\tcc -o a a.c", "make"),
        CodeBlock(2, "\tls", "sh"),
        CodeBlock(3, "indented\n\tmore"),
        CodeBlock(4, ""),
        CodeBlock(5, 'print("```")', 'python title="x.py"'),
    )


def test_a_block_that_is_not_closed_yet_goes_to_the_end() -> None:
    assert code_blocks("So:\n\n```py\na = 1\n\tb") == (CodeBlock(1, "a = 1\n\tb", "py"),)
    assert code_blocks("```py") == (CodeBlock(1, "", "py"),)


def test_endless_lines_and_blocks_in_many_parts_come_out_whole() -> None:
    code = "\tx = '" + "ab cd " * 2000 + "'\n\n" + "\n".join(f"\tline {n}" for n in range(200))
    assert code_blocks(f"Look.\n\n```py\n{code}\n```\n\nEnd.") == (CodeBlock(1, code, "py"),)


LINE = st.text(st.sampled_from("ab \t(){}#`"), max_size=12).filter(lambda line: "```" not in line)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.lists(LINE, max_size=40).map("\n".join), min_size=1, max_size=4))
def test_what_is_fenced_comes_out_as_it_went_in(blocks: list[str]) -> None:
    answer = "\n\n".join(f"Text.\n\n```py\n{code}\n```" if code else "Text.\n\n```py\n```" for code in blocks)
    assert [block.text for block in code_blocks(answer)] == blocks


@settings(deadline=None, max_examples=300)
@given(st.text(st.sampled_from("ab \t\n`~>-1.|#"), max_size=200))
def test_any_text_gives_blocks_numbered_from_one(text: str) -> None:
    blocks = code_blocks(text)
    assert [block.number for block in blocks] == list(range(1, len(blocks) + 1))


def test_a_block_by_its_number() -> None:
    blocks = code_blocks(ANSWER)
    assert numbered(blocks, 2) is blocks[1]
    assert numbered(blocks, 6) is None


@pytest.mark.parametrize(
    ("info", "suffix"),
    [
        ("python", "py"), ("py", "py"), ('python title="a"', "py"), ("Bash", "sh"), ("{.rust}", "rs"), ("C++", "cpp"),
        ("toml", "toml"), ("", "txt"), ("../../etc/passwd", "txt"), ("js:src/app.js", "js"), ("a" * 50, "txt"),
    ],
)  # fmt: skip
def test_what_a_file_of_a_language_ends_in(info: str, suffix: str) -> None:
    assert suffix_of(info) == suffix
