"""Managing LM Studio's models, over `/api/v1/models` of version 0.4.0 and later: loading, unloading, download jobs. Earlier
versions only list."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Protocol

from tui.core.model import Model
from tui.core.model_actions import ModelAction, ModelActions
from tui.core.model_management import Facts, LoadOptions, ModelDetails, PullLayer, PullProgress, RunningModel
from tui.core.text import safe_line, safe_name
from tui.errors import Interrupted, ModelMissing, Refused
from tui.servers.json_object import JsonObject
from tui.servers.json_requests import JsonRequests
from tui.servers.kinds.lmstudio import V1_MODELS
from tui.servers.model_manager import ModelLister, ModelManager, OnProgress, broken_off, details_of

_OF_OLD = "LM Studio can do this over its API from version 0.4.0 on; before, on its own page or with lms"
JOB_S = 1.0
"""How often a download is asked after, in seconds."""
_HUB = "https://huggingface.co/"


class ListsAllModels(ModelLister, Protocol):
    """What LM Studio's own list adds."""

    async def all_models(self) -> tuple[Model, ...]: ...


class LMStudioModelManager(ModelManager):
    """The models of an LM Studio."""

    def __init__(self, server: ListsAllModels, requests: JsonRequests, poll_s: float = JOB_S) -> None:
        super().__init__(server, requests, poll_s)
        self._lists_all = server

    async def models(self) -> tuple[Model, ...]:
        """Those too that are not loaded while loading on request is switched off."""
        return await self._lists_all.all_models()

    async def actions(self) -> ModelActions:
        """A version before 0.4.0 can only be looked at."""
        at_best = await super().actions()
        if await self._entries() is not None:
            return at_best
        return at_best.but(_OF_OLD, ModelAction.LOAD, ModelAction.UNLOAD, ModelAction.PULL)

    async def details(self, model: str) -> ModelDetails:
        """What its list tells."""
        details = details_of(await self._listed(model))
        for entry in await self._entries() or ():
            if entry.text("key") == model:
                return _with_entry(details, entry)
        return details

    async def running(self) -> tuple[RunningModel, ...]:
        """Each instance of a model, by its own name."""
        entries = await self._entries()
        if entries is None:
            return await super().running()
        return tuple(
            RunningModel(
                safe_line(instance.text("id")),
                context_window=instance.inner("config").count("context_length") or None,
            )
            for entry in entries
            for instance in entry.items("loaded_instances")
        )

    async def load(self, model: str, options: LoadOptions, on_progress: OnProgress = lambda _: None) -> None:
        """Load a model. One that is loaded with another window is unloaded before: LM Studio would load it twice."""
        await self._require(ModelAction.LOAD)
        self._require_no_arguments(options)
        if options.keep_alive is not None:
            raise await self._refusal(ModelAction.KEEP)
        windows = {
            instance.text("id"): instance.inner("config").count("context_length")
            for instance in await self._instances(model)
        }
        if windows and options.context_window in (None, *windows.values()):
            return
        for instance in windows:
            await self._unload(instance)
        body: dict[str, object] = {"model": model}
        if options.context_window is not None:
            body["context_length"] = options.context_window
        await self._requests.ask(f"{V1_MODELS}/load", body, model, timeout_s=None)

    async def unload(self, model: str) -> None:
        """Unload every instance of a model, or the one that is named."""
        await self._require(ModelAction.UNLOAD)
        for instance in await self._instances(model):
            await self._unload(instance.text("id"))

    async def pull(self, model: str) -> AsyncGenerator[PullProgress, None]:
        """Start a download job, or follow it; it goes on when nobody does."""
        await self._require(ModelAction.PULL)
        job = await self._requests.ask(f"{V1_MODELS}/download", _job_of(model), model, timeout_s=60.0)
        number = job.text("job_id")
        total = 0
        while True:
            status = job.text("status")
            total = job.count("total_size_bytes") or total
            done = min(job.count("downloaded_bytes") or 0, total)
            if status in ("completed", "already_downloaded"):
                words = "it is there already" if status == "already_downloaded" else "success"
                yield PullProgress(words, (PullLayer("", total, total),) if total else (), done=True)
                return
            if status == "failed":
                reason = safe_line(job.text("error") or job.inner("error").text("message"), 300)
                raise Refused("LM Studio could not download it", reason, "Its own page says more", 200)
            if not number:
                raise Refused(
                    "LM Studio does not say how far the download is",
                    f"It says “{safe_line(status, 60)}”",
                    "Look on its own page",
                    200,
                )
            yield PullProgress(safe_line(status, 60), (PullLayer("", done, total),) if total else ())
            await asyncio.sleep(self._poll_s)
            try:
                job = await self._requests.get(f"{V1_MODELS}/download/status/{number}")
            except Interrupted as error:
                raise broken_off(error.detail) from error

    async def _unload(self, instance: str) -> None:
        await self._requests.ask(f"{V1_MODELS}/unload", {"instance_id": instance}, instance, timeout_s=60.0)

    async def _instances(self, model: str) -> list[JsonObject]:
        """What is loaded of a model, which may be named by its key or by the name of an instance. Raises ModelMissing."""
        entries = await self._entries() or ()
        for entry in entries:
            instances = list(entry.items("loaded_instances"))
            if entry.text("key") == model:
                return instances
            named = [instance for instance in instances if instance.text("id") == model]
            if named:
                return named
        raise ModelMissing(
            f"LM Studio has no model “{safe_name(model, 120)}”",
            "",
            "“lokal models list” shows those that it has",
        )

    async def _entries(self) -> tuple[JsonObject, ...] | None:
        """Its list; None in a version that has none."""
        try:
            told = await self._requests.get(V1_MODELS)
        except Refused as refusal:
            if refusal.status in (401, 403):
                raise
            return None
        return told.items("models") if told.length("models") is not None else None

    async def _require(self, action: ModelAction) -> None:
        if not (await self.actions()).can(action):
            raise await self._refusal(action)


def _job_of(model: str) -> dict[str, object]:
    """A repository of Hugging Face by its address, with a quantization after a colon; anything else is a name in LM Studio's
    catalogue."""
    for prefix in ("hf.co/", "huggingface.co/", "https://hf.co/", _HUB):
        if model.startswith(prefix):
            name, _, quantization = model.removeprefix(prefix).partition(":")
            asked: dict[str, object] = {"model": f"{_HUB}{name}"}
            return asked | ({"quantization": quantization} if quantization else {})
    return {"model": model}


def _with_entry(details: ModelDetails, entry: JsonObject) -> ModelDetails:
    reasoning = entry.inner("capabilities").inner("reasoning")
    bits = entry.inner("quantization").number("bits_per_weight")
    found = [
        ("name", safe_line(entry.text("display_name"), 120)),
        ("publisher", safe_line(entry.text("publisher"), 120)),
        ("bits per weight", f"{bits:.3g}" if bits else ""),
        ("thinks", safe_line(", ".join(reasoning.texts("allowed_options")), 120)),
        ("variants", safe_line(", ".join(entry.texts("variants")), 300)),
        ("variant in use", safe_line(entry.text("selected_variant"), 120)),
        ("description", safe_line(entry.text("description"), 600)),
    ]
    facts: Facts = tuple((name, value) for name, value in found if value)
    for instance in entry.items("loaded_instances"):
        for name in instance.inner("config").values:
            value = instance.inner("config").as_json(name)
            facts += ((f"{safe_line(instance.text('id'), 60)}: {safe_line(name, 60)}", safe_line(value, 60)),)
    return replace(details, format=safe_line(entry.text("format"), 20), facts=facts)
