"""`lokal models pull hf:...` as a process: killed again and again, resumed, listed, and deleted."""

from __future__ import annotations

import asyncio
import random

from tests.support.command import lokal_command, started
from tests.support.hub import REPOSITORY, hub
from tests.support.llama import until
from tests.support.model_shapes import ModelShape
from tui.paths import folders

KILLS = 20
NAME = "tiny-Q8_0.gguf"


def _kept() -> int:
    """Bytes of the download that are on the disk."""
    return sum(part.stat().st_size for part in folders().models.rglob(".*.part"))


def _has_more_than(kept: int) -> None:
    until(lambda: _kept() > kept, "a piece is on the disk")


async def test_a_download_that_is_killed_at_twenty_points_is_whole_in_the_end() -> None:
    path = folders().models.parent / "made.gguf"
    path.parent.mkdir(parents=True, exist_ok=True)
    data = ModelShape("llama", 2, 128, 4, 2, 32, 256, 2000).write(path).read_bytes()
    path.unlink()
    places = random.Random(2026)
    async with hub({NAME: data}) as running:
        environ = {"HF_ENDPOINT": running.url, "HF_TOKEN": "hf_x"}
        for kill in range(KILLS):
            running.faults.stall_at = running.sent + places.randrange(1, len(data) // KILLS)
            running.stalled.clear()
            kept = _kept()
            async with started("models", "pull", f"hf:{REPOSITORY}", environ=environ) as process:
                await asyncio.wait_for(running.stalled.wait(), 60)
                if kill % 2:  # else at whatever point it is
                    await asyncio.to_thread(_has_more_than, kept)
                process.kill()
                await process.wait()
        running.faults.stall_at = None
        ended = await lokal_command("models", "pull", f"hf:{REPOSITORY}", environ=environ)
        assert ended.status == 0, ended.err
        ranges = [request.headers.get("range", "") for request in running.asked("files")]
        assert running.sent < 3 * len(data)
    target = folders().models / REPOSITORY / NAME
    assert target.read_bytes() == data
    assert len({each for each in ranges if each}) > 1
    assert f"downloaded to {target}" in ended.err
    assert "comes from 127.0.0.1" in ended.err
    listed = await lokal_command("models", "files", "--json")
    assert [(each["name"], each["place"]) for each in listed.json()] == [("tiny-Q8_0", "lokal")]
    assert "--yes" in (await lokal_command("models", "rm", f"hf:{REPOSITORY}")).failed(2)
    deleted = await lokal_command("models", "rm", "--yes", f"hf:{REPOSITORY}:q8_0")
    assert (deleted.status, target.exists()) == (0, False)
    assert "has not downloaded" in (await lokal_command("models", "rm", f"hf:{REPOSITORY}")).failed(4)


async def test_whether_a_file_of_the_hub_fits_is_told_before_it_is_there() -> None:
    path = folders().models.parent / "made.gguf"
    path.parent.mkdir(parents=True, exist_ok=True)
    data = ModelShape("llama", 2, 128, 4, 2, 32, 256, 40_000).write(path).read_bytes()
    path.unlink()
    async with hub({"tiny-Q4_K_M.gguf": data, NAME: data + bytes(8)}) as running:
        environ = {"HF_ENDPOINT": running.url}
        ended = await lokal_command("models", "fit", f"hf:{REPOSITORY}", "--json", environ=environ)
        told = ended.json()
        shown = await lokal_command("models", "fit", f"hf:{REPOSITORY}", environ=environ)
    assert (told["verdict"], told["exact"], told["context"]) == ("cpu", False, 8192)
    assert told["kv_cache"] == 2 * 8192 * 2 * 2 * 64
    assert told["total"] == told["weights"] + told["kv_cache"] + told["compute"]
    assert [each["quantization"] for each in told["quantizations"]] == ["Q4_K_M", "Q8_0"]
    assert "apache-2.0" in shown.text
    assert "what most people take" in shown.text
