"""Which server and which model to talk to: the one that was asked for, the embedded engine, or the best that answers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from tui.core.endpoint import Endpoint, ServerKind, parse_url
from tui.core.model import GUIDE, Model, ServerInfo
from tui.core.text import safe_name
from tui.errors import ModelMissing, NotAModelServer, ServerError, Unreachable
from tui.servers import detect
from tui.servers.base import Server
from tui.servers.both import both
from tui.servers.registry import connect

GIVEN_TIMEOUT_S = 5.0
"""How long a server that was named is waited for; it may be at the far end of a slow line."""
SHOWN_MODELS = 8
"""How many models an error message names."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A server that answers, and what it has. `others` are all servers that were found, this one included, but for the
    built-in engine (`embedded`), whose address is nobody else's."""

    server: Server
    info: ServerInfo
    models: tuple[Model, ...] = ()
    others: tuple[Endpoint, ...] = ()
    embedded: bool = False

    def model(self, name: str) -> Model | None:
        """The model of that name."""
        return next((model for model in self.models if model.name == name), None)

    @property
    def guide(self) -> bool:
        """Whether it is the small model inside lokal."""
        return self.embedded and any(model.name == GUIDE for model in self.models)

    @property
    def place(self) -> str:
        """Kind and place in words: `Ollama on this machine`."""
        if self.guide:
            return "no server"
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
    wanted: Endpoint | None, configured: Sequence[Endpoint], environ: Mapping[str, str], model: str = ""
) -> Connection:
    """Connect to `wanted` and ask no other. Without it, to the best of the servers that answer: one that has `model`,
    else one that has a model to chat with, else any; of several the first. Raises ServerError."""
    if wanted is not None:
        return await _given(wanted, configured)
    candidates = detect.candidates(environ, configured)
    found = await detect.find(candidates)
    outcomes = await asyncio.gather(*(_try(one.endpoint) for one in found))
    connections = [outcome for outcome in outcomes if isinstance(outcome, Connection)]
    if not connections:
        problems = [outcome for outcome in outcomes if isinstance(outcome, ServerError)]
        raise problems[0] if problems else _nobody(candidates)
    best = min(connections, key=lambda connection: _rank(connection.models, model))
    await asyncio.gather(*(other.server.aclose() for other in connections if other is not best))
    return replace(best, others=tuple(one.endpoint for one in found))


async def get_to_know(endpoint: Endpoint) -> Connection:
    """A connection to a server whose kind is known. Raises ServerError."""
    server = connect(endpoint)
    try:
        info, models = await both(server.info(), server.models())
    except BaseException:
        await server.aclose()
        raise
    return Connection(server, info, models, (endpoint,))


def pick_model(models: Sequence[Model], wished: str, usual: str) -> str:
    """The model to start with: the one asked for (also if the server does not list it: the server then says so), the
    usual one if the server has it, one that is in memory, the first that can chat, or none."""
    for name, must_be_there in ((wished, False), (usual, True)):
        if name:
            listed = _listed(models, name)
            if listed or not must_be_there:
                return listed or name
    chatty = [model for model in models if _chats(model)]
    loaded = [model for model in chatty if model.loaded]
    best = (loaded or chatty or list(models))[:1]
    return best[0].name if best else ""


def require_model(connection: Connection, wished: str, usual: str) -> str:
    """As `pick_model`, for a question that is asked right away. Raises ModelMissing where there is no model, and where
    the server would answer with whatever model it has loaded instead of the one that was asked for."""
    models, info = connection.models, connection.info
    name = pick_model(models, wished, usual)
    if not name and info.kind is not ServerKind.OPENAI:  # such a server may list none and have one
        raise ModelMissing(f"{info.kind.label} at {info.url} has no model", "", _HOW_TO_GET[info.kind])
    ignores_names = info.kind in _ANSWERING_ANYWAY and not info.router
    if wished and ignores_names and _listed(models, wished) is None:
        missing = ModelMissing(
            f"{info.kind.label} has no model “{safe_name(wished, 120)}”", "", "Name one that it has"
        )
        raise with_names(missing, models)
    return name


def with_names(error: ModelMissing, models: Sequence[Model]) -> ModelMissing:
    """The error, naming the models that the server does have."""
    names = [safe_name(model.name, 80) for model in models]
    if not names:
        return error
    more = f" and {len(names) - SHOWN_MODELS} more" if len(names) > SHOWN_MODELS else ""
    has = f"It has {', '.join(names[:SHOWN_MODELS])}{more}"
    return ModelMissing(error.title, has, error.hint, error.status)


async def window_of(server: Server, model: str) -> int | None:
    """The loaded context window in tokens, None where the server cannot say just now."""
    try:
        return await server.context_window(model)
    except ServerError:
        return None


_ANSWERING_ANYWAY = frozenset({ServerKind.LLAMACPP, ServerKind.TEXTGEN, ServerKind.LMSTUDIO})
"""Servers that do not mind what model a request names, at least while only one is loaded."""

_HOW_TO_GET = {
    ServerKind.OLLAMA: "Get one, such as: ollama pull llama3.2",
    ServerKind.LLAMACPP: "Put a GGUF file into its --models-dir",
    ServerKind.LMSTUDIO: "Download one in LM Studio, or with: lms get",
    ServerKind.VLLM: "Start it with one: vllm serve MODEL",
    ServerKind.TEXTGEN: "Put one into its models folder and load it",
}


def _chats(model: Model) -> bool:
    return not model.note and "embedding" not in model.capabilities


def _listed(models: Sequence[Model], name: str) -> str | None:
    """The name under which the server lists what a person calls `name`: Ollama's `llama3` is `llama3:latest`, and a
    model of llama.cpp may have several names."""
    names = {model.name for model in models}
    for candidate in (name, f"{name}:latest"):
        if candidate in names:
            return candidate
    return next((model.name for model in models if name in model.aliases), None)


def _rank(models: Sequence[Model], wished: str) -> int:
    """How well a server suits, 0 best."""
    if wished and _listed(models, wished) is not None:
        return 0
    return 1 if any(_chats(model) for model in models) else 2


async def _given(wanted: Endpoint, configured: Sequence[Endpoint]) -> Connection:
    try:
        info = await detect.recognise(wanted, timeout=GIVEN_TIMEOUT_S)
    except (Unreachable, NotAModelServer) as error:
        parts = urlsplit(wanted.url)
        if parts.port is None and parts.scheme == "http":
            names = ", ".join(endpoint.name for endpoint in configured if endpoint.name)
            hint = f"Say the port too, such as {wanted.url}:{detect.OLLAMA_PORT}"
            raise type(error)(
                error.title, error.detail, hint + (f", or a name from the config: {names}" if names else "")
            ) from error
        raise
    return await get_to_know(replace(wanted, kind=info.kind))


async def _try(endpoint: Endpoint) -> Connection | ServerError:
    try:
        return await get_to_know(endpoint)
    except ServerError as error:
        return error


def _nobody(asked: Sequence[Endpoint]) -> Unreachable:
    ports = [endpoint.url.rpartition(":")[2] for endpoint in asked if endpoint.on_this_machine]
    elsewhere = [endpoint.url for endpoint in asked if not endpoint.on_this_machine]
    places = ", ".join([f"this machine ({', '.join(ports)})" if ports else "", *elsewhere]).strip(", ")
    return Unreachable(
        "No model server answers",
        f"Asked: {places}",
        "Start one (ollama serve, or llama-server -m model.gguf), name one with --server, or use --gguf model.gguf",
    )
