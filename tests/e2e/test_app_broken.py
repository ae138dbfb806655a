"""What comes of an answer when the server or lokal itself ends in the middle of it."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import StartServer
from tests.support.app import (
    CHAT,
    OPENAI,
    answer,
    becomes_llamacpp,
    bodies,
    endless,
    last_chat,
    model_server,
    name_server,
    turns,
)
from tests.support.editor import editor
from tests.support.llama import children, is_alive, until
from tests.support.terminal import DEADLINE_S, lokal
from tui.paths import folders
from tui.store.store import Store


def state(pid: int) -> str:
    """The kernel's letter for the state of a process: T for a stopped one."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


F5, F6 = "\x1b[15~", "\x1b[17~"


async def test_a_server_that_dies_and_comes_back(start_llama: StartServer, endless_gguf: Path) -> None:
    server = start_llama(endless_gguf, context_window=100_000)
    name_server(server.endpoint)
    async with lokal("--set", "max_tokens=90000") as terminal:
        await terminal.wait_for("· endless")
        terminal.send("Go on and on\r")
        await terminal.wait_for(r"answering +\d+ tok/s")
        server.kill()
        await terminal.wait_for("The answer broke off")
        await terminal.wait_for("F6 continues · F5 asks again")
        terminal.send(F5)
        await terminal.wait_for("No server answers at")
        await asyncio.to_thread(server.start_again)
        terminal.send(F5)
        await terminal.wait_for(r"\n answering +\d+ tok/s")
        terminal.send("\x1b")
        await terminal.wait_for("stopped by you")
        await terminal.quit()
    question, stopped = await last_chat()
    assert question.content == "Go on and on"
    assert stopped.status == "stopped"
    assert stopped.content.startswith("# Reading a file line by line")
    assert stopped.fields["problem"] is None


async def test_errors_are_shown_and_never_sent() -> None:
    begun = OPENAI.stream(OPENAI.text("Half an "), ended=False)
    broken = replace(begun, reset=True)
    async with model_server(broken) as server, lokal("--server", server.url) as terminal:
        await terminal.wait_for("· replay-3b")
        terminal.send("One\r")
        await terminal.wait_for("Half an")
        await terminal.wait_for("The answer broke off")
        await terminal.wait_for(r"─ .*interrupted ─")

        server.on(CHAT, OPENAI.stream(OPENAI.text("Then "), OPENAI.error("CUDA error: out of memory")))
        terminal.send("Two\r")
        await terminal.wait_for("CUDA error: out of memory")
        await terminal.wait_for(r"─ .*failed ─")

        server.on(CHAT, answer("Whole."))
        terminal.send("Three\r")
        await terminal.wait_for("Whole\\.")
        terminal.send(F5)
        await terminal.wait_for(r"─ .*2/2 ─\nWhole\.")
        await terminal.quit()
    last = bodies(server)[-1]
    assert turns(last) == [
        ("user", "One"),
        ("assistant", "Half an "),
        ("user", "Two"),
        ("assistant", "Then "),
        ("user", "Three"),
    ]
    statuses = [message.status for message in (await last_chat())[1::2]]
    assert statuses == ["interrupted", "failed", "complete"]


async def test_a_killed_lokal_finds_its_answer_again() -> None:
    async with model_server(endless("What had ", "come.")) as server:
        becomes_llamacpp(server)
        async with lokal("--server", server.url) as terminal:
            await terminal.wait_for("· replay-3b")
            terminal.send("A question\r")
            await terminal.wait_for("What had come")
            store = Store.open(folders().database)
            chat = store.find("last").id
            await terminal.until(
                lambda: store.load(chat).path()[-1].content == "What had come.", "the answer is written down"
            )
            terminal.kill(signal.SIGKILL)
            assert await terminal.ended() == -signal.SIGKILL
            store.close()

        server.on(CHAT, answer(" And more."))
        async with lokal("--server", server.url) as terminal:
            await terminal.wait_for("A question")
            await terminal.wait_for(r"── replay-3b · technical ─+ .*interrupted ─\nWhat had come\.\n")
            await terminal.wait_for("Interrupted: lokal ended before the answer did")
            await terminal.wait_for("here is what had come")
            await terminal.wait_for("· replay-3b")
            terminal.send(F6)
            await terminal.wait_for(r"What had come\. And more\.")
            await terminal.wait_until_gone("interrupted")
            await terminal.quit()
    assert turns(bodies(server)[-1]) == [("user", "A question"), ("assistant", "What had come.")]
    question, whole = await last_chat()
    assert (question.content, whole.content, whole.status) == (
        "A question",
        "What had come. And more.",
        "complete",
    )


