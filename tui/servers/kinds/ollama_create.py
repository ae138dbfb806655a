"""What Ollama needs to make a model: the fields of `/api/create` and the files that it does not have yet."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from tui import files
from tui.core.model_management import PullLayer, PullProgress
from tui.core.modelfile import Modelfile
from tui.errors import FileError, Refused
from tui.servers.errors import complaint_in, refused
from tui.servers.json_requests import JsonRequests

PIECE = 1 << 20
"""Bytes of a file that are read and sent at a time."""


@dataclass(frozen=True, slots=True)
class SentFiles:
    """The digests of files that the server has, by their names: of the model, of its adapters, of a draft model."""

    model: Mapping[str, str]
    adapters: Mapping[str, str]
    draft: Mapping[str, str]


class FileUpload:
    """Sends the files that a Modelfile names and the server does not have."""

    def __init__(self, requests: JsonRequests) -> None:
        self._requests = requests
        self.files = SentFiles({}, {}, {})

    async def send(self, modelfile: Modelfile, folder: Path) -> AsyncGenerator[PullProgress, None]:
        """Send them, saying how far it is; `files` is what the server then has. Raises FileError, ServerError."""
        model, adapters, draft = dict[str, str](), dict[str, str](), dict[str, str]()
        for name, sent, is_model in (
            (modelfile.source, model, True),
            *((adapter, adapters, False) for adapter in modelfile.adapters),
            (modelfile.draft, draft, False),
        ):
            for path in await asyncio.to_thread(_files_of, name, folder, is_model=is_model):
                async for progress in self._send(path, sent):
                    yield progress
        self.files = SentFiles(model, adapters, draft)

    async def _send(self, path: Path, sent: dict[str, str]) -> AsyncGenerator[PullProgress, None]:
        try:
            with await asyncio.to_thread(files.open_file, path) as file:
                size = os.fstat(file.fileno()).st_size
                seen, hashing = 0, hashlib.sha256()
                while piece := await asyncio.to_thread(file.read, PIECE):
                    await asyncio.to_thread(hashing.update, piece)
                    seen += len(piece)
                    yield PullProgress(f"reading {path.name}", (PullLayer(path.name, min(seen, size), size),))
                digest = f"sha256:{hashing.hexdigest()}"
                there = await self._requests.http.ask(f"/api/blobs/{digest}", None, method="HEAD")
                if there.status != 200:
                    yield PullProgress(f"sending {path.name}", (PullLayer(path.name, 0, size),))
                    await self._upload(digest, file, size)
                sent[path.name] = digest
        except OSError as error:
            raise unreadable(path, error) from error

    async def _upload(self, digest: str, file: BufferedReader, size: int) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            await asyncio.to_thread(file.seek, 0)
            while piece := await asyncio.to_thread(file.read, PIECE):
                yield piece

        reply = await self._requests.http.upload(f"/api/blobs/{digest}", pieces(), size)
        if not 200 <= reply.status < 300:
            raise refused(complaint_in(reply.body), reply.status, self._requests.asked())


def body_of(modelfile: Modelfile, sent: SentFiles) -> dict[str, object]:
    """The fields of `/api/create` but the new model's name. Raises Refused for a source that is neither."""
    body: dict[str, object] = {"files": dict(sent.model)} if sent.model else {"from": modelfile.source}
    parameters: dict[str, object] = {}
    stops = [value for name, value in modelfile.parameters if name == "stop"]
    for name, value in modelfile.parameters:
        parameters[name] = stops if name == "stop" else value
    messages = [{"role": role, "content": text} for role, text in modelfile.messages]
    optional: dict[str, object] = {
        "adapters": dict(sent.adapters), "draft_files": dict(sent.draft), "parameters": parameters,
        "template": modelfile.template, "system": modelfile.system, "license": list(modelfile.licenses),
        "messages": messages, "renderer": modelfile.renderer, "parser": modelfile.parser, "requires": modelfile.requires,
    }  # fmt: skip
    return body | {name: value for name, value in optional.items() if value}


def _files_of(name: str, folder: Path, *, is_model: bool) -> list[Path]:
    """The files that a FROM, ADAPTER or DRAFT means; none for the name of a model. Raises Refused, FileError."""
    if not name:
        return []
    path = folder / Path(name).expanduser()
    try:
        if path.is_dir():
            found = sorted(each for each in path.iterdir() if each.suffix.lower() == ".gguf")
            if not found:
                raise Refused(f"There is no GGUF file in {path}", "", "lokal sends GGUF files only")
            return found
        if path.is_file():
            return [path]
    except OSError as error:
        raise unreadable(path, error) from error
    looks_like_a_file = name.startswith((".", "/", "~")) or name.lower().endswith((".gguf", ".safetensors"))
    if looks_like_a_file or not is_model:
        raise FileError(
            path, f"There is no file {path}", "", "A path is taken from the folder of the Modelfile"
        )
    return []


def unreadable(path: Path, error: OSError) -> FileError:
    """The error for a file that cannot be read."""
    return FileError(path, f"Cannot read {path}", error.strerror or str(error), "Check its rights")
