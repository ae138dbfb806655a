"""Opening a person's files: regular ones only, not too much of them, and nothing that keeps lokal from leaving."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.preloaded import ROOT
from tui import files

READERS: tuple[Callable[[Path], object], ...] = (
    files.read_bytes,
    files.read_named,
    files.open_file,
    lambda path: files.read_end(path, 100),
    lambda path: files.open_handle(path, os.O_RDWR | os.O_APPEND | os.O_CREAT),
)


def _fifo(path: Path) -> Path:
    os.mkfifo(path)
    return path


def _linked(path: Path, target: str) -> Path:
    path.symlink_to(target)
    return path


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda path: path, "folder"),
        (lambda path: _linked(path / "zero", "/dev/zero"), "device"),
        (lambda path: _linked(path / "tty", "/dev/ptmx"), "device"),
        (lambda path: _linked(path / "loop", "loop"), "symbolic link"),
    ],
)
def test_what_is_no_file_is_not_opened(
    tmp_path: Path, make: Callable[[Path], Path], what: str, read: Callable[[Path], object]
) -> None:
    with pytest.raises(OSError, match=what):
        read(make(tmp_path))


@pytest.mark.parametrize("read", [each for each in READERS if each is not files.read_named])
def test_a_pipe_is_not_waited_for(tmp_path: Path, read: Callable[[Path], object]) -> None:
    with pytest.raises(files.NotAFile, match="pipe"):
        read(_fifo(tmp_path / "pipe"))


@pytest.mark.parametrize("read", [files.read_bytes, files.read_named])
def test_a_link_to_a_file_is_followed(tmp_path: Path, read: Callable[[Path], bytes]) -> None:
    (tmp_path / "real").write_bytes(b"x" * 300_000)
    assert read(_linked(tmp_path / "link", "real")) == b"x" * 300_000


def test_a_large_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(files.TooLarge) as caught:
        files.read_bytes(path)
    assert (caught.value.size, caught.value.limit) == (1 << 40, files.LIMIT)
    assert caught.value.strerror == "It has 1,099,512 MB; 1.0 MB is the most"


def test_as_many_bytes_as_may_be(tmp_path: Path) -> None:
    path = tmp_path / "full"
    path.write_bytes(b"x" * 10)
    assert files.read_bytes(path, 10) == b"x" * 10
    with pytest.raises(files.TooLarge):
        files.read_bytes(path, 9)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux has such files")
def test_a_file_that_tells_no_size_is_held_to_the_limit() -> None:
    assert b"Name:" in files.read_bytes(Path("/proc/self/status"))
    with pytest.raises(files.TooLarge):
        files.read_bytes(Path("/proc/self/status"), 10)


def test_the_end_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "long"
    path.write_bytes(b"0123456789")
    assert files.read_end(path, 4) == (b"6789", False)
    assert files.read_end(path, 10) == (b"0123456789", True)


def test_a_link_to_the_null_device_is_an_empty_file(tmp_path: Path) -> None:
    path = _linked(tmp_path / "history", os.devnull)
    assert files.read_bytes(path) == b""
    assert files.read_end(path, 10) == (b"", True)
    handle = files.open_handle(path, os.O_WRONLY | os.O_APPEND)
    assert os.write(handle, b"gone") == 4
    os.close(handle)


def test_a_file_is_made_for_its_owner_only(tmp_path: Path) -> None:
    handle = files.open_handle(tmp_path / "new", os.O_RDWR | os.O_CREAT)
    os.close(handle)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b"])
def test_a_name_that_no_file_can_have(name: str) -> None:
    with pytest.raises(OSError, match="name"):
        files.read_bytes(name)


# -- pipes on the command line ---------------------------------------------------------------------------------------


def _through_a_shell(command: str, call: str) -> str:
    """What `call`, Python that has `path` and `files`, prints when bash hands it `command` as a pipe."""
    code = f"import sys\nfrom tui import files\npath = sys.argv[1]\n{call}"
    done = subprocess.run(
        ["bash", "-c", f'"$0" -c "$1" <({command})', sys.executable, code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()


@pytest.mark.parametrize(("command", "length"), [("printf abc", 3), ("seq 100000", 588_895), ("true", 0)])
def test_a_pipe_that_the_shell_made_is_read(command: str, length: int) -> None:
    assert _through_a_shell(command, "print(len(files.read_named(path)))") == str(length)


def test_a_pipe_without_end_is_held_to_the_limit() -> None:
    call = "try:\n    files.read_named(path)\nexcept files.TooLarge as error:\n    print(error.limit)"
    assert _through_a_shell("yes", call) == str(files.LIMIT)


def test_a_pipe_that_never_ends_is_given_up(tmp_path: Path) -> None:
    path = _fifo(tmp_path / "pipe")
    writer = os.open(path, os.O_RDWR)
    os.write(writer, b"a")
    with pytest.raises(files.TooSlow) as caught:
        files.read_named(path, seconds=0.05)
    os.close(writer)
    assert caught.value.strerror == "It is a pipe that did not end within 0.05 s"


def test_a_named_pipe_without_a_writer_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(files.TooSlow):
        files.read_named(_fifo(tmp_path / "pipe"), seconds=0.05)


def test_a_named_pipe_waits_for_its_writer(tmp_path: Path) -> None:
    path = _fifo(tmp_path / "pipe")
    writer = threading.Thread(target=path.write_bytes, args=(b"here",))
    writer.start()
    assert files.read_named(path, seconds=60) == b"here"
    writer.join()


# -- off the loop ----------------------------------------------------------------------------------------------------


def test_the_result_and_the_error_come_back() -> None:
    def fails() -> int:
        raise FileNotFoundError("gone")

    assert asyncio.run(files.in_thread(lambda: 42)) == 42
    with pytest.raises(FileNotFoundError, match="gone"):
        asyncio.run(files.in_thread(fails))


def test_leaving_does_not_wait_for_what_is_still_being_read() -> None:
    code = """
import asyncio, threading
from tui import files

async def main() -> None:
    begun = threading.Event()
    def hangs() -> None:
        begun.set()
        threading.Event().wait()
    task = asyncio.ensure_future(files.in_thread(hangs))
    while not begun.is_set():
        await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        print("left")

asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == "left\n"
