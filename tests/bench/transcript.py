"""What the transcript costs: `python -m tests.bench.transcript`.

Prints the time of one append (four words, the size of a frame's tokens) to an answer of 10 kB and to one of 1 MB, for each
kind of text, and the time to open a chat of 10,000 messages. The two appends should cost about the same.
"""

from __future__ import annotations

import asyncio
import statistics
import time

from textual.app import App, ComposeResult

from tui.ui.transcript.entry import Entry, Heading, Tone
from tui.ui.transcript.view import Transcript

_WORDS = "nginx answers **502** when `upstream` does not, after a deploy it is often still starting"
KINDS = {
    "prose": "\n\n".join([f"Paragraph {n}. {_WORDS * 5}." for n in range(20)]) + "\n\n",
    "one line": (_WORDS + ". ") * 40,
    "fence": "\n".join(
        [f"    total = compute({n}, 'text', other=total + {n})  # line {n}" for n in range(150)]
    )
    + "\n",
    "list": "\n".join([f"{n}. **Item {n}** {_WORDS}" for n in range(1, 90)]) + "\n",
    "table": "\n".join([f"| {n} | name {n} | {_WORDS} |" for n in range(80)]) + "\n",
}
_BEFORE = {"fence": "```python\n", "table": "| n | name | words |\n|--:|---|---|\n"}
SMALL, LARGE = 10_000, 1_000_000
PIECE = 24
APPENDS = 400


class _App(App[None]):
    def compose(self) -> ComposeResult:
        yield Transcript()


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


def _open_ms(transcript: Transcript) -> float:
    """The time to show 10,000 messages of about 1 kB, in milliseconds."""
    text = KINDS["prose"][:600] + "\n\n" + KINDS["list"][:400]
    entries = [Entry(str(n), Heading("model", Tone.MODEL, figures="41 tok/s"), text) for n in range(10_000)]
    began = time.perf_counter()
    transcript.show(entries)
    return (time.perf_counter() - began) * 1000


async def _main() -> None:
    app = _App()
    async with app.run_test(size=(80, 24)):
        transcript = app.query_one(Transcript)
        _append_ms(transcript, "prose", SMALL)  # imports the Markdown parser
        _append_ms(transcript, "fence", SMALL)
        print(f"{'':10} {'10 kB':>8} {'1 MB':>8}  ratio   (ms an append)")
        for kind in KINDS:
            small, large = _append_ms(transcript, kind, SMALL), _append_ms(transcript, kind, LARGE)
            print(f"{kind:10} {small:8.2f} {large:8.2f}  {large / small:5.2f}")
        print(f"open 10,000 messages: {_open_ms(transcript):.0f} ms")


if __name__ == "__main__":
    asyncio.run(_main())
