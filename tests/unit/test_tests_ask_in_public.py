"""Tests ask through public names: what knows the private structure of the product stands in `tests/support`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
ALLOWED = {
    # asyncio has no public way to close its end of a process's standard output.
    ("e2e/test_cli_endings.py", "_transport"),
}


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def defined_in(tree: ast.Module) -> set[str]:
    """The private names of classes, functions, fields and attributes that a file makes itself."""
    names: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()):
                names.add(name)
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
    return names


def reaches(source: str) -> Iterator[tuple[int, str]]:
    """Lines and names: private attributes and imports, and the app behind the driver."""
    tree = ast.parse(source)
    mine = defined_in(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="driver"), attr="app"):
                yield node.lineno, "driver.app"
            case ast.Attribute(value=ast.Name(id="self" | "cls")):
                pass
            case ast.Attribute(attr=name) if is_private(name) and name not in mine:
                yield node.lineno, name
            case ast.ImportFrom(module=str(module), names=names) if module.split(".")[0] == "tui":
                yield from ((node.lineno, each.name) for each in names if is_private(each.name))


def test_no_test_reaches_into_what_is_private() -> None:
    found: list[str] = []
    used: set[tuple[str, str]] = set()
    for path in sorted(TESTS.rglob("*.py")):
        place = path.relative_to(TESTS).as_posix()
        if place.startswith("support/"):
            continue
        for line, name in reaches(path.read_text(encoding="utf-8")):
            if (place, name) in ALLOWED:
                used.add((place, name))
            else:
                found.append(f"tests/{place}:{line}: {name}")
    assert not found, "ask by a public name, or put it in tests/support:\n" + "\n".join(found)
    assert used == ALLOWED, "an exception that is no longer needed"


def test_only_the_driver_knows_how_the_app_is_built() -> None:
    found = [
        f"tests/support/{path.name}:{line}"
        for path in sorted((TESTS / "support").glob("*.py"))
        if path.name != "app_driver.py"
        for line, name in reaches(path.read_text(encoding="utf-8"))
        if name == "driver.app"
    ]
    assert not found


def test_what_counts_as_reaching() -> None:
    source = "\n".join(
        (
            "from tui.store.store import Store, _hidden",
            "class Mine:",
            "    def __init__(self): self._own = 1",
            "def use(driver, store, mine):",
            "    driver.app.chat",
            "    store._database.connection",
            "    mine._own, driver.text(), store.__class__",
        )
    )
    assert [name for _, name in sorted(reaches(source))] == ["_hidden", "driver.app", "_database"]
