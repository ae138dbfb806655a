"""The servers that downloads go to: the one in use where it is that, else one of its own for as long as a download lasts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

from tui.core.endpoint import Endpoint
from tui.errors import UsageError
from tui.models.pull import Pull
from tui.models.pull_queue import PullSource
from tui.servers.base import Server
from tui.servers.registry import server_for


class PullServers:
    """Finds the server of a download. `configured` are those of the config, which have the keys; `current` gives the server
    in use, `hub` makes the source of what comes from Hugging Face."""

    def __init__(
        self,
        configured: Sequence[Endpoint],
        current: Callable[[], Server | None],
        hub: Callable[[], AbstractAsyncContextManager[PullSource]] | None = None,
    ) -> None:
        self._configured = configured
        self._current = current
        self._hub = hub

    @asynccontextmanager
    async def connect(self, pull: Pull) -> AsyncIterator[PullSource]:
        """The manager of the server that `pull` goes to."""
        if pull.kind is None:
            if self._hub is None:
                raise UsageError("Nothing is downloaded from Hugging Face here")
            async with self._hub() as source:
                yield source
            return
        current = self._current()
        if current is not None and current.endpoint.url == pull.server:
            yield current.model_manager
            return
        known = (endpoint for endpoint in self._configured if endpoint.url == pull.server)
        server = server_for(replace(next(known, Endpoint(pull.server)), kind=pull.kind))
        try:
            yield server.model_manager
        finally:
            await server.aclose()
