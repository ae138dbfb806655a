"""What stands in a file's place and is none: said, never waited for, never read without end, never replaced."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from tui import atomic, files
from tui.config.history import MOST_BYTES, PromptHistory
from tui.config.presets import load_presets
from tui.config.schema_file import load_schema
from tui.config.settings import load_settings, set_value
from tui.config.themes import load_themes
from tui.errors import FileError, LokalError, MalformedFile, StoreError
from tui.servers.engine.gguf_file import inspect
from tui.store.importing import read_chats
from tui.store.store import Store


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _zero(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _folder(path: Path) -> None:
    path.mkdir()


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


NONES = (_fifo, _zero, _loop, _folder)
Make = Callable[[Path], None]


def _history(path: Path) -> tuple[LokalError, ...]:
    with pytest.raises(FileError) as caught:
        PromptHistory(path, 10).load()
    return (caught.value,)


def _added(path: Path) -> tuple[LokalError, ...]:
    with pytest.raises(FileError) as caught:
        PromptHistory(path, 10).add("a question")
    return (caught.value,)


def _preset(path: Path) -> tuple[LokalError, ...]:
    loaded = load_presets(path.parent)
    assert loaded.value
    return loaded.problems


def _theme(path: Path) -> tuple[LokalError, ...]:
    loaded = load_themes(path.parent)
    assert loaded.value
    return loaded.problems


def _raised(read: Callable[[Path], object]) -> Callable[[Path], tuple[LokalError, ...]]:
    def call(path: Path) -> tuple[LokalError, ...]:
        with pytest.raises(FileError) as caught:
            read(path)
        return (caught.value,)

    return call


READERS: tuple[Callable[[Path], tuple[LokalError, ...]], ...] = (
    lambda path: load_settings(path).problems,
    _preset,
    _theme,
    _history,
    _added,
    _raised(lambda path: set_value(path, "theme", "dusk")),
    _raised(load_schema),
    _raised(read_chats),
    _raised(inspect),
)


@pytest.mark.parametrize("make", NONES)
@pytest.mark.parametrize("read", READERS)
def test_what_is_no_file_is_said(
    tmp_path: Path, make: Make, read: Callable[[Path], tuple[LokalError, ...]]
) -> None:
    path = tmp_path / "odd.toml"
    make(path)
    before = path.lstat().st_ino
    (problem,) = read(path)
    assert "odd.toml" in problem.title
    assert any(word in str(problem) for word in ("pipe", "device", "symbolic links", "folder"))
    assert path.lstat().st_ino == before


@pytest.mark.parametrize("read", [each for each in READERS if each not in (_history, _added)])
def test_what_is_far_too_large_is_not_read(
    tmp_path: Path, read: Callable[[Path], tuple[LokalError, ...]]
) -> None:
    path = tmp_path / "odd.toml"
    _huge(path)
    (problem,) = read(path)
    assert any(word in str(problem) for word in ("is the most", "empty space"))


def test_of_a_huge_history_the_end_is_used_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    with path.open("wb") as file:
        file.truncate(1 << 40)
        file.seek(0, os.SEEK_END)
        file.write(b'\n"one"\n"two"\n')
    assert PromptHistory(path, 10).load() == ("one", "two")
    assert path.stat().st_size < MOST_BYTES
    assert PromptHistory(path, 10).load() == ("one", "two")


def test_a_history_that_leads_nowhere_keeps_nothing(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.symlink_to(os.devnull)
    history = PromptHistory(path, 10)
    history.add("secret")
    assert PromptHistory(path, 10).load() == ()
    assert path.is_symlink()


@pytest.mark.parametrize("make", NONES)
def test_what_is_no_file_is_not_replaced_by_one(tmp_path: Path, make: Make) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    path = folder / "odd"
    make(path)
    before = path.lstat().st_ino
    with pytest.raises(FileError, match="Cannot write"):
        atomic.write_text(path, "text")
    assert path.lstat().st_ino == before
    assert [each.name for each in folder.iterdir()] == ["odd"]


@pytest.mark.parametrize("make", NONES)
@pytest.mark.parametrize("name", ["chats.db", "locks/opening"])
def test_a_database_that_is_no_file_is_said(tmp_path: Path, make: Make, name: str) -> None:
    path = tmp_path / "data" / name
    path.parent.mkdir(parents=True)
    make(path)
    with pytest.raises(StoreError, match="Cannot open the chats"):
        Store.open(tmp_path / "data" / "chats.db")


# -- a model's file --------------------------------------------------------------------------------------------------


def _gguf(path: Path, pairs: int, rest: bytes, size: int) -> Path:
    """A GGUF file of `size` bytes that says it has so many pairs; after `rest` there is nothing but zeros."""
    with path.open("wb") as file:
        file.write(b"GGUF" + struct.pack("<IQQ", 3, 0, pairs) + rest)
        file.truncate(size)
    return path


TEXTS = struct.pack("<Q", 1) + b"k" + struct.pack("<IIQ", 9, 8, 40_000_000)


@pytest.mark.parametrize(
    ("pairs", "rest", "size"),
    [
        (1, TEXTS, 1 << 40),
        (10_000, b"", 1 << 40),  # empty keys with a byte each
        (2**40, b"", 1 << 40),
        (10_000, (struct.pack("<Q", 1 << 20) + bytes((1 << 20) + 5)) * 3, 1 << 40),
    ],
    ids=["texts", "pairs", "too many pairs", "large keys"],
)  # fmt: skip
def test_metadata_without_end_is_given_up(tmp_path: Path, pairs: int, rest: bytes, size: int) -> None:
    path = _gguf(tmp_path / "m.gguf", pairs, rest, size)
    if pairs > 10_000 or rest is TEXTS:
        with pytest.raises(MalformedFile, match="its metadata"):
            inspect(path)
    else:
        assert inspect(path).context_trained is None


def test_a_list_that_is_longer_than_the_file_is_cut_short(tmp_path: Path) -> None:
    with pytest.raises(MalformedFile, match="cut short"):
        inspect(_gguf(tmp_path / "m.gguf", 1, TEXTS, 10_000))


@pytest.mark.parametrize("length", [0, 1, 7, 65_528, 65_529, 70_000, 200_000])
def test_texts_of_every_length_are_passed_over(tmp_path: Path, length: int) -> None:
    def text(value: bytes) -> bytes:
        return struct.pack("<Q", len(value)) + value

    head = b"GGUF" + struct.pack("<IQQ", 3, 0, 3)
    path = tmp_path / "m.gguf"
    path.write_bytes(
        head
        + text(b"general.architecture") + struct.pack("<I", 8) + text(b"qwen3")
        + text(b"tokens") + struct.pack("<IIQ", 9, 8, 5) + text(b"x" * length) * 5
        + text(b"qwen3.context_length") + struct.pack("<II", 4, 4096)
    )  # fmt: skip
    assert inspect(path).context_trained == 4096


def test_the_limit_is_for_every_small_file(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("#" * files.LIMIT + "\n")
    (problem,) = load_settings(path).problems
    assert "1.0 MB is the most" in problem.detail
