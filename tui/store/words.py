"""The words of a text as the search index knows them: folded letters and digits, everything else a blank.

Signs of scripts that are written without blanks are words of their own. Latin elisions (`l'eau`) are two words.
"""

from __future__ import annotations

import re
import unicodedata

from tui.core.folding import folded_character

_ELISION = re.compile("(?<![^\\W_])(qu|[cdjlmnst])['’](?=[^\\W_])", re.IGNORECASE)


class _WordTable(dict[int, str | None]):
    """A table for `str.translate` that is filled as it is used. Nothing is None, which keeps ASCII on the fast path."""

    def __missing__(self, code: int) -> str | None:
        self[code] = folded = folded_character(chr(code)) or None
        return folded


_TABLE = _WordTable()


def words_of(text: str) -> list[str]:
    """The folded words of a text, in their order."""
    if "'" in text or "’" in text:
        text = _ELISION.sub(r"\1 ", text)
    if not text.isascii() and not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    return text.translate(_TABLE).split()


def folded_words(text: str) -> str:
    """The folded words with a blank before each and one at the end; empty for a text without words."""
    words = words_of(text)
    return f" {' '.join(words)} " if words else ""
