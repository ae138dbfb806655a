"""The start: to the first frame, to the first key that counts; what lokal takes when it then does nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass

from tests.bench.figure import Figure, median, ratio
from tests.bench.stage import QUESTION, Stage
from tests.bench.watched import Watched

_FRAME = r"Chat +Models +Settings"
_LOKAL_FRAME = _FRAME + r".*\n›"
IDLE_S = 10.0
_KEYS = "abcdefghijklmnopqrstuvwxyz"
"""One is typed as soon as there is a frame; another each time, or the frame that was kept of last time could show it."""


@dataclass(frozen=True, slots=True)
class _Start:
    """Seconds from exec."""

    frame: float
    ready: float


def _started(program: Watched, frame: str, key: str, echo: str) -> _Start:
    with program:
        frame_at = program.seen(frame)
        program.send(key)
        ready_at = program.seen(echo)
        return _Start(frame_at - program.started_at, ready_at - program.started_at)


def startup(stage: Stage) -> list[Figure]:
    """Exec to the first frame and to a key in the composer, against the smallest Textual app."""
    bare: list[_Start] = []
    ours: list[_Start] = []
    home = stage.home(stage.fast)
    for run in range(stage.runs + 1):
        # A line that begins with the key: with the frame of the text area, with the mark of the composer.
        key = _KEYS[run % len(_KEYS)]
        bare.append(_started(stage.bare(), _FRAME, key, f"\n▊ {key} "))
        ours.append(_started(stage.lokal(home=home), _LOKAL_FRAME, key, f"\n› {key}"))
    bare, ours = bare[1:], ours[1:]
    frames, bare_frames = [start.frame for start in ours], [start.frame for start in bare]
    ready, bare_ready = [start.ready for start in ours], [start.ready for start in bare]
    return [
        ratio("start", "exec to the painted frame / bare Textual app", frames, bare_frames, 0.15),
        ratio("start", "exec to a key in the composer / bare Textual app", ready, bare_ready, 1.15, 1.0),
        median("start", "exec to the painted frame", [s * 1000 for s in frames], "ms"),
        median("start", "exec to a key in the composer", [s * 1000 for s in ready], "ms"),
        median("start", "bare app: exec to the first frame", [s * 1000 for s in bare_frames], "ms"),
        median("start", "bare app: exec to a key in the text area", [s * 1000 for s in bare_ready], "ms"),
    ]


def memory(stage: Stage) -> list[Figure]:
    """What it holds when it is connected and nobody has asked anything."""
    ours: list[tuple[float, float]] = []
    bare: list[tuple[float, float]] = []
    for _ in range(min(stage.runs, 3)):
        with stage.lokal(home=stage.home(stage.fast)) as watched:
            watched.seen("Connected")
            watched.quiet(1.5)
            ours.append(watched.memory_mb())
        with stage.bare() as watched:
            watched.seen(_FRAME)
            time.sleep(1.5)  # its cursor blinks: it is never quiet
            bare.append(watched.memory_mb())
    return [
        median("memory", "resident memory, connected", [rss for rss, _ in ours], "MB", 55),
        median("memory", "proportional share of it (PSS)", [pss for _, pss in ours], "MB", 55),
        median("memory", "bare Textual app, resident", [rss for rss, _ in bare], "MB"),
        median("memory", "bare Textual app, PSS", [pss for _, pss in bare], "MB"),
    ]


def idle(stage: Stage) -> list[Figure]:
    """Nothing happens: nothing is written and nobody wakes up, before a question and after its answer."""
    figures = []
    with stage.lokal("--set=max_tokens=50", home=stage.home(stage.slow)) as watched:
        watched.seen("Connected")
        watched.quiet(2.0)
        figures += _idle(watched, stage, "connected")
        mark = watched.chunks
        watched.send(QUESTION + "\r")
        watched.seen("answering")
        watched.send("\x1b")
        watched.seen("stopped by you")
        watched.quiet(3.0, after=mark)
        figures += _idle(watched, stage, "after an answer")
    return figures


def _idle(watched: Watched, stage: Stage, when: str) -> list[Figure]:
    seconds = 3.0 if stage.quick else IDLE_S
    mark, wakeups = watched.chunks, watched.wakeups()
    time.sleep(seconds)
    written = sum(len(chunk.data) for chunk in watched.since(mark))
    woken = watched.wakeups() - wakeups
    return [
        Figure("idle", f"bytes written in {seconds:.0f} s, {when}", written, "bytes", 0),
        Figure("idle", f"wake-ups of all threads in {seconds:.0f} s, {when}", woken, "", 0),
    ]
