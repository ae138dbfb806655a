"""The built-in engine dies behind the screen: it is said why, and F5, F6 or the next question starts it again."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

from tests.support.app_driver import AppDriver, running
from tests.support.llama import children, linux, needs_engine
from tui.chat.state import ConnectionStatus
from tui.core.endpoint import BUILT_IN
from tui.core.message import Message, Role

pytestmark = [linux, needs_engine]

ENDLESS = {"max_tokens": 100_000, "context_window": 100_000}
"""Else `endless_gguf` is through with its 512 tokens before it is killed."""
WHY = "The system killed it, most likely for lack of memory"


async def opened(driver: AppDriver, gguf: Path) -> None:
    await driver.see("No server answers")
    driver.run_command("gguf.open", str(gguf))
    await driver.see("built-in llama.cpp on this machine")


async def kill_engine(driver: AppDriver, others: list[int]) -> None:
    """What the system does when memory runs out; `others` are processes from before that are no concern of this."""
    (supervisor,) = (process for process in children(os.getpid()) if process not in others)
    os.kill(children(supervisor)[0], signal.SIGKILL)
    await driver.until(lambda: not children(supervisor), "the engine's supervisor has ended")


def last(driver: AppDriver) -> Message:
    session = driver.session
    found = session.conversation.path()[-1]
    assert found.role is Role.ASSISTANT
    return found


async def test_f6_goes_on_with_the_answer_and_f5_asks_again(endless_gguf: Path) -> None:
    others = children(os.getpid())
    async with running(overrides=ENDLESS) as driver:
        await opened(driver, endless_gguf)
        await driver.ask("Hello")
        await driver.see("A short answer first")
        await kill_engine(driver, others)
        await driver.see("The built-in engine stopped while serving endless.gguf")
        assert WHY in driver.text()
        assert "llama-server" not in driver.text()
        broken = last(driver)
        assert broken.server == BUILT_IN

        await driver.press("f6")
        await driver.until(lambda: bool(driver.activity), "it is being continued")
        await driver.see(r"answering")
        await driver.press("escape")
        await driver.see("stopped by you")
        assert last(driver).id == broken.id
        assert last(driver).content.startswith(broken.content)
        assert len(last(driver).content) > len(broken.content)

        await kill_engine(driver, others)
        await driver.press("f5")
        await driver.see("It is started again")  # nothing had been asked of it, so nothing was said of it yet
        await driver.see("A short answer first")
        await driver.press("escape")
        await driver.see("stopped by you")


async def test_the_guide_is_started_again(engine_installed: None) -> None:
    others = children(os.getpid())
    async with running() as driver:
        await driver.see("No server answers")
        driver.run_command("guide.ask")
        await driver.see("guide - knows only lokal")
        await kill_engine(driver, others)
        await driver.ask("What does top_p do?")
        await driver.see("The built-in engine stopped while serving the guide")
        await driver.see("nucleus sampling")
        connection = driver.connection
        assert connection is not None
        assert connection.others == ()  # its socket is no server that is offered


async def test_a_model_that_could_not_be_loaded_anew_is_tried_once_more(
    script_gguf: Path, tmp_path: Path
) -> None:
    """A larger window that is too large ends the engine; looking for a server starts it as it was before."""
    model = Path(shutil.copy(script_gguf, tmp_path / "copy.gguf"))
    async with running() as driver:
        await opened(driver, model)
        size = os.path.getsize(model)  # noqa: PTH202, ASYNC240
        os.truncate(model, size // 2)
        driver.restart_engine()
        await driver.until(
            lambda: driver.server.status is ConnectionStatus.NONE, "the engine could not be started"
        )
        shutil.copy(script_gguf, model)
        driver.search_servers()
        await driver.see("built-in llama.cpp on this machine")
