"""Where lokal reaches behind Textual's public interface, each place with the version and the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from textual import _ansi_sequences, constants, screen
from textual.widget import Widget

from tui.core.keyboard import latin


@dataclass(frozen=True)
class _Named:
    """Stands for a member of `textual.keys.Keys`, which has no name for these keys."""

    value: str


def teach_keys() -> None:
    """Let Textual's parser know the keys a legacy terminal sends with Alt.

    Textual 8.2: `ESC 1` to `ESC 9` are turned into the characters that macOS types with Option, and `ESC CR` into a
    plain Enter, so that Alt+1 would write into the composer and Alt+Enter would send. The sequences are looked up in
    this table at each key, so it can be corrected before the app starts.
    """
    table: dict[str, Any] = _ansi_sequences.ANSI_SEQUENCES_KEYS  # type: ignore[assignment]  # its values are Keys or str
    for digit in "123456789":
        table[f"\x1b{digit}"] = (_Named(f"alt+{digit}"),)
    table["\x1b\r"] = (_Named("alt+enter"),)
    table["\x1b\n"] = (_Named("alt+enter"),)


ESCAPE_DELAY_S = 0.04


def hasten_escape(environ: Mapping[str, str]) -> None:
    """Take Esc for itself after 40 ms of silence, so that it stops an answer in good time.

    Textual 8.2 waits 100 ms by default, and reads this constant at each key. ESCDELAY, which ncurses programs share,
    goes before: on a line that tears escape sequences apart it is to be raised.
    """
    if "ESCDELAY" not in environ:
        constants.ESCAPE_DELAY = ESCAPE_DELAY_S  # type: ignore[misc]  # declared Final, read at run time


async def run_binding(widget: Widget, key: str) -> bool:
    """Do what `widget` or one around it has bound to `key`, now; False if none has. A letter of another script is the one
    that its key writes in a Latin layout.

    Textual 8.2 looks for a binding only when a key has bubbled up to the app, so that of keys which come in one piece,
    as they do on a slow line, a letter is written before the arrow in front of it has moved the cursor. A widget that
    takes letters calls this for its other keys, and all of them count in the order in which they came; also where a key
    behind them, which the app took first, has moved the focus meanwhile.
    """
    for each in dict.fromkeys((key, latin(key))):
        if await run_own_binding(widget, each) or await widget.app._check_bindings(each):
            return True
    return False


async def run_own_binding(widget: Widget, key: str) -> bool:
    """The same, of what `widget` itself has bound only."""
    for binding in widget._bindings.key_to_bindings.get(key, ()):
        if await widget.app.run_action(binding.action, widget):
            return True
    return False


UPDATE_PERIOD_S = 1 / 240


def hasten_updates() -> None:
    """Let a typed key be on the screen within 4 ms of its turn, not within 17.

    Textual 8.2 collects what changed for one frame of 60 a second, by a timer that it makes with this constant and that
    rests while nothing changes. A streamed answer has its own, slower pace. At 800 tokens a second this took the echo's
    95th percentile from 40 to 10 ms.
    """
    screen.UPDATE_PERIOD = UPDATE_PERIOD_S  # type: ignore[misc]  # declared Final, read when a screen is made
