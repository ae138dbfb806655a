"""The kinds of server and their classes, one line each. A class, and httpx with it, is imported when it is used."""

from __future__ import annotations

from tui.core.endpoint import Endpoint, ServerKind
from tui.errors import UsageError
from tui.servers.base import Server


def connect(endpoint: Endpoint) -> Server:
    """The server at `endpoint`; nothing is sent yet. Raises UsageError if its kind has not been recognised."""
    match endpoint.kind:
        case ServerKind.OLLAMA:
            from tui.servers.ollama import OllamaServer

            return OllamaServer(endpoint)
        case ServerKind.LLAMACPP:
            from tui.servers.llamacpp import LlamaCppServer

            return LlamaCppServer(endpoint)
        case ServerKind.LMSTUDIO:
            from tui.servers.lmstudio import LMStudioServer

            return LMStudioServer(endpoint)
        case ServerKind.VLLM:
            from tui.servers.vllm import VllmServer

            return VllmServer(endpoint)
        case ServerKind.TEXTGEN:
            from tui.servers.textgen import TextgenServer

            return TextgenServer(endpoint)
        case ServerKind.OPENAI:
            from tui.servers.openai import OpenAIServer

            return OpenAIServer(endpoint)
        case None:
            raise UsageError(
                f"The kind of server at {endpoint.url} is not known", "", "Let it be recognised first"
            )
