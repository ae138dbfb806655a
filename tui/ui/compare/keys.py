"""The page of all keys of a comparison."""

from __future__ import annotations

from collections.abc import Mapping

from tui.core.commands import BY_ID, key_name
from tui.ui.help import Row, Section, searched_page
from tui.ui.page import PageScreen


def column_keys(keys: Mapping[str, str]) -> PageScreen:
    """The page over the whole screen."""

    def named(*ids: str) -> str:
        return " ".join(key_name(keys[id]) for id in ids if keys.get(id))

    rows = [
        Row(named("compare.previous", "compare.next"), "Choose the column at the left, at the right"),
        Row(
            f"↑ ↓ {named('scroll.page_up', 'scroll.page_down')}",
            "Scroll the chosen column by a line, by a page",
        ),
        Row(
            named("compare.left", "compare.right"),
            "What of its long code lines and wide tables is beyond the edge",
        ),
        Row("Home End", "To the beginning of its answer, to its end, and follow it"),
        Row(named("reasoning.toggle"), "Fold or unfold what the models thought, in all columns"),
        Row(named("compare.keep"), BY_ID["compare.keep"].help),
        Row(named("compare.stop"), BY_ID["compare.stop"].help),
        Row("Ctrl+C", "Stop the answers that are coming"),
        Row(named("help"), "This page"),
    ]
    page = [Section("Side by side", tuple(row for row in rows if row.name))]
    return searched_page("Keys of the columns", page, keys.get("help", ""))
