"""The person's own editor: what it is, and lending it the terminal while it runs.

The text is in a file that nobody else can read, in a folder of its own, where editors also put their copies. It is
deleted when the editor has ended, unless it has something that could not be taken over, or lokal ended before the
editor did: that is never thrown away.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from textual.app import App

from tui import files
from tui.config.settings import Settings
from tui.core.secrets import without_keys
from tui.core.text import human_size, safe_block, safe_line
from tui.errors import FileError, LokalError, Rescued, UsageError
from tui.ui.terminal.hook import DeltaApp

_OPENS_A_WINDOW = {"code": "--wait", "codium": "--wait", "subl": "--wait", "zed": "--wait", "gedit": "--wait",
                   "kate": "--block", "mate": "--wait", "atom": "--wait", "gvim": "-f", "mvim": "-f"}  # fmt: skip
"""Editors that return at once, and the option that makes each wait."""
_USUAL = ("sensible-editor", "nano", "vim", "vi")
"""What is taken where the person has named none: the system's choice, then what explains itself, then what is everywhere."""
_GRACE_S, _POLL_S = 2.0, 0.02
"""How long an editor may take to put its things away when lokal is ended, and how often it is looked at meanwhile."""


class Unchanged(LokalError):
    """The editor ended well, and there is nothing to take over."""


def editor_command(environ: Mapping[str, str]) -> tuple[str, ...]:
    """$VISUAL or else $EDITOR, with its arguments, or else the first usual one that is there. Raises UsageError."""
    for variable in ("VISUAL", "EDITOR"):
        value = environ.get(variable, "").strip()
        if not value:
            continue
        try:
            words = shlex.split(value)
        except ValueError as error:
            raise UsageError(
                f"${variable} cannot be read", safe_line(f"{error}: {value}", 120), "Correct it"
            ) from error
        if words and shutil.which(words[0], path=environ.get("PATH")) is None:
            raise UsageError(
                f"There is no editor “{safe_line(words[0], 80)}”",
                f"${variable} names it",
                "Set it to one that is there",
            )
        if words:
            return tuple(words)
    usual = next((name for name in _USUAL if shutil.which(name, path=environ.get("PATH")) is not None), None)
    if usual is None:
        raise UsageError(
            "There is no editor",
            f"$VISUAL and $EDITOR are not set, and there is no {', '.join(_USUAL[:-1])} or {_USUAL[-1]}",
            "Install one, or name yours: export EDITOR=…",
        )
    return (usual,)


async def edit_text(app: App[Any], text: str, suffix: str = ".md", *, read_only: bool = False) -> str:
    """Let the person edit `text` in their editor; what they made of it, safe to show, without line ends at its end.

    An answer that comes in meanwhile goes on coming in. With `read_only` the file can only be looked at, and the text
    comes back as it was. Raises LokalError: no editor, one that failed, an empty file; Unchanged.
    """
    command = editor_command(os.environ)
    folder = _folder()
    path = folder / f"{'message' if read_only else 'draft'}{suffix}"
    keep = False
    try:
        _write(path, text, 0o400 if read_only else 0o600)
        keep = not read_only  # lokal may be ended while the editor has the text
        status = await _run(app, (*command, str(path)))
        if read_only:
            if status:
                raise _failed(command, status, "")
            return text
        new = _read(path, text, command, status)
        keep = False
        return new
    except (Unchanged, UsageError):
        keep = False
        raise
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _folder() -> Path:
    try:
        folder = Path(tempfile.mkdtemp(prefix="lokal-"))
        folder.chmod(0o700)  # a umask may have taken from it
    except OSError as error:
        raise _cannot_write(Path(tempfile.gettempdir()), error) from error
    return folder


def _write(path: Path, text: str, mode: int) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        path.chmod(mode)
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace", newline="\n") as file:
            file.write(text if text.endswith("\n") or not text else f"{text}\n")
    except OSError as error:
        raise _cannot_write(path, error) from error


