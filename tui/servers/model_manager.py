"""Managing the models of a server: details, memory, downloads, deleting and making.

The base class says of every action why it cannot be done, in the words of the profile; the class of a kind does what the
kind can. It is made when it is first wanted, by `Server.model_manager`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol

from tui.core.model import Model, ModelState
from tui.core.model_actions import ModelAction, ModelActions
from tui.core.model_header import ModelHeader
from tui.core.model_management import DeletionEffect, LoadOptions, ModelDetails, PullProgress, RunningModel
from tui.core.modelfile import Modelfile
from tui.core.text import safe_name
from tui.errors import FileError, Interrupted, ModelMissing, Refused, ServerError
from tui.servers.json_requests import JsonRequests

UNLOAD_S = 5.0
"""How long a model that was unloaded may still be listed as loaded, in seconds, before that is no longer waited for."""
POLL_S = 0.2
"""How often a server that does not tell by itself is asked how far it is, in seconds."""


OnProgress = Callable[[float], None]
"""Told how far something is, 0 to 1."""


class ModelLister(Protocol):
    """What the manager asks the server that it belongs to."""

    async def models(self) -> tuple[Model, ...]: ...


class ModelManager:
    """The models of one server. All methods raise ServerError; what the server cannot do raises Refused, saying why."""

    def __init__(self, server: ModelLister, requests: JsonRequests, poll_s: float = POLL_S) -> None:
        self._server = server
        self._requests = requests
        self._poll_s = poll_s

    async def actions(self) -> ModelActions:
        """What this server can do, which may be less than its kind can: it may be asked."""
        return self._requests.profile.model_actions

    async def models(self) -> tuple[Model, ...]:
        """All models that the server has, also such as a question could not be put to now."""
        return await self._server.models()

    async def details(self, model: str) -> ModelDetails:
        """All that the server tells of a model."""
        listed = await self._listed(model)
        return details_of(listed)

    async def header(self, model: str) -> ModelHeader:
        """What the model says of itself, its tensors as far as the server tells them: from its file, where that is on this
        machine, else only the bytes that it takes."""
        details = await self.details(model)
        if details.path and self._requests.endpoint.on_this_machine:
            from tui import files
            from tui.servers.engine.gguf_reader import read_header

            with contextlib.suppress(FileError):
                return await files.in_thread(lambda: read_header(Path(details.path)))
        return ModelHeader({}, size=details.size or 0)

    async def running(self) -> tuple[RunningModel, ...]:
        """The models in memory."""
        return tuple(
            running_of(each)
            for each in await self.models()
            if each.loaded or each.state in (ModelState.SLEEPING, ModelState.LOADING)
        )

    async def load(self, model: str, options: LoadOptions, on_progress: OnProgress = lambda _: None) -> None:
        """Load a model, and return when it is in memory. `on_progress` is told how much of it is, where a server tells."""
        raise await self._refusal(ModelAction.LOAD)

    async def unload(self, model: str) -> None:
        """Unload a model, and return when its memory is free."""
        raise await self._refusal(ModelAction.UNLOAD)

    async def keep(self, model: str, keep_alive: str) -> None:
        """Keep a model that is loaded in memory for so long from now on, without loading it again."""
        raise await self._refusal(ModelAction.KEEP)

    async def pull(self, model: str) -> AsyncGenerator[PullProgress, None]:
        """Download a model. The last value is `done`, or an error is raised: Interrupted where it is worth trying again.
        Closing the generator stops the download where the server pauses by that (`ModelAction.PAUSE_PULL`)."""
        raise await self._refusal(ModelAction.PULL)
        yield

    async def cancel_pull(self, model: str) -> None:
        """Stop a download that goes on without lokal. Nothing is to be done where closing its stream has stopped it."""
        if not (await self.actions()).can(ModelAction.PAUSE_PULL):
            raise await self._refusal(ModelAction.CANCEL_PULL)

    async def delete(self, model: str) -> None:
        """Delete a model from the server's disk."""
        raise await self._refusal(ModelAction.DELETE)

    async def copy(self, source: str, destination: str) -> None:
        """Give a model a second name."""
        raise await self._refusal(ModelAction.COPY)

    async def create(
        self, name: str, modelfile: Modelfile, quantize: str = "", folder: Path = Path()
    ) -> AsyncGenerator[PullProgress, None]:
        """Make a model. Files that the Modelfile names are looked for below `folder` and sent to the server. As `pull`."""
        raise await self._refusal(ModelAction.CREATE)
        yield

    async def scale_adapters(self, model: str, scales: Sequence[float]) -> None:
        """Apply the LoRA adapters of a model so strongly, in the order in which `details` has them: 0 = not at all."""
        raise await self._refusal(ModelAction.SCALE_ADAPTERS)

    async def effect_of_deleting(self, models: Sequence[str]) -> DeletionEffect:
        """What it frees to delete these models."""
        sizes = [model.size for model in await self.models() if model.name in models]
        known = [size for size in sizes if size is not None]
        return DeletionEffect(sum(known) if known and len(known) == len(sizes) else None)

    async def storage_folder(self) -> Path | None:
        """The folder on this machine into which the server downloads; None where it is another machine's, or not known."""
        return None

    async def rename(self, source: str, destination: str) -> None:
        """Give a model another name: a copy, which takes no room, and then the old one is deleted."""
        await self.copy(source, destination)
        try:
            await self.delete(source)
        except ServerError as error:
            old, new = safe_name(source, 60), safe_name(destination, 60)
            raise Refused(
                f"“{new}” is there, but “{old}” could not be deleted",
                str(error),
                "Both names are the same model",
            ) from error

    # -- for the kinds ----------------------------------------------------------------------------------------------

    async def _listed(self, model: str) -> Model:
        """The model of that name. Raises ModelMissing."""
        models = await self.models()
        found = next((each for each in models if model == each.name or model in each.aliases), None)
        if found is None:
            raise self._missing(model)
        return found

    def _missing(self, model: str) -> ModelMissing:
        profile = self._requests.profile
        name = safe_name(model, 120)
        return ModelMissing(
            f"{profile.label} has no model “{name}”", "", profile.hints.missing_model.format(model=name)
        )

    async def _refusal(self, action: ModelAction) -> Refused:
        label = self._requests.profile.label
        return Refused(f"{label} cannot {action}", (await self.actions()).why_not(action))

    def _require_no_arguments(self, options: LoadOptions) -> None:
        if options.arguments:
            names = ", ".join(name for name, _ in options.arguments)
            raise Refused(
                f"{self._requests.profile.label} takes no loader arguments with a request",
                f"Not sent: {safe_name(names, 100)}",
                "They are settings of the server itself",
            )

    async def _wait_until(self, is_so: Callable[[], Awaitable[bool]], seconds: float = UNLOAD_S) -> None:
        """Ask every `poll_s` seconds, and at most for so many."""
        for _ in range(max(1, round(seconds / max(self._poll_s, 0.05)))):
            if await is_so():
                return
            await asyncio.sleep(self._poll_s)


def details_of(model: Model) -> ModelDetails:
    """What a list tells of a model."""
    return ModelDetails(
        model.name,
        family=model.family,
        parameters=model.parameters,
        quantization=model.quantization,
        size=model.size,
        context_trained=model.context_trained,
        context_loaded=model.context_loaded,
        capabilities=model.capabilities,
        digest=model.digest,
        changed_at=model.changed_at,
    )


def running_of(model: Model) -> RunningModel:
    """What a list tells of a model that is in memory."""
    state = "" if model.state in (None, ModelState.LOADED) else str(model.state)
    return RunningModel(model.name, model.memory, None, model.context_loaded, None, state)


def broken_off(detail: str) -> Interrupted:
    """The error of a download whose connection broke."""
    return Interrupted("The download broke off", detail, "Download it again: what came is kept", 200)
