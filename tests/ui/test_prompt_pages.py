"""The pages with one line to write on: they stay until what was written can be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.app_driver import NOBODY, running
from tests.support.canned_servers import like_ollama
from tests.support.replay import held, recorded, replay


async def test_a_wrong_address_stays_with_what_is_wrong_and_the_right_one_connects() -> None:
    async with replay() as server, running(NOBODY) as driver:
        like_ollama(server)
        await driver.see("start or name a server")
        driver.run_command("server.help")
        await driver.see("address of a server")
        before = (driver.server, driver.settings)
        for wrong, said in (
            ("http://[", "address"),
            ("127.0.0.1:1", "refused"),
            ("no such place", "address"),
        ):
            driver.fill_input(wrong)
            await driver.press("enter")
            await driver.see(f"(?s){said}.*Enter connects")
            await driver.until(lambda: "Trying" not in driver.text(), "it is judged")
            assert driver.input_text == wrong
            assert (driver.server, driver.settings) == before, "nothing has changed by it"
        await driver.write("x")
        await driver.see_no_more("no such place.*is no")
        driver.fill_input(server.url.removeprefix("http://"))
        await driver.press("enter")
        await driver.see("Ollama on this machine")
        assert not driver.pages
        assert driver.composer_text == ""


async def test_what_is_changed_while_it_is_tried_is_not_taken() -> None:
    async with replay() as server, running(NOBODY) as driver:
        like_ollama(server).on("/api/version", held(recorded("ollama/version")))
        await driver.see("start or name a server")
        driver.run_command("server.help")
        await driver.see("address of a server")
        driver.fill_input(server.url)
        await driver.press("enter")
        await driver.see("Trying http")
        await driver.write("9")
        await driver.see_no_more("Trying")
        server.release.set()
        await driver.settle()
        assert driver.input_text == f"{server.url}9"
        assert driver.connection is None


async def test_several_lines_hand_nothing_in_and_keys_count_in_their_order() -> None:
    async with running(NOBODY) as driver:
        await driver.see("start or name a server")
        driver.run_command("server.help")
        await driver.see("address of a server")
        await driver.write("127.0.0.1:1\r127.0.0.1:2\r")
        assert driver.input_text == "127.0.0.1:1 127.0.0.1:2 "
        await driver.write("\x15192.168.1.6\x7f5")
        assert driver.input_text == "192.168.1.5"
        await driver.write("\x15")
        await driver.paste("\n http://\x1b[31mhost:1\n")
        assert driver.input_text == "http://host:1"
        await driver.write("\x1b\x1b\x1b")
        assert not driver.pages


async def test_a_wrong_path_and_a_folder_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "small.gguf").write_text("no model")
    monkeypatch.chdir(tmp_path)
    async with running(NOBODY) as driver:
        await driver.see("open a GGUF file")
        driver.run_command("gguf.open")
        await driver.see("models/")
        for written, kept, said in (
            ("nothing.gguf", "nothing.gguf", "There is no file"),
            ("models", "models/", "small.gguf"),
            ("models/", "models/", "is a folder"),
            ("models/small.gguf", "models/small.gguf", "is no GGUF file"),
            ("~nobody-of-that-name/x", "~nobody-of-that-name/x", "There is no"),
        ):
            driver.fill_input(written)
            await driver.press("enter")
            await driver.see(said)
            assert driver.input_text == kept
        await driver.press("escape")
        assert not driver.pages
