"""The key that was given for the server of --server goes to no other address, and to no other program."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tests.support.app import model_server
from tests.support.app_driver import running
from tests.support.replay import Replay
from tui.core.endpoint import Endpoint

KEY = "sk-given-for-one-server"


def keys_at(server: Replay) -> set[str | None]:
    """What the server was sent as authorization."""
    return {request.headers.get("authorization") for request in server.seen}


async def test_it_goes_to_its_own_server_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOKAL_API_KEY", KEY)
    async with model_server() as mine, model_server() as other:
        async with running(Endpoint(mine.url, api_key=KEY)) as driver:
            await driver.see("Connected")
            await driver.ask(f"/server {other.url}")
            await driver.until(lambda: bool(other.seen), "the other server is asked")
            asked = len(mine.seen)
            await driver.ask(f"/server {mine.url}")
            await driver.until(lambda: len(mine.seen) > asked, "the first server is asked again")
            found = await driver.connect_beside(other.url)
            await found.server.aclose()
        assert keys_at(mine) == {f"Bearer {KEY}"}
        assert keys_at(other) == {None}


async def test_the_editor_does_not_inherit_it(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told, program = own_home / "told", own_home / "editor.py"
    program.write_text(
        f"import json, os; open({str(told)!r}, 'w').write(json.dumps(dict(os.environ)))", encoding="utf-8"
    )
    monkeypatch.setenv("LOKAL_API_KEY", KEY)
    monkeypatch.setenv("EDITOR", f"{sys.executable} {program}")
    monkeypatch.delenv("VISUAL", raising=False)
    async with model_server() as server, running(server.url) as driver:
        await driver.see("Connected")
        await driver.press("alt+e")
        await driver.until(told.exists, "the editor was started")
        await driver.until(lambda: told.read_text() != "", "it has told")
    environ = json.loads(told.read_text(encoding="utf-8"))
    assert environ["HOME"] == os.environ["HOME"]
    assert KEY not in environ.values()
