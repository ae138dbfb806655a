"""A download of a model, as it is shown and kept."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from tui.core.endpoint import ServerKind
from tui.core.message import Problem
from tui.core.model_management import PullProgress
from tui.core.text import human_size
from tui.models.changes import ModelChanges

NO_PROGRESS = PullProgress()
SPAN_S = 8.0
"""Seconds over which the rate is taken: long enough to be steady, short enough to show that the line has become slow."""
_LEAST_S = 0.5


class PullState(StrEnum):
    """Where a download stands, as it is shown."""

    WAITING = "waiting"
    RUNNING = "downloading"
    RETRYING = "trying again"
    PAUSED = "paused"
    FAILED = "failed"
    DONE = "done"
    CANCELLED = "stopped"


HUB = "huggingface"
"""What stands for a server where lokal downloads from Hugging Face itself."""

FROM = "from "
"""How the status of such a download begins while it runs: `from HOST`."""

UNFINISHED = frozenset(
    {PullState.WAITING, PullState.RUNNING, PullState.RETRYING, PullState.PAUSED, PullState.FAILED}
)
"""What is kept for the next start."""


@dataclass(frozen=True, slots=True)
class Pull:
    """One download from the place of a server's models to the server at the URL `server`; with `kind` None from Hugging Face to
    this machine.

    `rate` is bytes a second and `left_s` the seconds that are left at that rate, None while they are not known. `problem` is
    why it failed, paused or is tried again. Of one that is done `result` says in words what came of it, and `changes` what is
    other than before. `attempts` in a row have brought nothing. `update` = the model is on the server, and is only looked
    after.
    """

    id: str
    server: str
    kind: ServerKind | None
    model: str
    state: PullState = PullState.WAITING
    update: bool = False
    progress: PullProgress = NO_PROGRESS
    rate: float | None = None
    left_s: float | None = None
    problem: Problem | None = None
    result: str = ""
    changes: ModelChanges | None = None
    attempts: int = 0

    @property
    def share(self) -> float | None:
        """How much of it is there, 0 to 1; None while no size is known."""
        return self.progress.completed / self.progress.total if self.progress.total else None

    @property
    def sizes(self) -> str:
        """`2.5 GB of 4.1 GB`; empty while no size is known."""
        done, total = self.progress.completed, self.progress.total
        return f"{human_size(done)} of {human_size(total)}" if total else ""


class RateMeter:
    """How fast bytes come, over the last SPAN_S seconds."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()

    def add(self, now: float, count: int) -> None:
        """`count` bytes were there at `now`, in seconds of any clock that does not go back. Fewer than before means that
        something began from its start."""
        samples = self._samples
        if samples and count < samples[-1][1]:
            samples.clear()
        samples.append((now, count))
        while len(samples) > 2 and samples[1][0] <= now - SPAN_S:
            samples.popleft()

    @property
    def rate(self) -> float | None:
        """Bytes a second, None while too little time has passed."""
        if not self._samples:
            return None
        (began, first), (now, last) = self._samples[0], self._samples[-1]
        return (last - first) / (now - began) if now - began >= _LEAST_S else None
