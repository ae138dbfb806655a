"""OLLAMA_HOST, the variable in which Ollama's own programs find their server."""

from __future__ import annotations

import contextlib
import ipaddress
import re
from collections.abc import Mapping

from tui.core.endpoint import Endpoint, parse_endpoint, parse_url
from tui.core.secrets import without_login
from tui.core.text import safe_line
from tui.errors import UsageError

PORT = 11434
"""Where Ollama listens."""


def ollama_host(value: str) -> str | None:
    """The URL that a value of OLLAMA_HOST means to Ollama's own clients; None for an empty or a senseless one.

    Without a scheme the port is 11434, with one it is the scheme's own. An impossible port counts as none given, and an
    address to bind to (0.0.0.0) means this machine. Source: Ollama 0.33, envconfig.Host.
    """
    endpoint = ollama_endpoint(value)
    return endpoint.url if endpoint is not None else None


def ollama_endpoint(value: str) -> Endpoint | None:
    """The server that a value of OLLAMA_HOST means, with its other URLs; None as for `ollama_host`."""
    for spelling in _spellings(value):
        with contextlib.suppress(UsageError):
            return parse_endpoint(spelling, PORT)
    return None


def ollama_host_problem(environ: Mapping[str, str]) -> UsageError | None:
    """What is wrong with OLLAMA_HOST, for the person to be told; it stops nothing."""
    value = environ.get("OLLAMA_HOST", "")
    spellings, used = _spellings(value), ollama_host(value)
    if not spellings:
        return None
    shown, hint = safe_line(without_login(value), 80), "Write it like 127.0.0.1:11434, or unset it"
    if used is None:
        return UsageError(f"OLLAMA_HOST is no address: “{shown}”", "It is passed over", hint)
    try:
        parse_url(spellings[0])
    except UsageError:
        return UsageError(f"OLLAMA_HOST has an impossible port: “{shown}”", f"{used} is asked instead", hint)
    return None


def _spellings(value: str) -> tuple[str, ...]:
    """A value of OLLAMA_HOST as an address, and as one without its port; nothing for an empty value."""
    text = value.strip().strip("\"'").strip()
    if not text:
        return ()
    if text == "ollama.com":
        text = "https://ollama.com"
    try:
        if ipaddress.ip_address(text).version == 6:
            text = f"[{text}]"
    except ValueError:
        pass
    scheme, separator, rest = text.rpartition("://")
    return text, scheme + separator + re.sub(r"^([^/]*):[^:/\]]*(?=/|$)", r"\1", rest)
