"""What to change when a model behaves badly: the table behind the help of the Settings tab."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Direction(StrEnum):
    """Which way a parameter is to be turned."""

    LOWER = "lower"
    RAISE = "raise"


@dataclass(frozen=True, slots=True)
class Change:
    """A parameter, by its canonical name, and the way to turn it."""

    parameter: str
    direction: Direction


@dataclass(frozen=True, slots=True)
class Advice:
    """`symptom` goes on from “the model ...”; `changes` come with the likeliest help first; `text` says them in words."""

    symptom: str
    changes: tuple[Change, ...]
    text: str


_LOWER, _RAISE = Direction.LOWER, Direction.RAISE

ADVICE: tuple[Advice, ...] = (
    Advice(
        "makes things up",
        (Change("temperature", _LOWER), Change("top_p", _LOWER)),
        "Lower temperature and top_p: only likely words remain, and fewer facts are invented.",
    ),
    Advice(
        "repeats itself",
        (Change("repeat_penalty", _RAISE),),
        "Raise repeat_penalty, to 1.5–2.0 if need be: words that came lately get less likely.",
    ),
    Advice(
        "is slow",
        (Change("max_tokens", _LOWER), Change("context_window", _LOWER)),
        "Lower max_tokens and the context window: less to write, less to read, less memory.",
    ),
    Advice(
        "makes too many mistakes",
        (Change("top_k", _LOWER),),
        "Lower top_k to about 20: fewer unlikely words are chosen from.",
    ),
    Advice(
        "gives answers that are too much alike",
        (Change("top_k", _RAISE),),
        "Raise top_k to about 50: more candidates, more varied answers.",
    ),
    Advice(
        "stops in mid-sentence",
        (Change("max_tokens", _RAISE),),
        "Raise max_tokens: the answer ran into its limit.",
    ),
    Advice(
        "writes too much",
        (Change("max_tokens", _LOWER),),
        "Lower max_tokens: the answer has to come to its point.",
    ),
)


def about(parameter: str) -> tuple[Advice, ...]:
    """The advice that turns `parameter`, for the help beside it."""
    return tuple(
        advice for advice in ADVICE if any(change.parameter == parameter for change in advice.changes)
    )
