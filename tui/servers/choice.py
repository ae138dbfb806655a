"""Which server and which model to talk to: the one that was asked for, the embedded engine, or the best that answers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tui.core.endpoint import Endpoint, parse_url
from tui.core.model import Model, ServerInfo
from tui.errors import ServerError, Unreachable
from tui.servers import detect
from tui.servers.base import Server
from tui.servers.registry import connect

GIVEN_TIMEOUT_S = 5.0
"""How long a server that was named is waited for; it may be at the far end of a slow line."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A server that answers, and what it has. `others` are all servers that were found, this one included."""

    server: Server
    info: ServerInfo
    models: tuple[Model, ...] = ()
    others: tuple[Endpoint, ...] = ()
    embedded: bool = False

    def model(self, name: str) -> Model | None:
        """The model of that name."""
        return next((model for model in self.models if model.name == name), None)

    @property
    def place(self) -> str:
        """Kind and place in words: `Ollama on this machine`."""
        if self.embedded:
            return "built-in llama.cpp on this machine"
        return f"{self.info.kind.label} on {self.server.endpoint.place}"


def named_server(text: str, configured: Sequence[Endpoint], environ: Mapping[str, str]) -> Endpoint:
    """The server that `text` means: a name or address from the config, with its key, or an address, with the key in
    LOKAL_API_KEY. Raises UsageError."""
    for endpoint in configured:
        if text in (endpoint.name, endpoint.url):
            return endpoint
    url = parse_url(text)
    for endpoint in configured:
        if endpoint.url == url:
            return endpoint
    return Endpoint(url, api_key=environ.get("LOKAL_API_KEY", ""))


async def choose(
    wanted: Endpoint | None, configured: Sequence[Endpoint], environ: Mapping[str, str]
) -> Connection:
    """Connect to `wanted` and ask no other; without it, to the best of the servers that answer. Raises ServerError."""
    if wanted is not None:
        info = await detect.recognise(wanted, timeout=GIVEN_TIMEOUT_S)
        return await get_to_know(replace(wanted, kind=info.kind))
    candidates = detect.candidates(environ, configured)
    found = await detect.find(candidates)
    problem: ServerError | None = None
    for one in found:
        try:
            connection = await get_to_know(one.endpoint)
        except ServerError as error:
            problem = problem or error
        else:
            return replace(connection, others=tuple(other.endpoint for other in found))
    raise problem or _nobody(candidates)


async def get_to_know(endpoint: Endpoint, *, embedded: bool = False) -> Connection:
    """A connection to a server whose kind is known. Raises ServerError."""
    server = connect(endpoint)
    try:
        info, models = await asyncio.gather(server.info(), server.models())
    except BaseException:
        await server.aclose()
        raise
    return Connection(server, info, models, (endpoint,), embedded)


def pick_model(models: Sequence[Model], wished: str, usual: str) -> str:
    """The model to start with: the one asked for (also if the server does not list it: the server then says so), the
    usual one if the server has it, one that is in memory, the first that can chat, or none."""
    names = {model.name for model in models}

    def complete(name: str) -> str:
        """Ollama's `name` means `name:latest`."""
        return f"{name}:latest" if name not in names and f"{name}:latest" in names else name

    if wished:
        return complete(wished)
    if usual and complete(usual) in names:
        return complete(usual)
    chatty = [model for model in models if not model.note and "embedding" not in model.capabilities]
    loaded = [model for model in chatty if model.loaded]
    best = (loaded or chatty or list(models))[:1]
    return best[0].name if best else ""


async def window_of(server: Server, model: str) -> int | None:
    """The loaded context window in tokens, None where the server cannot say just now."""
    try:
        return await server.context_window(model)
    except ServerError:
        return None


def _nobody(asked: Sequence[Endpoint]) -> Unreachable:
    ports = [endpoint.url.rpartition(":")[2] for endpoint in asked if endpoint.on_this_machine]
    elsewhere = [endpoint.url for endpoint in asked if not endpoint.on_this_machine]
    places = ", ".join([f"this machine ({', '.join(ports)})" if ports else "", *elsewhere]).strip(", ")
    return Unreachable(
        "No model server answers",
        f"Asked: {places}",
        "Start one (ollama serve, or llama-server -m model.gguf), name one with --server, or use --gguf model.gguf",
    )
