"""How each kind of server says the same things, so that one contract can be held against all of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from tests.support.replay import CannedResponse, Replay, as_json, chunks_of, ndjson, recorded, replay, sse
from tui.core.endpoint import Endpoint, ServerKind
from tui.core.events import Done, Event, Failed
from tui.core.generation import Generation
from tui.core.message import Role
from tui.core.request import ChatRequest, Turn
from tui.errors import LokalError
from tui.servers.base import Server
from tui.servers.registry import server_for

E = TypeVar("E", bound=Event)
Record = dict[str, object]

_STREAMS = {
    ServerKind.LMSTUDIO: "lmstudio/chat-stream",
    ServerKind.VLLM: "vllm/chat-stream-usage",
    ServerKind.TEXTGEN: "textgen/chat-stream-usage",
}
"""The recorded streams (of LM Studio a synthetic one) whose chunks are taken, each with other words in it."""


@lru_cache
def _recorded_chunks(kind: ServerKind) -> list[Record]:
    return chunks_of(_STREAMS[kind]) if kind in _STREAMS else []


def _recorded_chunk(kind: ServerKind, key: str) -> Record:
    """A recorded chunk that has `key` in its delta, or one with a finish reason or with the usage; of a kind of which
    nothing is recorded the least that it can be."""
    for chunk in _recorded_chunks(kind):
        match chunk.get("choices"):
            case [{"delta": dict() as delta, "finish_reason": reason}]:
                found = bool(delta.get(key)) if key in ("content", "role") else key == "end" and bool(reason)
            case _:
                found = key == "usage" and bool(chunk.get("usage"))
        if found:
            return deepcopy(chunk)
    return {"choices": [] if key == "usage" else [{"index": 0, "delta": {}, "finish_reason": None}]}


def _with(chunk: Record, delta: Record, reason: str | None) -> Record:
    match chunk["choices"]:
        case [dict() as choice]:
            return {**chunk, "choices": [{**choice, "delta": delta, "finish_reason": reason}]}
    raise AssertionError("a chunk of an answer has one choice")


HELLO = ChatRequest("m", (Turn(Role.USER, "Hello"),))


@dataclass(frozen=True, slots=True)
class Dialect:
    """The language of one kind of server."""

    kind: ServerKind

    @property
    def native(self) -> bool:
        """Whether it is Ollama's own."""
        return self.kind is ServerKind.OLLAMA

    @property
    def path(self) -> str:
        """Where a chat goes."""
        return "/api/chat" if self.native else "/v1/chat/completions"

    def text(self, piece: str) -> object:
        """A piece of the answer."""
        if self.native:
            return {"message": {"role": "assistant", "content": piece}, "done": False}
        return _with(_recorded_chunk(self.kind, "content"), {"content": piece}, None)

    def thought(self, piece: str) -> object:
        """A piece of reasoning."""
        if self.native:
            return {"message": {"role": "assistant", "content": "", "thinking": piece}, "done": False}
        field = "reasoning" if self.kind is ServerKind.VLLM else "reasoning_content"
        return _with(_recorded_chunk(self.kind, "content"), {field: piece}, None)

    def end(self, reason: str = "stop") -> list[object]:
        """The proper end of an answer of 3 tokens to a prompt of 9."""
        if self.native:
            return [
                {
                    "message": {"role": "assistant", "content": ""},
                    "done": True,
                    "done_reason": reason,
                    "prompt_eval_count": 9,
                    "eval_count": 3,
                }
            ]
        usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
        return [
            _with(_recorded_chunk(self.kind, "end"), {}, reason),
            {**_recorded_chunk(self.kind, "usage"), "usage": usage},
            "[DONE]",
        ]

    def error(self, message: str) -> object:
        """An error in the middle of a stream."""
        if self.native:
            return {"error": message}
        return {"error": {"message": message, "type": "server_error", "code": 500}}

    def stream(self, *records: object, ended: bool = True) -> CannedResponse:
        """A reply of these records, after the one with the role that most kinds begin with."""
        if self.native:
            return ndjson(records, ended=ended)
        first = [_recorded_chunk(self.kind, "role")] if self.kind in _STREAMS else []
        return sse([*first, *records], ended=ended)

    def line(self, text: str) -> bytes:
        """Bytes of a record whose JSON is `text`."""
        return f"{text}\n".encode() if self.native else f"data: {text}\n\n".encode()

    @property
    def media_type(self) -> str:
        """What a stream is called."""
        return "application/x-ndjson" if self.native else "text/event-stream"


DIALECTS = tuple(Dialect(kind) for kind in ServerKind)


@dataclass(frozen=True, slots=True)
class ServerUnderTest:
    """A server object and the replay server that it talks to."""

    server: Server
    dialect: Dialect
    replay: Replay

    def answers(self, *replies: CannedResponse) -> None:
        """Set the replies to a chat."""
        self.replay.on(self.dialect.path, *replies)


@asynccontextmanager
async def under_test(dialect: Dialect, api_key: str = "") -> AsyncIterator[ServerUnderTest]:
    """A server of that kind whose model is in memory as far as it is asked."""
    async with replay() as running:
        running.on("/api/ps", as_json(200, {"models": [{"name": "m:latest", "model": "m:latest"}]}))
        running.on("/v1/models", as_json(200, {"data": [{"id": "m", "status": {"value": "loaded"}}]}))
        running.on("/health", as_json(200, {"status": "ok"}, {"Server": "llama.cpp"}))
        if dialect.kind in (ServerKind.VLLM, ServerKind.TEXTGEN):
            running.other = recorded(f"{dialect.kind.value}/not-found")
        server = server_for(Endpoint(running.url, dialect.kind, api_key))
        try:
            yield ServerUnderTest(server, dialect, running)
        finally:
            await server.aclose()


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer read to its end."""

    events: tuple[Event, ...]
    generation: Generation

    @property
    def text(self) -> str:
        return self.generation.content

    @property
    def reasoning(self) -> str:
        return self.generation.reasoning

    @property
    def done(self) -> Done:
        """The end of an answer that must be complete."""
        last = self.events[-1]
        assert isinstance(last, Done), last
        return last

    @property
    def error(self) -> LokalError:
        """The error of an answer that must have failed."""
        last = self.events[-1]
        assert isinstance(last, Failed), last
        return last.error

    def of(self, kind: type[E]) -> list[E]:
        """The events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]


async def hear(events: AsyncGenerator[Event, None]) -> Heard:
    """Read an answer, holding it to the rule that its last event and no other is Done or Failed."""
    heard: list[Event] = []
    generation = Generation(0.0)
    async with aclosing(events):
        async for event in events:
            heard.append(event)
            generation.apply(event, float(len(heard)))
    assert heard, "an answer has at least its end"
    assert [event for event in heard if isinstance(event, Done | Failed)] == heard[-1:]
    return Heard(tuple(heard), generation)


async def ask(tested: ServerUnderTest, *records: object, ended: bool = True) -> Heard:
    """Ask, with these records as the answer."""
    tested.answers(tested.dialect.stream(*records, ended=ended))
    return await hear(tested.server.chat(HELLO))
