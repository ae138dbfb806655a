"""Slash commands about the chat as a whole: its system prompt, its title, files."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.support.replay import as_json, held, stalling
from tests.support.stage import (
    chats,
    chatting,
    ollama_answer,
    options,
    questions,
    running,
)
from tests.ui.test_slash import answered, ready
from tui.store.store import Store


def stored() -> Store:
    return Store.open(Path(os.environ["XDG_DATA_HOME"]) / "lokal" / "chats.db")


@pytest.fixture
def here(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that lokal was started in."""
    folder = own_home / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


# -- the chat -----------------------------------------------------------------------------------------------------------


async def test_a_system_prompt_of_the_chat() -> None:
    def system(body: dict[str, object]) -> str:
        messages = body["messages"]
        assert isinstance(messages, list)
        return str(messages[0]["content"]) if messages[0]["role"] == "system" else ""

    async with chatting() as (stage, server):
        await ready(stage)
        await stage.ask("/system")
        await stage.see("No system prompt")
        await stage.ask("/system Speak in [b]rhymes[/b].\nAlways.")
        await stage.see("System prompt of this chat from the next answer on")
        await answered(stage, "One")
        await stage.ask("/system")
        await stage.see(r"Speak in \[b\]rhymes\[/b\]\.\n Always\.")
        await stage.press("escape")
        await stage.press("ctrl+n")
        await stage.until(lambda: not len(stage.app.chat.session.conversation), "a new chat is open")  # type: ignore[union-attr]
        await answered(stage, "Another chat")
    async with running(server.url):
        pass
    assert [system(body) for body in chats(server)] == ["Speak in [b]rhymes[/b].\nAlways.", ""]


async def test_a_system_prompt_is_kept_with_the_chat() -> None:
    async with chatting() as (stage, _):
        await ready(stage)
        await stage.ask("/system Be terse.")
        await answered(stage, "One")
        session = stage.app.chat.session
        assert session is not None
        await stage.ask("/system -")
        await stage.see("System prompt removed; there is none now")
        assert session.conversation.system == ""
    store = stored()
    try:
        answer = list(store.load(store.find("last").id))[-1]
    finally:
        store.close()
    assert answer.parameters["system"] == "Be terse."


async def test_rename_and_title() -> None:
    async with chatting() as (stage, server):
        await ready(stage)
        await stage.ask("/title")
        await stage.see("Nothing was said here yet")
        stage.app.chat.composer.fill("")
        await stage.ask("/rename Before the first question")
        await stage.see("This chat is now “Before the first question”")
        await answered(stage, "Why a 502?")
        assert list(Path.cwd().glob("Before*")) == []
        server.on("/api/chat", ollama_answer("**“Nginx and 502”**\n"))
        await stage.ask("/title")
        await stage.see("This chat is now “Nginx and 502”")
        body = chats(server)[-1]
        assert options(body)["num_predict"] == 24
        assert options(body)["temperature"] == 0
        assert "think" not in body, "this model cannot"
        assert "Why a 502?" in questions(server)[-1]
        session = stage.app.chat.session
        assert session is not None
        assert len(session.conversation) == 2, "the chat itself knows nothing of it"
        server.on("/api/chat", ollama_answer("", thought="Hmm."))
        await stage.ask("/title")
        await stage.see("The model gave no title. It thought, and said nothing. /rename sets one")
        server.on("/api/chat", as_json(500, {"error": "out of memory"}))
        await stage.ask("/title")
        await stage.see("out of memory")
    store = stored()
    try:
        assert store.find("last").title == "Nginx and 502"
    finally:
        store.close()


async def test_a_title_that_the_person_gives_meanwhile_stays() -> None:
    async with chatting() as (stage, server):
        await answered(stage, "Why a 502?")
        session = stage.app.chat.session
        assert session is not None
        server.on("/api/chat", held(ollama_answer("Nginx and 502")))
        await stage.ask("/title")
        await stage.until(lambda: len(chats(server)) == 2, "the model is asked")
        await stage.ask("/rename Mine")
        await stage.see("This chat is now “Mine”")
        server.release.set()
        working = [worker for worker in stage.app.workers if worker.group == "title"]
        assert working
        await stage.until(lambda: all(worker.is_finished for worker in working), "it has answered")
        assert session.conversation.title == "Mine"


async def test_a_title_for_a_chat_that_was_left_meanwhile() -> None:
    async with chatting() as (stage, server):
        await answered(stage, "Why a 502?")
        session = stage.app.chat.session
        assert session is not None
        server.on("/api/chat", stalling(ollama_answer("Slow", ended=False)))
        await stage.ask("/title")
        await stage.see("Asking llama3.2:3b for a title")
        from tui.ui.errands import Titled

        await stage.press("ctrl+n")
        await stage.until(lambda: stage.app.chat.session is not session, "a new chat is open")
        stage.app.post_message(Titled(session.conversation.id, "Later", ""))
        await stage.see("The chat from before is now “Later”")
    store = stored()
    try:
        assert store.find(session.conversation.id).title == "Later"
    finally:
        store.close()


