"""How many tokens a prompt takes, by estimate, and what of it fits into a context window.

Nobody but the server knows its tokenizer. Until it has counted something of a chat a text is estimated by its script;
after that by its script times what the estimate was wrong by.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tui.core.context_trim import EVERYTHING, ContextTrim, view_of
from tui.core.message import Message, Role
from tui.core.tokens import TURN_TOKENS, Count, TokenSizeCache, estimate

LEAST_ROOM = 256
"""Tokens for the answer without which asking makes no sense."""
PAIRS = 6
"""How many answers back the estimate learns from: a chat may have changed its language since."""
_LEARNT = (0.25, 8.0)
_ENOUGH_TO_LEARN = 64


class TokenBudget:
    """What a prompt takes: `path` is a branch down to the question that is asked or the answer that is continued,
    `model` what it is asked of, `system` the system prompt. `factor` is what was learnt of the model elsewhere, for a
    branch that teaches nothing itself."""

    def __init__(
        self,
        path: Sequence[Message],
        model: str,
        system: str = "",
        view: ContextTrim = EVERYTHING,
        sizes: TokenSizeCache | None = None,
        factor: float = 1.0,
    ) -> None:
        self._sizes = sizes or TokenSizeCache()
        self._model = model
        self.path = path
        self.seen = view.seen(path)
        self._view = view if len(self.seen) < len(path) else EVERYTHING
        told = view.system(path, system)
        self._system = TURN_TOKENS + estimate(told) if told.strip() else 0
        self._counted: Count | None = None
        self._factor = self._learnt() or factor

    @property
    def factor(self) -> float:
        """By how much the estimates of this chat are multiplied, as what the server counted has shown."""
        return self._factor

    def estimated(self, tokens: int) -> int:
        """An estimate with what was learnt."""
        return math.ceil(tokens * self._factor)

    def counted(self, tokens: int, *, exact: bool = True) -> None:
        """The server has counted this prompt, or has shown that it has no fewer tokens (not `exact`)."""
        raw = self._raw(self.seen)
        self._counted = Count(tokens, exact)
        if raw:
            self._factor = _bounded(tokens / raw)

    @property
    def prompt(self) -> Count:
        """Tokens of the prompt."""
        if self._counted is not None:
            return self._counted
        for at in range(len(self.seen) - 1, -1, -1):
            total = self._total_at(self.seen[at])
            if total is None:
                continue
            behind = self.seen[at + 1 :]
            exact = not behind and not self.seen[at].reasoning
            return Count(total + self.estimated(sum(map(self._sizes.of, behind))), exact)
        return Count(self.estimated(self._raw(self.seen)))

    @property
    def used(self) -> Count:
        """Tokens of the window in use after the last answer, what it thought included, as the server counted them; else
        what the prompt would take."""
        last = self.seen[-1] if self.seen else None
        if last is None or self._total_at(last) is None or last.usage.total is None:
            return self.prompt
        return Count(last.usage.total, exact=True)

    def _total_at(self, message: Message) -> int | None:
        """What the server counted up to the end of an answer, less what is not sent back of it."""
        usage = message.usage
        same = message.model == self._model and view_of(message) == self._view
        if message.role is not Role.ASSISTANT or usage.prompt is None or not same:
            return None
        if message.reasoning:
            return usage.prompt + self.estimated(self._sizes.of(message))
        return usage.total

    def _raw(self, messages: Iterable[Message]) -> int:
        return self._system + sum(map(self._sizes.of, messages))

    def _learnt(self) -> float | None:
        """Counted by estimated, of the last answers and of the questions between them."""
        counted = estimated = pairs = 0
        before: Message | None = None  # the answer after the one that is looked at
        between = 0
        for message in reversed(self.path):
            if message.role is not Role.ASSISTANT:
                between += self._sizes.of(message)
                continue
            usage = message.usage
            if message.model != self._model:
                break
            if usage.completion and message.content and usage.prompt is not None:
                counted += usage.completion
                estimated += estimate(message.content) + estimate(message.reasoning)
            if before is not None and before.usage.prompt is not None and usage.total is not None:
                question = before.usage.prompt - usage.total
                same = view_of(before) == view_of(message)
                if same and not message.reasoning and question > between / 8:
                    counted += question
                    estimated += between
            before, between = message, 0
            pairs += 1
            if pairs == PAIRS:
                break
        return _bounded(counted / estimated) if estimated >= _ENOUGH_TO_LEARN and counted else None

    # -- what fits ----------------------------------------------------------------------------------------------------

    def cut(self, limit: int, extra: int = 0) -> Cut | None:
        """Which of the oldest questions and answers to leave out so that the prompt, with `extra` tokens more, takes at
        most `limit`; None if even the newest question alone takes more."""
        groups = exchanges(self.seen)
        sizes = self._group_sizes(groups)
        fixed = self.estimated(self._system) + extra
        count = oldest_to_drop(sizes, fixed, limit)
        if count is None:
            return None
        dropped = tuple(message for group in groups[:count] for message in group)
        return Cut(dropped, fixed + sum(sizes[count:]), sum(sizes[:count]))

    def _group_sizes(self, groups: Sequence[Sequence[Message]]) -> list[int]:
        """Tokens of each question with its answers: what was counted up to its end less what was up to the one before,
        or else the estimate. What was counted for several is shared out by their estimates."""
        sizes: list[int] = []
        before = self.estimated(self._system)
        waiting: list[int] = []
        for place, group in enumerate(groups, 1):
            waiting.append(self.estimated(sum(map(self._sizes.of, group))))
            total = self._total_at(group[-1])
            if total is None and place == len(groups) and self._counted is not None:
                total = self._counted.tokens
            if total is not None and total > before:
                share = (total - before) / max(1, sum(waiting))
                sizes += [math.ceil(size * share) for size in waiting]
                before, waiting = total, []
        return sizes + waiting


@dataclass(frozen=True, slots=True)
class Cut:
    """What is left out: the messages `dropped`, oldest first, of `freed` tokens; the prompt then takes `left`."""

    dropped: tuple[Message, ...]
    left: int
    freed: int

    @property
    def questions(self) -> int:
        """How many questions are among it."""
        return sum(message.role is Role.USER for message in self.dropped)


def exchanges(path: Sequence[Message]) -> list[list[Message]]:
    """Each question with what follows it up to the next; what comes before the first one belongs to it."""
    groups: list[list[Message]] = []
    for message in path:
        if not groups or (message.role is Role.USER and any(each.role is Role.USER for each in groups[-1])):
            groups.append([])
        groups[-1].append(message)
    return groups


SLACK = 0.75
"""What is left out makes room for some questions more, or the next one would not fit again."""


def oldest_to_drop(sizes: Sequence[int], fixed: int, limit: int) -> int | None:
    """How many of the oldest of `sizes` (tokens) to leave out, so that the others and `fixed` take at most `limit`:
    0 if all fit, else enough to leave some of the limit free, and never the last; None if that one does not fit."""
    left = fixed + sum(sizes)
    if left <= limit:
        return 0
    for count, size in enumerate(sizes[:-1], 1):
        left -= size
        if left <= limit * SLACK:
            return count
    return len(sizes) - 1 if len(sizes) > 1 and left <= limit else None


def answer_room(max_tokens: int | None, window: int) -> int:
    """Tokens of the window to keep for the answer: a quarter of what it may have, and no less than is of any use.
    `max_tokens` None or negative = no limit."""
    wanted = (
        LEAST_ROOM
        if max_tokens is None or max_tokens < 0
        else min(max_tokens, max(LEAST_ROOM, max_tokens // 4))
    )
    return min(wanted, window // 2)


def kept_room(max_tokens: int | None, window: int, unsaid: int) -> int:
    """Tokens of the window that a server keeps for the answer by cutting the prompt to the rest: all that the answer may
    have, or `unsaid` where that is not limited, or to more than the window, which is not sent."""
    if max_tokens is not None and 0 < max_tokens < window:
        return max_tokens
    return min(unsaid, window // 2)


def _bounded(factor: float) -> float:
    return min(max(factor, _LEARNT[0]), _LEARNT[1])
