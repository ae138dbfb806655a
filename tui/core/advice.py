"""What to change when a model behaves badly: the table behind `/advise` and the help of the Settings tab, and the exact steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from tui.core.message import Value
from tui.core.parameter import NO_LIMIT, Parameter
from tui.core.parameters import BY_NAME


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


# -- the exact changes ----------------------------------------------------------------------------------------------

STEPS: Mapping[str, float] = {"temperature": 0.2, "top_p": 0.1, "repeat_penalty": 0.2}
"""How far one piece of advice turns a parameter. All others are halved or doubled, but top_k has two aims."""
HIGHEST_PENALTY = 2.0
TOP_K: Mapping[Direction, int] = {Direction.LOWER: 20, Direction.RAISE: 50}
FIRST_LIMIT = 512
"""The tokens of an answer that had no limit, where it is to be shorter."""
SERVERS_OWN: Mapping[str, Value] = {
    "temperature": 0.8, "top_p": 0.9, "top_k": 40, "repeat_penalty": 1.1, "max_tokens": NO_LIMIT,
}  # fmt: skip
"""What a server takes for what it is not told, where it does not say: Ollama's defaults, from which llama.cpp's differ little."""


@dataclass(frozen=True, slots=True)
class ProposedChange:
    """`parameter` goes from `old` to `new`; `assumed` = nothing is sent, and `old` is what the server takes by itself. Where
    `new` is None it stays, and `reason` says why; else the `reason` is what that does."""

    parameter: str
    old: Value | None
    new: Value | None
    reason: str
    assumed: bool = False

    @property
    def words(self) -> str:
        """In a line: `temperature 0.85 → 0.65: predictable, ...`."""
        parameter = BY_NAME[self.parameter]
        if self.new is None:
            return f"{self.parameter}: {self.reason}"
        old = parameter.format(self.old)
        old = f"{old} (the server's default)" if self.assumed else old
        return f"{self.parameter} {old} → {parameter.format(self.new)}: {self.reason}"


def proposed(
    advice: Advice,
    values: Mapping[str, Value],
    usual: Mapping[str, Value],
    why_not: Callable[[str], str],
) -> tuple[ProposedChange, ...]:
    """What the advice comes to with these values in use. `usual` is what the server takes where nothing is sent; `why_not`
    says why it cannot follow a change of a parameter, empty where it can."""
    found = []
    for change in advice.changes:
        name, parameter = change.parameter, BY_NAME[change.parameter]
        old = values.get(name, usual.get(name))
        assumed = name not in values
        reason = why_not(name)
        new = None if reason else _turned(parameter, old, change.direction)
        if new is not None:
            lower = change.direction is Direction.LOWER
            reason = parameter.low_effect if lower else parameter.high_effect
        elif not reason:
            reason = _nothing_left(parameter, old, change.direction)
        found.append(ProposedChange(name, old, new, reason, assumed))
    return tuple(found)


def _turned(parameter: Parameter, old: Value | None, direction: Direction) -> Value | None:
    """The value that advice leads to, inside the parameter's range; None where there is no step left, or nothing to step from."""
    if not isinstance(old, int | float):
        return None
    lower = direction is Direction.LOWER
    new: float
    if parameter.name == "top_k":
        new = TOP_K[direction]
        if old == 0:  # off: all candidates stay
            return int(new) if lower else None
        return int(new) if (new < old if lower else new > old) else None
    if old == NO_LIMIT and parameter.unlimited:
        return FIRST_LIMIT if lower else None
    if (step := STEPS.get(parameter.name)) is not None:
        new = round(old - step if lower else old + step, 4)
        highest = HIGHEST_PENALTY if parameter.name == "repeat_penalty" else parameter.hi
    else:
        new, highest = (old // 2 if lower else old * 2), parameter.hi
    new = min(max(new, parameter.lo), highest)
    if not (new < old if lower else new > old):
        return None
    return parameter.kind(new)  # type: ignore[no-any-return]  # int or float


def _nothing_left(parameter: Parameter, old: Value | None, direction: Direction) -> str:
    lower = direction is Direction.LOWER
    if old is None:
        return "nothing says what it is now"
    if parameter.unlimited and old == NO_LIMIT:
        return "there is no limit that could be raised"
    if parameter.name == "top_k" and old == 0:
        return "is off: all candidates stay already"
    return f"is {parameter.format(old)} already, nothing is left to {direction if lower else 'raise'}"
