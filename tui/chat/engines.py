"""The built-in engine and the guide's: which of them run, with what, until when, and what they keep of chats."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tui import files
from tui.chat.engine_idle import EngineIdle
from tui.chat.engine_threads import EngineThreads, EngineThreadsChanged
from tui.chat.tasks import TaskRunner
from tui.chat.warm_chats import SAVE_AT_END_S, ChatReused, WarmChats
from tui.config.settings import Settings
from tui.core.events import Progress
from tui.core.message import Value
from tui.errors import EngineError
from tui.paths import Folders

if TYPE_CHECKING:
    from tui.chat.rate_record import RateRecord
    from tui.servers.base import Server
    from tui.servers.connect import Connection
    from tui.servers.engine.embedded import EmbeddedServer
    from tui.servers.engine.engine import Engine
    from tui.servers.engine.packaged_model import PackagedModel
    from tui.servers.engine.slot_files import SlotFiles
    from tui.servers.engine.thread_fallback import AnswerTiming


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class EngineListener:
    """Who is told of an engine: how far its model is loaded, why one had died that is started again, whether one was ended for
    want of use or runs again, what came of a chat that was opened again, that it computes with other threads, and that
    there is hardly the memory for a model."""

    loading: Callable[[Progress], None]
    restarted: Callable[[EngineError], None]
    slept: Callable[[Server, bool], None]
    reused: Callable[[ChatReused], None]
    threads: Callable[[EngineThreadsChanged], None]
    warned: Callable[[str], None]


class BuiltInEngines:
    """One a front end: at the most one engine with a model file, and one with the guide."""

    def __init__(
        self,
        places: Folders,
        settings: Settings,
        tasks: TaskRunner,
        listener: EngineListener,
        has_chat: Callable[[str], bool | None],
    ) -> None:
        """`has_chat` says whether there is a chat with that id, None = that is not known now; it is called in threads."""
        self._places = places
        self._settings = settings
        self._tasks = tasks
        self._listener = listener
        self._has_chat = has_chat
        self._packaged: PackagedModel | None = None
        self._guide: Engine | None = None
        self._idle: EngineIdle | None = None
        self._guide_idle: EngineIdle | None = None
        self._threads: EngineThreads | None = None
        self._rates: RateRecord | None = None
        self.engine: Engine | None = None
        """The engine with a model file, which may have died; None before the first."""
        self.warm_chats = WarmChats(tasks, listener.reused)
        """What it keeps of chats."""

    # -- the end ----------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """End the engines that were started, at once."""
        for engine in (self.engine, self._guide):
            if engine is not None:
                engine.kill()

    @contextlib.contextmanager
    def closing(self) -> Iterator[None]:
        """lokal ends, and its event loop is gone: what the engine has read of the chat is saved beside what is done inside, and
        the engines are ended at last."""
        saving = None
        if self.warm_chats.has_unsaved:
            saving = threading.Thread(target=self.warm_chats.save_at_end, name="warm", daemon=True)
            saving.start()
        try:
            yield
        finally:
            if self._rates is not None:
                self._rates.flush()
            if saving is not None:
                saving.join(2 * SAVE_AT_END_S)
            self.close()

    # -- a model file -----------------------------------------------------------------------------------------------

    async def find_packaged(self) -> PackagedModel | None:
        """The chat model that came as a Python package; None where there is none. Raises EngineError."""
        from tui.servers.engine import packaged_model

        self._packaged = await packaged_model.find(self._places.state)
        return self._packaged

    @property
    def has_packaged(self) -> bool:
        """Whether the engine was started with the model that came as a package."""
        return self.engine is not None and self._is_packaged(self.engine.gguf)

    def _is_packaged(self, gguf: Path) -> bool:
        return self._packaged is not None and gguf == self._packaged.path

    async def start(self, gguf: Path, values: Mapping[str, Value]) -> Connection:
        """Connect to an engine with that file and these parameters; one that runs goes on as it is. Raises FileError,
        EngineError, ServerError."""
        from tui.servers.engine import embedded
        from tui.servers.engine.engine import Engine
        from tui.servers.engine.packaged_model import CALLED
        from tui.servers.engine.slots import files_of

        packaged = self._packaged if self._is_packaged(gguf) else None
        await self.warm_chats.save()  # one that runs is asked through another connection from now on
        if self.engine is None or not self.engine.running:
            if self.engine is not None:
                self.engine.kill()  # what it has left
            logs, keys = self._places.logs, self._settings.keys_of_servers
            name = CALLED if packaged is not None else ""
            slots = self._places.slots if self._settings.warm_chats_mb else None
            self._end_threads()
            self.engine = Engine(
                gguf, logs, values, name=name, keys=keys, slot_folder=slots, on_warning=self._listener.warned
            )
        slot_files = files_of(self.engine, self._settings.warm_chats_mb << 20, self._has_chat)
        found = await embedded.start(
            self.engine,
            self._listener.loading,
            self._listener.restarted,
            check=packaged.check if packaged is not None else None,
            on_asleep=lambda asleep: self._hear_asleep(found, self._idle, asleep),
            slot_files=slot_files,
            on_answer=self.warm_chats.answered,
            on_timing=self._timed,
        )
        self._idle = self._watch_idle(found, self._idle)
        if isinstance(found.server, embedded.EmbeddedServer):
            self.warm_chats.use(found.server)
            self._use_threads(found.server)
        self._tasks.start(partial(self._sweep, slot_files), "warm-sweep")
        return found

    async def _sweep(self, slot_files: SlotFiles | None) -> None:
        """Delete what nobody can use any more of what was saved of chats."""
        from tui.servers.engine.slot_files import SlotFiles

        kept = slot_files or SlotFiles(self._places.slots, 0)
        await files.in_thread(kept.sweep)

    async def end(self) -> None:
        """End the engine with a model file for good, with its chat saved."""
        engine, self.engine = self.engine, None
        if self._idle is not None:
            self._idle.close()
        self._end_threads()
        await self.warm_chats.end()
        if engine is not None:
            await engine.stop()

    @property
    def rates(self) -> RateRecord:
        """What models reached here."""
        from tui.chat.rate_record import RateRecord

        if self._rates is None:
            self._rates = RateRecord(self._places.rates)
        return self._rates

    def _use_threads(self, server: EmbeddedServer) -> None:
        """Watch how fast this engine answers."""
        if self._threads is None:
            self._threads = EngineThreads(server, self.rates, self._tasks, self._listener.threads)
        self._threads.use(server)

    def _timed(self, timing: AnswerTiming) -> None:
        if self._threads is not None:
            self._threads.answered(timing)

    def _end_threads(self) -> None:
        if self._threads is not None:
            self._threads.close()
            self._threads = None

    # -- the guide --------------------------------------------------------------------------------------------------

    async def start_guide(self) -> Connection:
        """Connect to the guide; `end_guide` ends its engine. Raises LokalError."""
        from tui.guide.model import CACHE_MIB, CALLED, VALUES, checked_model
        from tui.servers.engine import embedded
        from tui.servers.engine.engine import Engine

        if self._guide is None or not self._guide.running:
            if self._guide is not None:
                self._guide.kill()  # what it has left
            model = await files.in_thread(checked_model)
            logs, keys = self._places.logs, self._settings.keys_of_servers
            self._guide = Engine(model, logs, VALUES, name=CALLED, cache_mib=CACHE_MIB, keys=keys)
        found = await embedded.start(
            self._guide,
            on_restart=self._listener.restarted,
            on_asleep=lambda asleep: self._hear_asleep(found, self._guide_idle, asleep),
        )
        self._guide_idle = self._watch_idle(found, self._guide_idle)
        return found

    @property
    def guide_runs(self) -> bool:
        """Whether the guide has a process."""
        return self._guide is not None and self._guide.running

    def end_guide(self) -> None:
        """Give the guide's memory back, if it runs."""
        guide, self._guide = self._guide, None
        if self._guide_idle is not None:
            self._guide_idle.close()
        if guide is not None:
            self._tasks.start(guide.stop, "guide")

    # -- sleep ------------------------------------------------------------------------------------------------------

    def _watch_idle(self, found: Connection, before: EngineIdle | None) -> EngineIdle | None:
        """Let an engine that nobody uses sleep."""
        from tui.servers.engine.embedded import EmbeddedServer

        if before is not None:
            before.close()
        if not isinstance(found.server, EmbeddedServer):
            return None
        idle = EngineIdle(found.server, self._settings.engine_idle * 60.0, self._tasks)
        idle.start()
        return idle

    def _hear_asleep(self, found: Connection, idle: EngineIdle | None, asleep: bool) -> None:
        """An engine was ended, as nobody used it, or runs again."""
        self._listener.slept(found.server, asleep)
        if not asleep and idle is not None:
            idle.start()
        elif not found.guide:
            self.warm_chats.engine_slept()
