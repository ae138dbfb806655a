"""Managing Ollama's models: `/api/show`, `/api/ps`, loading and unloading, `/api/pull`, `/api/delete`, `/api/copy`."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path

from tui.core.keep_alive import AT_ONCE, as_field
from tui.core.model_header import ModelHeader
from tui.core.model_management import (
    DeletionEffect,
    Facts,
    LoadOptions,
    ModelDetails,
    PullLayer,
    PullProgress,
    RunningModel,
)
from tui.core.modelfile import Modelfile
from tui.core.text import safe_block, safe_line, safe_name
from tui.errors import BadReply, Interrupted, ModelMissing, Refused, ServerError, UsageError
from tui.paths import home
from tui.servers.errors import complaint_of, refused
from tui.servers.gather import gather_or_cancel
from tui.servers.http.framing import Ndjson
from tui.servers.json_object import JsonObject, TooMuch, read_object
from tui.servers.json_requests import JsonRequests
from tui.servers.kinds import ollama_storage
from tui.servers.kinds.ollama import full_name
from tui.servers.model_manager import POLL_S, ModelLister, ModelManager, OnProgress, broken_off
from tui.servers.times import expiry, moment

_SHOW, _GENERATE = "/api/show", "/api/generate"
MOST_LAYERS = 1000
"""Files of a model that are told apart; real ones have fewer than ten."""
MOST_TEXT = 400_000
"""Characters that are kept of a template, a licence or a Modelfile."""
MOST_FACTS = 500
MOST_SHOWN = 200
"""Models of which it is asked what they are made of, when one is to be deleted."""

_BLOB = re.compile(r"^\s*(?:FROM|ADAPTER)\s+(\S.*?[/\\]blobs[/\\](sha256[-:][0-9a-f]{64}))\s*$", re.MULTILINE)
_NETWORK = re.compile(
    r"connection (?:refused|reset)|max retries|unexpected eof|: eof\b|i/o timeout|deadline exceeded|no such host"
    r"|tls handshake|network is unreachable|no route to host|broken pipe|\b50[0234]\b|\b429\b",
    re.IGNORECASE,
)
"""What Ollama says where the line between it and the place that it downloads from is bad, not the name of the model."""


class OllamaModelManager(ModelManager):
    """The models of an Ollama. `on_window` is told of a model that was loaded with a window of its own, which a question that
    names none will not have."""

    def __init__(
        self,
        server: ModelLister,
        requests: JsonRequests,
        poll_s: float = POLL_S,
        on_window: Callable[[str], object] = lambda _: None,
    ) -> None:
        super().__init__(server, requests, poll_s)
        self._on_window = on_window

    async def details(self, model: str) -> ModelDetails:
        """What `/api/show` tells, with size, digest and date of the list."""
        told, listed = await gather_or_cancel(
            self._requests.ask(_SHOW, {"model": model}, model), self._requests.get("/api/tags")
        )
        name = full_name(model)
        entry = next(
            (one for one in listed.items("models") if full_name(_name_of(one)) == name), JsonObject()
        )
        return _details(model, told, entry)

    async def header(self, model: str) -> ModelHeader:
        """What `/api/show` tells with `verbose`; a vocabulary that is too long to be read leaves the tensors out."""
        from tui.servers.kinds.ollama_header import header_of

        size = (await self.details(model)).size or 0
        try:
            told = await self._requests.ask(_SHOW, {"model": model, "verbose": True}, model)
        except BadReply:
            told = await self._requests.ask(_SHOW, {"model": model}, model)
        return header_of(told, size)

    async def running(self) -> tuple[RunningModel, ...]:
        """What `/api/ps` tells."""
        now = time.time()
        listed = (await self._requests.get("/api/ps")).items("models")
        return tuple(
            RunningModel(
                safe_line(_name_of(entry)),
                entry.count("size"),
                entry.count("size_vram"),
                entry.count("context_length") or None,
                expiry(entry.text("expires_at"), now),
            )
            for entry in listed
            if _name_of(entry)
        )

    async def load(self, model: str, options: LoadOptions, on_progress: OnProgress = lambda _: None) -> None:
        """A request without a question loads a model."""
        self._require_no_arguments(options)
        if options.context_window is not None:
            self._on_window(model)
        await self._load(model, options)

    async def _load(self, model: str, options: LoadOptions) -> None:
        body: dict[str, object] = {"model": model}
        if options.keep_alive is not None:
            body["keep_alive"] = as_field(options.keep_alive)
        if options.context_window is not None:
            body["options"] = {"num_ctx": options.context_window}
        try:
            await self._requests.ask(_GENERATE, body, model, timeout_s=None)
        except Refused as refusal:
            if "does not support generate" not in str(refusal):
                raise
            await self._requests.ask("/api/embed", {**body, "input": ""}, model, timeout_s=None)

    async def unload(self, model: str) -> None:
        """As `load`, to be kept for no time; it is still listed for a moment then."""
        await self._requests.ask(_GENERATE, {"model": model, "keep_alive": 0}, model)
        name = full_name(model)

        async def is_gone() -> bool:
            return all(full_name(each.name) != name for each in await self.running())

        await self._wait_until(is_gone)

    async def keep(self, model: str, keep_alive: str) -> None:
        """As `load`, with the window that it is loaded with: for another one Ollama would load it again."""
        name = full_name(model)
        loaded = next((each for each in await self.running() if full_name(each.name) == name), None)
        if keep_alive == AT_ONCE and loaded is not None:
            await self.unload(model)
            return
        window = loaded.context_window if loaded is not None else None
        await self._load(model, LoadOptions(window, keep_alive))

    async def pull(self, model: str) -> AsyncGenerator[PullProgress, None]:
        """Download a model, or what is new of it. Closing the generator pauses it; what came is kept."""
        async with aclosing(self._work("/api/pull", {"model": model, "stream": True}, model)) as progress:
            async for each in progress:
                yield each

    async def delete(self, model: str) -> None:
        """Delete a model; weights that another one has too stay."""
        await self._requests.do("/api/delete", {"model": model}, model, method="DELETE")

    async def copy(self, source: str, destination: str) -> None:
        """Copying takes no room: both have the same files. Ollama would put the copy in the place of a model that has its name."""
        name = full_name(destination)
        for each in (await self._requests.get("/api/tags")).items("models"):
            if full_name(_name_of(each)) == name:
                raise Refused(
                    f"There is a model “{safe_name(_name_of(each), 80)}” already",
                    "It would be lost",
                    "Choose another name, or delete that one first",
                )
        await self._requests.do("/api/copy", {"source": source, "destination": destination}, source)

    async def create(
        self, name: str, modelfile: Modelfile, quantize: str = "", folder: Path = Path()
    ) -> AsyncGenerator[PullProgress, None]:
        """Send the files that are needed, then let it make the model."""
        from tui.servers.kinds.ollama_create import FileUpload, body_of

        upload = FileUpload(self._requests)
        async with aclosing(upload.send(modelfile, folder)) as sending:
            async for progress in sending:
                yield progress
        body = {**body_of(modelfile, upload.files), "model": name, "stream": True}
        if quantize:
            body["quantize"] = quantize
        async with aclosing(self._work("/api/create", body, name)) as working:
            async for each in working:
                yield each

    async def effect_of_deleting(self, models: Sequence[str]) -> DeletionEffect:
        """By the manifests, where they can be read. Else weights count as shared where another model's Modelfile names the
        same file; what is known then is the size of a whole model, and of one that shares its weights nearly nothing is
        freed."""
        gone = {full_name(model) for model in models}
        blobs = await self.storage_folder()
        if blobs is not None:
            exact = await asyncio.to_thread(ollama_storage.freed_bytes, blobs, sorted(gone))
            if exact is not None:
                return exact
        entries = [
            entry for entry in (await self._requests.get("/api/tags")).items("models") if _name_of(entry)
        ]
        going = [entry for entry in entries if full_name(_name_of(entry)) in gone]
        staying = [entry for entry in entries if full_name(_name_of(entry)) not in gone]
        of_going = await self._weights([_name_of(entry) for entry in going])
        of_staying = await self._weights([_name_of(entry) for entry in staying[:MOST_SHOWN]])
        kept = {digest for digests in of_staying.values() for digest in digests}
        frees, counted = 0, set[str]()
        for entry in going:
            digests = of_going[_name_of(entry)]
            if not digests & (kept | counted):
                frees += entry.count("size") or 0
            counted |= digests
        shared = [name for name, digests in of_staying.items() if digests & counted]
        known = len(staying) <= MOST_SHOWN
        return DeletionEffect(frees if known else None, tuple(safe_line(name) for name in shared))

    async def storage_folder(self) -> Path | None:
        """Where the file of one of its models lies, if it lies on this machine; of an Ollama without models the folder that
        it has by default, if that is here."""
        if not self._requests.endpoint.on_this_machine:
            return None
        try:
            listed = (await self._requests.get("/api/tags")).items("models")
            for entry in listed[:1]:
                told = await self._requests.ask(_SHOW, {"model": _name_of(entry)})
                blob = _BLOB.search(told.text("modelfile"))
                if blob is not None and _is_there(Path(blob[1])):
                    return Path(blob[1]).parent
            return None if listed else next(filter(_is_there, _default_folders(os.environ)), None)
        except (ServerError, UsageError):  # the latter: there is no home folder
            return None

    async def _weights(self, names: Sequence[str]) -> dict[str, frozenset[str]]:
        """The digests of the files that each of these models is made of, four asked at a time."""
        limit = asyncio.Semaphore(4)

        async def one(name: str) -> frozenset[str]:
            async with limit:
                try:
                    told = await self._requests.ask(_SHOW, {"model": name}, name)
                except ServerError:
                    return frozenset()
                return frozenset(_weights_in(told.text("modelfile")))

        found = await asyncio.gather(*map(one, names))
        return dict(zip(names, found, strict=True))

    async def _work(
        self, path: str, body: Mapping[str, object], model: str
    ) -> AsyncGenerator[PullProgress, None]:
        """The records of something that takes long. It is done when the last one says so, and not before."""
        layers: dict[str, PullLayer] = {}
        async with aclosing(self._records(path, body, model)) as records:
            async for record in records:
                progress = self._progress(record, layers, model)
                yield progress
                if progress.done:
                    return
        raise broken_off("The server closed the connection before it had said that it was done")

    async def _records(self, path: str, body: Mapping[str, object], model: str) -> AsyncGenerator[str, None]:
        """The lines of a reply. Raises ServerError."""
        parser = Ndjson()
        try:
            incoming = await self._requests.http.post(path, body)
            try:
                await self._requests.require_answer(incoming, model)
                async with aclosing(incoming.chunks()) as chunks:
                    async for chunk in chunks:
                        for frame in parser.feed(chunk):
                            yield frame.data
                for frame in parser.finish():
                    yield frame.data
            finally:
                await incoming.aclose()
        except Interrupted as error:
            raise broken_off(error.detail) from error

    def _progress(self, line: str, layers: dict[str, PullLayer], model: str) -> PullProgress:
        """What a record says. `layers` is what is known so far, and is added to."""
        try:
            fields = read_object(line)
        except TooMuch:
            fields = None
        if fields is None:
            raise BadReply(
                "The server's reply cannot be read", f"It is no record of a download: {safe_line(line, 80)}", "Check the address", 200
            )  # fmt: skip
        if fields.values.get("error"):
            raise self._failure(fields, model)
        status, digest = safe_line(fields.text("status"), 100), safe_line(fields.text("digest"), 100)
        total = fields.count("total")
        if digest and total is not None and (digest in layers or len(layers) < MOST_LAYERS):
            layers[digest] = PullLayer(digest, min(fields.count("completed") or 0, total), total)
        return PullProgress(status, tuple(layers.values()), digest, status == "success")

    def _failure(self, fields: JsonObject, model: str) -> ServerError:
        complaint = complaint_of(fields)
        text = self._requests.endpoint.masked(complaint.text)
        lower = text.lower()
        if "file does not exist" in lower or "not found" in lower:
            name = safe_line(model, 120)
            return ModelMissing(
                f"There is no model “{name}” to download", text, "Check the name and what follows its colon"
            )
        if "no space left" in lower:
            return Refused(
                "The server's disk is full",
                text,
                "Delete a model that is not needed, then download it again",
                200,
            )
        if "digest mismatch" in lower:
            return Interrupted(
                "What was downloaded is damaged",
                text,
                "Download it again: that file is begun from its start",
                200,
            )
        if _NETWORK.search(text):
            return Interrupted("The download broke off", text, "Download it again: what came is kept", 200)
        return refused(complaint, 200, self._requests.asked(model))


def _name_of(entry: JsonObject) -> str:
    return entry.text("name") or entry.text("model")


def _details(model: str, told: JsonObject, entry: JsonObject) -> ModelDetails:
    details, info = told.inner("details"), told.inner("model_info")
    architecture = info.text("general.architecture")

    def figure(key: str) -> int | None:
        return info.count(f"{architecture}.{key}")

    modelfile = _text(told, "modelfile")
    capabilities = tuple(safe_line(word, 20) for word in told.texts("capabilities"))
    about = [
        (key, safe_line(told.text(key), 200))
        for key in ("remote_model", "remote_host", "renderer", "parser", "requires")
    ]
    return ModelDetails(
        safe_line(_name_of(entry) or model),
        family=safe_line(details.text("family") or architecture, 40),
        parameters=safe_line(details.text("parameter_size"), 20),
        quantization=safe_line(details.text("quantization_level"), 20),
        format=safe_line(details.text("format"), 20),
        size=entry.count("size"),
        layers=figure("block_count"),
        heads=figure("attention.head_count"),
        kv_heads=figure("attention.head_count_kv"),
        embedding_length=figure("embedding_length"),
        context_trained=figure("context_length") or None,
        capabilities=capabilities,
        template=_text(told, "template"),
        system=_text(told, "system"),
        settings=_settings(_text(told, "parameters")),
        license=_text(told, "license") or "\n\n".join(safe_block(text) for text in told.texts("license")),
        projector=_facts(told.inner("projector_info")),
        digest=safe_line(entry.text("digest"), 100),
        changed_at=moment(told.text("modified_at") or entry.text("modified_at")),
        modelfile=modelfile,
        facts=(*((key, value) for key, value in about if value), *_facts(info)),
        weights=tuple(_weights_in(modelfile)),
    )


def _text(fields: JsonObject, key: str) -> str:
    return safe_block(fields.text(key)[:MOST_TEXT])


def _settings(text: str) -> Facts:
    """The parameters of a model: a name and its value a line, texts in quotation marks."""
    pairs = (line.split(None, 1) for line in text.splitlines()[:MOST_FACTS] if line.strip())
    return tuple((pair[0], pair[1].strip() if len(pair) > 1 else "") for pair in pairs)


def _facts(fields: JsonObject) -> Facts:
    """What there is of plain values; lists, which are emptied unless one asks for them, are left out."""
    found = []
    for key, value in list(fields.values.items())[:MOST_FACTS]:
        if isinstance(value, bool | int | float | str):
            said = {True: "yes", False: "no"}.get(value) if isinstance(value, bool) else fields.as_json(key)
            found.append((safe_line(key, 100), safe_line(said or "", 200)))
    return tuple(found)


def _weights_in(modelfile: str) -> list[str]:
    return [blob[2].replace(":", "-") for blob in _BLOB.finditer(modelfile[:MOST_TEXT])]


def _default_folders(environ: Mapping[str, str]) -> list[Path]:
    named = environ.get("OLLAMA_MODELS", "")
    homes = [home(environ) / ".ollama", Path("/usr/share/ollama/.ollama")]
    return [Path(named) / "blobs"] if named else [each / "models" / "blobs" for each in homes]


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False
