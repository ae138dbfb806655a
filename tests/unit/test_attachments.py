"""Reading files to attach: by any name, and nothing that is no plain file."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tui.chat.attachments import read_attachments
from tui.errors import FileError, UsageError


def names(argument: str, folder: Path) -> list[str]:
    return [file.name for file in read_attachments(argument, folder)]


def test_by_any_name_that_a_person_or_a_terminal_gives(tmp_path: Path, own_home: Path) -> None:
    for name in ("a.txt", "with blank.txt", "it's.txt", "a"):
        (tmp_path / name).write_text("x")
    (own_home / "at home").write_text("x")
    assert names("a.txt", tmp_path) == ["a.txt"]
    assert names(f"{tmp_path}/a.txt ", Path("/")) == ["a.txt"]
    assert names("with blank.txt", tmp_path) == ["with blank.txt"]
    assert names("'with blank.txt'", tmp_path) == ["with blank.txt"]
    assert names("with\\ blank.txt", tmp_path) == ["with blank.txt"]
    assert names("it's.txt", tmp_path) == ["it's.txt"]
    assert names("~/at home", tmp_path) == ["at home"]
    assert names("a.txt 'with blank.txt' a", tmp_path) == ["a.txt", "with blank.txt", "a"]


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("missing", "there is no such file"),
        ("no such file.txt", "Could not attach “no such file.txt”: there is no such file"),
        ("there missing", "Could not attach “missing”: there is no such file"),
        ("~nobody/x", "there is no such file"),
        ("x\0y", "no file can have that name"),
        ("a" * 300, "name too long|not attached"),
        (".", "it is a folder"),
        ("/dev/zero", "a device, which may never end"),
        ("pipe", "a pipe, which may never end"),
        ("socket", "a socket"),
        ("loop", "symbolic links"),
        ("large", "it has 200 MB"),
        ("bytes", "not text in UTF-8"),
    ],
)
def test_what_is_no_file_to_attach(argument: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("x")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "bytes").write_bytes(b"\xe9t\xe9")
    with (tmp_path / "large").open("wb") as file:
        file.truncate(200_000_000)
    listening = socket.socket(socket.AF_UNIX)
    before = Path.cwd()
    try:
        os.chdir(tmp_path)  # the path of a socket is short
        listening.bind("socket")
        with pytest.raises(FileError, match=words):
            read_attachments(argument, tmp_path)
    finally:
        os.chdir(before)
        listening.close()


def test_no_name_and_no_rights(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Attach which file"):
        read_attachments("  ", tmp_path)
    secret = tmp_path / "secret"
    secret.write_text("x")
    secret.chmod(0)
    if not os.access(secret, os.R_OK):  # root may read it
        with pytest.raises(FileError, match="you may not read it"):
            read_attachments("secret", tmp_path)


def test_a_file_without_a_size_is_held_to_the_limit_too(tmp_path: Path) -> None:
    assert names("/proc/self/status", tmp_path) == ["status"]
