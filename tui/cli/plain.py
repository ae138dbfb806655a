"""`lokal --plain`: chats line by line, for screen readers, serial lines and terminals that cannot move their cursor.

A terminal edits each line itself; where standard input is none, each line is a prompt, and is asked after the answer to
the one before. `plain_chat` says what happens, `plain_commands` does the slash commands.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from tui import files
from tui.chat.chat_library import OpenedLibrary, is_on_disk, open_library
from tui.chat.connections import ServerConnections
from tui.chat.rescue import rescue_unwritten
from tui.chat.state import ClientState, ModelSettings
from tui.chat.tasks import TaskRunner
from tui.chat.write_queue import KEPT, WriteQueue
from tui.cli.plain_chat import WAY_OUT, PlainChat
from tui.cli.plain_commands import PlainCommands
from tui.cli.plain_input import LineReader
from tui.cli.plain_output import PlainOutput
from tui.config.history import PromptHistory
from tui.config.presets import make_presets
from tui.config.startup import Configuration, StartOptions
from tui.core.presets import Preset
from tui.core.text import safe_line
from tui.errors import Interrupted, LokalError, sentences

if TYPE_CHECKING:
    from tui.store.store import Renewal, Store

FLUSH_S = 5.0
"""How long a reader that has stopped reading is waited for at the end."""


def plain(options: StartOptions, config: Configuration, *, color: bool) -> int:
    """Chat until the person leaves, or the input ends; the exit status. Raises LokalError for what went wrong with what was
    piped in, and BrokenPipeError where nobody reads the output any more."""
    return asyncio.run(_PlainRun(options, config, color=color).run())


class _PlainRun:
    """Puts the parts together, reads the lines, and leaves everything in order."""

    def __init__(self, options: StartOptions, config: Configuration, *, color: bool) -> None:
        self._options = options
        self._config = config
        self._color = color
        self._listens = sys.stdin.isatty()
        self._signal = 0
        self._closed = False
        self._store: Store | None = None

    async def run(self) -> int:
        """All of it."""
        config, loop = self._config, asyncio.get_running_loop()
        output = self._output = PlainOutput(color=self._color)
        tasks = TaskRunner(lambda mistake: self._chat.fail(mistake))
        queue = self._queue = WriteQueue(
            lambda error: self._told(partial(self._chat.fail_to_write, error)),
            lambda: self._told(partial(self._chat.tell, "Everything is saved now")),
        )
        settings = ModelSettings(
            presets=config.presets,
            preset=config.preset,
            overrides=self._options.overrides,
            preset_chosen=self._options.preset_chosen,
        )
        chat = self._chat = PlainChat(
            ClientState(settings=settings), output, tasks, self._record, listens=self._listens
        )
        service = ServerConnections(
            self._options,
            config.settings,
            tasks,
            chat.hear_of_server,
            lambda chat_id: is_on_disk(self._store, chat_id),
        )
        chat.use_connections(service)
        chat.on_preset = self._save_preset
        self._history = PromptHistory(self._options.folders.history, config.settings.history_size)
        self._reader = LineReader()
        writing = loop.create_task(output.run())
        writing.add_done_callback(lambda _: self._leave(0))  # nobody reads any more, or the disk is full
        try:
            with self._signals():
                library = await self._begin()
                self._commands = PlainCommands(
                    chat,
                    queue,
                    lambda: self._store,
                    await self._earlier(),
                    self._reader.end,
                    self._options.folders.presets,
                    self._options.folders.personas,
                )
                self._loop_ready(library, service)
                await self._converse()
        finally:
            if chat.session is not None:
                chat.controller.leave(closed=self._closed)
            output.end_line()
            await output.drained(FLUSH_S)
            await service.engines.warm_chats.save_in_time()
            writing.cancel()
            tasks.close()
            service.engines.close()
            self._end_store()
        return self._status()

    # -- beginning --------------------------------------------------------------------------------------------------

    async def _begin(self) -> OpenedLibrary:
        with contextlib.suppress(LokalError):
            await files.in_thread(partial(make_presets, self._options.folders.presets))
        for problem in self._config.problems:
            self._chat.tell(str(problem), "warning")
        library = await asyncio.to_thread(
            partial(
                open_library,
                self._options.folders,
                self._queue,
                self._options.resume,
                self._renewed,
                interrupted_too=self._listens,
            )
        )
        self._store = library.store
        return library

    def _save_preset(self, preset: Preset) -> None:
        from tui.config import presets as preset_files

        folder = self._options.folders.presets

        def write() -> None:
            preset_files.save_preset(folder, preset)
            self._told(
                lambda: self._chat.tell(f"Saved {preset_files.preset_file(folder, preset.name)}", "accent")
            )

        self._queue.submit(write)

    async def _earlier(self) -> list[str]:
        try:
            return list(await files.in_thread(self._history.load))
        except LokalError as error:
            self._chat.tell(str(error), "warning")
            return []

    def _loop_ready(self, library: OpenedLibrary, service: ServerConnections) -> None:
        chat = self._chat
        if library.problem is not None:
            cannot = sentences(f"Nothing can be saved now: {library.problem}", KEPT)
            chat.tell(cannot if not library.store.is_kept else str(library.problem), "warning")
            if not self._listens and self._options.resume is not None:
                raise library.problem  # a script meant that chat and no other
        if library.note:
            chat.tell(library.note, "warning")
        if self._listens:
            self._output.say(f"/help lists the commands. {WAY_OUT}")
        chat.controller.open(library.session)
        service.find(chat.state)

    def _renewed(self, renewal: Renewal) -> None:
        def complete() -> None:
            if self._chat.session is not None:
                self._chat.session.complete()
            self._chat.tell(str(renewal), "warning")

        self._told(complete)

    def _told(self, call: Callable[[], None]) -> None:
        """Called by the writing thread."""
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._chat.loop.call_soon_threadsafe(call)

    def _record(self, marked: str) -> None:
        """Keep a prompt in the history."""
        self._commands.remember(marked)
        self._queue.submit(partial(self._history.add, marked))

    # -- the lines --------------------------------------------------------------------------------------------------

    async def _converse(self) -> None:
        chat = self._chat
        if not self._listens:
            await self._quiet()
        while chat.failed is None or self._listens:
            line = await self._reader.line()
            if line is None:
                chat.begun += self._reader.unfinished
                return
            if self._listens:
                self._output.person_ended_line()
                self._take(line)
            elif line.strip():
                self._output.line(f"you> {safe_line(line, len(line) + 1)}")
                self._take(line)
                await self._quiet()

    async def _quiet(self) -> None:
        """Wait until what was asked for is done, or lokal ends."""
        waits = {
            asyncio.ensure_future(self._chat.quiet.wait()),
            asyncio.ensure_future(self._reader.ended()),
        }
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for each in waits:
            each.cancel()

    def _take(self, line: str) -> None:
        """One line: a number where one is asked for, a command, or a prompt."""
        chat = self._chat
        if self._listens and line.endswith("\\"):
            chat.begun += f"{line[:-1]}\n"
            chat.touched()
            return
        text, chat.begun = chat.begun + line, ""
        if chat.choice is not None and self._is_chosen(text.strip()):
            chat.touched()
            return
        if not text.strip() and chat.at_hand:
            text, chat.at_hand = chat.at_hand, ""
        try:
            if not self._commands.do(text):
                chat.submit(text)
        except LokalError as error:
            chat.fail(error)
        chat.touched()

    def _is_chosen(self, text: str) -> bool:
        """Whether the line was the answer to a numbered question, or no good as one."""
        chat, choice = self._chat, self._chat.choice
        is_list = chat.has_list
        chat.leave_list()
        if choice is None or text.startswith("/"):
            return False
        number = text.rstrip(".)")
        if number.isdecimal() and 1 <= int(number) <= len(choice.takes):
            choice.takes[int(number) - 1]()
            return True
        if is_list:  # whoever writes on has no use for it
            return not text
        if text:
            chat.at_hand = "\n\n".join(filter(None, (chat.at_hand, text)))
        kept = "; what you wrote is kept" if text else ""
        self._output.say(f"Choose first, by a number from 1 to {len(choice.takes)}{kept}")
        return True

    # -- ending -----------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        loop, added = asyncio.get_running_loop(), list[int]()
        if sys.platform != "win32":
            actions: dict[int, Callable[[], None]] = {
                signal.SIGINT: self._interrupted,
                signal.SIGTERM: partial(self._leave, signal.SIGTERM),
                signal.SIGHUP: partial(self._leave, signal.SIGHUP),
            }
            for number, action in actions.items():
                if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                    loop.add_signal_handler(number, action)
                    added.append(number)
        try:
            yield
        finally:
            for number in added:
                loop.remove_signal_handler(number)

    def _interrupted(self) -> None:
        if self._listens:
            self._chat.interrupt()
        else:
            self._leave(signal.SIGINT)

    def _leave(self, number: int) -> None:
        """End: by a signal, or (0) because nothing can be written any more."""
        self._signal, self._closed = self._signal or number, True
        self._reader.end()

    def _end_store(self) -> None:
        """Write what is queued. Raises StoreError where that cannot be, and says where it is."""
        self._queue.close()
        try:
            rescue_unwritten(self._queue, self._options.folders.data)
        finally:
            if self._store is not None:
                self._store.close()

    def _status(self) -> int:
        if self._output.failure is not None:
            raise self._output.failure
        if self._signal:
            return 128 + self._signal
        if self._listens or self._chat.failed is None:
            return 0
        from tui.cli.main import status_of

        return 130 if isinstance(self._chat.failed, Interrupted) else status_of(self._chat.failed)
