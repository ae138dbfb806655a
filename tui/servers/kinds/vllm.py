"""vLLM: one model, which it reads when it starts, behind OpenAI's `/v1`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.core.endpoint import Endpoint, ServerKind
from tui.core.events import Event, Failed, NotSent
from tui.core.model import Model, ServerInfo
from tui.core.model_actions import ModelAction, none_but
from tui.core.parameters import for_server
from tui.core.request import ChatRequest
from tui.core.text import safe_line
from tui.errors import LokalError, Refused, ServerError
from tui.servers.http.framing import Sse
from tui.servers.json_object import JsonObject
from tui.servers.kinds.openai import OpenAIServer
from tui.servers.kinds.openai_chunks import messages_of
from tui.servers.kinds.openai_request import CHAT, answer_for, chat_body, not_sent, without_thought
from tui.servers.probe_replies import ProbeReplies
from tui.servers.profile import Capabilities, Hints, Recognition, ServerProfile

if TYPE_CHECKING:
    from tui.core.rendered_prompt import RenderedPrompt
    from tui.servers.model_manager import ModelManager

_KIND = ServerKind.VLLM
_VERSION = "/version"
_BUDGET = "thinking_budget"
_BUDGET_LEFT_OUT = f"{_BUDGET}, for which vLLM has to be started with --reasoning-parser"
SLEEP_S = 3.0
"""Seconds that vLLM may take to say whether it is asleep."""


def _recognise(replies: ProbeReplies) -> ServerInfo | None:
    reply, version = replies.reply(_VERSION), replies.fields(_VERSION).text("version")
    if not version or reply is None:
        return None
    if not reply.server.lower().startswith("uvicorn") and replies.owner != _OWNER:
        return None
    return ServerInfo(_KIND, replies.url, safe_line(version, 40))


_OWNER = "vllm"

PROFILE = ServerProfile(
    _KIND,
    Hints(
        start="vLLM answers only when the model is loaded; start it with: vllm serve MODEL",
        start_command="vllm serve MODEL",
        get_model="Start it with one: vllm serve MODEL",
        missing_model="vLLM has the model it was started with; names are exact, and the Models tab shows them",
        enlarge_window="--max-model-len of vLLM",
        window_is_fixed="vLLM sets it when it starts: --max-model-len",
    ),
    Capabilities(resumes=True, counts_tokens=True, structured=True),
    Recognition((_VERSION,), _recognise, _OWNER),
    ports=(8000,),
    model_actions=none_but(
        "vLLM has the one model that it was started with: vllm serve MODEL",
        ModelAction.SHOW_MEMORY,
        ModelAction.LOAD,
        ModelAction.UNLOAD,
    ).but("vLLM lists each LoRA adapter as a model: choose that one", ModelAction.SCALE_ADAPTERS),
    refuses_overflow=True,
)


class VllmServer(OpenAIServer):
    """A vLLM server. It remembers what it has learnt of it: how large the windows of its models are, that it takes no
    thinking budget, and that it does not say whether it is asleep."""

    profile = PROFILE

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint)
        self._windows: Mapping[str, int | None] = {}
        self._takes_budget = True
        self._says_asleep = True

    async def info(self) -> ServerInfo:
        """Its version, and whether it wants a key."""
        version = safe_line((await self._http.get(_VERSION)).fields().text("version"), 40)
        return replace(await super().info(), version=version)

    def _new_model_manager(self) -> ModelManager:
        from tui.servers.kinds.vllm_models import VllmModelManager

        return VllmModelManager(self, self._requests)

    async def models(self) -> tuple[Model, ...]:
        """Its model, by all its names, and the adapters on it."""
        models = tuple(
            Model(
                safe_line(entry.text("id")), context_loaded=entry.count("max_model_len") or None, loaded=True
            )
            for entry in await self._listed()
        )
        self._windows = {model.name: model.context_loaded for model in models}
        return models

    async def context_window(self, model: str) -> int | None:
        """The window that it was started with."""
        await self.models()
        return self._windows.get(model)

    async def _count(self, request: ChatRequest) -> int | None:
        return (await self._tokenized(request)).count("count")

    async def _render(self, request: ChatRequest) -> RenderedPrompt | None:
        from tui.core.rendered_prompt import RenderedPrompt

        told = await self._tokenized(request)
        tokens = told.numbers("tokens")
        if not tokens:
            return None
        asked = {"model": request.model, "tokens": list(tokens)}
        text = (await self._ask("/detokenize", asked, request.model)).text("prompt")
        return RenderedPrompt(text, told.count("count")) if text else None

    async def _tokenized(self, request: ChatRequest) -> JsonObject:
        """What its tokenizer makes of the prompt that the template makes."""
        body: dict[str, object] = {
            "model": request.model,
            "messages": messages_of(request.turns),
            "add_generation_prompt": not request.resume,
            "continue_final_message": request.resume,
        }
        parameters = for_server(without_thought(request).parameters, _KIND).body
        if "chat_template_kwargs" in parameters:
            body["chat_template_kwargs"] = parameters["chat_template_kwargs"]
        return await self._ask("/tokenize", body, request.model)

    async def _answer(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        if await self._is_asleep():
            raise Refused(
                "vLLM is asleep",
                "Its model is not in memory, and a question would wait until somebody wakes it",
                f"Wake it with: curl -X POST {self.endpoint.address}/wake_up",
            )
        request = without_thought(request)
        if "max_tokens" in request.parameters and request.model not in self._windows:
            await self._learn_windows()
        if _BUDGET in request.parameters and self._takes_budget:
            try:
                async with aclosing(self._one_answer(request)) as events:
                    async for event in events:
                        if isinstance(event, Failed) and _is_about_budget(event.error):
                            self._takes_budget = False
                            break
                        yield event
            except Refused as refusal:
                if not _is_about_budget(refusal):
                    raise
                self._takes_budget = False
            if self._takes_budget:
                return
        if _BUDGET in request.parameters:
            yield NotSent((_BUDGET_LEFT_OUT,), {_BUDGET: None})
            values = {name: value for name, value in request.parameters.items() if name != _BUDGET}
            request = replace(request, parameters=values)
        async with aclosing(self._one_answer(request)) as events:
            async for event in events:
                yield event

    async def _one_answer(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        outgoing = for_server(request.parameters, _KIND, self._windows.get(request.model))
        if (told := not_sent(request.parameters, outgoing)) is not None:
            yield told
        body = chat_body(request, outgoing)
        if request.resume:
            body |= {"add_generation_prompt": False, "continue_final_message": True}
        answer = answer_for(request, self._asked(request.model))
        async with aclosing(self._stream(CHAT, body, answer, Sse())) as events:
            async for event in events:
                yield event

    async def _learn_windows(self) -> None:
        try:
            await self.models()
        except ServerError:
            return

    async def _is_asleep(self) -> bool:
        """Whether it says that it is asleep. Only one in development mode answers this; it is the only one that sleeps."""
        if not self._says_asleep:
            return False
        try:
            reply = await self._http.get("/is_sleeping", SLEEP_S)
        except ServerError:
            return False
        if reply.status != 200 or "is_sleeping" not in reply.fields():
            self._says_asleep = False
            return False
        return reply.fields().flag("is_sleeping")


def _is_about_budget(error: LokalError) -> bool:
    return "thinking_token_budget" in str(error)
