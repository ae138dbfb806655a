"""Two lokals of one person at the same time."""

from __future__ import annotations

import json

from tests.support.app import answer, chat_titles, command, in_two, model_server
from tests.support.terminal import lokal


async def test_two_lokals_share_a_home() -> None:
    async with (
        model_server(in_two(["The first "], ["is done."])) as slow,
        model_server(answer("The second is done.")) as quick,
        lokal("--server", slow.url) as first,
    ):
        await first.wait_for("· replay-3b")
        first.send("Slow question\r")
        await first.wait_for("The first")
        async with lokal("--server", quick.url) as second:
            await second.wait_for("· replay-3b")
            await second.wait_for("Preset +technical")
            assert "Slow question" not in second.text()
            second.send("Quick question\r")
            await second.wait_for(r"The second is done\.")
            slow.release.set()
            await first.wait_for(r"The first is done\.")
            assert "interrupted" not in first.text()
            second.send("\x1b[A\x1b[A")
            await second.wait_for("› Slow question")
            await second.quit()
        await first.quit()
    assert sorted(await chat_titles()) == ["Quick question", "Slow question"]
    for chat in json.loads(await command("chats", "list", "--json")):
        messages = json.loads(await command("chats", "show", chat["id"], "--json"))["messages"]
        assert [message["status"] for message in messages] == ["complete", "complete"]
