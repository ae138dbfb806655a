"""How the screens around the conversation look, held to the pictures in tests/snapshots.

A picture that is meant to change is made anew with UPDATE_SNAPSHOTS=1, as tests/support/snapshot.py says, and looked at.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.app_driver import NOBODY, running
from tests.support.canned_servers import like_router, ollama_answer, with_window
from tests.support.replay import CannedResponse, as_json, body_of, held, recorded, replay
from tests.support.screens import BEGINNING, QUESTION, ollama, ready
from tests.support.snapshot import FOLDER, check, check_all
from tui.errors import StoreUnavailable

# -- the empty chat -----------------------------------------------------------------------------------------------------


async def test_looking_for_a_server() -> None:
    async with replay() as server:
        server.other = held(as_json(200, {}))
        async with running(server.url) as driver:
            await driver.see("Looking for a model server")
            await check_all(driver, "empty-searching")


async def test_connected() -> None:
    async with ollama() as server, running(server.url) as driver:
        await ready(driver)
        await check_all(driver, "empty-connected")


async def test_nobody_answers() -> None:
    async with running(NOBODY) as driver:
        await driver.see("No server answers")
        await check_all(driver, "empty-no-server")


async def test_a_server_without_a_model() -> None:
    async with ollama() as server:
        server.on("/api/tags", recorded("ollama/tags-empty")).on("/api/ps", recorded("ollama/ps-empty"))
        async with running(server.url) as driver:
            await driver.see("has no model yet")
            await check_all(driver, "empty-no-model")
            await driver.press("f3")
            await driver.see("no models yet")
            await check_all(driver, "models-none")


# -- models -------------------------------------------------------------------------------------------------------------


def _undated(name: str) -> CannedResponse:
    """A recorded reply of Ollama without the time of a change, which is shown in the time zone of the machine."""
    return as_json(200, json.loads(re.sub(rb',?"modified_at":"[^"]*"', b"", body_of(f"ollama/{name}"))))


async def test_models_of_ollama() -> None:
    async with ollama() as server:
        server.on("/api/tags", _undated("tags")).on("/api/ps", recorded("ollama/ps-two"))
        with_window(server, 4096)
        async with running(server.url) as driver:
            await driver.see("Preset")
            await driver.press("f3")
            await driver.see("in memory")
            await driver.press("down", "down")
            await check(driver, "models-ollama")
            server.on("/api/show", _undated("show-licence-parameters"))
            await driver.resize(120, 40)
            await driver.see("│ +quantization")
            await check(driver, "models-ollama")


async def test_models_of_a_router() -> None:
    async with replay() as server, running(like_router(server).url) as driver:
        await driver.see("ctx 0 of 4k")
        await driver.press("f3")
        await driver.see("failed")
        await driver.press("end")
        await driver.see("could not be loaded")
        await check(driver, "models-router")
        await driver.resize(120, 40)
        await driver.see("│ +format +gguf")
        await check(driver, "models-router")


async def test_models_without_a_server() -> None:
    async with running(NOBODY) as driver:
        await driver.see("No server answers")
        await driver.press("f3")
        await driver.see("Enter choose")
        await check_all(driver, "models-no-server")


# -- settings -----------------------------------------------------------------------------------------------------------


async def test_settings() -> None:
    async with ollama() as server, running(server.url) as driver:
        await ready(driver)
        await driver.press("f4")
        await driver.see("band 0.3–0.5")
        await check_all(driver, "settings")
        await driver.press("1", ".", "2", "enter")
        await driver.see("outside 0.3–0.5")
        await check_all(driver, "settings-outside-band")
        await driver.press("9", "enter")
        await driver.see("cannot be")
        await check_all(driver, "settings-wrong-value")
        await driver.press("escape")
        await driver.see_no_more("cannot be")
        await driver.press("down", "down", "down", "down", "down", "down", "down", "down")
        await driver.press("right")
        await driver.see("top_n_sigma: keeps")
        await check_all(driver, "settings-not-for-this-server")


async def test_settings_with_values_of_this_run() -> None:
    async with ollama() as server, running(server.url, overrides={"temperature": 0.9, "seed": 7}) as driver:
        await ready(driver)
        await driver.press("f4")
        await driver.see("this run")
        await check_all(driver, "settings-this-run")


# -- pages over it ------------------------------------------------------------------------------------------------------


async def test_the_key_page_and_the_palette() -> None:
    async with ollama() as server, running(server.url) as driver:
        await ready(driver)
        await driver.press("f1")
        await driver.see("you are here")
        await check_all(driver, "keys")
        await driver.press("escape")
        await driver.see("Connected")
        await driver.press("ctrl+p")
        await driver.see("Ask again")
        await check_all(driver, "palette")
        await driver.write("crea")
        await driver.see("Preset: creative")
        await driver.see_no_more("Ask again")
        await check_all(driver, "palette-search")


# -- leaving ------------------------------------------------------------------------------------------------------------


async def test_the_page_of_what_is_not_saved() -> None:
    """lokal is left while the disk is full; a file that cannot be written is said under it."""
    async with running(NOBODY) as driver:
        problem = StoreUnavailable(
            "Cannot save the message",
            f"{Path.home()}/.local/share/lokal/chats.db: The disk is full",
            "Make room on the disk",
        )
        driver.show_leave_page(problem)
        await driver.see("Enter writes it there")
        driver.fill_input("/dev/shm/lokal-unwritten-20261130-120000.json")  # it is not written
        await check_all(driver, "leave")


# -- small screens ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(80, 15), (50, 24), (50, 15)], ids=["low", "narrow", "small"])
async def test_small_screens(size: tuple[int, int]) -> None:
    async with ollama() as server:
        server.on("/api/chat", ollama_answer(BEGINNING))
        async with running(server.url, size=size) as driver:
            await ready(driver)
            await check(driver, "empty-connected")
            await driver.ask(QUESTION)
            await driver.see(r"expects:")
            await driver.see(r"ctx 1\.2k.* Enter send")
            await check(driver, "chat")
            await driver.press("f3")
            await driver.see("NAME +")
            await check(driver, "models")
            await driver.press("f4")
            await driver.see("›temperature ")
            await check(driver, "settings")
            await driver.press("f1")
            await driver.see("you are here")
            await check(driver, "keys")


# -- themes -------------------------------------------------------------------------------------------------------------


def test_every_picture_belongs_to_a_test() -> None:
    """A picture whose test is gone would never be looked at again."""
    source = "".join(path.read_text(encoding="utf-8") for path in (FOLDER.parent / "ui").glob("test_*.py"))
    for path in FOLDER.glob("*.txt"):
        name = path.stem.rpartition("-")[0]
        known = f'"{name}"' in source or any(
            name.startswith(f"{theme}-") and f"-{name.removeprefix(f'{theme}-')}" in source
            for theme in ("lokal-light", "high-contrast", "terminal")
        )
        assert known, f"{path.name} is used by no test"
