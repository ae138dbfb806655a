"""A comparison whose prompt does not fit into a context window, and what its columns are called."""

from __future__ import annotations

from tests.support.replay import Replay, as_json, replay
from tests.support.stage import chats, chatting, like_ollama, ollama_answer, running
from tui.core.message import Role, Status

LONG = "Why is the sky blue, and why is it red in the evening? " * 600
"""About 8,300 tokens by estimate."""
SKY = "Why is the sky blue?"
FIRST = "Sunlight is scattered by the air, blue light the most."


def larger(server: Replay, window: int) -> None:
    """Let an Ollama have its model in memory with another window."""
    loaded = [{"name": "phi4", "model": "phi4", "size": 2_500_000_000, "context_length": window}]
    like_ollama(server, ("phi4", "14B", 1)).on("/api/ps", as_json(200, {"models": loaded}))


async def test_what_does_not_fit_is_not_sent_to_anybody() -> None:
    async with chatting(size=(120, 40)) as (stage, server):
        await stage.ask(f"/compare technical creative: {LONG}")
        await stage.see(r"\n 2 answers ")
        assert chats(server) == []
        await stage.see("This does not fit into the context")
        await stage.see("The window has 8k; this takes")
        await stage.see("Ask something shorter, or set")
        session = stage.app.chat.session
        assert session is not None
        failed = [message for message in session.conversation if message.role is Role.ASSISTANT]
        assert [message.status for message in failed] == [Status.FAILED] * 2


async def test_a_column_with_a_larger_window_is_asked_all_the_same() -> None:
    async with replay() as other, chatting() as (stage, server):
        larger(other, 32768)
        other.on("/api/chat", ollama_answer(FIRST))
        await stage.ask(f"/compare technical technical on {other.url}: {LONG}")
        await stage.see(r"\n 2 answers ")
        assert chats(server) == []
        assert [body["model"] for body in chats(other)] == ["phi4"]
        await stage.see("Sunlight is scattered")


async def test_a_column_whose_server_has_a_smaller_window_is_not_asked() -> None:
    async with replay() as other, chatting() as (stage, server):
        larger(other, 2048)
        server.on("/api/chat", ollama_answer(FIRST))
        await stage.ask(f"/compare technical technical on {other.url}: {LONG[:12_000]}")
        await stage.see(r"\n 2 answers ")
        assert len(chats(server)) == 1
        assert chats(other) == []
        await stage.see("The window has 2k")


async def test_a_column_is_called_by_the_model_that_answers() -> None:
    async with replay() as other, chatting(size=(120, 40)) as (stage, server):
        server.on("/api/chat", ollama_answer(FIRST))
        like_ollama(other, ("phi4", "14B", 1)).on("/api/chat", ollama_answer(FIRST))
        await stage.ask(f"/compare technical technical on {other.url}: {SKY}")
        await stage.see(r"\n 2 answers ")
        assert "─ llama3.2:3b · technical ─" in stage.row("phi4")
        assert "─ phi4 · http://" in stage.row("phi4")


async def test_no_part_of_a_name_is_said_twice() -> None:
    async with replay() as other, replay() as server:
        for each in (server, other):
            like_ollama(each).on("/api/chat", ollama_answer(FIRST))
        async with running(server.url, size=(120, 40)) as stage:
            await stage.see("ctx 0 of 8k")
            await stage.until(lambda: stage.app.chat.session is not None, "the chats are open")
            await stage.ask(f"/compare technical technical on {other.url}: {SKY}")
            await stage.see(r"\n 2 answers ")
            heading = stage.row("›─")
            assert "›─ technical · llama3.2:3b ─" in heading
            assert heading.count("technical") == 1
