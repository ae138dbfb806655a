"""Editors as shell scripts: what $EDITOR is set to in a test."""

from __future__ import annotations

from pathlib import Path


def editor(folder: Path, does: str) -> str:
    """A program that does this with the file `$1`; the value for $EDITOR."""
    path = folder / "an editor"
    path.write_text(f"#!/bin/sh\n{does}\n", encoding="utf-8")
    path.chmod(0o700)
    return f"'{path}'"
