"""What becomes of what is written: put in line, kept as a draft, folded, found again, written elsewhere, sent with files."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual import events

from tests.support.editor import editor
from tests.support.pictures import png, says_who_can_see
from tests.support.replay import Replay, held, recorded, replay, stalling
from tests.support.stage import Stage, chats, chatting, like_ollama, ollama_answer, questions, running
from tui.ui.chat.session import ChatSession

PASTE = "\n".join(f"row {number}" for number in range(1, 41))
CHIP = "⟦pasted 40 lines · 1⟧"


async def asked(stage: Stage, server: Replay, count: int) -> list[str]:
    """The questions once `count` of them were asked and the last one is answered."""
    await stage.until(lambda: len(questions(server)) == count, f"{count} questions were asked")
    await stage.until(lambda: not stage.app.chat.doing, "the answer is there")
    return questions(server)


async def paste(stage: Stage, text: str) -> None:
    stage.app.post_message(events.Paste(text))
    await stage.settle()


def found(folder: Path, pattern: str) -> list[Path]:
    return list(folder.glob(pattern))


async def opened(stage: Stage) -> None:
    """The chats are open, and the draft of the new one is read."""
    await stage.until(lambda: stage.app.chat.session is not None, "the store is open")


# -- in line ------------------------------------------------------------------------------------------------------------


async def test_questions_that_wait_are_asked_one_after_the_other() -> None:
    async with chatting() as (stage, server):
        server.on("/api/chat", held(ollama_answer("One.")), ollama_answer("Two."), ollama_answer("Three."))
        await stage.ask("first")
        await stage.see("connecting")
        await stage.ask("second")
        await stage.see("waiting: second +Alt.↑ takes it back")
        await stage.ask("third")
        await stage.see("waiting: second · third")
        await stage.write("not sent")
        assert questions(server) == ["first"]
        server.release.set()
        assert await asked(stage, server, 3) == ["first", "second", "third"]
        await stage.see_no_more("waiting")
        assert stage.app.chat.composer.text == "not sent"
        await stage.see(r"Three\.")


async def test_what_was_typed_in_one_piece_with_enter_is_not_lost() -> None:
    async with chatting() as (stage, server):
        server.on("/api/chat", held(ollama_answer("One.")), ollama_answer("Two."))
        await stage.write("first\rsecond\rdraft")
        await stage.see("waiting: second")
        assert stage.app.chat.composer.text == "draft"
        server.release.set()
        assert await asked(stage, server, 2) == ["first", "second"]


@pytest.mark.parametrize("why", ["stopped", "failed", "broken off"])
async def test_after_an_answer_that_is_not_whole_nothing_is_sent_blindly(why: str) -> None:
    async with chatting() as (stage, server):
        unfinished = {
            "stopped": stalling(ollama_answer("Half", ended=False)),
            "failed": held(recorded("ollama/chat-runner-cannot-load")),
            "broken off": held(ollama_answer("Half", ended=False)),
        }
        server.on("/api/chat", unfinished[why], ollama_answer("Two."), ollama_answer("Three."))
        await stage.ask("first")
        await stage.see("Half" if why == "stopped" else "connecting")
        await stage.ask("second")
        await stage.ask("third")
        await stage.see("waiting: second")
        server.release.set()
        if why == "stopped":
            await stage.press("escape")
        await stage.see("2 questions wait: second · third +Enter sends · Alt.↑ takes back")
        assert questions(server) == ["first"]

        await stage.ask("another, now")
        await asked(stage, server, 2)
        await stage.see("2 questions wait")
        await stage.press("enter")
        await stage.until(lambda: len(questions(server)) == 4, "all were asked")
        latest = [question.split("\n\n")[-1] for question in questions(server)]
        assert latest == ["first", "another, now", "second", "third"]
        await stage.see_no_more("wait")


async def test_waiting_questions_come_back_the_last_one_first() -> None:
    async with chatting() as (stage, server):
        server.on("/api/chat", stalling(ollama_answer("Half", ended=False)))
        await stage.ask("first")
        await stage.ask("second")
        await stage.ask("third")
        await stage.write("written")
        await stage.press("alt+up")
        assert stage.app.chat.composer.text == "third\n\nwritten"
        await stage.see("waiting: second +Alt")
        await stage.press("alt+up")
        assert stage.app.chat.composer.text == "second\n\nthird\n\nwritten"
        await stage.see_no_more("waiting")
        await stage.press("alt+up")
        await stage.see("No question waits")


# -- drafts -------------------------------------------------------------------------------------------------------------


async def test_each_chat_has_its_draft() -> None:
    async with chatting() as (stage, server):
        await stage.ask("first")
        await asked(stage, server, 1)
        first = stage.app.chat.session
        assert first is not None
        await stage.write("draft of the first")
        await stage.press("ctrl+n")
        await stage.until(lambda: stage.app.chat.session is not first, "there is a new chat")
        assert stage.app.chat.composer.text == ""
        await stage.write("draft of the second")
        stage.app.chat.open(first)
        await stage.until(lambda: stage.app.chat.composer.text == "draft of the first", "it is back")
        await stage.press("ctrl+n")
        await stage.until(lambda: stage.app.chat.composer.text == "draft of the second", "so is this one")
        assert questions(server) == ["first"]


async def test_a_draft_outlives_lokal_and_is_gone_when_it_was_sent() -> None:
    async with chatting() as (stage, _):
        await opened(stage)
        await stage.write("look at ")
        await paste(stage, PASTE)
        await stage.see(CHIP)
    async with chatting() as (stage, server):
        await stage.until(lambda: stage.app.chat.composer.text == f"look at {CHIP}", "the draft is back")
        await stage.press("enter")
        assert await asked(stage, server, 1) == [f"look at {PASTE}"]
    async with chatting() as (stage, _):
        await opened(stage)
        await stage.see("Connected")
        assert stage.app.chat.composer.text == ""


async def test_questions_that_waited_are_a_draft_at_the_next_start() -> None:
    async with chatting() as (stage, server):
        server.on("/api/chat", stalling(ollama_answer("Half", ended=False)))
        await stage.ask("first")
        await stage.see("Half")
        first = stage.app.chat.session
        await stage.ask("second")
        await stage.ask("third")
        await stage.write("fourth")
        await stage.press("ctrl+n")
        await stage.until(lambda: stage.app.chat.session is not first, "there is a new chat")
        await stage.see_no_more("wait")
        assert first is not None
        stage.app.chat.open(first)
        await stage.until(lambda: stage.app.chat.composer.text == "second\n\nthird\n\nfourth", "all is there")
        assert questions(server) == ["first"]


async def test_what_is_typed_before_the_draft_is_read_comes_after_it() -> None:
    async with left_with_draft() as (stage, chat):
        stage.app.chat.open(chat)
        stage.app.chat.composer.fill("new")
        await stage.until(lambda: stage.app.chat.composer.text == "old\n\nnew", "both are there")


async def test_a_chat_that_is_left_before_its_draft_is_read_loses_neither() -> None:
    async with left_with_draft() as (stage, chat):
        empty = stage.app.chat.session
        assert empty is not None
        stage.app.chat.open(chat)
        stage.app.chat.composer.fill("new")
        stage.app.chat.open(empty)
        await stage.settle()
        assert stage.app.chat.composer.text == ""
        await stage.until(lambda: chat.load_draft(chat.draft_key) == "old\n\nnew", "both are kept")


@asynccontextmanager
async def left_with_draft() -> AsyncIterator[tuple[Stage, ChatSession]]:
    """A new chat is open; the one before has the draft `old`."""
    async with chatting() as (stage, server):
        await stage.ask("first")
        await asked(stage, server, 1)
        chat = stage.app.chat.session
        assert chat is not None
        await stage.write("old")
        await stage.press("ctrl+n")
        await stage.until(lambda: stage.app.chat.session is not chat, "there is a new chat")
        await stage.until(lambda: chat.load_draft(chat.draft_key) == "old", "the draft is kept")
        yield stage, chat


# -- pasted pieces ------------------------------------------------------------------------------------------------------


async def test_a_long_paste_is_one_unit() -> None:
    async with chatting() as (stage, server):
        composer = stage.app.chat.composer
        await stage.write("a")
        await paste(stage, PASTE)
        await stage.write("b")
        await stage.see(f"› a{CHIP}b")
        await stage.see("A long paste is one piece; Alt.P opens it")
        await stage.press("left", "left")
        assert composer.cursor_location == (0, 1)
        await stage.press("right")
        assert composer.cursor_location == (0, 1 + len(CHIP))
        await stage.press("ctrl+left")
        assert composer.cursor_location in ((0, 1), (0, 0))
        composer.move_cursor((0, 1 + len(CHIP)))
        await stage.press("backspace")
        assert composer.text == "ab"
        await stage.press("ctrl+z")
        assert composer.text == f"a{CHIP}b"
        await stage.press("home", "right", "delete")
        assert composer.text == "ab"
        await stage.press("ctrl+z", "end", "enter")
        assert await asked(stage, server, 1) == [f"a{PASTE}b"]
        await stage.press("up")
        assert composer.text == f"a{CHIP}b", "earlier prompts keep their pieces"
        await stage.press("alt+p")
        assert composer.text == f"a{PASTE}b"
        await stage.press("alt+p")
        await stage.see("Nothing here was pasted as one piece")
    async with chatting() as (stage, _):
        await stage.until(lambda: stage.app.chat.session is not None, "the store is open")
        await stage.press("up")
        assert stage.app.chat.composer.text == f"a{CHIP}b", "also those of the last run"


async def test_a_selection_that_cuts_through_a_piece_takes_all_of_it() -> None:
    async with chatting() as (stage, _):
        composer = stage.app.chat.composer
        await paste(stage, PASTE)
        await stage.write(" tail")
        await stage.press("home", "shift+right", "x")
        assert composer.text == "x tail"
        await stage.press("ctrl+z", "ctrl+z", "end", "ctrl+u")
        assert composer.text == ""


async def test_the_piece_at_the_cursor_is_opened() -> None:
    async with chatting() as (stage, _):
        composer = stage.app.chat.composer
        await paste(stage, PASTE)
        await stage.write(" and ")
        await paste(stage, "x" * 2500)
        assert composer.text == f"{CHIP} and ⟦pasted 2,500 characters · 2⟧"
        await stage.press("home", "alt+p")
        assert composer.text == f"{PASTE} and ⟦pasted 2,500 characters · 2⟧"


# -- earlier prompts ----------------------------------------------------------------------------------------------------


async def test_searching_in_the_earlier_prompts() -> None:
    async with chatting() as (stage, server):
        composer = stage.app.chat.composer
        for number, prompt in enumerate(("Zażółć gęślą", "nginx 502", "Zazoo"), 1):
            await stage.ask(prompt)
            await asked(stage, server, number)
        await stage.write("draft")
        await stage.press("ctrl+r")
        await stage.see("search: ▏ +words of an earlier prompt · Esc back")
        await stage.write("zaz")
        await stage.see("search: zaz▏ +1 of 2 · Ctrl.R older · Enter takes it · Esc back")
        assert composer.text == "Zazoo"
        assert composer.selected_text == "Zaz"
        await stage.press("ctrl+r")
        assert composer.text == "Zażółć gęślą"
        await stage.press("ctrl+r")
        assert composer.text == "Zażółć gęślą", "there is no older one"
        await stage.press("down")
        assert composer.text == "Zazoo"
        await stage.write("!")
        await stage.see("nothing found · Esc back")
        assert composer.text == "draft"
        await stage.press("backspace", "up")
        await stage.press("escape")
        assert composer.text == "draft"
        await stage.see_no_more("search:")
        await stage.press("ctrl+r")
        await stage.write("502")
        await stage.press("enter")
        await stage.see_no_more("search:")
        assert composer.text == "nginx 502"
        assert len(questions(server)) == 3, "it is taken, not sent"
        await stage.press("down", "down")
        assert composer.text == "draft", "and the draft is not lost"
        await stage.press("ctrl+r")
        await paste(stage, "ngi")
        await stage.press("end")
        await stage.write("?")
        assert composer.text == "nginx 502?", "any other key takes it and goes on"


async def test_leaving_a_search_does_not_stop_the_answer() -> None:
    async with chatting() as (stage, server):
        await stage.ask("first")
        await asked(stage, server, 1)
        server.on("/api/chat", stalling(ollama_answer("Half", ended=False)))
        await stage.ask("second")
        await stage.see("Half")
        await stage.press("ctrl+r")
        await stage.write("fir")
        await stage.press("escape")
        assert stage.app.chat.doing
        await stage.press("escape")
        await stage.see("stopped by you")


async def test_there_is_nothing_to_search_in_yet() -> None:
    async with chatting() as (stage, _):
        await stage.press("ctrl+r")
        await stage.see("There is no earlier prompt yet")


async def test_a_history_that_cannot_be_read_is_said(own_home: Path) -> None:
    (own_home / ".local/state/lokal/history.jsonl").mkdir(parents=True)
    async with chatting() as (stage, _):
        await stage.see("Cannot read the prompt history")


# -- the editor ---------------------------------------------------------------------------------------------------------


async def test_the_draft_in_an_editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = tmp_path / "seen"
    does = f'stat -c "%a %n" "$1" > "{seen}"; cat "$1" >> "{seen}"; printf "and\\033[31m more\\n\\n" >> "$1"'
    monkeypatch.setenv("EDITOR", editor(tmp_path, does))
    async with chatting() as (stage, server):
        await stage.write("look at ")
        await paste(stage, PASTE)
        await stage.press("alt+e")
        await stage.see("Back from the editor; Enter sends it")
        assert stage.app.chat.composer.text == f"look at {CHIP}\nand more"
        assert questions(server) == []
        first, _, rest = seen.read_text(encoding="utf-8").partition("\n")
        assert first.startswith("600 ")
        assert first.endswith(".md")
        assert rest == f"look at {PASTE}\n"
        path = Path(first.removeprefix("600 "))
        assert not path.parent.exists(), "nothing of it is left behind"


@pytest.mark.parametrize(
    ("does", "words", "kept"),
    [
        (": > $1", "The editor left an empty file", False),
        ("exit 3", "an editor ended with status 3. The draft stays as it was", False),
        ("kill -SEGV $$", "an editor was ended by signal 11. The draft stays", False),
        ("true", "Nothing was changed in the editor", False),
        ("rm $1", "The editor left no file", False),
        ("echo written > $1; exit 1", "ended with status 1.*", True),
        ("printf '\\351t\\351' > $1", "What the editor wrote is not UTF-8", True),
        ("truncate -s 30000000 $1", "The file has 30.0 MB, too much for a question", True),
    ],
)
async def test_editors_that_fail(
    does: str, words: str, kept: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISUAL", editor(tmp_path, f'set -- "$1"; {does}'.replace("$1;", '"$1";')))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    async with chatting(size=(120, 40)) as (stage, _):
        await stage.write("draft")
        await stage.press("alt+e")
        await stage.see(words)
        assert stage.app.chat.composer.text == "draft"
    assert bool(found(tmp_path, "lokal-*/draft.md")) is kept, "what was written is never thrown away"
    assert bool(found(tmp_path, "lokal-*")) is kept


async def test_no_editor_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("EDITOR", raising=False)
    async with chatting() as (stage, _):
        await stage.write("draft")
        await stage.press("alt+e")
        await stage.see("No editor is set")
        assert stage.app.chat.composer.text == "draft"


# -- files --------------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def looking(**models: bool) -> AsyncIterator[tuple[Stage, Replay]]:
    """A connected lokal whose server has these models, which see or do not."""
    async with replay() as server:
        says_who_can_see(like_ollama(server), **models).on("/api/chat", ollama_answer("Red."))
        async with running(server.url) as stage:
            await stage.see("ctx 0 of 8k")
            await opened(stage)
            yield stage, server


async def test_a_picture_and_a_text_go_along(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(png())
    (tmp_path / "report.txt").write_text("row\n" * 320)
    async with looking(sees=True) as (stage, server):
        stage.app.run_command("attach", str(tmp_path / "photo.png"))
        await stage.see("attached: photo.png 79 B|attached: photo.png")
        stage.app.run_command("attach", f"{tmp_path / 'report.txt'} {tmp_path / 'photo.png'}")
        await stage.see(r"photo.png \d+ B · report.txt 320 lines · p.*…  Backspace takes one back")
        await stage.press("backspace")
        await stage.see("photo.png does not go along")
        await stage.press("enter")
        await stage.see("Write a question to go with what is attached")
        await stage.ask("What is it?")
        await stage.see(r"What is it\?\n\[image photo.png, \d+ B\]\n\[file report.txt, 320 lines\]")
        await stage.see(r"Red\.")
        await stage.see_no_more("attached:")
        rows = "\n".join(["row"] * 320)
        question = {
            "role": "user",
            "content": f"--- FILE report.txt ---\n{rows}\n--- END OF report.txt ---\n\nWhat is it?",
            "images": [base64.b64encode(png()).decode()],
        }
        await stage.until(lambda: not stage.app.chat.doing, "the answer is there")
        await stage.ask("Really?")
        await asked(stage, server, 2)
        for body in chats(server):
            messages = body["messages"]
            assert isinstance(messages, list)
            assert messages[0] == question, "it goes along with every later question"


async def test_a_model_that_cannot_see_is_not_sent_a_picture(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(png())
    async with looking(blind=False, sees=True) as (stage, server):
        stage.app.run_command("attach", str(tmp_path / "photo.png"))
        await stage.see("blind cannot look at images, says the server. These can: sees")
        stage.app.use_model("sees")
        stage.app.run_command("attach", str(tmp_path / "photo.png"))
        await stage.see("attached: photo.png")
        stage.app.use_model("blind")
        await stage.ask("What is it?")
        await stage.see("blind cannot look at images")
        assert stage.app.chat.composer.text == "What is it?"
        assert questions(server) == []


async def test_what_cannot_be_attached_is_said(tmp_path: Path) -> None:
    async with looking(sees=True) as (stage, _):
        stage.app.run_command("attach", "/dev/zero")
        await stage.see("zero was not attached. It is a device, which may never end")
        stage.app.run_command("attach", str(tmp_path))
        await stage.see("It is a folder")


async def test_files_stay_with_the_chat_for_which_they_were_attached(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    async with looking(sees=True) as (stage, server):
        await stage.ask("first")
        await asked(stage, server, 1)
        first = stage.app.chat.session
        assert first is not None
        stage.app.run_command("attach", str(tmp_path / "notes.txt"))
        await stage.see("attached: notes.txt 1 line")
        await stage.press("ctrl+n")
        await stage.see_no_more("attached:")
        stage.app.chat.open(first)
        await stage.see("attached: notes.txt 1 line")
