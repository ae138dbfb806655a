"""The screen of a comparison: the prompt, the columns, and the keys to choose one."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message as UiMessage
from textual.strip import Strip
from textual.timer import Timer

from tui.chat.comparison import Comparison, ComparisonColumn, names_of
from tui.core.commands import BY_ID, key_name
from tui.core.message import Status
from tui.core.text import safe_line
from tui.ui.compare.column import ColumnView
from tui.ui.compare.keys import column_keys
from tui.ui.covering import CoveringScreen
from tui.ui.keys import named_by
from tui.ui.terminal.pace import Pace
from tui.ui.widgets.line import LineWidget
from tui.ui.widgets.row import Part, cut, fit, parts_width, spread

LEAST_WIDTH, LEAST_HEIGHT = 24, 5
"""Cells and lines in which a column can be read."""
ROOMY = 60
"""From so many cells on, the line of keys also names the one that shows them all."""
_SCROLL = ("up", "down", "home", "end")


def shape(count: int, width: int, height: int) -> tuple[int, int] | None:
    """How many columns stand side by side, and in how many rows; None where they do not all fit."""
    for rows in range(1, count + 1):
        across = -(-count // rows)
        if (width - 2 * (across - 1)) // across >= LEAST_WIDTH and height // rows >= LEAST_HEIGHT:
            return across, rows
    return None


class PromptLine(LineWidget):
    """The question that all answer."""

    def __init__(self, prompt: str) -> None:
        super().__init__()
        self._prompt = safe_line(prompt, 500)

    def line(self, width: int) -> Strip:
        return fit(
            [self.part(" compare  ", "muted"), self.part(cut(self._prompt, width - 11), "accent")],
            width,
            self.base(),
        )


class KeyLine(LineWidget):
    """How it goes on, and the keys."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        super().__init__()
        self._keys = keys
        self._state = ("", "muted")
        self._answers_come = True

    def show(self, text: str, tone: str, *, running: bool) -> None:
        """Change what is shown; nothing is repainted if nothing changed."""
        if ((text, tone), running) != (self._state, self._answers_come):
            self._state, self._answers_come = (text, tone), running
            self.refresh()

    def line(self, width: int) -> Strip:
        text, tone = self._state
        arrows = "".join(key_name(self._keys.get(f"compare.{way}", "")) for way in ("previous", "next"))
        keep, stop = (key_name(self._keys.get(f"compare.{id}", "")) for id in ("keep", "stop"))
        named = [(arrows, "column"), (keep, "keep"), (stop, "stop" if self._answers_come else "leave")]
        if width >= ROOMY:
            named.append((key_name(self._keys.get("help", "")), "keys"))
        right: list[Part] = []
        for key, word in named:
            right += [self.part("  " if right else ""), self.part(key, "key"), self.part(f" {word}", "muted")]
        left = [self.part(" "), self.part(cut(text, max(0, width - parts_width(right) - 4)), tone)]
        return spread(left, [*right, self.part(" ")], width, self.base(), gap=2)


