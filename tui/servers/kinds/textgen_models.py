"""Managing the models of text-generation-webui: the files that it has, loading and unloading one of them. These calls want
its admin key where it has one."""

from __future__ import annotations

from dataclasses import replace

from tui.core.model import Model
from tui.core.model_actions import ModelAction
from tui.core.model_management import Adapter, LoadOptions, ModelDetails
from tui.core.text import safe_line
from tui.errors import ServerError
from tui.servers.json_object import MOST_ITEMS
from tui.servers.model_manager import ModelManager, OnProgress, details_of

_INTERNAL = "/v1/internal"


class TextgenModelManager(ModelManager):
    """The models of a text-generation-webui."""

    async def models(self) -> tuple[Model, ...]:
        """The one that is loaded, then the files that could be, where the key allows to see them. A question is answered by
        the one that is loaded, whatever it names, so that the server itself lists no other."""
        loaded = await super().models()
        try:
            names = (await self._requests.get(f"{_INTERNAL}/model/list")).texts("model_names")[:MOST_ITEMS]
        except ServerError:
            return loaded
        known = {model.name for model in loaded}
        others = (safe_line(name) for name in names)
        return (*loaded, *(Model(name, loaded=False) for name in others if name and name not in known))

    async def details(self, model: str) -> ModelDetails:
        """Of the one that is loaded: what runs it, and its adapters."""
        listed = await self._listed(model)
        details = details_of(listed)
        if not listed.loaded:
            return details
        info = await self._requests.get(f"{_INTERNAL}/model/info")
        loader = safe_line(info.text("loader"), 60)
        return replace(
            details,
            adapters=tuple(Adapter(safe_line(name)) for name in info.texts("lora_names")),
            facts=(("loader", loader),) if loader else (),
        )

    async def load(self, model: str, options: LoadOptions, on_progress: OnProgress = lambda _: None) -> None:
        """Load a model in the place of the one before. Arguments of the loader that are not named are those of its start."""
        if options.keep_alive is not None:
            raise await self._refusal(ModelAction.KEEP)
        await self._listed(model)
        body: dict[str, object] = {"model_name": model}
        arguments = dict(options.arguments)
        if options.context_window is not None:
            arguments["ctx_size"] = options.context_window
        if arguments:
            body["args"] = arguments
        await self._requests.do(f"{_INTERNAL}/model/load", body, model, timeout_s=None)

    async def unload(self, model: str) -> None:
        """Unload the model, if it is this one."""
        if (await self._listed(model)).loaded:
            await self._requests.do(f"{_INTERNAL}/model/unload", None, model, timeout_s=60.0)
