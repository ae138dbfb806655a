"""The built-in engine dies behind the screen: it is said why, and F5, F6 or the next question starts it again."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

from tests.support.llama import children, linux, needs_engine
from tests.support.stage import Stage, running
from tui.chat.state import ConnectionStatus
from tui.core.endpoint import BUILT_IN
from tui.core.message import Message, Role

pytestmark = [linux, needs_engine]

WHY = "The system killed it, most likely for lack of memory"


async def opened(stage: Stage, gguf: Path) -> None:
    await stage.see("No server answers")
    stage.app.open_file(str(gguf))
    await stage.see("built-in llama.cpp on this machine")


async def kill_engine(stage: Stage, others: list[int]) -> None:
    """What the system does when memory runs out; `others` are processes from before that are no concern of this."""
    (supervisor,) = (process for process in children(os.getpid()) if process not in others)
    os.kill(children(supervisor)[0], signal.SIGKILL)
    await stage.until(lambda: not children(supervisor), "the engine's supervisor has ended")


def last(stage: Stage) -> Message:
    session = stage.app.chat.session
    assert session is not None
    found = session.conversation.path()[-1]
    assert found.role is Role.ASSISTANT
    return found


async def test_f6_goes_on_with_the_answer_and_f5_asks_again(endless_gguf: Path) -> None:
    others = children(os.getpid())
    async with running() as stage:
        await opened(stage, endless_gguf)
        await stage.ask("Hello")
        await stage.see("A short answer first")
        await kill_engine(stage, others)
        await stage.see("The built-in engine stopped while serving endless.gguf")
        assert WHY in stage.text()
        assert "llama-server" not in stage.text()
        broken = last(stage)
        assert broken.server == BUILT_IN

        await stage.press("f6")
        await stage.until(lambda: bool(stage.app.chat.doing), "it is being continued")
        await stage.see(r"answering")
        await stage.press("escape")
        await stage.see("stopped by you")
        assert last(stage).id == broken.id
        assert last(stage).content.startswith(broken.content)
        assert len(last(stage).content) > len(broken.content)

        await kill_engine(stage, others)
        await stage.press("f5")
        await stage.see("It is started again")  # nothing had been asked of it, so nothing was said of it yet
        await stage.see("A short answer first")
        await stage.press("escape")
        await stage.see("stopped by you")


async def test_the_guide_is_started_again(engine_installed: None) -> None:
    others = children(os.getpid())
    async with running() as stage:
        await stage.see("No server answers")
        stage.app.ask_guide()
        await stage.see("guide - knows only lokal")
        await kill_engine(stage, others)
        await stage.ask("What does top_p do?")
        await stage.see("The built-in engine stopped while serving the guide")
        await stage.see("nucleus sampling")
        connection = stage.app.state.connection
        assert connection is not None
        assert connection.others == ()  # its socket is no server that is offered


async def test_a_model_that_could_not_be_loaded_anew_is_tried_once_more(
    script_gguf: Path, tmp_path: Path
) -> None:
    """A larger window that is too large ends the engine; looking for a server starts it as it was before."""
    model = Path(shutil.copy(script_gguf, tmp_path / "copy.gguf"))
    async with running() as stage:
        await opened(stage, model)
        size = os.path.getsize(model)  # noqa: PTH202, ASYNC240
        os.truncate(model, size // 2)
        stage.app.backstage.restart_engine(stage.app.state)
        await stage.until(
            lambda: stage.app.state.status is ConnectionStatus.NONE, "the engine could not be started"
        )
        shutil.copy(script_gguf, model)
        stage.app.search()
        await stage.see("built-in llama.cpp on this machine")
