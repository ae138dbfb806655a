"""Ollama, over its own API: `/api/chat` streams NDJSON and, unlike its OpenAI one, takes the context window and says
when an answer went wrong on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING

from tui.core.endpoint import Endpoint, ServerKind
from tui.core.events import Event
from tui.core.message import Timings, Usage
from tui.core.model import Model, ServerInfo
from tui.core.parameters import for_server
from tui.core.request import ChatRequest, Turn
from tui.core.text import safe_line
from tui.errors import BadReply, ServerError
from tui.servers.answer import Answer, tool_call
from tui.servers.base import Capabilities
from tui.servers.client import ServerClient
from tui.servers.failures import complaint_in, refused
from tui.servers.http import ASK_S, SILENCE_S, check
from tui.servers.outgoing import base64_of, pictures_of, text_of
from tui.servers.stream import Ndjson
from tui.servers.structured import structure_for
from tui.servers.wire import Fields

if TYPE_CHECKING:
    import ollama

_KIND = ServerKind.OLLAMA


class OllamaServer(ServerClient):
    """An Ollama server."""

    def __init__(self, endpoint: Endpoint, silence_s: float = SILENCE_S) -> None:
        super().__init__(
            endpoint,
            _KIND,
            Capabilities(loads_on_request=True, knows_loaded=True, structured=True),
            silence_s,
        )
        self._manager: ollama.AsyncClient | None = None

    async def info(self) -> ServerInfo:
        """Its version."""
        reply = await self._get("/api/version")
        return ServerInfo(_KIND, self.endpoint.url, safe_line(reply.text("version"), 40))

    async def models(self) -> tuple[Model, ...]:
        """The models on disk in Ollama's order, newest first, with what is in memory. Those that only make embeddings
        come last; one that runs in Ollama's cloud carries a note, for a question to it would leave this machine."""
        # Not with the ollama package: its types drop the capabilities.
        listed = (await self._get("/api/tags")).items("models")
        try:
            running = {full_name(entry.model or ""): entry for entry in (await self._running()).models}
        except ServerError:
            running = None
        models = [_model(entry, running) for entry in listed if entry.text("name") or entry.text("model")]
        return tuple(sorted(models, key=lambda model: not _chats(model)))

    async def context_window(self, model: str) -> int | None:
        """The window that the model is loaded with; None while it is not in memory."""
        for entry in (await self._running()).models:
            if full_name(entry.model or "") == full_name(model):
                return entry.context_length or None
        return None

    async def largest_window(self, model: str) -> int | None:
        """What the model was made for: `num_ctx` goes up to that."""
        told = (await self._ask("/api/show", {"model": model}, model)).inner("model_info")
        return told.count(f"{told.text('general.architecture')}.context_length") or None

    async def _is_loaded(self, model: str) -> bool | None:
        try:
            running = await self._running()
        except ServerError:
            return None
        return any(full_name(entry.model or "") == full_name(model) for entry in running.models)

    async def aclose(self) -> None:
        """Close all connections."""
        manager, self._manager = self._manager, None
        if manager is not None:
            await manager.close()  # type: ignore[no-untyped-call]  # the package does not annotate it
        await super().aclose()

    async def _running(self) -> ollama.ProcessResponse:
        """What is in memory. Raises ServerError."""
        if self._manager is None:
            check(self.endpoint)
            manager = await asyncio.to_thread(_new_manager, self.endpoint)
            self._manager = self._manager or manager
        import ollama

        from tui.servers import transport

        try:
            with transport.translated(self.endpoint):
                return await self._manager.ps()
        except ollama.ResponseError as error:
            raise refused(complaint_in(str(error.error)), error.status_code, self._asked()) from error
        except (ValueError, TypeError) as error:  # not JSON, or not of the shape that the package wants
            raise BadReply(
                f"{self.endpoint.url} does not answer like Ollama",
                safe_line(str(error), 200),
                "Check the address",
            ) from error

    def _answer(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        body: dict[str, object] = {
            "model": request.model,
            "messages": [_message(turn) for turn in request.turns],
            "stream": True,
            # What does not fit is refused and said, never cut out of the conversation without a word.
            "truncate": False,
            "shift": False,
            **for_server(request.parameters, _KIND).body,
            **structure_for(request.schema, _KIND),
        }
        answer = OllamaAnswer(self._asked(request.model))
        return self._stream("/api/chat", body, answer, Ndjson())


def _new_manager(endpoint: Endpoint) -> ollama.AsyncClient:
    """The ollama package's client, held to this endpoint and to the limits of our own. It takes long to load."""
    import ollama

    from tui.servers import transport

    return ollama.AsyncClient(
        endpoint.url,
        follow_redirects=False,
        timeout=transport.timeout(ASK_S),
        trust_env=False,
        transport=transport.transport(endpoint),
        auth=transport.authorization(endpoint),
        event_hooks={"response": [transport.limit_body]},
    )


class OllamaAnswer(Answer):
    """Reads the records of `/api/chat`. The last one may hold text and tool calls too."""

    def record(self, fields: Fields) -> list[Event]:
        message = fields.inner("message")
        events = self.reasoning(message.text("thinking")) + self.text(message.text("content"))
        for call in message.items("tool_calls"):
            function = call.inner("function")
            self.tool_calls.append(
                tool_call(call.text("id"), function.text("name"), function.as_json("arguments"))
            )
        if fields.flag("done"):
            self.ended = True
            self.finish_reason = fields.text("done_reason") or "stop"
            self.usage = Usage(fields.count("prompt_eval_count"), fields.count("eval_count"))
            self.timings = _timings(fields)
        return events


def _timings(fields: Fields) -> Timings:
    """Ollama counts in nanoseconds. It gives no rate of reading the prompt: its count includes cached tokens, its
    duration does not."""
    tokens, seconds = fields.count("eval_count"), _seconds(fields, "eval_duration")
    return Timings(
        total_s=_seconds(fields, "total_duration"),
        load_s=_seconds(fields, "load_duration"),
        tokens_per_s=tokens / seconds if tokens and seconds else None,
    )


def _seconds(fields: Fields, key: str) -> float | None:
    nanoseconds = fields.number(key)
    return None if nanoseconds is None else nanoseconds / 1e9


def _model(entry: Fields, running: Mapping[str, ollama.ProcessResponse.Model] | None) -> Model:
    details = entry.inner("details")
    name = entry.text("name") or entry.text("model")
    loaded = None if running is None else running.get(full_name(name))
    elsewhere = safe_line(entry.text("remote_host"), 100)
    return Model(
        name=safe_line(name),
        size=entry.count("size") if not elsewhere else None,
        parameters=safe_line(details.text("parameter_size"), 20),
        quantization=safe_line(details.text("quantization_level"), 20),
        family=safe_line(details.text("family"), 40),
        context_trained=details.count("context_length") or None,
        context_loaded=(loaded.context_length or None) if loaded is not None else None,
        loaded=None if running is None else loaded is not None,
        memory=int(loaded.size) if loaded is not None and loaded.size else None,
        capabilities=tuple(safe_line(word, 20) for word in entry.texts("capabilities")),
        note=f"runs at {elsewhere}, not here" if elsewhere else "",
    )


def _chats(model: Model) -> bool:
    return (not model.capabilities or "completion" in model.capabilities) and not model.note


def full_name(name: str) -> str:
    """A model's name as Ollama compares it: the tag written out, the default host and namespace left out."""
    short = name.strip().lower().removeprefix("registry.ollama.ai/").removeprefix("library/")
    return short if ":" in short.rpartition("/")[2] else f"{short}:latest"


def _message(turn: Turn) -> dict[str, object]:
    message: dict[str, object] = {"role": turn.role.value, "content": text_of(turn)}
    if pictures := pictures_of(turn):
        message["images"] = [base64_of(picture) for picture in pictures]
    return message
