"""Ollama, over its own API: `/api/chat` streams NDJSON and, unlike its OpenAI one, takes the context window and says
when an answer went wrong on the way."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.core.endpoint import Endpoint, ServerKind
from tui.core.events import Event
from tui.core.message import Timings, Usage
from tui.core.model import Model, ServerInfo
from tui.core.model_actions import ModelAction, ModelActions
from tui.core.parameters import for_server
from tui.core.request import ChatRequest, Turn
from tui.core.schema import Schema
from tui.core.text import safe_line
from tui.errors import AuthRequired, BadReply, Refused, ServerError
from tui.servers.answer import CALL_SIZE, Answer, tool_call
from tui.servers.attachments import base64_of, pictures_of, text_of
from tui.servers.errors import FOREIGN_HOST, Asked, ServerErrorBody, complaint_in, refused, wants_key
from tui.servers.http.framing import Ndjson
from tui.servers.http.http_client import ASK_S, check
from tui.servers.json_object import JsonObject
from tui.servers.kinds.ollama_host import PORT
from tui.servers.kinds.ollama_package import new_client
from tui.servers.probe_replies import VERSION, ProbeReplies
from tui.servers.profile import Capabilities, Hints, Recognition, ServerProfile, Setup, SetupStep
from tui.servers.server_client import ServerClient
from tui.servers.times import moment

if TYPE_CHECKING:
    import ollama

    from tui.core.rendered_prompt import RenderedPrompt
    from tui.servers.model_manager import ModelManager

_KIND = ServerKind.OLLAMA
_LATEST = ":latest"
"""The tag that a name without one means."""
_NUM_CTX = re.compile(r"^num_ctx\s+(\d{1,9})\s*$", re.MULTILINE)
"""The window in the parameters of a model's own file, as `/api/show` lists them."""


@dataclass(frozen=True, slots=True)
class Running:
    """A model in memory: its full name, its size in bytes and its context window in tokens; 0 where it is not told."""

    name: str
    size: int
    context_window: int


def _recognise(replies: ProbeReplies) -> ServerInfo | None:
    version = replies.fields(VERSION).text("version")
    return ServerInfo(_KIND, replies.url, safe_line(version, 40)) if version else None


def _explain_refusal(complaint: ServerErrorBody, status: int, asked: Asked) -> ServerError | None:
    """It takes no requests for a foreign host name, has models in a cloud that wants an account, and asks for no key
    itself."""
    text = complaint.text
    code = status if status >= 400 else complaint.code
    if complaint.by_proxy and code in (401, 403, 407):
        return None
    if code == 403:
        return Refused("Ollama refuses this address", text, "" if text else FOREIGN_HOST, status)
    if not complaint.is_about_key(code):
        return None
    # What is said of an answer may be that of its cloud, and names that or its model.
    cloud = (
        "ollama.com" in text or "cloud" in asked.model.rpartition(":")[2] or text.lower() == "unauthorized"
    )
    if asked.model and cloud:
        return AuthRequired(
            "This model runs in Ollama's cloud",
            text,
            "Sign in with: ollama signin, or choose a local model",
            status,
        )
    return wants_key("What is before Ollama", text, status, asked.endpoint)


_PULL = "ollama pull llama3.2:3b"

PROFILE = ServerProfile(
    _KIND,
    Hints(
        start="Start it with: ollama serve",
        start_command="ollama serve",
        get_model="Get one, such as: ollama pull llama3.2",
        model_command=_PULL,
        missing_model="Get it with: ollama pull {model}",
        enlarge_window="context_window among the parameters",
        setup=Setup(
            "easiest to begin with: it fetches models by name",
            (
                SetupStep("curl -fsSL https://ollama.com/install.sh | sh", "if it is not installed"),
                SetupStep("ollama serve", "starts it"),
                SetupStep(_PULL, "a model, 2 GB"),
            ),
        ),
    ),
    Capabilities(loads_on_request=True, structured=True),
    Recognition((VERSION,), _recognise),
    ports=(PORT,),
    refuses_overflow=True,
    lists_models_always=True,
    has_library=True,
    model_actions=ModelActions().but(
        "In Ollama an adapter is part of a model that is made with ADAPTER in its Modelfile",
        ModelAction.SCALE_ADAPTERS,
    ),
    explain_refusal=_explain_refusal,
)


