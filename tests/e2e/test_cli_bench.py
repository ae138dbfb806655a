"""`lokal bench`: the real command against a real engine and against made-up servers."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import stat
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.app import CHAT, OPENAI, becomes_llamacpp, model_server
from tests.support.command import ended, lokal_command, started
from tests.support.llama import needs_engine
from tests.support.replay import CannedResponse, stalling
from tests.support.terminal import DEADLINE_S, lokal

TIMINGS: Mapping[str, object] = {
    "prompt_n": 512, "cache_n": 0, "predicted_n": 64, "prompt_per_second": 250.0, "predicted_per_second": 40.0,
}  # fmt: skip


def rates_file() -> Path:
    return Path(os.environ["XDG_STATE_HOME"]) / "lokal" / "rates.json"


def measured_answer(rate: float = 40.0) -> CannedResponse:
    """An answer as llama-server sends one, with its figures."""
    end = OPENAI.end()
    assert isinstance(end[1], dict)
    usage = {"prompt_tokens": 512, "completion_tokens": 64}
    end[1] = {**end[1], "usage": usage, "timings": {**TIMINGS, "predicted_per_second": rate}}
    return OPENAI.stream(OPENAI.text("Once "), OPENAI.text("upon"), *end)


def unended() -> CannedResponse:
    """An answer that begins and then waits."""
    return stalling(OPENAI.stream(OPENAI.text("Once "), ended=False))


@needs_engine
async def test_the_built_in_engine_is_measured_and_what_it_reached_is_kept(packaged_gguf: Path) -> None:
    arguments = ("bench", "--gguf", str(packaged_gguf), "--depths", "64", "--runs", "1", "--tokens", "16")
    first = await lokal_command(*arguments, "--json")
    assert (first.status, first.err) == (0, "")
    told = first.json()
    assert told["subject"]["model"] == packaged_gguf.stem
    assert told["subject"]["server"] == "built-in llama.cpp"
    assert told["load_s"] > 0
    assert told["memory"] is None or told["memory"] > 50_000_000
    (speed,) = told["depths"]
    assert speed["prompt_rate"]["source"] == speed["answer_rate"]["source"] == "server"
    assert 32 < speed["depth"] < 128
    assert told["compared_with"] == []
    assert stat.S_IMODE(rates_file().stat().st_mode) == 0o600
    assert b"lighthouse" not in rates_file().read_bytes()
    again = (await lokal_command(*arguments, "--json")).json()
    assert [one["at"] for one in again["compared_with"]] == [told["at"]]
    assert len(json.loads(rates_file().read_text())["benchmarks"]) == 2


async def test_the_table_says_how_fast_it_is_and_was() -> None:
    async with model_server(measured_answer()) as server:
        becomes_llamacpp(server)
        arguments = ("bench", "--server", server.url, "--runs", "2", "--depths", "512")
        first = await lokal_command(*arguments)
        server.on(CHAT, measured_answer(30.0))
        second = await lokal_command(*arguments)
        left_out = await lokal_command("bench", "--server", server.url, "--depths", "64,9000", "--runs", "1")
    assert (first.status, first.err) == (0, "")
    assert re.search(r"^ +512 tokens +0\.\d\d s +250 tok/s +40\.0 tok/s +2$", first.text, re.MULTILINE)
    assert "Rates: the server's own; first word: by lokal's clock" in first.text
    assert "slower" not in first.text
    assert "Answers are 25 % slower and prompts are read as fast, compared with today at" in " ".join(
        second.text.split()
    )
    assert max(map(len, second.text.splitlines())) <= 78
    assert "9,000 tokens  left out: the context window has 4,096 tokens" in left_out.text


async def test_a_model_that_is_not_there_and_a_server_that_is_not_are_said() -> None:
    async with model_server(measured_answer()) as server:
        becomes_llamacpp(server)
        missing = await lokal_command("bench", "--server", server.url, "--model", "nobody")
    assert "has no model “nobody”" in missing.failed(4)
    nobody = await lokal_command("bench", "--server", server.url)
    nobody.failed(3)
    assert not rates_file().exists()


async def test_ctrl_c_ends_it_with_what_was_measured() -> None:
    async with (
        model_server(measured_answer(), measured_answer(), unended()) as server,
        started("bench", "--server", server.url, "--depths", "128,256", "--runs", "1", "--json") as process,
    ):
        async with asyncio.timeout(DEADLINE_S):
            while server.paths().count(CHAT) < 3:
                server.arrivals.pop(CHAT, None)
                await server.arrival(CHAT).wait()
        process.send_signal(signal.SIGINT)
        done = await ended(process)
    assert done.status == 130
    assert done.err == ""
    told = done.json()
    assert told["stopped"]
    assert [speed["asked"] for speed in told["depths"]] == [128]


@pytest.mark.parametrize("key", ["\x1b", "\x03"])
async def test_esc_and_ctrl_c_end_it_in_a_terminal_and_leave_it_as_it_was(key: str) -> None:
    async with (
        model_server(measured_answer(), measured_answer(), unended()) as server,
        lokal("bench", "--server", server.url, "--depths", "128,256", "--runs", "1") as terminal,
    ):
        await terminal.wait_for("depth 256, run 1 of 1, answering · Esc stops")
        terminal.send(f"\x1b[A{key}")  # an arrow key, whose first byte is that of Esc, and this one
        await terminal.wait_for("Stopped by you: this is what was measured so far")
        assert await terminal.ended() == 130
        assert "512 tokens" in terminal.text()
        assert "Esc stops" not in terminal.text(), "the line of progress is gone"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--depths", "many"), "numbers from 16"),
        (("--depths", "1"), "numbers from 16"),
        (("--depths", ",".join(map(str, range(16, 40)))), "up to 16 numbers"),
        (("--runs", "0"), "from 1 to 100"),
        (("--tokens", "-3"), "needs"),
        (("--guide",), "takes no --guide"),
        (("--resume",), "takes no --resume"),
        (("word",), "no use for “word”"),
    ],
)
async def test_what_it_does_not_take_is_said(arguments: tuple[str, ...], why: str) -> None:
    assert why in (await lokal_command("bench", *arguments)).failed(2)


async def test_plain_mode_keeps_what_answers_reach() -> None:
    async with model_server(measured_answer(33.0)) as server:
        becomes_llamacpp(server)
        done = await lokal_command("--plain", "--server", server.url, stdin=b"One?\nTwo?\nThree?\n")
    assert done.status == 0
    (known,) = json.loads(rates_file().read_text())["answers"]
    assert known["subject"]["server"] == "llama.cpp"
    assert set(known["rates"]) == {33.0}
