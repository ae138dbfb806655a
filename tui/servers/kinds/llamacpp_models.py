"""Managing the models of llama.cpp: what one llama-server tells of its model, and the router's loading, unloading and
downloading. The router says that a download has ended also where there was nothing to download: it has a model when its list
has it, and not before."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from urllib.parse import quote

from tui.core.model import Model, ModelState
from tui.core.model_actions import ModelAction, ModelActions
from tui.core.model_management import Adapter, Facts, LoadOptions, ModelDetails, PullLayer, PullProgress
from tui.core.text import safe_block, safe_line, safe_name
from tui.errors import Interrupted, ModelMissing, Refused, ServerError
from tui.servers.gather import gather_or_cancel
from tui.servers.http.framing import Sse
from tui.servers.http.http_client import StreamingResponse
from tui.servers.json_object import JsonObject, parse_object
from tui.servers.kinds.llamacpp import model_from
from tui.servers.model_manager import ModelManager, OnProgress, broken_off, details_of
from tui.servers.probe_replies import MODELS

_CHANGED, _RELOADED = "/models", "/models?reload=1"
_OF_ROUTERS = (
    ModelAction.LOAD,
    ModelAction.UNLOAD,
    ModelAction.PULL,
    ModelAction.CANCEL_PULL,
    ModelAction.DELETE,
)
_ONE_MODEL = (
    "This llama-server has the one model that it was started with; without -m it is a router, which can"
)
_ADAPTERS = "/lora-adapters"
_BY_ROUTER = (
    "A router passes no scales on to its models; a llama-server started with -m and --lora takes them"
)
_ENGINE = "The built-in engine has the one model in its file; another file is opened with /gguf or --gguf"
LOOK_S = 5.0
"""How many seconds of silence in the stream of events pass before the list is looked at: an event may have been missed."""
LOAD_LOOK_S = 1.0
"""The same while a model is loaded."""
SLOWER = 5
"""How many times rarer than other things a list is asked for that makes the router look through its folders."""
MOST_UNSEEN = 5
"""How often in a row the list may lack a model whose download was begun."""
MOST_TEXT = 400_000
MOST_LAYERS = 1000
MOST_SLOTS = 64
MOST_ADAPTERS = 64
MOST_METRICS = 40


class LlamaCppModelManager(ModelManager):
    """The model of a llama-server, or the models of a router."""

    async def actions(self) -> ModelActions:
        """Only a router has more than one model."""
        at_best = await super().actions()
        if self._requests.endpoint.built_in:
            own = at_best.but("The built-in engine loads no LoRA adapters", ModelAction.SCALE_ADAPTERS)
            return own.but(_ENGINE, *_OF_ROUTERS)
        if await self._is_router():
            return at_best.but(_BY_ROUTER, ModelAction.SCALE_ADAPTERS)
        return at_best.but(_ONE_MODEL, *_OF_ROUTERS)

    async def details(self, model: str) -> ModelDetails:
        """The list, and what `/props` and `/lora-adapters` tell of a model that is loaded; asking would load another."""
        entries = (await self._requests.get(MODELS)).items("data")
        entry = next((one for one in entries if model in (one.text("id"), *one.texts("aliases"))), None)
        if entry is None:
            raise self._missing(model)
        listed = model_from(entry)
        of_model = f"?model={quote(model, safe='')}&autoload=false" if entry.inner("status") else ""
        if not listed.loaded:
            return replace(details_of(listed), format="gguf", facts=_of_entry(entry))
        props, adapters = await gather_or_cancel(self._props(of_model), self._adapters(of_model))
        slots, metrics = await gather_or_cancel(self._slots(of_model), self._metrics(of_model))
        details = _with_props(details_of(listed), props)
        facts = (*_of_entry(entry), *details.facts, *slots, *metrics)
        return replace(details, adapters=adapters, facts=facts)

    async def load(self, model: str, options: LoadOptions, on_progress: OnProgress = lambda _: None) -> None:
        """The router says at once that it has begun, and in its events how far it is; that it has loaded the model is in its
        list."""
        await self._require(ModelAction.LOAD)
        self._require_no_arguments(options)
        listed = await self._listed(model)
        if listed.loaded:
            return
        if options.context_window is not None:
            raise Refused(
                "llama-server takes no context window with a request",
                "The window of each model is among the router's own settings",
                "Set ctx-size of this model in the router's --models-preset file, or --ctx-size for all",
            )
        async with self._events() as events:
            if listed.state is not ModelState.LOADING:
                await self._requests.do("/models/load", {"model": model}, model)
            idle = 0
            while idle <= MOST_UNSEEN:
                batch = await events.next(self._poll_s if events.ended else LOAD_LOOK_S)
                own = [
                    event.inner("data").inner("progress") for event in batch if event.text("model") == model
                ]
                for progress in own:
                    if (share := progress.number("value")) is not None:
                        on_progress(min(1.0, max(0.0, share)))
                if batch and all(own):  # nothing but progress; its list says whether it is there
                    continue
                listed = await self._listed(model)
                if listed.loaded:
                    return
                if listed.state is ModelState.FAILED:
                    raise Refused(
                        f"“{safe_name(model, 60)}” could not be loaded",
                        listed.note.removeprefix("could not be loaded").strip(" ()").capitalize(),
                        "What llama-server prints says why",
                    )
                idle = 0 if listed.state is ModelState.LOADING else idle + 1
        raise Refused(
            f"“{safe_name(model, 60)}” is not being loaded any more",
            "Somebody has unloaded it, or the router needed its place",
            "Load it again",
        )

    async def unload(self, model: str) -> None:
        """As `load`."""
        await self._require(ModelAction.UNLOAD)
        if not (await self._listed(model)).loaded:
            return
        await self._requests.do("/models/unload", {"model": model}, model)

        async def is_gone() -> bool:
            return not (await self._listed(model)).loaded

        await self._wait_until(is_gone)

    async def pull(self, model: str) -> AsyncGenerator[PullProgress, None]:
        """Let the router download `user/repo:QUANT` from Hugging Face. It goes on when nobody follows it."""
        await self._require(ModelAction.PULL)
        model = _repository(model)
        before = await self._models()
        if any(_is_meant(model, each) and each.state is not ModelState.DOWNLOADING for each in before):
            yield PullProgress("it is there already", done=True)
            return
        try:
            async with self._events() as events:
                if not any(_is_meant(model, each) for each in before):
                    await self._requests.do(_CHANGED, {"model": model}, model)
                yield PullProgress("the download has begun")
                async with aclosing(self._followed(model, events)) as progress:
                    async for each in progress:
                        yield each
        except Interrupted as error:
            raise broken_off(error.detail) from error

    async def cancel_pull(self, model: str) -> None:
        """Unloading a model that is being downloaded stops that."""
        model = _repository(model)
        await self._requests.do("/models/unload", {"model": model}, model)

    async def delete(self, model: str) -> None:
        """Delete a model that the router has downloaded itself; others are files of the person."""
        await self._require(ModelAction.DELETE)
        entries = (await self._requests.get(MODELS)).items("data")
        entry = next((one for one in entries if one.text("id") == model), None)
        if entry is None:
            raise self._missing(model)
        if "can_remove" in entry and not entry.flag("can_remove"):
            raise Refused(
                "llama-server deletes only what it has downloaded itself",
                f"“{safe_name(model, 60)}” comes from its {safe_line(entry.text('source'), 40) or 'own files'}",
                "Delete the file yourself, then load the list again",
            )
        await self._requests.do(f"{_CHANGED}?model={quote(model, safe='')}", None, model, method="DELETE")

    async def scale_adapters(self, model: str, scales: Sequence[float]) -> None:
        """The server takes all scales at once: an adapter that is not in the list is switched off."""
        await self._require(ModelAction.SCALE_ADAPTERS)
        adapters = await self._adapters("")
        if len(adapters) != len(scales):
            raise Refused(
                "The adapters are not those that they were",
                f"The server has {len(adapters)} now",
                "Look at them again",
            )
        places = enumerate(zip(adapters, scales, strict=True))
        body = [{"id": at if one.id is None else one.id, "scale": scale} for at, (one, scale) in places]
        await self._requests.do(_ADAPTERS, body, model)

    # -- the router -------------------------------------------------------------------------------------------------

    async def _is_router(self) -> bool:
        try:
            return (await self._requests.get("/props")).text("role") == "router"
        except ServerError:
            # It loads its model, or wants a key for this. Its list has states only in a router.
            return any(entry.inner("status") for entry in (await self._requests.get(MODELS)).items("data"))

    async def _require(self, action: ModelAction) -> None:
        if not (await self.actions()).can(action):
            raise await self._refusal(action)

    async def _models(self, path: str = MODELS) -> list[Model]:
        return [model_from(entry) for entry in (await self._requests.get(path)).items("data")]

    @asynccontextmanager
    async def _events(self) -> AsyncIterator[_Events]:
        """The stream of the router's events; one that has ended at once in a version that has none."""
        following: StreamingResponse | None = await self._requests.http.follow("/models/sse")
        assert following is not None
        try:
            events = _Events(following if following.status == 200 else None)
            try:
                yield events
            finally:
                await events.aclose()
        finally:
            await following.aclose()

    async def _followed(self, model: str, events: _Events) -> AsyncGenerator[PullProgress, None]:
        """The download until the list has the model. Raises ModelMissing where it ends without."""
        layers: dict[str, PullLayer] = {}
        unseen = 0
        while True:
            ended = False
            for event in await events.next(SLOWER * self._poll_s if events.ended else LOOK_S):
                if not _names_match(model, event.text("model")):
                    continue
                kind, data = event.text("event"), event.inner("data")
                if kind == "download_progress":
                    _add_layers(layers, data.inner("progress") or data)
                    yield PullProgress("downloading", tuple(layers.values()))
                elif kind == "download_failed":
                    reason = safe_line(data.text("error") or data.text("message"), 300)
                    raise Refused(
                        "llama-server could not download it", reason, "What it prints says more", 200
                    )
                ended = ended or kind in ("download_finished", "model_remove")
            if events.came and not ended:
                continue
            found = [each for each in await self._models(_RELOADED) if _is_meant(model, each)]
            if any(each.state is not ModelState.DOWNLOADING for each in found):
                yield PullProgress("success", tuple(layers.values()), done=True)
                return
            unseen = 0 if found else unseen + 1
            if ended or unseen > MOST_UNSEEN:
                raise ModelMissing(
                    f"llama-server has no model “{safe_name(model, 120)}” after all",
                    "It says that the download has ended, but its list does not have the model",
                    "Check that the repository exists and has GGUF files of this quantization",
                )

    async def _props(self, of_model: str) -> JsonObject:
        try:
            return await self._requests.get(f"/props{of_model}")
        except ServerError:
            return JsonObject()

    async def _list_at(self, path: str) -> tuple[JsonObject, ...]:
        """The objects in a list that is the whole reply; none where this server does not tell."""
        reply = await self._requests.http.get(path)
        listed = parse_object(b'{"list":' + reply.body + b"}") if reply.status == 200 else None
        return (listed or JsonObject()).items("list")

    async def _adapters(self, of_model: str) -> tuple[Adapter, ...]:
        listed = await self._list_at(f"{_ADAPTERS}{of_model}")
        return tuple(
            Adapter(safe_line(one.text("path")), one.number("scale"), one.count("id"))
            for one in listed[:MOST_ADAPTERS]
        )

    async def _slots(self, of_model: str) -> Facts:
        """What each slot does."""
        found = []
        for one in (await self._list_at(f"/slots{of_model}"))[:MOST_SLOTS]:
            does = "answers" if one.flag("is_processing") else "is idle"
            window = one.count("n_ctx")
            found.append((f"slot {one.count('id') or 0}", does + (f", {window:,} tokens" if window else "")))
        return tuple(found)

    async def _metrics(self, of_model: str) -> Facts:
        """Its counters, where it was started with --metrics: lines of `llamacpp:NAME VALUE` (Prometheus)."""
        reply = await self._requests.http.get(f"/metrics{of_model}")
        if reply.status != 200:
            return ()
        lines = re.findall(
            r"^llamacpp:(\w{1,60}) ([\d.e+-]{1,30})$", reply.body.decode("utf-8", "replace"), re.MULTILINE
        )
        return tuple((name.replace("_", " "), value) for name, value in lines[:MOST_METRICS])


