"""The Models tab where something goes wrong: on the line, on the server, in what is typed, in what a server says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.app_driver import AppDriver, running
from tests.support.canned_servers import MODEL, like_ollama
from tests.support.editor import editor
from tests.support.replay import CannedResponse, Replay, as_json, ndjson, replay, stalling, text
from tests.support.snapshot import check_all

BIG = "qwen2.5-coder:7b"
THREE = ((MODEL, "3.2B", 2_019_393_189), (BIG, "7.6B", 4_683_087_332), ("bielik:11b", "11B", 6_700_000_000))
BEGUN = {"status": "pulling ab", "digest": "sha256:ab", "total": 4_000_000_000, "completed": 10**9}
DONE = ({"status": "pulling manifest"}, {"status": "success"})


async def opened(driver: AppDriver) -> None:
    """The tab of a lokal that has just connected."""
    await driver.see("Connected")
    await driver.press("f3")
    await driver.see("u unload")


def sent(server: Replay, path: str) -> list[dict[str, object]]:
    """The bodies that went to that path."""
    return [json.loads(request.body) for request in server.seen if request.path == path]


async def pull(driver: AppDriver, name: str) -> None:
    """Ask for a download."""
    await driver.press("p")
    await driver.see("Download:")
    await driver.write(f"{name}\r")


@pytest.mark.parametrize(
    ("reply", "row", "why"),
    [
        (ndjson([{"error": "pull model manifest: file does not exist"}]), "failed", "There is no model “m:1b” to"),
        (ndjson([BEGUN, {"error": "write: no space left on device"}]), "failed", "The server's disk is full"),
        (ndjson([BEGUN, {"error": "\x1b[2Jno [b]luck[/b]"}]), "failed", r"no \[b\]luck"),
        (as_json(200, {"error": "invalid model name"}), "failed", "invalid model name"),
        (as_json(500, {"error": "the disk is broken"}), "failed", "the disk is broken"),
        (text(200, "<html>a proxy says hello</html>"), "failed", "It is no record of a download"),
        (ndjson([BEGUN], ended=False), "trying again", "The download broke off"),
        (ndjson([BEGUN]), "trying again", "The download broke off"),
    ],
)  # fmt: skip
async def test_a_download_that_fails_says_why_and_can_be_begun_again(
    reply: CannedResponse, row: str, why: str
) -> None:
    async with replay() as server:
        like_ollama(server, *THREE).on("/api/pull", reply)
        async with running(server.url) as driver:
            await opened(driver)
            await pull(driver, "m:1b")
            await driver.see(rf"m:1b +(?:.* +)?{row}")
            await driver.press("end")
            await driver.see(rf"\n m:1b *\n .*{why}")
            await driver.see("P try (again|now)")
            assert "\x1b" not in driver.text()
            server.on("/api/pull", ndjson(DONE))
            await driver.press("P")
            await driver.see("m:1b +(?:downloaded|up to date|changed)")


async def test_a_server_that_is_gone_is_said_by_every_key_and_the_list_stays() -> None:
    async with replay() as server:
        like_ollama(server, *THREE)
        async with running(server.url) as driver:
            await opened(driver)
            server.replies.clear()
            server.other = CannedResponse(b"", reset=True)
            for key in ("l", "u", "K", "U", "d", "i", "r"):
                await driver.press(key)
                await driver.see("connection|does not answer|broke off|closed")
                driver.clear_notice()
                await driver.see_no_more("connection|does not answer|broke off|closed")
            assert driver.model_under_cursor == MODEL
            await driver.see(f"›{MODEL} .*in memory")


async def test_a_server_that_says_200_and_an_error_has_done_nothing() -> None:
    async with replay() as server:
        like_ollama(server, *THREE).on("/api/show", as_json(200, {"modelfile": "FROM x"}))
        broken = as_json(200, {"error": "not \x1b[5mtoday"})
        server.on("/api/generate", broken).on("/api/delete", broken).on("/api/copy", broken)
        async with running(server.url) as driver:
            await opened(driver)
            for keys in (("down", "l"), ("u",), ("K",)):
                await driver.press(*keys)
                await driver.see("not today")
                driver.clear_notice()
                await driver.see_no_more("not today")
            for typed in ("c-2\r", "R-2\r", "dd"):
                await driver.press(typed[0])
                await driver.see("Copy|Rename|Delete")
                await driver.write(typed[1:])
                await driver.see("not today")
                driver.clear_notice()
                await driver.see_no_more("not today")
            assert driver.model_under_cursor == BIG


async def test_a_name_that_is_taken_is_not_written_over() -> None:
    async with replay() as server:
        like_ollama(server, *THREE)
        async with running(server.url) as driver:
            await opened(driver)
            for key, typed in (("c", BIG), ("R", "Qwen2.5-Coder:7b"), ("R", MODEL.upper())):
                await driver.press(key)
                await driver.see("Copy|Rename")
                await driver.write(f"\x15{typed}\r")
                await driver.see("There is a model “.*” already")
                driver.clear_notice()
                await driver.see_no_more("already")
            assert not {"/api/copy", "/api/delete"} & set(server.paths())


async def test_a_name_that_could_not_be_given_up_is_said() -> None:
    async with replay() as server:
        like_ollama(server, *THREE).on("/api/copy", as_json(200, {}))
        server.on("/api/delete", as_json(500, {"error": "the disk is read-only"}))
        async with running(server.url) as driver:
            await opened(driver)
            await driver.press("R")
            await driver.write("\x15small\r")
            await driver.see(f"“small” is there, but “{MODEL}” could not be deleted")
            assert driver.model == MODEL, "it still answers to that"


async def test_where_one_of_several_cannot_be_deleted_the_others_are_and_it_is_said() -> None:
    async with replay() as server:
        like_ollama(server, *THREE).on("/api/show", as_json(200, {"modelfile": "FROM x"}))
        server.on("/api/delete", as_json(404, {"error": "model 'x' not found"}), as_json(200, {}))
        async with running(server.url) as driver:
            await opened(driver)
            await driver.press("down", "space", "space", "d")
            await driver.see("Delete 2 models")
            await driver.press("d")
            await driver.see("1 of 2 models deleted")
            assert [body["model"] for body in sent(server, "/api/delete")] == [BIG, "bielik:11b"]


async def test_a_model_that_is_replaced_is_said_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with replay() as server:
        like_ollama(server, *THREE)
        monkeypatch.setenv("VISUAL", editor(tmp_path, "true"))
        async with running(server.url) as driver:
            await opened(driver)
            await driver.press("n")
            await driver.write(f"{BIG}\r")
            await driver.see(f"Replace the model {BIG} by one from {MODEL}")
            await driver.press("escape")
            await driver.see_no_more("Replace the model")
            assert "/api/create" not in server.paths()


async def test_odd_names_are_shown_as_text_and_sent_as_they_are_typed() -> None:
    odd = "hf.co/x\x1b[31m/[b]y[/b]:Q4 K"
    async with replay() as server:
        like_ollama(server, (odd, "3.2B", 10**9), *THREE)
        server.on("/api/copy", as_json(400, {"error": "invalid model name"}))
        async with running(server.url) as driver:
            await opened(driver)
            await driver.see(r"›hf.co/x/\[b\]y\[/b\]:Q4 K|›hf.co/x.*K ")
            await driver.press("c")
            await driver.write("\x15../../etc/[b]x\r")
            await driver.see("invalid model name")
            assert sent(server, "/api/copy")[-1]["destination"] == "../../etc/[b]x"
            assert "\x1b" not in driver.text()


async def test_two_lokals_that_download_the_same_do_not_mind_each_other() -> None:
    async with replay() as server:
        like_ollama(server, *THREE).on("/api/pull", stalling(ndjson([BEGUN], ended=False)))
        async with running(server.url) as one, running(server.url) as other:
            for driver in (one, other):
                await opened(driver)
                await pull(driver, "m:1b")
                await driver.see("m:1b .*25%")
            await one.press("end", "x")
            await one.see_no_more("m:1b")
            await other.see("m:1b .*25%")
            server.on("/api/pull", ndjson(DONE))
            await other.press("end", "P")
            await other.see("paused")
            await other.press("P")
            await other.see("m:1b +(?:downloaded|up to date)")


async def test_why_a_download_failed_has_room() -> None:
    full = {"error": f"write /var/lib/ollama/models/blobs/sha256-{'ab' * 12}: no space left on device"}
    async with replay() as server:
        like_ollama(server, *THREE).on("/api/pull", ndjson([BEGUN, full]))
        async with running(server.url) as driver:
            await opened(driver)
            await pull(driver, "mistral-small3.2:24b")
            await driver.see("failed")
            await driver.press("end")
            await driver.see("The server's disk is full")
            driver.clear_notice()
            await driver.see("P try again")
            await check_all(driver, "models-pull-failed")
