"""What the command line of `lokal` itself asks for; what those of its commands do stands in `command_arguments`, which the
screen does without."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to ask and how. None and empty = not said; `assignments` are still `name=value`."""

    server: str | None = None
    model: str = ""
    preset: str | None = None
    assignments: tuple[str, ...] = ()
    gguf: Path | None = None


@dataclass(frozen=True, slots=True)
class Screen:
    """`lokal`: open the screen, or with `plain` chat line by line, in colour with `color`. `resume` is a chat's id, the start
    of one, or `last`; with `profile` only to see how long the screen takes."""

    target: Target
    resume: str | None = None
    profile: bool = False
    plain: bool = False
    color: bool = False
