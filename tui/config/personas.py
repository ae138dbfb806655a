"""Where personas are: those that ship, the person's own in the folder `personas` of the config, and any file by its path."""

from __future__ import annotations

import contextlib
from pathlib import Path

from tui import files
from tui.core.persona import MOST_BYTES, Persona, PersonaError, parse_persona
from tui.core.text import safe_line, safe_name
from tui.errors import FileError, UsageError

SHIPPED = Path(__file__).resolve().parent.parent / "personas"
SUFFIXES = (".txt", ".jsonl", ".md")


def shipped_names() -> tuple[str, ...]:
    """The names of the personas that ship."""
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.txt")))


def own_files(folder: Path) -> dict[str, Path]:
    """The person's own by their names; none where there is no folder."""
    with contextlib.suppress(OSError):
        return {
            path.stem: path
            for path in sorted(folder.iterdir())
            if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
        }
    return {}


def persona_names(folder: Path) -> tuple[str, ...]:
    """All names, the person's own first; one of them that is called as one that ships takes its place."""
    own = own_files(folder)
    return (*own, *(name for name in shipped_names() if name not in own))


def load_persona(folder: Path, wanted: str) -> Persona:
    """The persona of that name, or in that file. Raises UsageError, FileError, PersonaError."""
    own = own_files(folder)
    if wanted in own:
        return _read(own[wanted])
    if wanted in shipped_names():
        return _read(SHIPPED / f"{wanted}.txt")
    path = Path(wanted).expanduser()
    if path.suffix.lower() in SUFFIXES or "/" in wanted or path.is_file():
        return _read(path)
    near = [name for name in persona_names(folder) if name.startswith(wanted)]
    if len(near) == 1:
        return load_persona(folder, near[0])
    raise UsageError(
        f"There is no persona “{safe_name(wanted, 60)}”",
        "",
        f"There are: {', '.join(safe_name(name, 30) for name in persona_names(folder))}",
    )


def _read(path: Path) -> Persona:
    try:
        return parse_persona(files.read_bytes(path, MOST_BYTES), path.name)
    except files.TooLarge as error:
        raise PersonaError(
            0, f"A persona has at most {MOST_BYTES >> 20} MB", "Take fewer examples"
        ) from error
    except OSError as error:
        why = getattr(error, "what", "") or error.strerror or str(error)
        shown = safe_line(str(path), 200)
        raise FileError(path, f"Cannot read {shown}", why, "Check the path") from error
