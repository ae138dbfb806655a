"""The guard before one prompt that is asked of several at once: none is asked before it fits them all, or the person has
said what is to be done for the one that it fits least."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from textual.message import Message as UiMessage

from tui.chat import overflow
from tui.chat.state import Desk, Link
from tui.core.attaching import is_picture
from tui.core.budget import Budget
from tui.core.text import safe_name
from tui.core.tokens import IMAGE_TOKENS
from tui.ui.chat.guard import Guarded, Held
from tui.ui.work import begin

if TYPE_CHECKING:
    from tui.core.request import ChatRequest


@dataclass(slots=True)
class Joint(Held):
    """What is asked of several. `whose` names those whom it does not fit, where others can be asked; `others` = there are
    such of whom nothing is known yet. `loads` = the model is being loaded anew for it; `spares` = those whom it does not
    fit are not asked."""

    others: bool = False
    whose: str = ""
    loads: bool = False
    spares: bool = False


@dataclass(frozen=True, slots=True)
class TooLong:
    """By how many tokens (`over`) the prompt does not fit the `window` of whom the `desk` asks."""

    over: int
    desk: Desk
    budget: Budget
    window: int


async def too_long(desk: Desk, budget: Budget, request: ChatRequest | None) -> TooLong | None:
    """None = it fits, or nobody knows the window. The server is only asked to count where more than half of the window
    is taken, and where it can."""
    window, connection = overflow.window_of(desk), desk.connection
    if window is None or connection is None:
        return None
    limit = window - overflow.room_of(desk, window)
    if budget.prompt.tokens <= min(limit, window // 2):
        return None
    if request is not None and connection.server.capabilities.counts_tokens:
        tokens = await connection.server.count_tokens(request)
        if tokens is not None:
            pictures = sum(is_picture(file) for message in budget.seen for file in message.attachments)
            budget.counted(tokens + pictures * IMAGE_TOKENS, exact=not pictures)
    over = budget.prompt.tokens - limit
    return TooLong(over, desk, budget, window) if over > 0 else None


class Several(Guarded):
    """A guard that can hold one prompt for several."""

    class Weighed(UiMessage):
        """It is known whom what is held does not fit; `count` were looked at."""

        def __init__(self, held: Joint, found: tuple[TooLong, ...], count: int) -> None:
            super().__init__()
            self.held = held
            self.found = found
            self.count = count

    @property
    def doing(self) -> str:
        """What a running answer or the guard is doing, in words; empty for nothing."""
        if isinstance(self._held, Joint) and self._held.loads:
            return "loading the model"
        return super().doing

    @property
    def why_held(self) -> str:
        """Why neither another answer nor another branch can be had while something is held; empty if nothing is."""
        if isinstance(self._held, Joint) and self._held.loads:
            return f"The model is being loaded: {self._desk.key('answer.stop')} ends it"
        return super().why_held

    def hold(self, held: Joint, desks: Sequence[Desk]) -> None:
        """Send it, once it is sure that it fits all whom the `desks` ask. A short one is not held up."""
        if all(self._surely_fits(held, desk) for desk in desks):
            self._let_go(held)
            return
        self._held = held
        begin(self, partial(self._weigh, held, desks), "count", ended=partial(self.hold_no_more, held))
        self.post_message(self.Changed())

    def _surely_fits(self, held: Joint, desk: Desk) -> bool:
        window, budget = overflow.window_of(desk), self.budget_of(held.path, desk)
        if window is None or budget is None:
            return not self._may_know_window(desk)
        return budget.prompt.tokens <= min(window - overflow.room_of(desk, window), window // 2)

    def _may_know_window(self, desk: Desk) -> bool:
        """Whether the server was not yet asked for the window of that model."""
        return desk.connection is not None and desk.window is None and desk.model != self._desk.model

    async def _weigh(self, held: Joint, desks: Sequence[Desk]) -> None:
        from tui.servers.choice import window_of

        found = []
        for desk in desks:
            asked = desk
            if desk.connection is not None and self._may_know_window(desk):
                asked = replace(desk, window=await window_of(desk.connection.server, desk.model))
            budget = self.budget_of(held.path, asked)
            if budget is not None:
                found.append(await too_long(asked, budget, self.request_of(held.path, asked)))
        self.post_message(self.Weighed(held, tuple(each for each in found if each is not None), len(desks)))

    def on_several_weighed(self, event: Weighed) -> None:
        """Send it, or ask what is to be done for the one that it fits least."""
        event.stop()
        held, found = event.held, event.found
        if held is not self._held:
            return
        if not found:
            self._let_go(held)
            return
        least = max(found, key=lambda each: each.over)
        held.desk, held.budget, held.window = least.desk, least.budget, least.window
        if held.others or len(found) < event.count:
            held.whose = _names([each.desk for each in found], self._desk.model)
        self._offer(held)

    def _let_go(self, held: Held) -> None:
        if isinstance(held, Joint) and held.case is not None and self._desk.link is Link.STARTING:
            # Each asks the server itself, so there has to be one first.
            held.case, held.loads = None, True
            self.show_choice(None)
            self.post_message(self.Changed())
        else:
            super()._let_go(held)

    def take_desk(self, desk: Desk) -> None:
        """Take the new desk; what waited for the model is asked now, or comes back."""
        super().take_desk(desk)
        held = self._held
        if not isinstance(held, Joint) or not held.loads:
            return
        if desk.link is Link.CONNECTED:
            self._let_go(held)
        elif desk.link is Link.NONE:
            self._take_back()


def _names(desks: Sequence[Desk], usual: str) -> str:
    """`creative and technical@qwen2.5:7b`."""
    names = [
        safe_name(desk.preset.name, 40) + (f"@{safe_name(desk.model, 60)}" if desk.model != usual else "")
        for desk in desks
    ]
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
