"""Waiting for an answer to begin: the request is on its way while the server is asked whether it has to load the
model first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from types import TracebackType

from tui.core.events import Phase, Progress
from tui.servers.http.http_client import HttpClient, StreamingResponse


class PendingResponse:
    """A request that was sent at once. Leaving the context closes its connection, however far it got."""

    def __init__(self, http: HttpClient, path: str, body: Mapping[str, object]) -> None:
        self._http = http
        self._path = path
        self._body = body

    async def __aenter__(self) -> PendingResponse:
        self._posting = asyncio.create_task(self._http.post(self._path, self._body))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._posting.cancel()
        await asyncio.wait({self._posting})
        if not self._posting.cancelled() and self._posting.exception() is None:
            await self._posting.result().aclose()

    async def waits(self, is_loaded: Callable[[], Awaitable[bool | None]]) -> AsyncGenerator[Progress, None]:
        """What the server does until its headers come: LOADING or PREFILL, if `is_loaded` can tell in the meantime.

        It is asked once and at the same time as the request is sent: a server may list a model as soon as it starts
        to load it. `is_loaded` does not raise.
        """
        asking = asyncio.ensure_future(is_loaded())
        try:
            await asyncio.wait({self._posting, asking}, return_when=asyncio.FIRST_COMPLETED)
            if not self._posting.done():
                loaded = asking.result()
                if loaded is not None:
                    yield Progress(Phase.PREFILL if loaded else Phase.LOADING)
                await asyncio.wait({self._posting})
        finally:
            asking.cancel()
            await asyncio.wait({asking})

    async def incoming(self) -> StreamingResponse:
        """The answer, its headers being there. Raises ServerError."""
        return await self._posting
