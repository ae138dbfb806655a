"""The transcript alone in a running app, entries for it, and what it shows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rich.style import Style
from textual import on
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from tui.ui.transcript.entry import Entry, Heading, Tone
from tui.ui.transcript.view import Transcript

YOU = Heading("you", Tone.PERSON)
MODEL = Heading("llama3.2:3b", Tone.MODEL, "technical")
ANSWER = """\
A **502** means that nginx got no answer. Причины, в таком порядке:

1. The upstream is still `starting`, see [the docs](https://nginx.org):

   ```python
   def check(url: str) -> bool:
       \"\"\"Whether it answers.\"\"\"
       return get(url).status == 200  # 中文 comment
   ```

2. Another port
   - nested **item** with quite some words, so that it is wrapped
   - another

> Quoted words, *and* some more of them, to fill more than a single line of it.

| Model | Size |
|---|--:|
| llama3.2:3b | 2.0 GB |
| 大模型 | 40 GB |

### End
Tiếng Việt có dấu: đây là một câu dài để kiểm tra việc ngắt dòng.
"""


class TranscriptApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[bool, int]] = []

    def compose(self) -> ComposeResult:
        yield Transcript()

    @on(Transcript.FollowChanged)
    def note(self, event: Transcript.FollowChanged) -> None:
        self.told.append((event.following, event.new_lines))


@asynccontextmanager
async def running(
    width: int = 80, height: int = 24
) -> AsyncIterator[tuple[Transcript, TranscriptApp, Pilot[None]]]:
    app = TranscriptApp()
    async with app.run_test(size=(width, height)) as pilot:
        transcript = app.query_one(Transcript)
        transcript.focus()
        yield transcript, app, pilot


def screen(transcript: Transcript) -> list[str]:
    """What is in sight; checks on the way that each line is as wide as the widget."""
    strips = [transcript.render_line(y) for y in range(transcript.size.height)]
    for strip in strips:
        assert sum(segment.cell_length for segment in strip) == transcript.size.width
        assert strip.cell_length == transcript.size.width
    return [strip.text.rstrip() for strip in strips]


def styled(transcript: Transcript) -> list[list[tuple[str, Style | None]]]:
    """What is in sight, character by character, so that equal looks compare equal however they are cut."""
    return [
        [(char, segment.style) for segment in transcript.render_line(y) for char in segment.text]
        for y in range(transcript.size.height)
    ]


def chat(count: int) -> list[Entry]:
    return [
        Entry(f"m{n}", YOU if n % 2 == 0 else MODEL, f"message {n}\n\nsecond line of {n}")
        for n in range(count)
    ]


def answer(text: str = "", **changes: object) -> Entry:
    entry = Entry("a", MODEL, text, streaming=True)
    return Entry(**{**{name: getattr(entry, name) for name in Entry.__slots__}, **changes})
