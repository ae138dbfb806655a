"""The client of the `ollama` package, where it can be had.

Its import makes a client for whatever the environment says, which fails for a proxy, a host, a key or a file of
certificates that it cannot use, and is in vain, since lokal asks the server that was chosen. Where the environment says
anything of that kind lokal does without the package: a call over plain HTTP has the same answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tui.core.endpoint import Endpoint
from tui.servers.http.http_client import prepare_httpx

if TYPE_CHECKING:
    import ollama

_READ = frozenset({"OLLAMA_HOST", "OLLAMA_API_KEY", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"})


def is_free_of_wishes(environ: Mapping[str, str]) -> bool:
    """Whether the environment has none of the variables that the package and httpx read when it is imported: besides
    these all that end in `_proxy`, in any case (urllib.request.getproxies_environment)."""
    return not any(name in _READ or name.lower().endswith("_proxy") for name in environ)


def new_client(endpoint: Endpoint, environ: Mapping[str, str], timeout_s: float) -> ollama.AsyncClient | None:
    """A client held to this endpoint and to the limits of our own; None where the package is not there or would read
    the environment. It takes long to load."""
    if not is_free_of_wishes(environ):
        return None
    prepare_httpx()
    from tui.servers.http import body, transport

    try:
        import ollama
    except (
        ImportError,
        ValueError,
        OSError,
    ):  # not there, or what the system itself says of proxies is unusable
        return None
    return ollama.AsyncClient(
        endpoint.url,
        follow_redirects=False,
        timeout=transport.timeout(timeout_s),
        headers={
            "Authorization": "none"
        },  # or the package would look for one; `authorization` puts in the right one
        trust_env=False,
        transport=transport.transport(endpoint),
        auth=transport.authorization(endpoint),
        event_hooks={"response": [body.expand, body.limit_body]},
    )
