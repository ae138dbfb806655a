"""The files with what the engine had read of chats: which are kept, and which are never handed over."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from tui.servers.engine.slot_files import FREE_BYTES, EngineState, SlotFiles

ENGINE = EngineState("a1b2", "b11549 3 4", 8192, "f16")


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def kept(tmp_path: Path, told: list[str]) -> SlotFiles:
    return SlotFiles(tmp_path / "slots", 100, told.append)


def saved(slots: SlotFiles, chat: str, content: bytes = b"0123456789", engine: EngineState = ENGINE) -> Path:
    """A file that the engine has written for a chat."""
    name = slots.new_name()
    path = slots.folder / name
    path.write_bytes(content)
    assert slots.keep(name, chat, 7, engine)
    return path


def in_folder(slots: SlotFiles) -> list[str]:
    return sorted(path.name for path in slots.folder.iterdir())


def test_a_file_is_found_as_it_was_saved_and_is_its_owners_alone(kept: SlotFiles) -> None:
    path = saved(kept, "chat")
    record = kept.find("chat", ENGINE)
    assert record is not None
    assert (record.name, record.tokens, record.size, record.engine) == (path.name, 7, 10, ENGINE)
    assert kept.find("another", ENGINE) is None
    assert {file.stat().st_mode & 0o777 for file in kept.folder.iterdir()} == {0o600}
    assert kept.folder.stat().st_mode & 0o777 == 0o700


def test_a_chat_has_one_file(kept: SlotFiles) -> None:
    saved(kept, "chat")
    newest = saved(kept, "chat", b"newer")
    record = kept.find("chat", ENGINE)
    assert record is not None
    assert record.name == newest.name
    assert len(in_folder(kept)) == 2


def changed_in_the_middle(path: Path) -> None:
    path.write_bytes(b"0123X56789")


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def gone(path: Path) -> None:
    path.unlink()


def record_nonsense(path: Path) -> None:
    path.with_suffix(".json").write_text('{"name": 1')


def record_of_another_shape(path: Path) -> None:
    path.with_suffix(".json").write_text(json.dumps({"name": path.name, "engine": {}}))


def record_that_points_elsewhere(path: Path) -> None:
    fields = json.loads(path.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(json.dumps({**fields, "name": "../../chats.db"}))


@pytest.mark.parametrize(
    "damage",
    [
        changed_in_the_middle,
        truncated,
        gone,
        record_nonsense,
        record_of_another_shape,
        record_that_points_elsewhere,
    ],
)
def test_a_damaged_file_is_thrown_away_and_that_is_said(
    kept: SlotFiles, told: list[str], damage: Callable[[Path], None]
) -> None:
    path = saved(kept, "chat")
    damage(path)
    assert kept.find("chat", ENGINE) is None
    assert in_folder(kept) == []
    assert len(told) == 1
    assert "thrown away" in told[0]


@pytest.mark.parametrize(
    "other",
    [
        replace(ENGINE, model="another"),
        replace(ENGINE, build="b2"),
        replace(ENGINE, context=4096),
        replace(ENGINE, cache_types="q8_0"),
    ],
)
def test_a_file_of_another_engine_is_thrown_away(
    kept: SlotFiles, told: list[str], other: EngineState
) -> None:
    saved(kept, "chat")
    assert kept.find("chat", other) is None
    assert in_folder(kept) == []
    assert "another model, build, window or cache type" in told[0]


def test_the_oldest_go_when_there_is_too_much(kept: SlotFiles) -> None:
    for chat in ("one", "two", "three"):
        saved(kept, chat, b"x" * 40)
    assert [bool(kept.find(chat, ENGINE)) for chat in ("one", "two", "three")] == [False, True, True]
    SlotFiles(kept.folder, 50).sweep()
    assert [bool(kept.find(chat, ENGINE)) for chat in ("two", "three")] == [False, True]


@pytest.mark.parametrize("content", [b"", b"x" * 101])
def test_a_file_that_is_empty_or_larger_than_all_may_be_is_not_kept(kept: SlotFiles, content: bytes) -> None:
    old = saved(kept, "chat")
    name = kept.new_name()
    (kept.folder / name).write_bytes(content)
    assert not kept.keep(name, "chat", 7, ENGINE)
    assert in_folder(kept) == [old.with_suffix(".json").name, old.name]


def test_what_the_engine_did_not_write_is_not_kept(kept: SlotFiles) -> None:
    assert not kept.keep(kept.new_name(), "chat", 7, ENGINE)
    assert in_folder(kept) == []


def test_the_file_goes_with_its_chat(kept: SlotFiles) -> None:
    saved(kept, "one")
    stays = saved(kept, "two")
    kept.forget(["one", "no such chat"])
    assert in_folder(kept) == [stays.with_suffix(".json").name, stays.name]


def test_nothing_is_kept_of_a_chat_that_is_not_there(tmp_path: Path, told: list[str]) -> None:
    there: dict[str, bool | None] = {"gone": True, "stays": True, "unknown": True}
    slots = SlotFiles(tmp_path / "slots", 100, told.append, there.get)
    for chat in there:
        saved(slots, chat)
    there["gone"], there["unknown"] = False, None
    assert [slots.may_keep(chat, 1, ENGINE) for chat in there] == [False, True, False]
    name = slots.new_name()
    (slots.folder / name).write_bytes(b"0123456789")
    assert not slots.keep(name, "gone", 7, ENGINE)  # it was deleted while it was being saved
    assert slots.has("gone") is False
    saved_before = slots.has("stays"), slots.has("unknown")
    slots.sweep()
    assert (slots.has("stays"), slots.has("unknown")) == saved_before == (True, True)
    assert told == []


def test_a_chat_that_is_gone_is_swept(tmp_path: Path) -> None:
    there = {"gone": True, "stays": True}
    slots = SlotFiles(tmp_path / "slots", 100, has_chat=there.get)
    for chat in there:
        saved(slots, chat)
    there["gone"] = False
    slots.sweep()
    assert [slots.has(chat) for chat in there] == [False, True]


@pytest.mark.parametrize(("limit", "free"), [(69, 1 << 40), (1000, FREE_BYTES + 69)])
def test_what_would_find_no_room_is_not_begun(
    tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch, limit: int, free: int
) -> None:
    saved(SlotFiles(tmp_path / "slots", 100), "chat")  # 10 bytes for 7 tokens
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=free))
    slots = SlotFiles(tmp_path / "slots", limit, told.append)
    assert slots.may_keep("other", 48, ENGINE)
    assert not slots.may_keep("other", 49, ENGINE)
    assert told == ["A chat was not saved: there is no room for it"]


def test_what_a_crash_left_is_swept_and_what_is_being_written_stays(kept: SlotFiles) -> None:
    left, new = kept.new_name(), kept.new_name()
    for name in (left, new):
        (kept.folder / name).write_bytes(b"half")
    long_ago = time.time() - 3600
    os.utime(kept.folder / left, (long_ago, long_ago))
    kept.sweep()
    assert in_folder(kept) == [new]


def test_a_model_for_which_restoring_brings_nothing_is_remembered(kept: SlotFiles) -> None:
    assert not kept.is_useless("m1")
    kept.folder.mkdir()
    kept.mark_useless("m1")
    kept.mark_useless("m2")
    assert kept.is_useless("m1")
    assert kept.is_useless("m2")
    assert not kept.is_useless("m")


def test_without_a_folder_nothing_is_found_and_nothing_made(kept: SlotFiles) -> None:
    assert kept.find("chat", ENGINE) is None
    kept.forget(["chat"])
    kept.sweep()
    assert not kept.folder.exists()
