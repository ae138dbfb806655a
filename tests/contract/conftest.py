"""Every kind of server, each over a replay server of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.dialects import DIALECTS, Dialect, ServerUnderTest, under_test


@pytest.fixture(params=DIALECTS, ids=lambda dialect: str(dialect.kind))
async def tested(request: pytest.FixtureRequest) -> AsyncIterator[ServerUnderTest]:
    """One server of each kind."""
    dialect = request.param
    assert isinstance(dialect, Dialect)
    async with under_test(dialect) as server:
        yield server
