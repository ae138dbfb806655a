"""What the classes of all kinds of server share: an endpoint, its connections, and the course of an answer."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from tui.core.endpoint import Endpoint, ServerKind
from tui.core.events import Event, Failed, Phase, Progress
from tui.core.model import Model
from tui.core.request import ChatRequest
from tui.errors import LokalError, ModelMissing, Refused, ServerError, TryLater
from tui.servers.answer import Answer
from tui.servers.attachments import text_files_of
from tui.servers.errors import Asked
from tui.servers.http.framing import Framing, Parser, StreamFrame
from tui.servers.http.http_client import HttpClient, Reply, StreamingResponse
from tui.servers.http.pending_response import PendingResponse
from tui.servers.json_object import JsonObject
from tui.servers.json_requests import JsonRequests
from tui.servers.profile import Capabilities, ServerProfile

if TYPE_CHECKING:
    from tui.core.rendered_prompt import RenderedPrompt
    from tui.servers.model_manager import ModelManager

PATIENCE_S = 120.0
"""How long a server that says when it wants to be asked again is waited for, in all; beyond that the person is told."""
LEAST_PAUSE_S = 0.5


class ServerClient:
    """The base of the server classes. Each names its profile."""

    profile: ClassVar[ServerProfile]

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._http = HttpClient(endpoint)
        self._requests = JsonRequests(endpoint, self.profile, self._http)
        self._model_manager: ModelManager | None = None

    @property
    def kind(self) -> ServerKind:
        return self.profile.kind

    @property
    def endpoint(self) -> Endpoint:
        return self._endpoint

    @property
    def capabilities(self) -> Capabilities:
        return self.profile.capabilities

    @property
    def model_manager(self) -> ModelManager:
        """What manages its models; see `Server.model_manager`. Its code is loaded when it is first wanted."""
        if self._model_manager is None:
            self._model_manager = self._new_model_manager()
        return self._model_manager

    def _new_model_manager(self) -> ModelManager:
        from tui.servers.model_manager import ModelManager

        return ModelManager(self, self._requests)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """Stream an answer; see `Server.chat`."""
        try:
            if not request.model and self.profile.needs_model_name:
                raise ModelMissing("No model is chosen", "", "/model chooses one that the server has")
            if request.resume and not self.capabilities.resumes:
                raise Refused(
                    f"{self.profile.label} cannot continue an answer", "", "Ask the model to go on instead"
                )
            if request.schema is not None and not self.capabilities.structured:
                raise Refused(
                    f"{self.profile.label} cannot hold an answer to a schema",
                    "",
                    "Ask for JSON in words instead",
                )
            waited = 0.0
            while True:
                try:
                    async with aclosing(self._answer(request)) as events:
                        async for event in events:
                            yield event
                    return
                except TryLater as busy:
                    pause = busy.retry_after_s
                    if pause is None or waited + pause > PATIENCE_S:
                        raise
                    pause = max(pause, LEAST_PAUSE_S)
                async for progress in _waiting(pause):
                    yield progress
                waited += pause
        except LokalError as error:
            yield Failed(error)

    async def count_tokens(self, request: ChatRequest) -> int | None:
        """Tokens of the prompt; see `Server.count_tokens`."""
        if not self.capabilities.counts_tokens:
            return None
        turns = tuple(replace(turn, attachments=text_files_of(turn)) for turn in request.turns)
        try:
            return await self._count(replace(request, turns=turns))
        except LokalError:
            return None

    async def rendered_prompt(self, request: ChatRequest) -> RenderedPrompt | None:
        """The prompt as the model sees it; see `Server.rendered_prompt`."""
        turns = tuple(replace(turn, attachments=text_files_of(turn)) for turn in request.turns)
        return await self._render(replace(request, turns=turns))

    async def _render(self, request: ChatRequest) -> RenderedPrompt | None:
        """Ask the server's template. Raises ServerError; `request` has no pictures."""
        return None

    async def models(self) -> tuple[Model, ...]:
        """The models that it has; see `Server.models`."""
        raise NotImplementedError

    async def largest_window(self, model: str) -> int | None:
        """The largest window that a request may ask for; see `Server.largest_window`."""
        return None

    async def _count(self, request: ChatRequest) -> int | None:
        """Ask the server's tokenizer. Raises ServerError; `request` has no pictures."""
        raise NotImplementedError

    def _answer(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """The events of an answer, the last one Done or Failed; a LokalError that it raises becomes Failed."""
        raise NotImplementedError

    async def _is_loaded(self, model: str) -> bool | None:
        """Whether `model` is in memory, None if the server does not say. Never raises a LokalError."""
        return None

    def _asked(self, model: str = "") -> Asked:
        return self._requests.asked(model)

    async def _get(self, path: str, model: str = "") -> JsonObject:
        """The JSON object at `path`. Raises the ServerError that anything else is."""
        return await self._requests.get(path, model)

    async def _ask(self, path: str, body: Mapping[str, object], model: str = "") -> JsonObject:
        """The JSON object that `body` is answered with. Raises the ServerError that anything else is."""
        return await self._requests.ask(path, body, model)

    def _object(self, reply: Reply, model: str = "") -> JsonObject:
        return self._requests.object(reply, model)

    async def _stream(
        self, path: str, body: Mapping[str, object], answer: Answer, parser: Parser
    ) -> AsyncGenerator[Event, None]:
        """Ask and read an answer to its end. Raises the ServerError that a refusal before its beginning is."""
        model = answer.asked.model
        async with PendingResponse(self._http, path, body) as opening:
            async with aclosing(opening.waits(lambda: self._is_loaded(model))) as waits:
                async for progress in waits:
                    yield progress
            incoming = await opening.incoming()
            await self._requests.require_answer(incoming, model)
            broken: ServerError | None = None
            # The media type proves nothing: proxies call a stream JSON, and an error page a stream.
            async with aclosing(_frames(incoming, Framing(parser))) as frames:
                try:
                    async for frame in frames:
                        for event in answer.frame(frame):
                            yield event
                        if answer.ended:
                            break
                except ServerError as error:
                    broken = error
            for event in answer.finish(broken):
                yield event


async def _waiting(pause_s: float) -> AsyncGenerator[Progress, None]:
    """WAITING in seconds, each second, until they are over."""
    whole, left = math.ceil(pause_s), pause_s
    while left > 0:
        yield Progress(Phase.WAITING, whole - math.ceil(left), whole, "s")
        await asyncio.sleep(min(1.0, left))
        left -= 1.0


async def _frames(incoming: StreamingResponse, parser: Parser) -> AsyncGenerator[StreamFrame, None]:
    async with aclosing(incoming.chunks()) as chunks:
        async for chunk in chunks:
            for frame in parser.feed(chunk):
                yield frame
    for frame in parser.finish():
        yield frame
