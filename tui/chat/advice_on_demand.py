"""The advisor of a chat, loaded when it is asked for: most chats never do."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tui.chat.answer_signs import sign_of
from tui.chat.events import Notice
from tui.chat.open_chat import OpenChat
from tui.chat.state import ClientState
from tui.core.message import Message

if TYPE_CHECKING:
    from tui.chat.advisor import Advisor, Listener


class AdviceOnDemand:
    """One a chat controller."""

    def __init__(self, chat: OpenChat, listener: Listener, ask_again: Callable[[ClientState], None]) -> None:
        """As for `Advisor`."""
        self._chat = chat
        self._listener = listener
        self._ask_again = ask_again
        self._advisor: Advisor | None = None
        self._said: set[tuple[str, str]] = set()

    def run(self, argument: str) -> None:
        """See `Advisor.run`. Raises UsageError."""
        if self._advisor is None:
            from tui.chat.advisor import Advisor

            self._advisor = Advisor(self._chat, self._listener, self._ask_again)
        self._advisor.run(argument)

    @property
    def is_open(self) -> bool:
        """Whether it is asked what is to be changed."""
        return self._advisor is not None and self._advisor.is_open

    def close(self) -> bool:
        """Ask that no longer; False if it was not asked."""
        return self._advisor is not None and self._advisor.close()

    def answered(self, message: Message) -> None:
        """An answer has ended. What it shows of what is wrong with it is said, once a chat."""
        if self._advisor is not None:
            self._advisor.answered(message)
        if self.is_open or self._chat.session is None:
            return
        sign, chat_id = sign_of(message), self._chat.session.conversation.id
        if sign and (chat_id, sign) not in self._said:
            self._said.add((chat_id, sign))
            hint = self._listener.command_hint("advise")
            ways = f"; {hint} says what helps" if hint else ""
            self._listener.hear(Notice(f"The answer {sign}{ways}", "second"))
