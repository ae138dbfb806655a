"""Where an export goes and what it never takes the place of; and the files that a typed name may become."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tui.chat import chat_files
from tui.core.slash import CompletionItem, FileWanted
from tui.errors import FileError, UsageError
from tui.ui.chat.file_names import SHOWN_AT_MOST, file_choices


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that lokal was started in."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# -- exports ------------------------------------------------------------------------------------------------------------


def test_where_an_export_goes(here: Path, own_home: Path) -> None:
    (here / "old.d").mkdir()
    for argument, path in (
        ("", here / "Why-a-502.md"),
        ("notes", here / "notes.md"),
        ("notes.JSON", here / "notes.JSON"),
        ("old.d", here / "old.d" / "Why-a-502.md"),
        ("new/", here / "new" / "Why-a-502.md"),
        ("~/notes.md", own_home / "notes.md"),
        ("/tmp/a b.md", Path("/tmp/a b.md")),
    ):
        assert chat_files.export_path(argument, "Why, a 502?") == path, argument
    for argument in ("notes.txt", "notes.v2", "~nobody-of-that-name/x"):
        with pytest.raises(UsageError):
            chat_files.export_path(argument, "Why?")


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Why does nginx answer 502?", "Why-does-nginx-answer-502.md"),
        ("../../etc/passwd", "etc-passwd.md"),
        ("zażółć gęślą jaźń", "zażółć-gęślą-jaźń.md"),
        ("…?!", "chat.md"),
        ("", "chat.md"),
        ("\x1b]0;x\x07-rf", "0-x-rf.md"),
    ],
)
def test_names_from_titles(title: str, name: str) -> None:
    assert chat_files.name_from(title) == name


@given(st.text(max_size=300))
def test_any_title_makes_a_name(title: str) -> None:
    name = chat_files.name_from(title)
    assert name.endswith(".md")
    assert "/" not in name
    assert not name.startswith((".", "-"))
    assert len(os.fsencode(name)) <= 255


def test_nothing_is_overwritten_unasked(here: Path) -> None:
    path = here / "notes.md"
    chat_files.write(path, "first", overwrite=False)
    with pytest.raises(chat_files.TakenName):
        chat_files.write(path, "second", overwrite=False)
    assert path.read_text() == "first"
    path.chmod(0o640)
    chat_files.write(path, "second", overwrite=True)
    assert path.read_text() == "second"
    assert path.stat().st_mode & 0o777 == 0o640
    assert files(here) == ["notes.md"]


def test_an_export_makes_no_folder_and_replaces_none(here: Path) -> None:
    with pytest.raises(FileError, match="There is no folder"):
        chat_files.write(here / "missing" / "notes.md", "text", overwrite=True)
    (here / "folder.md").mkdir()
    os.mkfifo(here / "pipe.md")
    for name in ("folder.md", "pipe.md"):
        with pytest.raises(FileError, match="is not a file"):
            chat_files.write(here / name, "text", overwrite=True)
    assert files(here) == ["folder.md", "pipe.md"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_in(here: Path) -> None:
    here.chmod(0o500)
    with pytest.raises(FileError, match="Cannot write"):
        chat_files.write(here / "notes.md", "text", overwrite=False)
    here.chmod(0o700)
    assert files(here) == []


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_folder_in_which_not_even_root_may_write() -> None:
    with pytest.raises(FileError, match=r"Cannot write /proc/notes\.md"):
        chat_files.write(Path("/proc/notes.md"), "text", overwrite=False)


# -- completing file names ----------------------------------------------------------------------------------------------


def names(typed: str, *endings: str) -> list[str]:
    return [choice.text for choice in file_choices(FileWanted(0, typed, (), endings))]


def test_file_names(here: Path, own_home: Path) -> None:
    for name in ("b.md", "A.json", "a b.txt", ".hidden", "new\nline"):
        (here / name).write_text("12345", encoding="utf-8")
    (here / "alpha").mkdir()
    (here / "alpha" / "deep.md").touch()
    (own_home / "mine.md").touch()
    assert names("") == ["alpha/", "a b.txt", "A.json", "b.md"]
    assert names("a") == ["alpha/", "a b.txt", "A.json"]
    assert names("b.md") == [], "there is nothing to add"
    assert names(".") == [".hidden"]
    assert names("alpha") == ["alpha/"]
    assert names("alpha/") == ["alpha/deep.md"]
    assert names("./al") == ["./alpha/"]
    assert names(f"{here}/b") == [f"{here}/b.md"]
    assert names("~") == ["~/"]
    assert names("~/m") == ["~/mine.md"]
    assert names("", ".json") == ["alpha/", "A.json"]
    assert file_choices(FileWanted(0, "b"))[0] == CompletionItem("b.md", "5 B", "b.md")
    assert file_choices(FileWanted(0, "al"))[0].help == "folder"


def test_folders_that_cannot_be_read(here: Path) -> None:
    (here / "file").touch()
    for typed in ("missing/", "file/", "~nobody-of-that-name/", "a\0b/", "~nobody"):
        assert names(typed) == []


def test_thousands_of_files(here: Path) -> None:
    for number in range(3000):
        (here / f"log-{number:04}").touch()
    assert names("") == [f"log-{number:04}" for number in range(SHOWN_AT_MOST)]
    assert names("log-29") == [f"log-29{number:02}" for number in range(100)]


@given(st.text(max_size=30))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_typed_for_a_file(own_home: Path, typed: str) -> None:
    for choice in file_choices(FileWanted(0, typed)):
        assert choice.text.startswith(typed[: typed.rfind("/") + 1])
