"""Asking the embedded engine's server whether it is ready, while it loads: blocking, without httpx, past any proxy."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from tui.core.endpoint import Endpoint
from tui.servers.engine import port_listener, socket_folder

REPLY_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Health:
    """An HTTP reply; status 0 = the engine did not answer."""

    status: int
    body: bytes = b""


def is_there(endpoint: Endpoint) -> bool:
    """Whether the engine listens at its address."""
    if endpoint.socket:
        return os.path.lexists(endpoint.socket)
    return port_listener.listens(endpoint.process, urlsplit(endpoint.url).port or 0)


def ask(endpoint: Endpoint) -> Health:
    """What the server says of itself (`/props`) once it is healthy, which it is when the model is loaded."""
    health = _get(endpoint, "/health")
    return _get(endpoint, "/props") if health.status == 200 else health


def _get(endpoint: Endpoint, path: str) -> Health:
    """One GET; whatever goes wrong is status 0. Nothing is sent to a port where another process listens."""
    import http.client

    connection = http.client.HTTPConnection(urlsplit(endpoint.url).netloc, timeout=REPLY_TIMEOUT_S)
    try:
        connection.sock = _connected(endpoint)
        connection.request("GET", path, headers={"Authorization": f"Bearer {endpoint.api_key}"})
        response = connection.getresponse()
        return Health(response.status, response.read())
    except (OSError, http.client.HTTPException):
        return Health(0)
    finally:
        connection.close()


def _connected(endpoint: Endpoint) -> socket.socket:
    """A connection to the engine and to nobody else. Raises OSError."""
    if endpoint.socket:
        return socket_folder.connect(endpoint.socket, REPLY_TIMEOUT_S)
    if not is_there(endpoint):
        raise ConnectionRefusedError
    port = urlsplit(endpoint.url).port
    connection = socket.create_connection((port_listener.LOOPBACK, port), REPLY_TIMEOUT_S)
    if not is_there(endpoint):
        connection.close()
        raise ConnectionRefusedError
    return connection
