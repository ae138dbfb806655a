"""Escape sequences to keys: the tables of legacy terminals, the Kitty keyboard protocol, xterm's modifyOtherKeys.

What cannot be read is no key: whatever a terminal, a slow line or somebody hostile sends, nothing here raises.
A key with Ctrl or Alt is named as on a Latin keyboard, whichever layout is on (`tui.core.keyboard`).
"""

from __future__ import annotations

import re
from functools import lru_cache

from textual import events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._keyboard_protocol import FUNCTIONAL_KEYS, MODIFIER_FUNCTIONAL_KEYS
from textual.keys import _character_to_key

from tui.core.keyboard import latin

# `CSI number : shifted : base ; modifiers : event ; text : text ... final`, every part optional.
_REPORT = re.compile(
    r"\x1b\[(?P<code>\d{0,7})(?::(?P<shifted>\d{0,7})(?::(?P<base>\d{0,7}))?)?"
    r"(?:;(?P<modifiers>\d{0,3})(?::(?P<event>\d))?"
    r"(?:;(?P<text>[\d:]{0,80}))?)?(?P<final>[u~ABCDEFHPQRS])"
)
_SHIFT, _ALT, _CTRL = 1, 2, 4
# By their bits; those of Caps Lock and Num Lock change no key.
_MODIFIERS = ((_ALT, "alt"), (_CTRL, "ctrl"), (16, "hyper"), (32, "meta"), (_SHIFT, "shift"), (8, "super"))
_LOCKS = 64 | 128
_CAPS_LOCK = 64
_PRESSED = ("", "1", "2")  # 3 is a key that was let go
_OTHER_KEYS = 27  # `CSI 27 ; modifiers ; code ~` is modifyOtherKeys
# Keys that do nothing by themselves.
_SILENT = frozenset({*MODIFIER_FUNCTIONAL_KEYS, "caps_lock", "scroll_lock", "num_lock"})
_KEYPAD = {
    "decimal": ".",
    "divide": "/",
    "multiply": "*",
    "subtract": "-",
    "add": "+",
    "equal": "=",
    "separator": ",",
}
_TAKES_ESCAPE = frozenset(
    {"up", "down", "left", "right", "home", "end", "pageup", "pagedown", "insert", "delete"}
)
# One byte in a legacy terminal, so that people press one for the other.
_SAME_BYTE = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+[": "escape"}
_ENTER = {
    "\r": "enter",
    "\n": "enter",
    "\t": "tab",
    "\x7f": "backspace",
    "\x08": "backspace",
    "\x1b": "escape",
    " ": "space",
}
_MARKS = {
    "@": "space",
    "backslash": "\\",
    "right_square_bracket": "]",
    "circumflex_accent": "^",
    "underscore": "_",
}


def is_text(character: str) -> bool:
    """Whether it is a character that can be written: not only what Python calls printable, which leaves out the no-break
    space, the joiners of emoji and all that is newer than its tables, but nothing that controls."""
    return character >= " " and not "\x7f" <= character <= "\x9f"


def _is_on_a_key(character: str) -> bool:
    """The same of the code of a key, of which those for private use are keys that write nothing."""
    return character.isprintable() or (is_text(character) and character.isspace())


def typed(character: str) -> events.Key:
    """The key that writes `character`."""
    return events.Key(_name(character), character)


def with_escape(key: events.Key) -> events.Key | None:
    """The key with Alt where terminals such as PuTTY, rxvt and Terminal.app tell Alt by an ESC before the key's sequence;
    None for one that they never send so."""
    *held, last = key.key.split("+")
    if last not in _TAKES_ESCAPE or "alt" in held:
        return None
    return events.Key("+".join([*sorted([*held, "alt"]), last]), None)


def control(character: str) -> events.Key | None:
    """The key of a control character; None for one that no key sends."""
    found = ANSI_SEQUENCES_KEYS.get(character)
    if character >= "\x80" or not isinstance(found, tuple):
        return None
    name = found[0].value
    before, plus, last = name.rpartition("+")
    return events.Key(f"{before}{plus}{_MARKS.get(last, last)}", character)


def with_alt(character: str) -> events.Key | None:
    """The key of ESC and `character`; None for what no key sends."""
    if character in _ENTER:
        return events.Key("shift+tab" if character == "\t" else f"alt+{_ENTER[character]}", None)
    if not character.isprintable():
        return control(character)
    return events.Key(_chord(character, _ALT | (_SHIFT if latin(character).isupper() else 0)), None)


def report(sequence: str) -> tuple[events.Key, ...] | None:
    """The keys that a whole CSI or SS3 sequence stands for: none for one that was let go, None for no key at all."""
    found = _parsed(sequence)
    return None if found is None else tuple(events.Key(name, character) for name, character in found)


@lru_cache(maxsize=512)
def _parsed(sequence: str) -> tuple[tuple[str, str | None], ...] | None:
    if (match := _REPORT.fullmatch(sequence)) is not None and (keys := _reported(match)) is not None:
        return keys
    found = ANSI_SEQUENCES_KEYS.get(sequence)
    if isinstance(found, str):
        return ((_name(found), found),)  # the keypad
    if not isinstance(found, tuple):
        return None
    *escape, name = (key.value for key in found)
    if escape:  # Textual 8.2 has Alt in these as an Escape before
        *held, last = name.split("+")
        name = "+".join([*sorted([*held, "alt"]), last])
    return ((name, None),)


def _reported(match: re.Match[str]) -> tuple[tuple[str, str | None], ...] | None:
    """The keys of a report; None if it is none of this form."""
    final, modifiers = match["final"], int(match["modifiers"] or "1") or 1
    text = match["text"] or ""
    code = int(match["code"] or ("0" if final in "u~" else "1"))
    if final == "~" and code == _OTHER_KEYS and text:
        code, final, text = _number(text), "u", ""
    bits = modifiers - 1
    if bits > 255:
        return None
    if (match["event"] or "") not in _PRESSED:
        return ()
    name = FUNCTIONAL_KEYS.get(f"{code}{final}")
    if name in _SILENT:
        return ()
    written = _text(text)
    if written is None or (name is None and final != "u"):
        return None
    if written and _is_writing(bits, written, code, match["shifted"]):
        return tuple((_name(character), character) for character in written)
    character = _KEYPAD.get(name, name if len(name) == 1 else "") if name else _character(code)
    if name and not character:
        return ((_joined(bits, name), None),)
    if not character:
        return None
    if character in _ENTER:  # what modifyOtherKeys sends for Enter, Tab, Backspace, Escape and the space bar
        named, held = _ENTER[character], bits & ~_LOCKS
        if named == "space" and not held & ~_SHIFT:
            return (("space", " "),)
        return ((_joined(bits, named), None),)
    if not _is_on_a_key(character):
        return None
    if not bits & ~_LOCKS & ~_SHIFT:  # nobody told the text
        shifted = _character(int(match["shifted"] or "0")) if bits & _SHIFT else ""
        upper = bool(bits & _SHIFT) != bool(bits & _CAPS_LOCK)
        character = shifted or (character.upper() if upper and len(character.upper()) == 1 else character)
        return ((_name(character), character),) if _is_on_a_key(character) else None
    key = _chord(character, bits, _character(int(match["base"] or "0")))
    return ((_SAME_BYTE.get(key, key), None),)


def _is_writing(bits: int, written: str, code: int, shifted: str | None) -> bool:
    """Whether a key that tells its text writes it. Option and AltGr, which arrive as Alt and as Ctrl+Alt, write another
    character than the key does by itself; some terminals tell that one too for a mere Alt."""
    held = bits & ~_LOCKS & ~_SHIFT
    if held not in (_ALT, _ALT | _CTRL):
        return not held
    own = _character(code)
    return written not in (own, own.upper(), _character(_number(shifted or "")))


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) <= 7 else 0


def _character(code: int) -> str:
    """The character of a code point; empty for what is none."""
    return chr(code) if 0 < code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF else ""


def _text(codes: str) -> str | None:
    """The text that a report tells; None if it is none."""
    if not codes:
        return ""
    characters = [_character(_number(code)) for code in codes.split(":")]
    return "".join(characters) if all(map(is_text, characters)) else None


def _chord(character: str, bits: int, base: str = "") -> str:
    """The name of a key that is held with others. `base` is what it writes in a Latin layout, where the terminal tells."""
    if not character.isascii() and not _is_latin(character):
        character = base if base.isascii() and base.isprintable() and base else latin(character)
    return _joined(bits, character.lower())


def _is_latin(character: str) -> bool:
    """Whether it is one of the letters that layouts of the Latin script have of their own: `ö`, `ł`, `ñ`."""
    return character.isalpha() and ord(character.lower()) < 0x250


def _joined(bits: int, name: str) -> str:
    return "+".join([*(word for bit, word in _MODIFIERS if bits & bit), name])


@lru_cache(maxsize=512)
def _name(character: str) -> str:
    """Textual's name of the key that writes a character: marks have names, letters are their own."""
    return _character_to_key(character)
