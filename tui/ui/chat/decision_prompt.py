"""What lokal asks by itself, in lines over the composer: what is the matter, and a list of the ways on.

The composer keeps the keys. Tab, or the down arrow where nothing is written, goes to the list; no letter chooses
anything, so that whoever is writing when the list appears goes on writing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, cast

from rich.cells import cell_len
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from tui.chat.decision import Decision, DecisionOption
from tui.core.commands import key_name
from tui.core.text import safe_line
from tui.ui.terminal.reader import IN_TEXT
from tui.ui.widgets.line import LineWidget
from tui.ui.widgets.row import cut, wrap_words

SHARE = 60
"""Of the rows of the screen, so many per cent at the most."""
MEASURE = 100
"""The most cells of a line: longer ones are hard to read."""
COLUMN = 5
"""Cells before an option: the mark, the number, and blanks."""
ENTER = "choices.enter"
TAKE = "choices.take"
_STEPS = {"choices.previous": -1, "choices.next": 1}

RolePart = tuple[str, str]
"""A text and the role that it is drawn in."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line as (text, role) parts; `option` is the one that it is of, by its place among all; None = of none."""

    parts: tuple[RolePart, ...]
    option: int | None = None


class DecisionPrompt(LineWidget, can_focus=True):
    """Shown while there is something to choose."""

    OWN_COMMANDS: ClassVar = frozenset({"choices.previous", "choices.next", "choices.take"})
    """The commands whose keys it reads itself, while it has the focus."""

    DEFAULT_CSS = f"DecisionPrompt {{ height: auto; max-height: {SHARE}vh; display: none; }}"

    @dataclass(eq=False, repr=False)
    class Made(Message):
        """The person chose."""

        command_id: str
        argument: str = ""

    @dataclass(eq=False, repr=False)
    class Focused(Message):
        """The list has the keys now, or no longer."""

    def __init__(
        self, id: str, keys: Mapping[str, str], writing_place: Callable[[], Widget] | None = None
    ) -> None:
        """`keys` by command id; what is typed here is for the `writing_place`, for nobody where there is none."""
        super().__init__(id=id)
        self._keys = keys
        self._does = {keys[id]: id for id in (ENTER, TAKE, *_STEPS) if keys.get(id)}
        self._writing_place = writing_place
        self._dilemma: Decision | None = None
        self._cursor = ""
        self._nothing_written = True
        self._is_made = False

    @property
    def dilemma(self) -> Decision | None:
        """What is asked now; None for nothing."""
        return self._dilemma

    @property
    def cursor(self) -> str:
        """The id of the option under the cursor; empty where nothing can be chosen."""
        ids = self._ids
        return self._cursor if self._cursor in ids else ids[0] if ids else ""

    @property
    def _ids(self) -> tuple[str, ...]:
        options = self._dilemma.options if self._dilemma is not None else ()
        return tuple(option.id for option in options if not option.why_not)

    def show(self, dilemma: Decision | None) -> None:
        """Ask this; None to go away. The cursor stays on its option, where that is asked about again."""
        if dilemma == self._dilemma:
            return
        if self._dilemma is None or dilemma is None:
            self._cursor = ""
        if dilemma is None and self.has_focus:
            self._leave()
        self._dilemma = dilemma
        self._is_made = False
        self.display = dilemma is not None
        self.refresh(layout=True)

    def written(self, text: str) -> None:
        """This is what is written now: only while it is nothing can the numbers be typed."""
        if self._nothing_written != (not text):
            self._nothing_written = not text
            self.refresh()

    # -- keys -------------------------------------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """A key of the list; what can be written goes to the composer, and so do the keys behind it."""
        focused = self.screen.focused
        id = self._does.get(event.key, "")
        number = int(event.character) if event.character and event.character in "123456789" else 0
        if self._writing_place is None and (id == ENTER or event.character == IN_TEXT):
            pass  # nobody writes here, and lines of a text choose nothing
        elif focused is not None and focused is not self:
            focused.post_message(events.Key(event.key, event.character))
        elif self._nothing_written and 0 < number <= len(self._ids):
            self._make(self._ids[number - 1])
        elif self._writing_place is not None and (
            (event.is_printable and event.character) or event.character == IN_TEXT
        ):
            self._leave(events.Key(event.key, event.character))
        elif id in _STEPS:
            self._step(_STEPS[id])
        elif id == TAKE:
            self._make(self.cursor)
        elif id == ENTER:
            self._leave()
        else:
            return
        event.stop()
        event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        """It chooses nothing."""
        event.stop()
        if self._writing_place is not None:
            self._leave(events.Paste(event.text))

    def _step(self, by: int) -> None:
        ids = self._ids
        if ids:
            at = ids.index(self.cursor) + by
            self._cursor = ids[min(max(at, 0), len(ids) - 1)]
            self.refresh()

    def _make(self, option_id: str) -> None:
        if option_id and not self._is_made:  # not twice before anything has come of it
            self._is_made = True
            command_id, _, argument = option_id.partition(" ")
            self.post_message(self.Made(command_id, argument))

    def _leave(self, event: events.Key | events.Paste | None = None) -> None:
        """At once, so that the next key is for who has the focus then, as the `event` is."""
        place = self._writing_place() if self._writing_place is not None else None
        self.screen.set_focus(place)
        if place is not None and event is not None:
            place.post_message(event)

    def on_focus(self) -> None:
        """The keys are for the list."""
        self._is_made = False
        self.refresh()
        self.post_message(self.Focused())

    def on_blur(self) -> None:
        """The keys are for something else: the list is shown as what has to be gone to."""
        self.refresh()
        self.post_message(self.Focused())

    # -- the lines --------------------------------------------------------------------------------------------------

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many rows as it takes to say it all."""
        return len(self._lines(width, viewport.height))

    def line_at(self, y: int, width: int) -> Strip:
        lines = self._lines(width, self.app.size.height)
        if len(lines) > (seen := self._seen_rows()):
            lines = self._near_cursor(lines, seen)
        if y >= len(lines):
            return Strip.blank(width, self.base())
        parts = [self.part(text, role) for text, role in lines[y].parts]
        return self.item_line(parts, width, marked=self.has_focus and self._is_under(lines[y]))

    def _option(self, at: int) -> DecisionOption:
        assert self._dilemma is not None
        return self._dilemma.options[at]

    def _lines(self, width: int, rows: int) -> list[Line]:
        """The lines on a screen of so many rows: whole if there is room, else in fewer words. Where these have no room
        either each option has one line, so that none is out of sight."""
        most = rows * SHARE // 100
        lines = self._set(width, brief=False)
        if len(lines) > most:
            lines = self._set(width, brief=True)
        if len(lines) > most:
            lines = self._set(width, brief=True, whole=False)
        return lines if len(lines) <= most else self._near_cursor(lines, most)

    def _seen_rows(self) -> int:
        """How many rows of it there is room for where it stands."""
        around = self.parent.size.height if isinstance(self.parent, Widget) else self.size.height
        return max(1, min(self.size.height, around - self.styles.margin.top))

    def _near_cursor(self, lines: list[Line], most: int) -> list[Line]:
        """On a screen that is too low even for that: as many options as there is room for, with the one under the cursor."""
        options = [line for line in lines if line.option is not None]
        at = next((at for at, line in enumerate(options) if self._is_under(line)), 0)
        first = max(0, at - max(1, most) + 1)
        return options[first : first + max(1, most)]

    def _is_under(self, line: Line) -> bool:
        return line.option is not None and self._option(line.option).id == self.cursor

    def _set(self, width: int, *, brief: bool, whole: bool = True) -> list[Line]:
        dilemma = self._dilemma
        if dilemma is None:
            return []
        room = min(width, MEASURE) - 2

        def lines_of(text: str, room: int) -> list[str]:
            text = safe_line(text, 500)
            return wrap_words(text, max(1, room)) if whole else [cut(text, room)]

        detail = dilemma.brief if brief and dilemma.brief else dilemma.detail
        title_role = "foreground" if dilemma.calm else "warning"
        lines = [Line(((f" {line}", title_role),)) for line in lines_of(dilemma.title, room)]
        paragraphs = [line for text in detail.split("\n") for line in lines_of(text, room)]
        lines += [Line(((f" {line}", "muted"),)) for line in paragraphs if line]
        ids = self._ids
        for at, option in enumerate(dilemma.options):
            text, role = (option.why_not, "muted") if option.why_not else (option.text, "foreground")
            text = option.brief if brief and option.brief else text
            key = "" if option.argument else self._keys.get(option.command_id)
            said = lines_of(
                f"{text} ({key_name(key)})" if key and not option.why_not else text, room - COLUMN
            )
            lines.append(Line((*self._mark(option, ids), (said[0] if said else "", role)), at))
            lines += [Line(((" " * COLUMN + line, role),), at) for line in said[1:]]
        if whole and ids:
            lines.append(Line(((f" {self._hint(width - 2)}", "muted"),)))
        return lines

    def _mark(self, option: DecisionOption, ids: tuple[str, ...]) -> tuple[RolePart, ...]:
        """What stands before an option: the cursor, and the number that may be typed."""
        if option.why_not:
            return ((" " * COLUMN, "muted"),)
        is_cursor = option.id == self.cursor
        number = str(ids.index(option.id) + 1) if self.has_focus and self._nothing_written else ""
        return (
            (" › " if is_cursor else "   ", "accent" if self.has_focus else "muted"),
            (number.ljust(COLUMN - 3), "key"),
        )

    def _hint(self, room: int) -> str:
        enter = key_name(self._keys.get(ENTER, ""))
        if self.has_focus or self._writing_place is None:
            way = "".join(key_name(self._keys.get(id, "")) for id in _STEPS)
            take = key_name(self._keys.get(TAKE, ""))
            numbers = ", or a number," if self._nothing_written else ""
            hints = (
                f"{way} and {take}{numbers} choose · {enter} goes back to writing",
                f"{way} {take} · {enter} back",
            )
            if self._writing_place is None:
                hints = (f"{way} and {take}{numbers} choose", f"{way} {take}")
        else:
            ways = f"{enter} or ↓" if self._nothing_written else enter
            typed = cast(Decision, self._dilemma).typed
            hints = (f"{ways} chooses here; what you type is {typed}", f"{ways} chooses here")
        return next((hint for hint in hints if cell_len(hint) <= room), hints[-1])


def shown_on(screen: Screen[object]) -> DecisionPrompt | None:
    """The list from which something can be chosen on a screen now; None where there is none."""
    return next(
        (choice for choice in screen.query(DecisionPrompt) if choice.cursor and _is_shown(choice)), None
    )


def _is_shown(choice: DecisionPrompt) -> bool:
    """Whether neither the list nor the tab that it is in is hidden."""
    return all(widget.display for widget in choice.ancestors_with_self if isinstance(widget, Widget))
