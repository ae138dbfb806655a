"""Every action has one key that a plain terminal can send, and no two want the same one."""

from __future__ import annotations

from itertools import combinations

import pytest

from tui.core.commands import BY_ID, COMMANDS, Command, key_name, keymap

# What a terminal without any keyboard protocol sends in bytes of its own: C0 controls (ECMA-48), the VT220 and xterm
# function and cursor keys, with Shift as xterm, tmux and screen send them, and Alt as an ESC before a character. Left out are the letters whose control code is that
# of another key (h, i, j, m, [), but Ctrl+J, which is what it is: a line feed; and Ctrl+A and Ctrl+B, which screen
# and tmux keep for themselves.
LEGACY = frozenset(
    {
        *(f"ctrl+{letter}" for letter in "cdefgjklnopqrstuvwxyz"),
        *(f"f{number}" for number in range(1, 13)),
        *("enter", "escape", "tab", "shift+tab", "up", "down", "left", "right", "shift+left", "shift+right"),
        *("home", "end", "pageup", "pagedown", "insert", "delete", "ctrl+home", "ctrl+end"),
        *(f"alt+{character}" for character in "0123456789abcdefghijklmnopqrstuvwxyz"),
        *("alt+up", "alt+down", "space", "slash"),
    }
)
WRITING = {"everywhere", "chat", "composer", "fit"}
READING = {"choices", "messages", "chats", "compare", "models", "settings"}


def meet(one: Command, other: Command) -> bool:
    places = {one.where, other.where}
    if one.id == "answer.stop" and other.id == "messages.leave":
        return False  # Esc: first it stops, and then it leaves
    parts = {"composer", "messages"}
    return len(places) == 1 or "everywhere" in places or ("chat" in places and bool(places & parts))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.id)
def test_each_default_key_can_be_sent_by_a_legacy_terminal(command: Command) -> None:
    assert command.title
    assert command.help
    assert command.where in WRITING | READING
    if len(command.key) == 1:
        assert command.key.isprintable()
        assert command.where in READING, "a letter is text where a person writes"
    elif command.key:
        assert command.key in LEGACY


def test_no_two_commands_want_one_key_in_one_place() -> None:
    for one, other in combinations(COMMANDS, 2):
        assert one.id != other.id
        assert not (one.key and one.key == other.key and meet(one, other)), f"{one.id} and {other.id}"
    assert len(BY_ID) == len(COMMANDS)


def test_without_overrides_every_default_stands() -> None:
    keys, wrong = keymap({})
    assert keys == {command.id: command.key for command in COMMANDS if command.key}
    assert wrong == []


def test_an_override_takes_the_place_of_the_default() -> None:
    keys, wrong = keymap({"theme.next": "f10"})
    assert keys["theme.next"] == "f10"
    assert wrong == []


@pytest.mark.parametrize(
    ("overrides", "kept", "word"),
    [
        ({"theme.nxt": "f10"}, {"theme.next": "f9"}, "theme.nxt"),
        ({"theme.next": "f1"}, {"theme.next": "f9", "help": "f1"}, "help"),
        ({"answer.retry": "enter"}, {"answer.retry": "f5"}, "send"),
        ({"theme.next": "f10", "help": "f10"}, {"theme.next": "f10", "help": "f1"}, "theme.next"),
        ({"help": "f9", "theme.next": "f8"}, {"help": "f1", "theme.next": "f9"}, "server.search"),
        ({"guide.ask": "g", "theme.next": "?"}, {"theme.next": "f9"}, "g is typed in the composer"),
        ({"fit.drop": "d", "editor": "space"}, {"editor": "alt+e"}, "Space is typed in the composer"),
        ({"fit.drop": "enter"}, {"send": "enter"}, "send"),
        ({"fit.drop": "pageup"}, {"scroll.page_up": "pageup"}, "scroll.page_up"),
    ],
)
def test_a_wrong_override_is_refused_and_the_default_stays(
    overrides: dict[str, str], kept: dict[str, str], word: str
) -> None:
    keys, wrong = keymap(overrides)
    assert {id: keys[id] for id in kept} == kept
    assert word in " ".join(wrong)


def test_two_commands_can_change_places() -> None:
    keys, wrong = keymap({"help": "f9", "theme.next": "f1"})
    assert (keys["help"], keys["theme.next"]) == ("f9", "f1")
    assert wrong == []


def test_keys_can_be_taken_away() -> None:
    keys, wrong = keymap({"quit": "", "theme.next": ""})
    assert "quit" not in keys
    assert "theme.next" not in keys
    assert wrong == []


def test_one_key_can_serve_two_tabs() -> None:
    keys, wrong = keymap({"model.refresh": "z", "parameter.unset": "z"})
    assert keys["model.refresh"] == keys["parameter.unset"] == "z"
    assert wrong == []


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("ctrl+t", "Ctrl+T"), ("f1", "F1"), ("escape", "Esc"), ("pageup", "PgUp"), ("alt+1", "Alt+1"), ("r", "r"),
        ("C", "C"), ("/", "/"), ("ctrl+home", "Ctrl+Home"), ("shift+left", "Shift+←"), ("", ""),
    ],
)  # fmt: skip
def test_keys_as_people_read_them(key: str, name: str) -> None:
    assert key_name(key) == name
