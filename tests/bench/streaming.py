"""A streamed answer: how long it takes, what it costs, and how quick lokal answers the person meanwhile."""

from __future__ import annotations

import random
import re
import time
from dataclasses import dataclass

from tests.bench.figure import Figure, median, percentile, ratio
from tests.bench.paced import Recording
from tests.bench.stage import FAST_RATE, QUESTION, SLOW_RATE, SLOW_TOKENS, Place, Stage
from tests.bench.watched import Watched

_QUIET_S = 1.5
"""A program that has written nothing for so long is done with the answer."""
_KEYS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class _Answered:
    """`seconds` from Enter to the last byte on the terminal; `cpu_s` and `written` (bytes) in that time."""

    seconds: float
    cpu_s: float
    written: int


def _ask(watched: Watched) -> _Answered:
    mark, cpu_s = watched.chunks, watched.cpu_s()
    asked_at = watched.send(QUESTION + "\r")
    watched.finished(_QUIET_S, after=mark + 2)
    chunks = watched.since(mark)
    return _Answered(
        chunks[-1].at - asked_at, watched.cpu_s() - cpu_s, sum(len(chunk.data) for chunk in chunks)
    )


def _ours(stage: Stage, place: Place) -> _Answered:
    with stage.answering(place) as watched:
        answered = _ask(watched)
        screen = watched.screen()
        assert "Esc stop" not in screen, f"the answer has not ended:\n{screen}"
        _has_come(screen, stage.recording.cut(SLOW_TOKENS) if place is stage.slow else stage.recording)
        return answered


def _stock(stage: Stage, place: Place) -> _Answered:
    with stage.stock(place) as watched:
        answered = _ask(watched)
        _has_come(watched.screen(), stage.recording)
        return answered


def _has_come(screen: str, recording: Recording) -> None:
    """The end of the answer is on the screen: nobody was fast by leaving something out."""
    end = re.sub(r"\W", "", recording.text())[-10:]
    assert end in re.sub(r"\W", "", screen), f"{end!r} is not on the screen:\n{screen}"


def fast(stage: Stage) -> list[Figure]:
    """The 4,000 tokens at 800 a second: the pace of a small model on a good machine."""
    curl, ours, stock = [], [], []
    for _ in range(stage.runs):
        curl.append(stage.curl_s(stage.fast))
        ours.append(_ours(stage, stage.fast))
        stock.append(_stock(stage, stage.fast))
    text = len(stage.recording.text().encode())
    tokens = len(stage.recording.tokens)
    name, what = "fast", f"{tokens} tokens at {FAST_RATE}/s"
    cpu, stock_cpu = [run.cpu_s for run in ours], [run.cpu_s for run in stock]
    return [
        ratio(name, f"{what}: time / curl's", [run.seconds for run in ours], curl, 1.05, 1.02),
        ratio(name, f"{what}: processor time / stock Textual app's", cpu, stock_cpu, 0.35),
        median(
            name, f"{what}: bytes written / bytes of text", [run.written / text for run in ours], "x", 10, 5
        ),
        median(name, f"{what}: processor time", cpu, "s"),
        median(name, f"{what}: processor time a token", [s / tokens * 1e6 for s in cpu], "us"),
        median(name, "stock app: processor time", stock_cpu, "s"),
        median(name, "stock app: time", [run.seconds for run in stock], "s"),
        median(name, "stock app: bytes written / bytes of text", [run.written / text for run in stock], "x"),
    ]


def full(stage: Stage) -> list[Figure]:
    """The same from llama-server itself, as fast as it goes; lokal and the server share the processor."""
    curl, ours = [], []
    for _ in range(stage.runs):
        curl.append(stage.curl_s(stage.llama))
        ours.append(_ours(stage, stage.llama))
    tokens = len(stage.recording.tokens)
    what = f"{tokens} tokens at the server's full speed"
    return [
        ratio("full", f"{what}: time / curl's", [run.seconds for run in ours], curl, 1.05, 1.02),
        median("full", f"{what}: to curl", [tokens / s for s in curl], "tok/s"),
        median("full", f"{what}: processor time", [run.cpu_s for run in ours], "s"),
    ]


def slow(stage: Stage) -> list[Figure]:
    """A few hundred tokens at the pace of a processor without a GPU: each may be a frame of its own."""
    text = len(stage.recording.cut(SLOW_TOKENS).text().encode())
    runs = [_ours(stage, stage.slow) for _ in range(min(stage.runs, 2))]
    what = f"{SLOW_TOKENS} tokens at {SLOW_RATE}/s"
    return [
        median(
            "slow",
            f"{what}: bytes written / bytes of text",
            [run.written / text for run in runs],
            "x",
            20,
            10,
        ),
        median(
            "slow", f"{what}: processor time a token", [run.cpu_s / SLOW_TOKENS * 1e6 for run in runs], "us"
        ),
    ]


def echo(stage: Stage) -> list[Figure]:
    """A key typed while 800 tokens a second come in, until it stands in the composer."""
    random_ = random.Random(7)
    waits: list[float] = []
    for _ in range(max(1, stage.runs // 2)):
        with stage.answering(stage.fast) as watched:
            watched.send(QUESTION + "\r")
            watched.seen("answering")
            mark = watched.chunks
            typed = "".join(random_.choices(_KEYS, k=40))
            sent = []
            for key in typed:
                time.sleep(random_.uniform(0.05, 0.15))
                sent.append(watched.send(key))
            watched.quiet(_QUIET_S, after=mark)
            shown = [(at, _composed(screen)) for at, screen in watched.replayed(mark)]
            for count, at in enumerate(sent, 1):
                waits.append(next(when for when, text in shown if len(text) >= count) - at)
    milliseconds = [wait * 1000 for wait in waits]
    what = f"echo of a key meanwhile, {FAST_RATE} tok/s"
    return [
        Figure("echo", f"{what}, 95th percentile", percentile(milliseconds, 95), "ms", 33, 16),
        median("echo", f"{what}, median", milliseconds, "ms"),
    ]


def _composed(screen: str) -> str:
    found = re.findall(r"^› ?(\S*)", screen, re.MULTILINE)
    return found[-1] if found else ""


def stop(stage: Stage) -> list[Figure]:
    """Esc while 800 tokens a second come in, until the screen says that the answer has stopped."""
    waits: list[float] = []
    times = 5 if stage.quick else 20
    random_ = random.Random(7)
    with stage.answering(stage.fast) as watched:
        for number in range(times):
            mark = watched.chunks
            watched.send(QUESTION + "\r")
            watched.seen("answering")
            time.sleep(random_.uniform(0.1, 0.4))
            mark = watched.chunks
            pressed_at = watched.send("\x1b")
            watched.quiet(0.5, after=mark)
            shown = watched.replayed(mark)
            stopped = [at for at, screen in shown if "stopped by you" in screen.split("› ")[0][-800:]]
            assert stopped, f"{number}:\n{watched.screen()}"
            waits.append((stopped[0] - pressed_at) * 1000)
    return [
        Figure("stop", "Esc to the stopped screen, 95th percentile", percentile(waits, 95), "ms", 100),
        median("stop", "Esc to the stopped screen, median", waits, "ms"),
    ]
