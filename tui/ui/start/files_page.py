"""The model files of this machine as a page: a list, the newest first, and under it what the one under the cursor would take."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from tui import files
from tui.core.memory_fit import (
    CACHE_TYPES,
    CONTEXTS,
    FitPlace,
    FitVerdict,
    LoadSettings,
    MachineMemory,
    MemoryEstimate,
    estimate_memory,
    judge,
)
from tui.core.model_header import ModelHeader
from tui.core.text import count_of, human_size, human_tokens, local_minute, safe_line
from tui.models.fit_text import bar_of, sum_lines, verdict_line
from tui.models.model_files import FoundModels, ModelFile, find_models, places
from tui.paths import folders, with_tilde
from tui.servers.engine.machine_memory import machine_memory
from tui.ui.covering import CoveringScreen
from tui.ui.keys import named_by
from tui.ui.look import palette_of
from tui.ui.widgets.line import LineWidget
from tui.ui.widgets.line_edit import LineEdit
from tui.ui.widgets.line_list import LineList
from tui.ui.widgets.row import Part, cut, cut_middle, fit, spread
from tui.ui.work import begin

_KEYS = {
    "enter": "open", "slash": "filter", "/": "filter", "left": "less", "right": "more", "t": "type", "p": "path",
    "escape": "back",
}  # fmt: skip
_FOOT = "Enter open  ←→ context  t cache type  / filter  p a path  Esc back"
_FOOT_FILTER = "Enter keeps the filter   Esc shows all"
_LABEL = 10
_COLUMNS = (
    ("PARAMS", 11, 60),
    ("QUANT", 9, 44),
    ("SIZE", 9, 0),
    ("CONTEXT", 9, 90),
    ("CHANGED", 12, 100),
    ("WHERE", 15, 72),
)
"""Heading, cells, and from which width on the column is shown."""


@dataclass(frozen=True, slots=True)
class FileChoice:
    """What was chosen: a file, with the context window and the cache type that were looked at where they were changed. An empty
    path = it is to be typed."""

    path: str = ""
    context: int | None = None
    cache_type: str | None = None


class FilesList(LineList):
    """The files."""

    HEAD_LINES = 2
    DEFAULT_CSS = "FilesList { height: 1fr; }"

    @dataclass(eq=False, repr=False)
    class Asked(Message):
        """A key that is for the page."""

        what: str

    @dataclass(eq=False, repr=False)
    class Filtered(Message):
        """Something else is looked for, or it is looked for no longer."""

    def __init__(self) -> None:
        super().__init__(id="files")
        self._found: FoundModels | None = None
        self.shown: tuple[ModelFile, ...] = ()
        self._filter = LineEdit()
        self.is_filtering = False

    @property
    def current(self) -> ModelFile | None:
        """The file under the cursor."""
        return self.shown[self.cursor.at] if self.shown else None

    def show(self, found: FoundModels) -> None:
        """These were found."""
        self._found = found
        self._look()

    def _look(self) -> None:
        found = self._found or FoundModels()
        before = self.current
        self.shown = found.matching(self._filter.text)
        at = self.shown.index(before) if before in self.shown else 0
        self.set_lines(len(self.shown), at)
        self.post_message(self.Filtered())

    def on_key(self, event: events.Key) -> None:
        """Letters while a filter is typed, else the keys of the page; others are for the cursor."""
        if self.is_filtering:
            if event.key in ("up", "down", "pageup", "pagedown"):
                return
            event.stop()
            event.prevent_default()
            if event.key in ("enter", "escape"):
                self.is_filtering = False
                if event.key == "escape":
                    self._filter = LineEdit()
                self._look()
            elif self._filter.key(event.key, event.character):
                self._look()
        elif what := named_by(event, _KEYS):
            event.stop()
            event.prevent_default()
            if what == "filter":
                self.is_filtering = True
                self._look()
            elif what == "back" and self._filter.text:
                self._filter = LineEdit()
                self._look()
            else:
                self.post_message(self.Asked(what))

    def on_paste(self, event: events.Paste) -> None:
        """Into the filter."""
        event.stop()
        if self.is_filtering:
            self._filter.insert(event.text)
            self._look()

    def line_at(self, y: int, width: int) -> Strip:
        if y == 0 and self._found is not None:
            palette = palette_of(self)
            count = count_of(len(self._found.files), "file")
            few = f"{len(self.shown)} of {count}" if self._filter.text else count
            left: list[Part] = [(" Model files on this machine", palette["heading"])]
            if self.is_filtering or self._filter.text:
                cursor = "▏" if self.is_filtering else ""
                left.append((f"   / {safe_line(self._filter.text, 40)}{cursor}", palette["accent"]))
            return spread(left, [(f"{few} ", palette["muted"])], width, self.base())
        return super().line_at(y, width)

    def over_list(self, y: int, width: int) -> Sequence[Part] | None:
        """The headings; what there is to say instead of a list."""
        palette = palette_of(self)
        if self._found is None:
            return [(" looking for model files …" if y == 2 else "", palette["muted"])]
        if y == 1:
            head = "".join(title.ljust(size) for title, size, _ in _columns(width))
            return [(f" {'NAME'.ljust(_name_width(width))}{head}", palette["muted"])]
        if y == 2 and not self.shown:
            return [(" No file is like that. Esc shows all", palette["muted"])]
        return None

    def line_parts(self, index: int, width: int, *, under: bool) -> Sequence[Part]:
        """One file."""
        palette, file, name_width = palette_of(self), self.shown[index], _name_width(width)
        name = cut_middle(file.name, name_width - 1)
        parts: list[Part] = [
            ("›" if under else " ", palette["accent"]),
            (name + " " * (name_width - cell_len(name)), palette["foreground" if file.usable else "muted"]),
        ]
        cells = {
            "PARAMS": file.parameters, "QUANT": file.quantization, "SIZE": human_size(file.size),
            "CONTEXT": human_tokens(file.context_trained) if file.context_trained else "",
            "CHANGED": local_minute(file.changed_at)[:10], "WHERE": file.place,
        }  # fmt: skip
        for title, size, _ in _columns(width):
            text = cut(cells[title], size - 1)
            parts.append(
                (text + " " * (size - cell_len(text)), palette["muted" if title == "WHERE" else "foreground"])
            )
        return parts


def _columns(width: int) -> list[tuple[str, int, int]]:
    return [column for column in _COLUMNS if width >= column[2]]


def _name_width(width: int) -> int:
    return max(14, width - 2 - sum(size for _, size, _ in _columns(width)))


class FitPanel(LineWidget):
    """The sum of the file under the cursor against what is free."""

    DEFAULT_CSS = "FitPanel { height: 8; }"

    def __init__(self) -> None:
        super().__init__(id="fit")
        self._lines: list[list[tuple[str, str]]] = []

    def show(self, file: ModelFile | None, estimate: MemoryEstimate, verdict: FitVerdict, width: int) -> None:
        """What it would take; of a file that cannot be used why."""
        self._lines = [] if file is None else _panel_lines(file, estimate, verdict, width)
        self.refresh()

    def line_at(self, y: int, width: int) -> Strip:
        if y == 0:
            return fit([self.part("─" * width, "muted")], width, self.base())
        line = self._lines[y - 1] if y <= len(self._lines) else []
        return fit([self.part(text, role) for text, role in line], width, self.base())


def _panel_lines(
    file: ModelFile, estimate: MemoryEstimate, verdict: FitVerdict, width: int
) -> list[list[tuple[str, str]]]:
    about = ", ".join(
        part
        for part in (
            file.title, with_tilde(safe_line(str(file.path), 300)),
            f"{len(file.parts)} parts" if len(file.parts) > 1 else "",
            "with a projector" if file.projector is not None else "",
            f"the same {len(file.copies)} more times" if file.copies else "", file.licence,
        )
        if part
    )  # fmt: skip
    lines = [[(f" {cut_middle(about, width - 2)}", "muted")]]
    if file.problem:
        return [*lines, [(f" {cut(safe_line(file.problem, 300), width - 2)}", "warning")]]
    bar = max(4, min(30, width - _LABEL - 42))
    for line in sum_lines(estimate, verdict):
        mark = estimate.mark if line.label in ("KV cache", "compute", "together") else ""
        role = (
            "error"
            if verdict.place is FitPlace.NOWHERE
            else "accent"
            if line.label == "together"
            else "second"
        )
        lines.append(
            [
                (f" {line.label:<{_LABEL}}", "muted"), (bar_of(line.share, bar), role),
                (f" {mark + human_size(line.size):>9}", "foreground"), (f"  {line.words}", "muted"),
            ]
        )  # fmt: skip
    words = verdict_line(estimate, verdict)
    return [
        *lines,
        [(f" {cut(words, width - 2)}", "error" if verdict.place is FitPlace.NOWHERE else "success")],
    ]


class FilesFoot(LineWidget):
    """The keys."""

    def __init__(self) -> None:
        super().__init__(id="foot")
        self.text = _FOOT

    def line(self, width: int) -> Strip:
        return fit([self.part(f" {cut(self.text, width - 2)}", "muted")], width, self.base())


class ModelFilesPage(CoveringScreen[FileChoice]):
    """Dismissed with what is chosen; with an empty path where there is no file at all, too."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+c", "leave", show=False)]
    CSS = "ModelFilesPage { background: $background; }"

    def __init__(
        self, more_folders: str, find: Callable[[str], tuple[FoundModels, MachineMemory | None]] | None = None
    ) -> None:
        """`more_folders` are those of the settings."""
        super().__init__()
        self._more_folders = more_folders
        self._find = find or look_around
        self._machine: MachineMemory | None = None
        self._settings = LoadSettings()
        self._is_changed = False

    def compose(self) -> ComposeResult:
        yield FilesList()
        yield FitPanel()
        yield FilesFoot()

    def on_mount(self) -> None:
        """Look for the files, beside the screen."""
        self.query_one(FilesList).focus()
        begin(self, self._look, "files")

    def on_resize(self) -> None:
        """The bars have the room there is."""
        self._describe()

    async def _look(self) -> None:
        found, self._machine = await files.in_thread(lambda: self._find(self._more_folders))
        if not found.files:
            self.dismiss(FileChoice())
            return
        self.query_one(FilesList).show(found)

    @on(FilesList.Moved)
    @on(FilesList.Filtered)
    def _describe(self) -> None:
        """Another file is under the cursor, or other settings are looked at."""
        files_list = self.query_one(FilesList)
        file = files_list.current
        header = file.header if file is not None else None
        estimate = estimate_memory(header or ModelHeader({}), self._settings)
        verdict = judge(estimate, self._machine)
        self.query_one(FitPanel).show(file, estimate, verdict, self.size.width)
        foot = self.query_one(FilesFoot)
        foot.text = _FOOT_FILTER if files_list.is_filtering else _FOOT
        foot.refresh()

    @on(FilesList.Asked)
    def _take_key(self, event: FilesList.Asked) -> None:
        event.stop()
        file = self.query_one(FilesList).current
        match event.what:
            case "back":
                self.dismiss(None)
            case "path":
                self.dismiss(FileChoice())
            case "open" if file is not None:
                changed = self._settings
                context, cache = (changed.context, changed.cache_type) if self._is_changed else (None, None)
                self.dismiss(FileChoice(str(file.path), context, cache))
            case "less" | "more" if file is not None:
                self._step(file, 1 if event.what == "more" else -1)
            case "type":
                at = CACHE_TYPES.index(self._settings.cache_type)
                self._change(replace(self._settings, cache_type=CACHE_TYPES[(at + 1) % len(CACHE_TYPES)]))

    def _step(self, file: ModelFile, step: int) -> None:
        """The next larger or smaller context window, at most what the model was made for."""
        now = estimate_memory(file.header or ModelHeader({}), self._settings).context
        steps = sorted({*CONTEXTS, *([file.context_trained] if file.context_trained else [])})
        most = file.context_trained or steps[-1]
        allowed = [each for each in steps if each <= most] or steps[:1]
        following = [each for each in allowed if (each > now if step > 0 else each < now)]
        if following:
            self._change(replace(self._settings, context=following[0] if step > 0 else following[-1]))

    def _change(self, settings: LoadSettings) -> None:
        self._settings, self._is_changed = settings, True
        self._describe()

    def action_leave(self) -> None:
        """Without a choice."""
        self.dismiss(None)


def look_around(more_folders: str) -> tuple[FoundModels, MachineMemory | None]:
    """The files of this machine and its memory. Blocks."""
    return find_models(places(os.environ, folders(), more_folders)), machine_memory()