def _read(path: Path, before: str, command: tuple[str, ...], status: int) -> str:
    """What the editor left. A UsageError means that the file is not worth keeping, any other error that it is."""
    try:
        data = files.read_bytes(path)
    except files.TooLarge as error:
        raise Rescued(
            path,
            "The draft stays as it was",
            f"The file has {human_size(error.size)}, too much for a question",
            f"It is kept: {path}",
        ) from error
    except OSError as error:
        why = error.strerror or str(error)
        raise UsageError(
            "The draft stays as it was", f"The editor left no file: {why}", "Save it in its place"
        ) from error
    try:
        text = safe_block(data.decode("utf-8-sig")).rstrip("\n")
    except UnicodeDecodeError as error:
        raise Rescued(
            path,
            "The draft stays as it was",
            f"What the editor wrote is not UTF-8 (byte {error.start:,})",
            f"It is kept: {path}",
        ) from error
    same = text == safe_block(before).rstrip("\n")
    if status:
        failed = _failed(command, status, "" if same or not text.strip() else str(path))
        if same or not text.strip():
            raise UsageError(failed.title, failed.detail, failed.hint)
        raise failed
    if not text.strip() and before.strip():
        raise UsageError(
            "The draft stays as it was", "The editor left an empty file", "Ctrl+U twice empties it here"
        )
    if same:
        option = _OPENS_A_WINDOW.get(Path(command[0]).name, "")
        forgot = option and option not in command
        raise Unchanged(
            "Nothing was changed in the editor",
            "",
            f"It has to wait: {command[0]} {option}" if forgot else "",
        )
    return text


async def _run(app: App[Any], command: tuple[str, ...]) -> int:
    """Run a program on the terminal; its exit status, negative for a signal. Raises UsageError if it cannot start."""
    lending = app.lent_terminal() if isinstance(app, DeltaApp) else contextlib.nullcontext(False)
    with lending as lent, _deaf_to_keys():
        try:
            # Without a terminal, as in a test, it gets none of ours. Started in one step: asyncio's own way, cancelled in
            # the midst of it, would leave what the editor has started by then.
            source = None if lent else subprocess.DEVNULL
            process = subprocess.Popen(command, stdin=source, env=environment(app))  # noqa: ASYNC220
        except OSError as error:
            raise UsageError(
                f"{safe_line(command[0], 80)} could not be started",
                error.strerror or str(error),
                "Check $VISUAL and $EDITOR",
            ) from error
        try:
            return await files.in_thread(process.wait)
        finally:
            if process.poll() is None:  # lokal ends, and the terminal is to be the shell's again
                await _end(process)


async def _end(process: subprocess.Popen[bytes]) -> None:
    """End an editor, with what it has started (a script that runs the real one), and wait for that: two programs cannot
    read one terminal. Cancelling changes nothing about it, since this is what happens when lokal is left."""
    started: list[int] = []
    for number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        started += [pid for pid in _descendants(process.pid) if pid not in started]
        # The parent first: it would start the next when its child ends.
        process.send_signal(number)
        for pid in started:
            with contextlib.suppress(OSError):
                os.kill(pid, number)
        deadline = time.monotonic() + _GRACE_S
        while process.poll() is None or any(map(_runs, started)):
            if time.monotonic() > deadline:
                break
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(_POLL_S)
        else:
            return


def _descendants(pid: int) -> list[int]:
    """The processes that this one has started, and theirs; none where the system does not tell."""
    try:
        children = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (OSError, ValueError):
        return []
    return children + [other for child in children for other in _descendants(child)]


def _runs(pid: int) -> bool:
    """Whether a process that /proc told of is still there, and not only its name in the list of its parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return False


def environment(app: App[Any]) -> dict[str, str]:
    """What a program that the app starts finds in its environment: no API key."""
    settings = getattr(app, "settings", None)
    return without_keys(os.environ, settings.keys_of_servers if isinstance(settings, Settings) else ())


@contextlib.contextmanager
def _deaf_to_keys() -> Iterator[None]:
    """Ctrl+C and Ctrl+\\ in the editor are the editor's. Ignoring them would be handed down to it, so they are handled."""
    before = {}
    for name in ("SIGINT", "SIGQUIT"):
        number = getattr(signal, name, None)
        if number is not None:
            with contextlib.suppress(ValueError):  # not in the main thread
                before[number] = signal.signal(number, lambda *_: None)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _failed(command: tuple[str, ...], status: int, kept: str) -> FileError:
    name = safe_line(Path(command[0]).name, 40)
    how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
    title, detail = f"{name} {how}", "The draft stays as it was"
    if kept:
        return Rescued(Path(kept), title, detail, f"What it wrote is kept: {kept}")
    return FileError(Path(command[0]), title, detail)


def _cannot_write(path: Path, error: OSError) -> FileError:
    why = error.strerror or str(error)
    return FileError(path, f"Cannot write {path}", why, "Check the space on the disk and $TMPDIR")
