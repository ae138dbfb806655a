"""Servers with OpenAI's `/v1`: LM Studio, vLLM, text-generation-webui, and any other."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from tui.core.endpoint import Endpoint, ServerKind
from tui.core.events import Event
from tui.core.model import Model, ServerInfo
from tui.core.parameters import for_server
from tui.core.request import ChatRequest
from tui.core.text import safe_line
from tui.errors import AuthRequired, Refused, ServerError
from tui.servers.base import Capabilities
from tui.servers.client import ServerClient
from tui.servers.http import SILENCE_S
from tui.servers.openai_chunks import OpenAIAnswer, messages_of
from tui.servers.stream import Sse
from tui.servers.structured import structure_for
from tui.servers.wire import Fields

_CAPABILITIES = {
    ServerKind.LMSTUDIO: Capabilities(loads_on_request=True, knows_loaded=True, structured=True),
    ServerKind.VLLM: Capabilities(resumes=True, knows_loaded=True, counts_tokens=True, structured=True),
    ServerKind.TEXTGEN: Capabilities(knows_loaded=True, counts_tokens=True),
    ServerKind.OPENAI: Capabilities(structured=True),
}


class OpenAIServer(ServerClient):
    """A server of one of these kinds. Raises KeyError for a kind that has a class of its own."""

    def __init__(
        self, endpoint: Endpoint, kind: ServerKind = ServerKind.OPENAI, silence_s: float = SILENCE_S
    ) -> None:
        super().__init__(endpoint, kind, _CAPABILITIES[kind], silence_s)

    async def info(self) -> ServerInfo:
        """Its version, if it tells one, and whether it wants a key."""
        version = ""
        if self.kind is ServerKind.VLLM:
            version = safe_line((await self._http.get("/version")).fields().text("version"), 40)
        try:
            await self._get("/v1/models")
        except AuthRequired:
            return ServerInfo(self.kind, self.endpoint.url, version, needs_key=True)
        return ServerInfo(self.kind, self.endpoint.url, version)

    async def models(self) -> tuple[Model, ...]:
        """The models that it has, with what the kind says beside their names; those for embeddings come last."""
        if self.kind is ServerKind.TEXTGEN and (loaded := await self._textgen_model()) is not None:
            return loaded
        listed = (await self._get("/v1/models")).items("data")
        told = await self._lmstudio_models() if self.kind is ServerKind.LMSTUDIO else {}
        models = [self._model(entry, told.get(entry.text("id"))) for entry in listed if entry.text("id")]
        return tuple(sorted(models, key=lambda model: "embedding" in model.capabilities))

    async def context_window(self, model: str) -> int | None:
        """The window that the model is loaded with, where the server tells."""
        if self.kind not in (ServerKind.VLLM, ServerKind.LMSTUDIO):
            return None
        return next((m.context_loaded for m in await self.models() if m.name == model), None)

    async def _count(self, request: ChatRequest) -> int | None:
        body: dict[str, object] = {"model": request.model, "messages": messages_of(request.turns)}
        parameters = for_server(request.parameters, self.kind).body
        if self.kind is ServerKind.TEXTGEN:
            prompt = (await self._ask("/v1/internal/chat-prompt", {**body, **parameters})).text("prompt")
            counted = await self._ask("/v1/internal/token-count", {"text": prompt}) if prompt else Fields()
            return counted.count("length")
        body |= {"add_generation_prompt": not request.resume, "continue_final_message": request.resume}
        if "chat_template_kwargs" in parameters:
            body["chat_template_kwargs"] = parameters["chat_template_kwargs"]
        return (await self._ask("/tokenize", body, request.model)).count("count")

    async def _is_loaded(self, model: str) -> bool | None:
        if self.kind is not ServerKind.LMSTUDIO:
            return None
        try:
            return _loaded((await self._lmstudio_models()).get(model))
        except ServerError:
            return None

    async def _lmstudio_models(self) -> dict[str, Fields]:
        """LM Studio's own list by identifier; empty where this version has none."""
        try:
            return {entry.text("id"): entry for entry in (await self._get("/api/v0/models")).items("data")}
        except Refused:
            return {}

    async def _textgen_model(self) -> tuple[Model, ...] | None:
        """The one model that text-generation-webui has loaded. Old versions list names on `/v1/models` that are none."""
        try:
            info = await self._get("/v1/internal/model/info")
        except AuthRequired:
            raise
        except ServerError:
            return None
        name = info.text("model_name")
        return () if name in ("", "None") else (Model(safe_line(name), loaded=True),)

    def _model(self, entry: Fields, told: Fields | None) -> Model:
        name = safe_line(entry.text("id"))
        if self.kind is ServerKind.VLLM:
            window = entry.count("max_model_len") or None
            return Model(name, context_trained=None, context_loaded=window, loaded=True)
        if told is None:
            return Model(name)
        kinds = {"llm": ("completion",), "vlm": ("completion", "vision"), "embeddings": ("embedding",)}
        tools = ("tools",) if "tool_use" in told.texts("capabilities") else ()
        return Model(
            name,
            quantization=safe_line(told.text("quantization"), 20),
            family=safe_line(told.text("arch"), 40),
            context_trained=told.count("max_context_length") or None,
            context_loaded=told.count("loaded_context_length") or None,
            loaded=_loaded(told),
            capabilities=kinds.get(told.text("type"), ()) + tools,
        )

    def _answer(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        body: dict[str, object] = {
            "model": request.model,
            "messages": messages_of(request.turns),
            "stream": True,
            "stream_options": {"include_usage": True},
            **for_server(request.parameters, self.kind).body,
            **structure_for(request.schema, self.kind),
        }
        if request.resume:
            body |= {"add_generation_prompt": False, "continue_final_message": True}
        answer = OpenAIAnswer(self._asked(request.model), resumed=request.resume)
        return self._stream("/v1/chat/completions", body, answer, Sse())


def _loaded(told: Fields | None) -> bool | None:
    state = told.text("state") if told is not None else ""
    return state == "loaded" if state else None
