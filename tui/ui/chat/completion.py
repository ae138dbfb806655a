"""What is offered while a slash command is written: a few lines over the composer, of which one can be taken."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from rich.cells import cell_len
from textual import on
from textual.message import Message
from textual.widget import Widget

from tui import files
from tui.core.slash import Completion, CompletionItem, CompletionSource, FileWanted, complete
from tui.core.text import safe_line, safe_name
from tui.errors import LokalError
from tui.ui.chat.file_names import file_choices
from tui.ui.widgets.line_list import LineList
from tui.ui.widgets.row import Part, cut, cut_middle, parts_width
from tui.ui.work import begin

ROWS = 6
"""How many choices are seen at the most."""
HEAD_AND_GAP = 2
"""Lines of the transcript's place that are not for choices: the rule over them, and one that stays in sight."""
NONE_CHOSEN = -1
"""Where the cursor is until a choice is gone to."""
WIDEST_NAME = 28
"""Cells of a command with its argument: the few longer ones are cut, or the help of all others would stand far away."""
KEYS = frozenset({"up", "down", "tab", "enter", "escape"})
"""What means something while choices are offered."""
PATIENCE_S = 1.0
"""How long Tab waits for a folder."""
_HINTS = (
    "↑↓ choose · Enter does it · Tab fills in · Esc closes",
    "Enter does it · Tab fills in",
    "Enter · Tab · Esc",
    "",
)


class Completer(Protocol):
    """What the composer asks while somebody writes."""

    async def key(self, key: str) -> bool:
        """The first right to a key; True = it is done with."""
        ...

    def edited(self) -> None:
        """What is written, or the place of the cursor, has changed by a key."""
        ...

    def close(self) -> None:
        """Offer nothing until something else is written."""
        ...


class SlashInput(Protocol):
    """What is needed of the composer."""

    def line_before_cursor(self) -> str | None:
        """What is written, if it is one line with the cursor at its end."""
        ...

    def fill(self, text: str) -> None:
        """Replace what is written."""
        ...

    def submit(self) -> None:
        """Hand in what is written."""
        ...


