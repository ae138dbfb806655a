"""The yardstick for the start: the smallest Textual app with three tabs and a text area.

python -m tests.bench.bare
"""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import TabbedContent, TabPane, TextArea


class BareApp(App[None]):
    """Tabs and a text area, as Textual makes them."""

    AUTO_FOCUS = "TextArea"

    def compose(self) -> ComposeResult:
        with TabbedContent():
            with TabPane("Chat"):
                yield TextArea()
            yield TabPane("Models")
            yield TabPane("Settings")


if __name__ == "__main__":
    BareApp().run()
