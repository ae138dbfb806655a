"""A prompt that does not fit into the context window, without a screen: it is held, and each way on does what it says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.support.app import answer, becomes_llamacpp
from tests.support.canned_servers import chats, like_ollama, options
from tests.support.dialects import Dialect
from tests.support.fitting_prompts import HUGE, LONG, counted, messages, refusal
from tests.support.headless_chat import HeadlessChat, headless, names
from tests.support.replay import CannedResponse, Replay, as_json, held, recorded, stalling
from tui.chat import overflow
from tui.chat.activity import AwaitingDecision, CheckingContext, Idle, ReloadingModel, Summarising
from tui.chat.events import AnswerFinished, DecisionNeeded, SummaryAdvanced, WindowWanted
from tui.chat.pending import PendingComparison
from tui.chat.requests import blank_answer
from tui.chat.state import ClientState, ConnectionStatus, ServerState
from tui.core.draft import Draft
from tui.core.endpoint import ServerKind
from tui.core.message import Attachment, Message, Role

LLAMACPP = Dialect(ServerKind.LLAMACPP)
NOTES = Attachment("notes.txt", "text/plain", b"x")
SMALL = {"context_window": 1024}


@asynccontextmanager
async def nearly_full(folder: Path) -> AsyncIterator[HeadlessChat]:
    """A chat of three questions with Ollama, whose window of 8k has 7.6k taken."""
    async with headless(folder) as chat:
        chat.server.on("/api/chat", counted("One.", 2400), counted("Two.", 5000), counted("Three.", 7600))
        for question in ("Who was Euler?", "And Gauss?", "And Noether?"):
            await chat.ask(question)
        chat.server.on("/api/chat", counted("Four.", 900))
        yield chat


@asynccontextmanager
async def too_long(folder: Path) -> AsyncIterator[HeadlessChat]:
    """The same with a prompt that is held, and the person asked."""
    async with nearly_full(folder) as chat:
        chat.submit(LONG)
        assert isinstance(chat.controller.chat.activity, AwaitingDecision)
        yield chat


async def decide(chat: HeadlessChat, way: str) -> None:
    """Choose a way on, and wait for the end of the answer that it leads to."""
    finished = len(chat.front.all(AnswerFinished))
    chat.controller.gate.decide(way)
    await chat.until(lambda: len(chat.front.all(AnswerFinished)) > finished)


async def chosen_again(chat: HeadlessChat) -> None:
    """The person is asked (once more)."""
    await chat.until(lambda: isinstance(chat.controller.chat.activity, AwaitingDecision))


# -- each way on ----------------------------------------------------------------------------------------------------------


async def test_what_fits_is_asked_at_once(tmp_path: Path) -> None:
    async with nearly_full(tmp_path) as chat:
        await chat.ask("And Hilbert?")
        assert len(messages(chats(chat.server)[-1])) == 7
        assert chat.front.all(DecisionNeeded) == []


async def test_the_oldest_are_left_out_now_and_later(tmp_path: Path) -> None:
    async with too_long(tmp_path) as chat:
        assert len(chat.asked) == 3
        await decide(chat, overflow.DROP)
        assert [text for _, text in messages(chats(chat.server)[-1])] == ["And Noether?", "Three.", LONG]
        await chat.ask("And Hilbert?")
        assert "Euler" not in str(messages(chats(chat.server)[-1]))
        assert "left_out_to" in chat.leaf.parameters


async def test_another_branch_is_sent_as_a_whole(tmp_path: Path) -> None:
    async with too_long(tmp_path) as chat:
        await decide(chat, overflow.DROP)
        first = chat.session.conversation.path()[0]
        chat.controller.ask("Who was Leonhard Euler?", instead_of=first)
        await chat.idle()
        assert messages(chats(chat.server)[-1]) == [("user", "Who was Leonhard Euler?")]


async def test_a_summary_takes_the_place_of_the_oldest(tmp_path: Path) -> None:
    async with too_long(tmp_path) as chat:
        chat.server.on("/api/chat", counted("They spoke of **mathematicians**.", 300), counted("Four.", 900))
        await decide(chat, overflow.SUMMARY)
        summary, asked = (messages(body) for body in chats(chat.server)[-2:])
        assert "Person: Who was Euler?" in summary[0][1]
        assert "Noether" not in summary[0][1]
        assert options(chats(chat.server)[-2])["num_predict"] == 512
        assert asked[0][0] == "system"
        assert asked[0][1].endswith("They spoke of **mathematicians**.")
        assert [text for _, text in asked[1:]] == ["And Noether?", "Three.", LONG]


async def test_a_summary_that_is_stopped_leaves_the_choice(tmp_path: Path) -> None:
    async with too_long(tmp_path) as chat:
        chat.server.on("/api/chat", stalling(counted("They spoke of", 300, ended=False)))
        chat.controller.gate.decide(overflow.SUMMARY)
        await chat.until(lambda: bool(chat.front.all(SummaryAdvanced)))
        assert isinstance(chat.controller.chat.activity, Summarising)
        assert chat.controller.stop_or_choose()
        await chosen_again(chat)
        chat.server.on("/api/chat", counted("Four.", 900))
        await decide(chat, overflow.DROP)
        assert chat.leaf.content == "Four."


async def test_what_ends_all_ends_a_summary_and_takes_the_prompt_back(tmp_path: Path) -> None:
    async with too_long(tmp_path) as chat:
        chat.server.on("/api/chat", stalling(counted("They spoke of", 300, ended=False)))
        chat.controller.gate.decide(overflow.SUMMARY)
        await chat.until(lambda: bool(chat.front.all(SummaryAdvanced)))
        assert chat.controller.stop()
        assert isinstance(chat.controller.chat.activity, Idle)
        assert chat.returned == [LONG]


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (recorded("ollama/chat-runner-cannot-load"), "No summary: Ollama cannot do this"),
        (counted("", 300), "No summary: The model wrote none"),
    ],
)
async def test_a_summary_that_fails_leaves_the_choice(
    tmp_path: Path, reply: CannedResponse, words: str
) -> None:
    async with too_long(tmp_path) as chat:
        chat.server.on("/api/chat", reply)
        chat.controller.gate.decide(overflow.SUMMARY)
        await chat.until(lambda: any(said.startswith(words) for said in chat.front.notices))
        assert isinstance(chat.controller.chat.activity, AwaitingDecision)
        chat.controller.gate.decide(overflow.CANCEL)
        assert chat.returned == [LONG]
        assert chat.session.conversation.view.summary == ""


async def test_a_larger_window(tmp_path: Path) -> None:
    async with too_long(tmp_path) as chat:
        chat.controller.gate.decide(overflow.WINDOW)
        await chat.until(lambda: bool(chat.front.all(WindowWanted)))
        assert [event.tokens for event in chat.front.all(WindowWanted)] == [16384]
        assert isinstance(chat.controller.chat.activity, ReloadingModel)
        assert len(chat.asked) == 3
        chat.controller.use(chat.controller.chat.state.with_window(16384))
        await chat.idle()
        assert options(chats(chat.server)[-1])["num_ctx"] == 16384
        assert len(messages(chats(chat.server)[-1])) == 7


async def test_without_the_larger_window_the_prompt_comes_back(tmp_path: Path) -> None:
    async with too_long(tmp_path) as chat:
        chat.controller.gate.decide(overflow.WINDOW)
        await chat.until(lambda: bool(chat.front.all(WindowWanted)))
        chat.controller.use(chat.controller.chat.state)
        assert chat.returned == [LONG]
        assert len(chat.asked) == 3
        assert not chat.controller.chat.busy


async def test_an_answer_with_another_preset_gets_the_larger_window_too(tmp_path: Path) -> None:
    async with nearly_full(tmp_path) as chat:
        await chat.ask("And Hilbert?")
        state = chat.controller.chat.state
        other = state.with_settings(replace(state.settings, preset=replace(state.preset, name="other")))
        chat.server.on("/api/chat", refusal(9000, 8192), counted("Five.", 9000))
        chat.controller.answer_again(blank_answer(str(chat.leaf.parent)), other)
        await chosen_again(chat)
        chat.controller.gate.decide(overflow.WINDOW)
        await chat.until(lambda: bool(chat.front.all(WindowWanted)))
        chat.controller.use(state.with_window(16384))
        await chat.idle()
        assert options(chats(chat.server)[-1])["num_ctx"] == 16384
        assert (chat.leaf.content, chat.leaf.preset) == ("Five.", "other")


async def test_a_prompt_that_is_estimated_can_be_asked_all_the_same(tmp_path: Path) -> None:
    async with headless(tmp_path) as chat:
        chat.server.on("/api/chat", counted("Yes.", 12))
        chat.submit(HUGE)
        assert overflow.DROP not in chat.controller.chat.choosing, "what cannot be done is not to choose"
        chat.controller.gate.decide(overflow.DROP)
        await decide(chat, overflow.ANYWAY)
        assert chat.texts == [HUGE, "Yes."]


async def test_a_prompt_that_is_not_asked_comes_back(tmp_path: Path) -> None:
    async with too_long(tmp_path) as chat:
        chat.front.text = "more"
        assert chat.controller.stop()
        assert chat.front.text == f"{LONG}\n\nmore"
        assert len(chat.texts) == 6, "it is not in the chat"
        assert chat.front.all(DecisionNeeded)[-1].decision is None
        assert not chat.controller.chat.busy


async def test_nothing_is_asked_beside_the_choice(tmp_path: Path) -> None:
    async with too_long(tmp_path) as chat:
        chat.controller.retry()
        chat.controller.continue_answer()
        chat.controller.answer_again(chat.leaf)
        assert chat.front.notices[-1] == "Choose first what is done about the question"
        chat.submit("the next")
        assert len(chat.asked) == 3
        chat.server.on("/api/chat", counted("Four.", 900), counted("Five.", 950))
        await decide(chat, overflow.DROP)
        await chat.until(lambda: chat.texts[-1] == "Five.")
        assert chat.asked[3:] == [LONG, "the next"]


async def test_of_two_choices_the_first_counts(tmp_path: Path) -> None:
    async with too_long(tmp_path) as chat:
        chat.controller.gate.decide(overflow.DROP)
        chat.controller.gate.decide(overflow.SUMMARY)
        await chat.idle()
        assert chat.leaf.content == "Four."
        assert len(chat.asked) == 4


# -- how large a window can be --------------------------------------------------------------------------------------------


def old_ollama(server: Replay) -> None:
    """An Ollama that says only when asked what a model was made for, and not before it is released."""
    like_ollama(server).on("/api/chat", counted("Yes.", 12))
    server.on("/api/tags", as_json(200, {"models": [{"name": "teacher:latest", "size": 9}]}))


async def test_the_largest_window_that_is_known_late_is_one_way_more(tmp_path: Path) -> None:
    async with headless(tmp_path, SMALL, prepare=old_ollama) as chat:
        chat.server.on("/api/show", held(recorded("ollama/show")))
        chat.submit(LONG)
        assert overflow.WINDOW not in chat.controller.chat.choosing
        chat.server.release.set()
        await chat.until(lambda: overflow.WINDOW in chat.controller.chat.choosing)
        chat.controller.gate.decide(overflow.WINDOW)
        await chat.until(lambda: bool(chat.front.all(WindowWanted)))
        assert chat.front.all(WindowWanted)[0].tokens == 2048


async def test_the_larger_window_holds_the_answer_too(tmp_path: Path) -> None:
    async with headless(tmp_path, {"context_window": 2048, "max_tokens": 100_000}) as chat:
        chat.submit(LONG * 8)
        found = chat.controller.chat.overflow
        assert found is not None
        assert found.larger == 16384, "8k would hold the question, but not the 4k for its answer"


async def test_no_larger_window_than_the_model_was_made_for(tmp_path: Path) -> None:
    async with headless(tmp_path, {"context_window": 131072}) as chat:
        chat.submit(HUGE * 15)
        found = chat.controller.chat.overflow
        assert found is not None
        assert (found.larger, found.no_larger) == (None, "the model was made for 128k")


async def test_a_window_that_was_set_counts_and_not_the_one_that_is_loaded(tmp_path: Path) -> None:
    async with headless(tmp_path, SMALL) as chat:
        chat.submit(LONG)
        found = chat.controller.chat.overflow
        assert found is not None
        assert found.window == 1024


# -- counting -------------------------------------------------------------------------------------------------------------


def counting(server: Replay, tokens: int, *, waits: bool = False) -> None:
    """A llama.cpp with a window of 4k that counts so many tokens in every prompt."""
    becomes_llamacpp(server)
    server.on("/v1/models", as_json(200, {"object": "list", "data": [{"id": "m"}]}))
    server.on("/apply-template", as_json(200, {"prompt": "<user>…"}))
    reply = as_json(200, {"tokens": list(range(tokens))})
    server.on("/tokenize", held(reply) if waits else reply)
    server.on(LLAMACPP.path, answer("Yes."))


async def test_the_servers_count_decides_and_not_the_estimate(tmp_path: Path) -> None:
    async with headless(tmp_path, prepare=partial(counting, tokens=3000)) as chat:
        await chat.ask("Short?")
        assert "/tokenize" not in chat.server.paths(), "a short question is not held up"
        await chat.ask(LONG * 5)
        assert chat.leaf.content == "Yes."
        assert "/tokenize" in chat.server.paths()


async def test_what_is_counted_is_no_estimate_that_may_be_asked_anyway(tmp_path: Path) -> None:
    async with headless(tmp_path, prepare=partial(counting, tokens=5000)) as chat:
        chat.submit(LONG * 4)
        await chosen_again(chat)
        found = chat.controller.chat.overflow
        assert found is not None
        assert found.prompt.exact
        assert overflow.ANYWAY not in chat.controller.chat.choosing


async def test_what_is_submitted_while_the_server_counts_waits(tmp_path: Path) -> None:
    async with headless(tmp_path, prepare=partial(counting, tokens=900, waits=True)) as chat:
        chat.submit(LONG * 4)
        assert isinstance(chat.controller.chat.activity, CheckingContext)
        chat.submit("And then?")
        assert len(chat.controller.outbox.queue) == 1
        chat.server.release.set()
        await chat.until(lambda: len(chat.texts) == 4 and not chat.controller.chat.busy)
        assert chat.texts == [LONG * 4, "Yes.", "And then?", "Yes."]


async def test_a_count_that_is_stopped_brings_the_prompt_back(tmp_path: Path) -> None:
    async with headless(tmp_path, prepare=partial(counting, tokens=900, waits=True)) as chat:
        chat.submit(LONG * 4)
        assert chat.controller.stop()
        assert chat.returned == [LONG * 4]
        chat.server.release.set()
        await chat.idle()
        assert LLAMACPP.path not in chat.server.paths()
        assert chat.texts == []


# -- a server that refuses ------------------------------------------------------------------------------------------------


async def test_a_server_that_refuses_leads_to_the_same_choice_and_the_prompt_comes_back(
    tmp_path: Path,
) -> None:
    async with nearly_full(tmp_path) as chat:
        chat.server.on("/api/chat", refusal(9000, 8192))
        await chat.ask("And Hilbert?")
        found = chat.controller.chat.overflow
        assert found is not None
        assert (found.prompt.tokens, found.prompt.exact, found.tried) == (9000, True, True)
        assert overflow.ANYWAY not in chat.controller.chat.choosing, "it has just refused"
        assert chat.controller.stop()
        assert chat.returned == ["And Hilbert?"]
        assert chat.on_disk(chat.session)[-1] == "Three."


async def test_an_answer_takes_the_place_of_the_refusal(tmp_path: Path) -> None:
    async with nearly_full(tmp_path) as chat:
        chat.server.on("/api/chat", refusal(9000, 8192), counted("Four.", 900))
        refused = await chat.ask("And Hilbert?")
        await decide(chat, overflow.DROP)
        assert (chat.leaf.id, chat.leaf.content, chat.leaf.problem) == (refused.id, "Four.", None)
        assert "Euler" not in str(messages(chats(chat.server)[-1]))


async def test_a_refused_question_stays_where_a_deleted_answer_hangs_on_it(tmp_path: Path) -> None:
    async with nearly_full(tmp_path) as chat:
        chat.session.remove(chat.leaf.id)
        chat.server.on("/api/chat", refusal(9000, 8192))
        chat.controller.retry()
        await chosen_again(chat)
        assert chat.controller.stop()
        assert chat.returned == []
        assert chat.texts[-2] == "And Noether?"


async def test_asking_again_is_checked_too_and_loses_nothing(tmp_path: Path) -> None:
    async with nearly_full(tmp_path) as chat:
        chat.set_values({"context_window": 128})
        before = chat.session.conversation.fingerprint()
        chat.controller.retry()
        assert isinstance(chat.controller.chat.activity, AwaitingDecision)
        assert chat.controller.stop()
        assert chat.returned == []
        assert chat.session.conversation.fingerprint() == before
        assert len(chat.asked) == 3


async def test_a_question_that_was_written_down_before_there_was_a_server_comes_back(tmp_path: Path) -> None:
    async with headless(tmp_path, SMALL) as chat:
        state = chat.controller.chat.state
        chat.controller.use(state.with_server(ServerState(ConnectionStatus.SEARCHING)))
        chat.controller.outbox.attach((NOTES,))
        chat.submit(LONG)
        assert chat.texts == [LONG]
        chat.controller.use(state)
        assert isinstance(chat.controller.chat.activity, AwaitingDecision)
        assert chat.controller.stop()
        assert chat.returned == [LONG]
        assert chat.controller.outbox.attached == (NOTES,)
        assert chat.texts == []


# -- leaving --------------------------------------------------------------------------------------------------------------


async def test_a_prompt_that_is_held_in_a_chat_that_is_left_is_in_its_draft(tmp_path: Path) -> None:
    async with nearly_full(tmp_path) as chat:
        first = chat.session
        chat.controller.outbox.attach((NOTES,))
        chat.submit(LONG)
        chat.front.text = "more"
        await chat.open()
        assert not chat.controller.chat.busy
        assert chat.front.all(DecisionNeeded)[-1].decision is None
        assert first.load_draft(first.draft_key) == Draft(f"{LONG}\n\nmore", (NOTES,))
        assert len(chat.asked) == 3


# -- a comparison ---------------------------------------------------------------------------------------------------------


def comparison(chat: HeadlessChat, states: list[ClientState], sent: list[str]) -> PendingComparison:
    """A prompt for each of these states; how it ends is in `sent`."""
    question = Message("", chat.leaf.id, Role.USER, LONG, 0.0)
    return PendingComparison(
        (*chat.session.conversation.path(), question),
        states[0],
        lambda: sent.append("sent"),
        lambda: sent.append("taken back"),
        unasked=True,
        marked=f"/compare: {LONG}",
        command=True,
        states=states,
    )


def with_window(state: ClientState, tokens: int) -> ClientState:
    """The same with another context window for this run."""
    return state.with_settings(replace(state.settings, overrides={"context_window": tokens}))


async def test_a_comparison_is_held_for_the_worst_of_several(tmp_path: Path) -> None:
    async with nearly_full(tmp_path) as chat:
        state, sent = chat.controller.chat.state, list[str]()
        states = [with_window(state, tokens) for tokens in (8192, 4096, 131072)]
        chat.controller.gate.hold(comparison(chat, states, sent))
        assert chat.controller.chat.busy
        await chosen_again(chat)
        found = chat.controller.chat.overflow
        assert found is not None
        assert found.window == 4096
        assert found.whose
        chat.flush()
        assert chat.store.draft(chat.session.conversation.id).text == f"/compare: {LONG}", "kept while held"
        chat.controller.gate.decide(overflow.ANYWAY)
        await chat.idle()
        assert sent == ["sent"]


async def test_a_comparison_that_fits_them_all_is_sent_at_once(tmp_path: Path) -> None:
    async with nearly_full(tmp_path) as chat:
        state, sent = chat.controller.chat.state, list[str]()
        chat.controller.gate.hold(comparison(chat, [with_window(state, 131072)] * 2, sent))
        assert sent == ["sent"]
        assert not chat.controller.chat.busy


@pytest.mark.parametrize(("status", "end"), [("connected", "sent"), ("none", "taken back")])
async def test_a_comparison_waits_while_the_model_is_loaded_anew(
    tmp_path: Path, status: str, end: str
) -> None:
    async with nearly_full(tmp_path) as chat:
        state, sent = chat.controller.chat.state, list[str]()
        chat.controller.gate.hold(comparison(chat, [state, state], sent))
        await chosen_again(chat)
        chat.controller.gate.decide(overflow.WINDOW)
        await chat.until(lambda: bool(chat.front.all(WindowWanted)))
        state = state.with_window(16384)
        chat.controller.use(state.with_server(ServerState(ConnectionStatus.STARTING)))
        assert isinstance(chat.controller.chat.activity, ReloadingModel)
        assert sent == []
        if status == "connected":
            chat.controller.use(state)
        else:
            chat.set_status(ConnectionStatus.NONE)
        assert sent == [end]
        assert names(chat.front.events)[-1] in ("QueueChanged", "StateChanged")
        chat.controller.use(state)
