"""How `lokal ask` ends before its answer does: the server's work stops at once, what came stays, nobody sees a
traceback."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import StartServer
from tests.support.app import CHAT, OPENAI, answer, endless, last_chat, model_server
from tests.support.command import PIPE, ended, started
from tests.support.llama import children, is_alive, until
from tests.support.preloaded import ROOT
from tests.support.replay import Replay, held, pausing, stalling
from tests.support.terminal import DEADLINE_S, TerminalSession, lokal
from tui.paths import folders
from tui.store.store import Store

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


async def left(server: Replay) -> None:
    """lokal has closed its connection, so that the server stops."""
    async with asyncio.timeout(DEADLINE_S):
        await server.left.wait()


async def arrived(server: Replay) -> None:
    """lokal has asked."""
    async with asyncio.timeout(DEADLINE_S):
        await server.arrival(CHAT).wait()


async def read(process: asyncio.subprocess.Process, end: str) -> str:
    """Standard output up to and with `end`."""
    assert process.stdout is not None
    async with asyncio.timeout(DEADLINE_S):
        return (await process.stdout.readuntil(end.encode())).decode()


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
async def test_a_signal_ends_it_with_what_came(number: signal.Signals, status: int) -> None:
    async with (
        model_server(endless("The begin", "ning")) as server,
        started("ask", "--save", "--server", server.url, "Q") as process,
    ):
        assert await read(process, "beginning") == "The beginning"
        process.send_signal(number)
        await left(server)
        rest = await ended(process)
    assert (rest.status, rest.text) == (status, "\n")
    assert "Traceback" not in rest.err
    kept = (await last_chat())[-1]
    assert (kept.content, kept.status) == ("The beginning", "stopped")


async def test_a_kill_loses_neither_the_question_nor_what_came_of_the_answer() -> None:
    async with (
        model_server(held(endless("The begin", "ning"))) as server,
        started("ask", "--save", "--server", server.url, "Q") as process,
    ):
        await arrived(server)
        asked = await last_chat()
        assert [(message.content, message.status) for message in asked] == [
            ("Q", "complete"),
            ("", "streaming"),
        ], "the question is on the disk when the server is asked"
        server.release.set()
        with closing(Store.open(folders().database)) as store:
            chat = store.find("last").id
            await asyncio.to_thread(
                until,
                lambda: store.load(chat).path()[-1].content == "The beginning",
                "what came is written down while more may come",
            )
        process.kill()
        await process.wait()
    asked = await last_chat()
    assert [(message.content, message.status) for message in asked] == [
        ("Q", "complete"),
        ("The beginning", "interrupted"),
    ]
    with closing(Store.open(folders().database)) as store:
        assert store.search("beginning"), "what a killed lokal left is found once somebody has looked"


async def test_json_of_an_interrupted_answer() -> None:
    async with (
        model_server(endless("The begin", "ning")) as server,
        started("ask", "--json", "--server", server.url, "Q") as process,
    ):
        await arrived(server)
        process.send_signal(signal.SIGINT)
        await left(server)
        rest = await ended(process)
    assert rest.status == 130
    said = rest.json()
    assert "The beginning".startswith(said["text"])
    assert said["finish_reason"] == "stopped"


async def test_interrupted_before_the_first_word() -> None:
    async with (
        model_server(held(answer("Never."))) as server,
        started("ask", "--server", server.url, "Q") as process,
    ):
        await arrived(server)
        process.send_signal(signal.SIGINT)
        await left(server)
        rest = await ended(process)
    assert (rest.status, rest.out, rest.err) == (130, b"", "")


async def test_interrupted_while_it_connects() -> None:
    async with model_server() as server:
        server.on("/v1/models", held(answer("Never.")))
        async with started("ask", "--server", server.url, "Q") as process:
            async with asyncio.timeout(DEADLINE_S):
                await server.arrival("/v1/models").wait()
            process.send_signal(signal.SIGINT)
            rest = await ended(process)
    assert (rest.status, rest.out, rest.err) == (130, b"", "")


async def test_interrupted_while_it_reads_standard_input() -> None:
    async with (
        model_server(answer("Yes.")) as server,
        started("ask", "--server", server.url, "Q", stdin=PIPE) as process,
    ):
        assert process.stdin is not None
        process.stdin.transport.set_write_buffer_limits(0)
        process.stdin.write(b"x" * 1_000_000)  # far more than a pipe holds: once it is gone, lokal reads
        async with asyncio.timeout(DEADLINE_S):
            await process.stdin.drain()
            process.send_signal(signal.SIGINT)
            assert await process.wait() == 130
        assert server.seen == []


@pytest.mark.parametrize("silent", [False, True])
async def test_a_closed_pipe_stops_the_server_without_a_word(silent: bool) -> None:
    """As in `| head -1`; also when the model thinks and nothing is written that could fail."""
    slow = replace(endless(*["line\n"] * 2000), piece=400, pace_s=0.01)
    begun = stalling(OPENAI.stream(OPENAI.text("line\n"), OPENAI.thought("Hm."), ended=False))
    async with (
        model_server(begun if silent else slow) as server,
        started("ask", "--server", server.url, "Q") as process,
    ):
        assert await read(process, "\n") == "line\n"
        process.stdout._transport.close()  # type: ignore[union-attr]
        await left(server)
        async with asyncio.timeout(DEADLINE_S):
            status = await process.wait()
        assert process.stderr is not None
        assert (status, await process.stderr.read()) == (0, b"")


async def test_head_in_a_shell(tmp_path: Path) -> None:
    script = '"$0" -m tui "$@" | head -n 1; echo "${PIPESTATUS[@]}"'
    async with model_server(answer(*["line\n"] * 20_000)) as server:
        process = await asyncio.create_subprocess_exec(
            *("bash", "-c", script, sys.executable, "ask", "--server", server.url, "Q"),
            cwd=ROOT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
        )
        async with asyncio.timeout(DEADLINE_S):
            out, err = await process.communicate()
    assert (out, err) == (b"line\n0 0\n", b"")


async def test_a_reader_that_pauses_does_not_hold_up_a_signal() -> None:
    """A pager that shows its first page leaves the pipe full."""
    reader, writer = os.pipe()
    async with model_server(endless(*["0123456789 " * 10] * 5000)) as server:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tui", "ask", "--server", server.url, "Q"),
            cwd=ROOT, stdin=asyncio.subprocess.DEVNULL, stdout=writer, stderr=PIPE,
        )  # fmt: skip
        await arrived(server)
        await asyncio.to_thread(until, lambda: not select.select([], [writer], [], 0)[1], "the pipe is full")
        process.send_signal(signal.SIGTERM)
        await left(server)
        _, err = await process.communicate()
        assert (process.returncode, err) == (143, b"")
    os.close(writer)
    os.close(reader)


async def test_other_outputs_end_quietly_too() -> None:
    for arguments in (["--help"], ["doctor"], ["presets", "list"], ["--version"]):
        script = '"$0" -m tui "$@" | true; echo "${PIPESTATUS[0]}"'
        process = await asyncio.create_subprocess_exec(
            *("bash", "-c", script, sys.executable, *arguments), cwd=ROOT, stdout=PIPE, stderr=PIPE
        )  # fmt: skip
        out, err = await process.communicate()
        assert (out, err) == (b"0\n", b""), arguments


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
async def test_a_full_disk_is_told() -> None:
    async with model_server(answer("Yes.")) as server:
        for arguments in (["ask", "--server", server.url, "Q"], ["presets", "list"]):
            script = '"$0" -m tui "$@" > /dev/full'
            process = await asyncio.create_subprocess_exec(
                *("bash", "-c", script, sys.executable, *arguments), cwd=ROOT, stdout=PIPE, stderr=PIPE,
                stdin=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
            _, err = await process.communicate()
            assert process.returncode == 1
            assert err.startswith(b"lokal: Cannot write to standard output\n       No space left on device")
            assert b"Traceback" not in err


async def test_closed_streams() -> None:
    async with model_server(answer("Yes.")) as server:
        for closed, out in (("<&-", b"Yes.\n"), ("2>&-", b"Yes.\n"), (">&-", b""), ("<&- >&- 2>&-", b"")):
            script = f'"$0" -m tui "$@" {closed}'
            process = await asyncio.create_subprocess_exec(
                *("bash", "-c", script, sys.executable, "ask", "--server", server.url, "Q"),
                cwd=ROOT, stdout=PIPE, stderr=PIPE, stdin=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
            assert (await process.communicate(), process.returncode) == ((out, b""), 0), closed


@linux
@pytest.mark.usefixtures("engine_installed")
async def test_the_engine_dies_with_lokal(endless_gguf: Path) -> None:
    for number, status in ((signal.SIGKILL, -9), (signal.SIGTERM, 143), (signal.SIGINT, 130)):
        command = "ask", "--gguf", str(endless_gguf), "--set", "max_tokens=100000", "Q"
        async with started(*command) as process:
            await read(process, "\n")
            family = children(process.pid)
            family += [grandchild for child in family for grandchild in children(child)]
            assert len(family) >= 2
            process.send_signal(number)
            rest = await ended(process)
            assert rest.status == status
            assert "Traceback" not in rest.err
            for pid in family:
                until(lambda pid=pid: not is_alive(pid), f"process {pid} has ended")  # type: ignore[misc]


@linux
@pytest.mark.usefixtures("engine_installed")
async def test_the_built_in_engine_that_dies_says_why(endless_gguf: Path) -> None:
    command = "ask", "--gguf", str(endless_gguf), "--set", "max_tokens=100000", "Q"
    async with started(*command) as process:
        begun = await read(process, "\n")
        (supervisor,) = children(process.pid)
        os.kill(children(supervisor)[0], signal.SIGKILL)
        rest = await ended(process)
    assert begun + rest.text
    said = rest.failed(4)
    assert "The built-in engine stopped while serving endless.gguf" in said
    assert "most likely for lack of memory" in said


async def test_the_engine_that_dies(start_llama: StartServer, endless_gguf: Path) -> None:
    running = start_llama(endless_gguf)
    environ = {"LOKAL_API_KEY": running.endpoint.api_key}
    command = "ask", "--server", running.endpoint.url, "--set", "max_tokens=100000", "Q"
    async with started(*command, environ=environ) as process:
        begun = await read(process, "\n")
        running.kill()
        rest = await ended(process)
    assert begun + rest.text
    assert rest.text.endswith("\n")
    assert "The answer broke off" in rest.failed(4)


def shown(terminal: TerminalSession) -> list[str]:
    """The rows that something was written into."""
    return [row for row in terminal.screen() if row.strip("?")]


async def test_on_a_terminal_the_progress_line_goes_before_the_answer() -> None:
    stream = OPENAI.stream(OPENAI.thought("Let me see."), ended=False)
    text = [OPENAI.text("One line\n"), OPENAI.text("and another")]
    async with (
        model_server(stalling(stream)) as server,
        lokal("ask", "--server", server.url, "Q") as terminal,
    ):
        await terminal.until(lambda: shown(terminal) == ["thinking"], "it tells that the model thinks")
        terminal.send("\x03")
        assert await terminal.ended() == 130
        assert "thinking" not in terminal.text()
    whole = pausing(stream, OPENAI.stream(OPENAI.thought("Let me see."), *text, *OPENAI.end()))
    async with model_server(whole) as server, lokal("ask", "--server", server.url, "Q") as terminal:
        await terminal.until(lambda: shown(terminal) == ["thinking"], "it tells that the model thinks")
        server.release.set()
        assert await terminal.ended() == 0
        assert shown(terminal) == ["One line", "and another"]


async def test_on_a_terminal_errors_are_folded() -> None:
    async with lokal("ask", "--server", "http://127.0.0.1:9", "Q", columns=44) as terminal:
        assert await terminal.ended() == 3
        rows = terminal.raw.decode().splitlines()
    assert rows[0] == "lokal: No server answers at"
    assert all(row.startswith("       ") for row in rows[1:])
    assert " ".join(" ".join(rows).split()).endswith("Is it running, and is the address right?")
