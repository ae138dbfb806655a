"""One column of a comparison: its name, how far it is, its answer."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.strip import Strip

from tui.chat.comparison import ComparisonColumn
from tui.chat.wording import cut_words, phase_words
from tui.core.endings import remark
from tui.core.message import Message, Status
from tui.ui.chat import structured
from tui.ui.chat.entries import ending_tone, outcome_of
from tui.ui.look import palette_of
from tui.ui.transcript.heading import heading_line
from tui.ui.transcript.view import Entry, EntryNotice, Heading, Tone, Transcript
from tui.ui.widgets.line import LineWidget
from tui.ui.widgets.row import cut, fit

ROOMY = 30
"""From so many cells on, a blank is left before the rule at the right."""
WIDE = 44
"""From so many cells on, the figures stand in the heading line."""


class Side(LineWidget):
    """The thin rule between a column and the one at its left."""

    DEFAULT_CSS = "Side { width: 2; height: 100%; }"
    below = False
    """Whether other columns stand above."""

    def line_at(self, y: int, width: int) -> Strip:
        crossing = "┼─" if self.below else "┬─"  # the heading line runs through
        return fit([self.part("│ " if y else crossing, "rule")], width, self.base())


class Head(LineWidget):
    """`── creative · llama3.2:3b ──`; `›─` on the column that is chosen."""

    def __init__(self, name: str, detail: str) -> None:
        super().__init__()
        self._heading = Heading(name, Tone.MODEL, detail)
        self._chosen = False

    def show(self, heading: Heading, chosen: bool) -> None:
        """Change what is shown; nothing is repainted if nothing changed."""
        if (heading, chosen) != (self._heading, self._chosen):
            self._heading, self._chosen = heading, chosen
            self.refresh()

    def line(self, width: int) -> Strip:
        return Strip(heading_line(self._heading, width, palette_of(self), self._chosen), width)


class ColumnFigures(LineWidget):
    """How far the answer is, or how it went, in a narrow column."""

    def __init__(self) -> None:
        super().__init__()
        self._text = ""

    def show(self, text: str) -> None:
        """Change what is shown; nothing is repainted if nothing changed."""
        if text != self._text:
            self._text = text
            self.refresh()

    def line(self, width: int) -> Strip:
        return fit([self.part(cut(self._text, width), "muted")], width, self.base())


class ColumnView(Horizontal):
    """Shows a column. `refresh_column` brings it up to date; it costs as much as what is new."""

    DEFAULT_CSS = "ColumnView { height: 1fr; width: 1fr; }"

    def __init__(
        self,
        column: ComparisonColumn,
        name: str,
        detail: str,
        key_of: Callable[[str], str],
        waits: Callable[[ComparisonColumn], bool],
        difference: Callable[[ComparisonColumn], str] = lambda _: "",
    ) -> None:
        """`difference` says under a whole answer how it compares with the first one, empty for nothing."""
        super().__init__()
        self.column = column
        self._called = name
        self._detail = detail
        self._key_of = key_of
        self._waits = waits
        self._difference = difference
        self._said = ""
        self._chosen = False
        self._ended = False
        self._side = Side()
        self._last = False
        self._head = Head(name, detail)
        self._figures = ColumnFigures()
        self.transcript = Transcript()

    def compose(self) -> ComposeResult:
        yield self._side
        with Vertical():
            yield self._head
            yield self._figures
            yield self.transcript

    def on_mount(self) -> None:
        """The answer is awaited."""
        self.transcript.set_reasoning_key(self._key_of("reasoning.toggle"))
        self.transcript.add(self._entry())
        self.show_state()

    def on_resize(self) -> None:
        """The figures stand where there is room."""
        self._fit()
        self.show_state()

    def place(self, *, first: bool, last: bool, below: bool) -> None:
        """Where the column stands: at the left end, at the right end, under others."""
        self._side.display = not first
        self._side.below = below
        self._last = last
        self._fit()

    def _fit(self) -> None:
        width = self.size.width
        self._figures.display = width < WIDE
        self.transcript.styles.padding = (0, int(width >= ROOMY and not self._last), 0, 0)

    def set_title(self, name: str, detail: str) -> None:
        """Give the column another name."""
        self._called, self._detail = name, detail
        self.show_state()

    def choose(self, chosen: bool) -> None:
        """Mark the column, or no longer."""
        self._chosen = chosen
        self.show_state()

    def go_sideways(self, way: int) -> None:
        """Half a column on in what is too wide for it, or back where `way` is -1."""
        message = self.column.final or self.column.message
        self.transcript.move_sideways(message.id, way * max(1, self.transcript.size.width // 2))

    def refresh_column(self, *, by_page: bool) -> None:
        """Show what has come since the last time."""
        stream = self.column.stream
        # Of one that has ended nothing more comes, for which room would be left below.
        self.transcript.set_paging(by_page and self.column.final is None)
        text, reasoning = stream.take()
        if self.column.final is not None:
            difference = self._difference(self.column)
            if not self._ended or difference != self._said:
                self._ended, self._said = True, difference
                self.transcript.replace(self._entry())
        elif stream.rewritten:
            stream.rewritten = False
            self.transcript.replace(self._entry())
        elif text or reasoning:
            self.transcript.extend(self.column.message.id, text, reasoning)
        self.show_state()

    def show_state(self) -> None:
        """Bring heading and figures up to date."""
        wide = self.size.width >= WIDE
        words = self._words(wide)
        heading = Heading(self._called, Tone.MODEL, self._detail, words if wide else "")
        self._head.show(heading, self._chosen)
        self._figures.show(words)

    def _words(self, wide: bool) -> str:
        final = self.column.final
        if final is not None:
            return outcome_of(final, word_first=not wide)
        if self._waits(self.column):
            return "waiting"
        return phase_words(self.column.stream.generation)

    def _entry(self) -> Entry:
        column, heading = self.column, Heading("", Tone.MODEL)
        if column.final is not None:
            message = column.final
            text = structured.shown(message)
            notice = _notice_of(message) or (EntryNotice(self._said, Tone.MUTED) if self._said else None)
            return Entry(message.id, heading, text, message.reasoning, notice)
        generation = column.stream.generation
        return Entry(column.message.id, heading, generation.content, generation.reasoning, streaming=True)


def _notice_of(message: Message) -> EntryNotice | None:
    """What is to be said under an answer here, where no key can help it."""
    problem = message.problem
    if problem is not None and message.status in (Status.FAILED, Status.INTERRUPTED):
        text = "\n".join(part for part in (problem.title, problem.detail, problem.hint) if part)
        return EntryNotice(text, Tone.ERROR if message.status is Status.FAILED else Tone.WARNING)
    if message.status is Status.COMPLETE and message.finish_reason == "length":
        return EntryNotice(cut_words(message), Tone.MUTED)
    if message.status is Status.COMPLETE and (said := remark(message.finish_reason)):
        return EntryNotice(said, ending_tone(message))
    if message.status is Status.COMPLETE and not message.content.strip():
        return EntryNotice("The model answered nothing", Tone.MUTED)
    return structured.notice_of(message)
