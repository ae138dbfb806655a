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
