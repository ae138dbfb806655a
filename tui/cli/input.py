"""What is piped into a command: all of standard input, up to a limit, and the text in it."""

from __future__ import annotations

import os
import re
import sys

from tui.cli.output import say
from tui.core.encodings import seems_to_be
from tui.core.text import plain_text, safe_line
from tui.errors import UsageError

PATIENCE_S = 2.0
"""How long piped input may be silent before the person is told what lokal waits for."""
MOST_TEXT = 16 << 20
"""Bytes of text: more than any context window has room for."""

_OVERSTRUCK = re.compile(
    r"[^\n]\x08"
)  # how manual pages are made bold: a letter, a step back, the letter again
_EXAMPLE = "journalctl -n 50 | lokal ask"


def read_input(limit: int) -> bytes:
    """All that is piped in. Raises UsageError for more than `limit` bytes."""
    if sys.platform != "win32" and sys.stderr.isatty():
        import select

        if not select.select([sys.stdin], [], [], PATIENCE_S)[0]:
            say("Waiting for standard input to end: press Ctrl+D, or start lokal with < /dev/null")
    data = bytearray()
    # Not in one call: Python would look for a Ctrl+C that comes between two reads only when it has all.
    while piece := os.read(sys.stdin.fileno(), 1 << 16):
        data += piece
        if len(data) > limit:
            raise UsageError(
                "Too much was piped in",
                f"{limit / 1e6:.0f} MB is the most",
                "Cut out what matters, with head, tail or grep",
            )
    return bytes(data)


def text_of(data: bytes, encoding: str | None) -> str:
    """Piped bytes as text for a model: without escape sequences and control characters. `encoding` is what the person
    says that it is; None = UTF-8. Raises UsageError for what is not text in it."""
    return plain_text(_OVERSTRUCK.sub("", _decoded(data, encoding))).strip("\n")


def argument_text(text: str, encoding: str | None) -> str:
    """A text from the command line, which Python has decoded as the locale says; bytes that are not of it are half
    characters in it. Raises UsageError as `text_of` does."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return _decoded(os.fsencode(text), encoding)
    return text


def _decoded(data: bytes, encoding: str | None) -> str:
    if encoding is not None:
        return _decoded_as(data, encoding)
    if b"\0" in data and not seems_to_be(data):
        data = data.replace(b"\0", b"\n")  # `find -print0`
    try:
        if b"\0" in data:  # UTF-16 of English is UTF-8 by its bytes
            raise UnicodeDecodeError("utf-8", data, data.index(b"\0"), len(data), "a zero")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data" and error.start > 0:  # `head -c 1000` cuts where it likes
            say("The last character of the text was cut in the middle and is left out")
            return data[: error.start].decode("utf-8-sig")
        what = f"Byte {error.start + 1:,} is {data[error.start]:#04x}"
    name = seems_to_be(data)
    if name == "utf-8":
        raise UsageError(
            "The text is damaged UTF-8",
            what,
            f"This leaves the bad bytes out: {_EXAMPLE.partition(' |')[0]} | iconv -c -f UTF-8 -t UTF-8 | lokal ask",
        )
    if name:
        raise UsageError(
            "The text is not UTF-8", f"{what}; it seems to be {name}", f"Try: lokal ask --encoding {name} …"
        )
    raise UsageError(
        "It is not UTF-8 text",
        what,
        "If it is text, say in which encoding: lokal ask --encoding cp1251 …",
    )


def _decoded_as(data: bytes, encoding: str) -> str:
    shown = safe_line(encoding, 40)
    try:
        return data.decode("utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding)
    except UnicodeDecodeError as error:
        what = f"Byte {error.start + 1:,} is {data[error.start : error.start + 1].hex() or 'missing'}"
        name = seems_to_be(data)
        hint = f"It seems to be {name}" if name and name != encoding.lower() else "Is it another encoding?"
        raise UsageError(f"The text is not {shown}", what, hint) from error
    except (LookupError, ValueError) as error:
        raise UsageError(
            f"There is no encoding “{shown}”", "", "For example: cp1251, koi8-r, cp866, cp1250, utf-16"
        ) from error
