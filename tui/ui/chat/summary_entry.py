"""A summary on the screen while the model writes it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tui.chat.answer_stream import HeadingPace
from tui.chat.summary_run import SummaryRun
from tui.chat.wording import phase_words
from tui.ui.transcript.view import Entry, Heading, Tone

if TYPE_CHECKING:
    from tui.ui.chat.view import ChatView

ENTRY_ID = "summary"


class SummaryEntry:
    """An entry at the end of the transcript, which goes when another branch is shown."""

    def __init__(self, view: ChatView) -> None:
        self._view = view
        self._part = 0
        self._heading_pace = HeadingPace()

    def start(self, run: SummaryRun) -> None:
        """Show it, empty."""
        self._part, self._heading_pace = 0, HeadingPace()
        self._view.transcript.follow()
        self._view.transcript.add(_entry(run))

    def advance(self, run: SummaryRun) -> None:
        """Show what came since the last time."""
        transcript = self._view.transcript
        text, reasoning = run.take()
        if run.part != self._part:
            self._part = run.part
            transcript.replace(_entry(run))
        elif text or reasoning:
            transcript.extend(ENTRY_ID, text, reasoning)
        if not run.done and self._heading_pace.due(run.generation, time.monotonic()):
            transcript.set_heading(ENTRY_ID, _heading(run))
            self._view.post_message(self._view.Changed())


def _entry(run: SummaryRun) -> Entry:
    generation = run.generation
    return Entry(ENTRY_ID, _heading(run), generation.content, generation.reasoning, streaming=True)


def _heading(run: SummaryRun) -> Heading:
    part = f"part {run.part} of {run.parts}" if run.parts > 1 else ""
    return Heading("summary", Tone.MUTED, part, phase_words(run.generation))
