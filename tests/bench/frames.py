"""Bytes and time a frame of a streamed answer costs, the stock way and through the frame writer.

    python -m tests.bench.frames [--size 120x40] [--tokens 4000]

A page of prose is streamed, token by token, into a transcript over a composer and an instrument line that counts. The
target is at most 5 to 10 bytes to the terminal for each byte of text at 120x40.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import textwrap
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from rich.console import RenderableType
from rich.segment import Segment
from rich.style import Style
from textual._compositor import CompositorUpdate
from textual.app import ComposeResult
from textual.drivers.headless_driver import HeadlessDriver
from textual.geometry import Region, Size
from textual.pilot import Pilot
from textual.screen import Screen
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Input, Static

from tui.ui.terminal.hook import DeltaApp

_ENGLISH = (
    "the answer of a model comes in small pieces and every piece should cost a slow line as little as it can"
)
_RUSSIAN = "ответ модели приходит по частям и каждая часть должна стоить медленной линии как можно меньше"


class Transcript(ScrollView):
    """Wrapped lines, the last of which grows."""

    DEFAULT_CSS = "Transcript { scrollbar-size-vertical: 0; }"

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.paragraph = ""

    def add(self, text: str) -> None:
        self.paragraph += text
        wrapped = textwrap.wrap(self.paragraph, min(100, self.size.width)) or [""]
        grown = len(wrapped) - 1
        self.lines[-1:] = wrapped
        self.paragraph = wrapped[-1] + (" " if text.endswith(" ") else "")
        if text.endswith("\n"):
            self.lines += ["", ""]
            self.paragraph = ""
            grown += 2
        if grown:
            self.virtual_size = Size(self.size.width, len(self.lines))
            self.scroll_end(animate=False, immediate=True)
            self.refresh()
        else:
            self.refresh(Region(0, len(self.lines) - 1 - self.scroll_offset.y, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        y += self.scroll_offset.y
        text = self.lines[y] if y < len(self.lines) else ""
        # As a prose renderer would have it: a word in bold here and there.
        first, _, rest = text.partition(" ")
        bold = Style(bold=True) if y % 5 == 0 else Style()
        segments = [Segment(first, self.rich_style + bold), Segment(" " + rest, self.rich_style)]
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)


class SinkDriver(HeadlessDriver):
    @property
    def is_headless(self) -> bool:
        return False

    def write(self, data: str) -> None:
        app = self._app
        assert isinstance(app, BenchApp)
        app.ours.bytes += len(data.encode())


@dataclass
class Cost:
    bytes: int = 0
    seconds: float = 0.0


class BenchApp(DeltaApp[None]):
    CSS = "Static { height: 1; } Input { border: none; height: 1; } #line { color: $text-muted; }"

    def __init__(self) -> None:
        super().__init__(driver_class=SinkDriver)
        self.stock, self.ours = Cost(), Cost()
        self.frames = 0
        self.displayed = asyncio.Event()

    def compose(self) -> ComposeResult:
        yield Static(" lokal   Chat  Models  Settings          ollama on this machine · llama3.2:3b")
        yield Transcript()
        yield Input("and what if")
        yield Static("", id="line")

    def can_synchronize(self) -> None:
        """The terminal has said that it can take a frame as one."""
        self._sync_available = True

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if isinstance(renderable, CompositorUpdate):
            started_at = perf_counter()
            stock = renderable.render_segments(self.console)
            self.stock.seconds += perf_counter() - started_at
            # A cursor move, and the synchronized output that stock Textual has around each frame.
            self.stock.bytes += len(stock.encode()) + len("\x1b[39;14H\x1b[?2026h\x1b[?2026l")
            self.frames += 1
        started_at = perf_counter()
        super()._display(screen, renderable)
        self.ours.seconds += perf_counter() - started_at
        self.displayed.set()


async def stream(
    size: tuple[int, int], words: list[str], tokens: int, tokens_a_frame: int
) -> tuple[BenchApp, int]:
    app = BenchApp()
    random_ = random.Random(7)
    text_bytes = 0

    async def drive(pilot: Pilot[Any]) -> None:
        nonlocal text_bytes
        transcript = app.query_one(Transcript)
        line = app.query_one("#line", Static)
        while not transcript.size.width:
            await pilot.pause()
        transcript.lines = [" ".join(random_.choices(words, k=12)) for _ in range(size[1] * 2)] + [""]
        transcript.add("")
        transcript.virtual_size = Size(size[0], len(transcript.lines))
        transcript.scroll_end(animate=False, immediate=True)
        await pilot.pause()
        app.can_synchronize()
        app.stock, app.ours, app.frames = Cost(), Cost(), 0
        for start in range(0, tokens, tokens_a_frame):
            pieces = [
                random_.choice(words) + ("\n" if number % 70 == 69 else " ")
                for number in range(start, start + tokens_a_frame)
            ]
            app.displayed.clear()
            for piece in pieces:
                transcript.add(piece)
                text_bytes += len(piece.encode())
            if start // tokens_a_frame % 5 == 0:
                line.update(f" technical · temp 0.4 · ctx {start / 1000:.1f}k of 8k  {40 + start % 3} tok/s")
            await asyncio.wait_for(app.displayed.wait(), 5)
        app.exit()

    await app.run_async(headless=False, size=size, auto_pilot=drive)
    if app.frame_writer_failure is not None:
        raise app.frame_writer_failure
    return app, text_bytes


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", default="120x40")
    parser.add_argument("--tokens", type=int, default=4000)
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    print(
        f"{options.tokens} tokens at {width}x{height}; bytes sent for each byte of text, bytes and ms a frame"
    )
    print(f"{'':34}{'stock':>30}{'delta':>30}")
    languages = (("English", _ENGLISH.split()), ("Russian", _RUSSIAN.split()))
    for (language, words), tokens_a_frame in itertools.product(languages, (1, 2, 8)):
        app, text_bytes = asyncio.run(stream((width, height), words, options.tokens, tokens_a_frame))
        columns = [
            f"{cost.bytes / text_bytes:7.1f} {cost.bytes / app.frames:9.0f} B {cost.seconds / app.frames * 1000:8.2f} ms"
            for cost in (app.stock, app.ours)
        ]
        print(
            f"{language}, {tokens_a_frame} tokens a frame".ljust(34)
            + "".join(f"{column:>30}" for column in columns)
        )


if __name__ == "__main__":
    main()
