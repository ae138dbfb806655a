"""Writing in the real program: the editor and the terminal, a draft after a crash, questions in line, a picture."""

from __future__ import annotations

import base64
import contextlib
import signal
import sqlite3
from pathlib import Path

import pytest

from tests.support.app import CHAT, answer, bodies, command, in_two, model_server, turns
from tests.support.canned_servers import chats, like_ollama, ollama_answer
from tests.support.editor import editor
from tests.support.pictures import png, says_who_can_see
from tests.support.replay import replay
from tests.support.terminal import lokal

UP, ALT_E, ALT_UP, CTRL_R = "\x1b[A", "\x1be", "\x1b[1;3A", "\x12"


def _drafts(home: Path) -> list[str]:
    """The drafts on the disk, as another process sees them."""
    database = home / ".local/share/lokal/chats.db"
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(database)) as connection:
        return [str(row[0]) for row in connection.execute("SELECT text FROM drafts")]
    return []


async def test_the_editor_has_the_terminal_and_gives_it_back_while_an_answer_comes(own_home: Path) -> None:
    """The editor reads keys as programs do that start from a shell, and the answer goes on coming in meanwhile."""
    does = f'stty -a > {own_home}/stty; printf "\\033[2J\\033[HIn the editor: "; read -r line; echo "$line" >> "$1"'
    environ = {"EDITOR": editor(own_home, does)}
    before, after = ["Slow", "ly"], [" but ", "surely."]
    async with (
        model_server(in_two(before, after)) as server,
        lokal("--server", server.url, environ=environ) as terminal,
    ):
        await terminal.wait_for("· replay-3b")
        terminal.send("Well?\r")
        await terminal.wait_for("Slowly")
        terminal.send(f"draft{ALT_E}")
        await terminal.wait_for("^In the editor:")
        server.release.set()
        terminal.send("by hand\r")
        await terminal.wait_for("Slowly but surely")
        await terminal.wait_for("› draft\n  by hand")
        settings = (own_home / "stty").read_text()
        assert " icanon" in settings
        assert " echo " in settings
        terminal.send("!\r")
        await terminal.until(lambda: len(bodies(server)) == 2, "it was asked")
        await terminal.quit()
        assert b"\x1b[?1049l" in bytes(terminal.raw[-200:])
    assert turns(bodies(server)[1])[-1] == ("user", "draft\nby hand!")


@pytest.mark.parametrize("end", ["kill -SEGV $$", "kill -KILL $$", "exit 1"])
async def test_an_editor_that_leaves_the_terminal_in_a_mess(end: str, own_home: Path) -> None:
    mess = "\\033[?1000h\\033[?1h\\033[3;5r\\033[?7l\\033[7m\\033(0garbage"
    environ = {"EDITOR": editor(own_home, f'stty raw -echo; printf "{mess}"; {end}')}
    async with (
        model_server(answer("Yes.")) as server,
        lokal("--server", server.url, environ=environ) as terminal,
    ):
        await terminal.wait_for("· replay-3b")
        terminal.send(f"draft{ALT_E}")
        await terminal.wait_for("The draft stays as it was")
        assert "garbage" not in terminal.text()
        await terminal.wait_for("› draft")
        assert b"\x1b[?1000l" in bytes(terminal.raw)
        terminal.send("\r")
        await terminal.wait_for("Yes\\.")
        await terminal.quit()
    assert turns(bodies(server)[0]) == [("user", "draft")]


async def test_keys_that_interrupt_reach_the_editor_and_not_lokal(own_home: Path) -> None:
    does = 'trap "echo interrupted >> $1; exit 0" INT; printf "\\033[2J\\033[HWaiting"; while :; do read -r line; done'
    environ = {"EDITOR": editor(own_home, does)}
    async with (
        model_server(answer("Yes.")) as server,
        lokal("--server", server.url, environ=environ) as terminal,
    ):
        await terminal.wait_for("· replay-3b")
        terminal.send(f"draft{ALT_E}")
        await terminal.wait_for("^Waiting")
        terminal.send("\x03")
        await terminal.wait_for("› draft\n  interrupted")
        await terminal.quit()


