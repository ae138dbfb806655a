"""The list of a server's models and of its downloads: one line each, a cursor, the one in use marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.message import Message

from tui.core.commands import COMMANDS
from tui.core.model import Model, ModelState
from tui.core.text import human_size, human_time, human_tokens, safe_line, safe_name
from tui.models.listing import listed
from tui.models.pull import Pull, PullState
from tui.ui.keys import named_by
from tui.ui.look import palette_of
from tui.ui.models.messages import ModelsStatus
from tui.ui.state import ScreenState
from tui.ui.widgets.line_list import LineList
from tui.ui.widgets.row import Part, choose, cut, cut_middle, wrap_words

COLUMNS = (("PARAMS", 8), ("QUANT", 9), ("SIZE", 9), ("CONTEXT", 13), ("STATE", 14))
"""Title and width in cells of the columns after the name."""
_FIRST_TO_GO = ("QUANT", "CONTEXT", "PARAMS", "SIZE")
LEAST_NAME = 22
"""Cells of the name below which a column gives way to it."""
BAR = 14
"""Cells of the bar of a download."""
OWN = frozenset(
    command.id
    for command in COMMANDS
    if command.where == "models"
    and command.id not in ("model.refresh", "model.pull", "model.files", "models.leave")
)
"""What is about the line under the cursor, or about the list."""


def columns(width: int) -> tuple[int, ...]:
    """The places in COLUMNS of those that a screen of `width` cells has room for."""
    shown = [title for title, _ in COLUMNS]
    for title in _FIRST_TO_GO:
        if width - sum(size for name, size in COLUMNS if name in shown) >= LEAST_NAME:
            break
        shown.remove(title)
    return tuple(place for place, (title, _) in enumerate(COLUMNS) if title in shown)


class ModelTable(LineList):
    """The first line is the heading and scrolls with nothing. Downloads stand under the models, under the same cursor."""

    OWN_COMMANDS: ClassVar = OWN
    """The commands whose keys it reads itself, while it has the focus."""
    HEAD_LINES = 1

    @dataclass(eq=False, repr=False)
    class Pressed(Message):
        """The key of one of its commands was pressed."""

        id: str

    def __init__(self, state: ScreenState) -> None:
        super().__init__("model-table")
        self._does = {state.keys[id]: id for id in OWN if state.keys.get(id)}
        self._all: tuple[Model, ...] = ()
        self._models: tuple[Model, ...] = ()
        self._in_use = ""
        self._message: tuple[tuple[str, str], ...] = ()
        self._status = ModelsStatus()
        self.sort = ""
        self.query_text = ""
        self.marked: frozenset[str] = frozenset()
        """The names of the models that are marked."""

    def show_message(self, lines: tuple[tuple[str, str], ...]) -> None:
        """(text, role) paragraphs in the place of a list, to say why there is none."""
        if lines != self._message:
            self._message = lines
            self.refresh()

    def show_models(self, models: tuple[Model, ...], in_use: str) -> None:
        """Change the list; the cursor stays on the model it was on, or goes to the one in use."""
        if (models, in_use) != (self._all, self._in_use):
            first = not self._all
            self._all, self._in_use = models, in_use
            self.marked &= {model.name for model in models}
            self._reorder(in_use if first else "")

    def show_status(self, status: ModelsStatus) -> None:
        """Something goes on with a model, or no longer."""
        if status == self._status:
            return
        moved = [pull.id for pull in status.pulls] != [pull.id for pull in self._status.pulls]
        before = self._status
        self._status = status
        if moved:
            self._reorder(pulls_before=before.pulls)
        else:
            self.refresh()

    def order_by(self, sort: str, query: str) -> None:
        """Order the list in another way, or show only what has these words."""
        if (sort, query) != (self.sort, self.query_text):
            self.sort, self.query_text = sort, query
            self._reorder()

    def _reorder(self, name: str = "", pulls_before: Sequence[Pull] | None = None) -> None:
        """Order the lines anew; the cursor stays on its model or download."""
        pulls = self._status.pulls if pulls_before is None else pulls_before
        at, models = self.cursor.at, self._models
        under = models[at].name if at < len(models) else ""
        pull = pulls[at - len(models)].id if 0 <= at - len(models) < len(pulls) else ""
        self._models = listed(self._all, self.sort, self.query_text)
        names = [model.name for model in self._models]
        ids = [each.id for each in self._status.pulls]
        wanted = name or under
        count = len(names) + len(ids)
        if pull in ids and not name:
            place = len(names) + ids.index(pull)
        elif wanted in names:
            place = names.index(wanted)
        else:
            place = max(0, min(at, count - 1)) if pull else 0
        self.set_lines(count, place)
        self.post_message(self.Moved(self))

    def mark(self) -> None:
        """Mark the model under the cursor, or no longer, and go to the next."""
        if (model := self.current) is not None:
            self.marked ^= {model.name}
            self.action_move(1)
            self.refresh()

    def unmark(self) -> None:
        """Nothing is marked any more."""
        self.marked = frozenset()
        self.refresh()

    @property
    def shown(self) -> tuple[Model, ...]:
        """The models that the list has now."""
        return self._models

    @property
    def current(self) -> Model | None:
        """The model under the cursor."""
        return self._models[self.cursor.at] if self.cursor.at < len(self._models) else None

    @property
    def current_pull(self) -> Pull | None:
        """The download under the cursor."""
        at = self.cursor.at - len(self._models)
        return self._status.pulls[at] if 0 <= at < len(self._status.pulls) else None

    def on_key(self, event: events.Key) -> None:
        """A key of one of its commands; others are for the cursor."""
        if id := named_by(event, self._does):
            event.stop()
            event.prevent_default()
            self.post_message(self.Pressed(id))

    def over_list(self, y: int, width: int) -> Sequence[Part] | None:
        """The heading, or why there is no list."""
        palette = palette_of(self)
        if not self.cursor.count:
            message = self._message
            if self._all and self.query_text:
                message = ((f"No model has “{self.query_text}”. Esc shows all", "muted"),)
            lines = [(line, role) for text, role in message for line in wrap_words(text, max(10, width - 2))]
            text, role = lines[y - 1] if 0 < y <= len(lines) else ("", "foreground")
            return [(" " + text, palette[role])]
        if y:
            return None
        head = [(" NAME".ljust(_name_width(width) + 1), palette["muted"])]
        head += [(f" {title}".ljust(size), palette["muted"]) for title, size in _shown(width)]
        return head

    def line_parts(self, index: int, width: int, *, under: bool) -> Sequence[Part]:
        """One model, or one download."""
        if index >= len(self._models):
            return self._pull_parts(self._status.pulls[index - len(self._models)], width, under=under)
        palette, model, name_width = palette_of(self), self._models[index], _name_width(width)
        in_use = model.name == self._in_use
        is_marked = model.name in self.marked
        mark = "◆ " if is_marked else ""
        name = mark + cut_middle(safe_name(model.name), name_width - 1 - len(mark))
        name_role = "second" if in_use else "foreground" if model.chats else "muted"
        parts: list[Part] = [
            ("›" if under else " ", palette["accent"]),
            (name, palette[name_role]),
            (" " * (name_width - cell_len(name)), palette["foreground"]),
        ]
        cells = _cells(model, self._status.busy.get(model.name, ""), in_use=in_use)
        for place in columns(width):
            (text, role), size = cells[place], COLUMNS[place][1]
            parts.append((" " + _padded(cut(text, size - 2), size - 1), palette[role]))
        return parts

    def _pull_parts(self, pull: Pull, width: int, *, under: bool) -> Sequence[Part]:
        """A download: its name, a bar, and as much of the figures as fits."""
        palette = palette_of(self)
        name = cut_middle(safe_name(pull.model), max(12, width // 3))
        share = pull.share or 0.0
        full = round(share * BAR)
        groups: list[tuple[int, list[Part]]] = [(0, [(name, palette["second"])])]
        if pull.state is PullState.RUNNING and pull.share is not None:
            groups.append((3, [("▓" * full + "░" * (BAR - full), palette["accent"])]))
        groups.append((1, [(_pull_words(pull), palette[_PULL_ROLES.get(pull.state, "muted")])]))
        if pull.sizes and pull.state is not PullState.DONE:
            groups.append((4, [(pull.sizes, palette["foreground"])]))
        if pull.state is PullState.RUNNING and pull.rate:
            groups.append((5, [(f"{human_size(round(pull.rate))}/s", palette["foreground"])]))
            if pull.left_s is not None:
                groups.append((2, [(f"{human_time(pull.left_s)} left", palette["muted"])]))
        shown = choose(groups, ("  ", palette["foreground"]), width - 2)
        return [("›" if under else " ", palette["accent"]), *shown]


_PULL_ROLES = {PullState.FAILED: "error", PullState.RETRYING: "warning", PullState.DONE: "success"}


def _pull_words(pull: Pull) -> str:
    """Where a download stands, in a word or two."""
    if pull.state is PullState.DONE:
        return pull.result or "done"
    if pull.state is PullState.RUNNING and pull.share is not None:
        return f"{pull.share:.0%}"
    if pull.state is PullState.RUNNING and pull.progress.status:
        return safe_line(pull.progress.status, 40)
    return str(pull.state)


def _shown(width: int) -> list[tuple[str, int]]:
    return [COLUMNS[place] for place in columns(width)]


def _name_width(width: int) -> int:
    return max(12, width - sum(size for _, size in _shown(width)) - 2)


def _cells(model: Model, busy: str, *, in_use: bool) -> tuple[tuple[str, str], ...]:
    window = ""
    if model.context_loaded and model.context_trained and model.context_loaded != model.context_trained:
        window = f"{human_tokens(model.context_loaded)} of {human_tokens(model.context_trained)}"
    elif model.context_loaded or model.context_trained:
        window = human_tokens(model.context_loaded or model.context_trained or 0)
    if busy:
        state, role = busy, "second"
    elif model.note:
        state, role = "failed", "error"
    elif model.status is not None and model.status not in (ModelState.LOADED, ModelState.NOT_LOADED):
        state, role = str(model.status), "second"
    elif not model.chats and not model.loaded:
        state, role = "cannot chat", "muted"
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
