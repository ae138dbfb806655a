"""Two hours of a streamed answer: what memory it takes beyond its own text.

    python -m tests.bench.long TOKENS

A million tokens go through the reducer and the transcript as in the app, thirty frames a second at 800 tokens a second
(not waited for). It writes the growth of the resident memory and the size of the text, both in bytes.
"""

from __future__ import annotations

import asyncio
import gc
import re
import subprocess
import sys
import time
from pathlib import Path

from textual.app import App, ComposeResult

from tests.bench.figure import Figure
from tests.bench.stage import Stage
from tests.support.bigram import split
from tests.support.sample import MARKDOWN
from tui.core.events import TextDelta
from tui.core.generation import Generation
from tui.ui.transcript.view import Entry, Heading, Tone, Transcript

TOKENS = 1_000_000
_TOKENS_A_FRAME = 27
_WARM_UP = 20_000


def long_stream(stage: Stage) -> list[Figure]:
    """A process of its own streams a million tokens."""
    tokens = TOKENS // 10 if stage.quick else TOKENS
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.long", str(tokens)],
        env=stage.environ(stage.home()),
        check=True,
        capture_output=True,
        text=True,
    )
    growth, text, seconds = map(float, done.stdout.split())
    return [
        Figure("long", f"{tokens} tokens: growth of memory / bytes of text", growth / text, "x", 3),
        Figure("long", f"{tokens} tokens: growth of memory", growth / 1e6, "MB"),
        Figure("long", f"{tokens} tokens: time a token", seconds / tokens * 1e6, "us"),
    ]


class _App(App[None]):
    def compose(self) -> ComposeResult:
        yield Transcript()


async def _stream(count: int) -> None:
    pieces = [piece.encode() for piece in split(MARKDOWN)]
    generation = Generation(0.0)
    app = _App()
    async with app.run_test(size=(120, 40)):
        transcript = app.query_one(Transcript)
        transcript.show([Entry("a", Heading("model", Tone.MODEL), streaming=True)])
        size, before, begun_at = 0, 0, 0.0
        for start in range(0, _WARM_UP + count, _TOKENS_A_FRAME):
            if not before and start >= _WARM_UP:
                before, size, begun_at = _resident(), 0, time.perf_counter()
            # Decoded anew, since every token that a server sends is a string of its own.
            numbers = range(start, start + _TOKENS_A_FRAME)
            frame = [pieces[number % len(pieces)].decode() for number in numbers]
            for piece in frame:
                generation.apply(TextDelta(piece), start / 800)
            text = "".join(frame)
            size += len(text.encode())
            transcript.extend("a", text)
            if not start % 1000:
                generation.tokens_per_s()
            await asyncio.sleep(0)
        seconds = time.perf_counter() - begun_at
        print(_resident() - before, size, seconds, flush=True)
        assert len(generation.content.encode()) > size


def _resident() -> int:
    gc.collect()
    found = re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


if __name__ == "__main__":
    asyncio.run(_stream(int(sys.argv[1])))
