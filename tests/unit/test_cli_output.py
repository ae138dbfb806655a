"""What commands write, and where."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import TextIO

import pytest

from tui.cli import output
from tui.cli.output import ProgressLine, complain, say, write, write_json
from tui.cli.writer import OutputWriter
from tui.errors import LokalError


def test_json_stays_readable_and_holds_no_control(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"text": "goʻzal 👍\n\x1b[31m\x9b\u202e\ud83d\x7f"}
    write_json(value)
    out = capsys.readouterr().out
    assert json.loads(out) == value
    assert "goʻzal 👍" in out
    assert not [letter for letter in out if letter != "\n" and not letter.isprintable()]


def test_an_error_is_what_why_and_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    complain(LokalError("What", "Why" + " why" * 40, "Do\x1b[2J this"))
    complain(LokalError("Only what"))
    say("A word\non one line")
    captured = capsys.readouterr()
    assert captured.err == (
        f"lokal: What\n       Why{' why' * 40}\n       Do this\nlokal: Only what\nlokal: A word on one line\n"
    )
    assert captured.out == ""


def test_progress_is_for_eyes_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = ProgressLine()
    line.show("unseen")
    line.clear()
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "20")
    line = ProgressLine()
    line.clear()
    line.show("loading")
    line.show("loading")
    line.show("a line that is far too long for it")
    line.clear()
    line.clear()
    assert capsys.readouterr().err == "\r\x1b[Kloading\r\x1b[Ka line that is far…\r\x1b[K"


async def test_a_line_is_ended_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "out"
    monkeypatch.setattr(sys, "stdout", _opened(path))
    writer = OutputWriter()
    assert not writer.began
    writer.end_line_if_room()
    await writer.end_line()
    assert _text(path) == ""
    await writer.write("ą" * 5000)
    await writer.write("")
    assert writer.began
    await writer.end_line()
    await writer.end_line()
    await writer.write("x")
    writer.end_line_if_room()
    writer.end_line_if_room()
    assert _text(path) == "ą" * 5000 + "\nx\n"


def _opened(path: Path) -> TextIO:
    return path.open("w", encoding="utf-8")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


async def test_a_pipe_that_is_full_is_waited_for_and_its_closing_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source, sink = os.pipe()
    monkeypatch.setattr(sys, "stdout", os.fdopen(sink, "w", encoding="utf-8"))
    writer = OutputWriter()
    text = "0123456789" * 100_000
    writing = asyncio.create_task(writer.write(text))
    reader, came = os.fdopen(source, "rb"), b""
    while len(came) < len(text):
        came += await asyncio.to_thread(reader.read1)
    await writing
    assert came.decode() == text
    reader.close()
    with pytest.raises(BrokenPipeError):
        await writer.write("more")
    writer.end_line_if_room()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", _opened(Path("/dev/full")))
    with pytest.raises(LokalError) as raised:
        write("anything")
    assert raised.value.detail == "No space left on device"
    sys.stdout.flush()  # nothing is tried again
    assert output.not_written(OSError(28, "full")).detail == "full"
