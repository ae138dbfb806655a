"""The Models tab: moving, choosing, asking again, and lists that are long, empty or odd."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from rich.cells import cell_len

from tests.support.app import configure
from tests.support.replay import Replay, as_json, replay, stalling
from tests.support.stage import MODEL, NOBODY, Stage, chats, like_ollama, like_router, ollama_answer, running
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
        await stage.see("qwen2.5-coder:7b from the next answer on")
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
        await stage.see("›model-39")
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
        assert stage.app.desk.model != "broken"
        await stage.press("f3", "end")
        await stage.see("›broken .*failed")
        await stage.see("could not be loaded .exit code 1")


async def test_without_a_server_the_tab_says_so_and_looks_again() -> None:
    async with running(NOBODY) as stage:
        await stage.see("No server answers")
        await stage.press("f3")
        await stage.see("No server answers at .*\n.*refused")
        await stage.see("F8 look again")
        await stage.press("enter", "down", "r")
        await stage.see("No server answers")


async def test_looking_again_finds_a_server_that_was_started_meanwhile() -> None:
    async with replay() as server, running(server.url) as stage:
        await stage.see("no model server that lokal knows")
        await stage.press("f3")
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
            assert stage.app.desk.model == MODEL, "Enter was given away"
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
