"""`lokal chats search|rename|rm|import` as a person and as a program use them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.support.command import lokal_command
from tests.support.terminal import lokal
from tui.core.message import Message, Role
from tui.paths import folders
from tui.servers.engine.slot_files import EngineState, SlotFiles
from tui.store.store import Store

DATA = Path(__file__).parents[1] / "data" / "chats"


@pytest.fixture
def chats(own_home: Path) -> Path:
    """Two chats; the database."""
    path = own_home / ".local/share/lokal/chats.db"
    store = Store.open(path)
    store.create_chat("abc123", "Wąż i żółw", 1_700_000_000.0)
    store.add_message("abc123", Message("q", None, Role.USER, "Where is\x1b[31m the żółw?", 1_700_000_000.0))
    store.add_message("abc123", Message("a", "q", Role.ASSISTANT, "Tiếng Việt", 1_700_000_001.0))
    store.create_chat("def456", "Other", 1_600_000_000.0)
    store.pin("def456", True)
    store.archive("abc123", False)
    store.close()
    return path


async def test_search(chats: Path) -> None:
    ended = await lokal_command("chats", "search", "zolw", "wher")
    assert (ended.status, ended.err) == (0, "")
    assert ended.text.startswith("abc123")
    assert ended.text.endswith(" Wąż i żółw · you\n    Where is the żółw?\n")
    assert "\x1b" not in ended.text
    (hit,) = (await lokal_command("chats", "search", "--json", "tieng viet")).json()
    assert (hit["chat"], hit["message"], hit["role"], hit["snippet"]) == (
        "abc123",
        "a",
        "assistant",
        "Tiếng Việt",
    )
    assert hit["matches"] == [[0, 5], [6, 10]]
    assert len((await lokal_command("chats", "search", "zolw", "--json", "--limit", "1")).json()) == 1
    nothing = await lokal_command("chats", "search", 'AND "')
    assert (nothing.status, nothing.text, nothing.err) == (0, "", "lokal: Nothing was found\n")


async def test_search_without_any_chat(own_home: Path) -> None:
    assert (await lokal_command("chats", "search", "x", "--json")).json() == []
    assert "no chats yet" in (await lokal_command("chats", "search", "x")).err
    assert not (own_home / ".local").exists()


async def test_list_shows_pins_and_the_archive(chats: Path) -> None:
    lines = (await lokal_command("chats", "list")).text.splitlines()
    assert lines[1].endswith("0  * Other")
    assert lines[2].endswith("2  Wąż i żółw")
    assert (await lokal_command("chats", "list", "--archived")).err == "lokal: No chat is archived\n"
    assert [chat["pinned"] for chat in (await lokal_command("chats", "list", "--json")).json()] == [
        True,
        False,
    ]


async def test_rename(chats: Path) -> None:
    ended = await lokal_command("chats", "rename", "abc", "A", "new\ntitle")
    assert (ended.status, ended.err) == (0, "lokal: “Wąż i żółw” is now “A new title”\n")
    assert "There is no chat" in (await lokal_command("chats", "rename", "zzz", "x")).failed(2)
    assert "needs a word" in (await lokal_command("chats", "rename", "abc", " ")).failed(2)


async def test_rm_asks_or_takes_yes(chats: Path) -> None:
    assert "rm --yes" in (await lokal_command("chats", "rm", "abc")).failed(2)
    assert "There is no chat" in (await lokal_command("chats", "rm", "--yes", "abc", "zzz")).failed(2)
    assert len((await lokal_command("chats", "list", "--json")).json()) == 2
    (chats.with_name("chats.v1.db")).touch()
    slots = SlotFiles(folders().slots)
    for chat in ("abc123", "def456"):
        _save_slot(slots, chat)
    ended = await lokal_command("chats", "rm", "--yes", "abc", "abc123")
    assert ended.status == 0
    assert "Deleted forever: abc123 “Wąż i żółw”" in ended.err
    assert "chats.v1.db" in ended.err
    assert [chat["id"] for chat in (await lokal_command("chats", "list", "--json")).json()] == ["def456"]
    assert [bool(slots.find(chat, _ENGINE)) for chat in ("abc123", "def456")] == [False, True]
    assert "żółw" not in _bytes_of(chats).decode(errors="replace")


_ENGINE = EngineState("model", "build", 512, "f16")


def _save_slot(slots: SlotFiles, chat: str) -> None:
    """As if the engine had kept a chat warm."""
    name = slots.new_name()
    (slots.folder / name).write_bytes(b"tokens")
    assert slots.keep(name, chat, 1, _ENGINE)


def _bytes_of(path: Path) -> bytes:
    return path.read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
async def test_rm_on_a_terminal(chats: Path) -> None:
    for typed, left in (("n\r", 2), ("y\r", 1)):
        async with lokal("chats", "rm", "abc") as terminal:
            await terminal.wait_for(r"Delete it forever\? \[y/N\]")
            terminal.send(typed)
            assert await terminal.ended() == 0
        assert len((await lokal_command("chats", "list", "--json")).json()) == left


async def test_import(own_home: Path) -> None:
    names = ("open-webui.json", "chatgpt.json", "oterm.txt")
    ended = await lokal_command("chats", "import", *(str(DATA / name) for name in names))
    assert (ended.status, ended.err.splitlines()[0]) == (0, "lokal: Imported: 4 chats")
    again = await lokal_command("chats", "import", str(DATA / "oterm.txt"))
    assert again.err == "lokal: Already there and skipped: 1 chat\n"
    (hit,) = (await lokal_command("chats", "search", "--json", "dlaczego")).json()
    whole = (await lokal_command("chats", "export", hit["chat"], "--format", "json")).text
    await lokal_command("chats", "rm", "--yes", hit["chat"])
    (own_home / "one.json").write_text(whole)
    assert "Imported: 1 chat" in (await lokal_command("chats", "import", str(own_home / "one.json"))).err
    assert (await lokal_command("chats", "export", hit["chat"], "--format", "json")).text == whole


async def test_import_of_a_file_with_an_odd_chat_from_standard_input(own_home: Path) -> None:
    chats = json.loads((DATA / "open-webui.json").read_bytes())
    chats[0]["chat"]["history"]["messages"]["m-2"]["content"] = 7
    data = json.dumps(chats).encode()
    ended = await lokal_command("chats", "import", "-", stdin=data)
    said = ended.failed(1)
    assert "Left out “Why 502”: chat 1, chat, history, messages m-2, content is no text" in said
    assert "Imported: 1 chat" in said
    (own_home / "-").write_bytes(data)
    again = await lokal_command("chats", "import", str(own_home / "-"))
    assert "Already there and skipped: 1 chat" in again.failed(1)
    (chat,) = (await lokal_command("chats", "list", "--json")).json()
    assert chat["title"] == "Older, without a wrapper"


async def test_a_bad_import_leaves_nothing(own_home: Path) -> None:
    (own_home / "bad.json").write_text(json.dumps([{"chat": {"history": {"messages": {"a": 1}}}}]))
    ended = await lokal_command("chats", "import", str(DATA / "oterm.txt"), str(own_home / "bad.json"))
    assert "Cannot make sense of “bad.json” chat 1" in ended.failed(2)
    assert "Cannot read “none”" in (await lokal_command("chats", "import", "none")).failed(2)
    assert not (own_home / ".local").exists()
