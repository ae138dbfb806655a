"""llama-server of llama.cpp: one model, or a router that loads the models that are asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING
from urllib.parse import quote

from tui.core.endpoint import ServerKind
from tui.core.events import Event, Phase, Progress
from tui.core.model import Model, ModelState, ServerInfo
from tui.core.model_actions import ModelAction, ModelActions
from tui.core.parameters import for_server
from tui.core.request import ChatRequest
from tui.core.text import safe_line
from tui.errors import AuthRequired, NotAModelServer, Refused, ServerError, StillLoading
from tui.servers.answer import plain_number
from tui.servers.errors import complaint_in
from tui.servers.gather import gather_or_cancel
from tui.servers.http.framing import Sse
from tui.servers.http.http_client import Reply
from tui.servers.json_object import JsonObject
from tui.servers.kinds.openai_chunks import messages_of
from tui.servers.kinds.openai_request import CHAT, answer_for, chat_body, without_thought
from tui.servers.probe_replies import MODELS, ProbeReplies
from tui.servers.profile import Capabilities, Hints, Recognition, ServerProfile, Setup, SetupStep
from tui.servers.server_client import ServerClient

if TYPE_CHECKING:
    from tui.core.rendered_prompt import RenderedPrompt
    from tui.servers.model_manager import ModelManager

_KIND = ServerKind.LLAMACPP
_HEALTH_EVERY_S = 0.25
_SLOT = "/slots/0"
_HEALTH, _PROPS = "/health", "/props"


def _recognise(replies: ProbeReplies) -> ServerInfo | None:
    health = replies.reply(_HEALTH)
    if health is not None and health.status in (200, 503) and health.server.lower().startswith("llama.cpp"):
        return info_from(replies.url, replies.reply(_PROPS))
    if any(_says_loading(replies.reply(path)) for path in (_HEALTH, MODELS)):
        return ServerInfo(_KIND, replies.url)  # a proxy has put in a name of its own
    return None


def _says_loading(reply: Reply | None) -> bool:
    """Whether it is what llama-server says to everything while it loads its model."""
    if reply is None or reply.status != 503:
        return False
    complaint = complaint_in(reply.body)
    return complaint.type == "unavailable_error" and "loading model" in complaint.text.lower()


PROFILE = ServerProfile(
    _KIND,
    Hints(
        start="Start it with: llama-server -m model.gguf",
        start_command="llama-server -m model.gguf",
        get_model="Put a GGUF file into its --models-dir",
        enlarge_window="--ctx-size of llama-server",
        window_is_fixed="llama-server sets it when it starts: --ctx-size",
        setup=Setup(
            "a GGUF file and nothing else",
            (
                SetupStep("llama-server -m model.gguf", "answers on port 8080"),
                SetupStep("lokal --gguf model.gguf", "the one built into lokal"),
            ),
        ),
    ),
    Capabilities(resumes=True, loads_on_request=True, counts_tokens=True, structured=True),
    Recognition((_HEALTH, _PROPS), _recognise, "llamacpp"),
    ports=(9931, 8080),  # now, and of old
    refuses_overflow=True,
    ignores_model_name=True,
    takes_load_flags=True,
    model_actions=ModelActions()
    .but("llama-server runs GGUF files as they are", ModelAction.COPY, ModelAction.CREATE)
    .but("llama-server has one time for all models: --sleep-idle-seconds", ModelAction.KEEP)
    .but("llama-server begins a download that was stopped from its start", ModelAction.PAUSE_PULL)
    .but("llama-server does not look for newer versions", ModelAction.UPDATE),
)


class LlamaCppServer(ServerClient):
    """A llama-server."""

    profile = PROFILE

    async def info(self) -> ServerInfo:
        """Its build, and whether it is a router."""
        health, props = await gather_or_cancel(self._http.get(_HEALTH), self._http.get(_PROPS))
        if health.status not in (200, 503) or not health.fields():
            self._object(health)
            raise NotAModelServer(
                f"{self.endpoint.address} does not answer like llama.cpp", "", "Check the address"
            )
        return info_from(self.endpoint.address, props)

    async def models(self) -> tuple[Model, ...]:
        """The models that it has; a router's that failed to load carry a note and come last."""
        models = [model_from(entry) for entry in (await self._get(MODELS)).items("data") if entry.text("id")]
        return tuple(sorted(models, key=lambda model: bool(model.note)))

    def _new_model_manager(self) -> ModelManager:
        from tui.servers.kinds.llamacpp_models import LlamaCppModelManager

        return LlamaCppModelManager(self, self._requests)

    async def save_slot(self, name: str) -> int:
        """Save the first slot into a file of that name in the server's folder for slots; how many tokens. Raises ServerError."""
        return (await self._ask(f"{_SLOT}?action=save", {"filename": name})).count("n_saved") or 0

    async def restore_slot(self, name: str) -> int:
        """Restore the first slot from that file; how many tokens. Raises ServerError, and the slot is then empty."""
        return (await self._ask(f"{_SLOT}?action=restore", {"filename": name})).count("n_restored") or 0

    async def context_window(self, model: str) -> int | None:
        """The window of one slot; None while a router has not loaded the model."""
        try:
            props = await self._get(_PROPS)
            if props.text("role") == "router":
                # Without autoload=false the question itself would load the model.
                props = await self._get(f"{_PROPS}?model={quote(model, safe='')}&autoload=false", model)
        except AuthRequired:
            return next((m.context_loaded for m in await self.models() if m.name == model), None)
        except StillLoading:
            return None
        except Refused as refusal:
            if refusal.status == 400:
                return None
            raise
        return props.inner("default_generation_settings").count("n_ctx") or None

    async def _is_loaded(self, model: str) -> bool | None:
        try:
            return next((m.loaded for m in await self.models() if m.name == model), None)
        except ServerError:
            return None

    async def _answer(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        try:
            async with aclosing(self._one_answer(request)) as events:
                async for event in events:
                    yield event
            return
        except StillLoading:
            yield Progress(Phase.LOADING)
        await self._until_loaded()
        async with aclosing(self._one_answer(request)) as events:
            async for event in events:
                yield event

    async def _templated(self, request: ChatRequest) -> str:
        told = {"model": request.model, "messages": messages_of(request.turns)}
        parameters = for_server(without_thought(request).parameters, _KIND).body
        return (await self._ask("/apply-template", {**told, **parameters}, request.model)).text("prompt")

    async def _render(self, request: ChatRequest) -> RenderedPrompt | None:
        from tui.core.rendered_prompt import RenderedPrompt

        prompt = await self._templated(request)
        return RenderedPrompt(prompt) if prompt else None

    async def _count(self, request: ChatRequest) -> int | None:
        if not (prompt := await self._templated(request)):
            return None
        body = {"model": request.model, "content": prompt, "add_special": True, "parse_special": True}
        return (await self._ask("/tokenize", body, request.model)).length("tokens")

    async def _until_loaded(self) -> None:
        while True:
            if (await self._http.get(_HEALTH)).status != 503:
                return
            await asyncio.sleep(_HEALTH_EVERY_S)

    def _one_answer(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        outgoing = for_server(without_thought(request).parameters, _KIND)
        body = {**chat_body(request, outgoing), "return_progress": True}
        answer = answer_for(request, self._asked(request.model))
        return self._stream(CHAT, body, answer, Sse())


def info_from(url: str, props: Reply | None) -> ServerInfo:
    """What `/props`, which may want a key, says."""
    told = props.fields() if props is not None and props.status == 200 else JsonObject()
    return ServerInfo(
        _KIND,
        url,
        version=safe_line(told.text("build_info"), 40),
        router=told.text("role") == "router",
    )


def model_from(entry: JsonObject) -> Model:
    """What the list of llama-server says of a model; a router's has a status besides."""
    meta, status = entry.inner("meta"), entry.inner("status")
    state = status.text("value")
    size, parameters = meta.count("size"), meta.count("n_params")
    inputs = entry.inner("architecture").texts("input_modalities")
    name = safe_line(entry.text("id"))
    aliases = (safe_line(alias) for alias in entry.texts("aliases"))
    return Model(
        name=name,
        size=size,
        parameters=plain_number(parameters) if parameters else "",
        quantization=_quantization(meta.text("ftype")),
        context_trained=meta.count("n_ctx_train") or None,
        context_loaded=meta.count("n_ctx") or None,
        loaded=state == "loaded" if state else True,
        capabilities=("completion", "vision") if "image" in inputs else ("completion",),
        note=_note(status, state),
        aliases=tuple(alias for alias in aliases if alias != name),
        status=ModelState.FAILED if status.flag("failed") else _STATES.get(state),
    )


_STATES = {
    "loading": ModelState.LOADING,
    "sleeping": ModelState.SLEEPING,
    "downloading": ModelState.DOWNLOADING,
}


def _note(status: JsonObject, state: str) -> str:
    if status.flag("failed"):
        code = status.count("exit_code")
        return "could not be loaded" + (f" (exit code {code})" if code is not None else "")
    return "is being downloaded" if state == "downloading" else ""


def _quantization(ftype: str) -> str:
    """llama.cpp's `Q4_K - Medium` as everybody writes it: `Q4_K_M`."""
    for word, letter in ((" - Small", "_S"), (" - Medium", "_M"), (" - Large", "_L")):
        ftype = ftype.replace(word, letter)
    return safe_line(ftype, 20)
