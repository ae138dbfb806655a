"""Which key of a Latin keyboard a letter of another script stands on, so that a command's key works in every layout.

It is for Ctrl, Alt and single-letter commands only: where text is written every letter is itself.
"""

from __future__ import annotations

from collections.abc import Mapping

_LATIN = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`"
# Row by row in the places of _LATIN; a blank is a key that writes no letter of that script. Where two layouts have the same
# letter in two places the first one named counts. The places are those of xkeyboard-config's `ru`, `ua`, `by`, `gr`, `il`,
# `ara` and `kr`.
_LAYOUTS = (
    "йцукенгшщзхъфывапролджэячсмитьбюё",
    "йцукенгшщзхїфівапролджєячсмитьбюґ",
    "йцукенгшўзх'фывапролджэячсмітьбюё",
    " ςερτυθιοπ  ασδφγηξκλ  ζχψωβνμ   ",
    "  קראטוןםפ  שדגכעיחלךף זסבהנמצתץ ",
    "ضصثقفغعهخحجدشسيبلاتنمكطئءؤر ىةوزذ",
    "ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔ  ㅁㄴㅇㄹㅎㅗㅓㅏㅣ  ㅋㅌㅊㅍㅠㅜㅡ   ",
)


def _places() -> Mapping[str, str]:
    places: dict[str, str] = {}
    for layout in _LAYOUTS:
        for letter, latin in zip(layout, _LATIN, strict=True):
            if not letter.isascii():
                places.setdefault(letter, latin)
    return places


_PLACES = _places()
_SHIFTED = {"[": "{", "]": "}", ";": ":", "'": '"', ",": "<", ".": ">", "`": "~"}


def latin(character: str) -> str:
    """What the same key writes in a Latin layout, upper case for upper case: `c` for `с`, `C` for `С`. A character that is
    Latin already, or that no known layout has, is returned as it is."""
    if character.isascii():
        return character
    if (found := _PLACES.get(character)) is not None:
        return found
    lower = character.lower()
    if lower == character or (found := _PLACES.get(lower)) is None:
        return character
    return _SHIFTED.get(found, found.upper())
