"""The rule above the composer, which also says what just happened and what waits below.

What does not fit on the rule goes on in lines under it, so that nothing is cut and nothing else is covered by it.
"""

from __future__ import annotations

from rich.cells import cell_len
from textual.geometry import Size
from textual.strip import Strip
from textual.timer import Timer

from tui.core.text import safe_line
from tui.ui.widgets.line import LineWidget
from tui.ui.widgets.row import cut, fit, wrap_words

NOTICE_S, LINE_S, TICK_S = 8.0, 4.0, 2.0
"""How long a notice stays, unless the next one takes its place; how much longer for each further line, to read it; and
how often it is looked whether it can be seen."""
LONGEST = 2000
"""Characters of a notice."""
_EDGE = 3
"""Cells that the rule keeps at each end of a text."""


def notice_time(text: str, width: int) -> float:
    """Seconds in which a person can read `text` on a screen of `width` cells."""
    return NOTICE_S + LINE_S * max(0, len(wrap_words(text, width - 2 * _EDGE)) - 1)


class NoticeBar(LineWidget):
    """`── 14 new lines below · Ctrl+G ───`; a notice is shown before a standing text, and what was kept, and what is offered,
    beside both."""

    DEFAULT_CSS = "NoticeBar { height: auto; }"

    def __init__(self) -> None:
        super().__init__(id="notice-bar")
        self._notice = ""
        self._tone = "muted"
        self._of: str | None = None
        self._standing = ""
        self._whole = False
        self._kept: tuple[str, ...] = ()
        self._offered = ""
        self._left_s = 0.0
        self._timer: Timer | None = None
        self._height = 1

    def show_notice(self, text: str, tone: str = "muted") -> None:
        """Show a notice for a while."""
        self._notice, self._tone, self._of = safe_line(text, LONGEST), tone, None
        self._left_s = notice_time(self._notice, self.size.width)
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_interval(TICK_S, self.tick)
        self._changed()

    def tie_to(self, text: str) -> None:
        """The notice is about `text`, which a person writes: it goes when there is another one."""
        self._of = text

    def written(self, text: str) -> None:
        """A person has written `text`."""
        if self._of not in (None, text):
            self.clear_notice()

    def clear_notice(self, tone: str = "") -> None:
        """Take the notice away; with a `tone` only one of that tone."""
        if tone not in ("", self._tone):
            return
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._of = None
        if self._notice:
            self._notice = ""
            self._changed()

    def pin(self, text: str) -> None:
        """Show what must not be lost until the person has done something about it; no notice takes its place."""
        self._kept = (*self._kept, safe_line(text, LONGEST))
        self._changed()

    def unpin(self) -> bool:
        """Take away what was kept; False = there was nothing."""
        had, self._kept = bool(self._kept), ()
        if had:
            self._changed()
        return had

    def offer(self, text: str) -> None:
        """Show what the person may take or refuse, until it is taken away again: an empty text."""
        if text != self._offered:
            self._offered = safe_line(text, LONGEST)
            self._changed()

    @property
    def offers(self) -> bool:
        """Whether there is something to take or refuse."""
        return bool(self._offered)

    def set_label(self, text: str, *, whole: bool = False) -> None:
        """Show a text until it is replaced; empty for none. Where it does not fit it is cut, unless it is to be `whole`."""
        if (text, whole) != (self._standing, self._whole):
            if not self._standing:
                self.clear_notice()  # the reader has just done something: that is what counts now
            self._standing, self._whole = text, whole
            self._changed()

    def tick(self) -> None:
        """`TICK_S` seconds are over. What was done, or went wrong, where nobody could see it is still there when the chat is looked at again."""
        if self._tone == "muted" or (self.screen.is_active and self.is_on_screen):
            self._left_s -= TICK_S
        if self._left_s <= 0:
            self.clear_notice()

    # -- the lines --------------------------------------------------------------------------------------------------

    def _changed(self) -> None:
        height = len(self._rows(self.size.width))
        self.refresh(layout=height != self._height)
        self._height = height

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Textual's question how high the widget is when it is so wide."""
        self._height = len(self._rows(width))
        return self._height

    def _rows(self, width: int) -> list[tuple[str, str]]:
        """Texts and their tones: the first is on the rule, the others are under it."""
        room = max(1, width - 2 * _EDGE)
        rows: list[tuple[str, str]] = []
        if self._notice:
            rows += [(line, self._tone) for line in wrap_words(self._notice, room)]
        elif self._whole:
            rows += [(line, "accent") for line in wrap_words(self._standing, room)]
        elif self._standing:
            rows.append((cut(self._standing, room), "accent"))
        for text in self._kept:
            rows += [(line, "warning") for line in wrap_words(text, room)]
        rows += [(line, "accent") for line in wrap_words(self._offered, room)]
        most = max(1, self.app.size.height // 2)
        if len(rows) > most:
            last, tone = rows[most - 1]
            rows[most - 1 :] = [(cut(f"{last} …", room), tone)]
        return rows or [("", "muted")]

    def line_at(self, y: int, width: int) -> Strip:
        rows = self._rows(width)
        if y >= len(rows):
            return Strip.blank(width, self.base())
        text, tone = rows[y]
        if y:
            return fit([self.part(" " * _EDGE), self.part(text, tone)], width, self.base())
        if not text:
            return fit([self.part("─" * width, "rule")], width, self.base())
        rest = " " + "─" * (width - _EDGE - 1 - cell_len(text))
        return fit(
            [self.part("── ", "rule"), self.part(text, tone), self.part(rest, "rule")], width, self.base()
        )
