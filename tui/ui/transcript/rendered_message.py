"""One message as the layout holds it: an entry with the streams of its text and its reasoning."""

from __future__ import annotations

from tui.ui.transcript.entry import Entry
from tui.ui.transcript.prose import steady, wrap
from tui.ui.transcript.stream import Stream


class LineCounter:
    """Counts the lines of a growing text that is not shown, blank ones left out, without ever reading it again."""

    def __init__(self, measure: int) -> None:
        self.measure = measure
        self._closed = 0
        self._open = ""  # from the start of the last line on
        self._newest = ""

    def add(self, text: str) -> None:
        """Count the next piece of the text."""
        first, *others = steady(text).split("\n")
        self._go_on(first)
        for line in others:
            if self._open.strip():
                self._closed += 1
                self._newest = self._open
            self._open = ""
            self._go_on(line)

    @property
    def count(self) -> int:
        """The number of lines so far."""
        return self._closed + bool(self._open.strip())

    @property
    def newest(self) -> str:
        """The last line that is not blank."""
        return (self._open if self._open.strip() else self._newest).rstrip()

    def _go_on(self, text: str) -> None:
        self._open += text
        spans = wrap(self._open, self.measure)
        self._closed += len(spans) - 1
        self._open = self._open[spans[-1][0] :]


class RenderedMessage:
    """An entry with its two streams. `entry.text` and `entry.reasoning` are what it began with; the streams hold all."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.text = Stream(entry.text, entry.markdown)
        self.reasoning = Stream(entry.reasoning, markdown=False, barred=True)
        self.shows_reasoning: bool | None = None  # None = as the reasoning of all messages
        self.folded: set[int] = set()  # blocks by their number, as in tui.ui.transcript.folding
        self.shifts: dict[
            int, int
        ] = {}  # cells, by the first piece of a block, as in tui.ui.transcript.sideways
        self._tally: LineCounter | None = None

    @property
    def is_thinking(self) -> bool:
        """Whether reasoning comes in and no text yet."""
        return self.entry.streaming and bool(self.reasoning) and not self.text

    def append(self, text: str, reasoning: str) -> None:
        """Let the message go on."""
        self.text.append(text)
        self.reasoning.append(reasoning)
        if self._tally is not None:
            self._tally.add(reasoning)

    def reasoning_summary(self, measure: int) -> tuple[int, str]:
        """How many lines of `measure` cells the reasoning takes, about, and the newest of them."""
        if self._tally is None or self._tally.measure != measure:
            self._tally = LineCounter(measure)
            self._tally.add(self.reasoning.text)
        return self._tally.count, self._tally.newest

    def replace(self, entry: Entry) -> None:
        """Show another state of the same message, keeping the pieces that stay the same."""
        if entry.markdown != self.entry.markdown:
            self.text = Stream(entry.text, entry.markdown)
        else:
            self.text.replace(entry.text)
        self.reasoning.replace(entry.reasoning)
        self._tally = None
        self.entry = entry
        if not entry.streaming:
            self.text.close()
            self.reasoning.close()