class OllamaServer(ServerClient):
    """An Ollama server."""

    profile = PROFILE

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint)
        self._manager: ollama.AsyncClient | None = None
        self._has_manager: bool | None = None
        self._named_none: dict[str, bool] = {}
        """By model, whether the last question to it left the window to the server."""

    @property
    def uses_package(self) -> bool:
        """Whether the `ollama` package was used for a question so far."""
        return self._manager is not None

    async def info(self) -> ServerInfo:
        """Its version."""
        reply = await self._get(VERSION)
        return ServerInfo(_KIND, self.endpoint.url, safe_line(reply.text("version"), 40))

    async def models(self) -> tuple[Model, ...]:
        """The models on disk in Ollama's order, newest first, with what is in memory. Those that only make embeddings
        come last; one that runs in Ollama's cloud carries a note, for a question to it would leave this machine."""
        # Not with the ollama package: its types drop the capabilities.
        listed = (await self._get("/api/tags")).items("models")
        try:
            running = {entry.name: entry for entry in await self._running()}
        except ServerError:
            running = None
        models = [_model(entry, running) for entry in listed if entry.text("name") or entry.text("model")]
        return tuple(sorted(models, key=lambda model: not _chats(model)))

    async def context_window(self, model: str) -> int | None:
        """The window of a question that names none: that of the model's own file, or what the model is loaded with after
        such a question of ours. None where neither is known: what another program has loaded it with is not kept, as
        Ollama loads a model anew for another window."""
        name = full_name(model)
        if self._named_none.get(name):
            return next(
                (entry.context_window or None for entry in await self._running() if entry.name == name), None
            )
        try:
            told = await self._ask("/api/show", {"model": model}, model)
        except ServerError:
            return None
        own = _NUM_CTX.search(told.text("parameters"))
        trained = told.inner("model_info").count(
            f"{told.inner('model_info').text('general.architecture')}.context_length"
        )
        return min(int(own[1]), trained or int(own[1])) if own is not None else None

    async def largest_window(self, model: str) -> int | None:
        """What the model was made for: `num_ctx` goes up to that."""
        told = (await self._ask("/api/show", {"model": model}, model)).inner("model_info")
        return told.count(f"{told.text('general.architecture')}.context_length") or None

    async def _is_loaded(self, model: str) -> bool | None:
        try:
            running = await self._running()
        except ServerError:
            return None
        return any(entry.name == full_name(model) for entry in running)

    def _new_model_manager(self) -> ModelManager:
        from tui.servers.kinds.ollama_models import OllamaModelManager

        return OllamaModelManager(
            self, self._requests, on_window=lambda model: self._named_none.pop(full_name(model), None)
        )

    async def aclose(self) -> None:
        """Close all connections."""
        manager, self._manager = self._manager, None
        if manager is not None:
            await manager.close()  # type: ignore[no-untyped-call]  # the package does not annotate it
        await super().aclose()

    async def _running(self) -> tuple[Running, ...]:
        """What is in memory. Raises ServerError."""
        if self._has_manager is None:
            check(self.endpoint)
            manager = await asyncio.to_thread(new_client, self.endpoint, os.environ, ASK_S)
            self._manager = self._manager or manager
            self._has_manager = self._manager is not None
        if self._manager is None:
            return tuple(
                Running(
                    full_name(entry.text("model") or entry.text("name")),
                    entry.count("size") or 0,
                    entry.count("context_length") or 0,
                )
                for entry in (await self._get("/api/ps")).items("models")
            )
        return await self._listed_by(self._manager)

    async def _listed_by(self, manager: ollama.AsyncClient) -> tuple[Running, ...]:
        import ollama

        from tui.servers.http import transport

        try:
            with transport.translated(self.endpoint):
                async with asyncio.timeout(ASK_S):
                    listed = (await manager.ps()).models
        except ollama.ResponseError as error:
            raise refused(complaint_in(str(error.error)), error.status_code, self._asked()) from error
        except (ValueError, TypeError, RecursionError) as error:  # not JSON, or not as the package wants it
            raise BadReply(
                f"{self.endpoint.url} does not answer like Ollama",
                safe_line(self.endpoint.masked(str(error)), 200),
                "Check the address",
            ) from error
        return tuple(
            Running(
                full_name(entry.model or entry.name or ""),
                max(0, entry.size or 0),
                max(0, entry.context_length or 0),
            )
            for entry in listed
        )

    async def _render(self, request: ChatRequest) -> RenderedPrompt | None:
        from tui.core.rendered_prompt import RenderedPrompt

        if not renders_prompts((await self.info()).version):
            return None  # an older one would not know the field, and answer
        body = {**self._body(request), "stream": False, "_debug_render_only": True}
        told = (await self._ask("/api/chat", body, request.model)).inner("_debug_info")
        text = told.text("rendered_template")
        return RenderedPrompt(text) if text else None

    def _answer(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        body = self._body(request)
        self._named_none[full_name(request.model)] = "context_window" not in request.parameters
        answer = OllamaAnswer(self._asked(request.model))
        return self._stream("/api/chat", body, answer, Ndjson())

    def _body(self, request: ChatRequest) -> dict[str, object]:
        return {
            "model": request.model,
            "messages": [_message(turn) for turn in request.turns],
            "stream": True,
            # What does not fit is refused and said, never cut out of the conversation without a word.
            "truncate": False,
            "shift": False,
            **for_server(request.parameters, _KIND).body,
            **_format(request.schema),
        }


_RENDERS_FROM = (0, 11, 5)


def renders_prompts(version: str) -> bool:
    """Whether an Ollama of that version shows a prompt instead of answering it."""
    numbers = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    return numbers is not None and tuple(map(int, numbers.groups())) >= _RENDERS_FROM


class OllamaAnswer(Answer):
    """Reads the records of `/api/chat`. The last one may hold text and tool calls too."""

    def record(self, fields: JsonObject) -> list[Event]:
        message = fields.inner("message")
        events = self.message(message)
        for call in message.items("tool_calls"):
            function = call.inner("function")
            arguments = function.as_json("arguments")
            if self.spend(len(arguments) + CALL_SIZE):
                self.tool_calls.append(tool_call(call.text("id"), function.text("name"), arguments))
        if fields.flag("done"):
            self.ended = True
            self.finish_reason = fields.text("done_reason") or "stop"
            self.usage = Usage(fields.count("prompt_eval_count"), fields.count("eval_count"))
            self.timings = _timings(fields)
        return events


def _timings(fields: JsonObject) -> Timings:
    """Ollama counts in nanoseconds. It gives no rate of reading the prompt: its count includes cached tokens, its
    duration does not."""
    tokens, seconds = fields.count("eval_count"), _seconds(fields, "eval_duration")
    return Timings(
        total_s=_seconds(fields, "total_duration"),
        load_s=_seconds(fields, "load_duration"),
        tokens_per_s=tokens / seconds if tokens and seconds else None,
    )


def _seconds(fields: JsonObject, key: str) -> float | None:
    nanoseconds = fields.number(key)
    return None if nanoseconds is None else nanoseconds / 1e9


def _model(entry: JsonObject, running: Mapping[str, Running] | None) -> Model:
    details = entry.inner("details")
    name = entry.text("name") or entry.text("model")
    loaded = None if running is None else running.get(full_name(name))
    elsewhere = safe_line(entry.text("remote_host"), 100)
    capabilities = tuple(safe_line(word, 20) for word in entry.texts("capabilities"))
    return Model(
        name=safe_line(name),
        aliases=(safe_line(name.removesuffix(_LATEST)),) if name.endswith(_LATEST) else (),
        size=entry.count("size") if not elsewhere else None,
        parameters=safe_line(details.text("parameter_size"), 20),
        quantization=safe_line(details.text("quantization_level"), 20),
        family=safe_line(details.text("family"), 40),
        context_trained=details.count("context_length") or None,
        context_loaded=(loaded.context_window or None) if loaded is not None else None,
        loaded=None if running is None else loaded is not None,
        memory=(loaded.size or None) if loaded is not None else None,
        capabilities=capabilities,
        thinks="thinking" in capabilities if capabilities else None,
        note=f"runs at {elsewhere}, not here" if elsewhere else "",
        changed_at=moment(entry.text("modified_at")),
        digest=safe_line(entry.text("digest"), 100),
        elsewhere=bool(elsewhere),
    )


def _chats(model: Model) -> bool:
    return (not model.capabilities or "completion" in model.capabilities) and not model.note


def full_name(name: str) -> str:
    """A model's name as Ollama compares it: the tag written out, the default host and namespace left out."""
    short = name.strip().lower().removeprefix("registry.ollama.ai/").removeprefix("library/")
    return short if ":" in short.rpartition("/")[2] else short + _LATEST


def _format(schema: Schema | None) -> Mapping[str, object]:
    """The field that holds an answer to a schema, or to JSON of any form."""
    if schema is None:
        return {}
    return {"format": schema.root() if schema.text else "json"}


def _message(turn: Turn) -> dict[str, object]:
    message: dict[str, object] = {"role": turn.role.value, "content": text_of(turn)}
    if pictures := pictures_of(turn):
        message["images"] = [base64_of(picture) for picture in pictures]
    return message
