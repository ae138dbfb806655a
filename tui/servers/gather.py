"""Asking a server two things at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


async def gather_or_cancel(first: Awaitable[A], second: Awaitable[B]) -> tuple[A, B]:
    """The two results. When one fails the other has ended too before its error is raised: left alone it would go on
    asking, and fail with nobody there to hear it."""
    one, other = asyncio.ensure_future(first), asyncio.ensure_future(second)
    try:
        return await asyncio.gather(one, other)
    except BaseException:
        for asking in (one, other):
            asking.cancel()
        await asyncio.gather(one, other, return_exceptions=True)
        raise
