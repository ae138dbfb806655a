"""Making text that somebody else wrote safe to show: no escape sequence, no control character, no endless line.

Everything a server sends is shown only after it went through here: answers, model names, error texts.
"""

from __future__ import annotations

import math
import re
import time

# C0 but tab and newline, DEL, C1, and the marks that turn the direction of text around (Unicode UAX #9, 2.1-2.5):
# a name or an answer could otherwise show something else than it says.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# Halves of surrogate pairs, which JSON can say (\ud83d) and UTF-8 cannot: writing one to a terminal or a file fails.
_HALVES = re.compile("[\ud800-\udfff]")
_ESCAPE = re.compile(
    "\x1b\\[[0-?]*[ -/]*[@-~]"  # CSI ... final byte (ECMA-48 5.4)
    "|\x1b[\\]PX^_][^\x07\x1b\x9c\n]*(?:\x07|\x1b\\\\|\x9c)?"  # OSC, DCS, SOS, PM, APC with their text in the line
    "|\x9b[0-?]*[ -/]*[@-~]"
    "|\x1b[ -/]*[0-~]"
)
_UNFINISHED = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*\\Z|\x1b[\\]PX^_][^\x07\x1b\x9c\n]*\x1b?\\Z|\x1b[ -/]*\\Z"
)
# What JSON allows in a string but a terminal may act on, a line reader may break at, or UTF-8 cannot hold.
_NOT_IN_JSON = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_LINE_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")


def safe_block(text: str) -> str:
    """`text` as lines that a terminal shows as they are: tabs and newlines stay, every other control goes, and half a
    surrogate pair becomes U+FFFD."""
    if text.isascii() and text.isprintable():
        return text
    text = _LINE_BREAKS.sub("\n", text)
    return _HALVES.sub("\ufffd", _UNSAFE.sub("", _ESCAPE.sub("", text)))


def unfinished_escape(text: str) -> int:
    """Where an escape sequence at the end of `text` begins that may go on in what comes after it; the length of `text` if
    there is none. Text that comes in pieces is made safe only up to there."""
    if "\x1b" not in text and "\x9b" not in text:
        return len(text)
    found = _UNFINISHED.search(text)
    return found.start() if found is not None else len(text)


def plain_text(text: str) -> str:
    """`text` as a model should read it: no escape sequences and no control characters but tabs and newlines, which would
    be words to it. Marks of the direction stay, they are part of a text in Hebrew or Arabic."""
    if text.isascii() and text.isprintable():
        return text
    text = _LINE_BREAKS.sub("\n", text)
    return _HALVES.sub("\ufffd", _CONTROLS.sub("", _ESCAPE.sub("", text)))


def safe_line(text: str, limit: int = 300) -> str:
    """`text` as one line of at most `limit` characters, for names, titles and messages."""
    line = " ".join(safe_block(text[: limit * 8]).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def safe_name(text: str, limit: int = 300) -> str:
    """`text` as one line of at most `limit` characters, cut in the middle: names of models, files and chats often differ
    at their ends only, `(2)` and `Q4_K_M.gguf`."""
    most = limit * 8
    if len(text) > 2 * most:
        text = f"{text[:most]}…{text[-most:]}"
    line = " ".join(safe_block(text).split())
    if len(line) <= limit:
        return line
    tail = (limit - 1) // 2
    return line[: limit - 1 - tail].rstrip() + "…" + (line[-tail:].lstrip() if tail else "")


def json_text(value: object) -> str:
    """A JSON document with a newline at its end: indented, its letters readable, and without a character that a terminal acts
    on. Floats in it have to be finite (see `finite`), as JSON has no others."""
    import json  # what shows text on the screen needs it later or never

    text = json.dumps(value, ensure_ascii=False, indent=2)
    return _NOT_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", text) + "\n"


def finite(value: object) -> object:
    """The value itself; None for a number that JSON does not have, infinite or none at all."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def cut_at_word(line: str, limit: int) -> str:
    """`line` of at most `limit` characters, cut after a word where one ends in the second half of it."""
    if len(line) <= limit:
        return line
    cut = line[: limit - 1]
    return (cut[: cut.rfind(" ")] if " " in cut[limit // 2 :] else cut).rstrip(" ,;:.-") + "…"


def count_of(number: int, noun: str) -> str:
    """So many of something that takes an s: `1 message`, `0 messages`, `1,204 messages`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def human_size(count: int) -> str:
    """A number of bytes in decimal units, as Ollama and Hugging Face write it: `2.0 GB`."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 999.5:  # more would be rounded to 1000
            return f"{size:.0f} {unit}" if unit in ("B", "kB") or size >= 99.95 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def human_tokens(count: int) -> str:
    """A number of tokens, short: `950`, `1.2k`, `131k`, `1.0M`. Context windows in powers of two read as people say them."""
    if count < 1000:
        return str(count)
    if count < 999_500:
        thousands = count / 1024 if count % 1024 == 0 else count / 1000
        return (
            f"{thousands:.0f}k" if thousands >= 99.95 or thousands == int(thousands) else f"{thousands:.1f}k"
        )
    millions = count / 1048576 if count % 1048576 == 0 else count / 1e6
    return f"{millions:.1f}M"


def human_time(seconds: float) -> str:
    """A time to wait, short and never less than it is: `20 s`, `5 min`, `2 h`."""
    if seconds <= 90:
        return f"{math.ceil(seconds)} s"
    return f"{math.ceil(seconds / 60)} min" if seconds <= 90 * 60 else f"{math.ceil(seconds / 3600)} h"


_LATEST_S = 253_402_214_400.0  # the last day of the year 9999 begins


def local_minute(seconds: float) -> str:
    """A moment in seconds since the epoch by the clock on the wall; one that no calendar has is the nearest that it has."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(min(max(seconds, 0.0), _LATEST_S)))
