"""Where the terms of a search are in the original text, and the line around the first of them.

A term becomes a pattern in which each folded letter stands for every letter that folds to it, so that matches are found
in the text as it was written. The pattern finds at least what the index does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from tui.core.folding import APOSTROPHES, folded_character
from tui.core.text import safe_line
from tui.store.query import Term

SNIPPET = 120
"""Characters of a snippet, at the most."""
_BEFORE = 36
_SPANS = 40
_FORKS = 2
"""Places in a part of a word where a ligature may stand for its letters; each doubles the pattern."""

# Latin, Greek, Cyrillic with their extensions, the letterlike symbols, ligatures and full-width forms.
_ALPHABETS = ((0x21, 0x530), (0x1C80, 0x1C90), (0x1D00, 0x2190), (0x2460, 0x24F0), (0x2C60, 0x2C80), (0xA640, 0xA7A0),
              (0xFB00, 0xFB07), (0xFF10, 0xFF5B))  # fmt: skip
# What may stand inside a word and folds to nothing: apostrophes, and all that is neither letter nor blank nor a common
# sign, which are the accents of all scripts and the invisible marks.
_DROPPED = f"(?:[^\\w\\s!-~\u0080-\u00ac\u00ae-\u00bf\u2010-\u2029\u202f-\u205f\u2190-\u2bff\u3000-\u303f]|[{APOSTROPHES}\u200b-\u200f\u202a-\u202e])*"
# What folds to no letter though `re` takes it for one: two apostrophes, fractions, numbers in circles.
_NO_LETTERS = "ʻʼ\u00bc-\u00be\u2150-\u2189\u2460-\u24ff"
_LETTER = f"[^\\W_{_NO_LETTERS}]"
_NOT_AFTER, _NOT_BEFORE = f"(?<!{_LETTER})", f"(?!{_LETTER})"


@dataclass(frozen=True, slots=True)
class _Letters:
    """For each letter, and for each text of more letters, the characters that fold to it."""

    origins: dict[str, str]
    ligatures: dict[str, str]


@lru_cache(maxsize=1)
def _letters() -> _Letters:
    origins: dict[str, list[str]] = {}
    for first, end in _ALPHABETS:
        for character in map(chr, range(first, end)):
            folded = folded_character(character)
            if folded.strip() == folded and folded:
                origins.setdefault(folded, []).append(character)
    classes = {folded: "".join(map(re.escape, characters)) for folded, characters in origins.items()}
    return _Letters(
        {folded: "".join(characters) for folded, characters in origins.items() if len(folded) == 1},
        {folded: escaped for folded, escaped in classes.items() if len(folded) > 1},
    )


def pattern_of(terms: Sequence[Term]) -> re.Pattern[str]:
    """What finds the terms in a text as it was written."""
    return re.compile("|".join(map(_term_pattern, sorted(terms, key=lambda term: -len(term.needle)))))


def snippet_of(text: str, pattern: re.Pattern[str]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """One line of at most SNIPPET safe characters around the first match, and the matches in it as (start, end)."""
    match = pattern.search(text)
    start = 0 if match is None else _line_start(text, match.start())
    raw = text[start : start + 4 * SNIPPET]
    lead = "…" if text[:start].strip() else ""
    line = lead + safe_line(raw, SNIPPET - len(lead) - 1)
    if not line.endswith("…") and text[start + len(raw) :].strip():
        line += "…"
    return line, spans_in(line, pattern)


def spans_in(text: str, pattern: re.Pattern[str]) -> tuple[tuple[int, int], ...]:
    """The matches in a text as (start, end), the first ones of very many."""
    spans = []
    for match in pattern.finditer(text):
        if match.end() > match.start():
            spans.append(match.span())
        if len(spans) == _SPANS:
            break
    return tuple(spans)


def _line_start(text: str, at: int) -> int:
    """Where the line around a match begins: at a word some characters before it, or at the beginning of its paragraph."""
    start = max(0, at - _BEFORE)
    paragraph = text.rfind("\n\n", start, at)
    if paragraph >= 0:
        return paragraph + 2
    if start == 0:
        return 0
    blank = re.search(r"\s", text[start:at])
    return start + blank.end() if blank else start


def _term_pattern(term: Term) -> str:
    last = _word_pattern(term.words[-1], whole=term.whole)
    words = [*(_word_pattern(word, whole=True) for word in term.words[:-1]), last]
    # What stands between two words ends where the next one may begin: so there is one way to match, not a power of them.
    body = words[0] + "".join(
        rf"(?:(?!{_class_of(word[0])})[\W_{_NO_LETTERS}])*{pattern}"
        for word, pattern in zip(term.words[1:], words[1:], strict=True)
    )
    end = _DROPPED + _NOT_BEFORE if term.whole and not _unspaced(term.words[-1][-1]) else ""
    start = "" if _unspaced(term.words[0][0]) else _NOT_AFTER
    return start + body + end


def _word_pattern(word: str, *, whole: bool) -> str:
    """A pattern for one word; without `whole` its end may be the beginning of what a ligature folds to."""
    letters = _letters()

    # Where no ligature of the word goes across, the pattern is made anew: the ways of one part do not multiply with
    # those of the next.
    crossed = {
        inside
        for folded in letters.ligatures
        for at in range(len(word))
        if word.startswith(folded, at)
        for inside in range(at + 1, at + len(folded))
    }
    cuts = [0, *(at for at in range(1, len(word)) if at not in crossed)]

    return "".join(
        _part_pattern(word, at, end, whole=whole)
        for at, end in zip(cuts, [*cuts[1:], len(word)], strict=True)
    )


def _part_pattern(word: str, start: int, stop: int, *, whole: bool) -> str:
    """The pattern of `word[start:stop]`, which no ligature leaves but at the end of a word that may go on."""
    letters = _letters()

    def from_(at: int, forks: int) -> str:
        if at == stop:
            return ""
        ways = []
        for folded, characters in letters.ligatures.items():
            end = at + len(folded)
            if forks and end <= stop and word.startswith(folded, at):
                ways.append(f"[{characters}]{_DROPPED if end < len(word) else ''}{from_(end, forks - 1)}")
            elif not whole and end > len(word) and folded.startswith(word[at:]):
                ways.append(f"[{characters}]")
        on = _DROPPED if at + 1 < len(word) else ""
        single = f"{_class_of(word[at])}{on}{from_(at + 1, max(0, forks - 1) if ways else forks)}"
        return f"(?:{'|'.join([single, *ways])})" if ways else single

    return from_(start, _FORKS)


def _class_of(letter: str) -> str:
    characters = {letter, letter.upper(), *_letters().origins.get(letter, "")}
    return f"[{re.escape(''.join(sorted(each for each in characters if len(each) == 1)))}]"


def _unspaced(letter: str) -> bool:
    return folded_character(letter).startswith(" ")
