"""The real model in the box on the screen, and the guide that is asked this once."""

from __future__ import annotations

from tests.support.app_driver import chatting, running
from tests.support.snapshot import check_all
from tui.core.model import GUIDE, PACKAGED
from tui.servers.engine import packaged_model


async def test_without_a_server_it_answers_and_the_ways_on_are_listed() -> None:
    assert packaged_model.is_installed(), f"this test needs the model: {packaged_model.INSTALL}"
    async with running(None, packaged=True) as driver:
        await driver.see("built in, answers meanwhile: small, often wrong, English only")
        await driver.see("ask the guide: it knows lokal")
        assert driver.focus == "composer"
        await check_all(driver, "empty-packaged")
        await driver.ask("/set max_tokens=6")
        await driver.ask("What is the capital of France?")
        await driver.see_no_more("answers meanwhile")
        await driver.until_idle()
        answer = driver.last_message
        assert (answer.model, answer.preset) == (PACKAGED, packaged_model.PRESET.name)
        assert answer.parameters["temperature"] == 0.2
        await driver.ask("Как остановить ответ?")
        await driver.see("hardly knows Russian")
        await driver.until_idle()


async def test_a_question_for_the_guide_is_answered_beside_any_model() -> None:
    async with chatting() as (driver, server):
        await driver.ask("/guide How do I stop an answer?")
        await driver.see("guide · knows only lokal")
        await driver.until_idle()
        assert driver.last_message.model == GUIDE
        assert "Esc" in driver.last_message.content
        assert "/api/chat" not in server.paths()
        await driver.until(lambda: not driver.guide_runs, "the guide's engine has ended")
        await driver.ask("And you?")
        await driver.see("Yes.")
        assert driver.last_message.model != GUIDE
