"""The `[keys]` table: the person's own keys, as a person writes them and as Textual names them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tui.config.toml import Table
from tui.core import commands
from tui.core.keyboard import latin
from tui.errors import FileError, LokalError

_MODIFIERS = ("alt", "ctrl", "shift")  # in the order in which Textual names them
_NAMED = frozenset(
    {
        *(f"f{number}" for number in range(1, 25)),
        *("escape", "enter", "tab", "space", "backspace", "delete", "insert"),
        *("home", "end", "pageup", "pagedown", "up", "down", "left", "right"),
    }
)
_SYNONYMS = {
    "control": "ctrl", "c": "ctrl", "meta": "alt", "option": "alt", "m": "alt", "esc": "escape", "return": "enter",
    "pgup": "pageup", "pgdn": "pagedown", "pgdown": "pagedown", "del": "delete", "ins": "insert", "spacebar": "space",
}  # fmt: skip
# One byte in a terminal, so that only the key on the right ever arrives (ECMA-48, the C0 set).
_SAME_BYTE = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+[": "escape"}


def parse_key(text: str) -> str | None:
    """A key in Textual's notation: `Ctrl+T`, `^T` and `C-t` are `ctrl+t`; None for what is no key.

    An empty text is an empty key: none. A letter of another script is the key that it stands on: `Ctrl+Е`, written in
    Russian, is `ctrl+t`.
    """
    value = text.strip()
    if len(value) <= 1:
        return latin(value)
    if value.startswith("^") and len(value) == 2:
        value = f"ctrl+{value[1]}"
    *before, last = value.replace("-", "+").split("+") if value[-1] not in "+-" else (value[:-2], value[-1])
    modifiers = [_SYNONYMS.get(part.lower(), part.lower()) for part in before if part]
    if any(part not in _MODIFIERS for part in modifiers) or len(set(modifiers)) != len(modifiers):
        return None
    name = last.lower() if modifiers or len(last) > 1 else last
    if len(name) > 1:
        name = _SYNONYMS.get(name, name)
        if name not in _NAMED:
            return None
    elif not name.isprintable() or not name:
        return None
    name = latin(name)
    key = "+".join([*(part for part in _MODIFIERS if part in modifiers), name])
    return _SAME_BYTE.get(key, key)


def flat_keys(table: Table) -> Table:
    """`[keys]` by command id. An id without quotes, `answer.stop = "f7"`, is an inner table to TOML. Raises FileError."""
    flat: dict[str, object] = {}

    def walk(inner: Mapping[str, object], prefix: str) -> None:
        for name, value in inner.items():
            if isinstance(value, dict):
                walk(value, f"{prefix}{name}.")
            else:
                flat[f"{prefix}{name}"] = value

    walk(table.table("keys").values, "")
    return Table(table.path, flat, "keys.")


def read_keys(table: Table, problems: list[LokalError]) -> Mapping[str, str]:
    """The overrides that take effect, by command id; what is refused is added to `problems`."""
    try:
        flat = flat_keys(table)
    except LokalError as error:
        problems.append(error)
        return MappingProxyType({})
    problems += flat.unknown(commands.BY_ID, "command")
    wanted = {}
    for id in flat:
        if id not in commands.BY_ID:
            continue
        value = flat[id]
        key = parse_key(value) if isinstance(value, str) else None
        if key is None:
            problems.append(
                flat.wrong(id, 'a key such as "ctrl+t", "alt+1" or "f7", or "" for none', "Its own key stays")
            )
        else:
            wanted[id] = key
    effective, refused = commands.keymap(wanted)
    problems += [
        FileError(table.path, f"{table.path}: {words}", "", "Its own key stays") for words in refused
    ]
    return MappingProxyType({id: key for id, key in wanted.items() if effective.get(id, "") == key})
