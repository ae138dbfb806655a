"""A page with one line to write on: how to start a server and where one is, or which file to open."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from tui import files
from tui.core.text import human_size, safe_name
from tui.ui.line import LineWidget
from tui.ui.look import palette_of
from tui.ui.row import cut_middle, fit
from tui.ui.work import begin

SHOWN_FILES = 200
"""How many files of a folder are offered at the most; more would not be read through."""

Line = tuple[tuple[str, str], ...]


class Page(Widget):
    """Lines of (text, role) parts."""

    DEFAULT_CSS = "Page { height: 1fr; width: 100%; }"

    def __init__(self, lines: Sequence[Line]) -> None:
        super().__init__(id="page")
        self._lines = tuple(lines)

    def show(self, lines: Sequence[Line]) -> None:
        """Change what is shown."""
        self._lines = tuple(lines)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Textual's line API."""
        palette, width = palette_of(self), self.size.width
        base = palette["foreground"] + palette["background"]
        parts = self._lines[y] if y < len(self._lines) else ()
        return fit([(" " + text if not at else text, palette[role or "foreground"]) for at, (text, role) in enumerate(parts)],
                   width, base)  # fmt: skip


class Foot(LineWidget):
    """The keys."""

    def __init__(self, text: str) -> None:
        super().__init__(id="foot")
        self._text = text

    def line(self, width: int) -> Strip:
        return fit([self.part(f" {self._text}", "muted")], width, self.base())


class PromptInput(Input):
    """The line to write on, with the keys that a shell has."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("alt+delete", "delete_right_word", show=False)]


class PromptPage(ModalScreen[str]):
    """Dismissed with what was written, or with an empty text by Esc."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", show=False, priority=True)]
    CSS = """
    PromptPage { background: $background; }
    PromptPage Input { border: none; height: 1; padding: 0 1; background: $background; color: $foreground; }
    PromptPage Input > .input--placeholder { color: $lokal-muted; text-style: none; }
    PromptPage Input > .input--cursor { background: $background; color: $foreground; text-style: reverse; }
    """

    def __init__(self, lines: Sequence[Line], placeholder: str, foot: str) -> None:
        super().__init__()
        self._lines = lines
        self._placeholder = placeholder
        self._foot = foot

    def compose(self) -> ComposeResult:
        yield Page(self._lines)
        line = PromptInput(placeholder=self._placeholder, compact=True, id="prompt")
        line.cursor_blink = False
        yield line
        yield Foot(self._foot)

    def on_mount(self) -> None:
        """The line takes the keys."""
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter."""
        event.stop()
        if event.value.strip():
            self.dismiss(event.value.strip())

    def action_back(self) -> None:
        """Esc."""
        self.dismiss("")


def server_lines() -> tuple[Line, ...]:
    """How to start a server here."""
    return (
        (("Start a model server on this machine", "heading"),),
        (),
        (("Ollama", "second"), ("   easiest to begin with: it fetches models by name", "muted")),
        (("   curl -fsSL https://ollama.com/install.sh | sh", "strong_code"), ("   if it is not installed", "muted")),
        (("   ollama serve", "strong_code"), ("                               starts it", "muted")),
        (("   ollama pull llama3.2:3b", "strong_code"), ("                    a model, 2 GB", "muted")),
        (),
        (("llama.cpp", "second"), ("   a GGUF file and nothing else", "muted")),
        (("   llama-server -m model.gguf", "strong_code"), ("                 answers on port 8080", "muted")),
        (("   lokal --gguf model.gguf", "strong_code"), ("                    the one built into lokal", "muted")),
        (),
        (("A server elsewhere", "second"), ("   write its address below, such as 192.168.1.5:11434", "muted")),
        (("   ssh -L 11434:127.0.0.1:11434 HOST", "strong_code"), ("          brings one here through SSH", "muted")),
    )  # fmt: skip


def server_page() -> PromptPage:
    """The page on servers; what is written is an address."""
    return PromptPage(server_lines(), "address of a server", "Enter connects   Esc back")


class FilePage(PromptPage):
    """Which GGUF file to open; the files of the folder that is written are listed."""

    def __init__(self) -> None:
        super().__init__((), "path of a .gguf file", "Enter opens   Tab completes   Esc back")

    def on_mount(self) -> None:
        """List the folder that one is in."""
        super().on_mount()
        self._look("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """List what fits."""
        event.stop()
        self._look(event.value)

    async def on_key(self, event: events.Key) -> None:
        """Tab, in its turn after the letters that came before it: as far as all that fits agrees."""
        if event.key == "tab":
            event.stop()
            event.prevent_default()
            line = self.query_one(Input)
            found = [name for name, _ in await files.in_thread(partial(fitting_files, line.value))]
            if found:
                line.value = _common_start(found)
                line.cursor_position = len(line.value)

    def _look(self, text: str) -> None:
        begin(self, partial(self._list, text), "files", exclusive=True)

    async def _list(self, text: str) -> None:
        found = await files.in_thread(partial(fitting_files, text))
        lines: list[Line] = [(("Open a model file", "heading"),), ()]
        room = max(1, self.size.height - 7)
        for name, size in found[:room]:
            lines.append(
                (
                    (f"  {cut_middle(safe_name(name), max(20, self.size.width - 18))}", ""),
                    (f"   {human_size(size)}" if size else "", "muted"),
                )
            )
        if len(found) > room:
            lines.append(((f"  … {len(found) - room} more", "muted"),))
        if not found:
            lines.append((("  No .gguf file and no folder begins so.", "muted"),))
            lines.append(
                (("  Models as files: huggingface.co, “GGUF” in the name; Q4_K_M is a good start.", "muted"),)
            )
        self.query_one(Page).show(lines)


def _common_start(texts: Sequence[str]) -> str:
    """What all texts begin with."""
    first, last = min(texts), max(texts)
    return next((first[:at] for at, mark in enumerate(first) if at >= len(last) or mark != last[at]), first)


def fitting_files(text: str) -> list[tuple[str, int]]:
    """The GGUF files, with their sizes in bytes, and the folders, with 0, whose path begins with `text`; `~` is the
    home folder. Hidden ones only when they are asked for."""
    head, slash, tail = text.rpartition("/")
    found = []
    try:
        with os.scandir(Path(head + slash or ".").expanduser()) as entries:
            for entry in entries:
                if not entry.name.startswith(tail) or (
                    entry.name.startswith(".") and not tail.startswith(".")
                ):
                    continue
                if entry.is_dir():
                    found.append((f"{head}{slash}{entry.name}/", 0))
                elif entry.name.endswith(".gguf") and entry.is_file():
                    found.append((f"{head}{slash}{entry.name}", entry.stat().st_size))
                if len(found) >= SHOWN_FILES:
                    break
    except (OSError, RuntimeError):  # no such folder, or ~somebody that is nobody
        return []
    return sorted(found, key=lambda one: (one[1] == 0, one[0].casefold()))
