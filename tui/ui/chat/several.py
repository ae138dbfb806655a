"""The guard before one prompt that is asked of several at once: none is asked before it fits them all, or the person has
said what is to be done for the one that it fits least."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from textual.message import Message as UiMessage

from tui.chat import overflow
from tui.chat.state import ClientState, ConnectionStatus
from tui.core.attaching import is_picture
from tui.core.budget import Budget
from tui.core.text import safe_name
from tui.core.tokens import IMAGE_TOKENS
from tui.ui.chat.guard import Guarded, Held
from tui.ui.state import ScreenState
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
    """By how many tokens (`over`) the prompt does not fit the `window` of whom the `state` asks."""

    over: int
    state: ClientState
    budget: Budget
    window: int


async def too_long(state: ClientState, budget: Budget, request: ChatRequest | None) -> TooLong | None:
    """None = it fits, or nobody knows the window. The server is only asked to count where more than half of the window
    is taken, and where it can."""
    window, connection = overflow.window_of(state), state.connection
    if window is None or connection is None:
        return None
    limit = window - overflow.room_of(state, window)
    if budget.prompt.tokens <= min(limit, window // 2):
        return None
    if request is not None and connection.server.capabilities.counts_tokens:
        tokens = await connection.server.count_tokens(request)
        if tokens is not None:
            pictures = sum(is_picture(file) for message in budget.seen for file in message.attachments)
            budget.counted(tokens + pictures * IMAGE_TOKENS, exact=not pictures)
    over = budget.prompt.tokens - limit
    return TooLong(over, state, budget, window) if over > 0 else None


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
            return f"The model is being loaded: {self._state.key('answer.stop')} ends it"
        return super().why_held

    def hold(self, held: Joint, states: Sequence[ClientState]) -> None:
        """Send it, once it is sure that it fits all whom the `states` ask. A short one is not held up."""
        if all(self._surely_fits(held, state) for state in states):
            self._let_go(held)
            return
        self._held = held
        begin(self, partial(self._weigh, held, states), "count", ended=partial(self.hold_no_more, held))
        self.post_message(self.Changed())

    def _surely_fits(self, held: Joint, state: ClientState) -> bool:
        window, budget = overflow.window_of(state), self.budget_of(held.path, state)
        if window is None or budget is None:
            return not self._may_know_window(state)
        return budget.prompt.tokens <= min(window - overflow.room_of(state, window), window // 2)

    def _may_know_window(self, state: ClientState) -> bool:
        """Whether the server was not yet asked for the window of that model."""
        return state.connection is not None and state.window is None and state.model != self._state.model

    async def _weigh(self, held: Joint, states: Sequence[ClientState]) -> None:
        from tui.servers.connect import window_of

        found = []
        for state in states:
            asked = state
            if state.connection is not None and self._may_know_window(state):
                window = await window_of(state.connection.server, state.model)
                asked = state.with_settings(replace(state.settings, window=window))
            budget = self.budget_of(held.path, asked)
            if budget is not None:
                found.append(await too_long(asked, budget, self.request_of(held.path, asked)))
        self.post_message(self.Weighed(held, tuple(each for each in found if each is not None), len(states)))

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
        held.state, held.budget, held.window = least.state, least.budget, least.window
        if held.others or len(found) < event.count:
            held.whose = _names([each.state for each in found], self._state.model)
        self._offer(held)

    def _let_go(self, held: Held) -> None:
        if (
            isinstance(held, Joint)
            and held.case is not None
            and self._state.status is ConnectionStatus.STARTING
        ):
            # Each asks the server itself, so there has to be one first.
            held.case, held.loads = None, True
            self.show_choice(None)
            self.post_message(self.Changed())
        else:
            super()._let_go(held)

    def take_state(self, state: ScreenState) -> None:
        """Take the new state; what waited for the model is asked now, or comes back."""
        super().take_state(state)
        held = self._held
        if not isinstance(held, Joint) or not held.loads:
            return
        if state.status is ConnectionStatus.CONNECTED:
            self._let_go(held)
        elif state.status is ConnectionStatus.NONE:
            self._take_back()


def _names(states: Sequence[ClientState], usual: str) -> str:
    """`creative and technical@qwen2.5:7b`."""
    names = [
        safe_name(state.preset.name, 40) + (f"@{safe_name(state.model, 60)}" if state.model != usual else "")
        for state in states
    ]
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
