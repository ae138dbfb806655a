"""The built-in engine as a server: llama.cpp's, started again when it has died and is asked something."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING

from tui import files
from tui.core.endpoint import Endpoint, ServerKind
from tui.core.events import Event, Failed, Progress
from tui.core.model import Model, ServerInfo
from tui.core.request import ChatRequest
from tui.errors import EngineError, Interrupted, LokalError, ServerError, Unreachable
from tui.servers.connect import Connection
from tui.servers.engine.engine import Engine
from tui.servers.gather import gather_or_cancel
from tui.servers.http.http_client import load_httpx
from tui.servers.kinds.llamacpp import LlamaCppServer
from tui.servers.profile import Capabilities, ServerProfile

if TYPE_CHECKING:
    from tui.servers.model_manager import ModelManager

NOTICE_S = 2.0
"""How long a connection may be broken, in seconds, before the end of the process behind it is known."""
_POLL_S = 0.02

ANEW = "Ask again: it is started again"


class EmbeddedServer:
    """A running engine. What fails because it died says why it died; a question after that starts it again.

    `on_restart` is told why it had ended, unless an answer that broke off has said so already. Whoever made the engine
    ends it; one that was stopped is not started again.
    """

    def __init__(
        self, engine: Engine, endpoint: Endpoint, on_restart: Callable[[EngineError], None] | None = None
    ) -> None:
        self._engine = engine
        self._server = LlamaCppServer(endpoint)
        self._on_restart = on_restart
        self._told = False

    @property
    def kind(self) -> ServerKind:
        return self._server.kind

    @property
    def profile(self) -> ServerProfile:
        return self._server.profile

    @property
    def endpoint(self) -> Endpoint:
        return self._server.endpoint

    @property
    def capabilities(self) -> Capabilities:
        return self._server.capabilities

    async def info(self) -> ServerInfo:
        """Version and state; see `Server.info`."""
        try:
            return await self._server.info()
        except ServerError as error:
            raise await self._reason(error) from error

    @property
    def model_manager(self) -> ModelManager:
        """See `Server.model_manager`. It is another one after the engine was started again."""
        return self._server.model_manager

    async def models(self) -> tuple[Model, ...]:
        """The model; see `Server.models`."""
        try:
            return await self._server.models()
        except ServerError as error:
            raise await self._reason(error) from error

    async def context_window(self, model: str) -> int | None:
        """The window of the engine; see `Server.context_window`."""
        try:
            return await self._server.context_window(model)
        except ServerError as error:
            raise await self._reason(error) from error

    async def save_slot(self, name: str) -> int:
        """See `LlamaCppServer.save_slot`."""
        return await self._server.save_slot(name)

    async def restore_slot(self, name: str) -> int:
        """See `LlamaCppServer.restore_slot`."""
        return await self._server.restore_slot(name)

    async def largest_window(self, model: str) -> int | None:
        """See `Server.largest_window`."""
        return await self._server.largest_window(model)

    async def count_tokens(self, request: ChatRequest) -> int | None:
        """Tokens of the prompt; see `Server.count_tokens`."""
        return await self._server.count_tokens(request)

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """Stream an answer; see `Server.chat`. An engine that has died is started before."""
        try:
            async with aclosing(self._revived()) as loading:
                async for progress in loading:
                    yield progress
        except LokalError as error:
            yield Failed(error)
            return
        async with aclosing(self._server.chat(request)) as events:
            async for event in events:
                yield Failed(await self._reason(event.error)) if isinstance(event, Failed) else event

    async def aclose(self) -> None:
        """Close all connections."""
        await self._server.aclose()

    async def _revived(self) -> AsyncGenerator[Progress, None]:
        """Start the engine if it has died, saying how far it is. Raises FileError, EngineError."""
        if self._engine.endpoint == self.endpoint or self._engine.stopped:
            return
        failure = self._engine.failure()
        if failure is not None and not self._told and self._on_restart is not None:
            self._on_restart(failure)
        news: asyncio.Queue[Progress | None] = asyncio.Queue()
        starting = asyncio.create_task(self._engine.start(news.put_nowait))
        starting.add_done_callback(lambda _: news.put_nowait(None))
        try:
            while (progress := await news.get()) is not None:
                yield progress
            endpoint = await starting
        finally:
            starting.cancel()
            await asyncio.wait({starting})
        self._told = False
        if endpoint != self.endpoint:
            before, self._server = self._server, LlamaCppServer(endpoint)
            await before.aclose()

    async def _reason(self, error: LokalError) -> LokalError:
        """What is to be said where `error` came of the engine's end."""
        if not isinstance(error, Unreachable | Interrupted):
            return error
        for _ in range(round(NOTICE_S / _POLL_S)):
            if not self._engine.running:
                break
            await asyncio.sleep(_POLL_S)
        failure = self._engine.failure()
        if failure is None:
            return error
        self._told = True
        hint = f"{ANEW}. {failure.hint}"
        if isinstance(error, Interrupted):
            return Interrupted(failure.title, failure.detail, hint, error.status)
        return Unreachable(failure.title, failure.detail, hint)


async def start(
    engine: Engine,
    on_progress: Callable[[Progress], None] | None = None,
    on_restart: Callable[[EngineError], None] | None = None,
    check: Callable[[], None] | None = None,
) -> Connection:
    """Start the engine, unless it runs, and connect to it. Raises FileError, EngineError, ServerError.

    `check` may take long and runs in a thread while the model is loaded; what it raises ends the engine."""

    def work_meanwhile() -> None:
        load_httpx()
        if check is not None:
            check()

    try:
        endpoint, _ = await gather_or_cancel(engine.start(on_progress), files.in_thread(work_meanwhile))
    except BaseException:
        await engine.stop()
        raise
    server = EmbeddedServer(engine, endpoint, on_restart)
    try:
        info, models = await gather_or_cancel(server.info(), server.models())
    except BaseException:
        await server.aclose()
        raise
    return Connection(server, info, models, embedded=True)
