"""The built-in engine as a server: llama.cpp's, started again when it has died or sleeps and is asked something, with the chats
that are kept warm (`slots`)."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from tui import files
from tui.core.benchmark import BUILT_IN, BenchmarkSubject
from tui.core.endpoint import Endpoint, ServerKind
from tui.core.events import Done, Event, Failed, Phase, Progress, ReasoningDelta, TextDelta, ToolCall
from tui.core.model import Model, ServerInfo
from tui.core.request import ChatRequest
from tui.core.text import safe_name
from tui.errors import EngineError, Interrupted, LokalError, ServerError, Unreachable
from tui.servers.connect import Connection
from tui.servers.engine import machine
from tui.servers.engine.engine import Engine
from tui.servers.engine.machine import LoadSample
from tui.servers.engine.slot_files import SlotFiles
from tui.servers.engine.slots import ChatSlots, OnAnswer, Reuse
from tui.servers.engine.thread_fallback import AnswerTimer, AnswerTiming
from tui.servers.gather import gather_or_cancel
from tui.servers.http.http_client import load_httpx
from tui.servers.kinds.llamacpp import LlamaCppServer
from tui.servers.profile import Capabilities, ServerProfile

if TYPE_CHECKING:
    from tui.core.rendered_prompt import RenderedPrompt
    from tui.servers.model_manager import ModelManager

NOTICE_S = 2.0
"""How long a connection may be broken, in seconds, before the end of the process behind it is known."""
_POLL_S = 0.02
MOST_READ_AGAIN = 1500
"""So many tokens of a chat may be read again for the sake of other threads, where it cannot be saved."""

ANEW = "Ask again: it is started again"


class EmbeddedServer:
    """A running engine. What fails because it died says why it died; a question after that starts it again.

    `on_restart` is told why it had ended, unless an answer that broke off has said so already; `on_asleep` that it was
    ended for want of use, and, with False, that it runs again; `on_answer` is told of each answer, `on_timing` of the rate
    of each that had one, also of one that was stopped. Whoever made the engine ends it; one that was stopped
    is not started again.
    """

    def __init__(
        self,
        engine: Engine,
        endpoint: Endpoint,
        on_restart: Callable[[EngineError], None] | None = None,
        on_asleep: Callable[[bool], None] = lambda _: None,
        slot_files: SlotFiles | None = None,
        on_answer: OnAnswer = lambda _chat, _reuse, _tokens: None,
        on_timing: Callable[[AnswerTiming], None] | None = None,
    ) -> None:
        """Chats are saved as `slot_files`, None = they are not."""
        self._engine = engine
        self._server = LlamaCppServer(endpoint)
        self._on_restart = on_restart
        self._on_asleep = on_asleep
        self._on_answer = on_answer
        self._on_timing = on_timing
        self._slots = ChatSlots(engine, self, slot_files) if slot_files is not None else None
        self._turn = asyncio.Lock()  # what uses the slot, one after the other
        self._uses = 0
        self._used_at = time.monotonic()
        self._models: tuple[Model, ...] = ()
        self._told = False
        self._version = ""
        self._tokens = 0  # of the last answer and its prompt
        self._sleeps = False

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
            info = await self._server.info()
            self._version = info.version
            return info
        except ServerError as error:
            raise await self._reason(error) from error

    @property
    def model_manager(self) -> ModelManager:
        """See `Server.model_manager`. It is another one after the engine was started again."""
        return self._server.model_manager

    async def models(self) -> tuple[Model, ...]:
        """The model; see `Server.models`. An engine that sleeps sleeps on."""
        if self._engine.asleep:
            return self._models
        with self._in_use():
            try:
                self._models = await self._server.models()
            except ServerError as error:
                raise await self._reason(error) from error
        return self._models

    async def context_window(self, model: str) -> int | None:
        """The window of the engine; see `Server.context_window`."""
        if self._engine.asleep:
            return self._engine.context_window
        try:
            return await self._server.context_window(model)
        except ServerError as error:
            raise await self._reason(error, tells=False) from error

    async def save_slot(self, name: str) -> int:
        """See `LlamaCppServer.save_slot`."""
        try:
            return await self._server.save_slot(name)
        except ServerError as error:
            raise await self._reason(error, tells=False) from error

    async def restore_slot(self, name: str) -> int:
        """See `LlamaCppServer.restore_slot`."""
        try:
            return await self._server.restore_slot(name)
        except ServerError as error:
            raise await self._reason(error, tells=False) from error

    async def largest_window(self, model: str) -> int | None:
        """See `Server.largest_window`."""
        return await self._server.largest_window(model)

    async def count_tokens(self, request: ChatRequest) -> int | None:
        """Tokens of the prompt; see `Server.count_tokens`. An engine that sleeps is started before."""
        with self._in_use():
            if self._engine.asleep:
                await self.wake()
            return await self._server.count_tokens(request)

    async def rendered_prompt(self, request: ChatRequest) -> RenderedPrompt | None:
        """The prompt as the model sees it; see `Server.rendered_prompt`. An engine that sleeps is started before."""
        with self._in_use():
            if self._engine.asleep:
                await self.wake()
            try:
                return await self._server.rendered_prompt(request)
            except ServerError as error:
                raise await self._reason(error) from error

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """Stream an answer; see `Server.chat`. An engine that has died or sleeps is started before."""
        timer = AnswerTimer(self._engine.load_sample) if self._on_timing is not None else None
        try:
            with self._in_use():
                if self._sleeps:
                    yield Progress(Phase.LOADING)
                async with self._turn, aclosing(self._answer_in_turn(request)) as events:
                    async for event in events:
                        if timer is not None:
                            timer.take(event)
                        yield event
        finally:
            if timer is not None and self._on_timing is not None and (timing := timer.timing()) is not None:
                self._on_timing(timing)

    def _answer_in_turn(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        return self._answer(request) if self._slots is None else self._answer_in_slot(request, self._slots)

    async def _answer(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
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

    async def _answer_in_slot(self, request: ChatRequest, slots: ChatSlots) -> AsyncGenerator[Event, None]:
        """An answer whose chat is in the slot before it is asked, and of which it is known afterwards that the slot holds it."""
        try:
            async with aclosing(self._revived()) as loading:
                async for progress in loading:
                    yield progress
        except LokalError as error:
            yield Failed(error)
            return
        await slots.begin(request.chat)
        pieces, read, ended = 0, 0, False
        try:
            async with aclosing(self._answer(request)) as events:
                async for event in events:
                    if isinstance(event, TextDelta | ReasoningDelta | ToolCall):
                        pieces += 1
                    elif isinstance(event, Progress) and event.phase is Phase.PREFILL:
                        read = max(read, event.done)
                    elif isinstance(event, Done):
                        ended = True
                        self._tokens = event.usage.total or 0
                        reuse = await slots.answered(request.chat, event.usage)
                        tokens = event.usage.cached if reuse is Reuse.REUSED else event.usage.prompt
                        self._on_answer(request.chat, reuse, tokens or 0)
                    yield event
        finally:
            if not ended:
                slots.broke_off(request.chat, pieces, read)

    # -- chats that are kept warm, and sleep ------------------------------------------------------------------------

    @property
    def has_unsaved(self) -> bool:
        """Whether the slot holds something of a chat that is in no file."""
        return self._slots is not None and self._slots.unsaved

    @property
    def asleep(self) -> bool:
        """Whether it was ended because nobody used it, and was not started again yet."""
        return self._sleeps

    async def save_chat(self) -> None:
        """Save the chat that the slot holds, if it is not saved yet. Never raises for what cannot be saved."""
        if self._slots is not None:
            async with self._turn:
                await self._slots.save()

    async def restore_chat(self, chat: str) -> None:
        """Put a chat into the slot, if it was saved and the engine runs. Never raises for what cannot be restored."""
        if self._slots is not None:
            async with self._turn:
                if self._slots.held != chat:
                    await self._slots.save()
                    await self._slots.restore(chat)

    async def read_ahead(self, request: ChatRequest) -> None:
        """Read what `request` begins with into the slot, whose chat is saved before: the next request that begins so has only
        the rest to read. Of the answer one token is made and thrown away. What the engine does not do is done with that next
        request, so nothing is raised; one that sleeps sleeps on."""
        if self._engine.asleep or self._engine.endpoint != self.endpoint:
            return
        async with self._turn:
            if self._slots is not None:
                if self._slots.held == request.chat:
                    return
                await self._slots.begin("")
            one = replace(request, parameters={**request.parameters, "max_tokens": 1})
            async with aclosing(self._server.chat(one)) as events:
                async for _ in events:
                    pass

    async def save_at_end(self) -> None:
        """The same as `save_chat` on an event loop of its own, when the one that this was used on has ended."""
        self._turn, self._server = asyncio.Lock(), LlamaCppServer(self.endpoint)
        try:
            await self.save_chat()
        finally:
            await self._server.aclose()

    def idle_s(self) -> float:
        """For how many seconds nobody has used it; 0 while it is used."""
        return 0.0 if self._uses or self._turn.locked() else time.monotonic() - self._used_at

    async def sleep(self, idle_s: float) -> bool:
        """End the engine, with its chat saved, if nobody has used it for so many seconds; whether that was done."""
        if self._engine.asleep or self.idle_s() < idle_s:
            return False
        async with self._turn:
            if self._slots is not None:
                await self._slots.save()
            if self._uses:
                return False
            await self._engine.sleep()
            if not self._engine.asleep:
                return False
            self._sleeps = True
            self._on_asleep(True)
            return True

    async def wake(self, chat: str = "") -> None:
        """Start an engine that sleeps, with that chat in its slot. What cannot be started says so when it is asked."""
        with self._in_use(), contextlib.suppress(LokalError):
            async with self._turn:
                async with aclosing(self._revived()) as loading:
                    async for _ in loading:
                        pass
                if chat and self._slots is not None:
                    await self._slots.restore(chat)

    # -- threads ----------------------------------------------------------------------------------------------------

    @property
    def usual_threads(self) -> int:
        """See `Engine.usual_threads`."""
        return self._engine.usual_threads

    def load_sample(self) -> LoadSample | None:
        """See `Engine.load_sample`."""
        return self._engine.load_sample()

    def describe(self) -> BenchmarkSubject:
        """What its rates are kept under; blocks for some 0.05 s."""
        name = self._models[0].name if self._models else self._engine.gguf.stem
        return BenchmarkSubject(
            machine.description(), BUILT_IN, self._engine.version() or self._version, safe_name(name, 200)
        )

    async def use_threads(self, threads: int | None) -> bool | None:
        """Start the engine again with so many threads, None = as many as usual, after the answer that comes in: the chat in its
        slot is saved before and restored after. False where it does not run, and takes them when it starts. None where
        that is not done, since the chat is long and could not be saved, so that it would have to be read again."""
        async with self._turn:
            chat = self._slots.held if self._slots is not None else ""
            if self._engine.endpoint is None or self._engine.stopped:
                self._engine.use_threads(threads)
                return False
            if self._slots is not None:
                await self._slots.save()
            kept = self._slots is not None and bool(chat) and not self._slots.unsaved
            if not kept and self._tokens > MOST_READ_AGAIN:
                return None
            self._engine.use_threads(threads)
            await self._engine.sleep()
            with contextlib.suppress(LokalError):  # what cannot be started says so when it is asked
                async with aclosing(self._revived()) as loading:
                    async for _ in loading:
                        pass
            if chat and self._slots is not None:
                await self._slots.restore(chat)
            return self._engine.endpoint is not None

    @contextlib.contextmanager
    def _in_use(self) -> Iterator[None]:
        self._uses += 1
        try:
            yield
        finally:
            self._uses -= 1
            self._used_at = time.monotonic()

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
        if self._sleeps:
            self._sleeps = False
            self._on_asleep(False)

    async def _reason(self, error: LokalError, *, tells: bool = True) -> LokalError:
        """What is to be said where `error` came of the engine's end; `tells` = the person hears of it, so that it need not be
        said again when the engine is started anew."""
        if not isinstance(error, Unreachable | Interrupted):
            return error
        for _ in range(round(NOTICE_S / _POLL_S)):
            if not self._engine.running:
                break
            await asyncio.sleep(_POLL_S)
        failure = self._engine.failure()
        if failure is None:
            return error
        self._told = self._told or tells
        hint = f"{ANEW}. {failure.hint}"
        if isinstance(error, Interrupted):
            return Interrupted(failure.title, failure.detail, hint, error.status)
        return Unreachable(failure.title, failure.detail, hint)


async def start(
    engine: Engine,
    on_progress: Callable[[Progress], None] | None = None,
    on_restart: Callable[[EngineError], None] | None = None,
    check: Callable[[], None] | None = None,
    on_asleep: Callable[[bool], None] = lambda _: None,
    slot_files: SlotFiles | None = None,
    on_answer: OnAnswer = lambda _chat, _reuse, _tokens: None,
    on_timing: Callable[[AnswerTiming], None] | None = None,
) -> Connection:
    """Start the engine, unless it runs, and connect to it. Raises FileError, EngineError, ServerError.

    `check` may take long and runs in a thread while the model is loaded; what it raises ends the engine. All else is as for
    `EmbeddedServer`."""

    def work_meanwhile() -> None:
        load_httpx()
        if check is not None:
            check()

    try:
        endpoint, _ = await gather_or_cancel(engine.start(on_progress), files.in_thread(work_meanwhile))
    except BaseException:
        await engine.stop()
        raise
    server = EmbeddedServer(engine, endpoint, on_restart, on_asleep, slot_files, on_answer, on_timing)
    try:
        info, models = await gather_or_cancel(server.info(), server.models())
    except BaseException:
        await server.aclose()
        raise
    return Connection(server, info, models, embedded=True)
