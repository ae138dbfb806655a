"""`python -m tests.bench.guide`: how well the guide understands what it was never trained on, and what it costs.

Every question goes through the real engine, greedy with the preset `technical`, as lokal would ask it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.support.guide import Asked, Examiner, after_others, examiner, held, leaning, roundabout, with_typos
from tests.support.llama import children
from tui.guide.training.source import Source, load

_NAMES = {"en": "English", "ru": "Russian", "pl": "Polish", "vi": "Vietnamese", "uz": "Uzbek"}


def main() -> int:
    """Print the table; the exit status is 1 if a bar is missed."""
    source = load()
    missed = 0
    misses: list[str] = []
    with tempfile.TemporaryDirectory() as folder, examiner(Path(folder)) as guide:
        for name, asked, bar in _rows(source):
            right = [one for one in asked if guide.right(one)]
            share = len(right) / len(asked)
            missed += share < bar
            limit = f"   bar {bar:.0%}" if bar else ""
            print(f"{name:38}{share:7.1%} of {len(asked):4}{limit}", flush=True)
            misses += [
                f"  {one.subject.key:26} {one.before and one.before + ' / '}{one.question}"
                for one in asked
                if one not in right
            ]
        same, other = _variety(guide)
        print(f"technical says the same {same:.0%}; creative says it otherwise {other:.0%}")
        memory = _memory(guide)
        missed += memory > 150e6
        print(f"engine memory {memory / 1e6:.0f} MB (resident)   bar 150 MB")
    first = _first_word()
    missed += first > 3
    print(f"lokal ask, to the first word {first:.2f} s   bar 3 s")
    if "--misses" in sys.argv:
        print("\n".join(misses))
    return 1 if missed else 0


def _rows(source: Source) -> Iterator[tuple[str, Sequence[Asked], float]]:
    """What is asked, and the least share that has to be right; 0 = measured without a bar."""
    for language, name in _NAMES.items():
        inside = held(source, language, outside=False)
        yield f"{name}: held phrasings", inside, 0.9 if language == "en" else 0.8
        yield f"{name}: with a typing error", with_typos(inside), 0.8
        yield f"{name}: leaning on the one before", leaning(source, language), 0.8
        yield f"{name}: after another question", after_others(inside), 0
        yield f"{name}: said in a roundabout way", roundabout(source, language), 0
        yield f"{name}: out of scope, refused", held(source, language, outside=True), 0
    everywhere = [one for language in _NAMES for one in held(source, language, outside=True)]
    yield "All languages: out of scope, refused", everywhere, 0.9


def _variety(guide: Examiner) -> tuple[float, float]:
    """The share of repeated answers that are the same with `technical`, and that are not with `creative`."""
    questions = (
        "What does temperature do?",
        "What is a preset?",
        "How do I stop an answer?",
        "What is quantization?",
    )
    same, other, count = 0, 0, 0
    for question in questions:
        first = guide.answer(question, temperature=0.4)
        usual = guide.answer(question, preset="creative", temperature=0.85, seed=1)
        for seed in range(2, 8):
            count += 1
            same += guide.answer(question, temperature=0.4, seed=seed) == first
            other += guide.answer(question, preset="creative", temperature=0.85, seed=seed) != usual
    return same / count, other / count


def _memory(guide: Examiner) -> float:
    """Resident bytes of the process that computes."""
    process = guide.server.pid
    workers = children(process) or [process]
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in workers)
    return float(pages * os.sysconf("SC_PAGE_SIZE"))


def _first_word() -> float:
    """Seconds from the command to the first byte of its answer, in a home that has nothing."""
    times = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as home:
            environ = {**os.environ, "HOME": home, "OLLAMA_HOST": "127.0.0.1:1"}
            environ = {name: value for name, value in environ.items() if not name.startswith("XDG_")}
            start = time.monotonic()
            with subprocess.Popen(
                [sys.executable, "-m", "tui", "ask", "What does temperature do?"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environ,
            ) as process:  # fmt: skip
                assert process.stdout is not None
                assert process.stdout.read(1)
                times.append(time.monotonic() - start)
                process.stdout.read()
    return sorted(times)[1]


if __name__ == "__main__":
    sys.exit(main())
