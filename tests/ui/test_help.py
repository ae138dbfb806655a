"""The page of all keys: it begins with the place that one is in, and finds what is typed."""

from __future__ import annotations

import pytest

from tests.support.app_driver import SIZES, AppDriver, chatting
from tests.support.walk import answered, walked
from tui.core.commands import COMMANDS, keymap
from tui.ui.help import lines_of, rows_with, sections
from tui.ui.keys import places

KEYS = keymap({})[0]


def shown(query: str) -> str:
    """What is found, as text."""
    found = lines_of(rows_with(sections(KEYS), query), 100)
    return "\n".join("".join(text for text, _ in line) for line in found)


def first_heading(driver: AppDriver) -> str:
    return driver.screen()[1].strip()


@pytest.mark.parametrize(
    ("query", "has", "has_not"),
    [
        ("retry", "F5", "Ctrl+Q"),
        ("^t", "Switch to the next preset", "Switch to the next theme"),
        ("CTRL+T", "Switch to the next preset", "Switch to the next theme"),
        ("preset save", "Ctrl+S", "Ctrl+T"),
        ("/theme", "/theme [NAME]", "/preset"),
        ("ыгызутв", "/suspend", "/theme"),
        ("fills it in", "While you write a slash command", "F1"),
        ("another next model", "Ask for another answer with the next model", "Ctrl+T"),
    ],
)
def test_what_is_typed_is_found_by_key_name_and_words(query: str, has: str, has_not: str) -> None:
    text = shown(query)
    assert has in text
    assert has_not not in text


def test_all_words_count() -> None:
    assert rows_with(sections(KEYS), "preset nowhere") == []


@pytest.mark.parametrize("place", sorted({command.where for command in COMMANDS if command.key}))
def test_every_place_can_be_the_first(place: str) -> None:
    titles = [section.title for section in sections(KEYS, (place,))]
    assert titles[0].endswith(" · you are here")
    assert len(titles) == len(set(titles)) == len(sections(KEYS)), (
        "nothing is left out and nothing said twice"
    )


def test_where_one_is() -> None:
    def at(tab: str, **here: bool) -> tuple[str, ...]:
        nothing = {"listing": False, "choosing": False, "in_choices": False, "walking": False}
        return places(tab, **{**nothing, **here})

    assert at("chat")[0] == "composer"
    assert at("chat", walking=True)[0] == "messages"
    assert at("chat", choosing=True)[0] == "fit"
    assert at("chat", in_choices=True)[0] == "choices"
    assert at("chat", listing=True) == ("chats",)
    assert at("models", in_choices=True) == ("models", "choices")
    assert at("settings") == ("settings",)


async def test_it_begins_where_one_is() -> None:
    async with walked() as (driver, _):
        await answered(driver, "One?", r"Yes\.")
        for keys, heading in (
            ([], "Writing"),
            (["shift+tab"], "Among the messages"),
            (["escape", "f7"], "List of chats"),
            (["f3"], "Models"),
            (["f4"], "Settings"),
        ):
            await driver.press(*keys, "f1")
            await driver.see("type to search")
            assert first_heading(driver) == f"{heading} · you are here"
            await driver.press("f1")
            await driver.see_no_more("type to search")
        await driver.press("f2")
        await driver.write("/help")
        await driver.press("enter")
        await driver.see("type to search")
        assert first_heading(driver) == "Writing · you are here"


@pytest.mark.parametrize("size", [*SIZES, (50, 15)])
async def test_letters_are_looked_for_and_esc_shows_all_again(size: tuple[int, int]) -> None:
    async with chatting(size=size) as (driver, _):
        await driver.press("f1")
        await driver.see(r"^ Keys +type to search · ↑↓ scroll · Esc back")
        top = driver.screen()[1:]
        for letter in "jkq":
            await driver.press(letter)
        await driver.see(r"^ Keys  jkq▏ .*Esc shows all")
        await driver.see("Nothing here has “jkq”")
        await driver.press("backspace", "backspace", "backspace")
        assert driver.screen()[1:] == top, "nothing was scrolled"
        await driver.press("space", "end")
        assert driver.screen()[1:] != top
        await driver.write("fold rea")
        await driver.see(r"^ Keys  fold rea▏")
        await driver.see("Show or hide what the model")
        assert "Ctrl+Q" not in driver.text()
        await driver.press("escape")
        assert driver.screen()[1:] == top
        await driver.paste("suspend\n")
        await driver.see("Go back to the shell")
        await driver.press("ctrl+u")
        assert driver.screen()[1:] == top
        await driver.press("escape")
        await driver.see_no_more("type to search")


async def test_no_more_is_scrolled_away_than_there_is() -> None:
    async with chatting(size=(50, 15)) as (driver, _):
        await driver.press("f1", "end")
        await driver.see("/etc/hosts")
        await driver.resize(120, 40)
        await driver.see("/etc/hosts")
        assert driver.screen()[1].strip(), "the page is full"


async def test_other_pages_take_no_letters_either() -> None:
    async with chatting() as (driver, _):
        await driver.ask("/set")
        await driver.see("What is sent with technical")
        await driver.press("q", "j", "space", "k")
        await driver.see(r"^ Parameters +↑↓ scroll · Esc back")
        await driver.press("enter")
        await driver.see_no_more("What is sent with technical")


def test_each_place_says_what_happens_there_with_the_persons_own_keys() -> None:
    def said(keys: dict[str, str], place: str) -> str:
        return " ".join(next(section.notes for section in sections(keys, (place,)) if section.notes))

    assert "Alt+E opens $VISUAL" in said(KEYS, "composer")
    mine, _ = keymap({"editor": "alt+w", "message.branch": ""})
    assert "Alt+W opens $VISUAL" in said(mine, "composer")
    assert "A new chat by “Branch” has a number" in said(mine, "messages")
    for page in (sections(KEYS), sections({})):
        notes = " ".join(note for section in page for note in section.notes)
        assert "lokal sends nothing that would not fit" in notes
        assert "{" not in notes
