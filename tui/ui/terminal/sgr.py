"""Pens: the colours and attributes of a cell, and the shortest SGR sequence from one pen to the next.

A pen is read from the very SGR parameters that Textual would have sent, so a cell drawn from a pen looks as Textual
meant it. SGR is ECMA-48 8.3.117; 38/48 with 2 or 5 is ISO 8613-6; links are OSC 8.
"""

from __future__ import annotations

import re
import zlib
from functools import lru_cache
from typing import NamedTuple

RESET = "\x1b[m"

# SGR parameter that turns an attribute on -> its bit in `Pen.attributes`, and the parameter that turns it off.
_ON = {"1": 1, "2": 2, "3": 4, "4": 8, "5": 16, "6": 32, "7": 64, "8": 128, "9": 256, "21": 512, "51": 1024}
_ON |= {"52": 2048, "53": 4096}
_OFF = {1: "22", 2: "22", 4: "23", 8: "24", 16: "25", 32: "25", 64: "27", 128: "28", 256: "29", 512: "24"}
_OFF |= {1024: "54", 2048: "54", 4096: "55"}
# What can be seen where no glyph is: all but bold, dim, italic and conceal.
_SEEN_ON_BLANKS = 8 | 16 | 32 | 64 | 256 | 512 | 1024 | 2048 | 4096
_UNSAFE_IN_LINK = re.compile("[\x00-\x20\x7f-\x9f]")


class Pen(NamedTuple):
    """Colours as SGR parameters (`31`, `38;2;r;g;b`; empty = the terminal's default), attributes as bits, a link's URL."""

    foreground: str = ""
    background: str = ""
    attributes: int = 0
    link: str = ""


DEFAULT_PEN = Pen()


class UnknownSgr(ValueError):
    """An SGR parameter that no pen can hold; the frame has to go the stock way."""


@lru_cache(maxsize=8192)
def pen_from(sgr: str, link: str = "") -> Pen:
    """The pen that the SGR parameters `sgr` (`1;38;2;0;0;0`) select from the default one.

    A link with a control character in it is left out: it could end its own sequence. Raises UnknownSgr.
    """
    foreground = background = ""
    attributes = 0
    words = iter(sgr.split(";")) if sgr else iter(())
    for parameter in words:
        if bit := _ON.get(parameter):
            attributes |= bit
        elif parameter in ("38", "48"):
            kind = next(words, "")
            count = {"2": 3, "5": 1}.get(kind, 0)
            values = [next(words, "") for _ in range(count)]
            if not count or not all(value.isdecimal() for value in values):
                raise UnknownSgr(sgr)
            colour = ";".join((parameter, kind, *values))
            if parameter == "38":
                foreground = colour
            else:
                background = colour
        elif parameter == "39":
            foreground = ""
        elif parameter == "49":
            background = ""
        elif parameter.isdecimal() and (30 <= int(parameter) <= 37 or 90 <= int(parameter) <= 97):
            foreground = parameter
        elif parameter.isdecimal() and (40 <= int(parameter) <= 47 or 100 <= int(parameter) <= 107):
            background = parameter
        else:
            raise UnknownSgr(sgr)
    return Pen(foreground, background, attributes, "" if _UNSAFE_IN_LINK.search(link) else link)


@lru_cache(maxsize=8192)
def blank_pen(pen: Pen) -> Pen:
    """What of `pen` can be seen in a cell without a glyph, so that equal-looking blanks are equal."""
    seen = pen.attributes & _SEEN_ON_BLANKS
    if seen or pen.link:
        return Pen(pen.foreground, pen.background, seen, pen.link)
    return Pen("", pen.background, 0, "")


def erasable(pen: Pen) -> bool:
    """Whether an erase sequence can draw this blank: it leaves a background and nothing else."""
    return not pen.attributes and not pen.link


@lru_cache(maxsize=8192)
def transition(before: Pen | None, after: Pen) -> str:
    """The shortest bytes that change the terminal's pen; `before` is None when it is unknown."""
    if before == after:
        return ""
    link = ""
    if before is not None and before.link != after.link:
        # The same id for the same URL lets a terminal light up all the rows of a wrapped link.
        name = f"id={zlib.crc32(after.link.encode()):x}" if after.link else ""
        link = f"\x1b]8;{name};{after.link}\x1b\\"
    elif before is None:
        link = "\x1b]8;;\x1b\\" + (transition(DEFAULT_PEN, Pen(link=after.link)) if after.link else "")
    return link + _colours(before, after)


def _colours(before: Pen | None, after: Pen) -> str:
    anew = parameters(after)
    if before is None:
        return f"\x1b[0;{anew}m" if anew else RESET
    if before[:3] == after[:3]:
        return ""
    if not anew:
        return RESET
    steps: list[str] = []
    lost = before.attributes & ~after.attributes
    kept = before.attributes & after.attributes
    for bit, off in _OFF.items():
        if lost & bit and off not in steps:
            steps.append(off)
    # One parameter may turn off two attributes (22: bold and dim); what should stay is turned on again.
    kept &= ~sum(bit for bit, off in _OFF.items() if off in steps)
    steps += [on for on, bit in _ON.items() if after.attributes & bit and not kept & bit]
    if before.foreground != after.foreground:
        steps.append(after.foreground or "39")
    if before.background != after.background:
        steps.append(after.background or "49")
    change = ";".join(steps)
    return f"\x1b[{change}m" if len(change) <= len(anew) + 2 else f"\x1b[0;{anew}m"


def parameters(pen: Pen) -> str:
    """The SGR parameters that select the pen from the default one."""
    on = [parameter for parameter, bit in _ON.items() if pen.attributes & bit]
    return ";".join(part for part in (*on, pen.foreground, pen.background) if part)
