"""One thread instead of several, on the real engine behind a whole chat client; only how busy others are is made up."""

from __future__ import annotations

import json
import re
from itertools import count
from pathlib import Path

import pytest

from tests.support.llama import needs_engine
from tests.support.warm_client import WarmClient, warm_client
from tui.chat import rate_record
from tui.chat.engine_threads import EngineThreadsChanged
from tui.chat.rate_record import RateRecord
from tui.servers.engine import machine, thread_fallback
from tui.servers.engine.machine import Cores, LoadSample, ProcessorTime

pytestmark = needs_engine


@pytest.fixture(autouse=True)
def short_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answers here have eight tokens, and there are two cores."""
    monkeypatch.setattr(rate_record, "LEAST_TOKENS", 4)
    monkeypatch.setattr(thread_fallback, "LEAST_TOKENS", 4)
    monkeypatch.setattr(machine, "usable_cores", lambda *_: Cores(2))


def others_keep_busy(monkeypatch: pytest.MonkeyPatch, cores: float) -> None:
    """From now on others use so many of two cores."""
    looks = count()
    monkeypatch.setattr(
        machine,
        "load_sample",
        lambda processes: LoadSample(ProcessorTime((at := next(looks)) * round(100 * cores), at * 200, 2), 0),
    )


def log_of(client: WarmClient) -> str:
    """The log of the engine's last start."""
    return max(client.places.logs.glob("engine-*.log")).read_text()


async def test_what_answers_reach_is_kept_and_a_starved_engine_goes_on_with_one_thread(
    packaged_gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others_keep_busy(monkeypatch, 0.0)
    async with warm_client(packaged_gguf) as client:
        for question in ("Name a colour.", "Name an animal.", "Name a city."):
            await client.ask(question)
            await client.until(lambda: not client.tasks.runs("engine-threads"))
        (known,) = RateRecord(client.places.rates).load().answers  # written after the first
        assert known.subject.model == packaged_gguf.stem
        assert len(known.rates) == 1
        threads = [event for event in client.heard if isinstance(event, EngineThreadsChanged)]
        assert threads == []

        others_keep_busy(monkeypatch, 2.0)
        monkeypatch.setattr(thread_fallback, "STARVED", 1e9)  # whatever it reaches is far too slow
        monkeypatch.setattr(thread_fallback, "STARVED_EACH", 1e9)
        before = log_of(client)
        await client.ask("Name a river.")
        await client.until(lambda: any(isinstance(event, EngineThreadsChanged) for event in client.heard))
        assert re.search(r"n_threads = 2\b", before)
        assert re.search(r"n_threads = 1\b", log_of(client))
        answer = await client.ask("And another one.")
        assert answer.usage.cached, "what was read of the chat was there again"
        places = client.places
    (known,) = json.loads(places.rates.read_text())["answers"]
    assert len(known["rates"]) == 3, "what was reached beside others is not usual"