@pytest.mark.parametrize(
    ("number", "times"),
    [(signal.SIGTERM, 1), (signal.SIGHUP, 1), (signal.SIGINT, 1), (signal.SIGINT, 50), (signal.SIGTERM, 50)],
)
async def test_a_signal_ends_lokal_and_loses_nothing(number: signal.Signals, times: int) -> None:
    async with model_server(endless("What had ", "come.")) as server:
        async with lokal("--server", server.url) as terminal:
            await terminal.wait_for("· replay-3b")
            terminal.send("A question\r")
            await terminal.wait_for("What had come")
            for _ in range(times):
                terminal.kill(number)
            assert await terminal.ended() == 128 + number
            assert terminal.is_left
        async with asyncio.timeout(DEADLINE_S):
            await server.left.wait()
    question, cut_off = await last_chat()
    assert (question.content, cut_off.content, cut_off.status) == (
        "A question",
        "What had come.",
        "interrupted",
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("stubborn", [False, True])
async def test_a_signal_while_an_editor_has_the_terminal(
    number: signal.Signals, stubborn: bool, tmp_path: Path
) -> None:
    """The editor is ended first, what its script runs too; then the terminal is as it was before lokal."""
    ignores = "trap '' TERM HUP; " if stubborn else ""
    # A child of the editor's that lives as long as it may; its number is written down.
    runs = f"sleep 1000 & echo $! > {tmp_path}/child; printf '\\033[?1049h\\033[?1hin the editor'; wait; sleep 1000"
    async with lokal(environ={"VISUAL": editor(tmp_path, ignores + runs)}) as terminal:
        await terminal.wait_for("F1 keys")
        terminal.send("\x1be")
        await terminal.wait_for("in the editor")
        for _ in range(3):
            terminal.kill(number)
        # One of them may come in the interpreter's last moments, when lokal has let go of it.
        assert await terminal.ended() in (128 + number, -number)
        assert terminal.is_left
        assert not is_alive(int((tmp_path / "child").read_text()))


@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGSTOP])
async def test_a_stopped_lokal_takes_the_terminal_again(number: signal.Signals) -> None:
    async with model_server(answer("Fine.")) as server, lokal("--server", server.url) as terminal:
        await terminal.wait_for("· replay-3b")
        terminal.kill(number)
        await terminal.until(lambda: state(terminal.pid) == "T", "lokal is stopped")
        before = len(terminal.raw)
        terminal.kill(signal.SIGCONT)
        await terminal.until(lambda: b"\x1b[?1049h" in terminal.raw[before:], "the screen is lokal's again")
        await terminal.until(lambda: b"Preset" in terminal.raw[before:], "it is painted anew")
        terminal.send("every key once")
        await terminal.wait_for("› every key once")
        terminal.send("\r")
        await terminal.wait_for("Fine\\.")
        await terminal.quit()


async def test_a_closed_terminal_ends_lokal_and_its_engine(
    engine_installed: None, endless_gguf: Path
) -> None:
    arguments = ("--gguf", str(endless_gguf), "--set", "max_tokens=90000", "--set", "context_window=100000")
    async with lokal(*arguments) as terminal:
        await terminal.wait_for("· endless")
        engine = children(terminal.pid)
        assert engine
        terminal.send("A question\r")
        await terminal.wait_for(r"answering +\d+ tok/s")
        terminal.close_terminal()
        await terminal.ended()
        await terminal.until(lambda: not any(map(is_alive, engine)), "the engine has ended too")
    question, cut_off = await last_chat()
    assert (question.content, cut_off.status) == ("A question", "interrupted")
    assert cut_off.content.startswith("# Reading a file line by line")

    async with lokal(*arguments) as terminal:
        await terminal.wait_for("· endless")
        engine = children(terminal.pid)
        terminal.kill(signal.SIGKILL)
        await terminal.ended()
        await asyncio.to_thread(until, lambda: not any(map(is_alive, engine)), "the engine has ended too")


async def test_suspend_goes_to_the_shell_and_comes_back() -> None:
    """As a shell with job control does it: a job in a process group of its own, in the same session."""
    async with lokal(under_a_shell=True) as terminal:
        await terminal.wait_for("F1 keys")
        terminal.send("/suspend")
        await terminal.wait_for("› /suspend")
        terminal.send("\r")
        await terminal.until(lambda: b"the job is stopped" in terminal.raw, "the shell has the terminal")
        assert terminal.is_left
        terminal.send("\n")  # fg
        await terminal.wait_for("F1 keys")
        terminal.send("and on")
        await terminal.wait_for("› and on")
        terminal.send("\x11")
        assert await terminal.ended() == 0


async def test_suspend_where_no_shell_waits() -> None:
    async with lokal() as terminal:
        await terminal.wait_for("F1 keys")
        terminal.send("/suspend")
        await terminal.wait_for("› /suspend")
        terminal.send("\r")
        await terminal.wait_for("There is no shell to go back to")
        await terminal.quit()
