"""Any server with OpenAI's `/v1` of which nothing more is known."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from typing import ClassVar

from tui.core.endpoint import ServerKind
from tui.core.events import Event
from tui.core.model import Model, ServerInfo
from tui.core.model_actions import none_but
from tui.core.parameters import for_server
from tui.core.request import ChatRequest
from tui.core.text import safe_line
from tui.errors import AuthRequired
from tui.servers.http.framing import Sse
from tui.servers.json_object import JsonObject
from tui.servers.kinds.openai_chunks import OpenAIAnswer
from tui.servers.kinds.openai_request import CHAT, chat_body
from tui.servers.probe_replies import MODELS
from tui.servers.profile import Capabilities, Hints, ServerProfile
from tui.servers.server_client import ServerClient

PROFILE = ServerProfile(
    ServerKind.OPENAI,
    Hints(
        start="Is it running, and is the address right?",
        get_model="Load one there",
        enlarge_window="a setting of the server",
        window_is_fixed="the server sets it",
    ),
    Capabilities(structured=True),
    model_actions=none_but("Of such a server no more is known than that it lists its models"),
    needs_model_name=False,  # it may have one and no list
    lists_all_models=False,
)


class OpenAIServer(ServerClient):
    """Such a server, and the base of the kinds that answer as it does and say more of themselves."""

    profile = PROFILE
    takes_json_object: ClassVar[bool] = True
    """Whether it can be asked for JSON of any form, rather than of a schema only."""

    async def info(self) -> ServerInfo:
        """That it answers, if only that it wants a key."""
        with contextlib.suppress(AuthRequired):
            await self._get(MODELS)
        return ServerInfo(self.kind, self.endpoint.url)

    async def models(self) -> tuple[Model, ...]:
        """The names of its models."""
        return tuple(Model(safe_line(entry.text("id"))) for entry in await self._listed())

    async def context_window(self, model: str) -> int | None:
        """Nobody tells."""
        return None

    async def _listed(self) -> tuple[JsonObject, ...]:
        """The entries of its list of models, but those without a name."""
        entries = (await self._get(MODELS)).items("data")
        return tuple(entry for entry in entries if entry.text("id"))

    def _answer(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        outgoing = for_server(request.parameters, self.kind)
        body = chat_body(request, outgoing, takes_json_object=self.takes_json_object)
        return self._stream(CHAT, body, OpenAIAnswer(self._asked(request.model)), Sse())
