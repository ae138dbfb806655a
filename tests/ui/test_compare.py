"""Answers side by side: asked at once, written down as they come, one of them kept."""

from __future__ import annotations

import pytest

from tests.support.app_driver import NOBODY, AppDriver, chatting, running
from tests.support.canned_servers import chats, like_ollama, ollama_answer, options, questions
from tests.support.replay import CannedResponse, Replay, as_json, held, ndjson, pausing, replay, stalling
from tests.support.snapshot import check, check_all
from tui.core.message import Message, Role, Status
from tui.ui.compare.screen import shape

SKY = "Why is the sky blue?"
FIRST = "Sunlight is scattered by the air, blue light the most."
SECOND = """\
The air scatters short waves more than long ones:

- **blue** goes everywhere,
- *red* goes straight on.

```python
scattering = 1 / wavelength**4
```"""
THIRD = "Because of Rayleigh scattering. Lord Rayleigh found it in 1871."


def answers(driver: AppDriver) -> list[Message]:
    """All answers of the open chat, in the order of their making."""
    return [message for message in driver.conversation if message.role is Role.ASSISTANT]


def open_answer(driver: AppDriver) -> str:
    return driver.last_message.content


def stored(driver: AppDriver) -> dict[str, Message]:
    """The messages of the open chat by their text, as the disk has them."""
    driver.flush()
    return {message.content: message for message in driver.store.load(driver.conversation.id)}


async def whole(driver: AppDriver, count: int = 2) -> None:
    await driver.see(rf"\n {count} answers ")


async def test_long_code_lines_of_the_chosen_column_go_sideways() -> None:
    long = "x" * 90 + "the end"
    async with chatting() as (driver, server):
        server.on("/api/chat", ollama_answer(f"So:\n\n```sh\n{long}\n```"))
        await driver.ask(f"/compare technical creative: {SKY}")
        await driver.see("2 answers")
        await driver.see("x→.*x→")
        await driver.press(*["shift+right"] * 5)
        await driver.see(r"← *x*the end.*x→")
        await driver.press("right", "shift+right")
        await driver.see(r"the end.*│ ←x*→")
        await driver.press("left", *["shift+left"] * 5)
        await driver.see_no_more("the end")


async def test_a_ladder_asks_at_several_values_with_one_seed() -> None:
    async with chatting() as (driver, server):
        server.on("/api/chat", ollama_answer(FIRST), ollama_answer(THIRD), ollama_answer(FIRST))
        await driver.ask(f"/ladder temperature 0.1 0.7 1.2: {SKY}")
        await whole(driver, 3)
        await driver.see(r"temperature 0\.1 .*temperature 0\.7 .*temperature 1\.2 ")
        await driver.see("10 words, the same as the")
        sent = sorted((options(body)["temperature"], options(body)["seed"]) for body in chats(server))
        assert sent == [(0.1, 1), (0.7, 1), (1.2, 1)]
        await driver.press("enter")
        await driver.see("Kept; the 2 other answers stay beside it")
        assert [answer.parameters["temperature"] for answer in answers(driver)] == [0.1, 0.7, 1.2]
    async with chatting() as (driver, _):
        await driver.ask("/ladder temperature 0.5")
        await driver.see("A ladder has 2 to 4 different values, not 1")


async def test_two_presets_and_the_second_is_kept() -> None:
    async with chatting() as (driver, server):
        server.on("/api/chat", ollama_answer(FIRST))
        await driver.ask(f"/compare technical creative: {SKY}")
        await whole(driver)
        assert [options(body)["temperature"] for body in chats(server)] in ([0.4, 0.85], [0.85, 0.4])
        assert questions(server) == [SKY, SKY]
        await driver.press("right", "enter")
        await driver.see("Kept; the other answer stays beside it")
        await driver.see(r"── llama3.2:3b · creative ─.* 2/2 ─\n")
        assert not driver.compares
        technical, creative = answers(driver)
        assert (technical.preset, creative.preset) == ("technical", "creative")
        assert technical.parent == creative.parent
        assert stored(driver)[FIRST].status is Status.COMPLETE
        server.on("/api/chat", ollama_answer("Go on."))
        await driver.ask("And red?")
        await driver.see("Go on")
        assert questions(server)[-1] == "And red?"
        assert driver.focus == "composer"


async def test_the_last_question_again_beside_the_answer_it_has() -> None:
    async with chatting() as (driver, server):
        await driver.ask(SKY)
        await driver.see("Yes.")
        await driver.until_idle()
        server.on("/api/chat", ollama_answer(FIRST))
        await driver.ask("/compare")
        await whole(driver)
        assert questions(server) == [SKY] * 3
        await driver.press("escape")
        await driver.see("All answers stay, beside each other")
        assert open_answer(driver) == "Yes."
        assert [message.preset for message in answers(driver)] == ["technical", "technical", "creative"]
        await driver.ask("/compare chatbot")
        await whole(driver)
        await driver.press("right", "enter")
        await driver.see("· chatbot ─.* 5/5 ─")


