"""Which server and which model to talk to: the one that was asked for, the embedded engine, or the best that answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from tui.core.endpoint import Endpoint, parse_endpoint
from tui.core.model import GUIDE, PACKAGED, Model, ServerInfo
from tui.core.text import safe_name
from tui.errors import ModelMissing, NotAModelServer, ServerError, StillLoading, Unreachable
from tui.servers import detect
from tui.servers.base import Server
from tui.servers.gather import gather_or_cancel
from tui.servers.kinds import ollama_host
from tui.servers.registry import all_profiles, server_for

GIVEN_TIMEOUT_S = 5.0
"""How long a server that was named is waited for; it may be at the far end of a slow line."""
LOADING_EVERY_S = 0.5
"""How often a server that is loading its model is asked whether it has it."""
SHOWN_MODELS = 8
"""How many models an error message names."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A server that answers, and what it has. `others` are all servers that were found, this one included, but for the
    built-in engine (`embedded`), whose address is nobody else's. `alike` = there is another of its kind at the same
    place, so that it is named by its name in the config or by its port."""

    server: Server
    info: ServerInfo
    models: tuple[Model, ...] = ()
    others: tuple[Endpoint, ...] = ()
    embedded: bool = False
    alike: bool = False

    def model(self, name: str) -> Model | None:
        """The model of that name."""
        return next((model for model in self.models if model.name == name), None)

    @property
    def guide(self) -> bool:
        """Whether it is the small model inside lokal."""
        return self.embedded and any(model.name == GUIDE for model in self.models)

    @property
    def packaged(self) -> bool:
        """Whether it is the small chat model that came as a Python package."""
        return self.embedded and any(model.name == PACKAGED for model in self.models)

    @property
    def stands_in(self) -> bool:
        """Whether it answers only because no server does: the guide, or the model that came as a package."""
        return self.guide or self.packaged

    @property
    def place(self) -> str:
        """Kind and place in words: `Ollama on this machine`."""
        if self.guide:
            return "no server"
        if self.embedded:
            return "built-in llama.cpp on this machine"
        endpoint, label = self.server.endpoint, self.server.profile.label
        if not self.alike:
            return f"{label} on {endpoint.place}"
        if endpoint.name:
            return f"{label} “{safe_name(endpoint.name, 30)}” on {endpoint.place}"
        port = urlsplit(endpoint.url).port
        return f"{label} on {endpoint.place}" + (
            f", port {port}" if port and endpoint.on_this_machine else ""
        )


def named_server(text: str, configured: Sequence[Endpoint], key: str = "") -> Endpoint:
    """The server that `text` means: a name or address from the config, or an address. `key` goes to one that the config
    has no key for: that of LOKAL_API_KEY is meant for the server of --server, and for no other. Raises UsageError."""
    found = next((one for one in configured if text in (one.name, one.url)), None)
    if found is None:
        meant = parse_endpoint(text)
        found = next((one for one in configured if one.url == meant.url), meant)
        if meant.login:
            found = replace(found, login=meant.login)
    return found if found.api_key or not key else replace(found, api_key=key)


Waits = Callable[[Endpoint], None]
"""Called with a server that is still loading its model, as long as it is waited for."""


async def choose(
    wanted: Endpoint | None,
    configured: Sequence[Endpoint],
    environ: Mapping[str, str],
    model: str = "",
    waits: Waits | None = None,
) -> Connection:
    """Connect to `wanted` and ask no other. Without it, to the best of the servers that answer: one that has `model`,
    else one that has a model to chat with, else one that is still loading its model, else any; of several the first.
    One that is still loading is waited for, however long it takes. Raises ServerError."""
    if wanted is not None:
        return await _given(wanted, configured, waits)
    candidates = detect.candidates(environ, configured)
    strange: list[ServerError] = []
    found = await detect.find(candidates, problems=strange)
    outcomes = await asyncio.gather(*(_try(one.endpoint) for one in found))
    connections = [outcome for outcome in outcomes if isinstance(outcome, Connection)]
    best = min(connections, key=lambda connection: _rank(connection.models, model), default=None)
    loading = [
        one.endpoint
        for one, outcome in zip(found, outcomes, strict=True)
        if isinstance(outcome, StillLoading)
    ]
    if loading and (best is None or _rank(best.models, model) == _NO_MODEL):
        outcomes = [await _try(loading[0], waits or _in_silence), *outcomes]
        if isinstance(outcomes[0], Connection):
            best = outcomes[0]
            connections.append(best)
    if best is None:
        problems = [outcome for outcome in outcomes if isinstance(outcome, ServerError)]
        raise problems[0] if problems else _nobody(candidates, configured, strange)
    await asyncio.gather(*(other.server.aclose() for other in connections if other is not best))
    others = tuple(one.endpoint for one in found)
    return replace(best, others=others, alike=_has_twin(best.server.endpoint, others))


def _has_twin(endpoint: Endpoint, others: Sequence[Endpoint]) -> bool:
    """Whether another of these servers is of the same kind, or may be, and in the same place."""
    return any(
        other.url != endpoint.url and other.kind in (None, endpoint.kind) and other.place == endpoint.place
        for other in others
    )


async def get_to_know(endpoint: Endpoint, waits: Waits | None = None) -> Connection:
    """A connection to a server whose kind is known. With `waits` one that is still loading its model is waited for,
    without it StillLoading is raised. Raises ServerError."""
    server = server_for(endpoint)
    try:
        while True:
            try:
                info, models = await gather_or_cancel(server.info(), server.models())
                return Connection(server, info, models, (endpoint,))
            except StillLoading:
                if waits is None:
                    raise
                waits(endpoint)
                await asyncio.sleep(LOADING_EVERY_S)
    except BaseException:
        await server.aclose()
        raise


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


def start_model(connection: Connection, wished: str, usual: str) -> str:
    """As `pick_model`, for a chat that begins: none where the server is known not to have the one that was asked for, for
    another would answer in its name."""
    listed = wished and _is_missing(connection, wished)
    return "" if listed else pick_model(connection.models, wished, usual)


def why_not_model(connection: Connection, wished: str, usual: str, model: str) -> str:
    """What a person is to be told who asked for a model, or has one in the settings, and is given another or none."""
    names = f". {_some_of(connection.models)}" if connection.models else ""
    if wished and _is_missing(connection, wished):
        return f"{connection.place} has no model “{safe_name(wished, 80)}”{names}. Choose one with /model"
    gone = usual and not wished and connection.models and _listed(connection.models, usual) is None
    if gone and model and not connection.embedded:
        return f"{connection.place} has no model “{safe_name(usual, 80)}”: {safe_name(model, 80)} answers instead"
    return ""


def _is_missing(connection: Connection, name: str) -> bool:
    """Whether the server surely does not have it. Other servers with OpenAI's API may have what they do not list."""
    profile = connection.server.profile
    listed = profile.lists_all_models and (bool(connection.models) or profile.lists_models_always)
    return listed and _listed(connection.models, name) is None


