"""`lokal models` over replay servers: what is printed, what is sent, and what is refused."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.canned_servers import like_ollama
from tests.support.replay import Replay, as_json, ndjson, recorded, replay
from tui.cli.command_arguments import Models
from tui.cli.models import manage, until
from tui.cli.models_pull import PullRun, fitted
from tui.config.history import PromptHistory
from tui.config.settings import Settings
from tui.core.endpoint import ServerKind
from tui.core.model import Model
from tui.errors import FileError, LokalError, ModelMissing, Refused, UsageError
from tui.models.listing import totals
from tui.models.pull import Pull
from tui.models.pull_file import PullFile
from tui.paths import folders

SHOW = "/api/show"


@pytest.fixture
async def ollama() -> AsyncIterator[Replay]:
    """An Ollama with two models, of which the first is in memory."""
    async with replay() as server:
        yield like_ollama(server, ("llama3.2:3b", "3.2B", 2_019_393_189), ("qwen:7b", "7B", 12_000_000_000))


async def done(command: Models, server: Replay) -> int:
    """Do a command at this server."""
    return await manage(replace(command, server=server.url), Settings(), folders())


async def test_the_list(ollama: Replay, capsys: pytest.CaptureFixture[str]) -> None:
    assert await done(Models("list", sort="size"), ollama) == 0
    out = capsys.readouterr().out.splitlines()
    assert out == [
        "NAME         PARAMS  QUANT   SIZE     CONTEXT     STATE          CAN",
        "qwen:7b      7B      Q4_K_M  12.0 GB  128k        not in memory  chat",
        "llama3.2:3b  3.2B    Q4_K_M  2.0 GB   8k of 128k  in memory      chat",
    ]


async def test_the_list_for_a_program(ollama: Replay, capsys: pytest.CaptureFixture[str]) -> None:
    listed = {
        "name": "a\x1b[2J",
        "modified_at": "2026-11-22T03:17:39.7Z",
        "capabilities": ["embedding"],
        "size": 5,
    }
    ollama.on("/api/tags", as_json(200, {"models": [listed]}))
    await done(Models("list", json=True), ollama)
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["name"], told["state"], told["chats"]) == ("a", "not in memory", False)
    assert told["changed_at"].startswith("2026-11-22T03:17:39")
    ollama.on("/api/tags", as_json(200, {"models": []}))
    await done(Models("list", json=True), ollama)
    assert json.loads(capsys.readouterr().out) == []
    await done(Models("list"), ollama)
    assert "The server has no models" in capsys.readouterr().err


def test_totals() -> None:
    assert totals([Model("a", size=10**9), Model("b", size=5 * 10**8, memory=10**9)]) == (
        "2 models, 1.5 GB on the disk, 1.0 GB in memory"
    )
    assert totals([Model("a")]) == "1 model"


async def test_details(ollama: Replay, capsys: pytest.CaptureFixture[str]) -> None:
    ollama.on(SHOW, recorded("ollama/show-licence-parameters"))
    await done(Models("show", ("llama3.2:3b",)), ollama)
    out = capsys.readouterr().out
    for line in (
        "  quantization      F16",
        "  heads             8, 1 for keys and values",
        "  top_k             40",
    ):
        assert f"\n{line}\n" in out
    assert "\nlicence\n  MIT License\n" in out
    assert "\x1b" not in out
    await done(Models("show", ("llama3.2:3b",), json=True), ollama)
    assert json.loads(capsys.readouterr().out)["context_trained"] == 32768


async def test_a_name_that_is_nearly_right_is_told(ollama: Replay) -> None:
    ollama.on(SHOW, recorded("ollama/show-missing"))
    with pytest.raises(ModelMissing) as caught:
        await done(Models("show", ("lama3.2",)), ollama)
    assert caught.value.hint == "It has llama3.2:3b"


async def test_what_is_in_memory(ollama: Replay, capsys: pytest.CaptureFixture[str]) -> None:
    entry = {"name": "m", "size": 4_000_000_000, "size_vram": 1_000_000_000, "context_length": 8192}
    ollama.on("/api/ps", as_json(200, {"models": [{**entry, "expires_at": "2400-01-01T00:00:00Z"}]}))
    await done(Models("ps"), ollama)
    assert capsys.readouterr().out.splitlines() == [
        "NAME  MEMORY  ON GPU  CONTEXT  UNTIL",
        "m     4.0 GB  25%     8k       it is unloaded",
    ]
    await done(Models("ps", json=True), ollama)
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["ram"], told["expires_at"]) == (3_000_000_000, "never")
    ollama.on("/api/ps", recorded("ollama/ps-empty"))
    await done(Models("ps"), ollama)
    assert "No model is in memory" in capsys.readouterr().err


def test_until() -> None:
    assert [until(None, 0), until(240.0, 0), until(-1.0, 0)] == ["", "4 min from now", "now"]


async def test_load_and_unload(ollama: Replay, capsys: pytest.CaptureFixture[str]) -> None:
    ollama.on("/api/generate", recorded("ollama/load"))
    await done(Models("load", ("qwen:7b",), context=4096, keep_alive="forever"), ollama)
    assert ollama.last("/api/generate").json() == {
        "model": "qwen:7b", "keep_alive": -1, "options": {"num_ctx": 4096},
    }  # fmt: skip
    assert "qwen:7b is in memory" in capsys.readouterr().err
    # Asked when it is connected to, for what there is to unload, and whether it is gone.
    ollama.on("/api/ps", recorded("ollama/ps"), recorded("ollama/ps"), recorded("ollama/ps-empty"))
    await done(Models("unload"), ollama)
    assert ollama.last("/api/generate").json() == {"model": "chat:latest", "keep_alive": 0}


async def test_a_server_that_cannot_says_why() -> None:
    async with replay() as server:
        server.on("/version", recorded("vllm/version")).on("/v1/models", recorded("vllm/v1-models"))
        server.on("/is_sleeping", recorded("vllm/is-sleeping"))
        for command in (Models("rm", ("smollm2",), yes=True), Models("unload"), Models("cp", ("a", "b"))):
            with pytest.raises(Refused) as caught:
                await done(command, server)
            assert "vLLM" in caught.value.detail


# -- changing -------------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def types(monkeypatch: pytest.MonkeyPatch, text: str) -> Terminal:
    """Let a person type this; what is shown to them."""
    shown = Terminal()
    monkeypatch.setattr(sys, "stdin", Terminal(text))
    monkeypatch.setattr(sys, "stderr", shown)
    return shown


async def test_without_a_terminal_nothing_is_deleted(ollama: Replay) -> None:
    with pytest.raises(UsageError, match="nobody is there to answer"):
        await done(Models("rm", ("qwen:7b",)), ollama)
    assert "/api/delete" not in ollama.paths()


async def test_yes_does_not_ask(ollama: Replay, capsys: pytest.CaptureFixture[str]) -> None:
    ollama.on("/api/delete", recorded("ollama/delete"))
    await done(Models("rm", ("qwen:7b", "qwen:7b"), yes=True), ollama)
    assert [request.json() for request in ollama.seen if request.path == "/api/delete"] == [
        {"model": "qwen:7b"}
    ]
    assert "Deleted: qwen:7b" in capsys.readouterr().err
    with pytest.raises(ModelMissing, match="Nothing was deleted"):
        await done(Models("rm", ("qwen:7b", "nosuch"), yes=True), ollama)
    assert ollama.paths().count("/api/delete") == 1


@pytest.mark.parametrize(
    ("name", "typed", "deleted"),
    [
        ("small", "y\n", True),
        ("small", "\n", False),
        ("small", "", False),
        ("qwen:7b", "y\n", False),  # bigger than 10 GB: its name is to be typed
        ("qwen:7b", "qwen:7b\ny\n", True),
        ("llama3.2:3b", "n\n", False),  # in memory
    ],
)
async def test_it_asks_before_it_deletes(
    ollama: Replay, monkeypatch: pytest.MonkeyPatch, name: str, typed: str, deleted: bool
) -> None:
    like_ollama(
        ollama,
        ("llama3.2:3b", "3.2B", 10**9),
        ("qwen:7b", "7B", 12 * 10**9),
        ("small:latest", "1B", 5 * 10**8),
    )
    ollama.on(SHOW, *[as_json(200, {"modelfile": f"FROM /x/blobs/sha256-{letter * 64}"}) for letter in "abb"])
    ollama.on("/api/delete", recorded("ollama/delete"))
    shown = types(monkeypatch, typed)
    await done(Models("rm", (name,)), ollama)
    assert ("/api/delete" in ollama.paths()) is deleted
    assert ("Nothing was deleted" in shown.getvalue()) is not deleted
    assert "This frees" in shown.getvalue()


async def test_copy(ollama: Replay) -> None:
    ollama.on("/api/copy", recorded("ollama/copy"))
    await done(Models("cp", ("qwen:7b", "q")), ollama)
    assert ollama.last("/api/copy").json() == {"source": "qwen:7b", "destination": "q"}


async def test_a_model_from_a_modelfile(
    ollama: Replay, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ollama.on("/api/create", recorded("ollama/create-bigram"))
    file = tmp_path / "Modelfile"
    file.write_text("FROM qwen:7b\nPARAMETER mirostat 2\nSYSTEM Be brief.\n")
    await done(Models("create", ("q",), file=file, quantize="q4_K_M"), ollama)
    assert ollama.last("/api/create").json() == {
        "model": "q", "stream": True, "from": "qwen:7b", "system": "Be brief.", "quantize": "q4_K_M",
    }  # fmt: skip
    assert "Left out, Ollama no longer has them: mirostat" in capsys.readouterr().err
    file.write_text("FROM qwen:7b\nSISTEM x\n")
    with pytest.raises(LokalError, match="Line 2 of the Modelfile"):
        await done(Models("create", ("q",), file=file), ollama)
    with pytest.raises(FileError):
        await done(Models("create", ("q",), file=tmp_path / "nosuch"), ollama)


async def test_a_model_from_another_and_a_preset(ollama: Replay) -> None:
    ollama.on("/api/create", recorded("ollama/create-bigram"))
    await done(Models("create", ("q",), source="qwen:7b", preset="technical", system="Be brief."), ollama)
    body = ollama.last("/api/create").json()
    assert body["from"] == "qwen:7b"
    parameters = body["parameters"]
    assert isinstance(parameters, dict)
    assert parameters["temperature"] == 0.4
    assert {"top_k", "num_predict"} <= set(parameters)
    assert body["system"] == "Be brief."


# -- downloading ----------------------------------------------------------------------------------------------------


async def pulled(command: Models, server: Replay, file: PullFile) -> int:
    names = PromptHistory(folders().pulled_names, 10)
    return await PullRun(replace(command, server=server.url), Settings(), file, names, folders()).work()


async def test_downloads_in_plain_lines(
    ollama: Replay, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layer = {"status": "pulling aa", "digest": "sha256:aa", "total": 1000}
    ollama.on(SHOW, recorded("ollama/show-missing"))
    ollama.on(
        "/api/pull",
        ndjson([{**layer, "completed": 500}, {"status": "success"}]),
        recorded("ollama/pull-missing"),
    )
    assert await pulled(Models("pull", ("new:1", "nosuch")), ollama, PullFile(tmp_path)) == 4
    err = capsys.readouterr().err
    assert (
        "lokal: new:1: downloading\nlokal: new:1: downloading, 500 B of 1 kB\nlokal: new:1: downloaded\n"
        in err
    )
    assert "lokal: nosuch: There is no model “nosuch” to download\n       pull model manifest" in err
    assert "\x1b" not in err
    assert "▓" not in err
    assert PromptHistory(folders().pulled_names, 10).load() == ("new:1",)
    assert PullFile(tmp_path).adopt() == (), "what was said here is not said again by the screen"


@pytest.mark.parametrize(
    ("name", "width", "line"),
    [
        ("a", 40, "a ▓▓░░ 61%, 2.5 GB of 4.1 GB"),
        ("a", 25, "a 61%, 2.5 GB of 4.1 GB"),
        ("hf.co/user/a-long-name:Q4_K_M", 45, "hf.co/user/…name:Q4_K_M 61%, 2.5 GB of 4.1 GB"),
    ],
)
def test_the_line_of_a_download_fits(name: str, width: int, line: str) -> None:
    assert fitted(name, "▓▓░░", ["61%", "2.5 GB of 4.1 GB"], width) == line
    assert len(line) <= width


async def test_an_update_of_all(ollama: Replay, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ollama.on("/api/pull", recorded("ollama/pull-again-up-to-date"), recorded("ollama/pull-missing"))
    assert await pulled(Models("update", json=True), ollama, PullFile(tmp_path)) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(each["model"], each["state"]) for each in told] == [("llama3.2:3b", "done"), ("qwen:7b", "done")]
    assert told[0]["result"] == "up to date"
    assert "it was made here" in told[1]["result"]


async def test_what_is_left_goes_on(
    ollama: Replay, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError, match="Nothing is left to download"):
        await pulled(Models("pull"), ollama, PullFile(tmp_path))
    cut_off = PullFile(tmp_path)
    cut_off.save([Pull("1", ollama.url, ServerKind.OLLAMA, "left")])
    cut_off.release()
    ollama.on("/api/pull", recorded("ollama/pull")).on(SHOW, recorded("ollama/show-missing"))
    assert await pulled(Models("pull"), ollama, PullFile(tmp_path)) == 0
    assert ollama.last("/api/pull").json()["model"] == "left"
    assert "left: downloaded" in capsys.readouterr().err


async def test_a_server_that_cannot_download_says_why(tmp_path: Path) -> None:
    async with replay() as server:
        server.on("/version", recorded("vllm/version")).on("/v1/models", recorded("vllm/v1-models"))
        with pytest.raises(Refused, match="vllm serve MODEL"):
            await pulled(Models("pull", ("a",)), server, PullFile(tmp_path))
