"""What every pane is shown: what is in use, and the keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tui.chat.state import ClientState
from tui.core.commands import key_name, keymap


@dataclass(frozen=True, slots=True)
class ScreenState(ClientState):
    """The client's state, the keys by command id, as Textual names them, and the name of the theme."""

    keys: Mapping[str, str] = field(default_factory=lambda: keymap({})[0])
    theme: str = ""

    def key(self, command_id: str) -> str:
        """The key of a command as a person reads it; empty for one that has none."""
        return key_name(self.keys.get(command_id, ""))