class CompletionPopup(LineList, can_focus=False):
    """Lies over the last lines of the transcript. Nothing is moved by it."""

    HEAD_LINES = 1
    DEFAULT_CSS = "CompletionPopup { layer: popup; dock: bottom; height: 0; display: none; }"

    @dataclass(eq=False, repr=False)
    class Listed(Message):
        """A folder was read."""

        wanted: FileWanted
        line: str
        choices: tuple[CompletionItem, ...]

    def __init__(self) -> None:
        super().__init__("completion")
        self._written: SlashInput | None = None
        self._names: Callable[[], CompletionSource] = CompletionSource
        self._seen: str | None = None
        self._line = ""
        self._offered = Completion(0, ())
        self._reading = False
        self._next: tuple[FileWanted, str] | None = None
        self._settled = asyncio.Event()

    def serve(self, written: SlashInput, names: Callable[[], CompletionSource]) -> None:
        """Offer what goes with what is `written`; `names` says what there is just now."""
        self._written = written
        self._names = names

    @property
    def is_open(self) -> bool:
        """Whether anything is offered."""
        return bool(self._offered.choices)

    # -- what the composer asks -------------------------------------------------------------------------------------

    async def key(self, key: str) -> bool:
        """The first right to a key. Tab waits for the folder that is being read: what is typed after it comes after it."""
        line = self._written.line_before_cursor() if self._written else None
        if key not in KEYS or line is None:
            return False
        if key == "tab" and self._next is not None and self._next[1] == line:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._settled.wait(), PATIENCE_S)
        if not self.is_open or line != self._line:
            if key == "tab" and line.startswith("/"):
                self.offer()  # Tab leads away from no command that is half written
                return True
            return False
        match key:
            case "up" | "down":
                self.action_move(-1 if key == "up" else 1)
            case "tab":
                self._take(self._offered.choices[max(0, self.cursor.at)])
            case "enter":
                chosen = self._offered.choices[self.cursor.at] if self.cursor.at >= 0 else None
                written = line[self._offered.start :].rstrip()
                if chosen is None or (chosen.text.rstrip() == written and not chosen.waits):
                    self.close()
                    return False
                self._take(chosen)
                if not chosen.waits:
                    self._submit()
            case _:
                self.close()
        return True

    def edited(self) -> None:
        """Offer what goes with what is written now."""
        line = self._written.line_before_cursor() if self._written else None
        if line is None or not line.startswith("/"):
            self._seen = self._seen if line is None else line
            self._show("", Completion(0, ()))
            return
        if line == self._seen:
            return
        self._seen = line
        found = complete(line, self._names())
        self._next = None
        if isinstance(found, FileWanted):
            self._next = found, line
            self._settled.clear()
            self._read()
        else:
            self._show(line, found or Completion(0, ()))

    def offer(self) -> None:
        """Offer what goes with what is written, also if it was offered and refused before."""
        self._seen = None
        self.edited()

    def close(self) -> None:
        """Offer nothing until something else is written."""
        self._seen = self._written.line_before_cursor() if self._written else None
        self._next = None
        self._settled.set()
        self._show("", Completion(0, ()))

    # -- files ------------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        """Read the folder that is wanted last. One at a time: a disk that hangs is to hold up no more than one thread."""
        if self._reading or self._next is None:
            return
        self._reading = True
        wanted, line = self._next

        async def read() -> None:
            choices = await files.in_thread(partial(file_choices, wanted))
            self.post_message(self.Listed(wanted, line, choices))

        def ended(_: LokalError) -> None:
            self.post_message(self.Listed(wanted, line, ()))

        begin(self, read, "completion", ended=ended)

    @on(Listed)
    def _handle_completion_popup_listed(self, event: Listed) -> None:
        """Offer the files, if it is still them that are asked for."""
        event.stop()
        self._reading = False
        if self._next is None:
            return
        if self._next[1] != event.line:
            self._read()
            return
        self._next = None
        self._show(event.line, Completion(event.wanted.start, (*event.wanted.first, *event.choices)))
        self._settled.set()

    # -- showing and taking -----------------------------------------------------------------------------------------

    def _show(self, line: str, offered: Completion) -> None:
        was_open = self.is_open
        if not was_open and not offered.choices:
            return
        self._line, self._offered, self.cursor.top = line, offered, 0
        self.set_lines(len(offered.choices), 0 if offered.sure and offered.choices else NONE_CHOSEN)
        if self.is_open != was_open:
            self.display = self.is_open

    @property
    def rows(self) -> int:
        """As many as there is room for over the composer."""
        room = self.parent.size.height - HEAD_AND_GAP if isinstance(self.parent, Widget) else ROWS
        return max(1, min(ROWS, self.cursor.count, room))

    @property
    def is_cursor_marked(self) -> bool:
        """It is, though the composer has the focus."""
        return True

    def fit(self) -> None:
        """There is another room for it: the chosen line stays in sight."""
        if self.is_open:
            self.styles.height = self.rows + self.HEAD_LINES
            self.cursor.fit(self.rows)
        self.refresh()

    def action_move(self, step: int) -> None:
        """Up or down, from each end on to the other."""
        first = max(self.cursor.at, 0 if step < 0 else NONE_CHOSEN)
        self.set_lines(self.cursor.count, (first + step) % self.cursor.count)

    def _take(self, choice: CompletionItem) -> None:
        if self._written is None:
            return
        self._written.fill(self._line[: self._offered.start] + choice.text)
        if choice.goes_on:
            self.offer()

    def _submit(self) -> None:
        self.close()
        if self._written is not None:
            self._written.submit()

    # -- the lines --------------------------------------------------------------------------------------------------

    def over_list(self, y: int, width: int) -> Sequence[Part] | None:
        """The rule over the choices."""
        if not self.is_open or y > self.rows:
            return []
        return None if y else self._rule(width)

    def line_parts(self, index: int, width: int, *, under: bool) -> Sequence[Part]:
        """One choice."""
        choice = self._offered.choices[index]
        widest = WIDEST_NAME if self._offered.sure else width
        column = min(max(self._label_width() + 2, 12), widest, width // 2)
        label = cut_middle(_label(choice), column - 1)
        return [
            self.part("›" if under else " ", "accent"),
            self.part(label, "foreground"),
            self.part(" " * (column - cell_len(label)), "foreground"),
            self.part(cut(safe_line(choice.help, 200), width - column - 2), "muted"),
        ]

    def _label_width(self) -> int:
        return max(cell_len(_label(choice)) for choice in self._offered.choices)

    def _rule(self, width: int) -> list[Part]:
        count = len(self._offered.choices)
        place = f"{self.cursor.at + 1} of {count}" if self.cursor.at >= 0 else f"{count}"
        hint = next(hint for hint in _HINTS if not hint or cell_len(hint) + len(place) + 12 <= width)
        left = [self.part("── ", "rule"), self.part(place, "muted"), self.part(" ", "rule")]
        right = [self.part(f" {hint} ", "muted"), self.part("──", "rule")] if hint else []
        gap = width - parts_width([*left, *right])
        return [*left, self.part("─" * max(0, gap), "rule"), *right]


def _label(choice: CompletionItem) -> str:
    return safe_name(choice.label or choice.text)
