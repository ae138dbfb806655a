"""What the classes of all kinds of server share: an endpoint, its connections, and the course of an answer."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import ClassVar

from tui.core.endpoint import Endpoint, ServerKind
from tui.core.events import Event, Failed, Phase, Progress
from tui.core.request import ChatRequest
from tui.errors import LokalError, ModelMissing, NotAModelServer, Refused, ServerError, TryLater
from tui.servers.answer import Answer
from tui.servers.attachments import text_files_of
from tui.servers.errors import (
    Asked,
    complaint_in,
    complaint_of,
    redirected,
    refused,
    too_much,
    with_time,
)
from tui.servers.http.framing import Framing, Parser, StreamFrame
from tui.servers.http.http_client import HttpClient, Reply, StreamingResponse
from tui.servers.http.pending_response import PendingResponse
from tui.servers.json_object import JsonObject, TooMuch, read_object
from tui.servers.profile import Capabilities, ServerProfile

PATIENCE_S = 120.0
"""How long a server that says when it wants to be asked again is waited for, in all; beyond that the person is told."""
LEAST_PAUSE_S = 0.5


class ServerClient:
    """The base of the server classes. Each names its profile."""

    profile: ClassVar[ServerProfile]

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._http = HttpClient(endpoint)

    @property
    def kind(self) -> ServerKind:
        return self.profile.kind

    @property
    def endpoint(self) -> Endpoint:
        return self._endpoint

    @property
    def capabilities(self) -> Capabilities:
        return self.profile.capabilities

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
        return Asked(self._endpoint, self.kind, model)

    async def _get(self, path: str, model: str = "") -> JsonObject:
        """The JSON object at `path`. Raises the ServerError that anything else is."""
        return self._object(await self._http.get(path), model)

    async def _ask(self, path: str, body: Mapping[str, object], model: str = "") -> JsonObject:
        """The JSON object that `body` is answered with. Raises the ServerError that anything else is."""
        return self._object(await self._http.ask(path, body), model)

    def _object(self, reply: Reply, model: str = "") -> JsonObject:
        if 300 <= reply.status < 400:
            raise redirected(self._endpoint, reply.status, reply.location)
        if reply.status != 200:
            complaint = complaint_in(reply.body, reply.challenge)
            raise with_time(refused(complaint, reply.status, self._asked(model)), reply.retry_after_s)
        fields = self._read(reply.body)
        if fields is None:
            raise NotAModelServer(
                f"{self._endpoint.address} does not answer like {self.profile.label}",
                "Its reply is not JSON" if reply.body else "Its reply is empty",
                "Check the address and the kind of server in the config",
            )
        if fields.values.get("error"):
            raise refused(complaint_of(fields), reply.status, self._asked(model))
        return fields

    def _read(self, body: bytes) -> JsonObject | None:
        try:
            return read_object(body)
        except TooMuch as error:
            raise too_much(self._endpoint, error) from error

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
            await self._require_answer(incoming, model)
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

    async def _require_answer(self, incoming: StreamingResponse, model: str) -> None:
        if 300 <= incoming.status < 400:
            raise redirected(self._endpoint, incoming.status, incoming.location)
        if incoming.status != 200:
            complaint = complaint_in(await incoming.whole(), incoming.challenge)
            raise with_time(refused(complaint, incoming.status, self._asked(model)), incoming.retry_after_s)


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
