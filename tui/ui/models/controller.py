"""What is done with the models of the server in use: loading, unloading, deleting, copying, downloading.

One for each app, made when the tab is first opened or when downloads are left from before. It works over the server's
`ModelManager` and the queue of downloads, and tells the tab and the status bar what goes on.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.chat.state import WINDOW
from tui.core.model_actions import ModelAction, ModelActions
from tui.core.model_management import LoadOptions
from tui.core.model_names import is_hub_name, parse_hub_reference
from tui.core.modelfile import ModelfileError, parse_modelfile
from tui.core.text import count_of, human_size, safe_line, safe_name
from tui.errors import FileError, LokalError, Refused, ServerError
from tui.models.new_model import (
    load_words,
    parse_load_options,
    parse_new_model,
    proposed_modelfile,
    summary_of,
)
from tui.models.pull import HUB, UNFINISHED, Pull, PullState
from tui.models.pull_file import PullFile
from tui.models.pull_queue import PullQueue
from tui.models.pull_servers import PullServers
from tui.paths import folders
from tui.ui.messages import PaneMessage
from tui.ui.models.messages import ModelCommandGiven, ModelRested, ModelsShown, ModelsStatus, PullCommandGiven

if TYPE_CHECKING:
    from tui.chat.connections import ServerConnections
    from tui.chat.tasks import TaskRunner
    from tui.core.endpoint import Endpoint
    from tui.core.model import Model
    from tui.core.model_management import ModelDetails
    from tui.models.hub_source import HubSource
    from tui.servers.connect import Connection
    from tui.servers.model_manager import ModelManager
    from tui.ui.context import AppContext
    from tui.ui.models.pane import ModelsPane

SHOWN_EVERY_S = 1.0
"""How often the figures of a download that goes on are drawn anew."""
_TASKS = "model management"
MOST_DESCRIBED = 50
"""Models of which it is kept what the server tells."""
TYPED_FROM_BYTES = 10_000_000_000
"""To delete a model that is larger, or in memory, its name has to be typed."""


class ModelsController:
    """Commands come by `hear`. Whatever goes wrong is told, and leaves the others alone."""

    def __init__(
        self,
        app: AppContext,
        connections: ServerConnections,
        tasks: TaskRunner,
        folder: Path,
        configured: Sequence[Endpoint],
        pane: Callable[[], ModelsPane | None],
    ) -> None:
        """`folder` keeps the downloads that are not done; `configured` are the servers of the config; `pane` is the tab, None while it was never opened."""
        self._app = app
        self._connections = connections
        self._tasks = tasks
        self._pane = pane
        self._connection: Connection | None = None
        self._status = ModelsStatus()
        self._shown_at = 0.0
        self._file = PullFile(folder)
        servers = PullServers(
            configured,
            lambda: self._connection.server if self._connection is not None else None,
            _connect_hub,
        )
        self._queue = PullQueue(servers.connect, self._pull_changed, self._file, on_problem=self._tell)
        self._runs = False
        self._described: dict[Model, ModelDetails] = {}
        """What the server tells of models, by what its list says of them."""
        self._modelfiles: dict[str, str] = {}
        """Texts of Modelfiles by the name of the model that is to be made, as the person left them."""

    # -- what it is told --------------------------------------------------------------------------------------------

    def server_changed(self, connection: Connection | None) -> None:
        """Another server is in use, or none."""
        before, self._connection = self._connection, connection
        self._described.clear()
        actions = connection.server.profile.model_actions if connection is not None else ModelActions()
        is_same = (
            before is not None
            and connection is not None
            and before.server.endpoint.url == connection.server.endpoint.url
        )
        if not is_same:
            self._status = ModelsStatus(pulls=self._status.pulls, actions=actions)
        else:
            self._status = replace(self._status, models=None)
        self._show()
        if connection is not None:
            self._start(self._look(connection))
            if not is_same:
                self._start(self._go_on_with_pulls(connection))

    def hear(self, event: PaneMessage) -> None:
        """A key of the tab."""
        match event:
            case ModelsShown():
                self._show()
                if self._connection is not None:
                    self._start(self._look(self._connection))
            case PullCommandGiven(id, pull):
                self._change_pull(id, pull)
            case ModelRested(model):
                if self._connection is not None:
                    self._tasks.start(
                        partial(self._describe, model, self._connection), "model details", exclusive=True
                    )
            case ModelCommandGiven("model.pull") if is_hub_name(event.argument):
                self._start(self._pull_from_hub(event.argument))
            case ModelCommandGiven():
                if self._connection is not None:
                    self._start(self._do(event, self._connection))
                else:
                    self._app.show_notice("No server is connected", "warning")

    @property
    def words(self) -> str:
        """The downloads, for the status bar; empty for none."""
        pulls = [pull for pull in self._queue.pulls if pull.state in UNFINISHED]
        running = next((pull for pull in pulls if pull.state is PullState.RUNNING), None)
        if running is None:
            failed = sum(pull.state is PullState.FAILED for pull in pulls)
            if failed:
                return f"{count_of(failed, 'download')} failed"
            return f"{count_of(len(pulls), 'download')} not done" if pulls else ""
        share = f" {running.share:.0%}" if running.share is not None else ""
        more = f" +{len(pulls) - 1}" if len(pulls) > 1 else ""
        return f"↓ {safe_name(running.model, 24)}{share}{more}"

    def close(self) -> None:
        """lokal ends: what is not done is left to the next start."""
        try:
            if self._queue.pulls or self._file.is_there:
                self._file.save(self._queue.pulls)
        except FileError:
            pass  # it was told when it could not be kept
        finally:
            self._file.release()

    # -- models -----------------------------------------------------------------------------------------------------

    async def _do(self, event: ModelCommandGiven, connection: Connection) -> None:
        """Do what the key means. Raises LokalError."""
        manager, name = connection.server.model_manager, event.model
        match event.id:
            case "model.details":
                details = await manager.details(name)
                from tui.ui.models.details_page import ModelPage

                self._app.show_page(ModelPage(details, self._app.state.keys.get("model.details", "")))
            case "model.load":
                async with self._busy(name, "loading"):
                    await manager.load(name, LoadOptions(self._asked_window(connection)))
                self._app.show_notice(f"{safe_name(name, 60)} is in memory", "accent")
            case "model.unload":
                async with self._busy(name, "unloading"):
                    await manager.unload(name)
                self._app.show_notice(f"{safe_name(name, 60)} is no longer in memory", "accent")
            case "model.load_with":
                options = parse_load_options(event.argument)
                async with self._busy(name, "loading"):
                    await manager.load(name, options)
                words = load_words(options)
                asks = self._ask_for_window(name, options.context_window, connection)
                told = f"{f', {words}' if words else ''}{asks}"
                self._app.show_notice(f"{safe_name(name, 60)} is in memory{told}", "accent")
            case "model.keep":
                async with self._busy(name, "loading"):
                    await manager.keep(name, "forever")
                self._app.show_notice(f"{safe_name(name, 60)} stays in memory until it is unloaded", "accent")
            case "model.unload_all":
                await self._unload_all(manager)
            case "model.delete":
                await self._delete(event.models, manager, sure=event.sure)
            case "model.rename":
                await self._rename(name, event.argument, manager)
            case "model.adapters":
                await self._scale_adapters(name, event.argument, manager)
            case "model.create":
                await self._require(ModelAction.CREATE, manager)
                await self._create(event, manager)
            case "model.copy":
                await self._require(ModelAction.COPY, manager)
                await manager.copy(name, event.argument)
                self._app.show_notice(
                    f"{safe_name(name, 40)} is called {safe_name(event.argument, 40)} too", "accent"
                )
                self._refresh()
            case "model.pull":
                await self._require(ModelAction.PULL, manager)
                self._add_pulls(connection, (event.argument,))
            case "model.update":
                await self._require(ModelAction.UPDATE, manager)
                names = tuple(model.name for model in connection.models if not model.elsewhere)
                self._add_pulls(connection, names, update=True)

    async def _describe(self, model: Model, connection: Connection) -> None:
        """Tell the tab what the server says of a model; it is asked once, until its list says something else."""
        details, problem = self._described.get(model), ""
        if details is None:
            try:
                details = await connection.server.model_manager.details(model.name)
            except LokalError as error:
                problem = str(error)
        if connection is not self._connection:
            return
        if details is not None:
            while len(self._described) >= MOST_DESCRIBED:
                del self._described[next(iter(self._described))]
            self._described[model] = details
        if (pane := self._pane()) is not None:
            pane.side.show(model.name, details, problem)

    def _asked_window(self, connection: Connection) -> int | None:
        """The context window that the next question asks for; None where it asks for none."""
        asked = self._app.state.values().get(WINDOW)
        by_request = connection.server.profile.window_by_request
        return asked if by_request and isinstance(asked, int) else None

    def _ask_for_window(self, name: str, window: int | None, connection: Connection) -> str:
        """Let the next question have the window that the model in use was loaded with, where it would else be loaded anew; in
        words, if it was not so before."""
        state = self._app.state
        if window in (None, self._asked_window(connection)) or name != state.model:
            return ""
        if not connection.server.profile.window_by_request:
            return ""
        overrides = {**state.overrides, WINDOW: window}
        self._app.set_settings(replace(state.settings, overrides=overrides))
        return "; questions ask for it in this run"

    async def _unload_all(self, manager: ModelManager) -> None:
        await self._require(ModelAction.UNLOAD, manager)
        running = await manager.running()
        if not running:
            self._app.show_notice("No model is in memory")
            return
        freed = sum(each.memory or 0 for each in running)
        for each in running:
            async with self._busy(each.name, "unloading"):
                await manager.unload(each.name)
        what = f": {human_size(freed)} free" if freed else ""
        self._app.show_notice(f"{count_of(len(running), 'model')} unloaded{what}", "accent")

    async def _delete(self, names: tuple[str, ...], manager: ModelManager, *, sure: bool) -> None:
        if not names:
            self._app.show_notice("That is another name: nothing is deleted")
            return
        await self._require(ModelAction.DELETE, manager)
        in_use = self._app.state.model in names
        if sure:
            deleted = await self._delete_each(names, manager)
            in_use = self._app.state.model in deleted
            what = f"{safe_name(names[0], 60)} is" if len(names) == 1 else f"{len(names)} models are"
            lost = "; it was in use: choose another with Enter" if in_use else ""
            self._app.show_notice(f"{what} deleted{lost}", "warning" if lost else "accent")
            return
        effect = await manager.effect_of_deleting(names)
        words = "" if effect.frees is None else f"Frees {human_size(effect.frees)}."
        if effect.shared_with:
            others = ", ".join(safe_name(other, 40) for other in effect.shared_with[:3])
            words += f" {others} has the same weights."
        if in_use:
            words += " In use."
        if (pane := self._pane()) is not None and self._app.tab == "models":
            pane.confirm_deletion(names, words, self._must_be_typed(names))

    async def _delete_each(self, names: tuple[str, ...], manager: ModelManager) -> tuple[str, ...]:
        """Delete all of them, also where one cannot be. Raises the error of the first that could not, saying how many were."""
        deleted, problems = [], []
        for name in names:
            try:
                async with self._busy(name, "deleting"):
                    await manager.delete(name)
                deleted.append(name)
            except LokalError as error:
                problems.append(error)
        if problems and len(names) > 1:
            title = f"{len(deleted)} of {count_of(len(names), 'model')} deleted"
            raise LokalError(title, problems[0].title, problems[0].detail or problems[0].hint) from problems[
                0
            ]
        if problems:
            raise problems[0]
        return tuple(deleted)

    def _must_be_typed(self, names: tuple[str, ...]) -> str:
        """The first of these models that is not deleted by a key alone: it is in memory, or large; empty for none."""
        models = self._status.models or (self._connection.models if self._connection is not None else ())
        running = {each.name for each in self._status.running}
        careful = (
            model.name
            for model in models
            if model.name in names
            and (model.loaded or model.name in running or (model.size or 0) > TYPED_FROM_BYTES)
        )
        return next(careful, "")

    async def _rename(self, name: str, new: str, manager: ModelManager) -> None:
        await self._require(ModelAction.COPY, manager)
        async with self._busy(name, "renaming"):
            await manager.rename(name, new)
        state = self._app.state
        if state.model == name:  # the chat goes on with it
            self._app.set_settings(replace(state.settings, model=new))
        self._app.show_notice(f"{safe_name(name, 40)} is now {safe_name(new, 40)}", "accent")

    async def _scale_adapters(self, name: str, typed: str, manager: ModelManager) -> None:
        """Ask how strongly the LoRA adapters of a model are to be applied, or do what was typed."""
        from tui.models.adapters import file_name, parse_scales, scales_text, scales_words

        await self._require(ModelAction.SCALE_ADAPTERS, manager)
        adapters = (await manager.details(name)).adapters
        if not adapters:
            raise Refused(
                f"{safe_name(name, 40)} has no LoRA adapters",
                "",
                "llama-server is started with them: --lora FILE",
            )
        if typed:
            scales = parse_scales(typed, len(adapters))
            await manager.scale_adapters(name, scales)
            self._app.show_notice(f"LoRA: {scales_words(adapters, scales)}", "accent")
            self._refresh()
        elif (pane := self._pane()) is not None and self._app.tab == "models":
            pane.ask_scales(name, ", ".join(map(file_name, adapters)), scales_text(adapters))

    async def _create(self, event: ModelCommandGiven, manager: ModelManager) -> None:
        """Let the person write the Modelfile, ask whether it is meant, and make the model. What was written is kept until the
        model is there."""
        name, quantize = parse_new_model(event.argument)
        if not event.sure:
            await self._write_modelfile(name, event)
            return
        modelfile = parse_modelfile(self._modelfiles[name])
        async for progress in manager.create(name, modelfile, quantize, Path.cwd()):
            share = f" {progress.completed / progress.total:.0%}" if progress.total else ""
            self._app.show_notice(
                f"Making {safe_name(name, 40)}: {safe_line(progress.status, 60) or 'sending'}{share}"
            )
        self._modelfiles.pop(name, None)
        self._app.show_notice(f"{safe_name(name, 60)} is made", "accent")
        self._refresh()

    async def _write_modelfile(self, name: str, event: ModelCommandGiven) -> None:
        from tui.ui.editor import Unchanged, edit_text

        pane, state = self._pane(), self._app.state
        if pane is None:
            return
        session = self._app.chat.session
        system = (session.conversation.system if session is not None else "") or state.preset.system
        text = self._modelfiles.get(name) or proposed_modelfile(name, event.model, system, state.values())
        with suppress(Unchanged):  # as it was proposed
            text = await edit_text(pane.app, text, ".modelfile")
        self._modelfiles[name] = text
        try:
            modelfile = parse_modelfile(text)
        except ModelfileError as error:
            raise LokalError(
                error.title, "", f"{error.hint}. The same name opens the text again".lstrip(". ")
            ) from error
        models = self._connection.models if self._connection is not None else ()
        replaces = any(name.casefold() in (each.name.casefold(), *each.aliases) for each in models)
        pane.confirm_creation(name, event.argument, summary_of(modelfile), replaces=replaces)

    async def _require(self, action: ModelAction, manager: ModelManager) -> None:
        """Raise Refused, saying why, where the server cannot do it."""
        actions = await manager.actions()
        if not actions.can(action):
            label = self._connection.server.profile.label if self._connection is not None else "The server"
            raise Refused(f"{label} cannot {action}", actions.why_not(action))

    @asynccontextmanager
    async def _busy(self, name: str, what: str) -> AsyncIterator[None]:
        """Say in the list what is being done with a model, as long as that takes; then ask anew."""
        self._set(replace(self._status, busy={**self._status.busy, name: what}))
        try:
            yield
        finally:
            busy = {other: words for other, words in self._status.busy.items() if other != name}
            self._set(replace(self._status, busy=busy))
            self._refresh()

    def _refresh(self) -> None:
        """Ask for the list anew, and what is in memory."""
        self._connections.refresh_models(self._app.state)
        if self._connection is not None:
            self._start(self._look(self._connection))

    async def _look(self, connection: Connection) -> None:
        """Ask what the server can do, for all models that it has, and for what is in memory. A server that does not answer is
        told of where the list of the connection is asked for."""
        manager = connection.server.model_manager
        try:
            actions = await manager.actions()
            models = await manager.models()
            running = await manager.running() if actions.can(ModelAction.SHOW_MEMORY) else ()
        except ServerError:
            return
        if connection is self._connection:
            self._set(replace(self._status, actions=actions, models=models, running=running))

    # -- downloads --------------------------------------------------------------------------------------------------

    def _add_pulls(self, connection: Connection, names: tuple[str, ...], *, update: bool = False) -> None:
        endpoint, kind = connection.server.endpoint, connection.server.kind
        for name in names:
            self._queue.add(endpoint.url, kind, name, update=update)
        self._run_queue()

    async def _pull_from_hub(self, name: str) -> None:
        """Download a file from Hugging Face to this machine, whatever server is in use; of a repository it is shown first what it
        has. Raises LokalError."""
        reference = parse_hub_reference(name)
        if reference.quantization or reference.file:
            self._add_from_hub(name)
            return
        from tui import files
        from tui.models.hub_offer import offer_of
        from tui.servers.engine.machine_memory import machine_memory
        from tui.ui.models.hub_page import HubPage

        self._app.show_notice(f"asking for {safe_name(name, 60)}")
        offer = await offer_of(os.environ, reference)
        machine = await files.in_thread(machine_memory)
        self._app.show_page(HubPage(offer, machine), self._add_from_hub)

    def _add_from_hub(self, name: str | None) -> None:
        if name:
            self._queue.add(HUB, None, name)
            self._run_queue()

    def _change_pull(self, id: str, pull_id: str) -> None:
        pull = self._queue.find(pull_id)
        if pull is None:
            return
        try:
            match id:
                case "pull.pause" if pull.state in (PullState.PAUSED, PullState.FAILED, PullState.RETRYING):
                    self._queue.resume(pull_id)
                    self._run_queue()
                case "pull.pause":
                    self._queue.pause(pull_id)
                case "pull.cancel":
                    self._queue.cancel(pull_id)
                case "pull.earlier":
                    self._queue.move(pull_id, -1)
                case "pull.later":
                    self._queue.move(pull_id, 1)
        except LokalError as error:
            self._tell(error)
        self._show_pulls()

    def _run_queue(self) -> None:
        if not self._runs:
            self._runs = True
            self._tasks.start(self._queue.run, "downloads", on_mistake=self._tell)
        self._show_pulls()

    async def _go_on_with_pulls(self, connection: Connection) -> None:
        """Take over what a lokal before this one has left of downloads to this server."""
        if not self._file.is_there:
            return
        found = [*await self._queue.restore(HUB), *await self._queue.restore(connection.server.endpoint.url)]
        if self._file.set_aside is not None:
            self._app.show_notice(
                f"The list of downloads could not be read; it is now {self._file.set_aside}", "warning"
            )
        if found:
            self._run_queue()

    def _pull_changed(self, pull: Pull) -> None:
        """Something is new of a download; what only counts on is drawn once a second."""
        before = next((each for each in self._status.pulls if each.id == pull.id), None)
        now = time.monotonic()
        if before is not None and before.state is pull.state is PullState.RUNNING:
            if now - self._shown_at >= SHOWN_EVERY_S:
                self._shown_at = now
                self._show_pulls()
            return
        self._show_pulls()
        name = safe_name(pull.model, 60)
        if pull.state is PullState.DONE:
            self._refresh()
            if not pull.update or pull.changes:
                self._app.show_notice(f"{name}: {pull.result}", "accent")
        elif pull.state is PullState.FAILED and pull.problem is not None:
            self._app.show_notice(f"{name}: {pull.problem.title}", "warning")

    def _show_pulls(self) -> None:
        self._set(replace(self._status, pulls=self._queue.pulls))
        self._app.show_state()

    # -- telling ----------------------------------------------------------------------------------------------------

    def _set(self, status: ModelsStatus) -> None:
        if status != self._status:
            self._status = status
            self._show()

    def _show(self) -> None:
        if (pane := self._pane()) is not None:
            pane.show_status(self._status)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        async def guarded() -> None:
            try:
                await work
            except LokalError as error:
                self._tell(error)

        self._tasks.start(guarded, _TASKS, on_mistake=self._tell)

    def _tell(self, error: LokalError) -> None:
        self._app.show_notice(str(error), "warning")


def _connect_hub() -> AbstractAsyncContextManager[HubSource]:
    from tui.models.hub_source import HubConnector

    return HubConnector(os.environ, folders()).connect()
