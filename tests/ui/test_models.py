"""The Models tab: moving, choosing, asking again, and lists that are long, empty or odd."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual import events

from tests.support.app import configure
from tests.support.replay import Replay, as_json, replay, stalling
from tests.support.stage import (
    MODEL,
    NOBODY,
    SIZES,
    Stage,
    chats,
    like_ollama,
    like_router,
    ollama_answer,
    running,
)
from tui.ui.chat.decision_prompt import DecisionPrompt
from tui.ui.models.table import COLUMNS, ModelTable, columns

THREE = (
    (MODEL, "3.2B", 2_019_393_189),
    ("qwen2.5-coder:7b", "7.6B", 4_683_087_332),
    ("bielik:11b", "11B", 0),
)


@asynccontextmanager
async def models(*listed: tuple[str, str, int]) -> AsyncIterator[tuple[Stage, Replay]]:
    """A connected lokal with the list of these models open."""
    async with replay() as server:
        like_ollama(server, *listed).on("/api/chat", ollama_answer("Yes."))
        async with running(server.url) as stage:
            await stage.see("Connected")
            await stage.press("f3")
            await stage.see("NAME +PARAMS")
            yield stage, server


def under_cursor(stage: Stage) -> str:
    model = stage.app.query_one(ModelTable).current
    assert model is not None
    return model.name


async def test_moving() -> None:
    async with models(*THREE) as (stage, _):
        assert under_cursor(stage) == MODEL
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
            await stage.press(key)
            assert under_cursor(stage) == name, key
            await stage.see(f"\n›{name} ")
            assert stage.screen()[-3] == f" {name}", "the one under the cursor is described"


async def test_choosing_asks_it_from_now_on_and_at_the_next_start() -> None:
    async with models(*THREE) as (stage, server):
        await stage.press("down", "enter")
        await stage.see("model qwen2.5-coder:7b")
        await stage.see("Model +qwen2.5-coder:7b  .7.6B, Q4_K_M, 4.7 GB, not in memory yet")
        assert stage.app.focused is stage.app.chat.composer
        await stage.ask("Well?")
        await stage.see("── qwen2.5-coder:7b · technical ─+ 412 tokens")
        assert chats(server)[-1]["model"] == "qwen2.5-coder:7b"
        await stage.press("f3")
        await stage.see("qwen2.5-coder:7b .*✓")
        assert "✓" not in stage.row(MODEL + " +3.2B")
    config = Path(os.environ["XDG_CONFIG_HOME"]) / "lokal" / "config.toml"
    assert config.read_text(encoding="utf-8") == 'model = "qwen2.5-coder:7b"\n'
    async with models(*THREE) as (stage, _):
        await stage.see("qwen2.5-coder:7b .*✓")


async def test_choosing_while_an_answer_comes_in_leaves_it_its_model() -> None:
    async with models(*THREE) as (stage, server):
        server.on("/api/chat", stalling(ollama_answer("Slowly", ended=False)))
        await stage.press("f2")
        await stage.ask("Well?")
        await stage.see("Slowly")
        await stage.press("f3", "down", "enter")
        await stage.see("qwen2.5-coder:7b will answer your next question")
        await stage.see(f"── {MODEL} · technical ")
        await stage.press("escape")
        await stage.see("stopped by you")
        await stage.see(f"── {MODEL} · technical ")


async def test_asking_again() -> None:
    async with models(*THREE[:1]) as (stage, server):
        like_ollama(server, *THREE)
        await stage.press("r")
        await stage.see("bielik:11b")
        await stage.press("end")
        like_ollama(server, *THREE[:2])
        await stage.press("r")
        await stage.see_no_more("bielik:11b")
        assert under_cursor(stage) == MODEL, "the one under the cursor is gone"


async def test_a_server_that_went_away_is_said_and_the_list_stays() -> None:
    async with models(*THREE) as (stage, server):
        server.on("/api/tags", as_json(500, {"error": "the disk is broken"}))
        await stage.press("r")
        await stage.see("the disk is broken")
        await stage.see("qwen2.5-coder:7b")


async def test_a_long_list_scrolls_with_the_cursor() -> None:
    many = [(f"model-{number:02}", "3B", 1_000_000_000) for number in range(60)]
    async with models(*many) as (stage, _):
        await stage.press("end")
        await stage.see("›model-59")
        assert "NAME" in stage.screen()[1], "the heading stays"
        await stage.press("pageup", "pageup")
        await stage.see("NAME.*\n›model-23")
        await stage.press("pagedown")
        await stage.see("›model-41")
        await stage.press("end")
        for size in ((50, 15), (120, 40), (80, 24), (20, 6)):
            await stage.resize(*size)
            await stage.see("›model-59")
        await stage.press("home")
        await stage.see("›model-00")


async def test_names_are_shown_as_text_and_cut_to_the_column() -> None:
    odd = "\x1b[31m[red]x[/] " + "я" * 100
    async with models((odd, "3.2B", 2_000_000_000), ("大模型:7b", "7B", 3_000_000_000)) as (stage, _):
        row = stage.row(r"›\[red\]x")
        assert "\x1b" not in row
        assert row.index("3.2B") == stage.screen()[1].index("PARAMS")
        wide = stage.row("大模型:7b")
        assert cell_len(wide[: wide.index("7B ")]) == stage.screen()[1].index("PARAMS")
        await stage.press("ctrl+p")
        await stage.write("model")
        await stage.see(r"Model: .*\[red\]x")
        await stage.see("Model: 大模型:7b")


async def test_a_model_that_failed_says_why_and_is_not_the_one_to_start_with() -> None:
    async with replay() as server, running(like_router(server).url) as stage:
        await stage.see("Connected")
        assert stage.app.state.model != "broken"
        await stage.press("f3", "end")
        await stage.see("›broken .*failed")
        await stage.see("could not be loaded .exit code 1")


async def test_the_one_in_use_is_in_sight_when_the_list_comes() -> None:
    many = [(f"model-{number:02}", "3B", 1_000_000_000) for number in range(60)]
    async with models(*many) as (stage, server):
        await stage.press("end", "enter")
        await stage.see("model model-59")
    async with models(*many) as (stage, server):
        await stage.see("›model-59 .*✓")
        like_ollama(server, *many, ("model-60", "3B", 1_000_000_000))
        await stage.press("r")
        await stage.see("Asked again: 61 models")
        await stage.see("›model-59 .*✓")


@pytest.mark.parametrize("size", [*SIZES, (50, 15)])
async def test_without_a_server_the_tab_has_the_ways_on(size: tuple[int, int]) -> None:
    async with running(NOBODY, size=size) as stage:
        await stage.see("No server answers")
        await stage.press("f3")
        await stage.see("No server answers at")
        assert "…" not in stage.text(), "nothing is cut"
        assert isinstance(stage.app.focused, DecisionPrompt)
        await stage.see(r"(?m)^ › 1 ask the guide")
        await stage.see(r"(?m)^   4 look again \(F8\)$")
        await stage.see("Enter choose")
        await stage.press("q", "tab")
        stage.app.post_message(events.Paste("3"))
        await stage.press("down", "down", "down", "down")
        await stage.see(r"(?m)^ › 4 look again")
        await stage.press("enter")
        await stage.see("Looked again: No server answers")
        assert stage.app.tabs.current == "models"
        await stage.press("r")
        await stage.see(r"(?m)^ › 1 ask the guide")
        await stage.press("3")
        await stage.see("Start a model server on this machine")
        await stage.press("escape")
        await stage.see(r"start or name a server")
        await stage.press("escape")
        assert stage.app.tabs.current == "chat"
        assert stage.app.chat.composer.has_focus


async def test_a_list_of_another_tab_is_not_what_tab_leads_to() -> None:
    async with models() as (stage, server):
        await stage.press("f2")
        await stage.ask("Well?")
        await stage.see(r"Yes\.")
        server.on("/api/version", as_json(500, {}))
        server.on("/api/tags", as_json(500, {}))
        await stage.press("f8")
        await stage.see("no server")
        await stage.press("f3")
        await stage.see("ask the guide")
        await stage.press("f2", "tab")
        assert not isinstance(stage.app.focused, DecisionPrompt)


async def test_where_there_is_no_model_are_the_ways_to_one() -> None:
    async with replay() as server:
        like_ollama(server)
        server.on("/api/tags", as_json(200, {"models": []})).on("/api/ps", as_json(200, {"models": []}))
        async with running(server.url) as stage:
            await stage.see("Connected")
            await stage.press("f3")
            await stage.see("Ollama on this machine has no models yet")
            await stage.see("ollama pull llama3.2:3b")
            like_ollama(server)
            await stage.press("1")
            await stage.see(f"›{MODEL} .*in memory")
            assert stage.app.focused is stage.app.query_one(ModelTable)


async def test_esc_leaves_and_stops_no_answer() -> None:
    async with models(*THREE) as (stage, server):
        server.on("/api/chat", stalling(ollama_answer("Slowly", ended=False)))
        await stage.press("f2")
        await stage.ask("Well?")
        await stage.see("Slowly")
        for tab in ("f3", "f4"):
            await stage.press(tab)
            await stage.see("Esc back")
            await stage.press("escape")
            assert stage.app.tabs.current == "chat"
            assert stage.app.chat.doing, "the answer goes on"
            assert stage.app.focused is stage.app.chat.composer


async def test_looking_again_finds_a_server_that_was_started_meanwhile() -> None:
    async with replay() as server, running(server.url) as stage:
        await stage.see("no model server that lokal knows")
        await stage.press("f3")
        await stage.see("ask the guide")
        like_ollama(server)
        await stage.press("f8")
        await stage.see("›llama3.2:3b .*in memory")


async def test_other_keys() -> None:
    configure('[keys]\n"model.use" = "space"\n"model.refresh" = "f6"\n"tab.models" = "ctrl+e"\n')
    async with replay() as server:
        like_ollama(server, *THREE)
        async with running(server.url) as stage:
            await stage.see("Connected")
            await stage.press("ctrl+e")
            await stage.see("Space use")
            await stage.press("down", "enter", "r")
            assert stage.app.state.model == MODEL, "Enter was given away"
            like_ollama(server, *THREE[:2])
            await stage.press("f6")
            await stage.see_no_more("bielik")
            await stage.press("space")
            await stage.see("model qwen2.5-coder:7b")


def test_columns_give_way_on_narrow_screens_and_the_state_stays() -> None:
    titles = [title for title, _ in COLUMNS]
    assert [titles[place] for place in columns(80)] == titles
    for width in range(20, 120):
        shown = [titles[place] for place in columns(width)]
        assert shown[-1] == "STATE"
        assert shown == [title for title in titles if title in shown], "the order stays"
    assert [titles[place] for place in columns(50)] == ["SIZE", "STATE"]