async def test_export(here: Path) -> None:
    async with chatting() as (stage, _):
        await ready(stage)
        await stage.ask("/export")
        await stage.see("This chat is empty")
        stage.app.chat.composer.fill("")
        await answered(stage, "Why, a 502?")
        await stage.ask("/export")
        await stage.see(r"2 messages in .*here/Why-a-502\.md")
        assert "Yes." in (here / "Why-a-502.md").read_text()
        await stage.ask("/export all.json")
        await stage.see(r"here/all\.json")
        assert len(json.loads((here / "all.json").read_text())["messages"]) == 2
        (here / "all.json").write_text("precious")
        await stage.ask("/export all.json")
        await stage.see(r"all\.json is there already\. Enter again overwrites it")
        assert (here / "all.json").read_text() == "precious"
        assert stage.app.chat.composer.text == "/export all.json"
        await stage.press("enter")
        await stage.see(r"2 messages in .*all\.json")
        assert (here / "all.json").read_text() != "precious"
        (here / "all.json").write_text("precious")
        await stage.ask("/export all.json")
        await stage.see("is there already")
        stage.app.chat.composer.fill("")
        await stage.ask("/export other.md")
        await stage.see(r"other\.md")
        await stage.ask("/export all.json")
        await stage.see("is there already")
        assert (here / "all.json").read_text() == "precious", (
            "what came between makes it the first time again"
        )
        stage.app.chat.composer.fill("")
        await stage.ask("/export! all.json")
        await stage.see(r"2 messages in .*all\.json")
        for argument, said in (
            ("missing/x.md", "There is no folder"),
            ("x.txt", r"lokal writes no \.txt files\. Let the name end with \.md or \.json"),
        ):
            stage.app.chat.composer.fill("")
            await stage.ask(f"/export {argument}")
            await stage.see(said)
            await stage.until(
                lambda: stage.app.chat.composer.text != "", "the command is back, to be corrected"
            )


async def test_an_export_counts_what_is_in_the_file(here: Path) -> None:
    async with chatting() as (stage, _):
        await answered(stage, "Why?")
        await stage.press("f5")
        await stage.see("2/2")
        await stage.until(lambda: not stage.app.chat.busy, "the answer is whole")
        await stage.ask("/export one.md")
        await stage.see(r"2 messages in .*one\.md; 1 in other branches left")
        assert "2 messages · 1 more in other branches" in (here / "one.md").read_text()
        await stage.ask("/export one.json")
        await stage.see(r"3 messages in .*one\.json")
        assert len(json.loads((here / "one.json").read_text())["messages"]) == 3


async def test_import(here: Path) -> None:
    async with chatting() as (stage, _):
        await answered(stage, "Why?")
        await stage.ask("/export one.json")
        await stage.see(r"one\.json")
        await stage.ask("/import one.json")
        await stage.see(r"0 chats imported from .*one\.json; 1 chat was here already")
        exported = json.loads((here / "one.json").read_text())
        exported["id"] = "abcdefabcdef"
        exported["title"] = "Imported"
        for number, message in enumerate(exported["messages"]):
            message["id"] = f"m{number}"
            message["parent"] = f"m{number - 1}" if number else None
        exported["open_leaf"] = "m1"
        (here / "two.json").write_text(json.dumps([exported]))
        await stage.ask("/import two.json")
        await stage.see(r"1 chat imported from .*two\.json")
        (here / "bad.json").write_text('[{"messages": 7}]')
        await stage.ask("/import bad.json")
        await stage.see("bad.json")
        await stage.until(lambda: stage.app.chat.composer.text == "/import bad.json", "the command is back")
        stage.app.chat.composer.fill("")
        await stage.ask("/import missing.json")
        await stage.see("Cannot read “missing.json”")
    store = stored()
    try:
        assert {chat.title for chat in store.chats()} == {"Why?", "Imported"}
        assert store.index_backlog() == 0
    finally:
        store.close()


async def test_a_question_with_a_slash_that_waited_comes_back_as_it_was_typed() -> None:
    async with chatting() as (stage, server):
        server.on("/api/chat", stalling(ollama_answer("Half", ended=False)))
        await stage.ask("first")
        await stage.ask("//help me")
        await stage.see("waiting: /help me")
        await stage.press("alt+up")
        assert stage.app.chat.composer.text == "//help me"
