"""`/advise` without a screen: the exact changes, tried on the last question, kept or dropped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.canned_servers import ollama_answer
from tests.support.headless_chat import HeadlessChat, headless
from tui.chat.decision import Decision
from tui.chat.events import AnswerFinished, DecisionNeeded, PresetSaveWanted, SettingsWanted
from tui.core.advice import ADVICE, SERVERS_OWN, Advice, proposed
from tui.core.message import Value
from tui.errors import UsageError


def advice_on(symptom: str) -> Advice:
    return next(advice for advice in ADVICE if advice.symptom == symptom)


def changes(symptom: str, values: Mapping[str, Value]) -> dict[str, Value | None]:
    found = proposed(advice_on(symptom), values, SERVERS_OWN, lambda _: "")
    return {change.parameter: change.new for change in found}


@pytest.mark.parametrize(
    ("symptom", "values", "expected"),
    [
        ("makes things up", {"temperature": 0.85, "top_p": 0.95}, {"temperature": 0.65, "top_p": 0.85}),
        ("makes things up", {"temperature": 0.1, "top_p": 0.05}, {"temperature": 0.0, "top_p": 0.01}),
        ("makes things up", {"temperature": 0.0, "top_p": 0.01}, {"temperature": None, "top_p": None}),
        ("makes things up", {}, {"temperature": 0.6, "top_p": 0.8}),  # from the server's own
        ("repeats itself", {"repeat_penalty": 1.2}, {"repeat_penalty": 1.4}),
        ("repeats itself", {"repeat_penalty": 1.9}, {"repeat_penalty": 2.0}),
        ("repeats itself", {"repeat_penalty": 2.0}, {"repeat_penalty": None}),
        ("is slow", {"max_tokens": 512, "context_window": 8192}, {"max_tokens": 256, "context_window": 4096}),
        ("makes too many mistakes", {"top_k": 50}, {"top_k": 20}),
        ("makes too many mistakes", {"top_k": 0}, {"top_k": 20}),
        ("makes too many mistakes", {"top_k": 20}, {"top_k": None}),
        ("gives answers that are too much alike", {"top_k": 20}, {"top_k": 50}),
        ("gives answers that are too much alike", {"top_k": 0}, {"top_k": None}),
        ("stops in mid-sentence", {"max_tokens": 512}, {"max_tokens": 1024}),
        ("stops in mid-sentence", {"max_tokens": -1}, {"max_tokens": None}),
        ("writes too much", {"max_tokens": 512}, {"max_tokens": 256}),
        ("writes too much", {"max_tokens": -1}, {"max_tokens": 512}),
    ],
)
def test_the_changes_are_the_steps_of_the_table(
    symptom: str, values: dict[str, Value], expected: dict[str, Value | None]
) -> None:
    assert changes(symptom, values) == expected


def test_what_a_server_cannot_follow_is_not_proposed() -> None:
    (top_k,) = proposed(advice_on("makes too many mistakes"), {"top_k": 50}, {}, lambda _: "vLLM cannot")
    assert (top_k.new, top_k.words) == (None, "top_k: vLLM cannot")


def asked(chat: HeadlessChat) -> Decision:
    decision = chat.front.all(DecisionNeeded)[-1].decision
    assert decision is not None
    return decision


def settle(chat: HeadlessChat) -> None:
    """The front end gives the controller the settings that were wanted last."""
    wanted = chat.front.all(SettingsWanted)[-1].settings
    chat.controller.use(chat.controller.chat.state.with_settings(wanted))


async def test_advice_is_tried_on_the_last_question_and_dropped(tmp_path: Path) -> None:
    async with headless(tmp_path, {"temperature": 0.8, "top_p": 0.9}) as chat:
        chat.server.on("/api/chat", ollama_answer("Cheese."), ollama_answer("Rock."))
        await chat.ask("What is the moon made of?")
        chat.controller.advice.run("")
        assert [option.argument for option in asked(chat).options] == [*"1234567", "close"]
        chat.controller.advice.run("1")
        assert "temperature 0.8 → 0.6" in asked(chat).detail
        assert "top_p 0.9 → 0.8" in asked(chat).detail
        chat.controller.advice.run("try")
        await chat.until(lambda: len(chat.front.all(AnswerFinished)) == 2)
        settle(chat)
        conversation = chat.session.conversation
        answers = [conversation[id] for id in conversation.siblings(chat.leaf.id)]
        assert [answer.parameters.get("temperature") for answer in answers] == [0.8, 0.6]
        assert "Better?" in asked(chat).title
        chat.controller.advice.run("drop")
        settle(chat)
        assert chat.controller.chat.state.values()["temperature"] == 0.8
        with pytest.raises(UsageError, match="nothing to keep"):
            chat.controller.advice.run("keep")


async def test_advice_is_saved_to_the_preset_and_no_longer_an_override(tmp_path: Path) -> None:
    async with headless(tmp_path) as chat:
        state = chat.controller.chat.state
        overridden = replace(state.settings, overrides={"top_k": 100, "seed": 7})
        chat.controller.use(state.with_settings(overridden))
        chat.controller.advice.run("mistakes")
        chat.controller.advice.run("save")
        assert chat.front.all(PresetSaveWanted)[-1].preset.values["top_k"] == 20
        settle(chat)
        assert chat.controller.chat.state.overrides == {"seed": 7}


async def test_a_symptom_that_is_none_is_refused(tmp_path: Path) -> None:
    async with headless(tmp_path) as chat:
        for wrong in ("8", "0", "hates me"):
            with pytest.raises(UsageError, match="There is no advice"):
                chat.controller.advice.run(wrong)
        with pytest.raises(UsageError, match="can mean several"):
            chat.controller.advice.run("t")
