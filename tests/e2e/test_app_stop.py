"""Esc ends an answer in every phase, and F6 goes on with it; in the real program against a server under control."""

from __future__ import annotations

import asyncio

from tests.support.app import (
    CHAT,
    OPENAI,
    answer,
    becomes_llamacpp,
    bodies,
    endless,
    last_chat,
    model_server,
    turns,
)
from tests.support.replay import Replay, as_json, held, stalling
from tests.support.terminal import DEADLINE_S, TerminalSession, lokal
from tui.chat.requests import GO_ON


async def _left(server: Replay) -> None:
    """lokal has closed its connection."""
    async with asyncio.timeout(DEADLINE_S):
        await server.left.wait()
    server.left.clear()


async def _arrived(server: Replay) -> None:
    async with asyncio.timeout(DEADLINE_S):
        await server.arrival(CHAT).wait()
    server.arrival(CHAT).clear()


async def _stop(terminal: TerminalSession, server: Replay, stops: int) -> None:
    """Esc, and all that has to follow; `stops` answers have been stopped then."""
    terminal.send("\x1b")
    await _left(server)
    await terminal.until(
        lambda: terminal.text().count("stopped by you") == stops, f"{stops} answers are shown as stopped"
    )


async def test_stopping_in_each_phase_and_going_on() -> None:
    thinking = stalling(OPENAI.stream(OPENAI.thought("Let me think."), ended=False))
    async with model_server() as server, lokal("--server", server.url) as terminal:
        await terminal.wait_for("· replay-3b")

        server.on(CHAT, held(answer("Never seen.")))
        terminal.send("One\r")
        await _arrived(server)
        await terminal.wait_for(r"── replay-3b · technical ─+ connecting ─")
        await terminal.wait_for(r"Esc stop")
        await _stop(terminal, server, 1)

        server.on(CHAT, thinking)
        terminal.send("Two\r")
        await terminal.wait_for("Let me think")
        await _stop(terminal, server, 2)

        server.on(CHAT, endless("The begin", "ning"))
        terminal.send("Three\r")
        await terminal.wait_for("The beginning")
        terminal.send("typed meanwhile")
        await terminal.wait_for("typed meanwhile")
        await _stop(terminal, server, 3)
        await terminal.wait_for(r"── replay-3b · technical ─+.* stopped ─")
        await terminal.wait_for("F6 continue")
        assert "typed meanwhile" in terminal.text()

        server.on(CHAT, answer(" and the end."))
        terminal.send("\x1b[17~")
        await terminal.wait_for("The beginning and the end.")
        await terminal.until(lambda: terminal.text().count("stopped by you") == 2, "it is stopped no more")
        await terminal.wait_for("Enter send")
        await terminal.quit()

    first, second, third, again = bodies(server)
    assert turns(first) == [("user", "One")]
    assert turns(second) == [("user", "One\n\nTwo")], "an empty answer is not sent"
    assert turns(third) == [("user", "One\n\nTwo\n\nThree")], "reasoning is not sent"
    assert turns(again) == [*turns(third), ("assistant", "The beginning"), ("user", GO_ON)]
    messages = await last_chat()
    assert [(message.content, message.status) for message in messages[1::2]] == [
        ("", "stopped"),
        ("", "stopped"),
        ("The beginning and the end.", "complete"),
    ]
    assert messages[3].fields["reasoning"] == "Let me think."


async def test_stopping_while_the_model_loads_and_while_the_prompt_is_read() -> None:
    """A llama.cpp server says 503 while it loads, and how far it has read the prompt."""
    async with model_server() as server:
        becomes_llamacpp(server)
        async with lokal("--server", server.url) as terminal:
            await terminal.wait_for("· replay-3b")
            server.on("/health", as_json(503, {"error": {"code": 503, "message": "Loading model"}}))
            server.on(CHAT, as_json(503, {"error": {"code": 503, "message": "Loading model"}}))
            terminal.send("Load!\r")
            await terminal.wait_for("loading the model")
            terminal.send("\x1b")
            await terminal.wait_for("stopped by you")

            progress = {
                "choices": [{"index": 0, "delta": {"role": "assistant", "content": None}}],
                "prompt_progress": {"total": 200, "cache": 0, "processed": 50, "time_ms": 10},
            }
            server.on(CHAT, stalling(OPENAI.stream(progress, ended=False)))
            terminal.send("Read!\r")
            await terminal.wait_for("reading the prompt 25 %")
            await _stop(terminal, server, 2)
            terminal.send("\x03")
            await terminal.wait_for("Ctrl\\+Q leaves lokal")
            await terminal.quit()
    assert [message.status for message in (await last_chat())[1::2]] == ["stopped", "stopped"]


async def test_stopping_while_lokal_still_looks_for_the_server() -> None:
    async with model_server() as server:
        listed = server.replies["/v1/models"][0]
        server.on("/v1/models", held(listed))
        async with lokal("--server", server.url) as terminal:
            await terminal.wait_for("Looking for a model server")
            terminal.send("Early\r")
            await terminal.wait_for("connecting")
            terminal.send("\x1b")
            await terminal.wait_for("stopped by you")
            server.release.set()
            await terminal.wait_for("· replay-3b")
            server.on(CHAT, answer("Here I am."))
            terminal.send("\x1b[15~")
            await terminal.wait_for("Here I am.")
            await terminal.quit()
    assert turns(bodies(server)[-1]) == [("user", "Early")]
    assert (await last_chat())[-1].content == "Here I am."
