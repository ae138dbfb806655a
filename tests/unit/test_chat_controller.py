"""The open chat without a screen: prompts and answers, the queue behind them, stopping, asking again, leaving."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.canned_servers import chats, like_ollama, ollama_answer
from tests.support.headless_chat import HeadlessChat, connected, headless, names
from tests.support.replay import held, recorded, replay, stalling
from tui.chat.activity import Idle, Streaming, WaitingForServer
from tui.chat.events import DraftLoaded, GuideWanted, ServerWanted, StateChanged
from tui.chat.state import ClientState, ConnectionStatus, ServerState
from tui.core.draft import Draft
from tui.core.message import Status

HALF = stalling(ollama_answer("Half", ended=False))


async def running(chat: HeadlessChat) -> None:
    """An answer is half there."""
    chat.server.on("/api/chat", HALF, ollama_answer("Two."), ollama_answer("Three."))
    chat.submit("first")
    await chat.sees("Half")


# -- a prompt and its answer ----------------------------------------------------------------------------------------------


async def test_a_prompt_and_its_recorded_answer_are_in_the_chat_and_on_the_disk(tmp_path: Path) -> None:
    async with headless(tmp_path) as chat:
        chat.server.on("/api/chat", recorded("ollama/chat-stream"))
        answer = await chat.ask("Hello?")
        assert answer.content
        assert answer.status is Status.COMPLETE
        assert chat.asked == ["Hello?"]
        assert chat.on_disk(chat.session) == ["Hello?", answer.content]


async def test_what_is_told_of_a_prompt_comes_in_order(tmp_path: Path) -> None:
    async with headless(tmp_path) as chat:
        chat.server.on("/api/chat", ollama_answer("Yes."))
        chat.front.events.clear()
        await chat.ask("Well?")
        told = [event for event in chat.front.events if not isinstance(event, StateChanged)]
        assert names(told)[:7] == [
            "PromptRecorded",
            "QuestionAsked",
            "AnswerRequested",
            "AnswerStarted",
            "QueueChanged",
            "AnswerAdvanced",
            "AnswerFinished",
        ]


async def test_an_answer_of_a_server_that_fails_says_why(tmp_path: Path) -> None:
    async with headless(tmp_path) as chat:
        chat.server.on("/api/chat", recorded("ollama/chat-runner-cannot-load"))
        answer = await chat.ask("Well?")
        assert answer.status is Status.FAILED
        assert answer.problem is not None


async def test_a_prompt_without_a_model_comes_back(tmp_path: Path) -> None:
    async with headless(tmp_path) as chat:
        state = chat.controller.chat.state
        chat.controller.use(state.with_settings(replace(state.settings, model="")))
        chat.submit("Well?")
        assert chat.returned == ["Well?"]
        assert chat.front.notices == ["No model is chosen. /model chooses one"]
        assert chat.texts == []


# -- the queue ------------------------------------------------------------------------------------------------------------


async def test_prompts_behind_an_answer_are_asked_one_after_the_other(tmp_path: Path) -> None:
    async with headless(tmp_path) as chat:
        chat.server.on(
            "/api/chat", held(ollama_answer("One.")), ollama_answer("Two."), ollama_answer("Three.")
        )
        for text in ("first", "second", "third"):
            chat.submit(text)
        assert [prompt.marked for prompt in chat.controller.outbox.queue.prompts] == ["second", "third"]
        chat.server.release.set()
        await chat.until(lambda: chat.texts[-1] == "Three.")
        assert chat.asked == ["first", "second", "third"]


@pytest.mark.parametrize("why", ["stopped", "failed", "broken off"])
async def test_after_an_answer_that_is_not_whole_the_queue_is_held(tmp_path: Path, why: str) -> None:
    async with headless(tmp_path) as chat:
        unfinished = {
            "stopped": HALF,
            "failed": held(recorded("ollama/chat-runner-cannot-load")),
            "broken off": held(ollama_answer("Half", ended=False)),
        }
        chat.server.on("/api/chat", unfinished[why], *map(ollama_answer, ("Two.", "Three.", "Four.")))
        chat.submit("first")
        if why == "stopped":
            await chat.sees("Half")
        chat.submit("second")
        chat.submit("third")
        chat.server.release.set()
        if why == "stopped":
            chat.controller.stop()
        await chat.idle()
        assert chat.controller.outbox.queue.held
        await chat.ask("another, now")
        assert len(chat.controller.outbox.queue) == 2
        chat.submit("")
        await chat.until(lambda: chat.texts[-1] == "Four.")
        latest = [question.split("\n\n")[-1] for question in chat.asked]
        assert latest == ["first", "another, now", "second", "third"]


async def test_a_queued_prompt_comes_back_before_what_is_written(tmp_path: Path) -> None:
    async with headless(tmp_path) as chat:
        await running(chat)
        chat.submit("second")
        chat.submit("third")
        chat.front.text = "written"
        chat.controller.take_back_queued()
        chat.controller.take_back_queued()
        assert chat.front.text == "second\n\nthird\n\nwritten"
        chat.controller.take_back_queued()
        assert chat.front.notices[-1] == "No question waits"


# -- waiting and stopping -------------------------------------------------------------------------------------------------


def searching(chat: HeadlessChat) -> ClientState:
    """There is no server yet; the state that there was."""
    before = chat.controller.chat.state
    chat.set_status(ConnectionStatus.SEARCHING)
    return before


async def test_a_prompt_waits_for_a_server_and_is_then_asked(tmp_path: Path) -> None:
    async with headless(tmp_path) as chat:
        chat.server.on("/api/chat", ollama_answer("At last."))
        state = searching(chat)
        chat.submit("Hello?")
        assert isinstance(chat.controller.chat.activity, WaitingForServer)
        chat.controller.use(state)
        await chat.idle()
        assert chat.texts == ["Hello?", "At last."]


async def test_a_prompt_that_waited_for_a_server_in_vain_says_why(tmp_path: Path) -> None:
    async with headless(tmp_path) as chat:
        state = searching(chat)
        chat.submit("Hello?")
        chat.set_status(ConnectionStatus.NONE)
        await chat.idle()
        assert chat.leaf.status is Status.FAILED
        assert chat.leaf.problem is not None
        assert chat.leaf.problem.title == "No model server answers"
        chat.controller.use(state)


async def test_stopped_while_it_waits_for_a_server_it_is_kept_without_a_word(tmp_path: Path) -> None:
    async with headless(tmp_path) as chat:
        state = searching(chat)
        chat.submit("Hello?")
        assert chat.controller.stop()
        assert isinstance(chat.controller.chat.activity, Idle)
        assert (chat.leaf.content, chat.leaf.status) == ("", Status.STOPPED)
        chat.controller.use(state)
        assert chat.asked == []


async def test_stopped_while_it_streams_it_keeps_what_came(tmp_path: Path) -> None:
    async with headless(tmp_path) as chat:
        await running(chat)
        assert isinstance(chat.controller.chat.activity, Streaming)
        assert chat.controller.stop()
        assert (chat.leaf.content, chat.leaf.status) == ("Half", Status.STOPPED)
        assert chat.on_disk(chat.session) == ["first", "Half"]
        await asyncio.wait_for(chat.server.left.wait(), 60)
        assert not chat.controller.stop(), "there is nothing to stop any more"


async def test_without_a_server_one_is_looked_for(tmp_path: Path) -> None:
    async with headless(tmp_path) as chat:
        state = searching(chat)
        chat.set_status(ConnectionStatus.NONE)
        chat.submit("Hello?")
        assert len(chat.front.all(ServerWanted)) == 1
        assert isinstance(chat.controller.chat.activity, WaitingForServer)
        chat.controller.use(state)


async def test_without_a_server_the_guide_is_asked_where_it_may(tmp_path: Path) -> None:
    async with headless(tmp_path) as chat:
        state = searching(chat)
        chat.controller.use(state.with_server(ServerState(ConnectionStatus.NONE, may_guide=True)))
        chat.submit("Hello?")
        assert len(chat.front.all(GuideWanted)) == 1
        assert chat.front.all(ServerWanted) == []
        chat.controller.use(state)


# -- again, and on --------------------------------------------------------------------------------------------------------


async def test_an_answer_is_asked_for_again_beside_the_first(tmp_path: Path) -> None:
    async with headless(tmp_path) as chat:
        chat.server.on("/api/chat", ollama_answer("One."), ollama_answer("Two."))
        first = await chat.ask("Well?")
        chat.controller.retry()
        await chat.idle()
        assert chat.session.conversation.siblings(first.id) == (first.id, chat.leaf.id)
        assert chat.texts == ["Well?", "Two."]


async def test_an_answer_that_failed_without_a_word_is_tried_anew_itself(tmp_path: Path) -> None:
    async with headless(tmp_path) as chat:
        chat.server.on("/api/chat", recorded("ollama/chat-runner-cannot-load"), ollama_answer("Two."))
        failed = await chat.ask("Well?")
        chat.controller.retry()
        await chat.idle()
        assert (chat.leaf.id, chat.leaf.content, chat.leaf.problem) == (failed.id, "Two.", None)


async def test_a_stopped_answer_is_continued_in_its_own_message(tmp_path: Path) -> None:
    async with headless(tmp_path) as chat:
        await running(chat)
        chat.controller.stop()
        stopped = chat.leaf
        assert chat.controller.chat.can_continue
        chat.controller.continue_answer()
        await chat.idle()
        assert (chat.leaf.id, chat.leaf.content) == (stopped.id, "HalfTwo.")
        assert chat.on_disk(chat.session) == ["first", "HalfTwo."], "nothing of it is written twice"


async def test_an_answer_that_is_stopped_and_continued_at_once_is_written_down_once(tmp_path: Path) -> None:
    """What had not been written down when it was stopped must not be written down again into what follows."""
    async with headless(tmp_path) as chat:
        chat.server.on("/api/chat", HALF, stalling(ollama_answer("two", ended=False)))
        chat.submit("first")
        await chat.sees("Half")
        chat.controller.stop()
        chat.controller.continue_answer()
        await chat.sees("Halftwo")
        stream = chat.controller.chat.stream
        assert stream is not None
        stream.save()
        assert chat.on_disk(chat.session) == ["first", "Halftwo"]
        chat.controller.stop()


async def test_a_continued_answer_counts_all_its_tokens(tmp_path: Path) -> None:
    async with headless(tmp_path) as chat:
        chat.server.on(
            "/api/chat", ollama_answer("One ", tokens=40, reason="length"), ollama_answer("two", tokens=2)
        )
        await chat.ask("Well?")
        chat.controller.continue_answer()
        await chat.idle()
        usage = chat.leaf.usage
        assert (chat.leaf.content, usage.prompt, usage.completion) == ("One two", 812, 42)


async def test_a_whole_answer_is_not_continued(tmp_path: Path) -> None:
    async with headless(tmp_path) as chat:
        chat.server.on("/api/chat", ollama_answer("One."))
        await chat.ask("Well?")
        chat.controller.continue_answer()
        assert not chat.controller.chat.busy
        assert len(chats(chat.server)) == 1


async def test_an_edited_question_stands_beside_the_earlier_one(tmp_path: Path) -> None:
    async with headless(tmp_path) as chat:
        chat.server.on("/api/chat", ollama_answer("One."), ollama_answer("Two."))
        await chat.ask("Well?")
        question = chat.session.conversation.path()[0]
        chat.controller.ask("Really?", instead_of=question)
        await chat.idle()
        assert chat.texts == ["Really?", "Two."]
        assert len(chat.session.conversation.siblings(question.id)) == 2


# -- leaving --------------------------------------------------------------------------------------------------------------


async def test_what_waits_in_a_chat_that_is_left_is_in_its_draft(tmp_path: Path) -> None:
    async with headless(tmp_path) as chat:
        await running(chat)
        first = chat.session
        chat.submit("second")
        chat.submit("third")
        chat.front.text = "fourth"
        await chat.open()
        assert chat.controller.outbox.queue.prompts == ()
        assert first.load_draft(first.draft_key) == Draft("second\n\nthird\n\nfourth")
        assert chat.on_disk(first) == ["first", "Half"]
        chat.front.events.clear()
        await chat.open(first)
        (loaded,) = chat.front.all(DraftLoaded)
        assert loaded.draft.text == "second\n\nthird\n\nfourth"
        assert chat.asked == ["first"]


@pytest.mark.parametrize("closed", [True, False])
async def test_lokal_ends_while_an_answer_comes_in(tmp_path: Path, closed: bool) -> None:
    async with headless(tmp_path) as chat:
        await running(chat)
        chat.submit("second")
        chat.front.text = "third"
        chat.controller.leave(closed=closed)
        assert chat.leaf.content == "Half"
        assert chat.leaf.status is (Status.INTERRUPTED if closed else Status.STOPPED)
        assert chat.on_disk(chat.session) == ["first", "Half"]
        assert chat.store.draft(chat.session.conversation.id) == Draft("second\n\nthird")


async def test_what_was_asked_before_the_chats_were_open_is_asked_in_the_first(tmp_path: Path) -> None:
    async with replay() as server:
        like_ollama(server).on("/api/chat", ollama_answer("Yes."))
        chat = HeadlessChat(await connected(server.url), server, tmp_path)
        try:
            chat.submit("Early?")
            assert chat.asked == []
            await chat.open()
            await chat.until(lambda: chat.texts == ["Early?", "Yes."] and not chat.controller.chat.busy)
        finally:
            await chat.close()


async def test_an_answer_keeps_the_preset_with_which_it_was_asked(tmp_path: Path) -> None:
    async with headless(tmp_path) as chat:
        await running(chat)
        state = chat.controller.chat.state
        other = replace(state.preset, name="other")
        chat.controller.use(state.with_settings(replace(state.settings, preset=other)))
        chat.controller.stop()
        assert chat.leaf.preset == state.preset.name
        assert (await chat.ask("Next?")).preset == "other"