async def test_models_are_compared() -> None:
    async with replay() as server:
        like_ollama(server, ("llama3.2:3b", "3.2B", 1), ("qwen2.5:7b", "7B", 1))
        server.on("/api/chat", ollama_answer(FIRST))
        async with running(server.url) as driver:
            await driver.see("ctx 0 of 8k")
            await driver.until(lambda: driver.chats_are_open, "the chats are open")
            await driver.ask(f"/compare technical@llama model=qwen2.5:7b: {SKY}")
            await whole(driver)
            assert sorted(str(body["model"]) for body in chats(server)) == ["llama3.2:3b", "qwen2.5:7b"]
            assert "›─ llama3.2:3b · technical ─" in driver.text()
            assert "─── qwen2.5:7b · technical ─" in driver.text()


async def test_one_column_fails_and_the_others_go_on() -> None:
    async with replay() as other, chatting() as (driver, server):
        server.on("/api/chat", ollama_answer(FIRST))
        like_ollama(other, ("phi4", "14B", 1)).on("/api/chat", as_json(500, {"error": "out of memory"}))
        await driver.ask(f"/compare creative creative on {other.url} creative on {NOBODY.url}: {SKY}")
        await driver.see(r"\n 1 answer · 2 failed ")
        await driver.see("out of memory")
        assert "Sunlight is scattered" in driver.text()
        assert "failed" in driver.row(r"failed")
        assert [message.status for message in answers(driver)].count(Status.FAILED) == 2
        await driver.press("right", "enter")
        await driver.see("there is no answer in this column")
        await driver.press("left", "enter")
        await driver.see("─ Kept ─")
        assert open_answer(driver) == FIRST
        assert [message.content for message in answers(driver)] == [FIRST], "the others were no answers"


async def test_a_server_of_its_own_is_asked_with_a_model_that_it_has() -> None:
    async with replay() as other, chatting() as (driver, server):
        server.on("/api/chat", ollama_answer(FIRST))
        like_ollama(other, ("phi4", "14B", 1)).on("/api/chat", ollama_answer(SECOND))
        await driver.ask(f"/compare technical technical on {other.url}: {SKY}")
        await whole(driver)
        assert [body["model"] for body in chats(other)] == ["phi4"]
        await driver.press("left", "enter")
        await driver.see("── phi4 · technical ─")
        assert stored(driver)[SECOND].server == other.url


def coming(text: str, more: str) -> CannedResponse:
    """An answer whose second part comes when the server's `release` is set."""
    first, second = (
        {"message": {"role": "assistant", "content": part}, "done": False} for part in (text, more)
    )
    end = {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"}
    return pausing(ndjson([first], ended=False), ndjson([first, second, end]))


async def test_esc_stops_and_esc_again_leaves() -> None:
    async with chatting() as (driver, server):
        server.on("/api/chat", stalling(ollama_answer("It is", ended=False)))
        await driver.ask(f"/compare: {SKY}")
        await driver.until(lambda: driver.text().count("It is") == 2, "both answers have begun")
        await driver.see("2 of 2 answers are coming .* Esc stop")
        await driver.press("escape")
        await whole(driver)
        assert driver.text().count("stopped") == 2
        await driver.press("escape")
        await driver.see("All answers stay")
        assert [message.status for message in answers(driver)] == [Status.STOPPED] * 2
        assert open_answer(driver) == "It is"


async def test_a_running_answer_is_kept_when_it_is_whole() -> None:
    async with replay() as other, chatting() as (driver, server):
        server.on("/api/chat", coming("It is ", "blue."))
        like_ollama(other).on("/api/chat", stalling(ollama_answer("Other", ended=False)))
        await driver.ask(f"/compare technical technical on {other.url}: {SKY}")
        await driver.until(lambda: "It is" in driver.text() and "Other" in driver.text(), "both have begun")
        await driver.press("enter")
        await driver.see("kept when it is whole")
        await driver.until(lambda: "stopped" in driver.text(), "the other has ended")
        server.release.set()
        await driver.see("Kept")
        assert open_answer(driver) == "It is blue."
        assert [message.status for message in answers(driver)] == [Status.COMPLETE, Status.STOPPED]


async def test_who_waits_for_the_other_says_so() -> None:
    async with chatting() as (driver, server):
        server.on("/api/chat", stalling(ollama_answer("It is", ended=False)), held(ollama_answer("Later.")))
        await driver.ask(f"/compare: {SKY}")
        await driver.see("(?m)│ waiting|^waiting")
        await driver.press("escape", "escape")


async def test_leaving_lokal_keeps_what_came() -> None:
    async with chatting() as (driver, server):
        server.on("/api/chat", stalling(ollama_answer("It is", ended=False)))
        await driver.ask(f"/compare: {SKY}")
        await driver.until(lambda: driver.text().count("It is") == 2, "both answers have begun")
        driver.leave()
        assert [message.status for message in answers(driver)] == [Status.STOPPED] * 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("/compare", "There is no question yet"),
        ("/compare creatve: Hi", "Did you mean creative?"),
        (
            "/compare creative on http://127.0.0.1:8081, technical: Hi",
            r"“http://127\.0\.0\.1:8081,” is no\s+server address",
        ),
        ("/compare technical creative chatbot technical creative: Hi", "5 columns do not fit"),
    ],
)
async def test_what_cannot_be_compared_is_said_and_the_text_stays(text: str, says: str) -> None:
    async with chatting() as (driver, server):
        await driver.ask(text)
        await driver.see(says)
        assert driver.composer_plain == text
        assert not chats(server)
        assert not answers(driver)


