"""The list of a server's models: one line each, a cursor, the one in use marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.core.model import Model
from tui.core.text import human_size, human_tokens, safe_line, safe_name
from tui.ui.look import palette_of
from tui.ui.messages import ModelChosen
from tui.ui.row import Part, colourless, cut, cut_middle, fit, wrap_words

COLUMNS = (("PARAMS", 8), ("QUANT", 9), ("SIZE", 9), ("CONTEXT", 13), ("STATE", 14))
"""Title and width in cells of the columns after the name."""
_FIRST_TO_GO = ("QUANT", "CONTEXT", "PARAMS", "SIZE")
LEAST_NAME = 22
"""Cells of the name below which a column gives way to it."""


def columns(width: int) -> tuple[int, ...]:
    """The places in COLUMNS of those that a screen of `width` cells has room for."""
    shown = [title for title, _ in COLUMNS]
    for title in _FIRST_TO_GO:
        if width - sum(size for name, size in COLUMNS if name in shown) >= LEAST_NAME:
            break
        shown.remove(title)
    return tuple(place for place, (title, _) in enumerate(COLUMNS) if title in shown)


class ModelTable(ScrollView, can_focus=True):
    """Up and Down move, Enter chooses. The first line is the heading and scrolls with nothing."""

    OWN_COMMANDS: ClassVar = frozenset({"model.use"})
    """The commands whose keys it reads itself, while it has the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "move(-100000)", show=False),
        Binding("end", "move(100000)", show=False),
        Binding("enter", "choose", id="model.use", show=False),
    ]

    @dataclass
    class Moved(Message):
        """Another model is under the cursor."""

    def __init__(self) -> None:
        super().__init__(id="model-table")
        self._models: tuple[Model, ...] = ()
        self._in_use = ""
        self._cursor = 0
        self._message: tuple[tuple[str, str], ...] = ()

    def show_message(self, lines: tuple[tuple[str, str], ...]) -> None:
        """(text, role) paragraphs in the place of a list, to say why there is none."""
        if lines != self._message:
            self._message = lines
            self.refresh()

    def show_models(self, models: tuple[Model, ...], in_use: str) -> None:
        """Change the list; the cursor stays on the model it was on, or goes to the one in use."""
        if (models, in_use) == (self._models, self._in_use):
            return
        name = self._models[self._cursor].name if self._models else in_use
        self._models, self._in_use = models, in_use
        names = [model.name for model in models]
        self._cursor = names.index(name) if name in names else 0
        self.virtual_size = Size(0, len(models) + 1)
        self.refresh()
        self.call_after_refresh(self._show_cursor)

    def on_resize(self) -> None:
        """The cursor stays in sight. What there is to scroll is known only after this message."""
        self.call_after_refresh(self._show_cursor)

    @property
    def current(self) -> Model | None:
        """The model under the cursor."""
        return self._models[self._cursor] if self._models else None

    def action_move(self, step: int) -> None:
        """Move the cursor."""
        if self._models:
            self._cursor = max(0, min(len(self._models) - 1, self._cursor + step))
            self._show_cursor()
            self.refresh()
            self.post_message(self.Moved())

    def action_page(self, direction: int) -> None:
        """As far as a screen of the list goes; the one that was last is still seen."""
        self.action_move(direction * max(1, self.size.height - 2))

    def _show_cursor(self) -> None:
        self.scroll_to_region(Region(0, self._cursor, 1, 2), animate=False, force=True)

    def action_choose(self) -> None:
        """Use the model under the cursor."""
        if self.current is not None:
            self.post_message(ModelChosen(self.current.name))

    def render_line(self, y: int) -> Strip:
        """Textual's line API."""
        palette, width = palette_of(self), self.size.width
        base = palette["foreground"] + palette["background"]
        if not self._models:
            lines = [
                (line, role) for text, role in self._message for line in wrap_words(text, max(10, width - 2))
            ]
            text, role = lines[y - 1] if 0 < y <= len(lines) else ("", "foreground")
            return fit([(" " + text, palette[role])], width, base)
        shown = columns(width)
        name_width = max(12, width - sum(COLUMNS[place][1] for place in shown) - 2)
        if y == 0:
            head = [(" NAME".ljust(name_width + 1), palette["muted"])]
            head += [(f" {COLUMNS[place][0]}".ljust(COLUMNS[place][1]), palette["muted"]) for place in shown]
            return fit(head, width, base)
        row = y - 1 + round(self.scroll_offset.y)
        if row >= len(self._models):
            return Strip.blank(width, base)
        model = self._models[row]
        under = row == self._cursor
        style = base + palette["cursor_line"] if under and self.has_focus else base
        in_use = model.name == self._in_use
        name = cut_middle(safe_name(model.name), name_width - 1)
        parts: list[Part] = [
            ("›" if under else " ", palette["accent"]),
            (name, palette["second"] if in_use else palette["foreground"]),
            (" " * (name_width - cell_len(name)), palette["foreground"]),
        ]
        cells = _cells(model, in_use=in_use)
        for place in shown:
            (text, role), size = cells[place], COLUMNS[place][1]
            parts.append((" " + _padded(cut(text, size - 2), size - 1), palette[role]))
        return fit(colourless(parts) if style.reverse else parts, width, style)


def _cells(model: Model, *, in_use: bool) -> tuple[tuple[str, str], ...]:
    window = ""
    if model.context_loaded and model.context_trained and model.context_loaded != model.context_trained:
        window = f"{human_tokens(model.context_loaded)} of {human_tokens(model.context_trained)}"
    elif model.context_loaded or model.context_trained:
        window = human_tokens(model.context_loaded or model.context_trained or 0)
    if model.note:
        state, role = "failed", "error"
    elif model.loaded:
        state, role = "in memory", "success"
    else:
        state, role = ("", "muted") if model.loaded is None else ("on disk", "muted")
    if in_use:
        state = f"{state} ✓" if state else "✓"
    return (
        (safe_line(model.parameters, 12), "foreground"),
        (safe_line(model.quantization, 12), "foreground"),
        (human_size(model.size) if model.size else "", "foreground"),
        (window, "foreground"),
        (state, role),
    )


def _padded(text: str, width: int) -> str:
    return text + " " * max(0, width - cell_len(text))
