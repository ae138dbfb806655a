"""A server that answers as a test wants it to, and what lokal's command line says of the chats that it keeps."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.support.command import lokal_command
from tests.support.dialects import Dialect
from tests.support.replay import CannedResponse, Replay, as_json, pausing, replay
from tui.core.endpoint import Endpoint, ServerKind

OPENAI = Dialect(ServerKind.OPENAI)
CHAT = OPENAI.path
MODEL = "replay-3b"


def answer(*pieces: str, reason: str = "stop") -> CannedResponse:
    """A whole answer in these pieces."""
    return OPENAI.stream(*[OPENAI.text(piece) for piece in pieces], *OPENAI.end(reason))


def endless(*pieces: str) -> CannedResponse:
    """An answer of which these pieces come, and then nothing, with the connection open."""
    return replace(OPENAI.stream(*[OPENAI.text(piece) for piece in pieces], ended=False), stall=True)


def in_two(before: Sequence[str], after: Sequence[str]) -> CannedResponse:
    """An answer whose second part comes only when the server's `release` is set."""
    begun = OPENAI.stream(*[OPENAI.text(piece) for piece in before], ended=False)
    return pausing(begun, answer(*before, *after))


def paced(canned: CannedResponse, piece: int, pace_s: float) -> CannedResponse:
    """The same on a slow line: `piece` bytes every `pace_s` seconds."""
    return replace(canned, piece=piece, pace_s=pace_s)


@asynccontextmanager
async def model_server(*replies: CannedResponse, models: Sequence[str] = (MODEL,)) -> AsyncIterator[Replay]:
    """A server with OpenAI's API that has `models` and gives these replies to chats, the last one for ever."""
    async with replay() as running:
        running.on("/v1/models", as_json(200, {"object": "list", "data": [{"id": name} for name in models]}))
        running.on(CHAT, *replies)
        yield running


def becomes_llamacpp(running: Replay) -> None:
    """Let the server say that it is llama.cpp, which takes more parameters and continues answers itself."""
    running.on("/health", as_json(200, {"status": "ok"}, {"Server": "llama.cpp"}))
    running.on("/props", as_json(200, {"default_generation_settings": {"n_ctx": 4096}}))


def bodies(running: Replay) -> list[dict[str, object]]:
    """What lokal has asked in its chats, oldest first."""
    return [request.json() for request in running.seen if request.path == CHAT]


def turns(body: Mapping[str, object]) -> list[tuple[str, str]]:
    """Roles and texts of the messages in a request."""
    messages = body["messages"]
    assert isinstance(messages, list)
    return [(message["role"], message["content"]) for message in messages]


@dataclass(frozen=True, slots=True)
class Stored:
    """A message as `lokal chats show --json` prints it."""

    role: str
    content: str
    fields: Mapping[str, object] = field(default_factory=dict)

    @property
    def status(self) -> object:
        return self.fields["status"]

    @property
    def preset(self) -> object:
        return self.fields["preset"]

    @property
    def parameters(self) -> object:
        return self.fields["parameters"]


async def command(*arguments: str) -> str:
    """What `lokal ...` prints; it must succeed."""
    ended = await lokal_command(*arguments)
    assert ended.status == 0, ended.err
    return ended.text


async def chat_titles() -> list[str]:
    """The titles of all chats, the newest first."""
    return [str(chat["title"]) for chat in json.loads(await command("chats", "list", "--json"))]


async def last_chat() -> list[Stored]:
    """The messages of the chat that was used last."""
    return messages_of(await command("chats", "show", "last", "--json"))


def messages_of(text: str) -> list[Stored]:
    """The messages in what `lokal chats show --json` prints."""
    messages = json.loads(text)["messages"]
    assert isinstance(messages, list)
    return [Stored(message["role"], message["content"], message) for message in messages]


def parameters_in(body: Mapping[str, object]) -> dict[str, object]:
    """What a request says beside model and messages."""
    always = ("model", "messages", "stream", "stream_options", "return_progress")
    return {name: value for name, value in body.items() if name not in always}


def configure(text: str) -> Path:
    """Write the settings file of this test's home."""
    path = Path(os.environ["XDG_CONFIG_HOME"]) / "lokal" / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def name_server(endpoint: Endpoint, more: str = "") -> Path:
    """Let lokal talk to a real server, with its key; `more` are settings that come before."""
    return configure(
        f'{more}\nserver = "test"\n\n[[servers]]\nname = "test"\n'
        f'url = "{endpoint.url}"\napi_key = "{endpoint.api_key}"\n'
    )
