"""LM Studio: OpenAI's `/v1` for the chat, and its own `/api/v0` for what it tells of its models."""

from __future__ import annotations

from tui.core.endpoint import ServerKind
from tui.core.model import Model, ServerInfo
from tui.core.text import safe_line
from tui.errors import Refused, ServerError
from tui.servers.json_object import JsonObject
from tui.servers.kinds.openai import OpenAIServer
from tui.servers.probe_replies import ProbeReplies
from tui.servers.profile import Capabilities, Hints, Recognition, ServerProfile

_KIND = ServerKind.LMSTUDIO
_GREETING = "/lmstudio-greeting"
_TYPES = {"llm": ("completion",), "vlm": ("completion", "vision"), "embeddings": ("embedding",)}


def _recognise(replies: ProbeReplies) -> ServerInfo | None:
    if not replies.fields(_GREETING).flag("lmstudio"):
        return None
    return ServerInfo(_KIND, replies.url, needs_key=replies.needs_key)


PROFILE = ServerProfile(
    _KIND,
    Hints(
        start="Start its server in LM Studio, or with: lms server start",
        get_model="Download one in LM Studio, or with: lms get",
        missing_model="Download it in LM Studio, or with: lms get",
        enlarge_window="context length when the model is loaded in LM Studio",
        window_is_fixed="LM Studio sets it when it loads the model",
    ),
    Capabilities(loads_on_request=True, structured=True),
    Recognition((_GREETING,), _recognise, "organization_owner"),
    ports=(1234,),
    ignores_model_name=True,
)


class LMStudioServer(OpenAIServer):
    """An LM Studio server."""

    profile = PROFILE

    takes_json_object = False

    async def models(self) -> tuple[Model, ...]:
        """The models that it has, those for embeddings last."""
        listed, told = await self._listed(), await self._told()
        models = [_model(entry, told.get(entry.text("id"))) for entry in listed]
        return tuple(sorted(models, key=lambda model: "embedding" in model.capabilities))

    async def context_window(self, model: str) -> int | None:
        """The window that the model is loaded with; None while it is not."""
        return next((m.context_loaded for m in await self.models() if m.name == model), None)

    async def _is_loaded(self, model: str) -> bool | None:
        try:
            return _loaded((await self._told()).get(model))
        except ServerError:
            return None

    async def _told(self) -> dict[str, JsonObject]:
        """Its own list by identifier; empty where this version has none."""
        try:
            return {entry.text("id"): entry for entry in (await self._get("/api/v0/models")).items("data")}
        except Refused:
            return {}


def _model(entry: JsonObject, told: JsonObject | None) -> Model:
    name = safe_line(entry.text("id"))
    if told is None:
        return Model(name)
    tools = ("tools",) if "tool_use" in told.texts("capabilities") else ()
    return Model(
        name,
        quantization=safe_line(told.text("quantization"), 20),
        family=safe_line(told.text("arch"), 40),
        context_trained=told.count("max_context_length") or None,
        context_loaded=told.count("loaded_context_length") or None,
        loaded=_loaded(told),
        capabilities=_TYPES.get(told.text("type"), ()) + tools,
    )


def _loaded(told: JsonObject | None) -> bool | None:
    state = told.text("state") if told is not None else ""
    return state == "loaded" if state else None
