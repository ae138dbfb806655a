"""How the screens around the conversation look, held to the pictures in tests/snapshots.

A picture that is meant to change is made anew with UPDATE_SNAPSHOTS=1, as tests/support/snapshot.py says, and looked at.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input

from tests.support.replay import as_json, held, recorded, replay
from tests.support.screens import BEGINNING, QUESTION, ollama, ready
from tests.support.snapshot import FOLDER, check, check_all
from tests.support.stage import NOBODY, like_router, ollama_answer, running, with_window
from tui.errors import StoreUnavailable
from tui.ui.leaving import LeavePage

# -- the empty chat -----------------------------------------------------------------------------------------------------


async def test_looking_for_a_server() -> None:
    async with replay() as server:
        server.other = held(as_json(200, {}))
        async with running(server.url) as stage:
            await stage.see("Looking for a model server")
            await check_all(stage, "empty-searching")


async def test_connected() -> None:
    async with ollama() as server, running(server.url) as stage:
        await ready(stage)
        await check_all(stage, "empty-connected")


async def test_nobody_answers() -> None:
    async with running(NOBODY) as stage:
        await stage.see("No server answers")
        await check_all(stage, "empty-no-server")


async def test_a_server_without_a_model() -> None:
    async with ollama() as server:
        server.on("/api/tags", recorded("ollama/tags-empty")).on("/api/ps", recorded("ollama/ps-empty"))
        async with running(server.url) as stage:
            await stage.see("has no model yet")
            await check_all(stage, "empty-no-model")
            await stage.press("f3")
            await stage.see("no models yet")
            await check_all(stage, "models-none")


# -- models -------------------------------------------------------------------------------------------------------------


async def test_models_of_ollama() -> None:
    async with ollama() as server:
        server.on("/api/tags", recorded("ollama/tags")).on("/api/ps", recorded("ollama/ps-two"))
        with_window(server, 4096)
        async with running(server.url) as stage:
            await stage.see("Preset")
            await stage.press("f3")
            await stage.see("in memory")
            await stage.press("down", "down")
            await check_all(stage, "models-ollama")


async def test_models_of_a_router() -> None:
    async with replay() as server, running(like_router(server).url) as stage:
        await stage.see("ctx 0 of 4k")
        await stage.press("f3")
        await stage.see("failed")
        await stage.press("end")
        await stage.see("could not be loaded")
        await check_all(stage, "models-router")


async def test_models_without_a_server() -> None:
    async with running(NOBODY) as stage:
        await stage.see("No server answers")
        await stage.press("f3")
        await stage.see("Enter choose")
        await check_all(stage, "models-no-server")


# -- settings -----------------------------------------------------------------------------------------------------------


async def test_settings() -> None:
    async with ollama() as server, running(server.url) as stage:
        await ready(stage)
        await stage.press("f4")
        await stage.see("band 0.3–0.5")
        await check_all(stage, "settings")
        await stage.press("1", ".", "2", "enter")
        await stage.see("outside 0.3–0.5")
        await check_all(stage, "settings-outside-band")
        await stage.press("9", "enter")
        await stage.see("cannot be")
        await check_all(stage, "settings-wrong-value")
        await stage.press("escape")
        await stage.see_no_more("cannot be")
        await stage.press("down", "down", "down", "down", "down", "down", "down", "down")
        await stage.press("right")
        await stage.see("top_n_sigma: keeps")
        await check_all(stage, "settings-not-for-this-server")


async def test_settings_with_values_of_this_run() -> None:
    async with ollama() as server, running(server.url, overrides={"temperature": 0.9, "seed": 7}) as stage:
        await ready(stage)
        await stage.press("f4")
        await stage.see("this run")
        await check_all(stage, "settings-this-run")


# -- pages over it ------------------------------------------------------------------------------------------------------


async def test_the_key_page_and_the_palette() -> None:
    async with ollama() as server, running(server.url) as stage:
        await ready(stage)
        await stage.press("f1")
        await stage.see("you are here")
        await check_all(stage, "keys")
        await stage.press("escape")
        await stage.see("Connected")
        await stage.press("ctrl+p")
        await stage.see("Ask again")
        await check_all(stage, "palette")
        await stage.write("crea")
        await stage.see("Preset: creative")
        await stage.see_no_more("Ask again")
        await check_all(stage, "palette-search")


# -- leaving ------------------------------------------------------------------------------------------------------------


async def test_the_page_of_what_is_not_saved() -> None:
    """lokal is left while the disk is full; a file that cannot be written is said under it."""
    async with running(NOBODY) as stage:
        problem = StoreUnavailable(
            "Cannot save the message",
            f"{Path.home()}/.local/share/lokal/chats.db: The disk is full",
            "Make room on the disk",
        )
        page = LeavePage(problem, stage.app.backstage)
        stage.app.push_screen(page)
        await stage.see("Enter writes it there")
        page.query_one(Input).value = "/dev/shm/lokal-unwritten-20261130-120000.json"  # it is not written
        await check_all(stage, "leave")


# -- small screens ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(80, 15), (50, 24), (50, 15)], ids=["low", "narrow", "small"])
async def test_small_screens(size: tuple[int, int]) -> None:
    async with ollama() as server:
        server.on("/api/chat", ollama_answer(BEGINNING))
        async with running(server.url, size=size) as stage:
            await ready(stage)
            await check(stage, "empty-connected")
            await stage.ask(QUESTION)
            await stage.see(r"expects:")
            await stage.see(r"ctx 1\.2k.* Enter send")
            await check(stage, "chat")
            await stage.press("f3")
            await stage.see("NAME +")
            await check(stage, "models")
            await stage.press("f4")
            await stage.see("›temperature ")
            await check(stage, "settings")
            await stage.press("f1")
            await stage.see("you are here")
            await check(stage, "keys")


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
