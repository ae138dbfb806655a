"""The built-in engine dies: it is said why, and the next question starts it again."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from contextlib import aclosing
from pathlib import Path

import pytest

from tests.e2e.conftest import StartEngine
from tests.support.llama import is_alive, linux, needs_engine, processes, until
from tests.support.sample import MARKDOWN
from tui.core.endpoint import BUILT_IN
from tui.core.events import Done, Event, Failed, Phase, Progress, TextDelta
from tui.core.message import Role
from tui.core.request import ChatRequest, Turn
from tui.errors import EngineError, FileError, Interrupted, Unreachable
from tui.servers.connect import Connection
from tui.servers.engine import embedded
from tui.servers.engine.engine import Engine

pytestmark = [linux, needs_engine]


def request(model: str = "script") -> ChatRequest:
    return ChatRequest(model, (Turn(Role.USER, "Hello"),), {"temperature": 0.0})


async def ask(connection: Connection) -> list[Event]:
    return [event async for event in connection.server.chat(request())]


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def kill_server(engine: Engine) -> None:
    """What the system does when memory runs out."""
    os.kill(processes(engine)[1], signal.SIGKILL)


async def test_it_is_no_server_with_an_address(engine: StartEngine, script_gguf: Path) -> None:
    connection = await embedded.start(engine(script_gguf))
    assert connection.embedded
    assert connection.others == ()
    assert connection.server.endpoint.address == connection.info.url == BUILT_IN
    assert connection.server.endpoint.socket not in repr(connection.server.endpoint)
    assert [model.name for model in connection.models] == ["script"]
    assert await connection.server.count_tokens(request())
    assert text_of(await ask(connection)) == MARKDOWN


async def test_an_answer_that_breaks_off_says_why_and_the_next_starts_it_again(
    engine: StartEngine, endless_gguf: Path
) -> None:
    one, restarts = engine(endless_gguf), list[EngineError]()
    connection = await embedded.start(one, on_restart=restarts.append)
    events: list[Event] = []
    async with aclosing(connection.server.chat(request("endless"))) as stream:
        async for event in stream:
            if isinstance(event, TextDelta) and not text_of(events):
                kill_server(one)
            events.append(event)
    last = events[-1]
    assert isinstance(last, Failed)
    assert isinstance(last.error, Interrupted)
    assert last.error.title == "The built-in engine stopped while serving endless.gguf"
    assert "memory" in last.error.detail
    assert last.error.hint.startswith("Ask again: it is started again. Set a smaller context_window")
    assert one.endpoint is None

    async with aclosing(connection.server.chat(request("endless"))) as stream:
        kinds = []
        async for event in stream:
            kinds.append(event)
            if isinstance(event, TextDelta):
                break
    assert isinstance(kinds[0], Progress)
    assert kinds[0].phase is Phase.LOADING
    assert one.endpoint == connection.server.endpoint
    assert restarts == []  # the answer that broke off has said it


async def test_one_that_died_in_silence_is_started_and_it_is_said_why(
    engine: StartEngine, script_gguf: Path
) -> None:
    one, restarts = engine(script_gguf), list[EngineError]()
    connection = await embedded.start(one, on_restart=restarts.append)
    kill_server(one)
    until(lambda: not one.running, "the engine has noticed")
    with pytest.raises(Unreachable) as caught:
        await connection.server.models()
    assert "memory" in caught.value.detail
    assert "llama-server -m" not in str(caught.value)
    assert await connection.server.count_tokens(request()) is None

    events = await ask(connection)
    assert text_of(events) == MARKDOWN
    assert isinstance(events[-1], Done)
    assert restarts == []  # asking for the models has said it
    kill_server(one)
    until(lambda: not one.running, "the engine has noticed")
    assert text_of(await ask(connection)) == MARKDOWN
    assert ["memory" in failure.detail for failure in restarts] == [True]


async def test_two_questions_start_it_once(engine: StartEngine, script_gguf: Path) -> None:
    one = engine(script_gguf)
    connection = await embedded.start(one)
    kill_server(one)
    until(lambda: not one.running, "the engine has noticed")
    answers = await asyncio.gather(ask(connection), ask(connection))
    assert [text_of(events) for events in answers] == [MARKDOWN, MARKDOWN]
    assert len(list((one.log_file or Path()).parent.iterdir())) == 2


async def test_stopping_while_it_starts_again_leaves_nothing(engine: StartEngine, script_gguf: Path) -> None:
    one = engine(script_gguf)
    connection = await embedded.start(one)
    kill_server(one)
    until(lambda: not one.running, "the engine has noticed")
    async with aclosing(connection.server.chat(request())) as stream:
        assert isinstance(await anext(stream), Progress)
        left = processes(one)
    until(lambda: not any(map(is_alive, left)), "the server's processes are gone")
    assert text_of(await ask(connection)) == MARKDOWN  # and it is no reason not to try again


async def test_a_start_that_fails_is_tried_again(
    engine: StartEngine, script_gguf: Path, tmp_path: Path
) -> None:
    model = Path(shutil.copy(script_gguf, tmp_path / "copy.gguf"))
    one = engine(model)
    connection = await embedded.start(one)
    kill_server(one)
    until(lambda: not one.running, "the engine has noticed")
    away = shutil.move(model, tmp_path / "away.gguf")
    for _ in range(2):
        events = await ask(connection)
        assert isinstance(events[-1], Failed)
        assert isinstance(events[-1].error, FileError)
    shutil.move(away, model)
    assert text_of(await ask(connection)) == MARKDOWN


async def test_one_that_was_stopped_stays_stopped(engine: StartEngine, script_gguf: Path) -> None:
    one = engine(script_gguf)
    connection = await embedded.start(one)
    await one.stop()
    events = await ask(connection)
    assert isinstance(events[-1], Failed)
    assert isinstance(events[-1].error, Unreachable)
    assert not one.running


async def test_a_socket_that_was_cleaned_away_is_made_anew(engine: StartEngine, script_gguf: Path) -> None:
    """As a system does that empties its folder of temporary files."""
    one = engine(script_gguf)
    connection = await embedded.start(one)
    before = processes(one)
    os.unlink(connection.server.endpoint.socket)  # noqa: PTH108 - a loop that is held up for a moment does no harm
    assert text_of(await ask(connection)) == MARKDOWN
    until(lambda: not any(map(is_alive, before)), "the server that nobody can reach is gone")
