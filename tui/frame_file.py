"""The first frame of lokal's screen, kept between two starts: as cells, never as bytes for the terminal.

A file of them says for each row what stands in it and how it looks. What is not printable text or a colour is refused
when it is read, so nothing in such a file can act on the terminal, whoever has written it.
"""

from __future__ import annotations

import os

from tui import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Run = tuple[str, str]
    """Text in one look: SGR parameters such as `1;38;5;4`, which may be empty, and the characters."""

_HEAD = "lokal frame 1"
_BETWEEN = "\t"
_LONGEST_LOOK = 80


def frame_file(environ: Mapping[str, str], columns: int, rows: int) -> str:
    """The path of the kept frame for a terminal of this kind and size."""
    kind = "-".join(environ.get(name, "") for name in ("TERM", "COLORTERM", "NO_COLOR"))
    safe = "".join(letter if letter.isalnum() or letter in "-." else "_" for letter in kind[:200])
    return f"{_state_folder(environ)}/lokal/frames/{safe}-{columns}x{rows}"


def to_text(rows: Iterable[Iterable[Run]]) -> str:
    """What is written into the file. Empty if the frame holds something that would be refused."""
    lines = [_BETWEEN.join(f"{look}|{text}" for look, text in row) for row in rows]
    text = "\n".join([_HEAD, *lines, ""])
    return text if drawn(text, 1 << 30, 1 << 30) is not None else ""


def read(path: str) -> str:
    """What the file holds, empty if there is none that can be read."""
    try:
        return files.read_bytes(path).decode()
    except (OSError, UnicodeDecodeError):
        return ""


def drawn(text: str, columns: int, rows: int) -> bytes | None:
    """What draws the frame of the file's `text` on an empty terminal of that size. None if it is no frame."""
    head, *lines = text.split("\n")
    if head != _HEAD or len(lines) > rows + 1:
        return None
    out = []
    for number, line in enumerate(lines, 1):
        length = 0
        out.append(f"\x1b[{number};1H")
        for run in line.split(_BETWEEN) if line else ():
            look, bar, characters = run.partition("|")
            length += len(characters)
            if not bar or not characters.isprintable() or length > columns or not _is_look(look):
                return None
            out.append(f"\x1b[0;{look}m{characters}" if look else f"\x1b[m{characters}")
    return ("".join(out[:-1]) + "\x1b[m").encode()  # after the last line's end there is none


def _is_look(look: str) -> bool:
    return len(look) <= _LONGEST_LOOK and all(letter in "0123456789;" for letter in look)


def _state_folder(environ: Mapping[str, str]) -> str:
    """As tui/paths.py has it, which is imported too late for the first picture."""
    state = environ.get("XDG_STATE_HOME", "")
    if state.startswith("/"):
        return state
    home = environ.get("HOME", "")
    if not home.startswith("/"):
        try:
            import pwd

            home = pwd.getpwuid(os.getuid()).pw_dir
        except (ImportError, KeyError):
            home = "/nonexistent"
    return f"{home}/.local/state"
