"""Pictures of the screen as text files that can be read, compared and reviewed like any other text.

A picture is the screen's text, and under it the same cells as letters, one for each style, with what the letters stand
for: the role of the theme where it is one, its colours and attributes where it is more than one. To make them anew,
after looking at what changed:

    UPDATE_SNAPSHOTS=1 python -m pytest tests/ui/test_screens*.py
"""

from __future__ import annotations

import asyncio
import difflib
import os
import time
from collections.abc import Sequence
from pathlib import Path

from rich.cells import cell_len
from rich.style import Style

from tests.support.app_driver import SIZES, AppDriver

FOLDER = Path(__file__).parents[1] / "snapshots"
PATIENCE_S = 30.0
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_ATTRIBUTES = ("bold", "dim", "italic", "underline", "reverse", "strike")


def picture(driver: AppDriver) -> str:
    """The screen as such a text."""
    letters: dict[str, str] = {}
    plain = _description(driver, driver.palette.base)
    rows = []
    for line in driver.lines():
        row = ""
        for segment in line:
            style = segment.style or Style.null()
            described = _description(driver, style)
            letter = "." if described == plain else letters.get(described)
            if letter is None:
                letter = letters[described] = _LETTERS[len(letters)]
            row += letter * cell_len(segment.text)
        rows.append(row.rstrip("."))
    legend = [f". {plain}", *(f"{letter} {described}" for described, letter in letters.items())]
    width, height = driver.size
    head = f"{width}x{height}, {driver.theme}"
    return "\n".join([head, "=" * width, *driver.screen(), "=" * width, *rows, "=" * width, *legend, ""])


async def check(driver: AppDriver, name: str) -> None:
    """Compare the screen with its picture `name`, giving it some seconds to come to rest; AssertionError that shows what
    is different."""
    width, height = driver.size
    path = FOLDER / f"{name}-{width}x{height}.txt"
    now = await _at_rest(driver)
    if os.environ.get("UPDATE_SNAPSHOTS"):
        FOLDER.mkdir(exist_ok=True)
        path.write_text(now, encoding="utf-8")
        return
    assert path.exists(), f"{path.name} is not there; see tests/support/snapshot.py for how to make it\n{now}"
    then = path.read_text(encoding="utf-8")
    deadline = time.monotonic() + PATIENCE_S
    while now != then and time.monotonic() < deadline:
        now = await _at_rest(driver)
    if now != then:
        changes = difflib.unified_diff(
            then.splitlines(), now.splitlines(), f"{path.name} as kept", "as it is now", lineterm="", n=1
        )
        raise AssertionError("the screen looks different:\n" + "\n".join(changes))


async def check_all(driver: AppDriver, name: str, sizes: Sequence[tuple[int, int]] = SIZES) -> None:
    """The same in every size, the first one last, so that the state can go on from it."""
    for size in reversed(sizes):
        await driver.resize(*size)
        await check(driver, name)


async def _at_rest(driver: AppDriver) -> str:
    """The screen once it is twice the same."""
    before, now = "", picture(driver)
    while now != before:
        await asyncio.sleep(0.02)
        await driver.settle()
        before, now = now, picture(driver)
    return now


def _description(driver: AppDriver, style: Style) -> str:
    """A style by the roles that it may be, or by what it is made of."""
    palette = driver.palette
    look = _look(style)
    roles = [role for role in _ROLES if _look(palette.ink(role)) == look]
    return f"{' or '.join(roles)}: {look}" if roles else look


_ROLES = (
    *("foreground", "accent", "second", "muted", "rule", "warning", "error", "success", "cursor_line", "selection"),
    *("heading", "strong_code", "link", "quote", "tab", "tab_open", "key"),
    *("keyword", "string", "number", "comment", "name", "type", "operator", "punctuation"),
)  # fmt: skip


def _look(style: Style) -> str:
    """What a terminal would show of a style; meta data and links are no part of it."""
    attributes = [attribute for attribute in _ATTRIBUTES if getattr(style, attribute)]
    ground = style.bgcolor.name if style.bgcolor else "default"
    ink = style.color.name if style.color else "default"
    return " ".join([*attributes, ink, "on", ground])
