"""The Models tab: moving, choosing, asking again, and lists that are long, empty or odd."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.support.app import configure
from tests.support.app_driver import NOBODY, SIZES, AppDriver, running
from tests.support.canned_servers import MODEL, chats, like_ollama, like_router, ollama_answer
from tests.support.replay import Replay, as_json, replay, stalling
from tui.ui.models.table import COLUMNS, columns

THREE = (
    (MODEL, "3.2B", 2_019_393_189),
    ("qwen2.5-coder:7b", "7.6B", 4_683_087_332),
    ("bielik:11b", "11B", 0),
)


@asynccontextmanager
async def models(*listed: tuple[str, str, int]) -> AsyncIterator[tuple[AppDriver, Replay]]:
    """A connected lokal with the list of these models open."""
    async with replay() as server:
        like_ollama(server, *listed).on("/api/chat", ollama_answer("Yes."))
        async with running(server.url) as driver:
            await driver.see("Connected")
            await driver.press("f3")
            await driver.see("NAME +PARAMS")
            yield driver, server


def under_cursor(driver: AppDriver) -> str:
    return driver.model_under_cursor


async def test_moving() -> None:
    async with models(*THREE) as (driver, _):
        assert under_cursor(driver) == MODEL
        for key, name in (
            ("down", "qwen2.5-coder:7b"),
            ("j", "bielik:11b"),
            ("down", "bielik:11b"),
            ("k", "qwen2.5-coder:7b"),
            ("home", MODEL),
            ("up", MODEL),
            ("end", "bielik:11b"),
            ("pageup", MODEL),
        ):
            await driver.press(key)
            assert under_cursor(driver) == name, key
            await driver.see(f"\n›{name} ")
            assert driver.screen()[-6] == f" {name}", "the one under the cursor is described"


async def test_choosing_asks_it_from_now_on_and_at_the_next_start() -> None:
    async with models(*THREE) as (driver, server):
        await driver.press("down", "enter")
        await driver.see("model qwen2.5-coder:7b")
        await driver.see("Model +qwen2.5-coder:7b  .7.6B, Q4_K_M, 4.7 GB, context 8k")
        assert driver.focus == "composer"
        await driver.ask("Well?")
        await driver.see("── qwen2.5-coder:7b · technical ─+ 412 tokens")
        assert chats(server)[-1]["model"] == "qwen2.5-coder:7b"
        await driver.press("f3")
        await driver.see("qwen2.5-coder:7b .*✓")
        assert "✓" not in driver.row(MODEL + " +3.2B")
    config = Path(os.environ["XDG_CONFIG_HOME"]) / "lokal" / "config.toml"
    assert config.read_text(encoding="utf-8") == 'model = "qwen2.5-coder:7b"\n'
    async with models(*THREE) as (driver, _):
        await driver.see("qwen2.5-coder:7b .*✓")


async def test_choosing_while_an_answer_comes_in_leaves_it_its_model() -> None:
    async with models(*THREE) as (driver, server):
        server.on("/api/chat", stalling(ollama_answer("Slowly", ended=False)))
        await driver.press("f2")
        await driver.ask("Well?")
        await driver.see("Slowly")
        await driver.press("f3", "down", "enter")
        await driver.see("qwen2.5-coder:7b will answer your next question")
        await driver.see(f"── {MODEL} · technical ")
        await driver.press("escape")
        await driver.see("stopped by you")
        await driver.see(f"── {MODEL} · technical ")


async def test_asking_again() -> None:
    async with models(*THREE[:1]) as (driver, server):
        like_ollama(server, *THREE)
        await driver.press("r")
        await driver.see("bielik:11b")
        await driver.press("end")
        like_ollama(server, *THREE[:2])
        await driver.press("r")
        await driver.see_no_more("bielik:11b")
        assert under_cursor(driver) == MODEL, "the one under the cursor is gone"


async def test_a_server_that_went_away_is_said_and_the_list_stays() -> None:
    async with models(*THREE) as (driver, server):
        server.on("/api/tags", as_json(500, {"error": "the disk is broken"}))
        await driver.press("r")
        await driver.see("the disk is broken")
        await driver.see("qwen2.5-coder:7b")


async def test_a_long_list_scrolls_with_the_cursor() -> None:
    many = [(f"model-{number:02}", "3B", 1_000_000_000) for number in range(60)]
    async with models(*many) as (driver, _):
        await driver.press("end")
        await driver.see("›model-59")
        assert "NAME" in driver.screen()[1], "the heading stays"
        await driver.press("pageup", "pageup")
        await driver.see("NAME.*\n›model-29")
        await driver.press("pagedown")
        await driver.see("›model-44")
        await driver.press("end")
        for size in ((50, 15), (120, 40), (80, 24), (20, 6)):
            await driver.resize(*size)
            await driver.see("›model-59")
        await driver.press("home")
        await driver.see("›model-00")


async def test_names_are_shown_as_text_and_cut_to_the_column() -> None:
    odd = "\x1b[31m[red]x[/] " + "я" * 100
    async with models((odd, "3.2B", 2_000_000_000), ("大模型:7b", "7B", 3_000_000_000)) as (driver, _):
        row = driver.row(r"›\[red\]x")
        assert "\x1b" not in row
        assert row.index("3.2B") == driver.screen()[1].index("PARAMS")
        wide = driver.row("大模型:7b")
        assert cell_len(wide[: wide.index("7B ")]) == driver.screen()[1].index("PARAMS")
        await driver.press("ctrl+p")
        await driver.write("model")
        await driver.see(r"Model: .*\[red\]x")
        await driver.see("Model: 大模型:7b")


async def test_a_model_that_failed_says_why_and_is_not_the_one_to_start_with() -> None:
    async with replay() as server, running(like_router(server).url) as driver:
        await driver.see("Connected")
        assert driver.model != "broken"
        await driver.press("f3", "end")
        await driver.see("›broken .*failed")
        await driver.see("could not be loaded .exit code 1")


async def test_the_one_in_use_is_in_sight_when_the_list_comes() -> None:
    many = [(f"model-{number:02}", "3B", 1_000_000_000) for number in range(60)]
    async with models(*many) as (driver, server):
        await driver.press("end", "enter")
        await driver.see("model model-59")
    async with models(*many) as (driver, server):
        await driver.see("›model-59 .*✓")
        like_ollama(server, *many, ("model-60", "3B", 1_000_000_000))
        await driver.press("r")
        await driver.see("Asked again: 61 models")
        driver.clear_notice()
        await driver.see("›model-59 .*✓")


@pytest.mark.parametrize("size", [*SIZES, (50, 15)])
async def test_without_a_server_the_tab_has_the_ways_on(size: tuple[int, int]) -> None:
    async with running(NOBODY, size=size) as driver:
        await driver.see("No server answers")
        await driver.press("f3")
        await driver.see("No server answers at")
        assert "…" not in driver.text(), "nothing is cut"
        assert driver.focus == "decision"
        await driver.see(r"(?m)^ › 1 ask the guide")
        await driver.see(r"(?m)^   4 look again \(F8\)$")
        await driver.see("Enter choose")
        await driver.press("q", "tab")
        await driver.paste("3")
        await driver.press("down", "down", "down", "down")
        await driver.see(r"(?m)^ › 4 look again")
        await driver.press("enter")
        await driver.see("Looked again: No server answers")
        assert driver.tab == "models"
        await driver.press("r")
        await driver.see(r"(?m)^ › 1 ask the guide")
        await driver.press("3")
        await driver.see("Start a model server on this machine")
        await driver.press("escape")
        await driver.see(r"start or name a server")
        await driver.press("escape")
        assert driver.tab == "chat"
        assert driver.focus == "composer"


async def test_a_list_of_another_tab_is_not_what_tab_leads_to() -> None:
    async with models() as (driver, server):
        await driver.press("f2")
        await driver.ask("Well?")
        await driver.see(r"Yes\.")
        server.on("/api/version", as_json(500, {}))
        server.on("/api/tags", as_json(500, {}))
        await driver.press("f8")
        await driver.see("no server")
        await driver.press("f3")
        await driver.see("ask the guide")
        await driver.press("f2", "tab")
        assert driver.focus != "decision"


async def test_where_there_is_no_model_are_the_ways_to_one() -> None:
    async with replay() as server:
        like_ollama(server)
        server.on("/api/tags", as_json(200, {"models": []})).on("/api/ps", as_json(200, {"models": []}))
        async with running(server.url) as driver:
            await driver.see("Connected")
            await driver.press("f3")
            await driver.see("Ollama on this machine has no models yet")
            await driver.see("ollama pull llama3.2:3b")
            like_ollama(server)
            await driver.press("1")
            await driver.see(f"›{MODEL} .*in memory")
            assert driver.focus == "models"


async def test_esc_leaves_and_stops_no_answer() -> None:
    async with models(*THREE) as (driver, server):
        server.on("/api/chat", stalling(ollama_answer("Slowly", ended=False)))
        await driver.press("f2")
        await driver.ask("Well?")
        await driver.see("Slowly")
        for tab in ("f3", "f4"):
            await driver.press(tab)
            await driver.see("Esc back")
            await driver.press("escape")
            assert driver.tab == "chat"
            assert driver.activity, "the answer goes on"
            assert driver.focus == "composer"


async def test_looking_again_finds_a_server_that_was_started_meanwhile() -> None:
    async with replay() as server, running(server.url) as driver:
        await driver.see("no model server that lokal knows")
        await driver.press("f3")
        await driver.see("ask the guide")
        like_ollama(server)
        await driver.press("f8")
        await driver.see("›llama3.2:3b .*in memory")


async def test_other_keys() -> None:
    configure('[keys]\n"model.use" = "y"\n"model.refresh" = "f6"\n"tab.models" = "ctrl+e"\n')
    async with replay() as server:
        like_ollama(server, *THREE)
        async with running(server.url) as driver:
            await driver.see("Connected")
            await driver.press("ctrl+e")
            await driver.see("y use")
            await driver.press("down", "enter", "r")
            assert driver.model == MODEL, "Enter was given away"
            like_ollama(server, *THREE[:2])
            await driver.press("f6")
            await driver.see_no_more("bielik")
            await driver.press("y")
            await driver.see("model qwen2.5-coder:7b")


def test_columns_give_way_on_narrow_screens_and_the_state_stays() -> None:
    titles = [title for title, _ in COLUMNS]
    assert [titles[place] for place in columns(80)] == titles
    for width in range(20, 120):
        shown = [titles[place] for place in columns(width)]
        assert shown[-1] == "STATE"
        assert shown == [title for title in titles if title in shown], "the order stays"
    assert [titles[place] for place in columns(50)] == ["SIZE", "STATE"]
