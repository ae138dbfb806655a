"""text-generation-webui: one model, loaded by hand, behind OpenAI's `/v1`.

It refuses nothing that does not fit: it leaves out the oldest messages, and then the end of the question, without a
word. So what it would cut is refused here, before it is sent; and as it only drops the connection where it cannot answer,
what was wrong is found out afterwards.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.core.attaching import is_picture
from tui.core.endpoint import Endpoint, ServerKind
from tui.core.events import Event, Failed, ReasoningDelta, TextDelta
from tui.core.model import Model, ServerInfo
from tui.core.model_actions import ModelAction, none_but
from tui.core.parameters import for_server
from tui.core.request import ChatRequest
from tui.core.text import safe_line
from tui.core.token_budget import kept_room
from tui.core.tokens import estimate
from tui.errors import (
    AuthRequired,
    ContextOverflow,
    Interrupted,
    LokalError,
    ModelMissing,
    Refused,
    ServerError,
)
from tui.servers.attachments import text_of
from tui.servers.errors import complaint_in, refused
from tui.servers.http.framing import Sse
from tui.servers.kinds.openai import OpenAIServer
from tui.servers.kinds.openai_chunks import messages_of
from tui.servers.kinds.openai_request import CHAT, answer_for, chat_body, not_sent, without_thought
from tui.servers.kinds.textgen_sight import Sight
from tui.servers.kinds.textgen_window import ALL, UNSAID_ROOM, learn_window
from tui.servers.probe_replies import ProbeReplies
from tui.servers.profile import Capabilities, Hints, Recognition, ServerProfile
from tui.servers.repeated_start import RepeatedStart

if TYPE_CHECKING:
    from tui.core.rendered_prompt import RenderedPrompt
    from tui.servers.model_manager import ModelManager

_KIND = ServerKind.TEXTGEN
_INTERNAL = "/v1/internal"
_LOADED = f"{_INTERNAL}/model/info"
SMALL = 1024
"""Tokens of a prompt and its answer that every window holds: for less the window is not asked for."""

TEMPLATE = 100
"""Tokens that a chat template may add: marks, and a system prompt where none is given."""


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """The model in memory and what runs it; both empty where an old version does not say."""

    name: str = ""
    loader: str = ""


def _recognise(replies: ProbeReplies) -> ServerInfo | None:
    reply = replies.reply(_LOADED)
    if reply is None:
        return None
    fields = reply.fields()
    if reply.status == 401:
        known = fields.text("detail") == "Unauthorized"
    else:
        known = (
            reply.status == 200 and "model_name" in fields and ("loader" in fields or "lora_names" in fields)
        )
    return ServerInfo(_KIND, replies.url) if known else None


PROFILE = ServerProfile(
    _KIND,
    Hints(
        start="Start text-generation-webui with --api",
        get_model="Put one into its models folder and load it",
        enlarge_window="ctx-size when the model is loaded",
        window_is_fixed="text-generation-webui sets it when it loads the model: ctx-size",
    ),
    Capabilities(resumes=True, counts_tokens=True, room=UNSAID_ROOM),
    Recognition((_LOADED,), _recognise),
    ports=(5000,),
    model_actions=none_but(
        "text-generation-webui does this on its own page only, in its Model tab",
        ModelAction.SHOW_MEMORY,
        ModelAction.LOAD,
        ModelAction.UNLOAD,
    )
    .but("text-generation-webui keeps its model until it is unloaded", ModelAction.KEEP)
    .but("text-generation-webui applies its adapters wholly or not at all", ModelAction.SCALE_ADAPTERS),
    needs_model_name=False,  # it says itself that none is loaded
    ignores_model_name=True,
)


class TextgenServer(OpenAIServer):
    """A text-generation-webui. It remembers the window that it has learnt, for as long as the same model is loaded."""

    profile = PROFILE

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint)
        self._window: tuple[LoadedModel, int | None] | None = None
        self._sight = Sight(self._http)

    def _new_model_manager(self) -> ModelManager:
        from tui.servers.kinds.textgen_models import TextgenModelManager

        return TextgenModelManager(self, self._requests)

    async def models(self) -> tuple[Model, ...]:
        """The one model that is loaded. Old versions list names on `/v1/models` that are none."""
        loaded = await self._loaded()
        if loaded is None:
            return ()
        if loaded.name:
            return (Model(loaded.name, context_loaded=self._known_window(loaded), loaded=True),)
        return await super().models()

    async def context_window(self, model: str) -> int | None:
        """The window of the model that is loaded, learnt anew: it may have been loaded with another one since."""
        loaded = await self._loaded()
        return await self._learn(loaded) if loaded is not None else None

    async def _loaded(self) -> LoadedModel | None:
        """What is loaded; None = nothing. After a load that failed it goes on naming the model, without a loader."""
        try:
            info = await self._get(_LOADED)
        except AuthRequired:
            raise
        except ServerError:
            return LoadedModel()
        name, loader = info.text("model_name"), info.text("loader")
        if name in ("", "None") or ("loader" in info and not loader):
            return None
        return LoadedModel(safe_line(name), safe_line(loader, 40))

    def _known_window(self, loaded: LoadedModel) -> int | None:
        return self._window[1] if self._window is not None and self._window[0] == loaded else None

    async def _learn(self, loaded: LoadedModel) -> int | None:
        window = await learn_window(self._http, loaded.name)
        self._window = loaded, window
        return window

    async def _count(self, request: ChatRequest) -> int | None:
        return await self._tokens_of(request)

    async def _templated(self, request: ChatRequest) -> str:
        """The whole prompt, also one that would be cut."""
        request = without_thought(request)
        body = {**for_server(request.parameters, _KIND).body, **ALL, "continue_": request.resume}
        body |= {"model": request.model, "messages": messages_of(request.turns)}
        return (await self._ask(f"{_INTERNAL}/chat-prompt", body)).text("prompt")

    async def _render(self, request: ChatRequest) -> RenderedPrompt | None:
        from tui.core.rendered_prompt import RenderedPrompt

        prompt = await self._templated(request)
        return RenderedPrompt(prompt) if prompt else None

    async def _tokens_of(self, request: ChatRequest) -> int | None:
        """How many tokens the whole prompt takes, also one that would be cut."""
        if not (prompt := await self._templated(request)):
            return None
        return (await self._ask(f"{_INTERNAL}/token-count", {"text": prompt})).count("length")

    async def _answer(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        loaded = await self._loaded()
        if loaded is None:
            raise _nothing_loaded()
        request = without_thought(request)
        if any(is_picture(file) for turn in request.turns for file in turn.attachments):
            await self._require_sight(loaded)
        window = await self._require_room(request, loaded)
        outgoing = for_server(request.parameters, _KIND, window)
        if (told := not_sent(request.parameters, outgoing)) is not None:
            yield told
        body = {**chat_body(request, outgoing), **({"continue_": True} if request.resume else {})}
        answer = answer_for(request, self._asked(request.model))
        start = RepeatedStart(request.turns[-1].content) if request.resume else None
        came = False
        async with aclosing(self._stream(CHAT, body, answer, Sse())) as events:
            async for event in events:
                if isinstance(event, Failed) and isinstance(event.error, Interrupted) and not came:
                    yield Failed(await self._reason(event.error, request, body))
                    return
                came = came or isinstance(event, TextDelta | ReasoningDelta)
                for each in start.take(event) if start is not None else (event,):
                    yield each

    async def _require_sight(self, loaded: LoadedModel) -> None:
        if not await self._sight.sees(loaded.name, loaded.loader):
            raise Refused(
                f"{safe_line(loaded.name, 60) or 'This model'} cannot see pictures",
                f"{_KIND.label} would leave the picture out and say nothing",
                "Load a model with vision, with its mmproj file, or ask without the picture",
            )

    async def _require_room(self, request: ChatRequest, loaded: LoadedModel) -> int | None:
        """The window, if it is known or matters. Raises ContextOverflow for a prompt of which something would be cut."""
        most = request.parameters.get("max_tokens")
        wanted = most if isinstance(most, int) and most > 0 else UNSAID_ROOM
        estimated = sum(estimate(text_of(turn)) for turn in request.turns)
        window = self._known_window(loaded)
        if window is None and wanted + 2 * estimated > SMALL and not self._tried(loaded):
            window = await self._learn(loaded)
        if window is None:
            return None
        limit = window - kept_room(most if isinstance(most, int) else None, window, UNSAID_ROOM)
        if 2 * estimated + TEMPLATE > limit:
            tokens = await self.count_tokens(request)
            if tokens is not None and tokens > limit:
                raise _too_long(tokens, window, limit)
        return window

    def _tried(self, loaded: LoadedModel) -> bool:
        """Whether it was tried to learn the window of what is loaded."""
        return self._window is not None and self._window[0] == loaded

    async def _reason(self, error: Interrupted, request: ChatRequest, body: dict[str, object]) -> LokalError:
        """Why the connection was dropped before a word came: it says so, if at all, to one who does not want a stream."""
        try:
            loaded = await self._loaded()
            if loaded is None:
                return _nothing_loaded()
            window, most = await self._learn(loaded), request.parameters.get("max_tokens")
            if window is not None and isinstance(most, int) and most >= window:
                return Refused(
                    "The answer may be longer than the context window",
                    f"max_tokens is {most}, the window has {window}; {_KIND.label} cannot answer then",
                    f"Set max_tokens below {window}",
                    200,
                )
            plain = {name: value for name, value in body.items() if name != "stream_options"}
            reply = await self._http.ask(CHAT, {**plain, "stream": False})
        except ServerError:
            return error
        if reply.status < 400:
            return error
        complaint = complaint_in(reply.body)
        if complaint.text.lower() in ("", "internal server error"):
            return Refused(
                f"{_KIND.label} could not answer",
                "It dropped the connection before the first word, and gives no reason",
                "What it prints in its terminal says more; other parameters or another model may help",
                reply.status,
            )
        return refused(complaint, reply.status, self._asked(request.model))


def _nothing_loaded() -> ModelMissing:
    return ModelMissing(
        f"{_KIND.label} has no model loaded",
        "Nothing was sent",
        "Load one in its Model tab, or start it with --model NAME",
    )


def _too_long(tokens: int, window: int, limit: int) -> ContextOverflow:
    return ContextOverflow(
        "The conversation does not fit into the context window",
        f"It has {tokens} tokens, of the window's {window} it may take {limit}: the rest is for the answer",
        f"Nothing was sent, as {_KIND.label} would cut it without a word. Start a new chat, shorten the question, set a "
        "smaller max_tokens, or load the model with a larger ctx-size",
        0,
        tokens,
        window,
    )
