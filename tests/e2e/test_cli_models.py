"""`lokal models` as a process: what a program reads, and a download whose terminal goes away."""

from __future__ import annotations

import asyncio
import signal

from tests.support.canned_servers import like_ollama
from tests.support.command import lokal_command, started
from tests.support.replay import ndjson, recorded, replay, stalling


async def test_the_list_of_a_server_and_one_that_is_not_there() -> None:
    async with replay() as ollama:
        like_ollama(ollama)
        ended = await lokal_command("models", "list", "--server", ollama.url, "--json")
    assert (ended.status, ended.err) == (0, "")
    assert [(each["name"], each["state"]) for each in ended.json()] == [("llama3.2:3b", "in memory")]
    assert "No server answers" in (await lokal_command("models", "list", "--server", "127.0.0.1:9")).failed(3)
    assert "hf:org/repo" in (await lokal_command("models", "pull", "hf:../b:Q4_0")).failed(2)


async def test_a_download_whose_connection_is_lost_goes_on_with_the_next_command() -> None:
    begun = {"status": "pulling aa", "digest": "sha256:aa", "total": 1000, "completed": 400}
    async with replay() as ollama:
        like_ollama(ollama)
        ollama.on("/api/show", recorded("ollama/show-missing"))
        ollama.on("/api/pull", stalling(ndjson([begun], ended=False)), recorded("ollama/pull"))
        async with started("models", "pull", "new:1", "--server", ollama.url) as process:
            await ollama.arrival("/api/pull").wait()
            process.send_signal(signal.SIGHUP)
            await asyncio.wait_for(process.communicate(), 30)
            assert process.returncode == 128 + signal.SIGHUP
        ended = await lokal_command("models", "pull", "--server", ollama.url)
        assert ended.status == 0, ended.err
        assert "new:1: downloaded" in ended.err
        assert [request.json()["model"] for request in ollama.seen if request.path == "/api/pull"] == [
            "new:1"
        ] * 2
