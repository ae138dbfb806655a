"""The lines over the composer: questions that wait, files that go along, and the search in the earlier prompts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textual.strip import Strip

from tui.chat.outbox import Outbox
from tui.chat.prompt_history import HistorySearch
from tui.chat.prompt_queue import QueuedPrompt
from tui.core.attaching import in_line
from tui.core.paste_folds import PasteFolds
from tui.core.text import safe_line
from tui.ui.widgets.line import LineWidget
from tui.ui.widgets.row import cut, parts_width, spread

_LEAST_TEXT = 12
"""Cells that the text of a line keeps before what is at its right end."""


@dataclass(frozen=True, slots=True)
class PreviewLine:
    """`label text           hint`; what does not fit is cut from the text first, then from the hint."""

    label: str
    text: str
    hint: str
    tone: str = "accent"


class InputPreview(LineWidget):
    """As high as it has lines; without any it takes no place."""

    DEFAULT_CSS = "InputPreview { height: 0; }"

    def __init__(self) -> None:
        super().__init__(id="input-preview")
        self._lines: tuple[PreviewLine, ...] = ()

    def show(self, lines: tuple[PreviewLine, ...]) -> None:
        """Show these; nothing is laid out or painted if nothing changed."""
        if lines == self._lines:
            return
        if len(lines) != len(self._lines):
            self.styles.height = len(lines)
        self._lines = lines
        self.refresh()

    def line_at(self, y: int, width: int) -> Strip:
        if y >= len(self._lines):
            return Strip.blank(width, self.base())
        line = self._lines[y]
        label = [self.part(f" {line.label} ", line.tone)]
        hint = [self.part(line.hint, "muted"), self.part(" ")]
        room = max(_LEAST_TEXT, width - parts_width(label) - parts_width(hint) - 2)
        return spread([*label, self.part(cut(line.text, room))], hint, width, self.base(), gap=2)


def preview_lines(
    outbox: Outbox, found: HistorySearch | None, key: Callable[[str], str]
) -> tuple[PreviewLine, ...]:
    """What goes with the next prompt: first what waits; `found` is how a search in the earlier prompts stands. `key` gives
    the key of a command."""
    lines = []
    if len(outbox.queue):
        lines.append(_queue_line(outbox, key))
    if outbox.attached:
        lines.append(PreviewLine("attached:", in_line(outbox.attached), "Backspace takes one back"))
    if found is not None:
        lines.append(PreviewLine("search:", f"{found.query}▏", _how_found(found, key)))
    return tuple(lines)


def _queue_line(outbox: Outbox, key: Callable[[str], str]) -> PreviewLine:
    prompts, back = outbox.queue.prompts, key("queue.take_back")
    each = 300 if len(prompts) == 1 else 30
    text = " · ".join(safe_line(_shown(prompt), each) for prompt in prompts)
    if not outbox.queue.held:
        return PreviewLine("waiting:", text, f"{back} takes it back")
    count = "1 question waits:" if len(prompts) == 1 else f"{len(prompts)} questions wait:"
    return PreviewLine(count, text, f"{key('send')} sends · {back} takes back", "warning")


def _shown(prompt: QueuedPrompt) -> str:
    text = PasteFolds().load(prompt.marked)
    return f"{text} [{in_line(prompt.attachments)}]" if prompt.attachments else text


def _how_found(found: HistorySearch, key: Callable[[str], str]) -> str:
    if not found.query:
        return "words of an earlier prompt · Esc back"
    if not found.count:
        return "nothing found · Esc back"
    older, take = key("history.search"), key("send")
    return f"{found.number} of {found.count} · {older} older · {take} takes it · Esc back"
