"""Text as the search index knows it, so that `zazolc` finds `zażółć`, `tieng viet` finds `tiếng Việt` and `ozbek` finds
`oʻzbek`.

Folding drops case, accents, apostrophes and invisible marks, turns letters that carry a stroke or a hook into their
plain neighbours, and everything that is no letter and no digit into a blank. Signs of scripts that are written without
blanks become words of their own. Latin elisions (`l'eau`) are two words.
"""

from __future__ import annotations

import re
import unicodedata

APOSTROPHES = "'’‘ʻʼ"

# Letters that Unicode does not take apart (UnicodeData.txt has no decomposition for them).
_NEIGHBOURS = {
    **dict(zip("đðħıłŋøŧƀƶɓɗƙǥɨʉ", "ddhilnotbzbdkgiu", strict=True)),
    **{"æ": "ae", "œ": "oe", "þ": "th"},
    # Uzbek, Kazakh, Tajik and Ukrainian Cyrillic, as people type them on a Russian keyboard.
    **dict(zip("қғҳңөұүәіҷґє", "кгхноууаичге", strict=True)),
}
# Written without blanks between the words: Thai, Lao, Myanmar, Khmer, kana, Bopomofo, Han.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u30ff\u3100-\u312f\u31a0-\u31ff\u3400-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)
_ELISION = re.compile("(?<![^\\W_])(qu|[cdjlmnst])['’](?=[^\\W_])", re.IGNORECASE)


def folded_character(character: str) -> str:
    """What one character comes to: nothing, a letter or more, or a blank; a sign that is a word has blanks around it."""
    if character in APOSTROPHES:
        return ""
    if "가" <= character <= "힣":  # syllables, which Unicode would take apart into letters
        return character
    parts = unicodedata.normalize("NFKD", character.casefold()).casefold()
    letters = [_NEIGHBOURS.get(part, part) for part in parts if _is_letter(part)]
    category = unicodedata.category(character)
    is_sign = category[0] == "S" or (category in ("No", "Nl") and len(letters) > 1)  # ™, ½
    if not letters or is_sign:
        return "" if all(unicodedata.category(part) in ("Mn", "Me", "Cf") for part in parts) else " "
    text = "".join(letters)
    return f" {text} " if _UNSPACED.match(character) else text


def _is_letter(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] in "LN" or category == "Mc"


class _Table(dict[int, str | None]):
    """A table for `str.translate` that is filled as it is used. Nothing is None, which keeps ASCII on the fast path."""

    def __missing__(self, code: int) -> str | None:
        self[code] = folded = folded_character(chr(code)) or None
        return folded


_TABLE = _Table()


def words_of(text: str) -> list[str]:
    """The folded words of a text, in their order."""
    if "'" in text or "’" in text:
        text = _ELISION.sub(r"\1 ", text)
    if not text.isascii() and not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    return text.translate(_TABLE).split()


def fold(text: str) -> str:
    """The folded words with a blank before each and one at the end; empty for a text without words."""
    words = words_of(text)
    return f" {' '.join(words)} " if words else ""
