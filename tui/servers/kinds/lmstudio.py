"""LM Studio: OpenAI's `/v1` for the chat, and its own `/api/v1`, before 0.4.0 `/api/v0`, for what it tells of its models."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tui.core.endpoint import ServerKind
from tui.core.model import Model, ServerInfo
from tui.core.model_actions import ModelAction, ModelActions
from tui.core.text import safe_line
from tui.errors import AuthRequired, Refused, ServerError
from tui.servers.json_object import JsonObject
from tui.servers.kinds.openai import OpenAIServer
from tui.servers.probe_replies import ProbeReplies
from tui.servers.profile import Capabilities, Hints, Recognition, ServerProfile

if TYPE_CHECKING:
    from tui.servers.model_manager import ModelManager

_KIND = ServerKind.LMSTUDIO
_GREETING = "/lmstudio-greeting"
V1_MODELS = "/api/v1/models"
"""Its own list, from version 0.4.0 on."""
_TYPES = {
    "llm": ("completion",),
    "vlm": ("completion", "vision"),
    "embeddings": ("embedding",),
    "embedding": ("embedding",),
}


def _recognise(replies: ProbeReplies) -> ServerInfo | None:
    if not replies.fields(_GREETING).flag("lmstudio"):
        return None
    return ServerInfo(_KIND, replies.url)


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
    model_actions=ModelActions()
    .but("LM Studio deletes models on its own page only: My Models", ModelAction.DELETE)
    .but("LM Studio runs model files as they are", ModelAction.COPY, ModelAction.CREATE)
    .but("LM Studio has its own idle time for this, in its developer settings", ModelAction.KEEP)
    .but(
        "LM Studio stops and pauses downloads on its own page only",
        ModelAction.CANCEL_PULL,
        ModelAction.PAUSE_PULL,
    )
    .but("LM Studio does not look for newer versions", ModelAction.UPDATE)
    .but("LM Studio loads no LoRA adapters", ModelAction.SCALE_ADAPTERS),
    ignores_model_name=True,
)


class LMStudioServer(OpenAIServer):
    """An LM Studio server."""

    profile = PROFILE

    takes_json_object = False

    def _new_model_manager(self) -> ModelManager:
        from tui.servers.kinds.lmstudio_models import LMStudioModelManager

        return LMStudioModelManager(self, self._requests)

    async def models(self) -> tuple[Model, ...]:
        """The models that it has, those for embeddings last."""
        listed, told = await self._listed(), await self.told()
        names = [entry.text("id") for entry in listed]
        return _embeddings_last(told.get(name, Model(safe_line(name))) for name in names)

    async def all_models(self) -> tuple[Model, ...]:
        """Those too that OpenAI's list leaves out while loading on request is switched off: they are not loaded."""
        asked_for = {model.name: model for model in await self.models()}
        return _embeddings_last({**await self.told(), **asked_for}.values())

    async def context_window(self, model: str) -> int | None:
        """The window that the model is loaded with; None while it is not."""
        return next((m.context_loaded for m in await self.models() if m.name == model), None)

    async def _is_loaded(self, model: str) -> bool | None:
        try:
            return told.loaded if (told := (await self.told()).get(model)) is not None else None
        except ServerError:
            return None

    async def told(self) -> dict[str, Model]:
        """Its own list by identifier, that of version 0.4.0 or the one before; empty where it has none."""
        newer = await self._list_at(V1_MODELS)
        if newer.length("models") is not None:
            return {
                entry.text("key"): _model_from_v1(entry)
                for entry in newer.items("models")
                if entry.text("key")
            }
        older = await self._list_at("/api/v0/models")
        return {entry.text("id"): _model(entry) for entry in older.items("data") if entry.text("id")}

    async def _list_at(self, path: str) -> JsonObject:
        """An object with its list, empty where this version does not know the path."""
        try:
            return await self._get(path)
        except AuthRequired:
            raise
        except Refused:
            return JsonObject()


def _embeddings_last(models: Iterable[Model]) -> tuple[Model, ...]:
    return tuple(sorted(models, key=lambda model: "embedding" in model.capabilities))


def _model_from_v1(entry: JsonObject) -> Model:
    """A model as `/api/v1/models` describes it."""
    instances, can = entry.items("loaded_instances"), entry.inner("capabilities")
    windows = [instance.inner("config").count("context_length") for instance in instances]
    capabilities = _TYPES.get(entry.text("type"), ())
    capabilities += tuple(
        word
        for word, has in (
            ("vision", can.flag("vision")),
            ("tools", can.flag("trained_for_tool_use")),
            ("thinking", bool(can.inner("reasoning"))),
        )
        if has
    )
    return Model(
        safe_line(entry.text("key")),
        size=entry.count("size_bytes"),
        parameters=safe_line(entry.text("params_string"), 20),
        quantization=safe_line(entry.inner("quantization").text("name"), 20),
        family=safe_line(entry.text("architecture"), 40),
        context_trained=entry.count("max_context_length") or None,
        context_loaded=next(filter(None, windows), None),
        loaded=bool(instances),
        capabilities=capabilities,
    )


def _model(told: JsonObject) -> Model:
    """A model as `/api/v0/models` describes it."""
    tools = ("tools",) if "tool_use" in told.texts("capabilities") else ()
    state = told.text("state")
    return Model(
        safe_line(told.text("id")),
        quantization=safe_line(told.text("quantization"), 20),
        family=safe_line(told.text("arch"), 40),
        context_trained=told.count("max_context_length") or None,
        context_loaded=told.count("loaded_context_length") or None,
        loaded=state == "loaded" if state else None,
        capabilities=_TYPES.get(told.text("type"), ()) + tools,
    )
