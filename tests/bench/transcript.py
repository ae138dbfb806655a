"""What an append to a long answer costs, and opening a long chat from memory.

The two appends (24 characters, a frame's worth at 150 tokens a second), to an answer of 10 kB and to one of 1 MB,
should cost about the same for each kind of text.
"""

from __future__ import annotations

import asyncio
import statistics
import time

from textual.app import App, ComposeResult

from tests.bench.figure import Figure, median
from tests.bench.stage import Stage
from tui.ui.transcript.entry import Entry, Heading, Tone
from tui.ui.transcript.view import Transcript

_WORDS = "nginx answers **502** when `upstream` does not, after a deploy it is often still starting"
KINDS = {
    "prose": "\n\n".join([f"Paragraph {n}. {_WORDS * 5}." for n in range(20)]) + "\n\n",
    "one line": (_WORDS + ". ") * 40,
    "one fence": "\n".join(
        [f"    total = compute({n}, 'text', other=total + {n})  # line {n}" for n in range(150)]
    )
    + "\n",
    "one list": "\n".join([f"{n}. **Item {n}** {_WORDS}" for n in range(1, 90)]) + "\n",
    "one table": "\n".join([f"| {n} | name {n} | {_WORDS} |" for n in range(80)]) + "\n",
}
_BEFORE = {"one fence": "```python\n", "one table": "| n | name | words |\n|--:|---|---|\n"}
SMALL, LARGE = 10_000, 1_000_000
PIECE = 24
APPENDS = 400


class _App(App[None]):
    def compose(self) -> ComposeResult:
        yield Transcript()


def appends(stage: Stage) -> list[Figure]:
    """Every kind of text."""
    return asyncio.run(_measure(stage.runs))


def _append_ms(transcript: Transcript, kind: str, size: int) -> float:
    """The mean time of an append to an answer of `size` characters, in milliseconds."""
    text = KINDS[kind]
    head = _BEFORE.get(kind, "")
    grown = head + text * (size // len(text))
    entry = Entry("a", Heading("model", Tone.MODEL), grown, streaming=True)
    transcript.show([Entry("q", Heading("you", Tone.PERSON), "?", markdown=False), entry])
    times = []
    for n in range(APPENDS):
        start = n * PIECE % (len(text) - PIECE)
        began = time.perf_counter()
        transcript.extend("a", text[start : start + PIECE])
        times.append(time.perf_counter() - began)
    return statistics.fmean(times) * 1000


async def _measure(runs: int) -> list[Figure]:
    figures = []
    app = _App()
    async with app.run_test(size=(80, 24)):
        transcript = app.query_one(Transcript)
        for kind in KINDS:  # imports the Markdown parser and the highlighter
            _append_ms(transcript, kind, SMALL)
        for kind in KINDS:
            pairs = [
                (_append_ms(transcript, kind, SMALL), _append_ms(transcript, kind, LARGE))
                for _ in range(runs)
            ]
            note = f"{statistics.median([small for small, _ in pairs]):.2f} ms at 10 kB"
            ratios = [large / small for small, large in pairs]
            figures.append(
                median("append", f"an append at 1 MB / at 10 kB: {kind}", ratios, "x", 1.5, note=note)
            )
    return figures