async def test_not_while_an_answer_comes_in_and_not_without_a_server() -> None:
    async with chatting() as (driver, server):
        server.on("/api/chat", stalling(ollama_answer("It is", ended=False)))
        await driver.ask(SKY)
        await driver.see("It is")
        await driver.ask("/compare")
        await driver.see("An answer is coming in")
    async with running() as driver:
        await driver.see("F8")
        await driver.until(lambda: driver.chats_are_open, "the chats are open")
        await driver.ask("/compare: Hi")
        await driver.see("There is no server to ask")


async def test_what_is_in_the_composer_is_the_question_of_the_palette() -> None:
    async with chatting() as (driver, server):
        driver.fill(SKY)
        driver.run_command("compare")
        await whole(driver)
        assert questions(server) == [SKY, SKY]
        await driver.press("escape")
        await driver.see("All answers stay")
        assert driver.composer_plain == ""


async def test_scrolling_is_for_the_chosen_column() -> None:
    async with chatting() as (driver, server):
        server.on("/api/chat", ollama_answer("\n\n".join(f"Line {number}" for number in range(60))))
        await driver.ask(f"/compare: {SKY}")
        await whole(driver)
        await driver.see("Line 59 .*Line 59")
        await driver.press("right", "home")
        await driver.see("Line 59 ? *$|│ Line 0")
        assert "│ Line 0" in driver.text()
        await driver.press("down", "down")
        assert "│ Line 1" in driver.text()
        assert "│ Line 0" not in driver.text()
        await driver.press("end", "pageup", "pagedown", "up")
        assert "Line 59" in driver.text()
        await driver.press("ctrl+c", "f5", "x")
        assert driver.compares


@pytest.mark.parametrize(
    ("count", "width", "height", "expected"),
    [
        (2, 80, 22, (2, 1)), (3, 80, 22, (3, 1)), (4, 80, 22, (2, 2)), (4, 120, 38, (4, 1)), (3, 60, 22, (2, 2)),
        (2, 45, 12, (1, 2)), (3, 40, 22, (1, 3)), (4, 40, 12, None), (2, 20, 30, None), (2, 80, 4, None),
    ],
)  # fmt: skip
def test_how_the_columns_stand(count: int, width: int, height: int, expected: tuple[int, int] | None) -> None:
    assert shape(count, width, height) == expected


# -- how it looks -------------------------------------------------------------------------------------------------------


async def three(driver: AppDriver, server: Replay, second: Replay, third: Replay) -> None:
    """A comparison of three servers, so that it is known who says what."""
    server.on("/api/chat", ollama_answer(FIRST))
    like_ollama(second, ("qwen2.5:7b", "7B", 1)).on("/api/chat", ollama_answer(SECOND, thought="Hm."))
    like_ollama(third, ("phi4", "14B", 1)).on("/api/chat", ollama_answer(THIRD, tokens=768, reason="length"))
    await driver.ask(
        f"/compare technical creative@qwen2.5:7b on {second.url} chatbot@phi4 on {third.url}: {SKY}"
    )
    await whole(driver, 3)


async def test_two_columns() -> None:
    async with replay() as other, chatting() as (driver, server):
        server.on("/api/chat", ollama_answer(FIRST))
        like_ollama(other).on("/api/chat", stalling(ollama_answer(SECOND, ended=False)))
        race = f"/compare technical creative@llama3.2:3b on {other.url}: {SKY}"
        await driver.ask(race)
        await driver.see("1 of 2 answers")
        await driver.see("Sunlight")
        await driver.see("wavelength")
        await driver.press("right")
        driver.hide_addresses()
        await check_all(driver, "compare-two")
        await driver.press("escape")


async def test_three_columns() -> None:
    async with replay() as second, replay() as third, chatting() as (driver, server):
        await three(driver, server, second, third)
        driver.hide_addresses()
        await check_all(driver, "compare-three")
        await driver.resize(44, 14)
        await check(driver, "compare-three")
