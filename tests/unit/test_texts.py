"""How lokal's texts are written: keys in one way, no full stop at the end of a notice, plain words."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tui.core.commands import BY_ID, COMMANDS, Command, key_name
from tui.errors import LokalError, UsageError, sentences

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SOURCES = sorted(path for path in (ROOT / "tui").rglob("*.py") if not {"guide", "terminal"} & set(path.parts))

SAYING = frozenset({"tell", "notify", "say", "Told", "Notice", "keep", "sentences", "not_attached"})
"""What is called with a notice."""
OTHER_WAYS = (
    (re.compile(r"\^[A-Z](?![\w-])"), "^T for Ctrl+T"),
    (re.compile(r"Shift\+[A-Za-z](?!\w)"), "Shift+C for C"),
    (
        re.compile(r"\b(?:ctrl|alt|shift|CTRL|ALT|SHIFT)\+\w|\b(?:Ctrl|Alt|Shift)-\w"),
        "ctrl+t or Ctrl-T for Ctrl+T",
    ),
    (re.compile(r"\b(?:Escape|ESC|Return|PageUp|PageDown|Page Up|Page Down|PgDown)\b"), "Escape for Esc"),
)
"""How else people write keys."""
NOT_PLAIN = re.compile(
    r"\b(?:anew|whom|upon|thus|hence|whereby|altogether|all the same|for good|takes? it in|hands? it in|holds again"
    r"|does not go along)\b"
)
"""Words that one learns late, and idioms."""


def errors() -> frozenset[str]:
    """The names of the exceptions that are shown."""
    found, wanted = set(), [LokalError]
    while wanted:
        one = wanted.pop()
        found.add(one.__name__)
        wanted += one.__subclasses__()
    return frozenset(found)


@cache
def trees() -> tuple[tuple[Path, ast.Module], ...]:
    return tuple((path.relative_to(ROOT), ast.parse(path.read_text(encoding="utf-8"))) for path in SOURCES)


def literals(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The texts in a module that are more than one word, without its docstrings; what is put into one is left out."""
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in docs
            and " " in node.value
        ):
            yield node.lineno, node.value


def ends(node: ast.expr) -> Iterator[str]:
    """How the text of an argument may end, as far as it is written there."""
    match node:
        case ast.Constant(value=str() as text):
            yield text
        case ast.JoinedStr(values=[*_, ast.Constant(value=str() as text)]):
            yield text
        case ast.IfExp(body=body, orelse=other):
            yield from ends(body)
            yield from ends(other)
        case ast.BinOp(op=ast.Add(), right=right):
            yield from ends(right)


def called(node: ast.Call) -> str:
    match node.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def test_the_rules_see_what_they_are_for() -> None:
    """The tests below look at something."""
    assert len(SOURCES) > 150
    assert sum(len(list(literals(tree))) for _, tree in trees()) > 1000
    names = errors()
    calls = [
        name
        for _, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for name in (called(node),)
    ]
    assert sum(name in SAYING for name in calls) > 80
    assert sum(name in names for name in calls) > 80
    assert all(
        pattern.search(text)
        for (pattern, _), text in zip(OTHER_WAYS, ("^T stops", "Shift+C", "ctrl+t", "ESC"), strict=True)
    )


def test_a_notice_has_no_full_stop_at_its_end() -> None:
    names = errors() | SAYING
    wrong = [
        f"{path}:{node.lineno} {text!r}"
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and called(node) in names
        for argument in (*node.args, *(keyword.value for keyword in node.keywords))
        for text in ends(argument)
        if text.endswith(".") and not text.endswith("..") and " " in text.strip()
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (LokalError("It failed", "The disk is full", "Make room"), "It failed. The disk is full. Make room"),
        (LokalError("It failed.", "", "Is it there?"), "It failed. Is it there?"),
        (LokalError("Asked:", "nobody."), "Asked: nobody"),
        (LokalError("Wait …", "and so on..."), "Wait … and so on..."),
        (UsageError(""), ""),
    ],
)  # fmt: skip
def test_an_error_in_one_line(error: LokalError, said: str) -> None:
    assert str(error) == said
    assert sentences(str(error), "it stays") == (
        f"{said.removesuffix('.')}. it stays" if said and said[-1] not in "?." else f"{said} it stays".strip()
    )


def test_keys_are_written_in_one_way() -> None:
    wrong = [
        f"{path}:{line} {what}: {text!r}"
        for path, tree in trees()
        for line, text in literals(tree)
        if path.as_posix() not in _NAMES_OF_THE_CONFIG
        for pattern, what in OTHER_WAYS
        if pattern.search(text)
    ]
    wrong += [
        f"README.md {what}: {found[0]!r}"
        for pattern, what in OTHER_WAYS
        for found in pattern.finditer(README)
    ]
    assert not wrong, "\n".join(wrong)


_NAMES_OF_THE_CONFIG = frozenset({"tui/config/keys.py", "tui/core/commands.py"})
"""Where keys are named as a config file names them."""


def test_the_keys_of_the_readme_are_those_of_the_commands() -> None:
    names = {key_name(command.key) for command in COMMANDS} | {"Ctrl+U", "Alt+1–9"}
    tables = re.findall(r"^\| key \| does \|\n\| --- \| --- \|\n((?:\|.*\n)+)", README, re.MULTILINE)
    cells = [line.split("|")[1] for table in tables for line in table.splitlines()]
    keys = {key for cell in cells for key in re.split(r"[ ,]+|/(?= )", cell) if key}
    assert {"Ctrl+G", "F6", "Esc", "PgDn", "Alt+G"} <= keys
    assert keys <= names | {"/", "1–9"}
    assert len(tables) == 1


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 120


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.id)
def test_a_command_is_said_in_plain_words(command: Command) -> None:
    for text in (command.title, command.help):
        assert text[0].isupper()
        assert not text.endswith(".")
        assert not any(pattern.search(text) for pattern, _ in OTHER_WAYS)
    assert not re.match(r"(?:To|The|A|An|What|Where|Back|On|In the first line the)\b", command.help), (
        "a verb comes first"
    )


def test_words_are_plain() -> None:
    wrong = [
        f"{path}:{line} {found[0]!r} in {text!r}"
        for path, tree in trees()
        for line, text in literals(tree)
        if (found := NOT_PLAIN.search(text))
    ]
    assert not wrong, "\n".join(wrong)


def test_what_the_two_directions_are_called() -> None:
    """Up and down, previous and next: in one way everywhere."""
    assert BY_ID["scroll.page_down"].help == "Down one page"
    assert BY_ID["scroll.page_up"].help == "Up one page"
    assert BY_ID["sibling.previous"].title == "Previous answer"
    for command in COMMANDS:
        assert not re.search(r"\b(?:before|after)$", command.title), command.title