def model_gone(connection: Connection, name: str) -> ModelMissing | None:
    """That the server no longer has a model, with the ones that are called most like it; None where it may have it."""
    if not name or connection.embedded or not _is_missing(connection, name):
        return None
    from difflib import get_close_matches

    names = [model.name for model in connection.models if model.chats]
    near = get_close_matches(name, names, n=3, cutoff=0.3) or names[:3]
    nearest = f"It has {', '.join(safe_name(each, 60) for each in near)}" if near else ""
    title = f"{connection.place} no longer has the model “{safe_name(name, 80)}”"
    return ModelMissing(title, nearest, "/model chooses another; F3 lists them")


def require_model(connection: Connection, wished: str, usual: str) -> str:
    """As `pick_model`, for a question that is asked right away. Raises ModelMissing where there is no model, and where
    the server would answer with whatever model it has loaded instead of the one that was asked for."""
    models, info, profile = connection.models, connection.info, connection.server.profile
    name = pick_model(models, wished, usual)
    if not name and profile.lists_all_models:
        raise ModelMissing(f"{profile.label} at {info.url} has no model", "", profile.hints.get_model)
    ignores_names = profile.ignores_model_name and not info.router
    if wished and ignores_names and _listed(models, wished) is None:
        missing = ModelMissing(
            f"{profile.label} has no model “{safe_name(wished, 120)}”", "", "Name one that it has"
        )
        raise with_names(missing, models)
    return name


