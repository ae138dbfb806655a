"""What is told of the model under the cursor beside the list of the Models tab, from 120 columns on."""

from __future__ import annotations

from tests.support.app_driver import running
from tests.support.canned_servers import MODEL, like_ollama
from tests.support.replay import Replay, as_json, replay

THREE = ((MODEL, "3.2B", 2_019_393_189), ("qwen2.5-coder:7b", "7.6B", 4_683_087_332), ("odd:1b", "1B", 10**9))
BESIDE = r"│ +family +llama"


def told(template: str = "", **more: object) -> dict[str, object]:
    """A reply of /api/show."""
    return {"template": template, "details": {"family": "llama"}, "capabilities": ["completion"], **more}


def shown(server: Replay) -> list[str]:
    """The models that /api/show was asked for, oldest first; the window of the one in use is asked for there too."""
    return [str(request.json()["model"]) for request in server.seen if request.path == "/api/show"]


async def test_it_follows_the_cursor_and_asks_only_where_it_rests() -> None:
    async with replay() as server:
        like_ollama(server, *THREE).on("/api/show", as_json(200, told("{{ .Prompt }}")))
        async with running(server.url, size=(120, 40)) as driver:
            await driver.see("Connected")
            await driver.press("f3")
            await driver.see(BESIDE)
            await driver.see(r"│ +{{ .Prompt }}")
            await driver.press("down", "down")
            await driver.see(r"│ +odd:1b")
            await driver.see(BESIDE)
            assert "qwen2.5-coder:7b" not in shown(server), "the cursor only passed it"
            before = len(shown(server))
            await driver.press("up", "up")
            await driver.see(rf"│ {MODEL}")
            await driver.see(BESIDE)
            assert len(shown(server)) == before, "it was told already"


async def test_a_narrow_screen_and_a_tab_that_is_left_ask_for_nothing() -> None:
    async with replay() as server:
        like_ollama(server, *THREE)
        async with running(server.url) as driver:
            await driver.see("Connected")
            await driver.press("f3", "down", "down")
            await driver.see("›odd:1b")
            assert "│" not in driver.text()
            await driver.press("f2")
            await driver.resize(120, 40)
            await driver.see("Preset")
            await driver.press("f3")
            await driver.see("│ +odd:1b")
            await driver.resize(80, 24)
            await driver.see_no_more("│")
        assert "qwen2.5-coder:7b" not in shown(server)


async def test_what_a_server_tells_is_shown_as_text_and_why_it_tells_nothing() -> None:
    odd = told("\x1b[31m[red]x[/]\nя\t2", license="L" * 900_000)
    refusal = as_json(500, {"error": "the \x1b[5mdisk is broken"})
    async with replay() as server:
        like_ollama(server, *THREE).on("/api/show", as_json(200, odd))
        async with running(server.url, size=(120, 40)) as driver:
            await driver.see("Connected")
            await driver.press("f3")
            await driver.see(r"│ +\[red\]x\[/\]")
            await driver.see("i shows all of it, and copies it")
            server.on("/api/show", refusal)
            await driver.press("down")
            await driver.see("│ +qwen2.5-coder:7b *\n.*│.*disk is broken")
            assert "\x1b" not in driver.text()
            server.on("/api/show", as_json(200, told()))
            await driver.press("r")
            await driver.see(BESIDE)
