"""The page of all keys of a comparison."""

from __future__ import annotations

from collections.abc import Mapping

from tui.core.commands import BY_ID, key_name
from tui.ui.help import HelpRow, HelpSection, searched_page
from tui.ui.help_notes import notes
from tui.ui.page import PageScreen


def column_keys(keys: Mapping[str, str]) -> PageScreen:
    """The page over the whole screen."""

    def named(*ids: str) -> str:
        return " ".join(key_name(keys[id]) for id in ids if keys.get(id))

    rows = [
        HelpRow(named("compare.previous", "compare.next"), "Choose the column at the left, at the right"),
        HelpRow(
            f"↑ ↓ {named('scroll.page_up', 'scroll.page_down')}",
            "Scroll the chosen column by a line, by a page",
        ),
        HelpRow(
            named("compare.left", "compare.right"),
            "What of its long code lines and wide tables is beyond the edge",
        ),
        HelpRow("Home End", "To the beginning of its answer, to its end, and follow it"),
        HelpRow(named("reasoning.toggle"), "Fold or unfold what the models thought, in all columns"),
        HelpRow(named("compare.keep"), BY_ID["compare.keep"].help),
        HelpRow(named("compare.stop"), BY_ID["compare.stop"].help),
        HelpRow("Ctrl+C", "Stop the answers that are coming"),
        HelpRow(named("help"), "This page"),
    ]
    page = [HelpSection("Side by side", tuple(row for row in rows if row.name), notes("compare", keys))]
    return searched_page("Keys of the columns", page, keys.get("help", ""))