def with_names(error: ModelMissing, models: Sequence[Model]) -> ModelMissing:
    """The error, naming the models that the server does have."""
    return ModelMissing(error.title, _some_of(models), error.hint, error.status) if models else error


def _some_of(models: Sequence[Model]) -> str:
    names = [safe_name(model.name, 80) for model in models]
    more = f" and {len(names) - SHOWN_MODELS} more" if len(names) > SHOWN_MODELS else ""
    return f"It has {', '.join(names[:SHOWN_MODELS])}{more}"


async def window_of(server: Server, model: str) -> int | None:
    """The loaded context window in tokens, None where the server cannot say just now."""
    try:
        return await server.context_window(model)
    except ServerError:
        return None


def _chats(model: Model) -> bool:
    return not model.note and "embedding" not in model.capabilities


def _listed(models: Sequence[Model], name: str) -> str | None:
    """The name under which the server lists what a person calls `name`: a model may have several."""
    if any(model.name == name for model in models):
        return name
    return next((model.name for model in models if name in model.aliases), None)


_NO_MODEL = 2
"""The rank of a server that has no model to chat with."""


def _rank(models: Sequence[Model], wished: str) -> int:
    """How well a server suits, 0 best."""
    if wished and _listed(models, wished) is not None:
        return 0
    return 1 if any(_chats(model) for model in models) else _NO_MODEL


async def _given(wanted: Endpoint, configured: Sequence[Endpoint], waits: Waits | None) -> Connection:
    try:
        found = await detect.reach(wanted, timeout=GIVEN_TIMEOUT_S)
    except (Unreachable, NotAModelServer) as error:
        parts = urlsplit(wanted.url)
        if parts.port is None and parts.scheme == "http":
            names = ", ".join(endpoint.name for endpoint in configured if endpoint.name)
            hint = f"Say the port too, such as http://{parts.netloc}:{ollama_host.PORT}{parts.path}"
            raise type(error)(
                error.title, error.detail, hint + (f", or a name from the config: {names}" if names else "")
            ) from error
        raise
    connection = await get_to_know(found.endpoint, waits=waits or _in_silence)
    return replace(
        connection, alike=_has_twin(found.endpoint, [one for one in configured if one.url != wanted.url])
    )


def _in_silence(_: Endpoint) -> None:
    """Wait without telling anybody."""


async def _try(endpoint: Endpoint, waits: Waits | None = None) -> Connection | ServerError:
    try:
        return await get_to_know(endpoint, waits=waits)
    except ServerError as error:
        return error


def _nobody(
    asked: Sequence[Endpoint], configured: Sequence[Endpoint], strange: Sequence[ServerError]
) -> Unreachable:
    """`strange` is what answers without being a model server; it is told where the person has named it, and of Open
    WebUI, which has a model server behind it."""
    from tui.servers.unrecognised import OPEN_WEBUI

    ports = [endpoint.url.rpartition(":")[2] for endpoint in asked if endpoint.on_this_machine]
    elsewhere = [endpoint.url for endpoint in asked if not endpoint.on_this_machine]
    places = ", ".join([f"this machine ({', '.join(ports)})" if ports else "", *elsewhere]).strip(", ")
    named = [endpoint.url for endpoint in configured]
    for error in strange:
        if OPEN_WEBUI in error.title or any(url in error.title for url in named):
            told = ". ".join(part.rstrip(".") for part in (error.title, error.detail, error.hint) if part)
            return Unreachable("No model server answers", told, f"Asked: {places}")
    return Unreachable(
        "No model server answers",
        f"Asked: {places}",
        f"Start one ({', or '.join(_first_commands())}), name one with --server, or use --gguf model.gguf",
    )


def _first_commands() -> list[str]:
    """The commands that start the servers which are advised to whoever has none."""
    return [profile.hints.start_command for profile in all_profiles() if profile.hints.setup is not None]
