"""What a person takes out of a chat: a text for a clipboard or for a file of its own. What comes of it is posted as messages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

from tui.chat import chat_files
from tui.chat.tasks import TaskRunner, Work
from tui.core.text import safe_block
from tui.errors import LokalError

if TYPE_CHECKING:
    from tui.ui.terminal.clipboard import Delivery


class OutputMessage(Message):
    """A text is to go out of the chat, or has gone."""


@dataclass(eq=False, repr=False)
class CopyWanted(OutputMessage):
    """A text is to go to a clipboard; `make` gives it, off the screen's thread."""

    make: Callable[[], str]


@dataclass(eq=False, repr=False)
class Copied(OutputMessage):
    """It went, or is about to go: `delivery.sequence` is for the terminal."""

    delivery: Delivery


@dataclass(eq=False, repr=False)
class WriteWanted(OutputMessage):
    """A text is to go to the file that `name` means; one that is there is replaced only with `overwrite`."""

    make: Callable[[], str]
    name: str
    _: KW_ONLY
    overwrite: bool


@dataclass(eq=False, repr=False)
class FileWritten(OutputMessage):
    """The file is on the disk, or `problem` says why it is not."""

    name: str
    path: Path | None
    size: int = 0
    problem: LokalError | None = None


class OutputService:
    """One for each app. Of two texts that are copied one after the other the second is what the clipboard has in the end,
    and so it is with files."""

    def __init__(
        self, post: Callable[[Message], object], tasks: TaskRunner, environ: Callable[[], Mapping[str, str]]
    ) -> None:
        """`environ` is the environment that a clipboard program is started in."""
        self._post = post
        self._tasks = tasks
        self._environ = environ
        self._copying, self._writing = asyncio.Lock(), asyncio.Lock()

    def copy(self, make: Callable[[], str]) -> None:
        """Hand a text to a clipboard."""
        self._run(partial(self._copy, make), "copy")

    async def _copy(self, make: Callable[[], str]) -> None:
        async with self._copying:
            from tui.ui.terminal.clipboard import deliver

            delivery = await asyncio.to_thread(lambda: deliver(make(), self._environ()))
            self._post(Copied(delivery))

    def write(self, make: Callable[[], str], name: str, *, overwrite: bool) -> None:
        """Write a text to a file."""
        self._run(partial(self._write, make, name, overwrite), "write")

    async def _write(self, make: Callable[[], str], name: str, overwrite: bool) -> None:
        def write() -> tuple[Path, int]:
            path = chat_files.as_path(name)
            text = safe_block(make())
            if text and not text.endswith("\n"):
                text += "\n"
            chat_files.write(path, text, overwrite=overwrite)
            return path, len(text)

        try:
            async with self._writing:
                path, size = await asyncio.to_thread(write)
        except LokalError as error:
            self._post(FileWritten(name, None, problem=error))
        else:
            self._post(FileWritten(name, path, size))

    def _run(self, work: Work, name: str) -> None:
        self._tasks.start(work, name)
