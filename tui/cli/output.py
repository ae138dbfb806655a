"""What a command says: its result on standard output, everything for the person on standard error."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from itertools import chain

from tui.core.text import json_text, safe_line
from tui.errors import LokalError


def prepare() -> None:
    """Make the standard streams usable: each is there, and no character makes writing fail.

    What goes to a file or a pipe is UTF-8 whatever the locale says; a terminal gets what it shows.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by whoever started lokal; the next file would get its number
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115
    # Tests may put other streams here, which have their own ways.
    if reconfigure := getattr(sys.stdout, "reconfigure", None):
        reconfigure(encoding=None if sys.stdout.isatty() else "utf-8", errors="replace")
    if reconfigure := getattr(sys.stderr, "reconfigure", None):
        reconfigure(errors="backslashreplace")


def abandon() -> None:
    """Let nothing more be written to standard output, where the last write failed: Python would try again at exit."""
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, sys.stdout.fileno())
    os.close(sink)


def write(text: str) -> None:
    """Write to standard output at once. Raises BrokenPipeError when its reader has gone, LokalError for a full disk."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise not_written(error) from error


def not_written(error: OSError) -> LokalError:
    """The error for an output that takes no more."""
    abandon()
    return LokalError(
        "Cannot write to standard output", error.strerror or str(error), "Is there room on the disk?"
    )


def write_json(value: object) -> None:
    """Write a JSON document: readable, and without a character that a terminal acts on."""
    write(json_text(value))


def say(text: str) -> None:
    """A line for the person, out of the result's way."""
    print(f"lokal: {safe_line(text, 1000)}", file=sys.stderr, flush=True)


def complain(error: LokalError) -> None:
    """Say what, why, and what to do, a line each; on a terminal they are folded to its width."""
    lines = [safe_line(part, 1000) for part in (error.title, error.detail, error.hint) if part]
    print("lokal: " + "\n       ".join(chain(*map(_folded, lines))), file=sys.stderr, flush=True)


def _folded(line: str) -> list[str]:
    if not sys.stderr.isatty():
        return [line]
    room = max(30, shutil.get_terminal_size().columns - 8)
    return textwrap.wrap(line, room, break_long_words=False, break_on_hyphens=False)


class ProgressLine:
    """One line on standard error that overwrites itself, only where somebody looks at it."""

    def __init__(self) -> None:
        self._seen = sys.stderr.isatty()
        self._shown = ""

    def show(self, text: str) -> None:
        """Replace the line."""
        line = safe_line(text, max(10, shutil.get_terminal_size().columns - 1))
        if self._seen and line != self._shown:
            self._put(f"\r\x1b[K{line}")
            self._shown = line

    def clear(self) -> None:
        """Take the line away, if there is one: nothing else on the screen is touched."""
        if self._shown:
            self._put("\r\x1b[K")
            self._shown = ""

    def _put(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()
