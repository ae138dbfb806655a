"""Walking through the messages by key: where the cursor is, what is said of it, and which key does what there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events

from tui.core.commands import BY_ID
from tui.core.message import Message, Role
from tui.core.text import count_of
from tui.errors import LokalError
from tui.ui.chat.inline_editor import InlineEditor
from tui.ui.chat.message_actions import MessageActions
from tui.ui.keys import named_by
from tui.ui.transcript.cursor_target import CursorTarget
from tui.ui.transcript.view import Transcript

if TYPE_CHECKING:
    from tui.chat.commands import CommandRegistry
    from tui.core.conversation import Conversation
    from tui.ui.chat.view import ChatView
    from tui.ui.terminal.clipboard import Delivery

_MAY_HAVE_CODE = ("```", "~~~", "    ", "\t", "\\[", "$$", "\\begin{")


class MessageCursor:
    """The cursor is on a message of the open branch or on one of its code blocks, or nowhere."""

    def __init__(self, pane: ChatView, registry: CommandRegistry) -> None:
        """Its commands, and those about a message, are added to the `registry`."""
        self._pane = pane
        self._registry = registry
        self._mark: CursorTarget | None = None
        self._was_at_end = False
        self.edits = InlineEditor(pane)
        self.message_actions = MessageActions(pane, self)
        keys = pane.state.keys
        self._does = {
            keys[id]: id for id, command in BY_ID.items() if command.where == "messages" and id in keys
        }
        self._add_commands(registry)
        self.message_actions.add_commands(registry)

    def _add_commands(self, registry: CommandRegistry) -> None:
        registry.add("messages.enter", lambda _: self.enter())
        registry.add("messages.leave", lambda _: self.escape())
        registry.add("message.previous", lambda _: self._step(-1))
        registry.add("message.next", lambda _: self._step(1))
        registry.add("block.previous", lambda _: self._step_block(-1))
        registry.add("block.next", lambda _: self._step_block(1))
        registry.add("sibling.previous", lambda _: self._step_sibling(-1))
        registry.add("sibling.next", lambda _: self._step_sibling(1))
        registry.add("message.left", lambda _: self._go_sideways(-1))
        registry.add("message.right", lambda _: self._go_sideways(1))
        registry.add("message.fold", lambda _: self._fold())

    # -- where it is ------------------------------------------------------------------------------------------------

    @property
    def mark(self) -> CursorTarget | None:
        """Where the cursor is; None while nobody walks."""
        return self._mark

    @property
    def message(self) -> Message | None:
        """The message under the cursor, or the last one of the open branch while nobody walks; None in an empty chat."""
        session = self._pane.session
        if session is None:
            return None
        chat = session.conversation
        if self._mark is not None and self._mark.entry_id in chat:
            return chat[self._mark.entry_id]
        return chat.leaf

    @property
    def label(self) -> str:
        """What the rule over the composer says of it; empty while nobody walks."""
        if self.edits.is_open:
            return self.edits.label
        if self._pane.controller.chat.choosing:
            return ""
        chat, message = self._chat, self.message
        if self._mark is None or chat is None or message is None:
            return ""
        path = [each.id for each in chat.path()]
        place = path.index(message.id) + 1 if message.id in path else len(path)
        said = f"message {place} of {len(path)}"
        blocks = self._view.cursor.blocks(message.id) if self._view.has(message.id) else ()
        if self._mark.block:
            block = next((each for each in blocks if each.number == self._mark.block), None)
            lines = block.lines if block is not None else 0
            said += f" · block [{self._mark.block}], {count_of(lines, 'line')}"
        elif blocks:
            said += f" · {count_of(len(blocks), 'code block')}"
        if not self._pane.controller.chat.is_coming_in(message) and self._view.cursor.is_too_wide(self._mark):
            said += f" · {self._pane.state.key('message.right')} sideways"
        return said

    @property
    def useful(self) -> tuple[str, ...]:
        """The ids of the three commands that make sense where the cursor is; empty while nobody walks."""
        if self.edits.is_open:
            return "send", "messages.leave"
        if self._pane.controller.chat.choosing:
            return ()
        message = self.message
        if self._mark is None or message is None:
            return ()
        if self._mark.block:
            return "message.copy", "message.write", "help"
        if message.role is not Role.ASSISTANT:
            return "message.edit", "message.copy", "help"
        if message.resumable:
            return "message.continue", "message.copy", "help"
        return "message.copy", "message.retry", "help"

    @property
    def _view(self) -> Transcript:
        return self._pane.transcript

    @property
    def _chat(self) -> Conversation | None:
        session = self._pane.session
        return session.conversation if session is not None else None

    def copied(self, delivery: Delivery) -> tuple[str, str]:
        """What is said of a text that was copied, and how: by which way it went, and what else can be done."""
        key = self._pane.state.key
        hint = f"{key('message.write')} writes a file" if not delivery.is_sure else ""
        if self._mark is None:
            hint = f"{key('messages.enter')} {hint}" if delivery.is_too_large else ""
        said = f"{delivery} · {hint}" if hint else str(delivery)
        return said, "warning" if delivery.is_too_large else "accent"

    # -- in and out -------------------------------------------------------------------------------------------------

    def enter(self) -> None:
        """From the composer to the last message; from the messages back."""
        chat = self._chat
        if self._pane.controller.chat.choosing:
            self._choose_first()
        elif self._mark is not None:
            self.leave()
        elif self.edits.is_open:
            self.go_back()
        elif chat is None or chat.leaf is None:
            self._pane.show_notice("There is no message yet")
        else:
            self._was_at_end = self._view.following
            self._pane.screen.set_focus(self._view)
            self.put(CursorTarget(chat.leaf.id))

    def put(self, mark: CursorTarget) -> None:
        """Put the cursor there, in sight."""
        self._mark = mark
        self._view.cursor.put(mark)
        message = self.message
        if message is None or not self._pane.controller.chat.is_coming_in(message):
            # An answer that grows stays at its end, where the news is.
            self._view.cursor.reveal(mark)
        self._pane.notice_bar.clear_notice()
        self.show()

    def show(self) -> None:
        """Say where the cursor is, and which keys are useful there."""
        self._pane.show_position()
        self._pane.post_message(self._pane.Changed())

    def _choose_first(self) -> None:
        """While the person is asked nobody walks."""
        self._pane.show_notice(self._pane.controller.why_held, "warning")
        self._pane.fit_choice.focus()

    def stand_aside(self) -> None:
        """Nobody walks while the person is asked; where the focus goes is not said here. The inline input waits."""
        if self._mark is not None:
            self._end()

    def leave(self) -> None:
        """Back to the composer."""
        self.edits.close()
        self._end()
        self._pane.screen.set_focus(self._pane.composer)

    def escape(self) -> bool:
        """Esc: from the inline input to the messages, from these to the composer. False = there was nothing to leave."""
        if not self.edits.is_open and (self._pane.controller.chat.choosing or self._mark is None):
            return False
        self._pane.notice_bar.clear_notice()
        if self.edits.is_open:
            self.go_back()
        else:
            self.leave()
        return True

    def go_back(self) -> None:
        """From the inline input to where it was opened."""
        back = self.edits.close()
        if back is not None and self._view.has(back.entry_id) and not self._pane.controller.chat.choosing:
            self._pane.screen.set_focus(self._view)
            self._mark = back
            self._view.cursor.put(back)
            self.show()
        else:
            self.leave()

    def follow_branch(self) -> None:
        """The message under the cursor may be shown no more: go to the one in its place, else to the last one."""
        chat, mark = self._chat, self._mark
        if chat is None or mark is None or self._view.has(mark.entry_id):
            return
        beside = chat.siblings(mark.entry_id) if mark.entry_id in chat else ()
        shown = [each.id for each in chat.path() if self._view.has(each.id)]
        place = next((each for each in shown if each in beside), shown[-1] if shown else None)
        if place is not None:
            self.put(CursorTarget(place))
        else:
            self.leave()

    def how_to_stop(self) -> str:
        """What is said where a running answer, or a question that is not sent yet, is in the way."""
        if held := self._pane.controller.why_held:
            return held
        key, keys = self._pane.state.key, self._pane.state.keys
        walking = self._mark is not None and keys.get("messages.leave") == keys.get("answer.stop")
        where = " in the composer" if walking or self.edits.is_open else ""
        return f"An answer is coming in: {key('answer.stop')}{where} stops it"

    def end(self) -> None:
        """Another chat is shown."""
        if self._mark is not None or self.edits.is_open:
            self.leave()

    def _end(self) -> None:
        mark, self._mark = self._mark, None
        chat = self._chat
        self._view.cursor.put(None)
        if mark is not None and chat is not None and self._was_at_end:
            leaf = chat.leaf
            if leaf is None or leaf.id == mark.entry_id:
                self._view.follow()
        self.show()

    def handle_focus(self, has_focus: bool) -> None:
        """The transcript has the focus, or no longer."""
        if has_focus and self._pane.controller.chat.choosing:
            self._choose_first()
        elif has_focus and self._mark is None and not self.edits.is_open:
            chat = self._chat
            if chat is not None and chat.leaf is not None:
                self.enter()
        elif not has_focus and self._mark is not None and not self.edits.is_open:
            self._end()

    def handle_paste(self, text: str) -> None:
        """Text that is pasted is for the composer."""
        self.leave()
        self._pane.composer.post_message(events.Paste(text))

    def handle_key(self, event: events.Key) -> bool:
        """A key while the messages have the focus; what can be written and is no command goes to the composer."""
        id = named_by(event, self._does)
        # What was said to the key before is no answer to this one.
        self._pane.notice_bar.clear_notice()
        block = int(event.character) if event.character and event.character in "123456789" else 0
        if id or block:
            try:
                if id:
                    self._registry.handler(id)("")
                else:
                    self.message_actions.copy_block(block)
            except LokalError as error:
                self._pane.show_notice(str(error), "warning")
        elif event.is_printable and event.character:
            self.leave()
            self._pane.composer.post_message(events.Key(event.key, event.character))
        else:
            return False
        return True

    # -- moving -----------------------------------------------------------------------------------------------------

    def _step(self, by: int) -> None:
        chat, message = self._chat, self.message
        if chat is None or message is None:
            return
        path = [each.id for each in chat.path()]
        at = path.index(message.id) if message.id in path else len(path) - 1
        if by < 0 and self._mark is not None and self._mark.block:
            self.put(CursorTarget(path[at]))  # up from a block: to the message it is in
        elif 0 <= at + by < len(path):
            self.put(CursorTarget(path[at + by]))
        else:
            self.put(CursorTarget(path[at]))
            self._pane.show_notice("This is the first message" if by < 0 else "This is the last message")

    def _step_block(self, by: int) -> None:
        chat, message = self._chat, self.message
        if chat is None or message is None:
            return
        path = list(chat.path())
        at = next((at for at, each in enumerate(path) if each.id == message.id), len(path) - 1)
        current = self._mark.block if self._mark is not None else 0
        numbers = [
            number for number in self._numbers(message) if (number > current if by > 0 else number < current)
        ]
        if not numbers:
            others = path[at + 1 :] if by > 0 else path[:at][::-1]
            message, numbers = next(
                ((each, found) for each in others if (found := self._numbers(each))), (message, [])
            )
        if numbers:
            self.put(CursorTarget(message.id, numbers[0] if by > 0 else numbers[-1]))
        else:
            self._pane.show_notice(
                "There is no code block below" if by > 0 else "There is no code block above"
            )

    def _numbers(self, message: Message) -> list[int]:
        """The numbers of a message's code blocks. Most messages have none, and need not be taken apart to know that."""
        if message.role is not Role.ASSISTANT or not self._view.has(message.id):
            return []
        if not self._pane.controller.chat.is_coming_in(message) and not any(
            sign in message.content for sign in _MAY_HAVE_CODE
        ):
            return []
        return [block.number for block in self._view.cursor.blocks(message.id)]

    def _step_sibling(self, by: int) -> None:
        session, message = self._pane.session, self.message
        if session is None or message is None:
            return
        siblings = session.conversation.siblings(message.id)
        at = siblings.index(message.id) + by
        what = "answer" if message.role is Role.ASSISTANT else "question"
        if len(siblings) == 1:
            self._pane.show_notice(f"There is no other {what} in this place")
        elif not 0 <= at < len(siblings):
            self._pane.show_notice(f"This is the {'first' if by < 0 else 'last'} of {len(siblings)}")
        elif self.message_actions.may_change():
            session.select(siblings[at])
            self._pane.show_branch()
            self.put(CursorTarget(siblings[at]))

    def _go_sideways(self, by: int) -> None:
        if self._mark is None:
            return
        moved = self._view.cursor.move_sideways(self._mark, by * max(1, self._view.size.width // 2))
        if moved is None:
            self._pane.show_notice("Nothing here is wider than the screen")
        elif not moved:
            self._pane.show_notice(
                "This is where the lines begin" if by < 0 else "This is where the longest line ends"
            )

    def _fold(self) -> None:
        if self._mark is None or self._view.cursor.toggle_fold(self._mark) is not None:
            self.show()
        elif self._mark.block:
            self._pane.show_notice("This code block is short enough as it is")
        else:
            self._pane.show_notice("Nothing here is long enough to fold")
