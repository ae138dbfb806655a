"""What holds of every class of the product, read from its source."""

from __future__ import annotations

import ast
import builtins
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

TEXTUALS_OWN = {
    *(
        "on_mount",
        "on_unmount",
        "on_resize",
        "on_key",
        "on_paste",
        "on_focus",
        "on_blur",
        "on_event",
        "on_show",
    ),
    *("on_hide", "on_mouse_scroll_up", "on_mouse_scroll_down", "on_terminal_supports_synchronized_output"),
}
"""Methods that Textual itself defines or sends the events for: no class of ours gives them their names."""
PRODUCT = Path(__file__).resolve().parents[2] / "tui"


@cache
def modules() -> tuple[tuple[Path, ast.Module], ...]:
    """Every module, parsed once."""
    return tuple((path, ast.parse(path.read_text(encoding="utf-8"))) for path in PRODUCT.rglob("*.py"))


def classes() -> Iterator[tuple[Path, ast.ClassDef]]:
    """The classes at the top of each module."""
    for path, tree in modules():
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                yield path, node


def test_no_class_name_stands_twice() -> None:
    places = defaultdict(list)
    for path, node in classes():
        places[node.name].append(path.relative_to(PRODUCT).as_posix())
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_handlers_of_messages_are_bound_by_their_class() -> None:
    """A handler found by its name is lost in silence when the class of its message is renamed."""
    by_name = [
        f"{path.relative_to(PRODUCT)}: {node.name}.{method.name}"
        for path, node in classes()
        if "ui" in path.parts
        for method in node.body
        if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef)
        and (name := method.name.removeprefix("_")).startswith("on_")
        and name not in TEXTUALS_OWN
    ]
    assert by_name == []


@dataclass(frozen=True)
class Bases:
    """What a class stands on: classes of the product, and others."""

    own: tuple[str, ...]
    foreign: tuple[str, ...]


def _imported(tree: ast.Module) -> dict[str, str]:
    """What a module has from the product, by the name that it has there: a class, or a module with classes."""
    return {
        each.asname or each.name: each.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tui")
        for each in node.names
    }


def bases_of(trees: Iterable[ast.Module]) -> dict[str, Bases]:
    """The bases of each class at the top of a module, by its name, which stands once in the product."""
    found: dict[str, Bases] = {}
    for tree in trees:
        own = {node.name: node.name for node in tree.body if isinstance(node, ast.ClassDef)} | _imported(tree)
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                stands_on: dict[bool, list[str]] = {True: [], False: []}
                for base in node.bases:
                    name, *attribute = ast.unparse(base).split("[")[0].split(".")
                    stands_on[name in own].append(attribute[-1] if attribute else own.get(name, name))
                found[node.name] = Bases(tuple(stands_on[True]), tuple(stands_on[False]))
    return found


def ladders(bases: Mapping[str, Bases]) -> list[str]:
    """What breaks the first house rule. Protocols and exceptions are free."""

    def above(name: str) -> list[str]:
        own = bases[name].own if name in bases else ()
        return [each for base in own if not is_protocol(base) for each in (base, *above(base))]

    def foreign(name: str) -> list[str]:
        return [each for one in (name, *above(name)) if one in bases for each in bases[one].foreign]

    def is_protocol(name: str) -> bool:
        return name in bases and "Protocol" in bases[name].foreign

    def is_exception(name: str) -> bool:
        roots = (getattr(builtins, each, None) for each in foreign(name))
        return any(isinstance(root, type) and issubclass(root, BaseException) for root in roots)

    said = []
    for name, stands_on in bases.items():
        if is_protocol(name) or is_exception(name):
            continue
        own = [base for base in stands_on.own if not is_protocol(base)]
        if len(own) > 1:
            said.append(f"{name} has {len(own)} own bases")
        if len(above(name)) > 2:
            said.append(f"{name} has {len(above(name))} own classes above it")
        if own and set(stands_on.foreign) - {"Generic", "Protocol"}:
            said.append(f"{name} mixes {own[0]} into {stands_on.foreign[0]}")
        if name.lower().endswith("mixin"):
            said.append(f"{name} is a mixin by its name")
    return said


def test_a_class_stands_on_no_ladder() -> None:
    """At most one own base, at most two own classes above it, no mixins."""
    bases = bases_of(tree for _, tree in modules())
    assert bases["InlineInput"] == Bases(("PromptTextArea",), ())
    assert ladders(bases) == []


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("class A: ...\nclass B(A): ...\nclass C(B): ...", []),
        ("class A: ...\nclass B(A): ...\nclass C(B): ...\nclass D(C): ...", ["D has 3 own classes above it"]),
        ("class A: ...\nclass B: ...\nclass C(A, B): ...", ["C has 2 own bases"]),
        ("class A: ...\nclass C(A, Widget): ...", ["C mixes A into Widget"]),
        ("class C(Generic[T], Widget): ...", []),
        ("from tui.x import A as B\nclass C(B[int], m.Widget): ...", ["C mixes A into Widget"]),
        ("from tui.ui import x, y\nclass C(x.A, y.B): ...", ["C has 2 own bases"]),
        ("class KeysMixin: ...", ["KeysMixin is a mixin by its name"]),
        ("class P(Protocol): ...\nclass Q(P, Protocol): ...\nclass A: ...\nclass C(A, P): ...", []),
        ("class A(Exception): ...\nclass B(A): ...\nclass C(B): ...\nclass D(C, ValueError): ...", []),
    ],
)
def test_a_ladder_is_seen(source: str, said: list[str]) -> None:
    assert ladders(bases_of([ast.parse(source)])) == said


def test_no_module_is_too_long_to_be_read() -> None:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path, _ in modules()}
    assert {str(path.relative_to(PRODUCT)): count for path, count in lines.items() if count > 600} == {}
