"""Model managers over replay servers, which wait for nothing."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from tests.support.dialects import Dialect, ServerUnderTest, under_test
from tui.core.endpoint import ServerKind
from tui.core.model_management import PullProgress
from tui.servers.http.http_client import HttpClient
from tui.servers.json_requests import JsonRequests
from tui.servers.model_manager import ModelManager


@asynccontextmanager
async def managed(kind: ServerKind) -> AsyncIterator[tuple[ModelManager, ServerUnderTest]]:
    """The manager of a server of that kind, which asks again without a pause, and the server."""
    async with under_test(Dialect(kind)) as tested:
        server = tested.server
        http = HttpClient(server.endpoint)
        requests = JsonRequests(server.endpoint, server.profile, http)
        try:
            yield type(server.model_manager)(server, requests, 0.0), tested
        finally:
            await http.aclose()


async def read(progress: AsyncGenerator[PullProgress, None]) -> list[PullProgress]:
    """All of a download, which must come to its end."""
    async with aclosing(progress):
        found = [each async for each in progress]
    assert found[-1].done
    assert not any(each.done for each in found[:-1])
    return found
