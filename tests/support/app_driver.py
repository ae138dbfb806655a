"""lokal in a running app without a terminal: keys go in, the screen is looked at as text and as styles."""

from __future__ import annotations

import asyncio
import math
import os
import re
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.console import RenderableType
from rich.segment import Segment
from textual import events
from textual.pilot import Pilot
from textual.screen import Screen

from tests.support.replay import CannedResponse, Replay, as_json, ndjson, recorded, replay
from tui.config.presets import make_presets
from tui.config.startup import StartOptions, load_configuration
from tui.config.themes import DARK
from tui.core.endpoint import Endpoint
from tui.core.message import NO_PARAMETERS, Value
from tui.paths import folders
from tui.ui.app import LokalApp
from tui.ui.terminal.reader import InputReader

DEADLINE_S = 60.0
"""Longer than anything takes on a machine that is busy with other tests."""
UNCHANGED_S = 0.5
"""How long a screen that is said to be unchanged is taken for that."""
STILL_S = 3.0
"""A widget that has not answered by then was taken away."""
MESSAGES_DEEP = 4
"""How many messages, each one a consequence of the one before, lie between a key and what it does at the most."""
SIZES = ((80, 24), (120, 40))
NOBODY = Endpoint("http://127.0.0.1:1")
"""An address at which nothing listens: tcpmux, which no machine runs."""
MODEL = "llama3.2:3b"


