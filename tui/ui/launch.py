"""What the command line asks of the app."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tui.core.endpoint import Endpoint
from tui.core.message import Value
from tui.paths import Folders


@dataclass(frozen=True, slots=True)
class Launch:
    """One start of the app. `overrides` hold for this run only; None in it = the server's default.

    `resume` is a chat's id, a prefix of it or `last`; None = a new chat, unless an answer was interrupted.
    """

    folders: Folders
    server: Endpoint | None = None
    model: str = ""
    preset: str = ""
    overrides: Mapping[str, Value | None] = field(default_factory=dict)
    gguf: Path | None = None
    resume: str | None = None
