"""What reading a file of the person's gives: a value that can be used, and what was wrong on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from tui.errors import LokalError

T = TypeVar("T")
D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class Loaded(Generic[T]):
    """`value` is always usable; `problems` are to be told to the person, in the order of the file."""

    value: T
    problems: tuple[LokalError, ...] = ()


def recover(read: Callable[[], T], default: D, problems: list[LokalError]) -> T | D:
    """What `read` returns, or `default` with its error added to `problems`: a mistake costs only what it concerns."""
    try:
        return read()
    except LokalError as error:
        problems.append(error)
        return default
