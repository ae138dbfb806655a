"""What the real program says when something is wrong, and that nothing which it is sent acts on the terminal."""

from __future__ import annotations

import os
from pathlib import Path

from tests.support.app import (
    CHAT,
    OPENAI,
    answer,
    becomes_llamacpp,
    bodies,
    chat_titles,
    configure,
    last_chat,
    model_server,
)
from tests.support.replay import as_json, replay, reply
from tests.support.terminal import lokal
from tui.store.importing import read_chats

F3, F8 = "\x1bOR", "\x1b[19~"
NOBODY = "http://127.0.0.1:1"


async def test_no_server_another_server_and_a_wrong_key() -> None:
    async with replay() as server:
        server.other = reply(200, b"<html><title>Printer</title></html>", "text/html")
        async with lokal("--server", NOBODY) as terminal:
            await terminal.wait_for(r"No server answers at http://127\.0\.0\.1:1")
            await terminal.wait_for("how to start Ollama")
            await terminal.wait_for("F8 look again")
            terminal.send("Anybody?\r")
            await terminal.wait_for(r"── you ─+\nAnybody\?")
            await terminal.wait_for(r"─ .*failed ─\nNo server answers at")
            await terminal.quit()
        assert [message.status for message in await last_chat()] == ["complete", "failed"]

        async with lokal("--server", server.url) as terminal:
            await terminal.wait_for("A web page answers")
            server.on("/v1/models", as_json(401, {"error": {"message": "Invalid API key", "code": 401}}))
            terminal.send(F8)
            await terminal.wait_for("API key")
            server.on("/v1/models", as_json(200, {"data": [{"id": "late-1b"}]}))
            server.on(CHAT, as_json(401, {"error": {"message": "Invalid API key", "code": 401}}))
            terminal.send(F8)
            await terminal.wait_for("· late-1b")
            terminal.send("May I?\r")
            await terminal.wait_for(r"── late-1b · technical ─.*failed ─\n.*key")
            await terminal.quit()


async def test_a_broken_settings_file_is_told_of_and_left_alone() -> None:
    broken = 'theme = "lokal-dark"\nmodel = "unfinished\n'
    settings = configure(broken)
    async with model_server(answer("Fine.")) as server, lokal("--server", server.url) as terminal:
        await terminal.wait_for(r"(?i)config\.toml.*(line 2|:2:)")
        await terminal.wait_for("· replay-3b")
        terminal.send("Still there?\r")
        await terminal.wait_for("Fine\\.")
        terminal.send("\x1b[20~")
        await terminal.wait_for("config.toml")
        await terminal.quit()
    assert settings.read_text() == broken


async def test_an_unknown_theme_and_no_place_to_write() -> None:
    settings = configure('theme = "no-such-theme"\n')
    blocked = Path(os.environ["HOME"]) / "a-file"
    blocked.write_text("in the way")
    async with model_server(answer("Fine.")) as server:
        async with lokal("--server", server.url) as terminal:
            await terminal.wait_for("There is no theme “no-such-theme”")
            await terminal.quit()
        assert settings.read_text() == 'theme = "no-such-theme"\n'
        settings.unlink()

        places = {name: str(blocked) for name in ("XDG_DATA_HOME", "XDG_STATE_HOME")}
        async with lokal("--server", server.url, environ=places) as terminal:
            await terminal.wait_for("Nothing can be saved now")
            await terminal.wait_for("· replay-3b")
            terminal.send("Do you work?\r")
            await terminal.wait_for("Fine\\.")
            terminal.send("\x11")
            await terminal.wait_for("Not everything is saved yet")
            terminal.send("\x15")
            await terminal.wait_for("path of a file")
            terminal.send(f"{blocked.parent}/kept.json")
            await terminal.wait_for("kept.json")
            terminal.send("\r")
            assert await terminal.ended() == 0, terminal.text()
    assert len(bodies(server)) == 1
    (kept,) = read_chats(blocked.parent / "kept.json").chats
    assert [message.content for message in kept.conversation.path()] == ["Do you work?", "Fine."]
    assert blocked.read_text() == "in the way"
    assert await chat_titles() == []


async def test_nothing_that_is_sent_acts_on_the_terminal() -> None:
    poison = (
        "\x1b]0;owned\x07\x1b[31m[bold red]loud[/]\x9b5mC1\x90q\x1b\\[@click=app.bell]x[/]\x7f\x08\u202eltr"
    )
    pieces = [
        "Start \x1b",
        "[2J\x1b]52;c;b3duZWQ=\x07",
        poison,
        "\r\n\n```\n",
        poison,
        "\n```\n\n`",
        poison,
        "` End.",
    ]
    complaint = as_json(500, {"error": {"message": f"bad {poison} thing"}})
    async with model_server(answer(*pieces), models=(f"m{poison}", "second")) as server:
        becomes_llamacpp(server)
        server.on("/health", as_json(200, {"status": "ok"}, {"Server": "llama.cpp"}))
        async with lokal("--server", server.url, rows=50) as terminal:
            await terminal.wait_for("Preset +technical")
            terminal.send(F3)
            await terminal.wait_for("›m")
            terminal.send("\x1bOQ")
            terminal.send("Say it\r")
            await terminal.wait_for("End\\.")
            assert terminal.text().count("[bold red]loud[/]") >= 3
            server.on(CHAT, complaint)
            terminal.send("Again\r")
            await terminal.wait_for("bad .*loud.* thing")
            server.on(CHAT, OPENAI.stream(OPENAI.thought(poison), OPENAI.text("Then "), OPENAI.error(poison)))
            terminal.send("And again\r")
            await terminal.wait_for(r"Then")
            await terminal.wait_for(r"─ .*failed ─\n(.*\n)*?.*failed ─")
            terminal.send("\x0f")
            terminal.paste(poison)
            await terminal.wait_for(r"› .*loud")
            await terminal.quit()
    raw = bytes(terminal.raw)
    for forbidden in (
        b"\x1b]0;",
        b"\x1b]52",
        b"\x1b[31m",
        b"\x1b[2J",
        b"\xc2\x9b",
        b"\xc2\x90",
        b"\x7f",
        b"\xe2\x80\xae",
    ):
        assert forbidden not in raw, forbidden
