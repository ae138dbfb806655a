"""Any server with OpenAI's `/v1` of which nothing more is known."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from tui.core.endpoint import ServerKind
from tui.core.events import Event
from tui.core.model import Model, ServerInfo
from tui.core.parameters import for_server
from tui.core.request import ChatRequest
from tui.core.text import safe_line
from tui.errors import AuthRequired
from tui.servers.http.framing import Sse
from tui.servers.kinds.openai_chunks import OpenAIAnswer
from tui.servers.kinds.openai_request import chat_body
from tui.servers.profile import Capabilities, Hints, ServerProfile
from tui.servers.server_client import ServerClient

_KIND = ServerKind.OPENAI

PROFILE = ServerProfile(
    _KIND,
    Hints(
        start="Is it running, and is the address right?",
        get_model="Load one there",
        enlarge_window="a setting of the server",
        window_is_fixed="the server sets it",
    ),
    Capabilities(structured=True),
    needs_model_name=False,  # it may have one and no list
    lists_all_models=False,
)


class OpenAIServer(ServerClient):
    """Such a server."""

    profile = PROFILE

    async def info(self) -> ServerInfo:
        """Whether it wants a key."""
        try:
            await self._get("/v1/models")
        except AuthRequired:
            return ServerInfo(_KIND, self.endpoint.url, needs_key=True)
        return ServerInfo(_KIND, self.endpoint.url)

    async def models(self) -> tuple[Model, ...]:
        """The names of its models."""
        listed = (await self._get("/v1/models")).items("data")
        return tuple(Model(safe_line(entry.text("id"))) for entry in listed if entry.text("id"))

    async def context_window(self, model: str) -> int | None:
        """Nobody tells."""
        return None

    def _answer(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        body = chat_body(request, for_server(request.parameters, _KIND), _KIND)
        return self._stream("/v1/chat/completions", body, OpenAIAnswer(self._asked(request.model)), Sse())
