"""A page of text over the whole screen, scrolled by keys: the keys, the figures, what a command says at length."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.strip import Strip

from tui.core.text import safe_line
from tui.ui.covering import CoveringScreen
from tui.ui.terminal.reader import IN_TEXT
from tui.ui.widgets.line import LineWidget
from tui.ui.widgets.row import cut, fit, parts_width, wrap_words

Line = tuple[tuple[str, str], ...]
"""One line as (text, role) parts."""
Setting = Callable[[int], tuple[Line, ...]]
"""The lines of a page that is so many cells wide."""
Finding = Callable[[str, int], tuple[Line, ...]]
"""The lines in which the words of a query are, for a page that is so many cells wide."""
LONGEST_QUERY = 60
"""Characters of a query; more find nothing."""
HINT = "↑↓ scroll · Esc back"
END = 100_000
"""More lines than any page has."""


class PageLines(LineWidget, can_focus=True):
    """The page, scrolled by arrows and page keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "go(-1)", show=False),
        Binding("down", "go(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", f"go(-{END})", show=False),
        Binding("end", f"go({END})", show=False),
    ]

    def __init__(self, setting: Setting) -> None:
        super().__init__(id="page-lines")
        self._setting = setting
        self._lines: tuple[Line, ...] = ()
        self._top = 0

    def show(self, setting: Setting) -> None:
        """Show another page, from its start."""
        self._setting, self._top = setting, 0
        self.on_resize()

    def on_resize(self) -> None:
        """The page is set to the width. No more of it is scrolled away than there is of it then."""
        self._lines = self._setting(self.size.width)
        self.action_go(0)

    def action_go(self, lines: int) -> None:
        """Up or down, as far as there is more of the page."""
        self._top = max(0, min(self._top + lines, len(self._lines) - self.size.height))
        self.refresh()

    def action_page(self, direction: int) -> None:
        """As far as the screen goes; the line that was last is still seen."""
        self.action_go(direction * max(1, self.size.height - 1))

    def line_at(self, y: int, width: int) -> Strip:
        index = y + self._top
        if index >= len(self._lines):
            return Strip.blank(width, self.base())
        return fit([self.part(text, role) for text, role in self._lines[index]], width, self.base())


class PageTitle(LineWidget):
    """The first line of the page: what it is, what is looked for in it, and the keys."""

    def __init__(self, text: str, hint: str, *, searches: bool) -> None:
        super().__init__()
        self._text = text
        self._hint = hint
        self._searches = searches
        self._query = ""

    def show(self, query: str) -> None:
        """This is what is looked for now."""
        if query != self._query:
            self._query = query
            self.refresh()

    def line(self, width: int) -> Strip:
        if self._query:
            left = [self.part(f" {self._text}  ", "accent"), self.part(f"{self._query}▏")]
            hints = ["Backspace · Esc shows all", "Esc shows all"]
        else:
            left = [self.part(f" {self._text}", "accent")]
            hints = [self._hint]
            if self._searches:
                hints.insert(0, f"type to search · {hints[0]}")
        for hint in hints:
            if parts_width(left) + 3 + len(hint) <= width:
                return fit([*left, self.part(f"   {hint}", "muted")], width, self.base())
        room = max(width // 2, width - len(hints[-1]) - 3)
        shown = cut("".join(text for text, _ in left), room)
        return fit([self.part(shown, "accent"), self.part(f"   {hints[-1]}", "muted")], width, self.base())


class PageScreen(CoveringScreen[None]):
    """Covers the whole screen; Esc, Enter or the key that opened it goes back. What is typed is looked for, if it can be:
    Esc then first shows the whole page again."""

    def __init__(
        self, title: str, setting: Setting, key: str = "", find: Finding | None = None, hint: str = HINT
    ) -> None:
        """`key` is the one that opened it, in Textual's notation; `find` looks for what is typed; `hint` names the keys."""
        super().__init__()
        self._heading = title
        self._setting = setting
        self._key = key
        self._find = find
        self._hint = hint
        self._query = ""

    def compose(self) -> ComposeResult:
        yield PageTitle(self._heading, self._hint, searches=self._find is not None)
        yield PageLines(self._setting)

    def on_key(self, event: events.Key) -> None:
        """All keys but those that scroll, in the order in which they come."""
        if event.character == IN_TEXT and event.key in ("enter", "tab"):
            self._look_for(f"{self._query} ")  # of several lines that came at once
        elif event.key == self._key or event.key == "enter" or (event.key == "escape" and not self._query):
            self.dismiss(None)
        elif event.key in ("escape", "ctrl+u"):
            self._look_for("")
        elif event.key == "backspace":
            self._look_for(self._query[:-1])
        elif event.is_printable and event.character:
            self._look_for(self._query + event.character)
        else:
            return
        event.stop()
        event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        """It is looked for, as what is typed is."""
        event.stop()
        self._look_for(self._query + (safe_line(event.text, LONGEST_QUERY) or " "))

    def _look_for(self, query: str) -> None:
        query = query.lstrip()[:LONGEST_QUERY]
        if self._find is None or query == self._query:
            return
        self._query = query
        self.query_one(PageTitle).show(query)
        self.query_one(PageLines).show(partial(self._find, query) if query else self._setting)


def table(rows: list[tuple[str, str, str]], width: int, least: int = 12) -> list[Line]:
    """Rows of a name, its role and a text that is wrapped beside it, set to `width` cells."""
    column = min(max([least, *(len(name) + 4 for name, _, _ in rows)]), max(least, width // 2))
    lines: list[Line] = []
    for name, role, text in rows:
        first, *others = wrap_words(text, max(10, width - column - 1)) or [""]
        if len(name) + 3 > column:
            lines.append(((cut(f"  {name}", width), role),))
            name = ""
        lines.append(((f"  {name}".ljust(column) if name else " " * column, role), (first, "foreground")))
        lines += [((" " * column + other, "foreground"),) for other in others]
    return lines
