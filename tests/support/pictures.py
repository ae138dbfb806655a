"""A picture that every decoder takes, and a server that says which of its models can see."""

from __future__ import annotations

import struct
import zlib

from tests.support.replay import Replay, as_json


def png(width: int = 8, height: int = 8) -> bytes:
    """A red rectangle (PNG, RFC 2083)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\xc8\x1e\x1e" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def says_who_can_see(server: Replay, **models: bool) -> Replay:
    """Let a replay server that is an Ollama have these models, each with vision or without."""
    listed = [
        {
            "name": name,
            "size": 2_000_000_000,
            "details": {"family": "llama", "parameter_size": "3B", "quantization_level": "Q4_K_M"},
            "capabilities": ["completion", *(["vision"] if sees else [])],
        }
        for name, sees in models.items()
    ]
    first = listed[0]["name"]
    server.on("/api/tags", as_json(200, {"models": listed}))
    server.on("/api/ps", as_json(200, {"models": [{"name": first, "model": first, "context_length": 8192}]}))
    return server
