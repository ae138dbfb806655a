"""A listener on a port that takes down what it is sent and answers nothing: another user's program."""

from __future__ import annotations

import socket


class Listener:
    """Listens on a free port of this machine until it is closed."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]

    def received(self) -> list[bytes]:
        """What each connection since the last call has brought first."""
        brought: list[bytes] = []
        while True:
            try:
                connection, _ = self._socket.accept()
            except BlockingIOError:
                return brought
            with connection:
                connection.settimeout(60)
                brought.append(connection.recv(65536))

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()