class CompareScreen(CoveringScreen[ComparisonColumn | None]):
    """Shows a comparison. Its result is the column that was kept, or None."""

    OWN_COMMANDS: ClassVar = frozenset(id for id in BY_ID if id.startswith("compare."))
    """The commands whose keys it reads itself, while it has the focus."""

    AUTO_FOCUS = ""
    DEFAULT_CSS = """
    CompareScreen { background: $background; }
    CompareScreen #columns { layout: grid; height: 1fr; width: 100%; }
    """

    @dataclass(eq=False, repr=False)
    class News(UiMessage):
        """An answer has something new. Handled once for many, whichever they are."""

        def can_replace(self, message: UiMessage) -> bool:
            return isinstance(message, CompareScreen.News)

    def __init__(self, comparison: Comparison, keys: Mapping[str, str], pace: Callable[[], Pace]) -> None:
        super().__init__()
        self._comparison = comparison
        self._keys = keys
        self._pace = pace
        self._names = names_of(comparison.columns)
        self._views = [
            ColumnView(
                column,
                name,
                detail,
                lambda id: key_name(keys.get(id, "")),
                comparison.waits,
                comparison.difference,
            )
            for column, (name, detail) in zip(comparison.columns, self._names, strict=True)
        ]
        self._chosen = 0
        self._keeping: ComparisonColumn | None = None
        self._refused = False
        self._fits = True
        self._shown_at = -1.0
        self._alarm: Timer | None = None
        self._does = {
            key: id
            for id, key in keys.items()
            if id.startswith("compare.")
            or id in ("help", "scroll.page_up", "scroll.page_down", "reasoning.toggle")
        }

    def compose(self) -> ComposeResult:
        yield PromptLine(self._comparison.question.content)
        with Container(id="columns"):
            yield from self._views
        yield KeyLine(self._keys)

    def on_mount(self) -> None:
        """From now on there is somebody to tell."""
        self._views[0].choose(True)
        self._comparison.on_news = self._tell
        self._arrange()
        self._tell()

    def _tell(self) -> None:
        if self.is_running:
            self.post_message(self.News())

    def on_resize(self) -> None:
        """The columns stand as they fit."""
        self._arrange()

    def _arrange(self) -> None:
        """As many side by side as can be read, the others under them; where that is too much, the chosen one alone."""
        found = shape(len(self._views), self.size.width, self.size.height - 2)
        self._fits = found is not None
        across, rows = found or (1, 1)
        styles = self.query_one("#columns").styles
        styles.grid_size_columns, styles.grid_size_rows = across, rows
        for index, view in enumerate(self._views):
            view.display = self._fits or index == self._chosen
            last = (index + 1) % across == 0 or index + 1 == len(self._views)
            view.place(first=index % across == 0, last=last, below=index >= across)
        self._show_state()

    # -- what has come ----------------------------------------------------------------------------------------------

    @on(News)
    def _handle_compare_screen_news(self, event: News) -> None:
        """Show it, at the pace of the link for all columns together."""
        event.stop()
        due = self._shown_at + self._pace().interval_s() - time.monotonic()
        if due <= 0:
            self._show()
        elif self._alarm is None:
            self._alarm = self.set_timer(due, self._show)

    def _show(self) -> None:
        if self._alarm is not None:
            self._alarm.stop()
            self._alarm = None
        self._shown_at = time.monotonic()
        slow = self._pace().slow
        with self.app.batch_update():
            self._rename()
            for view in self._views:
                view.refresh_column(by_page=slow)
            self._show_state()
        if self._keeping is not None and self._keeping.final is not None and self.is_current:
            self._keep()

    def _rename(self) -> None:
        """A server that was connected to has said which model it is asked for."""
        names = names_of(self._comparison.columns)
        if names != self._names:
            self._names = names
            for view, (name, detail) in zip(self._views, names, strict=True):
                view.set_title(name, detail)

    def _show_state(self) -> None:
        running, count = len(self._comparison.running), len(self._views)
        text, tone = (
            self._outcome() if not running else f"{running} of {count} answers are coming",
            "muted",
        )
        columns = self._comparison.columns
        unsent = sorted(
            {name for column in columns for name in (*column.unsent, *column.stream.generation.not_sent)}
        )
        if self._keeping is not None:
            text, tone = "this answer is kept when it is whole", "accent"
        elif self._refused:
            text, tone = "there is no answer in this column", "warning"
        elif not self._fits:
            text = f"column {self._chosen + 1} of {count}"
        elif unsent and not running:
            text, tone = f"not sent everywhere: {', '.join(unsent)}", "warning"
        self.query_one(KeyLine).show(text, tone, running=bool(running))

    def _outcome(self) -> str:
        """`2 answers · 1 failed`; what ended before anything came is no answer."""
        empty = [column.message.status for column in self._comparison.columns if column.empty]
        count, failed = len(self._views) - len(empty), empty.count(Status.FAILED)
        words = [f"{count or 'no'} answer{'s' if count > 1 else ''}"]
        if failed:
            words.append(f"{failed} failed")
        if len(empty) > failed:
            words.append(f"{len(empty) - failed} stopped")
        return " · ".join(words)

    # -- what the keys do -------------------------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """The keys of this screen; those of the chat under it rest."""
        does = named_by(event, self._does) or (event.key if event.key in (*_SCROLL, "ctrl+c") else "")
        transcript = self._views[self._chosen].transcript
        match does:
            case "compare.previous":
                self._choose(self._chosen - 1)
            case "compare.next":
                self._choose(self._chosen + 1)
            case "compare.left" | "compare.right":
                self._views[self._chosen].go_sideways(-1 if does == "compare.left" else 1)
            case "compare.keep":
                self._keep()
            case "compare.stop":
                if not self._comparison.stop():
                    self.dismiss(None)
            case "ctrl+c":
                self._comparison.stop()
            case "up":
                transcript.line_up()
            case "down":
                transcript.line_down()
            case "scroll.page_up":
                transcript.page_up()
            case "scroll.page_down":
                transcript.page_down()
            case "home":
                transcript.to_start()
            case "end":
                transcript.follow()
            case "help":
                self.app.push_screen(column_keys(self._keys))
            case "reasoning.toggle":
                for view in self._views:
                    view.transcript.toggle_reasoning()
            case _:
                return
        event.stop()
        event.prevent_default()

    def _choose(self, index: int) -> None:
        self._views[self._chosen].choose(False)
        self._chosen = self._comparison.cursor = index % len(self._views)
        self._views[self._chosen].choose(True)
        self._refused = False
        if self._fits:
            self._show_state()
        else:
            self._arrange()

    def _keep(self) -> None:
        """Go on with the chosen answer; while it is still coming it is waited for, and the others end."""
        column = self._keeping or self._views[self._chosen].column
        self._keeping = None
        if column.empty and not all(other.empty for other in self._comparison.columns):
            self._refused = True
            self._show_state()
            return
        self._comparison.stop(keep=column)
        if column.final is not None:
            self.dismiss(column)
        else:
            self._keeping = column
            self._show_state()
