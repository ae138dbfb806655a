"""Whether the model that text-generation-webui has loaded can see pictures, which it tells nobody.

Most of its loaders leave a picture out and answer all the same. Those that take pictures do so only with a model for
it, which shows in what they make of a small one: it takes many tokens, or they fail.
"""

from __future__ import annotations

import base64
import struct
import zlib
from typing import TYPE_CHECKING

from tui.errors import ServerError

if TYPE_CHECKING:
    from tui.servers.http.http_client import HttpClient

SEEING_LOADERS = ("llama.cpp", "exllamav3")
TEXT_TOKENS = 16
"""More than the word takes that goes with the picture, and fewer than any picture."""
LOOKING_S = 120.0
"""Seconds that a processor may take to look at a picture."""
SIDE = 64


class Sight:
    """Asks once for each model and loader."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http
        self._known: dict[tuple[str, str], bool] = {}

    async def sees(self, model: str, loader: str) -> bool:
        """Whether a picture is looked at. Never raises."""
        if loader and not loader.lower().startswith(SEEING_LOADERS):
            return False
        key = model, loader
        if key not in self._known:
            self._known[key] = await self._look(model)
        return self._known[key]

    async def _look(self, model: str) -> bool:
        url = f"data:image/png;base64,{base64.b64encode(grey_picture()).decode('ascii')}"
        content = [{"type": "text", "text": "x"}, {"type": "image_url", "image_url": {"url": url}}]
        body = {"model": model, "messages": [{"role": "user", "content": content}], "max_tokens": 1}
        try:
            reply = await self._http.ask("/v1/completions", body, LOOKING_S)
        except ServerError:
            return False
        tokens = reply.fields().inner("usage").count("prompt_tokens") if reply.status == 200 else None
        return tokens is not None and tokens > TEXT_TOKENS


def grey_picture() -> bytes:
    """A PNG of one grey."""
    rows = (b"\x00" + b"\x80" * SIDE) * SIDE

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
