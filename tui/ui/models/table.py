"""The list of a server's models: one line each, a cursor, the one in use marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType

from tui.core.model import Model
from tui.core.text import human_size, human_tokens, safe_line, safe_name
from tui.ui.look import palette_of
from tui.ui.messages import ModelChosen
from tui.ui.widgets.line_list import LineList
from tui.ui.widgets.row import Part, cut, cut_middle, wrap_words

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


class ModelTable(LineList):
    """Enter chooses. The first line is the heading and scrolls with nothing."""

    OWN_COMMANDS: ClassVar = frozenset({"model.use"})
    """The commands whose keys it reads itself, while it has the focus."""
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "choose", id="model.use", show=False)]
    HEAD_LINES = 1

    def __init__(self) -> None:
        super().__init__("model-table")
        self._models: tuple[Model, ...] = ()
        self._in_use = ""
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
        name = self._models[self.cursor.at].name if self._models else in_use
        self._models, self._in_use = models, in_use
        names = [model.name for model in models]
        self.set_lines(len(models), names.index(name) if name in names else 0)

    @property
    def current(self) -> Model | None:
        """The model under the cursor."""
        return self._models[self.cursor.at] if self._models else None

    def action_choose(self) -> None:
        """Use the model under the cursor."""
        if self.current is not None:
            self.post_message(ModelChosen(self.current.name))

    def over_list(self, y: int, width: int) -> Sequence[Part] | None:
        """The heading, or why there is no list."""
        palette = palette_of(self)
        if not self._models:
            lines = [
                (line, role) for text, role in self._message for line in wrap_words(text, max(10, width - 2))
            ]
            text, role = lines[y - 1] if 0 < y <= len(lines) else ("", "foreground")
            return [(" " + text, palette[role])]
        if y:
            return None
        head = [(" NAME".ljust(_name_width(width) + 1), palette["muted"])]
        head += [(f" {title}".ljust(size), palette["muted"]) for title, size in _shown(width)]
        return head

    def line_parts(self, index: int, width: int, *, under: bool) -> Sequence[Part]:
        """One model."""
        palette, model, name_width = palette_of(self), self._models[index], _name_width(width)
        in_use = model.name == self._in_use
        name = cut_middle(safe_name(model.name), name_width - 1)
        parts: list[Part] = [
            ("›" if under else " ", palette["accent"]),
            (name, palette["second"] if in_use else palette["foreground"]),
            (" " * (name_width - cell_len(name)), palette["foreground"]),
        ]
        cells = _cells(model, in_use=in_use)
        for place in columns(width):
            (text, role), size = cells[place], COLUMNS[place][1]
            parts.append((" " + _padded(cut(text, size - 2), size - 1), palette[role]))
        return parts


def _shown(width: int) -> list[tuple[str, int]]:
    return [COLUMNS[place] for place in columns(width)]


def _name_width(width: int) -> int:
    return max(12, width - sum(size for _, size in _shown(width)) - 2)


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
