"""What a person types into a search: words that may go on (prefixes), and phrases in quotation marks.

All of them have to be there. Everything else, such as a lone quotation mark, AND, * or a colon, is text like any other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tui.store.words import words_of

_LONGEST = 400
_MOST_TERMS = 12
_QUOTES = str.maketrans("“”„", '"""')


@dataclass(frozen=True, slots=True)
class Term:
    """Folded words that follow each other; the last one may go on unless it is `whole`."""

    words: tuple[str, ...]
    whole: bool = False

    @property
    def needle(self) -> str:
        """What a folded text contains where the term is in it."""
        return f" {' '.join(self.words)}{' ' if self.whole else ''}"


def parse(text: str) -> tuple[Term, ...]:
    """The terms of a query; none when there is no word in it."""
    parts = text[:_LONGEST].translate(_QUOTES).split('"')
    if len(parts) % 2 == 0:  # the last quotation mark is not closed
        parts[-2:] = [" ".join(parts[-2:])]
    terms: dict[Term, None] = {}
    for number, part in enumerate(parts):
        phrase = number % 2 == 1
        for piece in [part] if phrase else part.split():
            if words := words_of(piece):
                terms[Term(tuple(words), phrase)] = None
    return tuple(terms)[:_MOST_TERMS]


def as_match(terms: Iterable[Term]) -> str:
    """The terms in FTS5's query language. Folded words have no character that means anything there."""
    return " AND ".join(f'"{" ".join(term.words)}"{"" if term.whole else " *"}' for term in terms)


def is_in(terms: Iterable[Term], folded: str) -> bool:
    """Whether all terms are in a folded text."""
    return all(term.needle in folded for term in terms)
