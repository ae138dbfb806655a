"""The server seam: what every kind of server can be asked.

A new kind is a name in `tui.core.endpoint`, its fields in `tui.core.parameters`, a line in `tui.servers.registry`, and a
file in `tui.servers.kinds` with a class that fulfils `Server` and its profile; beside them its recorded wire fixtures. The
contract suite then runs over it as over all others.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Protocol

from tui.core.endpoint import Endpoint, ServerKind
from tui.core.events import Event
from tui.core.model import Model, ServerInfo
from tui.core.request import ChatRequest
from tui.servers.profile import Capabilities, ServerProfile

if TYPE_CHECKING:
    from tui.core.rendered_prompt import RenderedPrompt
    from tui.servers.model_manager import ModelManager


class Server(Protocol):
    """A model server at one address. All methods raise ServerError; none retries a request that was answered,
    but a question that a busy server refused, saying when it wants to be asked again.

    One instance serves any number of requests at a time; `aclose` ends them all.
    """

    @property
    def kind(self) -> ServerKind: ...

    @property
    def profile(self) -> ServerProfile:
        """What is known of all servers of its kind."""
        ...

    @property
    def endpoint(self) -> Endpoint: ...

    @property
    def capabilities(self) -> Capabilities: ...

    @property
    def model_manager(self) -> ModelManager:
        """What lists, loads, downloads and deletes its models, as far as the server can."""
        ...

    async def info(self) -> ServerInfo:
        """Version and state, asked anew."""
        ...

    async def models(self) -> tuple[Model, ...]:
        """The models that the server has, those that can chat first, with what it says of each."""
        ...

    async def context_window(self, model: str) -> int | None:
        """The context window in tokens of the next request to `model` that names none: mostly what it is loaded with. None
        while it is not loaded or not told."""
        ...

    async def largest_window(self, model: str) -> int | None:
        """The largest context window in tokens that a request to `model` may ask for; None where no request can."""
        ...

    async def count_tokens(self, request: ChatRequest) -> int | None:
        """Tokens of the prompt that `request` becomes, in the chat template of its model and without its pictures, whose
        tokens nobody tells. None where the server cannot count, or does not just now: it never raises."""
        ...

    async def rendered_prompt(self, request: ChatRequest) -> RenderedPrompt | None:
        """The prompt that `request` becomes in the chat template of its model; nothing is generated. None where the server does
        not tell. Raises ServerError."""
        ...

    def chat(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """Stream an answer. The last event is Done or Failed, always exactly one of them; errors of the server and
        of the line come as Failed, never as exceptions. Closing the generator (or cancelling the task that reads it)
        closes the connection at once, which is what makes the server stop."""
        ...

    async def aclose(self) -> None:
        """Close all connections."""
        ...
