"""The real `lokal` command in a process of its own, without a terminal: what goes in, what comes out, how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import preloaded
from tests.support.preloaded import ROOT
from tests.support.terminal import DEADLINE_S

PIPE, NOTHING = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that has ended."""

    status: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """Standard output, which must be UTF-8."""
        return self.out.decode()

    def json(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)

    def failed(self, status: int) -> str:
        """What was complained of, in one line, by a command that must have ended with `status` and said why."""
        assert self.status == status, (self.status, self.err, self.out[-500:])
        assert self.err.startswith("lokal: "), self.err
        assert "Traceback" not in self.err
        assert "\x1b" not in self.err
        return " ".join(self.err.split())


def _interruptible() -> None:
    """A shell starts what runs in the background with SIGINT ignored; these commands are to be interrupted."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@asynccontextmanager
async def started(
    *arguments: str, environ: Mapping[str, str] | None = None, stdin: int = NOTHING, python: str = "-m tui"
) -> AsyncIterator[asyncio.subprocess.Process]:
    """`lokal ...`, with its output in pipes; dead when the block ends, in whatever way."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *python.split(),
        *arguments,
        cwd=os.environ["HOME"],
        env={**os.environ, "PYTHONPATH": str(ROOT), **(environ or {})},
        stdin=stdin,
        stdout=PIPE,
        stderr=PIPE,
        limit=1 << 26,
        preexec_fn=_interruptible,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def lokal_command(
    *arguments: str, stdin: bytes | None = None, environ: Mapping[str, str] | None = None
) -> Ended:
    """Run `lokal ...` to its end; `stdin` is piped in."""
    async with asyncio.timeout(2 * DEADLINE_S):
        if preloaded.can_be(environ or {}):
            return await _run_preloaded(arguments, stdin, environ or {})
        async with started(*arguments, environ=environ, stdin=NOTHING if stdin is None else PIPE) as process:
            return await ended(process, stdin)


async def _run_preloaded(arguments: Sequence[str], stdin: bytes | None, environ: Mapping[str, str]) -> Ended:
    """The same without the time that Python takes to load it."""
    (input_, feed), (output, out), (complaints, err) = os.pipe(), os.pipe(), os.pipe()
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **environ}
    with open(os.devnull, "rb") as nothing:  # noqa: ASYNC230, PTH123
        given = nothing.fileno() if stdin is None else input_
        process = preloaded.start(arguments, (given, out, err), variables, terminal=False)
    for one in (input_, out, err):
        os.close(one)
    try:
        said, complained, _ = await asyncio.gather(
            asyncio.to_thread(_read, output),
            asyncio.to_thread(_read, complaints),
            asyncio.to_thread(_write, feed, stdin or b""),
        )
        return Ended(await asyncio.to_thread(process.wait), said, complained.decode())
    finally:
        process.kill()  # which ends what the threads wait for


def _read(pipe: int) -> bytes:
    with open(pipe, "rb") as stream:
        return stream.read()


def _write(pipe: int, data: bytes) -> None:
    with contextlib.suppress(BrokenPipeError), open(pipe, "wb") as stream:
        stream.write(data)


async def ended(process: asyncio.subprocess.Process, stdin: bytes | None = None) -> Ended:
    """Everything that it says from here on, and how it ends."""
    async with asyncio.timeout(2 * DEADLINE_S):
        out, err = await process.communicate(stdin)
    assert process.returncode is not None
    return Ended(process.returncode, out, err.decode())


def files_below(folder: Path) -> list[str]:
    """Every file in a folder, by its path in it."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
