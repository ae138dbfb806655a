"""What is written elsewhere than in the composer: earlier prompts, found again, and in an editor."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.app_driver import chatting
from tests.support.canned_servers import ollama_answer, questions
from tests.support.editor import editor
from tests.support.replay import stalling
from tests.support.writing import CHIP, PASTE, asked


def found(folder: Path, pattern: str) -> list[Path]:
    return list(folder.glob(pattern))


# -- earlier prompts ----------------------------------------------------------------------------------------------------


async def test_searching_in_the_earlier_prompts() -> None:
    async with chatting() as (driver, server):
        for number, prompt in enumerate(("Zażółć gęślą", "nginx 502", "Zazoo"), 1):
            await driver.ask(prompt)
            await asked(driver, server, number)
        await driver.write("draft")
        await driver.press("ctrl+r")
        await driver.see("search: ▏ +words of an earlier prompt · Esc back")
        await driver.write("zaz")
        await driver.see("search: zaz▏ +1 of 2 · Ctrl.R older · Enter takes it · Esc back")
        assert driver.composer_text == "Zazoo"
        assert driver.selected_text == "Zaz"
        await driver.press("ctrl+r")
        assert driver.composer_text == "Zażółć gęślą"
        await driver.press("ctrl+r")
        assert driver.composer_text == "Zażółć gęślą", "there is no older one"
        await driver.press("down")
        assert driver.composer_text == "Zazoo"
        await driver.write("!")
        await driver.see("nothing found · Esc back")
        assert driver.composer_text == "draft"
        await driver.press("backspace", "up")
        await driver.press("escape")
        assert driver.composer_text == "draft"
        await driver.see_no_more("search:")
        await driver.press("ctrl+r")
        await driver.write("502")
        await driver.press("enter")
        await driver.see_no_more("search:")
        assert driver.composer_text == "nginx 502"
        assert len(questions(server)) == 3, "it is taken, not sent"
        await driver.press("down", "down")
        assert driver.composer_text == "draft", "and the draft is not lost"
        await driver.press("ctrl+r")
        await driver.paste("ngi")
        await driver.press("end")
        await driver.write("?")
        assert driver.composer_text == "nginx 502?", "any other key takes it and goes on"


async def test_leaving_a_search_does_not_stop_the_answer() -> None:
    async with chatting() as (driver, server):
        await driver.ask("first")
        await asked(driver, server, 1)
        server.on("/api/chat", stalling(ollama_answer("Half", ended=False)))
        await driver.ask("second")
        await driver.see("Half")
        await driver.press("ctrl+r")
        await driver.write("fir")
        await driver.press("escape")
        assert driver.activity
        await driver.press("escape")
        await driver.see("stopped by you")


async def test_there_is_nothing_to_search_in_yet() -> None:
    async with chatting() as (driver, _):
        await driver.press("ctrl+r")
        await driver.see("There is no earlier prompt yet")


async def test_a_history_that_cannot_be_read_is_said(own_home: Path) -> None:
    (own_home / ".local/state/lokal/history.jsonl").mkdir(parents=True)
    async with chatting() as (driver, _):
        await driver.see("Cannot read the prompt history")


# -- the editor ---------------------------------------------------------------------------------------------------------


async def test_the_draft_in_an_editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = tmp_path / "seen"
    does = f'stat -c "%a %n" "$1" > "{seen}"; cat "$1" >> "{seen}"; printf "and\\033[31m more\\n\\n" >> "$1"'
    monkeypatch.setenv("EDITOR", editor(tmp_path, does))
    async with chatting() as (driver, server):
        await driver.write("look at ")
        await driver.paste(PASTE)
        await driver.press("alt+e")
        await driver.see("Back from the editor; Enter sends it")
        assert driver.composer_text == f"look at {CHIP}\nand more"
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
    async with chatting(size=(120, 40)) as (driver, _):
        await driver.write("draft")
        await driver.press("alt+e")
        await driver.see(words)
        assert driver.composer_text == "draft"
    assert bool(found(tmp_path, "lokal-*/draft.md")) is kept, "what was written is never thrown away"
    assert bool(found(tmp_path, "lokal-*")) is kept


async def test_no_editor_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("EDITOR", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    async with chatting() as (driver, _):
        await driver.write("draft")
        await driver.press("alt+e")
        await driver.see("There is no editor")
        assert driver.composer_text == "draft"
