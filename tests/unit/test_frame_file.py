"""The first frame that is kept for the next start: cells go in and come out, nothing in its file acts on the terminal."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tui import frame_file
from tui.ui.terminal.cells import CellRow
from tui.ui.terminal.sgr import Pen

HEAD = frame_file.to_text([])


def test_a_frame_comes_back_as_it_was() -> None:
    title = CellRow.of([(" lokal ", Pen("38;5;4", "", 1)), ("чат 漢字", Pen()), ("   ", Pen())])
    text = frame_file.to_text(
        row.looks() for row in (title, CellRow.of([("   ", Pen())]), CellRow.of([("› ", Pen("2"))]))
    )
    assert frame_file.drawn(text, 20, 3) == (
        "\x1b[1;1H\x1b[m \x1b[0;1;38;5;4mlokal \x1b[mчат 漢字\x1b[2;1H\x1b[3;1H\x1b[0;2m› \x1b[m".encode()
    )


def test_what_could_not_be_read_again_is_not_kept() -> None:
    assert frame_file.to_text([[("", "a\x1b[31mb")]]) == ""
    assert frame_file.to_text([[("", "a\tb")]]) == ""


@pytest.mark.parametrize(
    "line",
    [
        "|a\x1b]52;c;ZXZpbA==\x07", "|\x1b[31mred", "|\x9b31m", "|a\rb", "|\u202egnp.exe", "|\u2066x", "|\x00", "|\x7f",
        "31m\x1b]0;x\x07|a", "31:|a", "١|a", "no bar", "|" + "x" * 81, "1;" * 50 + "|a",
    ],
)  # fmt: skip
def test_what_would_act_on_a_terminal_is_no_frame(line: str) -> None:
    assert frame_file.drawn(f"{HEAD}|fine\n{line}\n", 80, 24) is None
    assert frame_file.drawn(f"{HEAD}|fine\n", 80, 24) is not None


def test_a_frame_of_another_size_or_form_is_none() -> None:
    assert frame_file.drawn(HEAD + "|a\n" * 25, 80, 24) is None
    assert frame_file.drawn("\x1b[1;1Hthe bytes of an older lokal", 80, 24) is None
    assert frame_file.drawn("", 80, 24) is None


def test_what_is_no_small_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "zero").symlink_to("/dev/zero")
    with (tmp_path / "large").open("wb") as file:
        file.truncate(20_000_000)
    (tmp_path / "latin").write_bytes(b"lokal frame 1\n|\xff\n")
    for name in ("pipe", "folder", "loop", "zero", "large", "latin", "nothing"):
        assert frame_file.read(str(tmp_path / name)) == "", name


def test_where_it_is_kept() -> None:
    environ = {"TERM": "../x/y", "HOME": "/home/a"}
    assert frame_file.frame_file(environ, 80, 24) == "/home/a/.local/state/lokal/frames/.._x_y---80x24"
    assert frame_file.frame_file({**environ, "XDG_STATE_HOME": "/s"}, 80, 24).startswith("/s/lokal/frames/")
