"""Regular expressions of a JSON schema, matched in a time that grows with the text and the pattern, never beyond.

A schema is a file from anywhere and the text is a model's: with Python's `re` some pairs of them take years. Here all
ways to match are followed at once (Thompson's simulation). What cannot be matched so, such as lookarounds and back
references, is refused when the pattern is read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from string import hexdigits

from tui.core.work import WorkBudget

MAX_STEPS = 2000
"""How many steps a pattern may have once its counted repeats are written out."""
_MAX_PIECES = 10 * MAX_STEPS
"""How many pieces may be written out, those that come to no step included: `(){9}` has nine."""

_Set = tuple[tuple[int, int], ...]
_DIGITS: _Set = ((48, 57),)
_WORDS: _Set = ((48, 57), (65, 90), (95, 95), (97, 122))
# ECMA-262, white space and line terminators
_BLANKS: _Set = (
    (9, 13), (32, 32), (160, 160), (5760, 5760), (8192, 8202), (8232, 8233), (8239, 8239), (8287, 8287),
    (12288, 12288), (65279, 65279),
)  # fmt: skip
_LINE_ENDS: _Set = ((10, 10), (13, 13), (8232, 8233))
_LAST = 0x10FFFF
_CLASSES = {"d": _DIGITS, "w": _WORDS, "s": _BLANKS}
_CONTROLS = {"n": 10, "r": 13, "t": 9, "f": 12, "v": 11, "0": 0}


class Unmatchable(ValueError):
    """The pattern is none, or one that cannot be matched in a bounded time."""


@dataclass(slots=True)
class _Step:
    """One step of the program: a character `of` a set, `edge` (`^`, `$`, `b`, `B`), a fork to `next` and `other`, or,
    with none of these and no `next`, the end."""

    of: _Set | None = None
    edge: str = ""
    next: int = -1
    other: int = -1


class Pattern:
    """A regular expression of ECMA-262, as JSON Schema has them: found anywhere in a text, by code points."""

    def __init__(self, source: str, budget: WorkBudget | None = None) -> None:
        """Raises Unmatchable, and Exhausted where writing it out takes more than the budget has."""
        self.source = source
        self._steps = _Compiler(source, budget or WorkBudget(2 * _MAX_PIECES)).program()

    def is_in(self, text: str, budget: WorkBudget) -> bool:
        """Whether the text has a match. Raises Exhausted."""
        now: list[int] = []
        seen: set[int] = set()
        for place in range(len(text) + 1):
            self._enter(now, seen, 0, text, place, budget)
            code = ord(text[place]) if place < len(text) else -1
            following: list[int] = []
            seen = set()
            for at in now:
                step = self._steps[at]
                if step.of is None:
                    return True
                budget.spend(1 + len(step.of) // 8)
                if any(low <= code <= high for low, high in step.of):
                    self._enter(following, seen, step.next, text, place + 1, budget)
            now = following
        return False

    def _enter(
        self, states: list[int], seen: set[int], at: int, text: str, place: int, budget: WorkBudget
    ) -> None:
        """Add the steps that take a character, or end, which are reached from `at` without one. `seen` are all steps
        that were reached at this place."""
        left = [at]
        while left:
            at = left.pop()
            budget.spend()
            if at in seen:
                continue
            seen.add(at)
            step = self._steps[at]
            if step.edge:
                if _holds(step.edge, text, place):
                    left.append(step.next)
            elif step.of is None and step.next >= 0:
                left += [step.other, step.next] if step.other >= 0 else [step.next]
            else:
                states.append(at)


def _holds(edge: str, text: str, place: int) -> bool:
    if edge == "^":
        return place == 0
    if edge == "$":
        return place == len(text)
    before = place > 0 and _is_word(text[place - 1])
    after = place < len(text) and _is_word(text[place])
    return (before != after) is (edge == "b")


def _is_word(character: str) -> bool:
    return any(low <= ord(character) <= high for low, high in _WORDS)


_Emit = Callable[[], None]


class _Compiler:
    """Reads a pattern into pieces that write their steps when they are called, so that a repeat is written out again."""

    def __init__(self, source: str, budget: WorkBudget) -> None:
        self._source = source
        self._budget = budget
        self._pieces = 0
        self._at = 0
        self._steps: list[_Step] = []

    def program(self) -> list[_Step]:
        """The steps, the first at 0."""
        try:
            emit = self._alternatives()
            if self._at < len(self._source):
                raise Unmatchable("a parenthesis too many")
            emit()
        except RecursionError as error:
            raise Unmatchable("nested too deep") from error
        self._add(_Step())
        return self._steps

    def _add(self, step: _Step) -> int:
        if len(self._steps) >= MAX_STEPS:
            raise Unmatchable("too large")
        self._steps.append(step)
        return len(self._steps) - 1

    def _write(self, emit: _Emit) -> None:
        """Have a piece write its steps, which may be none."""
        self._pieces += 1
        self._budget.spend()
        if self._pieces > _MAX_PIECES:
            raise Unmatchable("too large")
        emit()

    def _peek(self, text: str) -> bool:
        return self._source.startswith(text, self._at)

    def _take(self, text: str) -> bool:
        if self._peek(text):
            self._at += len(text)
            return True
        return False

    def _next(self) -> str:
        if self._at >= len(self._source):
            raise Unmatchable("it ends too early")
        self._at += 1
        return self._source[self._at - 1]

    def _alternatives(self) -> _Emit:
        choices = [self._sequence()]
        while self._take("|"):
            choices.append(self._sequence())
        return choices[0] if len(choices) == 1 else lambda: self._emit_choices(choices)

    def _emit_choices(self, choices: Sequence[_Emit]) -> None:
        exits = []
        for emit in choices[:-1]:
            fork = self._add(_Step(next=len(self._steps) + 1))
            emit()
            exits.append(self._add(_Step()))
            self._steps[fork].other = len(self._steps)
        choices[-1]()
        for at in exits:
            self._steps[at].next = len(self._steps)

    def _sequence(self) -> _Emit:
        parts: list[_Emit] = []
        while self._at < len(self._source) and not self._peek("|") and not self._peek(")"):
            parts.append(self._repeated(*self._atom()))

        def emit() -> None:
            for part in parts:
                self._write(part)

        return emit

    def _repeated(self, emit: _Emit, is_edge: bool) -> _Emit:
        least, most = self._count()
        if (least, most) == (1, 1):
            return emit
        if is_edge:
            raise Unmatchable("an edge cannot be repeated")
        if self._peek("*") or self._peek("+") or self._peek("?"):
            raise Unmatchable("a repeat of a repeat")
        return lambda: self._emit_repeated(emit, least, most)

    def _count(self) -> tuple[int, int | None]:
        """The quantifier here: how often at least and at most (None: no limit)."""
        found: tuple[int, int | None] = (1, 1)
        if self._take("*"):
            found = (0, None)
        elif self._take("+"):
            found = (1, None)
        elif self._take("?"):
            found = (0, 1)
        elif self._peek("{"):
            least, comma, most = self._source[self._at + 1 :].partition("}")[0].partition(",")
            whole = least + comma + most + "}"
            if not least.isdecimal() or not (most.isdecimal() or not most) or not self._peek("{" + whole):
                return 1, 1  # an ordinary brace
            if max(len(least), len(most)) > 5:
                raise Unmatchable("too large")
            self._at += len(whole) + 1
            found = (int(least), int(most) if most else None if comma else int(least))
            if found[1] is not None and found[1] < found[0]:
                raise Unmatchable("a repeat from more to less")
        else:
            return found
        self._take("?")  # lazy or not, a text matches or does not
        return found

    def _emit_repeated(self, emit: _Emit, least: int, most: int | None) -> None:
        for _ in range(least):
            self._write(emit)
        if most is None:
            fork = self._add(_Step(next=len(self._steps) + 1))
            self._write(emit)
            self._add(_Step(next=fork))
            self._steps[fork].other = len(self._steps)
            return
        forks = []
        for _ in range(most - least):
            forks.append(self._add(_Step(next=len(self._steps) + 1)))
            self._write(emit)
        for fork in forks:
            self._steps[fork].other = len(self._steps)

    def _atom(self) -> tuple[_Emit, bool]:
        """What comes next, and whether it is an edge, which takes no character."""
        character = self._next()
        match character:
            case "(":
                return self._group(), False
            case "[":
                return self._character(self._members()), False
            case ".":
                return self._character(_without(_LINE_ENDS)), False
            case "^" | "$":
                return self._edge(character), True
            case "\\" if self._peek("b") or self._peek("B"):
                return self._edge(self._next()), True
            case "\\":
                return self._character(self._escape()), False
            case "*" | "+" | "?":
                raise Unmatchable("nothing to repeat")
            case _:
                return self._character(((ord(character), ord(character)),)), False

    def _group(self) -> _Emit:
        if self._take("?") and not self._take(":"):
            named = self._take("<") and not (self._peek("=") or self._peek("!"))
            if not named:
                raise Unmatchable("a lookaround")
            while self._next() != ">":
                pass
        emit = self._alternatives()
        if not self._take(")"):
            raise Unmatchable("a parenthesis is open")
        return emit

    def _character(self, of: _Set) -> _Emit:
        return lambda: self._one(_Step(of=of))

    def _edge(self, edge: str) -> _Emit:
        return lambda: self._one(_Step(edge=edge))

    def _one(self, step: _Step) -> None:
        at = self._add(step)
        self._steps[at].next = at + 1

    def _escape(self) -> _Set:
        """The characters that an escape stands for, its backslash taken."""
        letter = self._next()
        if letter.lower() in _CLASSES:
            ranges = _CLASSES[letter.lower()]
            return ranges if letter.islower() else _without(ranges)
        if letter in _CONTROLS:
            return ((_CONTROLS[letter], _CONTROLS[letter]),)
        if letter in "xu":
            count = 2 if letter == "x" else 4
            digits = self._source[self._at : self._at + count]
            if len(digits) < count or not set(digits) <= set(hexdigits):
                raise Unmatchable("half an escape")
            self._at += count
            return ((int(digits, 16), int(digits, 16)),)
        if letter.isalnum():
            raise Unmatchable("a back reference or an unknown escape")
        return ((ord(letter), ord(letter)),)

    def _members(self) -> _Set:
        """The characters of a class, its `[` taken."""
        negated = self._take("^")
        found: list[tuple[int, int]] = []
        while not self._take("]"):
            low = self._member()
            if self._peek("-") and not self._peek("-]") and len(low) == 1 and low[0][0] == low[0][1]:
                self._at += 1
                high = self._member()
                if len(high) != 1 or high[0][0] != high[0][1] or high[0][0] < low[0][0]:
                    raise Unmatchable("a range of no characters")
                low = ((low[0][0], high[0][0]),)
            found += low
        return _without(tuple(found)) if negated else tuple(found)

    def _member(self) -> _Set:
        character = self._next()
        if character != "\\":
            return ((ord(character), ord(character)),)
        if self._take("b"):
            return ((8, 8),)
        return ((45, 45),) if self._take("-") else self._escape()


def _without(ranges: _Set) -> _Set:
    """All other characters."""
    left: list[tuple[int, int]] = []
    start = 0
    for low, high in sorted(ranges):
        if low > start:
            left.append((start, low - 1))
        start = max(start, high + 1)
    if start <= _LAST:
        left.append((start, _LAST))
    return tuple(left)
