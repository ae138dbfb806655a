"""Letters as a person means them who searches: `zazolc` is `zażółć`, `tieng viet` is `tiếng Việt`, `ozbek` is `oʻzbek`.

Folding drops case, accents, apostrophes and invisible marks, and turns letters that carry a stroke or a hook into their
plain neighbours. The search of chats, that of earlier prompts and that of the help all use this table.
"""

from __future__ import annotations

import unicodedata

APOSTROPHES = "'’‘ʻʼ"

# Letters that Unicode does not take apart (UnicodeData.txt has no decomposition for them).
_NEIGHBOURS = {
    **dict(zip("đðħıłŋøŧƀƶɓɗƙǥɨʉ", "ddhilnotbzbdkgiu", strict=True)),
    **{"æ": "ae", "œ": "oe", "þ": "th"},
    # Uzbek, Kazakh, Tajik and Ukrainian Cyrillic, as people type them on a Russian keyboard.
    **dict(zip("қғҳңөұүәіҷґє", "кгхноууаичге", strict=True)),
}
# Written without blanks between the words: Thai and Lao, Myanmar, Khmer, kana, Bopomofo and its extensions, Han.
_UNSPACED = (
    ("\u0e00", "\u0eff"), ("\u1000", "\u109f"), ("\u1780", "\u17ff"), ("\u3005", "\u30ff"), ("\u3100", "\u312f"),
    ("\u31a0", "\u31ff"), ("\u3400", "\u9fff"), ("\uf900", "\ufaff"), ("\U00020000", "\U0003ffff"),
)  # fmt: skip


def folded_character(character: str) -> str:
    """What one character comes to among words: nothing, a letter or more, or a blank for what is no letter and no digit; a
    sign that is a word by itself has blanks around it."""
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
    return f" {text} " if any(first <= character <= last for first, last in _UNSPACED) else text


def _is_letter(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] in "LN" or category == "Mc"


class _FoldingTable(dict[int, str | None]):
    """A table for `str.translate` that is filled as it is used. Nothing is None, which keeps ASCII on the fast path."""

    def __missing__(self, code: int) -> str | None:
        character = chr(code)
        came_to = folded_character(character)
        self[code] = folded = (came_to.strip() or (came_to and character)) or None
        return folded


_TABLE = _FoldingTable()


def folded(text: str) -> str:
    """`text` with its letters folded; blanks and signs stay as they are."""
    if text.isascii():
        return text.lower().replace("'", "")
    if not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    return text.translate(_TABLE)
