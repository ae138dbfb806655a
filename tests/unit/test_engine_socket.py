"""The folder of the engine's Unix socket: nobody else gets in, and nothing is left of it."""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path

import pytest

from tui.servers.engine import socket_folder

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no Unix sockets here")


@pytest.fixture
def root(short_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(short_folder))
    return short_folder


def test_only_its_owner_may_enter(root: Path) -> None:
    before = os.umask(0o777)
    try:
        made = socket_folder.create({"XDG_RUNTIME_DIR": str(root)})
    finally:
        os.umask(before)
    assert made is not None
    assert made.folder.parent == root
    assert made.folder.stat().st_mode & 0o777 == 0o700
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(made.socket)
        listener.listen()
        socket_folder.connect(made.socket, 1).close()
    made.release()
    made.release()
    assert list(root.iterdir()) == []


def test_a_path_that_is_too_long_for_a_socket_is_passed_over(root: Path) -> None:
    deep = root / ("x" * 90)
    deep.mkdir()
    made = socket_folder.create({"XDG_RUNTIME_DIR": str(deep)})
    assert made is not None
    assert made.folder.parent == root
    assert len(os.fsencode(made.socket)) <= socket_folder.LONGEST_PATH
    made.release()


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o772])
def test_a_folder_that_others_can_change_is_passed_over(root: Path, mode: int) -> None:
    """Whoever may write into it could put a folder of theirs in the place of ours."""
    open_to_all = root / "open"
    open_to_all.mkdir()
    inner = open_to_all / "inner"
    inner.mkdir(0o700)
    open_to_all.chmod(mode)
    assert not socket_folder.is_safe(open_to_all)
    assert not socket_folder.is_safe(inner)
    made = socket_folder.create({"XDG_RUNTIME_DIR": str(inner)})
    assert made is not None
    assert made.folder.parent == root
    made.release()
    open_to_all.chmod(mode | 0o1000)  # as /tmp is
    assert socket_folder.is_safe(inner)


@pytest.mark.parametrize("place", ["", "relative", "/nowhere/at/all", "/dev/null", "/tmp/\udcff"])
def test_a_place_that_is_none_is_passed_over(root: Path, place: str) -> None:
    made = socket_folder.create({"XDG_RUNTIME_DIR": place})
    assert made is not None
    assert made.folder.parent == root
    made.release()


def test_what_a_killed_lokal_left_is_taken_away_and_nothing_else(root: Path) -> None:
    gone, alive = (socket_folder.create({}) for _ in range(2))
    assert gone is not None
    assert alive is not None
    Path(gone.socket).touch()
    os.close(gone.descriptor)  # as when all that had it were killed
    kept = root / f"{socket_folder.PREFIX}abcdefgh"
    kept.mkdir()
    (kept / "letter.txt").touch()
    elsewhere = root / f"{socket_folder.PREFIX}linklink"
    elsewhere.symlink_to(kept)

    newest = socket_folder.create({})
    assert newest is not None
    assert set(root.iterdir()) == {alive.folder, newest.folder, kept, elsewhere}
    assert (kept / "letter.txt").exists()
    newest.release()
    alive.release()
