"""What a person does with a message: copy, write, edit, ask again, go on, branch, delete, bring back."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from tui.chat.chat_files import name_from
from tui.chat.requests import blank_answer
from tui.core.message import Message, Role
from tui.core.presets import after
from tui.core.removal import Removed
from tui.core.text import count_of, safe_line, safe_name
from tui.errors import LokalError, UsageError
from tui.ui.chat.inline_editor import AnswerEdit, FileName, QuestionEdit
from tui.ui.messages import Trouble
from tui.ui.output import CopyWanted
from tui.ui.state import ScreenState
from tui.ui.transcript.cursor_target import CursorTarget
from tui.ui.work import begin

if TYPE_CHECKING:
    from tui.chat.commands import CommandRegistry
    from tui.core.conversation import Conversation
    from tui.ui.chat.message_cursor import MessageCursor
    from tui.ui.chat.view import ChatView


class MessageActions:
    """Each is done to the message under the cursor of the message cursor, or to the last one while nobody walks."""

    def __init__(self, pane: ChatView, walk: MessageCursor) -> None:
        self._pane = pane
        self._cursor = walk

    def add_commands(self, registry: CommandRegistry) -> None:
        """What can be done with a message."""
        registry.add("copy", self.copy)
        registry.add("undo", lambda _: self.undo_delete())
        registry.add("chat.branch", lambda _: self.branch())
        registry.add("message.copy", lambda _: self._copy_marked())
        registry.add("message.copy_all", lambda _: self.copy("all"))
        registry.add("message.write", lambda _: self.write())
        registry.add("message.edit", lambda _: self.edit())
        registry.add("message.view", lambda _: self.look_at())
        registry.add("message.retry", lambda _: self.ask_again())
        registry.add("message.retry_preset", lambda _: self.ask_again_with_preset())
        registry.add("message.retry_model", lambda _: self.ask_again_with_model())
        registry.add("message.continue", lambda _: self.go_on())
        registry.add("message.branch", lambda _: self.branch())
        registry.add("message.prompt", lambda _: self.show_prompt())
        registry.add("message.delete", lambda _: self.delete())
        registry.add("message.undo", lambda _: self.undo_delete())

    def may_change(self) -> bool:
        """Whether another branch can be opened now; says so if not."""
        if self._pane.controller.chat.busy:
            self._pane.show_notice(self._cursor.how_to_stop(), "warning")
        return not self._pane.controller.chat.busy

    # -- out of the chat --------------------------------------------------------------------------------------------

    def show_prompt(self) -> None:
        """What the model saw when it gave the answer under the cursor. Raises UsageError."""
        from tui.ui.chat.prompt_page import show

        message = self._cursor.message
        if message is None or message.role is not Role.ASSISTANT:
            raise UsageError("A question has no prompt of its own", "", "Its answer has: go there")
        show(self._pane, message)

    def copy(self, argument: str = "") -> None:
        """The last answer, or the message under the cursor; `argument` is the number of a code block, or `all`. Raises
        UsageError where there is no such thing."""
        pane, session, wanted = self._pane, self._pane.session, argument.strip()
        message = self._cursor.message if self._cursor.mark is not None else self._last_answer()
        if session is None or message is None:
            raise UsageError("There is nothing to copy yet")
        if wanted == "all":
            chat = session.copy()
            coming = [
                pane.controller.chat.whole(each) for each in chat if pane.controller.chat.is_coming_in(each)
            ]
            for each in coming:
                chat.update(each)
            pane.post_message(CopyWanted(lambda: as_markdown(chat)))
        elif wanted.isdecimal() and len(wanted) < 9:
            self._copy_block(message, int(wanted))
        elif wanted:
            raise UsageError(f"“{safe_line(wanted, 30)}” is no code block: /copy, /copy 2 or /copy all")
        else:
            self._copy_text(message)

    def copy_block(self, number: int) -> None:
        """The code block with that number in the message under the cursor. Raises UsageError."""
        message = self._cursor.message
        if message is not None:
            self._copy_block(message, number)

    def _copy_marked(self) -> None:
        mark = self._cursor.mark
        if mark is not None and mark.block:
            self.copy_block(mark.block)
        else:
            self.copy()

    def _copy_text(self, message: Message) -> None:
        text = self._pane.controller.chat.whole(message).content
        if text.strip():
            self._pane.post_message(CopyWanted(lambda: text))
        else:
            raise UsageError("This answer has no text")

    def _copy_block(self, message: Message, number: int) -> None:
        self._pane.post_message(CopyWanted(self._block(message, number)))

    def _block(self, message: Message, number: int) -> Callable[[], str]:
        """What gives the text of a code block, where it may take its time. Raises UsageError if there is none."""
        # As it is shown: there its blocks are numbered.
        has_blocks = message.role is Role.ASSISTANT and self._pane.transcript.has(message.id)
        text = self._pane.transcript.plain_text(message.id) if has_blocks else ""
        count = len(self._pane.transcript.cursor.blocks(message.id)) if has_blocks else 0
        if not 1 <= number <= count:
            if not count:
                raise UsageError("There is no code block in this message")
            there = "only [1]" if count == 1 else f"[1] to [{count}]"
            raise UsageError(f"There is no code block [{number}] in this message: there is {there}")

        def make() -> str:
            from tui.core.codeblocks import code_blocks, numbered

            block = numbered(code_blocks(text), number)
            return block.text if block is not None else ""

        return make

    def write(self) -> None:
        """Ask for the name of a file for the message or code block. Raises UsageError where there is nothing to write."""
        pane, session, message, mark = self._pane, self._pane.session, self._cursor.message, self._cursor.mark
        if session is None or message is None:
            return
        number = mark.block if mark is not None else 0
        text = pane.controller.chat.whole(message).content
        if number:
            make = self._block(message, number)
            block = next(
                (each for each in pane.transcript.cursor.blocks(message.id) if each.number == number), None
            )
            if block is not None:
                from tui.core.codeblocks import suffix_of

                name = f"block-{number}.{suffix_of(block.info)}"
                pane.message_cursor.edits.open(FileName(pane, f"block [{number}]", make), name, mark)
        elif text.strip():
            pane.message_cursor.edits.open(
                FileName(pane, "message", lambda: text), name_from(session.conversation.title), mark
            )
        else:
            raise UsageError("This answer has no text")

    def look_at(self) -> None:
        """Open the message in the person's editor, to read."""
        message = self._cursor.message
        if message is not None:
            text = self._pane.controller.chat.whole(message).content
            begin(self._pane, partial(self._look_at, text), "editor")

    async def _look_at(self, text: str) -> None:
        from tui.ui.editor import edit_text

        try:
            await edit_text(self._pane.app, text, read_only=True)
        except LokalError as error:
            self._pane.post_message(Trouble(error))

    # -- other questions and answers --------------------------------------------------------------------------------

    def edit(self) -> None:
        """Let the message be written anew; what it was stays beside it."""
        pane, message = self._pane, self._cursor.message
        if message is None or not self.may_change():
            return
        question = message.role is not Role.ASSISTANT
        purpose = QuestionEdit(pane, message) if question else AnswerEdit(pane, message)
        pane.message_cursor.edits.open(purpose, pane.message_cursor.edits.begun(message), self._cursor.mark)

    def ask_again(self, state: ScreenState | None = None) -> None:
        """Ask for another answer in this place, with another state than the next question's if one is given."""
        pane, session, message = self._pane, self._pane.session, self._cursor.message
        if session is None or message is None or not self.may_change():
            return
        answer = message if message.role is Role.ASSISTANT else None
        question = session.conversation[answer.parent] if answer is not None and answer.parent else message
        silent = answer is not None and not answer.content and not answer.reasoning
        if question.role is Role.ASSISTANT:
            pane.show_notice("There is no question before this answer", "warning")
            return
        self._cursor.leave()
        # One that failed without a word is tried anew, any other gets a sibling.
        again = answer is not None and silent and answer is session.conversation.leaf
        pane.answer_again(answer if again and answer is not None else blank_answer(question.id), state)
        if state is None:
            return
        pane.show_notice(
            f"with {safe_name(state.preset.name, 40)} on {safe_name(state.model, 60)}, this once", "accent"
        )

    def ask_again_with_preset(self) -> None:
        """Another answer, with the preset after the one that this answer was asked with."""
        pane, message, state = self._pane, self._cursor.message, self._pane.state
        if message is None or not self._has_server():
            return
        used = (
            message.preset
            if message.preset in [preset.name for preset in state.presets]
            else state.preset.name
        )
        if len(state.presets) == 1:
            pane.show_notice(f"There is no other preset than {used}", "warning")
            return
        preset = after(state.presets, used)
        self.ask_again(state.with_settings(replace(state.settings, preset=preset, unsaved=False)))

    def ask_again_with_model(self) -> None:
        """Another answer, of the model that comes after this one in the server's list."""
        pane, message, state = self._pane, self._cursor.message, self._pane.state
        if message is None or state.connection is None or not self._has_server():
            self._has_server()
            return
        names = [model.name for model in state.connection.models]
        used = message.model if message.model in names else state.model
        others = [name for name in names if name != used]
        if not others:
            pane.show_notice(f"This server has no other model than {safe_name(used, 60)}", "warning")
            return
        next_name = names[(names.index(used) + 1) % len(names)] if used in names else others[0]
        window = state.window if next_name == state.model else None
        self.ask_again(state.with_settings(replace(state.settings, model=next_name, window=window)))

    def _has_server(self) -> bool:
        if self._pane.state.connection is None:
            self._pane.show_notice(f"No server answers: {self._key('server.search')} looks again", "warning")
        return self._pane.state.connection is not None

    def go_on(self) -> None:
        """Continue an answer that was stopped or cut. Where the chat went on, it is continued beside itself."""
        session, message = self._pane.session, self._cursor.message
        if session is None or message is None or not self.may_change():
            return
        if message.role is not Role.ASSISTANT:
            self._pane.show_notice(
                f"A question cannot be continued: {self._key('message.edit')} edits it", "warning"
            )
        elif not message.resumable:
            why = "It has no text yet" if not message.content else "This answer is complete"
            self._pane.show_notice(f"{why}: {self._key('message.retry')} asks for another", "warning")
        elif message is session.conversation.leaf:
            self._cursor.leave()
            self._pane.continue_answer(message)
        else:
            self._cursor.leave()
            self.go_on_from(message, message.content, edited=False)

    def go_on_from(self, message: Message, text: str, *, edited: bool) -> None:
        """Let an answer beside this one begin with `text` and go on."""
        session = self._pane.session
        if session is not None:
            with session.together():
                copy = session.add_copy(message, text, time.time(), edited=edited)
                self._pane.controller.outbox.save()  # where it is being edited no longer
            self._pane.show_branch()
            self._pane.continue_answer(copy)

    # -- the tree ---------------------------------------------------------------------------------------------------

    def branch(self) -> None:
        """Open a new chat with copies of all up to here."""
        pane, session, message = self._pane, self._pane.session, self._cursor.message
        if session is None or message is None:
            pane.show_notice("There is nothing to branch from yet")
        elif self.may_change():
            count = len(session.conversation.path_to(message.id))
            self._cursor.end()
            pane.open(session.branch(message.id, time.time()))
            pane.show_notice(
                f"A new chat with {count_of(count, 'message')}; the old one stays ({self._key('chats.open')} has all)",
                "accent",
            )

    def delete(self) -> None:
        """Delete the message and all below it. A running answer is below every message, so it is stopped first."""
        pane, session, message = self._pane, self._pane.session, self._cursor.message
        if session is None or message is None or self._cursor.mark is None:
            return
        stopped = pane.controller.stop()
        chat = session.conversation
        beside = [each for each in chat.siblings(message.id) if each != message.id]
        open_here = len(chat.path()) - len(chat.path_to(message.id)) + 1
        removed = session.remove(message.id)
        pane.show_branch()
        path = [each.id for each in chat.path()]
        place = next(
            (each for each in path if each in beside), message.parent if message.parent in path else None
        )
        if place is not None:
            self._cursor.put(CursorTarget(place))
        else:
            self._cursor.leave()
        self._say_deleted(removed, open_here, stopped)

    def _say_deleted(self, removed: Removed, open_here: int, stopped: bool) -> None:
        count, unseen = len(removed.messages), len(removed.messages) - open_here
        said = count_of(count, "message")
        if unseen > 0:
            said += f", {unseen:,} in other branches"
        said = f"{'Stopped the answer, deleted' if stopped else 'Deleted'} {said}"
        back = self._key("message.undo") if self._cursor.mark is not None else "/undo"
        self._pane.show_notice(f"{said}: {back} brings {'it' if count == 1 else 'them'} back", "warning")

    def undo_delete(self) -> None:
        """Undo the last deletion."""
        pane, session = self._pane, self._pane.session
        if session is None or not self.may_change():
            return
        removed = session.undo_delete()
        if removed is None:
            pane.show_notice("Nothing was deleted here that could come back")
            return
        pane.show_branch()
        if self._cursor.mark is not None:
            self._cursor.put(CursorTarget(removed.messages[0].id))
        count = len(removed.messages)
        pane.show_notice(
            "The message is back" if count == 1 else f"{count_of(count, 'message')} are back", "accent"
        )

    def _last_answer(self) -> Message | None:
        session = self._pane.session
        return session.conversation.last_of(Role.ASSISTANT) if session is not None else None

    def _key(self, command_id: str) -> str:
        return self._pane.state.key(command_id)


def as_markdown(chat: Conversation) -> str:
    """The open branch as a document."""
    from tui.store.export import chat_as_markdown
    from tui.store.rows import ChatSummary

    moments = [message.created_at for message in chat] or [0.0]
    return chat_as_markdown(chat, ChatSummary(chat.id, chat.title, moments[0], max(moments), len(chat)))
