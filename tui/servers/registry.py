"""The kinds of server, one line each. The module of a kind is imported when it is first used; httpx when a server is
first asked."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import ClassVar, Protocol

from tui.core.endpoint import Endpoint, ServerKind
from tui.errors import UsageError
from tui.servers.base import Server
from tui.servers.profile import ServerProfile


class ServerClass(Protocol):
    """The class of a kind."""

    profile: ClassVar[ServerProfile]

    def __call__(self, endpoint: Endpoint) -> Server: ...


_CLASSES: Mapping[ServerKind, str] = {
    ServerKind.OLLAMA: "ollama.OllamaServer",
    ServerKind.LLAMACPP: "llamacpp.LlamaCppServer",
    ServerKind.LMSTUDIO: "lmstudio.LMStudioServer",
    ServerKind.VLLM: "vllm.VllmServer",
    ServerKind.TEXTGEN: "textgen.TextgenServer",
    ServerKind.OPENAI: "openai.OpenAIServer",
}
"""Module and class of each kind. The order is that in which the kinds are looked for."""


def server_for(endpoint: Endpoint) -> Server:
    """The server at `endpoint`; nothing is sent yet. Raises UsageError if its kind has not been recognised."""
    if endpoint.kind is None:
        raise UsageError(
            f"The kind of server at {endpoint.url} is not known", "", "Let it be recognised first"
        )
    return _class_of(endpoint.kind)(endpoint)


def profile_of(kind: ServerKind) -> ServerProfile:
    """What is known of all servers of this kind."""
    return _class_of(kind).profile


def all_profiles() -> tuple[ServerProfile, ...]:
    """The profiles of all kinds, in the order in which they are looked for."""
    return tuple(map(profile_of, _CLASSES))


def _class_of(kind: ServerKind) -> ServerClass:
    module, _, name = _CLASSES[kind].partition(".")
    found: ServerClass = getattr(import_module(f"tui.servers.kinds.{module}"), name)
    return found
