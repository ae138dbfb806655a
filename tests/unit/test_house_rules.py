"""What holds of every class of the product, read from its source."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

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


def classes() -> Iterator[tuple[Path, ast.ClassDef]]:
    """The classes at the top of each module."""
    for path in PRODUCT.rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
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


def _own_names(tree: ast.Module) -> set[str]:
    """The names in a module that stand for classes of the product: its own, and those that it imports from it."""
    names = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tui"):
            names |= {each.asname or each.name for each in node.names}
    return names


def _name_of(base: ast.expr) -> str:
    while isinstance(base, ast.Subscript):
        base = base.value
    return base.id if isinstance(base, ast.Name) else ""


def _own_bases() -> dict[str, list[str]]:
    """The own bases of each class, by its name, which stands once in the product."""
    found: dict[str, list[str]] = {}
    for path in PRODUCT.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        known = _own_names(tree)
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                found[node.name] = [name for base in node.bases if (name := _name_of(base)) in known]
    return found


def test_a_class_stands_on_no_ladder() -> None:
    """At most one own base, at most two own classes above it, no mixins. Exceptions are free."""
    bases = _own_bases()

    def above(name: str) -> list[str]:
        return [each for base in bases.get(name, ()) for each in (base, *above(base))]

    judged = [name for name in bases if "LokalError" not in (name, *above(name))]
    assert [name for name in judged if len(bases[name]) > 1] == []
    assert [name for name in judged if len(above(name)) > 2] == []
    assert [name for name in judged if "mixin" in name.lower()] == []


def test_no_module_is_too_long_to_be_read() -> None:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in PRODUCT.rglob("*.py")}
    assert {str(path.relative_to(PRODUCT)): count for path, count in lines.items() if count > 600} == {}
