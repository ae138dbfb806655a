"""Where files lie, how they are written, and how errors read."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tui import atomic, errors, frame_file
from tui.chat import chat_files
from tui.config.history import PromptHistory
from tui.config.presets import make_presets
from tui.errors import FileError, LokalError, MalformedFile, UsageError
from tui.paths import folders
from tui.servers.engine import engine_log
from tui.store.store import Store


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.fixture
def room(tmp_path: Path) -> Path:
    """An empty folder of the test's own."""
    folder = tmp_path / "room"
    folder.mkdir()
    return folder


def test_the_folders_of_a_bare_home() -> None:
    found = folders({"HOME": "/home/a"})
    assert found.settings_file == Path("/home/a/.config/lokal/config.toml")
    assert found.presets == Path("/home/a/.config/lokal/presets")
    assert found.themes == Path("/home/a/.config/lokal/themes")
    assert found.database == Path("/home/a/.local/share/lokal/chats.db")
    assert found.history == Path("/home/a/.local/state/lokal/history.jsonl")
    assert found.logs == Path("/home/a/.local/state/lokal/logs")


def test_the_xdg_variables_win_unless_they_are_relative_or_empty() -> None:
    found = folders({"HOME": "/h", "XDG_CONFIG_HOME": "/c", "XDG_DATA_HOME": "d", "XDG_STATE_HOME": ""})
    assert (found.config, found.data, found.state) == (
        Path("/c/lokal"), Path("/h/.local/share/lokal"), Path("/h/.local/state/lokal"),
    )  # fmt: skip
    assert not Path("/c/lokal").exists()


@pytest.mark.parametrize("named", [{"HOME": ""}, {"HOME": "here"}, {}])
def test_without_a_home_that_is_a_path_the_list_of_users_counts(named: dict[str, str]) -> None:
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    assert folders(named).state == home / ".local/state/lokal"
    assert frame_file.frame_file(named, 80, 24).startswith(f"{home}/.local/state/lokal/frames/")


def test_where_there_is_no_home_at_all_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 2**31 - 7)
    with pytest.raises(UsageError, match="There is no home folder"):
        folders({"HOME": ""})
    everywhere = dict.fromkeys(("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"), "/x")
    assert folders(everywhere).state == Path("/x/lokal")
    assert frame_file.frame_file({}, 80, 24)


@pytest.fixture(params=[0o000, 0o022, 0o277, 0o777])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    """Umasks from one that takes nothing to one that takes everything."""
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_what_is_made_is_its_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    home = tmp_path / "a"
    atomic.write_text(home / "b" / "state", "x")
    PromptHistory(home / "c" / "history", 10).add("a prompt")
    make_presets(home / "d" / "presets")
    _, log = engine_log.create(home / "e" / "logs")
    os.close(log)
    chat_files.write(home / "chat.md", "text", overwrite=False)
    Store.open(home / "f" / "chats.db").close()
    made = [home, *home.rglob("*")]
    assert len([path for path in made if path.is_file()]) >= 7
    modes = {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in made}
    assert modes == {(True, 0o700), (False, 0o600)}


def test_an_export_that_takes_the_place_of_a_file_keeps_its_mode(room: Path) -> None:
    path = room / "chat.md"
    path.write_text("old")
    path.chmod(0o640)
    chat_files.write(path, "new", overwrite=True)
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("new", 0o640)


def test_a_file_is_written_whole_with_its_parents(room: Path) -> None:
    path = room / "a" / "b" / "file"
    atomic.write_text(path, "привет\r\n")
    assert path.read_bytes() == "привет\r\n".encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    atomic.write_text(path, "new")
    assert path.read_text(encoding="utf-8") == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert names(path.parent) == ["file"]


def test_a_link_stays_a_link(room: Path) -> None:
    (room / "dotfiles").mkdir()
    target = room / "dotfiles" / "config.toml"
    target.write_text("old", encoding="utf-8")
    link = room / "config.toml"
    link.symlink_to(target)
    atomic.write_text(link, "new")
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8") == "new"


def test_where_writing_fails_the_old_file_stays_and_no_other_does(room: Path) -> None:
    (room / "file").write_text("old", encoding="utf-8")
    for path in (room / "file" / "below", room):
        with pytest.raises(FileError) as caught:
            atomic.write_text(path, "new")
        assert caught.value.path == path
        assert str(path) in caught.value.title
        assert caught.value.detail
    assert names(room) == ["file"]
    assert (room / "file").read_text(encoding="utf-8") == "old"


def test_text_that_utf8_cannot_say_leaves_no_half_file(room: Path) -> None:
    path = room / "file"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(UnicodeEncodeError):
        atomic.write_text(path, "half \ud83d pair")
    assert names(room) == ["file"]
    assert path.read_text(encoding="utf-8") == "old"


def test_an_error_reads_as_one_line() -> None:
    assert str(LokalError("What", "why", "what to do")) == "What. why. what to do"
    assert str(LokalError("What happened?", "", "Do this")) == "What happened? Do this"
    error = MalformedFile(Path("f"), "t", line=3, column=4)
    assert (error.line, error.column, error.path) == (3, 4, Path("f"))


def test_an_error_holds_nothing_that_acts_on_a_terminal() -> None:
    error = UsageError(
        "There is no “\x1b[31ma\x07b\u202e\x9bc”", "line\tone\nline two \udcff", "\x1b]52;c;eA==\x1b\\"
    )
    assert (error.title, error.detail) == ("There is no “abc”", "line\tone\nline two \ufffd")
    assert error.hint == ""
    assert error.args == (error.title, error.detail, error.hint)


def test_every_error_is_in_the_tree_of_the_docstring() -> None:
    tree = errors.__doc__ or ""
    for name, each in vars(errors).items():
        if isinstance(each, type) and issubclass(each, LokalError):
            assert name in tree
            assert each.__doc__