def _done(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class WatchedApp(LokalApp):
    """The app, which counts its frames."""

    CSS_PATH = str(Path(sys.modules[LokalApp.__module__].__file__ or "").with_name("app.tcss"))
    paints = 0

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        # Textual 8.2 gives every frame to this method, and calls its hook for tests only where there is a terminal.
        self.paints += 1
        super()._display(screen, renderable)


class AppDriver:
    """The running app and its pilot."""

    def __init__(self, app: WatchedApp, pilot: Pilot[None]) -> None:
        self.app = app
        self._pilot = pilot

    # -- what a person does -----------------------------------------------------------------------------------------

    async def press(self, *keys: str) -> None:
        """Press keys, by Textual's names, each once the one before has had its effect."""
        for key in keys:
            self.app.post_message(events.Key(key, key if len(key) == 1 else None))
            await self.settle()

    async def write(self, text: str) -> None:
        """Type text as fast as a terminal hands it over."""
        reader = InputReader()
        for message in [*reader.feed(text.encode()), *reader.silence()]:
            self.app.post_message(message)
        await self.settle()

    async def ask(self, question: str) -> None:
        """Write a question and send it."""
        self.app.chat.composer.fill(question)
        await self.press("enter")

    async def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size."""
        await self._pilot.resize_terminal(columns, rows)
        await self.settle()

    async def settle(self) -> None:
        """Wait until everything that was said so far has been handled, and what that led to, and so on.

        The pilot's own `pause` does the same, but sleeps 20 ms each time.
        """
        for _ in range(MESSAGES_DEEP):
            handled: list[asyncio.Future[None]] = []
            for widget in (self.app, self.app.screen, *self.app.screen.walk_children()):
                future = asyncio.get_running_loop().create_future()
                if widget.is_running and widget.call_later(_done, future):
                    handled.append(future)
            # A widget that is taken away meanwhile never answers.
            if handled:
                await asyncio.wait(handled, timeout=STILL_S)

    # -- what a person sees -----------------------------------------------------------------------------------------

    def lines(self) -> list[list[Segment]]:
        """The screen, row by row, as styled text."""
        # Textual 8.2 shows the whole screen as strips nowhere else; the app's own frames are made from the same.
        strips = self.app.screen._compositor.render_strips()
        return [[segment for segment in strip if not segment.control] for strip in strips]

    def screen(self) -> list[str]:
        """The rows as text, without the blanks at their ends."""
        return ["".join(segment.text for segment in line).rstrip() for line in self.lines()]

    def text(self) -> str:
        """The screen in one string."""
        return "\n".join(self.screen())

    def row(self, pattern: str) -> str:
        """The first row that matches `pattern`."""
        found = [line for line in self.screen() if re.search(pattern, line)]
        assert found, f"no row matches {pattern!r}:\n{self.text()}"
        return found[0]

    def style_of(self, text: str) -> str:
        """How the first place of `text` on the screen is drawn, as Rich writes a style."""
        for line in self.lines():
            cells = [(character, segment.style) for segment in line for character in segment.text]
            place = "".join(character for character, _ in cells).find(text)
            if place >= 0:
                return str(cells[place][1])
        raise AssertionError(f"{text!r} is not on the screen:\n{self.text()}")

    async def see(self, pattern: str) -> None:
        """Wait until the screen matches `pattern` (searched for, `.` stops at a row's end)."""
        await self._until_shown(
            lambda text: re.search(pattern, text) is not None, f"the screen shows {pattern!r}"
        )

    async def see_no_more(self, pattern: str) -> None:
        """Wait until nothing on the screen matches `pattern`."""
        await self._until_shown(lambda text: re.search(pattern, text) is None, f"{pattern!r} is gone")

    async def _until_shown(self, condition: Callable[[str], bool], what: str) -> None:
        """Wait until `condition` holds of the screen. It is read once for each change: to read it takes as long as to
        draw it, and who reads it all the time has no time left to let it change."""
        looked_at, looked_s = -1, 0.0

        def holds() -> bool:
            nonlocal looked_at, looked_s
            now = time.monotonic()
            if self.app.paints == looked_at and now - looked_s < UNCHANGED_S:
                return False
            looked_at, looked_s = self.app.paints, now
            return condition(self.text())

        await self.until(holds, what)

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until `condition` holds; AssertionError with the screen if it does not in time."""
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {DEADLINE_S} s: {what}\n{self.text()}")
            await asyncio.sleep(0.005)
        await self.settle()


@asynccontextmanager
async def running(
    server: str | Endpoint | None = NOBODY,
    *,
    size: tuple[int, int] = SIZES[0],
    theme: str = DARK,
    preset: str = "",
    overrides: Mapping[str, Value | None] = NO_PARAMETERS,
    environ: Mapping[str, str] | None = None,
    resume: str | None = None,
    model: str = "",
) -> AsyncIterator[AppDriver]:
    """lokal as it starts on a good terminal in this test's home, against `server`, or one that it looks for itself; ended
    when the block ends."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("NO_COLOR", "SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT", "TMUX", "STY", "LOKAL_FRAMES"):
            patch.delenv(name, raising=False)
        for name, value in {"TERM": "xterm-256color", "COLORTERM": "truecolor", **(environ or {})}.items():
            patch.setenv(name, value)
        for measured in ("tui.ui.instrument.NOTICED_S", "tui.core.generation.MEASURABLE_S"):
            patch.setattr(measured, math.inf)  # what a busy machine takes is no part of a picture
        mine = folders(os.environ)
        make_presets(mine.presets)
        config = load_configuration(mine, preset)
        endpoint = Endpoint(server) if isinstance(server, str) else server
        options = StartOptions(mine, endpoint, model, overrides, resume=resume)
        app = WatchedApp(options, config, theme)
        try:
            async with app.run_test(size=size, notifications=True) as pilot:
                driver = AppDriver(app, pilot)
                try:
                    yield driver
                finally:
                    # As a person leaves: the messages end before the widgets go.
                    if app.is_running:
                        app.leave()
                    await driver.until(lambda: not app.is_running, "lokal has ended")
        finally:
            app.backstage.end()


def like_router(server: Replay) -> Replay:
    """Let a replay server be the recorded llama-server that has several models, one of which could not be loaded."""
    server.on("/health", recorded("llama-server/router/health"))
    server.on("/props", recorded("llama-server/router/props-no-model"))
    window = {"default_generation_settings": {"n_ctx": 4096}}
    server.on("/props?model=bigram&autoload=false", as_json(200, window))
    server.on("/v1/models", recorded("llama-server/router/models-broken"))
    return server


def like_ollama(server: Replay, *models: tuple[str, str, int], thinks: bool = False) -> Replay:
    """Let a replay server be an Ollama with these (name, parameters, bytes); the first is in memory. None of them can
    think, or all."""
    listed = [
        {
            "name": name,
            "size": size,
            "details": {
                "family": "llama",
                "parameter_size": parameters,
                "quantization_level": "Q4_K_M",
                "context_length": 131072,
            },
            "capabilities": ["completion", "thinking"] if thinks else ["completion"],
        }
        for name, parameters, size in models or ((MODEL, "3.2B", 2_019_393_189),)
    ]
    first = listed[0]["name"]
    in_memory = [{"name": first, "model": first, "size": 2_500_000_000, "context_length": 8192}]
    server.on("/api/version", recorded("ollama/version"))
    server.on("/api/tags", as_json(200, {"models": listed}))
    server.on("/api/ps", as_json(200, {"models": in_memory}))
    return with_window(server, 8192)


def with_window(server: Replay, *tokens: int) -> Replay:
    """Let the models' own files say so, in the order in which they are asked for; a question that names no window has
    that, whatever a model is loaded with."""
    server.on("/api/show", *[as_json(200, {"parameters": f"num_ctx    {window}"}) for window in tokens])
    return server


def ollama_answer(
    text: str = "", *, thought: str = "", tokens: int = 412, reason: str = "stop", ended: bool = True
) -> CannedResponse:
    """An answer of Ollama in two pieces at the most, so that no rate of our own clock is shown, made at 41 tokens/s."""
    records: list[object] = []
    if thought:
        records.append({"message": {"role": "assistant", "content": "", "thinking": thought}, "done": False})
    if text:
        records.append({"message": {"role": "assistant", "content": text}, "done": False})
    if ended:
        end = {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": reason}
        figures = {"prompt_eval_count": 812, "eval_count": tokens, "eval_duration": tokens * 10**9 // 41}
        records.append({**end, **figures})
    return ndjson(records, ended=ended)


def chats(server: Replay) -> list[dict[str, object]]:
    """What lokal has asked in its chats, oldest first."""
    return [request.json() for request in server.seen if request.path == "/api/chat"]


def questions(server: Replay) -> list[str]:
    """The last turn of each chat request, oldest first."""
    asked = []
    for body in chats(server):
        messages = body["messages"]
        assert isinstance(messages, list)
        asked.append(str(messages[-1]["content"]))
    return asked


def options(body: Mapping[str, object]) -> dict[str, object]:
    """The parameters in a chat request to Ollama."""
    found = body.get("options", {})
    assert isinstance(found, dict)
    return found


@asynccontextmanager
async def chatting(
    size: tuple[int, int] = (80, 24), theme: str = "lokal-dark"
) -> AsyncIterator[tuple[AppDriver, Replay]]:
    """A connected lokal whose server answers `Yes.` to everything."""
    async with replay() as server:
        like_ollama(server).on("/api/chat", ollama_answer("Yes."))
        async with running(server.url, size=size, theme=theme) as driver:
            await driver.see("ctx 0 of 8k")
            await driver.until(
                lambda: driver.app.chat.draft_is_read, "the chats are open, and the draft is read"
            )
            yield driver, server
