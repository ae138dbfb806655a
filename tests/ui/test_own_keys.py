"""Keys that the config gives to commands without one, keys that it takes away, and keys with Alt that are nobody's."""

from __future__ import annotations

import pytest

from tests.support.app import configure
from tests.support.app_driver import AppDriver, chatting
from tests.support.canned_servers import questions
from tui.core.commands import COMMANDS

SAYS = {
    "server.help": "Start a model server on this machine",
    "attach": "› /attach\\n",
    "preset.use": "technical is in use(.|\\n)*› /preset",
    "model.choose": "is in use(.|\\n)*› /model",
    "server.use": "is in use(.|\\n)*› /server",
    "theme.use": "lokal-dark is in use(.|\\n)*› /theme",
    "system.set": "No system prompt",
    "persona.use": "Personas: /persona NAME uses one",
    "parameter.set": "/set ",
    "chat.rename": "› /rename\\n",
    "chat.title": "Asking .* for a title|This chat is now",
    "chat.branch": "A new chat with 2 messages",
    "chat.export": "2 messages in .*md",
    "chat.import": "› /import\\n",
    "copy": "4 characters ",
    "compare": "compare  Hello",
    "ladder": "› /ladder",
    "schema": "free text|as they come|not held",
    "prompt": "What the model will see",
    "stats": "Tokens",
    "undo": "nothing to bring back|Nothing",
    "suspend": "no shell to go back to",
}
"""What is seen of each command."""
KEYS = {id: f"alt+{letter}" for id, letter in zip(SAYS, "bcdfhijklmnqrstuvwxyz0", strict=True)}
WITHOUT_KEY = [command.id for command in COMMANDS if not command.key and command.where != "fit"]


def test_no_command_without_a_key_is_forgotten_here() -> None:
    assert list(SAYS) == WITHOUT_KEY


async def asked_once(driver: AppDriver) -> None:
    await driver.ask("Hello")
    await driver.see(r"Yes\.")
    await driver.until_idle()


IN_THE_CHAT = ("attach", "chat.rename", "stats", "undo")
"""One that begins a command and one that waits for its argument, one that opens a page and one that says something."""
ELSEWHERE = tuple(id for id in SAYS if id != "attach")
"""`attach` works where text is written only."""


@pytest.mark.parametrize(
    ("tab", "ids"), [("f2", IN_THE_CHAT), ("f4", ELSEWHERE[::2]), ("f4", ELSEWHERE[1::2])]
)
async def test_a_command_without_a_key_works_by_the_one_it_is_given(
    tab: str, ids: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("here"))
    configure("[keys]\n" + "".join(f'"{id}" = "{key}"\n' for id, key in KEYS.items()))
    for id in ids:
        async with chatting() as (driver, _):
            await asked_once(driver)
            await driver.press(tab)
            await driver.write(f"\x1b{KEYS[id][-1]}")
            await driver.see(SAYS[id])


async def test_a_key_that_was_taken_away_does_nothing() -> None:
    configure('[keys]\nhelp = ""\n"theme.next" = "f10"\n')
    async with chatting() as (driver, _):
        await driver.press("f1", "f9")
        assert not driver.pages
        assert "theme" not in driver.text()
        assert " keys" not in driver.row("Enter send"), "a hint without a key is none"
        await driver.press("f10")
        await driver.see("theme ")


async def test_a_letter_is_no_key_where_text_is_written() -> None:
    configure('[keys]\n"theme.next" = "t"\n')
    async with chatting() as (driver, _):
        await driver.see("t is typed in the composer, so it")
        await driver.write("test")
        assert driver.composer_text == "test"


async def test_alt_and_a_letter_write_nothing_and_go_by_words_as_in_a_shell() -> None:
    async with chatting() as (driver, server):
        await driver.write("one two three\x1bx\x1bz\x1bЯ\x1bD")
        assert driver.composer_text == "one two three"
        await driver.write("\x1bb\x1bbX")
        assert driver.composer_text == "one Xtwo three"
        await driver.write("\x1bf!\x1bd")
        assert driver.composer_text == "one Xtwo!"
        await driver.write("\x1b\x7f\x1b\x7f")
        assert driver.composer_text == "one "
        await driver.press("f7")
        await driver.write("/\x1bxone two\x1bb\x1bd")
        await driver.see("one ")
        assert "xone" not in driver.text()
        assert questions(server) == []


async def test_the_same_on_a_page_with_a_line_to_write_on() -> None:
    async with chatting() as (driver, _):
        driver.run_command("server.help")
        await driver.see("address of a server")
        await driver.write("\x1bxlab one two\x1bb\x1bb\x1bd")
        assert driver.input_text.split() == ["lab", "two"]
        await driver.write("\x1b\x7f")
        assert driver.input_text.split() == ["two"]
