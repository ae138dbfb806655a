"""Commands work in a Russian layout as in a Latin one, and what is written stays what was written."""

from __future__ import annotations

from tests.support.replay import replay
from tests.support.stage import chatting, like_ollama, questions, running

CTRL_T_KITTY, CTRL_T_XTERM, ALT_E_LEGACY = "\x1b[1077::116;5u", "\x1b[27;5;1077~", "\x1bу"


async def test_chords() -> None:
    async with chatting() as (stage, _):
        before = stage.app.state.preset.name
        await stage.write(CTRL_T_KITTY)
        await stage.until(lambda: stage.app.state.preset.name != before, "another preset is in use")
        after = stage.app.state.preset.name
        await stage.write(CTRL_T_XTERM)
        await stage.until(lambda: stage.app.state.preset.name != after, "and another one")
        await stage.write(f"слово{ALT_E_LEGACY}")
        assert stage.app.chat.composer.text == "слово"


async def test_single_letters_on_messages_in_lists_and_on_pages() -> None:
    async with chatting() as (stage, server):
        await stage.ask("One?")
        await stage.see(r"Yes\.")
        await stage.press("shift+tab", "up")
        await stage.write("у")  # e: edit
        await stage.see("edit")
        await stage.press("escape")
        await stage.write("ф")  # a is no command there: it is written
        assert stage.app.chat.composer.text == "ф"
        await stage.write("\x15")
        await stage.press("f7")
        await stage.see("Chats  1")
        await stage.write("к")  # r: rename
        await stage.write("рк\r")  # written as it is
        await stage.see("› ?One\\?рк|One\\?рк")
        await stage.press("escape", "f1")
        await stage.see("Esc back")
        await stage.write("й")  # q
        await stage.see_no_more("Esc back")
        assert questions(server) == ["One?"]


async def test_the_table_of_models_and_the_form_of_settings() -> None:
    async with replay() as server:
        like_ollama(server, ("a", "1B", 1), ("b", "1B", 1))
        async with running(server.url) as stage:
            await stage.see("ctx 0 of 8k")
            await stage.press("f3")
            await stage.see("QUANT")
            first = stage.row("^›")
            await stage.write("о")  # j: down
            assert stage.row("^›") != first
            await stage.press("f4")
            await stage.see("temperature")
            await stage.press("tab")
            await stage.write("ч")  # x: the server's default
            await stage.see("temperature +default")
            await stage.see("changed, not saved")
