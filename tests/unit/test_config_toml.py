"""Reading TOML: errors name the place, the key, what was found and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.config import toml
from tui.config.loaded import Loaded, recover
from tui.errors import FileError, LokalError, MalformedFile


@pytest.mark.parametrize(
    ("data", "line", "column"),
    [
        (b'theme = "a"\npreset = \n', 2, 10),
        (b"theme = 'a", 1, 11),
        (b"a = 1\na = 2\n", 2, 6),
        (b'a = 1\nb = "\xc3\xa9\xff"\n', 2, 7),
        (b"[keys\n", 1, 6),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, data: bytes, line: int, column: int) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(data)
    with pytest.raises(MalformedFile) as caught:
        toml.read_table(path)
    error = caught.value
    assert (error.path, error.line, error.column) == (path, line, column)
    assert f"line {line}, column {column}" in error.title
    assert str(path) in error.title
    assert error.detail
    assert error.hint


def test_what_breaks_the_parser_itself_is_a_malformed_file_too(tmp_path: Path) -> None:
    for text in ("a = " + "[" * 5000, "a = " + "9" * 5000):
        with pytest.raises(MalformedFile):
            toml.parse(tmp_path / "x.toml", text)


def test_a_missing_and_an_unreadable_file(tmp_path: Path) -> None:
    assert list(toml.read_table(tmp_path / "no.toml", missing_ok=True)) == []
    with pytest.raises(FileError, match="Cannot read"):
        toml.read_table(tmp_path / "no.toml")
    with pytest.raises(FileError, match="Cannot read"):
        toml.read_table(tmp_path, missing_ok=True)


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(b'\xef\xbb\xbftheme = "a"\r\n')
    assert toml.read_table(path)["theme"] == "a"


def test_getters_give_what_is_there_or_the_default() -> None:
    table = toml.Table(Path("f"), {"s": "x", "b": True, "n": 5, "t": {"k": 1}, "l": [{"k": 1}, {"k": 2}]})
    assert (table.text("s"), table.text("no", "d"), table.text("s", allowed=("x", "y"))) == ("x", "d", "x")
    assert (table.flag("b"), table.flag("no", True)) == (True, True)
    assert (table.whole("n", 1, 0, 9), table.whole("no", 1, 0, 9)) == (5, 1)
    assert table.table("t").prefix == "t."
    assert [inner.prefix for inner in table.tables("l")] == ["l[1].", "l[2]."]
    assert (len(table.tables("no")), list(table.table("no"))) == (0, [])


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (5, "5"), (1.5, "1.5"), (True, "true"), ("a\x1b[31mb", "the text “ab”"), ([], "a list"), ({}, "a table"),
    ],
)  # fmt: skip
def test_what_was_found_is_said_in_words(value: object, words: str) -> None:
    error = toml.Table(Path("f.toml"), {"k": value}, "p.").wrong("k", "something else")
    assert error.title == f"f.toml: p.k cannot be {words}"
    assert error.detail == "It takes something else"


def test_wrong_kinds_are_refused() -> None:
    table = toml.Table(Path("f"), {"s": "x", "b": True, "n": 5, "m": [1]})
    with pytest.raises(FileError, match="one of y, z"):
        table.text("s", allowed=("y", "z"))
    with pytest.raises(FileError, match="text in quotes"):
        table.text("n")
    with pytest.raises(FileError, match="true or false"):
        table.flag("n")
    for key in ("b", "s"):
        with pytest.raises(FileError, match="whole number from 0 to 9"):
            table.whole(key, 1, 0, 9)
    with pytest.raises(FileError, match="from 0 to 4"):
        table.whole("n", 1, 0, 4)
    with pytest.raises(FileError, match=r"\[s\]"):
        table.table("s")
    with pytest.raises(FileError, match=r"\[\[m\]\]"):
        table.tables("m")


def test_an_unknown_key_names_the_closest() -> None:
    problems = toml.Table(Path("f"), {"them": 1, "zzz": 2, "theme": 3}).unknown(("theme", "preset"))
    assert [problem.hint for problem in problems] == ["Did you mean theme?", "Known: theme, preset"]
    assert "“them”" in problems[0].title


def test_recovering_keeps_the_error() -> None:
    problems: list[LokalError] = []
    assert recover(lambda: 1, 2, problems) == 1
    assert problems == []

    def fail() -> int:
        raise FileError(Path("f"), "no")

    assert recover(fail, 2, problems) == 2
    assert [problem.title for problem in problems] == ["no"]
    assert Loaded(1) == Loaded(1, ())
