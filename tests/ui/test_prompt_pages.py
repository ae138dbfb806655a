"""The pages with one line to write on: they stay until what was written can be used."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events
from textual.widgets import Input

from tests.support.replay import held, recorded, replay
from tests.support.stage import NOBODY, Stage, like_ollama, running


def line_of(stage: Stage) -> Input:
    return stage.app.screen.query_one(Input)


async def test_a_wrong_address_stays_with_what_is_wrong_and_the_right_one_connects() -> None:
    async with replay() as server, running(NOBODY) as stage:
        like_ollama(server)
        await stage.see("start or name a server")
        stage.app.run_command("server.help")
        await stage.see("address of a server")
        before = stage.app.state
        for wrong, said in (
            ("http://[", "address"),
            ("127.0.0.1:1", "refused"),
            ("no such place", "address"),
        ):
            line_of(stage).value = wrong
            await stage.press("enter")
            await stage.see(f"(?s){said}.*Enter connects")
            await stage.until(lambda: "Trying" not in stage.text(), "it is judged")
            assert line_of(stage).value == wrong
            assert stage.app.state == before, "nothing has changed by it"
        await stage.write("x")
        await stage.see_no_more("no such place.*is no")
        line_of(stage).value = server.url.removeprefix("http://")
        await stage.press("enter")
        await stage.see("Ollama on this machine")
        assert len(stage.app.screen_stack) == 1
        assert stage.app.chat.composer.text == ""


async def test_what_is_changed_while_it_is_tried_is_not_taken() -> None:
    async with replay() as server, running(NOBODY) as stage:
        like_ollama(server).on("/api/version", held(recorded("ollama/version")))
        await stage.see("start or name a server")
        stage.app.run_command("server.help")
        await stage.see("address of a server")
        line_of(stage).value = server.url
        await stage.press("enter")
        await stage.see("Trying http")
        await stage.write("9")
        await stage.see_no_more("Trying")
        server.release.set()
        await stage.settle()
        assert line_of(stage).value == f"{server.url}9"
        assert stage.app.state.connection is None


async def test_several_lines_hand_nothing_in_and_keys_count_in_their_order() -> None:
    async with running(NOBODY) as stage:
        await stage.see("start or name a server")
        stage.app.run_command("server.help")
        await stage.see("address of a server")
        await stage.write("127.0.0.1:1\r127.0.0.1:2\r")
        assert line_of(stage).value == "127.0.0.1:1 127.0.0.1:2 "
        await stage.write("\x15192.168.1.6\x7f5")
        assert line_of(stage).value == "192.168.1.5"
        await stage.write("\x15")
        stage.app.post_message(events.Paste("\n http://\x1b[31mhost:1\n"))
        await stage.settle()
        assert line_of(stage).value == "http://host:1"
        await stage.write("\x1b\x1b\x1b")
        assert len(stage.app.screen_stack) == 1


async def test_a_wrong_path_and_a_folder_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "small.gguf").write_text("no model")
    monkeypatch.chdir(tmp_path)
    async with running(NOBODY) as stage:
        await stage.see("open a GGUF file")
        stage.app.run_command("gguf.open")
        await stage.see("models/")
        for written, kept, said in (
            ("nothing.gguf", "nothing.gguf", "There is no file"),
            ("models", "models/", "small.gguf"),
            ("models/", "models/", "is a folder"),
            ("models/small.gguf", "models/small.gguf", "is no GGUF file"),
            ("~nobody-of-that-name/x", "~nobody-of-that-name/x", "There is no"),
        ):
            line_of(stage).value = written
            await stage.press("enter")
            await stage.see(said)
            assert line_of(stage).value == kept
        await stage.press("escape")
        assert len(stage.app.screen_stack) == 1
