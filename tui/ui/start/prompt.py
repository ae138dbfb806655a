"""A page with one line to write on: how to start a server and where one is, or which file to open."""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.strip import Strip
from textual.widgets import Input

from tui import files
from tui.chat.chat_files import as_path
from tui.core.text import human_size, safe_line, safe_name
from tui.errors import LokalError, UsageError
from tui.servers.registry import all_profiles
from tui.ui.compat import run_own_binding
from tui.ui.covering import CoveringScreen
from tui.ui.widgets.line import LineWidget
from tui.ui.widgets.row import cut_middle, fit, wrap_words
from tui.ui.work import begin

SHOWN_FILES = 200
"""How many files of a folder are offered at the most; more would not be read through."""

Line = tuple[tuple[str, str], ...]


class Page(LineWidget):
    """Lines of (text, role) parts."""

    DEFAULT_CSS = "Page { height: 1fr; }"

    def __init__(self, lines: Sequence[Line]) -> None:
        super().__init__(id="page")
        self._lines = tuple(lines)

    def show(self, lines: Sequence[Line]) -> None:
        """Change what is shown."""
        self._lines = tuple(lines)
        self.refresh()

    def line_at(self, y: int, width: int) -> Strip:
        line = self._lines[y] if y < len(self._lines) else ()
        parts = [self.part(text if at else f" {text}", role) for at, (text, role) in enumerate(line)]
        return fit(parts, width, self.base())


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

    async def _on_key(self, event: events.Key) -> None:
        """In its turn, also of keys that come in one piece."""
        if not event.is_printable and await run_own_binding(self, event.key):
            event.stop()
            event.prevent_default()
        else:
            await super()._on_key(event)


class FileCheck(LineWidget):
    """What is done with what was written, or what is wrong with it; as high as it takes to say it."""

    DEFAULT_CSS = "FileCheck { height: auto; }"

    def __init__(self) -> None:
        super().__init__(id="verdict")
        self._said, self._role = "", ""

    def show(self, text: str, role: str) -> None:
        """Say this; nothing takes no place."""
        if (text, role) != (self._said, self._role):
            self._said, self._role = text, role
            self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many rows as the words take."""
        return len(wrap_words(self._said, max(1, width - 2)))

    def line_at(self, y: int, width: int) -> Strip:
        lines = wrap_words(self._said, max(1, width - 2))
        return fit([self.part(f" {lines[y]}", self._role)] if y < len(lines) else [], width, self.base())


class PromptPage(CoveringScreen[str]):
    """Stays until what was written could be used, and says what is wrong where it could not. Dismissed with what was
    written, or with an empty text by Esc."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", show=False, priority=True)]
    CSS = """
    PromptPage { background: $background; }
    PromptPage Input { border: none; height: 1; padding: 0 1; background: $background; color: $foreground; }
    PromptPage Input > .input--placeholder { color: $lokal-muted; text-style: none; }
    PromptPage Input > .input--cursor { background: $background; color: $foreground; text-style: reverse; }
    """

    def __init__(
        self,
        lines: Sequence[Line],
        placeholder: str,
        foot: str,
        attempt: Callable[[str], Coroutine[None, None, str | None]] | None = None,
    ) -> None:
        """`attempt` uses what was written. It raises LokalError where it cannot be used; a text that it returns is to be
        gone on with in its place. Without it anything can be used."""
        super().__init__()
        self._attempt = attempt
        self._attempted = ""
        self._lines = lines
        self._placeholder = placeholder
        self._foot = foot

    def compose(self) -> ComposeResult:
        yield Page(self._lines)
        line = PromptInput(placeholder=self._placeholder, compact=True, id="prompt")
        line.cursor_blink = False
        yield line
        yield FileCheck()
        yield Foot(self._foot)

    def on_mount(self) -> None:
        """The line takes the keys."""
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def _handle_input_submitted(self, event: Input.Submitted) -> None:
        """Enter."""
        event.stop()
        text = event.value.strip()
        if text and self._attempt is None:
            self.dismiss(text)
        elif text and self._attempt is not None:
            self._attempted = event.value
            self.query_one(FileCheck).show(f"Trying {safe_line(text, 200)} …", "muted")
            begin(self, partial(self._try, self._attempt, text), "attempt", exclusive=True)

    async def _try(self, attempt: Callable[[str], Coroutine[None, None, str | None]], text: str) -> None:
        verdict, line = self.query_one(FileCheck), self.query_one(Input)
        try:
            instead = await attempt(text)
        except LokalError as error:
            verdict.show(str(error), "warning")
        except Exception as error:  # noqa: BLE001  # the root of a worker: a mistake of lokal's own is said, not swallowed
            verdict.show(
                f"lokal made a mistake: {type(error).__name__}: {safe_line(str(error), 200)}", "error"
            )
        else:
            if instead is None:
                self.dismiss(text)
                return
            verdict.show("", "muted")
            line.value = self._attempted = instead
            line.cursor_position = len(instead)

    @on(Input.Changed)
    def _written_anew(self, event: Input.Changed) -> None:
        """What was said of it holds no longer, and nothing comes of it any more."""
        if event.value != self._attempted:
            self._attempted = ""
            self.workers.cancel_group(self, "attempt")
            self.query_one(FileCheck).show("", "muted")

    def action_back(self) -> None:
        """Esc."""
        self.dismiss("")


def server_lines() -> tuple[Line, ...]:
    """How to start a server here."""
    lines: list[Line] = [(("Start a model server on this machine", "heading"),)]
    for profile in all_profiles():
        if (setup := profile.hints.setup) is not None:
            lines += [(), ((profile.label, "second"), (f"   {setup.summary}", "muted"))]
            lines += [_command(step.command, step.purpose) for step in setup.steps]
    elsewhere = ("   write its address below, such as 192.168.1.5:11434", "muted")
    lines += [(), (("A server elsewhere", "second"), elsewhere)]
    lines.append(_command("ssh -L 11434:127.0.0.1:11434 HOST", "brings one here through SSH"))
    return tuple(lines)


COMMAND_WIDTH = 40
"""Cells from the beginning of a command to the blanks before its purpose."""


def _command(command: str, purpose: str) -> Line:
    gap = " " * max(0, COMMAND_WIDTH - len(command))
    return (f"   {command}", "strong_code"), (f"{gap}   {purpose}", "muted")


def server_page(use: Callable[[str], Coroutine[None, None, None]]) -> PromptPage:
    """The page on servers; what is written is an address, which `use` connects to. Raises what that raises."""
    return PromptPage(server_lines(), "address of a server", "Enter connects   Esc back", use)


class FilePage(PromptPage):
    """Which GGUF file to open; the files of the folder that is written are listed."""

    def __init__(self) -> None:
        super().__init__((), "path of a .gguf file", "Enter opens   Tab completes   Esc back", openable)

    def on_mount(self) -> None:
        """List the folder that one is in."""
        super().on_mount()
        self._look("")

    @on(Input.Changed)
    def _handle_input_changed(self, event: Input.Changed) -> None:
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


async def openable(text: str) -> str | None:
    """None for a model that can be opened; of a folder how its name goes on. Raises LokalError for what is neither."""
    from tui.servers.engine import gguf_file
    from tui.servers.engine.engine import why_missing

    path = as_path(text)
    if await files.in_thread(path.is_dir):
        if text.endswith("/"):
            raise UsageError(
                f"{safe_line(text, 200)} is a folder", "", "Its model files are listed above; Tab completes"
            )
        return f"{text}/"
    missing = why_missing()
    if missing is not None:
        raise missing
    await files.in_thread(partial(gguf_file.inspect, path))
    return None


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
