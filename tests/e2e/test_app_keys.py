"""What the keys of terminals of all kinds do to the composer of the real program."""

from __future__ import annotations

import asyncio
import contextlib

from tests.support.app import CHAT, answer, bodies, endless, last_chat, model_server, turns
from tests.support.terminal import DEADLINE_S, lokal

UP, DOWN, LEFT, HOME, END = "\x1b[A", "\x1b[B", "\x1b[D", "\x1b[H", "\x1b[F"


async def test_new_lines_letters_and_the_history() -> None:
    async with model_server(answer("Fine.")) as server:
        async with lokal("--server", server.url) as terminal:
            await terminal.wait_for("· replay-3b")
            for number, key in enumerate(("\n", "\x1b\r", "\x1b[27;2;13~", "\x1b[13;2u", "\x1b[27;3;13~"), 1):
                terminal.send(f"line {number}{key}")
                await terminal.wait_for(rf"line {number}\n")
            assert bodies(server) == []
            terminal.send("the ¡end! ƠăĐ жük")
            await terminal.wait_for("the ¡end! ƠăĐ жük")
            terminal.send("\r")
            await terminal.wait_for("Fine\\.")
            await terminal.wait_for(r"\n›\n")

            # Keys that come in one piece count in their order.
            terminal.send(f"ab{LEFT}c{HOME}x\x7fy{END}!")
            await terminal.wait_for("› yacb!")
            terminal.send("\x15new\x7f\x7f2\r")
            await terminal.wait_for(r"── you ─+\nn2\n")

            # Bytes that are no UTF-8, answers that nobody asked for, an unknown sequence: no harm.
            terminal.send(b"a\xff\xfe\xc3(b\x1b[?62;22c\x1b[99;99zc")
            await terminal.wait_for(r"› a.*\(b.*c")
            terminal.send("\x15")
            await terminal.wait_for(r"\n›\n")
            terminal.send(UP)
            await terminal.wait_for("› n2")
            terminal.send(UP)
            await terminal.wait_for("› line 1\n +line 2")
            terminal.send(DOWN)
            await terminal.wait_for("› n2")
            await terminal.quit()
        question = "line 1\nline 2\nline 3\nline 4\nline 5\nthe ¡end! ƠăĐ жük"
        assert turns(bodies(server)[0]) == [("user", question)]

        async with lokal("--server", server.url) as terminal:
            await terminal.wait_for("· replay-3b")
            # Where the history is read there is something to search in.
            async with asyncio.timeout(DEADLINE_S):
                while "search:" not in terminal.text():
                    terminal.send("\x12")
                    with contextlib.suppress(AssertionError):
                        await terminal.wait_for("search:", deadline_s=0.5)
            terminal.send("\x1b")
            await terminal.wait_until_gone("search:")
            terminal.send("a draft" + UP)
            await terminal.wait_for("› n2")
            terminal.send(UP + DOWN + DOWN)
            await terminal.wait_for("› a draft")
            await terminal.quit()


async def test_a_paste_of_a_megabyte_and_typing_while_an_answer_comes() -> None:
    line = "Жёлтый — 12 345 „cudzysłów” 👍 oʻzbek\n"
    pasted = (line * (1_000_000 // len(line.encode()) + 1)).rstrip("\n")
    async with model_server(answer("Long.")) as server, lokal("--server", server.url) as terminal:
        await terminal.wait_for("· replay-3b")
        terminal.paste(pasted)
        await terminal.wait_for(r"› ⟦pasted [\d,]+ lines · 1⟧", deadline_s=60)
        terminal.send("!")
        await terminal.wait_for(r"· 1⟧!")
        terminal.send("\r")
        await terminal.wait_for("Long\\.", deadline_s=60)

        server.on(CHAT, endless("Slowly"))
        terminal.send("Next\r")
        await terminal.wait_for("Slowly")
        terminal.send("written meanwhile\r")
        await terminal.wait_for("waiting: written meanwhile")
        terminal.send("\x1b")
        await terminal.wait_for("stopped by you")
        await terminal.quit()
    assert turns(bodies(server)[0]) == [("user", pasted + "!")]
    assert len(bodies(server)) == 2
    assert (await last_chat())[0].content == pasted + "!"


async def test_nothing_on_the_keyboards_line_ends_lokal_and_nothing_of_it_is_sent() -> None:
    async with model_server(answer("Fine.")) as server, lokal("--server", server.url) as terminal:
        await terminal.wait_for("· replay-3b")
        terminal.send(
            "\x1b[1;5:1A\x1b[97;5:3u\x1b[1089::99;5u\x1b[1114112u\x1b[;u\x1b[48;9999;9999;1;1t\x1b[48;5;5;1;1tab"
        )
        await terminal.wait_for("› ab\n")
        terminal.send("\x15one\rtwo\r")
        await terminal.wait_for("› one\n +two\n")
        terminal.send("\x15\x15\x1b[200~a paste")
        terminal.send("\x03")
        await terminal.wait_for("› a paste")
        terminal.send("!")
        await terminal.wait_for("› a paste!")
        assert bodies(server) == []
        # Something else wipes the screen and turns the terminal upside down; also while a page lies over the chat.
        terminal.scribble("\x1b[2J\x1b[3;5r\x1b[?7h\x1b[10;10Hwall: going down")
        terminal.send("\x0c")
        await terminal.wait_for("› a paste!")
        assert "wall" not in terminal.text()
        terminal.send("\x1bOP")
        await terminal.wait_for("Esc back")
        terminal.scribble("\x1b[2J")
        terminal.send("\x0c")
        await terminal.wait_for("Esc back")
        terminal.send("\x1b")
        await terminal.wait_for("› a paste!")
        assert terminal.raw.count(b"\x1b[?1007s\x1b[?1007l") == 1, "the wheel sends nothing"
        await terminal.quit()
        assert terminal.raw.count(b"\x1b[?1007h\x1b[?1007r") == 1, "and is what it was"
