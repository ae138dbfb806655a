"""A figure that was measured and the bar it has to meet; the table and the JSON that are made of them."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` is at best low. `bar` is the most it may be, None = told for the other figures' sake; `aim` is where it
    should get to. A value that is at best high has `least`, the least it may be, instead. `lowest` and `highest` are those of the single runs."""

    bench: str
    what: str
    value: float
    unit: str = ""
    bar: float | None = None
    aim: float | None = None
    lowest: float | None = None
    highest: float | None = None
    note: str = ""
    least: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the bar is met."""
        return (self.bar is None or self.value <= self.bar) and (
            self.least is None or self.value >= self.least
        )

    @property
    def verdict(self) -> str:
        """The bar, and how the value stands to it, in a word."""
        if self.bar is None and self.least is None:
            return ""
        return "MISSED" if not self.holds else "aim" if self.aim is None or self.value <= self.aim else "ok"


def median(
    bench: str,
    what: str,
    values: Sequence[float],
    unit: str = "",
    bar: float | None = None,
    aim: float | None = None,
    note: str = "",
) -> Figure:
    """The median of several runs."""
    return Figure(bench, what, statistics.median(values), unit, bar, aim, min(values), max(values), note)


def ratio(
    bench: str,
    what: str,
    ours: Sequence[float],
    theirs: Sequence[float],
    bar: float | None = None,
    aim: float | None = None,
    note: str = "",
    least: float | None = None,
) -> Figure:
    """Our median over theirs. The runs were taken in turns, so each pair gives a ratio too: their lowest and highest."""
    pairs = [our / their for our, their in zip(ours, theirs, strict=True)]
    value = statistics.median(ours) / statistics.median(theirs)
    return Figure(bench, what, value, "x", bar, aim, min(pairs), max(pairs), note, least)


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that `percent` of the values do not pass (nearest rank)."""
    ranked = sorted(values)
    return ranked[max(0, -int(-len(ranked) * percent // 100) - 1)]


def row(figure: Figure) -> str:
    """One line of the table."""
    spread = ""
    if figure.lowest is not None and figure.highest is not None:
        spread = f"{_number(figure.lowest)}-{_number(figure.highest)}"
    bar = "" if figure.bar is None else f"<= {_number(figure.bar)}"
    if figure.least is not None:
        bar = f">= {_number(figure.least)}"
    aim = "" if figure.aim is None else f"aim {_number(figure.aim)}"
    cells = (
        f"{figure.bench:8} {figure.what:58} {_number(figure.value):>8} {figure.unit:6}"
        f"{spread:>16}  {bar:9}{aim:9} {figure.verdict:7} {figure.note}"
    )
    return cells.rstrip()


def as_json(figures: Sequence[Figure], circumstances: Mapping[str, object]) -> str:
    """All figures, and what they were measured with."""
    entries = [{**asdict(figure), "holds": figure.holds} for figure in figures]
    return json.dumps({**circumstances, "figures": entries}, indent=2, ensure_ascii=False) + "\n"


def _number(value: float) -> str:
    if value == int(value) or abs(value) >= 1000:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 100 else f"{value:.2f}"
