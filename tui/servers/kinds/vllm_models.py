"""Managing vLLM's model: there is one, which in development mode can be put to sleep and woken."""

from __future__ import annotations

from dataclasses import replace

from tui.core.model_actions import ModelAction, ModelActions
from tui.core.model_management import Adapter, LoadOptions, ModelDetails, RunningModel
from tui.core.text import safe_line
from tui.errors import Refused, ServerError
from tui.servers.model_manager import ModelManager, OnProgress, details_of

_DEV_MODE = "vLLM frees its memory only in development mode: VLLM_SERVER_DEV_MODE=1 and --enable-sleep-mode"
_LOAD_S = 600.0


class VllmModelManager(ModelManager):
    """The model of a vLLM."""

    async def actions(self) -> ModelActions:
        """Sleeping needs development mode."""
        at_best = await super().actions()
        if await self._is_asleep() is not None:
            return at_best
        return at_best.but(_DEV_MODE, ModelAction.LOAD, ModelAction.UNLOAD)

    async def details(self, model: str) -> ModelDetails:
        """Its list: the folder that it was read from, and the adapters, which have entries of their own."""
        details = details_of(await self._listed(model))
        entries = (await self._requests.get("/v1/models")).items("data")
        entry = next(one for one in entries if safe_line(one.text("id")) == details.name)
        parent = entry.text("parent")
        adapters = [one for one in entries if one.text("parent") in (entry.text("id"), entry.text("root"))]
        return replace(
            details,
            path=safe_line(entry.text("root")),
            adapters=tuple(Adapter(safe_line(one.text("id"))) for one in adapters if one.text("parent")),
            facts=(("adapter of", safe_line(parent)),) if parent else (),
        )

    async def running(self) -> tuple[RunningModel, ...]:
        """The model; asleep, its weights are not in graphics memory."""
        state = "asleep" if await self._is_asleep() else ""
        return tuple(replace(each, state=state) for each in await super().running())

    async def load(self, model: str, options: LoadOptions, on_progress: OnProgress = lambda _: None) -> None:
        """Wake it."""
        await self._require(ModelAction.LOAD)
        self._require_no_arguments(options)
        if options != LoadOptions():
            raise Refused(
                "vLLM wakes its model as it was", "Its context window is set when it starts: --max-model-len"
            )
        await self._listed(model)
        await self._requests.do("/wake_up", None, model, timeout_s=_LOAD_S)

    async def unload(self, model: str) -> None:
        """Put it to sleep: its weights move out of graphics memory into main memory."""
        await self._require(ModelAction.UNLOAD)
        await self._listed(model)
        await self._requests.do("/sleep?level=1", None, model, timeout_s=_LOAD_S)

    async def _is_asleep(self) -> bool | None:
        """None where it does not sleep at all."""
        try:
            told = await self._requests.get("/is_sleeping")
        except ServerError:
            return None
        return told.flag("is_sleeping") if "is_sleeping" in told else None

    async def _require(self, action: ModelAction) -> None:
        if not (await self.actions()).can(action):
            raise await self._refusal(action)
