"""Changing one value of a TOML file leaves every other byte alone."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.config import edit

FILE = """\
# my settings
theme = "auto"   # as the room is
'preset'="a # b" # and why
#model = ""

  server = "http://host"

# my keys
[keys]
help = "f1" # first

[other]
list = [
  1, # one
  2,
]
"""


@pytest.mark.parametrize(
    ("key", "value", "before", "after"),
    [
        ("theme", "dark # 1", 'theme = "auto"   #', 'theme = "dark # 1"   #'),
        ("preset", "c", "'preset'=\"a # b\" #", "'preset'=\"c\" #"),
        ("server", "", '  server = "http://host"\n', '  server = ""\n'),
        ("model", "m:7b", '#model = ""\n', '#model = ""\nmodel = "m:7b"\n'),
        ("show_reasoning", True, 'host"\n\n', 'host"\nshow_reasoning = true\n\n'),
    ],
)
def test_only_the_value_changes(key: str, value: object, before: str, after: str) -> None:
    assert edit.assign(FILE, "", key, value) == FILE.replace(before, after)


def test_a_key_is_taken_out_with_its_line() -> None:
    without = edit.assign(FILE, "", "theme", None)
    assert without == FILE.replace('theme = "auto"   # as the room is\n', "")
    assert edit.assign(FILE, "", "nothing", None) == FILE
    assert edit.assign(FILE, "absent", "nothing", None) == FILE


def test_a_key_of_a_table_changes_in_its_table() -> None:
    assert edit.assign(FILE, "keys", "help", "f7") == FILE.replace('"f1" #', '"f7" #')
    assert edit.assign(FILE, "keys", "quit", "f7") == FILE.replace("# first\n", '# first\nquit = "f7"\n')
    assert edit.assign(FILE, "new", "a", 1) == FILE + "\n[new]\na = 1\n"


def test_a_list_over_several_lines_is_one_value() -> None:
    text = edit.assign(FILE, "other", "list", 5)
    assert text == FILE[: FILE.index("list")] + "list = 5\n"


def test_a_text_that_looks_like_the_key_is_not_the_key() -> None:
    text = 'note = """\ntheme = "x"\n[keys]\n"""\ntheme = "y"\n'
    assert edit.assign(text, "", "theme", "z") == text.replace('theme = "y"', 'theme = "z"')


def test_a_file_of_nothing_and_one_of_comments() -> None:
    assert edit.assign("", "", "theme", "a") == 'theme = "a"\n'
    assert edit.assign("# hello", "", "theme", "a") == '# hello\ntheme = "a"\n'
    assert edit.assign("# top\n\n# keys\n[keys]\n", "", "theme", "a") == (
        '# top\n\ntheme = "a"\n\n# keys\n[keys]\n'
    )


def test_line_ends_and_the_byte_order_mark_stay() -> None:
    text = '\ufefftheme = "a" # x\r\n[keys]\r\n'
    assert edit.assign(text, "", "theme", "b") == '\ufefftheme = "b" # x\r\n[keys]\r\n'
    assert edit.assign(text, "", "model", "m") == '\ufefftheme = "a" # x\r\nmodel = "m"\r\n[keys]\r\n'


def test_a_table_written_in_an_unusual_way_keeps_its_values() -> None:
    text = 'parameters = { top_k = 4 } # gone\nother = "x"\n'
    changed = edit.assign(text, "parameters", "temperature", 0.5)
    assert tomllib.loads(changed) == {"parameters": {"top_k": 4, "temperature": 0.5}, "other": "x"}


def test_several_lines_stay_readable_and_half_a_pair_can_be_written() -> None:
    assert edit.assign("", "", "system", "one\ntwo") == 'system = """\none\ntwo"""\n'
    assert tomllib.loads(edit.assign("", "", "a", "x\r\ny")) == {"a": "x\r\ny"}
    assert tomllib.loads(edit.assign("", "", "a", "x\ud83dy")) == {"a": "x?y"}


keys = st.sampled_from(["theme", "preset", "server", "a.b", "x y", "", "key"])
values = st.one_of(
    st.text(max_size=20), st.integers(-5, 5), st.booleans(), st.lists(st.text(max_size=3), max_size=3)
)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["", "keys", "p q"]), keys, st.one_of(st.none(), values)), max_size=8)
)
def test_any_edits_give_exactly_the_values_wanted(edits: list[tuple[str, str, object]]) -> None:
    text = FILE
    wanted = tomllib.loads(FILE)
    for table, key, value in edits:
        text = edit.assign(text, table, key, value)
        target = wanted.setdefault(table, {}) if table and value is not None else wanted.get(table, {})
        target = target if table else wanted
        if value is None:
            target.pop(key, None)
        else:
            target[key] = value
    assert tomllib.loads(text) == wanted
    removed = any((table, key, value) == ("", "theme", None) for table, key, value in edits)
    assert ("# as the room is" in text) is not removed
