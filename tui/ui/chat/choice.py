"""A question of lokal's own, in the place of the composer: what is the matter, and what can be done, a key for each."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.core.commands import key_name
from tui.core.text import safe_line
from tui.ui.look import palette_of
from tui.ui.row import Part, cut, fit, wrap_words

SHARE = 60
"""Of the rows of the screen, so many per cent at the most."""
MEASURE = 100
"""The most cells of a line: longer ones are hard to read."""

TYPING_S = 0.6
"""What is typed within this time after the question appeared, or after the key before, was meant for the composer."""

Line = tuple[tuple[str, str], ...]
"""One line as (text, role) parts."""


@dataclass(frozen=True, slots=True)
class Option:
    """What can be done: the command whose key does it, and what it does. Where it cannot be done `why_not` says why.
    `brief` says the same in fewer words, for a small screen."""

    command_id: str
    text: str = ""
    why_not: str = ""
    brief: str = ""


@dataclass(frozen=True, slots=True)
class Dilemma:
    """What is asked. `detail` is said under the title, `brief` in its place on a small screen."""

    title: str
    detail: str = ""
    options: tuple[Option, ...] = ()
    brief: str = ""


class Choice(Widget, can_focus=True):
    """Shown while there is something to choose; the composer is hidden meanwhile."""

    DEFAULT_CSS = f"Choice {{ width: 100%; height: auto; max-height: {SHARE}vh; display: none; }}"

    class Made(Message):
        """The person chose."""

        def __init__(self, command_id: str) -> None:
            super().__init__()
            self.command_id = command_id

    class Typed(Message):
        """The person was still writing when the question appeared."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Pasted(Message):
        """The person pasted something, which is for the composer."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, keys: Mapping[str, str], clock: Callable[[], float] = time.monotonic) -> None:
        """`keys` by command id."""
        super().__init__(id="choice")
        self._keys = keys
        self.clock = clock
        self._typing_until = 0.0
        self._dilemma: Dilemma | None = None

    @property
    def dilemma(self) -> Dilemma | None:
        """What is asked now; None for nothing."""
        return self._dilemma

    def show(self, dilemma: Dilemma | None) -> None:
        """Ask this; None to go away."""
        if self._dilemma is None:
            self._typing_until = self.clock() + TYPING_S
        self._dilemma = dilemma
        self.display = dilemma is not None
        self.refresh(layout=True)

    def on_key(self, event: events.Key) -> None:
        """A key of one of the options. Letters of a sentence that is being typed choose nothing: one that begins with
        none of these keys goes into the composer, and so does what follows at once."""
        options = self._dilemma.options if self._dilemma is not None else ()
        pressed = {event.key, (event.character or event.key).lower()}  # Caps Lock is no other choice
        chosen = [option for option in options if self._keys.get(option.command_id) in pressed]
        if event.is_printable and event.character and (self.clock() < self._typing_until or not chosen):
            event.stop()
            event.prevent_default()
            self._typing_until = self.clock() + TYPING_S
            self.post_message(self.Typed(event.character))
        elif chosen and not chosen[0].why_not:
            event.stop()
            event.prevent_default()
            self.post_message(self.Made(chosen[0].command_id))

    def on_paste(self, event: events.Paste) -> None:
        """It chooses nothing."""
        event.stop()
        self.post_message(self.Pasted(event.text))

    def on_focus(self) -> None:
        """The keys mean something."""
        self.refresh()

    def on_blur(self) -> None:
        """The keys are for something else: they are shown as what cannot be pressed."""
        self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many rows as it takes to say it all."""
        return len(self._lines(width, viewport.height))

    def render_line(self, y: int) -> Strip:
        """Textual's line API."""
        palette, width = palette_of(self), self.size.width
        base = palette["foreground"] + palette["background"]
        lines = self._lines(width, self.app.size.height)
        parts: list[Part] = []
        if y < len(lines):
            parts = [(text, palette[role]) for text, role in lines[y]]
        return fit(parts, width, base)

    def _lines(self, width: int, rows: int) -> list[Line]:
        """The lines as (text, role) parts, on a screen of so many rows: whole if there is room, else in fewer words. Where
        these have no room either each option has one line, so that none is out of sight."""
        most = rows * SHARE // 100
        lines = self._set(width, brief=False)
        if len(lines) > most:
            lines = self._set(width, brief=True)
        return lines if len(lines) <= most else self._set(width, brief=True, whole=False)

    def _set(self, width: int, *, brief: bool, whole: bool = True) -> list[Line]:
        dilemma = self._dilemma
        if dilemma is None:
            return []
        keys = {
            option.command_id: ""
            if option.why_not
            else key_name(self._keys.get(option.command_id, "")).lower()
            for option in dilemma.options
        }
        column = max([0, *map(len, keys.values())]) + 5
        room = min(width, MEASURE) - 2

        def lines_of(text: str, room: int) -> list[str]:
            text = safe_line(text, 500)
            return wrap_words(text, max(1, room)) if whole else [cut(text, room)]

        detail = dilemma.brief if brief and dilemma.brief else dilemma.detail
        lines: list[Line] = [((f" {line}", "warning"),) for line in lines_of(dilemma.title, room)]
        lines += [((f" {line}", "muted"),) for line in lines_of(detail, room) if line]
        for option in dilemma.options:
            text, role = (option.why_not, "muted") if option.why_not else (option.text, "foreground")
            said = lines_of(option.brief if brief and option.brief else text, room - column)
            first, *others = said or [""]
            key = "key" if self.has_focus else "muted"
            lines.append(((f"   {keys[option.command_id]}".ljust(column), key), (first, role)))
            lines += [((" " * column + line, role),) for line in others]
        return lines
