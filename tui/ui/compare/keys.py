"""The page of all keys of a comparison."""

from __future__ import annotations

from collections.abc import Mapping

from tui.core.commands import BY_ID, key_name
from tui.ui.page import Line, PageScreen, table


def column_keys(keys: Mapping[str, str]) -> PageScreen:
    """The page over the whole screen."""

    def named(*ids: str) -> str:
        return " ".join(key_name(keys[id]) for id in ids if keys.get(id))

    rows = [
        (named("compare.previous", "compare.next"), "Choose the column at the left, at the right"),
        (
            f"↑ ↓ {named('scroll.page_up', 'scroll.page_down')}",
            "Scroll the chosen column by a line, by a page",
        ),
        (
            named("compare.left", "compare.right"),
            "What of its long code lines and wide tables is beyond the edge",
        ),
        ("Home End", "To the beginning of its answer, to its end, and follow it"),
        (named("reasoning.toggle"), "Fold or unfold what the models thought, in all columns"),
        (named("compare.keep"), BY_ID["compare.keep"].help),
        (named("compare.stop"), BY_ID["compare.stop"].help),
        ("Ctrl+C", "Stop the answers that are coming"),
        (named("help"), "This page"),
    ]
    shown = [(name, "accent", text) for name, text in rows if name]

    def page(width: int) -> tuple[Line, ...]:
        return tuple(table(shown, width))

    return PageScreen("Keys of the columns", page, keys.get("help", ""))
