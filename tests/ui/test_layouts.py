"""Commands work in a Russian layout as in a Latin one, and what is written stays what was written."""

from __future__ import annotations

from tests.support.app_driver import chatting, running
from tests.support.canned_servers import like_ollama, questions
from tests.support.replay import replay

CTRL_T_KITTY, CTRL_T_XTERM, ALT_E_LEGACY = "\x1b[1077::116;5u", "\x1b[27;5;1077~", "\x1bу"


async def test_chords() -> None:
    async with chatting() as (driver, _):
        before = driver.preset.name
        await driver.write(CTRL_T_KITTY)
        await driver.until(lambda: driver.preset.name != before, "another preset is in use")
        after = driver.preset.name
        await driver.write(CTRL_T_XTERM)
        await driver.until(lambda: driver.preset.name != after, "and another one")
        await driver.write(f"слово{ALT_E_LEGACY}")
        assert driver.composer_text == "слово"


async def test_single_letters_on_messages_in_lists_and_on_pages() -> None:
    async with chatting() as (driver, server):
        await driver.ask("One?")
        await driver.see(r"Yes\.")
        await driver.press("shift+tab", "up")
        await driver.write("у")  # e: edit
        await driver.see("edit")
        await driver.press("escape")
        await driver.write("ф")  # a is no command there: it is written
        assert driver.composer_text == "ф"
        await driver.write("\x15")
        await driver.press("f7")
        await driver.see("Chats  1")
        await driver.write("к")  # r: rename
        await driver.write("рк\r")  # written as it is
        await driver.see("› ?One\\?рк|One\\?рк")
        await driver.press("escape", "f1")
        await driver.see("Esc back")
        await driver.write("й")  # q
        await driver.see_no_more("Esc back")
        assert questions(server) == ["One?"]


async def test_the_table_of_models_and_the_form_of_settings() -> None:
    async with replay() as server:
        like_ollama(server, ("a", "1B", 1), ("b", "1B", 1))
        async with running(server.url) as driver:
            await driver.see("ctx 0 of 8k")
            await driver.press("f3")
            await driver.see("QUANT")
            first = driver.row("^›")
            await driver.write("о")  # j: down
            assert driver.row("^›") != first
            await driver.press("f4")
            await driver.see("temperature")
            await driver.press("tab")
            await driver.write("ч")  # x: the server's default
            await driver.see("temperature +default")
            await driver.see("changed: ")
