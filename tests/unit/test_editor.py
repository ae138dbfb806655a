"""Which editor is meant, and what becomes of its file when lokal ends before it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from pathlib import Path

import pytest
from textual.app import App

from tests.support.editor import editor
from tui.errors import UsageError
from tui.ui.editor import edit_text, editor_command


def test_visual_goes_before_editor_and_may_have_arguments(tmp_path: Path) -> None:
    program = tmp_path / "my editor"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    path = {"PATH": "/usr/bin:/bin"}
    assert editor_command({**path, "EDITOR": "sh -x", "VISUAL": f"'{program}' --wait"}) == (
        str(program),
        "--wait",
    )
    assert editor_command({**path, "EDITOR": "sh -x", "VISUAL": " "}) == ("sh", "-x")


def test_where_none_is_named_the_first_usual_one_is_taken(tmp_path: Path) -> None:
    for name in ("vi", "vim", "nano", "sensible-editor"):
        with pytest.raises(UsageError) if name == "vi" else contextlib.nullcontext():
            editor_command({"PATH": str(tmp_path), "EDITOR": " "})
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
        assert editor_command({"PATH": str(tmp_path), "EDITOR": " "}) == (name,)


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        (
            {"PATH": "/nonexistent"},
            r"There is no editor.*\$VISUAL and \$EDITOR are not set.*sensible-editor, nano, vim or vi",
        ),
        ({"EDITOR": "no-such-editor -f"}, r"There is no editor “no-such-editor”. \$EDITOR names it"),
        ({"VISUAL": "vi 'x"}, r"\$VISUAL cannot be read"),
    ],
)
def test_no_editor(environ: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        editor_command({"PATH": "/usr/bin:/bin", **environ})


def left_in(folder: Path) -> dict[str, str]:
    """What is in the editor's folders, by name."""
    return {path.name: path.read_text() for path in folder.glob("lokal-*/*")}


@pytest.mark.parametrize("read_only", [False, True])
async def test_what_an_editor_saved_outlives_a_lokal_that_is_ended(
    read_only: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    os.mkfifo(tmp_path / "ready")
    saves = "" if read_only else 'echo "saved by hand" > "$1"; echo more > "$1.swp"; '
    monkeypatch.setenv("VISUAL", editor(tmp_path, f"{saves}echo > {tmp_path}/ready; exec tail -f /dev/null"))
    app: App[None] = App()
    editing = asyncio.create_task(edit_text(app, "draft", read_only=read_only))
    await asyncio.to_thread((tmp_path / "ready").read_text)
    editing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await editing
    kept = left_in(tmp_path)
    assert kept == ({} if read_only else {"draft.md": "saved by hand\n", "draft.md.swp": "more\n"})
