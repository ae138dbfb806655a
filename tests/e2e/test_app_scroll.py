"""Reading back while an answer comes in, and windows of all sizes; the real program on a line of paced bytes."""

from __future__ import annotations

import re

from tests.support.app import OPENAI, last_chat, model_server, paced
from tests.support.terminal import TerminalSession, lokal

PAGE_UP, PAGE_DOWN = "\x1b[5~", "\x1b[6~"
CTRL_HOME = "\x1b[1;5H"
_NUMBER = re.compile(r"^Paragraph (\d+)\.$", re.MULTILINE)


def _numbers(terminal: TerminalSession) -> list[int]:
    return [int(number) for number in _NUMBER.findall(terminal.text())]


def _first(terminal: TerminalSession) -> int:
    """The number of the paragraph at the top; -1 where none is on the screen."""
    return next(iter(_numbers(terminal)), -1)


async def _repainted(
    terminal: TerminalSession, columns: int, standing: str, first: int | None = None
) -> None:
    """Wait until rule, composer and instrument line are where they belong on a window of that width; with `first`
    that paragraph is to be the first on the screen."""

    def right() -> bool:
        rule, composer, instruments = terminal.screen()[-3:]
        return (
            len(rule) == columns
            and standing in rule
            and composer.startswith("›")
            and "Esc stop" in instruments
            and first in (None, *_numbers(terminal)[:1])
        )

    await terminal.until(right, f"the screen is painted anew, {columns} columns wide")


async def test_reading_back_and_resizing_while_an_answer_comes() -> None:
    pieces = [OPENAI.text(f"Paragraph {number}.\n\n") for number in range(10_000)]
    stream = OPENAI.stream(*pieces, ended=False)
    piece = len(stream.raw) // len(pieces)
    async with model_server(paced(stream, piece, 0.02)) as server, lokal("--server", server.url) as terminal:
        await terminal.wait_for("· replay-3b")
        terminal.send("Go on\r")
        await terminal.until(
            lambda: max(_numbers(terminal), default=0) >= 20, "the answer is longer than the screen"
        )

        terminal.send(PAGE_UP)
        await terminal.wait_for(r"\d+ new lines? below · Ctrl\+G")
        kept = _numbers(terminal)
        assert kept
        first = int((await terminal.wait_for(r"── (\d+) new lines? below"))[1])
        await terminal.until(
            lambda: (
                (found := re.search(r"── (\d+) new lines below", terminal.text())) is not None
                and int(found[1]) > first + 10
            ),
            "more lines are below",
        )
        assert _numbers(terminal) == kept
        terminal.send(PAGE_UP)
        await terminal.until(lambda: -1 < _first(terminal) < kept[0], "an earlier page")

        # Another width and another height: the line at the top stays there.
        top = _first(terminal)
        for columns, rows in ((60, 15), (200, 60), (80, 24)):
            terminal.resize(columns, rows)
            await _repainted(terminal, columns, " new lines below · Ctrl+G ─", top)

        terminal.send("\x07")
        await terminal.wait_until_gone("new lines below")
        await terminal.until(lambda: _first(terminal) > kept[-1], "the end is followed")
        terminal.send(CTRL_HOME)
        await terminal.wait_for(r"── you ─+\nGo on\n")
        terminal.send("\x07")
        await terminal.until(lambda: _first(terminal) > kept[-1], "the end is followed again")

        for columns, rows in ((60, 15), (200, 60), (20, 6)):
            terminal.resize(columns, rows)
            await _repainted(terminal, columns, "─" * columns)
            later = max(_numbers(terminal), default=0) + 5
            await terminal.until(
                lambda later=later: max(_numbers(terminal), default=0) >= later,  # type: ignore[misc]
                f"the answer goes on at {columns}x{rows}",
            )
        terminal.send("a text that is longer than the screen")
        await terminal.wait_for(r"longer than|than the")
        terminal.send("\x1b")
        await terminal.until(lambda: server.left.is_set(), "lokal has closed the connection")
        terminal.resize(80, 24)
        await terminal.wait_for("stopped by you")
        await terminal.wait_for("› a text that is longer than the screen")
        shown = _numbers(terminal)
        await terminal.quit()
    content = (await last_chat())[1].content
    numbers = [int(number) for number in _NUMBER.findall(content)]
    assert numbers == list(range(len(numbers)))
    assert shown[-1] == numbers[-1]
