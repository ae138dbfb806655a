"""The rule above the composer, which also says what just happened and what waits below."""

from __future__ import annotations

from rich.cells import cell_len
from textual.strip import Strip
from textual.timer import Timer

from tui.core.text import safe_line
from tui.ui.line import LineWidget
from tui.ui.row import cut, fit

NOTICE_S = 8.0
"""How long a notice stays, unless the next one takes its place."""


class Divider(LineWidget):
    """`── 14 new lines below · Ctrl+G ───`; a notice is shown before a standing text."""

    def __init__(self) -> None:
        super().__init__(id="divider")
        self._notice = ""
        self._tone = "muted"
        self._standing = ""
        self._timer: Timer | None = None

    def tell(self, text: str, tone: str = "muted") -> None:
        """Show a notice for a while."""
        self._notice, self._tone = safe_line(text, 500), tone
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(NOTICE_S, self.clear_notice)
        self.refresh()

    def clear_notice(self) -> None:
        """Take the notice away."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if self._notice:
            self._notice = ""
            self.refresh()

    def stand(self, text: str) -> None:
        """Show a text until it is replaced; empty for none."""
        if text != self._standing:
            if not self._standing:
                self.clear_notice()  # the reader has just done something: that is what counts now
            self._standing = text
            self.refresh()

    def line(self, width: int) -> Strip:
        text, tone = (self._notice, self._tone) if self._notice else (self._standing, "accent")
        if not text:
            return fit([self.part("─" * width, "rule")], width, self.base())
        shown = cut(text, max(0, width - 6))
        rest = " " + "─" * (width - 4 - cell_len(shown))
        return fit(
            [self.part("── ", "rule"), self.part(shown, tone), self.part(rest, "rule")], width, self.base()
        )