class _Events:
    """The events of the router, handed over in batches, or nothing after a while of silence."""

    def __init__(self, following: StreamingResponse | None) -> None:
        self.came = False
        self.ended = following is None
        self._queue: asyncio.Queue[list[JsonObject] | None] = asyncio.Queue()
        self._reading = None if following is None else asyncio.create_task(self._read(following))

    async def _read(self, following: StreamingResponse) -> None:
        parser = Sse()
        try:
            async with aclosing(following.chunks()) as chunks:
                async for chunk in chunks:
                    events = [parse_object(frame.data) for frame in parser.feed(chunk)]
                    self._queue.put_nowait([event for event in events if event])
        except ServerError:  # a proxy may end it; the list is looked at instead, and says more
            pass
        self._queue.put_nowait(None)

    async def next(self, patience_s: float) -> list[JsonObject]:
        """The events that have come, or none after `patience_s` seconds; `came` says which."""
        try:
            async with asyncio.timeout(patience_s):
                batch = await self._queue.get()
        except TimeoutError:
            self.came = False
            return []
        self.ended = batch is None or self.ended
        self.came = bool(batch)
        return batch or []

    async def aclose(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait({self._reading})


def _add_layers(layers: dict[str, PullLayer], progress: JsonObject) -> None:
    for url in list(progress.values)[:MOST_LAYERS]:
        each = progress.inner(url)
        total = each.count("total")
        if total is not None and (url in layers or len(layers) < MOST_LAYERS):
            name = safe_line(url.rpartition("/")[2], 100)
            layers[url] = PullLayer(name, min(each.count("done") or 0, total), total)


def _repository(name: str) -> str:
    """The name of a repository as the router takes it: without the host that Ollama wants before it."""
    return name.removeprefix("hf.co/").removeprefix("huggingface.co/")


def _names_match(wanted: str, name: str) -> bool:
    """Whether `name` is what a person calls `wanted`, who may have left out the quantization."""
    wanted, name = wanted.lower(), name.lower()
    return name == wanted or (":" not in wanted and name.startswith(f"{wanted}:"))


def _is_meant(wanted: str, model: Model) -> bool:
    return any(_names_match(wanted, name) for name in (model.name, *model.aliases))


def _of_entry(entry: JsonObject) -> Facts:
    """What only a router tells: where a model comes from, and the text of its settings."""
    status = entry.inner("status")
    found = [
        ("source", safe_line(entry.text("source"), 40)),
        ("path", safe_line(entry.text("path"))),
        ("settings", safe_block(status.text("preset")[:MOST_TEXT]).strip()),
    ]
    meta = entry.inner("meta")
    found += [(key, f"{count}") for key in ("n_vocab", "n_embd") if (count := meta.count(key))]
    return tuple((name, value) for name, value in found if value)


def _with_props(details: ModelDetails, props: JsonObject) -> ModelDetails:
    settings = props.inner("default_generation_settings")
    parameters = settings.inner("params")
    plain = [
        (name, parameters.as_json(name))
        for name, value in parameters.values.items()
        if isinstance(value, int | float | str)
    ]
    kinds = props.inner("modalities")
    about = [
        ("slots", str(props.count("total_slots") or "")),
        ("build", safe_line(props.text("build_info"), 40)),
        ("also understands", ", ".join(word for word in ("vision", "audio", "video") if kinds.flag(word))),
    ]
    return replace(
        details,
        format="gguf",
        context_loaded=settings.count("n_ctx") or details.context_loaded,
        template=safe_block(props.text("chat_template")[:MOST_TEXT]),
        settings=tuple((safe_line(name, 60), safe_line(value, 100)) for name, value in plain),
        path=safe_line(props.text("model_path")),
        facts=tuple((name, value) for name, value in about if value),
    )
