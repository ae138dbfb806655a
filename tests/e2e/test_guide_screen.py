"""lokal on a machine without a model server: the panel, its three ways on, and a server that comes up later."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.support.app import last_chat
from tests.support.canned_servers import like_ollama, ollama_answer
from tests.support.replay import replay
from tests.support.terminal import lokal
from tui.guide import model

pytestmark = pytest.mark.usefixtures("engine_installed")

F8 = "\x1b[19~"
NOWHERE = {"OLLAMA_HOST": "127.0.0.1:1"}


async def test_the_guide_answers_and_is_marked() -> None:
    async with lokal(environ=NOWHERE) as terminal:
        await terminal.wait_for("No model server answers")
        await terminal.wait_for("ask the guide")
        terminal.send("\t1")
        await terminal.wait_for("The guide is a model of a few megabytes")
        await terminal.wait_for("guide - knows only lokal")
        terminal.send("What does top_p do?\r")
        await terminal.wait_for(r"── guide · knows only lokal · technical ─.* tokens · .*tok/s")
        terminal.send("and top_k?\r")
        await terminal.wait_for(r"(?s)and top_k\?.*knows only lokal[^\n]* tokens · .*top_k")
        terminal.send("Who wrote War and Peace?\r")
        await terminal.wait_for(
            r"(?s)War and Peace\?.*knows only lokal[^\n]* tokens · [^\n]*tok/s.*ollama pull"
        )
        await terminal.quit()
    answers = [message for message in await last_chat() if message.role == "assistant"]
    assert {message.fields["model"] for message in answers} == {"lokal-guide"}
    assert [message.status for message in answers] == ["complete"] * 3


async def test_a_question_without_a_server_goes_to_the_guide() -> None:
    async with lokal(environ=NOWHERE) as terminal:
        await terminal.wait_for("the guide answers, and says so")
        terminal.send("How do I stop an answer?\r")
        await terminal.wait_for(r"(?s)knows only lokal.*Esc")
        await terminal.quit()


async def test_a_file_from_disk(script_gguf: Path) -> None:
    home = Path(os.environ["HOME"])
    (home / "models").mkdir()
    shutil.copy(script_gguf, home / "models" / "small.gguf")
    async with lokal(environ=NOWHERE) as terminal:
        await terminal.wait_for("open a GGUF file")
        terminal.send("\x1b[B2")
        await terminal.wait_for("Open a model file")
        terminal.send("mo\t")
        await terminal.wait_for("models/small.gguf")
        terminal.send("\t\r")
        await terminal.wait_for("built-in llama.cpp")
        terminal.send("Hello\r")
        await terminal.wait_for(r"ctx [1-9]\d* of 8k .*Enter send")
        await terminal.quit()
    assert (await last_chat())[-1].fields["model"] == "small"


async def test_a_file_that_is_no_model_leaves_all_ways_open() -> None:
    (Path(os.environ["HOME"]) / "x.gguf").write_text("no model")
    async with lokal(environ=NOWHERE) as terminal:
        await terminal.wait_for("open a GGUF file")
        terminal.send("\x1b[B2")
        await terminal.wait_for("Open a model file")
        terminal.send("x.gguf\r")
        await terminal.wait_for("x.gguf .*(no|not)")
        await terminal.wait_for("(?s)Open a model file.*x.gguf")
        terminal.send("\x1b")
        await terminal.wait_for("ask the guide")
        await terminal.quit()


async def test_an_address() -> None:
    async with replay() as server, lokal(environ=NOWHERE) as terminal:
        like_ollama(server).on("/api/chat", ollama_answer("Yes."))
        await terminal.wait_for("start or name a server")
        terminal.send("\t3")
        await terminal.wait_for("ollama serve")
        await terminal.wait_for("llama-server -m model.gguf")
        terminal.send("\x1b")
        await terminal.wait_for("ask the guide")
        terminal.send("\t3")
        await terminal.wait_for("ollama serve")
        terminal.send(server.url.removeprefix("http://") + "\r")
        await terminal.wait_for("Ollama on this machine")
        await terminal.quit()


async def test_a_server_that_comes_up_is_taken_with_f8_and_the_chat_stays() -> None:
    async with replay() as server:
        place = {"OLLAMA_HOST": server.url}
        async with lokal(environ=place) as terminal:
            await terminal.wait_for("ask the guide")
            terminal.send("\t1")
            await terminal.wait_for("The guide is a model")
            terminal.send("What is a preset?\r")
            await terminal.wait_for(r"knows only lokal.*tok/s")
            terminal.send(F8)
            await terminal.wait_for("the guide stays")
            like_ollama(server).on("/api/chat", ollama_answer("Yes."))
            terminal.send(F8)
            await terminal.wait_for("Ollama on this machine")
            terminal.send("Really?\r")
            await terminal.wait_for(r"(?s)knows only lokal.*llama3\.2:3b · technical.*Yes\.")
            await terminal.quit()


async def test_a_damaged_guide_and_no_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(
        model.FOLDER.parents[1] / "tui",
        copy / "tui",
        ignore=shutil.ignore_patterns("__pycache__", "training"),
    )
    shutil.copytree(model.FOLDER.parents[1] / "themes", copy / "themes")
    damaged = copy / "tui" / "guide" / model.MODEL_NAME
    damaged.write_bytes(damaged.read_bytes()[:-4])
    environ = {**NOWHERE, "PYTHONPATH": str(copy)}
    async with lokal(environ=environ) as terminal:
        await terminal.wait_for("ask the guide")
        terminal.send("\t1")
        await terminal.wait_for("The guide is damaged")
        await terminal.quit()

    # A package of that name that is not there hides the real one from `find_spec`.
    (copy / "sitecustomize.py").write_text(
        "import importlib.util as u\nreal = u.find_spec\n"
        "u.find_spec = lambda name, package=None: None if name == 'xllamacpp' else real(name, package)\n"
    )
    async with lokal(environ={**environ, "PATH": "/nonexistent"}) as terminal:
        await terminal.wait_for("No model server answers")
        await terminal.wait_for("The guide and files need the engine")
        await terminal.wait_for(r"pip install 'lokal\[engine\]'")
        terminal.send("Hello\r")
        await terminal.wait_for("failed")
        await terminal.quit()
