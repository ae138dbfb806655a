"""What encoding bytes seem to be in that are not UTF-8: those of Windows, DOS and Unix of before, and UTF-16.

A guess, to be said and never acted on: a text in the wrong encoding is other words.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping

_SAMPLE = 1 << 16
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# The first of two that fit alike is taken: cp1252 and cp1250 are the same for German.
_CYRILLIC = ("cp1251", "koi8-r", "cp866", "iso-8859-5")
_LATIN = ("cp1252", "cp1250", "iso-8859-2", "cp850", "cp852")
_COMMON: Mapping[str, str] = {
    "cyrillic": "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъёіїєўқғҳ",
    "latin": "äöüßéèêëàâáãåæçñíìîïóòôõøúùûąćęłńśźżčďěňřšťůýžőű",
}
_QUOTES = frozenset("«»„“”‘’–—…№©°§€·•™®½²³ \xa0")


def seems_to_be(data: bytes) -> str:
    """The encoding, as Python and iconv name it; empty where none fits, as for what is no text."""
    for mark, name in _BOMS:
        if data.startswith(mark):
            return name
    if b"\0" in data:
        return _wide(data[:_SAMPLE])
    sample = _telling(data)
    if _is_damaged_utf8(sample):
        return "utf-8"
    scores = {name: _score(sample, name) for name in (*_CYRILLIC, *_LATIN)}
    best = max(scores, key=lambda name: scores[name])
    return best if scores[best] > 0 else ""


def recoding_hint(data: bytes) -> str:
    """What makes UTF-8 of a file that is not: a command line, with FILE for its name."""
    name = seems_to_be(data)
    if name == "utf-8":
        return "Some bytes of it are damaged; iconv -c -f UTF-8 -t UTF-8 FILE leaves them out"
    if name:
        return f"It seems to be {name}: iconv -f {name.upper()} -t UTF-8 FILE makes UTF-8 of it"
    return "If it is text, make UTF-8 of it: iconv -f ITS_ENCODING -t UTF-8 FILE"


def _telling(data: bytes) -> bytes:
    """A part of the bytes that has some beyond ASCII."""
    first = next((at for at in range(0, len(data), _SAMPLE) if not data[at : at + _SAMPLE].isascii()), 0)
    return data[first : first + _SAMPLE]


def _is_damaged_utf8(data: bytes) -> bool:
    """Whether most of what is not ASCII is whole UTF-8 characters."""
    text = data.decode("utf-8", "replace")
    bad = text.count("\ufffd")
    whole = sum(not mark.isascii() for mark in text) - bad
    return whole > 4 * bad


def _wide(data: bytes) -> str:
    """UTF-16 without its mark: text has its zeros on one side of each pair."""
    data = data[: len(data) // 2 * 2]
    best, most = "", 0.9
    for name in ("utf-16-le", "utf-16-be"):
        text = data.decode(name, "replace")
        fine = sum(mark.isprintable() and mark != "\ufffd" and _is_european(mark) for mark in text)
        share = (fine + sum(text.count(mark) for mark in "\r\n\t")) / max(1, len(text))
        if share > most:
            best, most = name, share
    return best


def _is_european(mark: str) -> bool:
    return mark < "\u0600" or "\u1e00" <= mark < "\u2200"


def _score(data: bytes, name: str) -> float:
    """How much the bytes look like words in that encoding; 0 and less: not at all."""
    try:
        text = data.decode(name)
    except UnicodeDecodeError:
        return -1.0
    family = "cyrillic" if name in _CYRILLIC else "latin"
    common = _COMMON[family]
    score = 0.0
    before = " "
    for at, mark in enumerate(text):
        if mark.isascii():
            before = mark
            continue
        after = text[at + 1 : at + 2]
        if mark in _QUOTES:
            score += 0.1 if not (before.isalpha() and after.isalpha()) else -1
        elif not mark.isalpha():
            score -= 2  # a frame, a sign or a control character
        else:
            score += _letter(mark, before, after, common, family)
        before = mark
    return score


def _letter(mark: str, before: str, after: str, common: str, family: str) -> float:
    small = mark.lower()
    if small not in common:
        return -1.0
    neighbours = [other for other in (before, after) if other.isalpha()]
    if family == "cyrillic":
        if any(other.isascii() for other in neighbours):
            return -2.0
        # The frequent ones count more: in KOI8-R what is a capital of cp1251 is another small letter.
        worth = 2.0 - 3.0 * common.index(small) / len(common)
    else:
        if len(neighbours) == 2 and not any(other.isascii() for other in neighbours):
            return -1.0
        worth = 1.0
    if mark != small and before.isalpha() and before.islower():
        return -1.0  # a capital in the middle of a word is none
    if mark == small and before.isalpha() and before.isupper() and not before.isascii():
        return worth / 2
    return worth if mark == small else worth * 0.9
