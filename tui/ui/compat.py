"""Where lokal reaches behind Textual's public interface, each place with the version and the reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textual import _ansi_sequences


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