async def test_lokal_ends_in_good_order_while_the_editor_runs(own_home: Path) -> None:
    does = 'printf "\\033[2J\\033[HWaiting"; while :; do read -r line; done'
    environ = {"EDITOR": editor(own_home, does)}
    async with (
        model_server(answer("Yes.")) as server,
        lokal("--server", server.url, environ=environ) as terminal,
    ):
        await terminal.wait_for("· replay-3b")
        terminal.send(f"draft{ALT_E}")
        await terminal.wait_for("^Waiting")
        terminal.kill(signal.SIGTERM)
        await terminal.ended()
    assert _drafts(own_home) == ["draft"]


async def test_a_draft_outlives_a_crash(own_home: Path) -> None:
    (own_home / "notes.txt").write_text("of mine\n")
    async with model_server(answer("Yes.")) as server:
        async with lokal("--server", server.url) as terminal:
            await terminal.wait_for("· replay-3b")
            terminal.send("/attach notes.txt\r")
            await terminal.wait_for("attached: notes.txt")
            terminal.send("half a thought")
            terminal.paste("\n".join(f"row {number}" for number in range(30)))
            await terminal.wait_for("⟦pasted 30 lines · 1⟧")
            await terminal.until(
                lambda: any("row 29" in text for text in _drafts(own_home)), "it is on the disk"
            )
            terminal.kill(signal.SIGKILL)
            await terminal.ended()
        async with lokal("--server", server.url) as terminal:
            await terminal.wait_for("› half a thought⟦pasted 30 lines · 1⟧")
            await terminal.wait_for("attached: notes.txt")
            assert bodies(server) == [], "a draft is not sent by itself"
            terminal.send("\r")
            await terminal.wait_for("Yes\\.")
            await terminal.quit()
    assert _drafts(own_home) == []
    said = turns(bodies(server)[0])[-1][1]
    assert "of mine\n" in said
    assert "half a thoughtrow 0\nrow 1\n" in said


async def test_questions_in_line_and_one_taken_back() -> None:
    async with model_server(in_two(["On", "e"], ["."]), answer("Two.")) as server:
        async with lokal("--server", server.url) as terminal:
            await terminal.wait_for("· replay-3b")
            terminal.send("first\r")
            await terminal.wait_for("connecting|reading the prompt|On")
            terminal.send("second\r")
            await terminal.wait_for("waiting: second")
            terminal.send("third\r")
            await terminal.wait_for("waiting: second · third +Alt.↑ takes it back")
            terminal.send(ALT_UP)
            await terminal.wait_for("› third")
            await terminal.wait_for("waiting: second +Alt")
            server.release.set()
            await terminal.wait_for("Two\\.")
            await terminal.wait_until_gone("waiting")
            terminal.send(f"\x15{CTRL_R}FIR")
            await terminal.wait_for("search: FIR▏ +1 of 1")
            terminal.send("\r")
            await terminal.wait_for("› first")
            await terminal.quit()
        assert [turns(body)[-1][1] for body in bodies(server)] == ["first", "second"]
        assert server.last(CHAT)


async def test_a_picture_for_a_model_that_sees(own_home: Path) -> None:
    (own_home / "photo.png").write_bytes(png())
    async with replay() as server:
        says_who_can_see(like_ollama(server), sees=True).on("/api/chat", ollama_answer("Red."))
        async with lokal("--server", server.url) as terminal:
            await terminal.wait_for("· sees")
            terminal.send("/attach photo.png")
            await terminal.wait_for("photo.png +\\d+ B|/attach photo.png")
            terminal.send("\r")
            await terminal.wait_for("attached: photo.png")
            terminal.send("Which colour?\r")
            await terminal.wait_for("Red\\.")
            await terminal.quit()
        messages = chats(server)[0]["messages"]
        assert isinstance(messages, list)
        assert base64.b64decode(messages[-1]["images"][0]) == png()
    assert "Attached: `photo.png` (image/png" in await command("chats", "export", "last", "--format", "md")
