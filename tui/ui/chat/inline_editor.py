"""What is written on the inline input over the composer: another text for a message, or the name of a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tui.chat.chat_files import TakenName
from tui.core.attaching import in_line, refusal
from tui.core.conversation import Conversation
from tui.core.message import Message
from tui.core.text import count_of, safe_line
from tui.errors import FileError, LokalError
from tui.paths import with_tilde
from tui.ui.chat.inline_input import InlineInput
from tui.ui.output import FileWritten, WriteWanted
from tui.ui.transcript.cursor_target import CursorTarget

if TYPE_CHECKING:
    from tui.ui.chat.view import ChatView


PATH_END = 46
"""Characters of a path that are shown: of a longer one the end."""


class InlineTask(Protocol):
    """What an inline input is for."""

    @property
    def label(self) -> str:
        """What the rule over it says."""
        ...

    @property
    def edited(self) -> Message | None:
        """The message that is written anew; None if none is."""
        ...

    @property
    def enter(self) -> str:
        """What Enter does, in a word for the status bar."""
        ...

    def take(self, text: str) -> bool:
        """Enter: True when it is done with, False when there is more to write."""
        ...


class QuestionEdit:
    """Asks another question in the place of one, which stays beside it."""

    def __init__(self, pane: ChatView, message: Message) -> None:
        self._pane = pane
        self._message = message

    @property
    def edited(self) -> Message | None:
        return self._message

    @property
    def enter(self) -> str:
        return "ask"

    @property
    def label(self) -> str:
        key, files = self._pane.state.key, self._message.attachments
        goes = f", with {in_line(files)}" if files else ""
        return f"editing: {key('send')} asks it beside the old one{goes}, {key('messages.leave')} leaves it"

    def take(self, text: str) -> bool:
        pane, message = self._pane, self._message
        if not _may_ask(pane) or _is_unchanged(pane, message, text):
            return False
        connection = pane.state.connection
        problem = refusal(message.attachments, pane.state.model, connection.models) if connection else None
        if problem is not None:
            pane.show_notice(str(problem), "warning")
            return False
        pane.message_cursor.edits.close(keep=False)
        pane.message_cursor.leave()
        pane.composer.remember(text)
        pane.post_message(pane.PromptRecorded(text))
        pane.controller.ask(text, message.attachments, instead_of=message)
        return True


class AnswerEdit:
    """Goes on from another text of an answer, which stays beside it."""

    def __init__(self, pane: ChatView, message: Message) -> None:
        self._pane = pane
        self._message = message

    @property
    def edited(self) -> Message | None:
        return self._message

    @property
    def enter(self) -> str:
        return "go on"

    @property
    def label(self) -> str:
        key = self._pane.state.key
        return f"editing the answer: {key('send')} goes on from it, {key('messages.leave')} leaves it"

    def take(self, text: str) -> bool:
        pane, message = self._pane, self._message
        if not _may_ask(pane) or _is_unchanged(pane, message, text):
            return False
        pane.message_cursor.edits.close(keep=False)
        pane.message_cursor.leave()
        pane.message_cursor.message_actions.go_on_from(message, text, edited=True)
        return True


class FileName:
    """Writes a text to the file that is named; one that is there only when its name is handed in twice."""

    def __init__(self, pane: ChatView, what: str, make: Callable[[], str]) -> None:
        self._pane = pane
        self._what = what
        self._make = make
        self._taken = ""

    @property
    def edited(self) -> Message | None:
        return None

    @property
    def enter(self) -> str:
        return "write"

    @property
    def label(self) -> str:
        key = self._pane.state.key
        return f"{self._what} to which file? {key('send')} writes it, {key('messages.leave')} leaves it"

    def take(self, text: str) -> bool:
        name = text.strip()
        if not name or "\n" in name:
            self._pane.show_notice("A file's name is one line", "warning")
        else:
            self._pane.post_message(WriteWanted(self._make, name, overwrite=name == self._taken))
        return False

    def written(self, event: FileWritten) -> bool:
        """How it went; True when it is done with."""
        pane = self._pane
        if event.path is not None:
            count = count_of(event.size, "character")
            path = safe_line(with_tilde(str(event.path)), 300)
            pane.show_notice(
                f"{count} written to {path if len(path) <= PATH_END else f'…{path[-PATH_END:]}'}", "accent"
            )
            return True
        problem, again = event.problem, pane.state.key("send")
        self._taken = event.name if isinstance(problem, TakenName) else ""
        if self._taken:
            pane.show_notice(f"The file exists: {again} again overwrites it, or give another name", "warning")
        elif problem is not None:
            pane.show_notice(_as_typed(problem, event.name), "warning")
        return False


class InlineEditor:
    """The inline input: one at a time, with the message cursor to go back to. An edit that was begun is kept until it is handed in."""

    def __init__(self, pane: ChatView) -> None:
        self._pane = pane
        self._purpose: InlineTask | None = None
        self._back: CursorTarget | None = None
        self._begun: dict[str, str] = {}
        self._settled: set[str] = set()

    @property
    def purpose(self) -> InlineTask | None:
        """What the inline input is for now; None when it is not there."""
        return self._purpose

    @property
    def _edited(self) -> Message | None:
        return self._purpose.edited if self._purpose is not None else None

    @property
    def is_open(self) -> bool:
        """Whether something is written on the inline input."""
        return self._purpose is not None

    @property
    def label(self) -> str:
        """What the rule over it says; empty when it is not there."""
        return "" if self._purpose is None else self._purpose.label

    @property
    def enter(self) -> str:
        """What Enter does there, in a word; empty when it is not there."""
        return "" if self._purpose is None else self._purpose.enter

    def open(self, purpose: InlineTask, text: str, back: CursorTarget | None) -> None:
        """Let something be written, beginning with `text`; the message cursor goes on at `back`."""
        pane = self._pane
        self._purpose, self._back = purpose, back
        found = pane.query(InlineInput)
        if found:
            box = found.first()
            box.begin(text)
        else:
            box = InlineInput(text, pane.state.keys)
            pane.query_one("#writing").mount(box)
        pane.composer.display, box.display = False, True
        pane.screen.set_focus(box)
        pane.notice_bar.clear_notice()
        pane.message_cursor.show()

    def begun(self, message: Message) -> str:
        """What an edit of the message begins with: the one that was left, or the text as it is."""
        return self._begun.get(message.id, message.content)

    def begun_in(self, conversation: Conversation) -> tuple[tuple[str, str], ...]:
        """The edits of a conversation's messages that were begun, with the one that is on the inline input."""
        begun = dict(self._begun)
        edited = self._edited
        if edited is not None:
            box = self._pane.query_one(InlineInput)
            begun |= {edited.id: box.plain} if box.changed else {}
        if not begun:  # as nearly always; this is asked with every draft
            return ()
        of = {message.id: message.content for message in conversation}
        of |= {
            message.id: message.content for removed in conversation.deleted for message in removed.messages
        }
        return tuple(
            (id, text) for id, text in sorted(begun.items()) if text.strip() and text != of.get(id, text)
        )

    def load(self, edits: Sequence[tuple[str, str]]) -> None:
        """Edits that were begun when their chat was open last; one that was handed in since is begun no more."""
        for id, text in edits:
            if id not in self._settled:
                self._begun.setdefault(id, text)
        edited = self._edited
        if edited is not None and edited.id in self._begun:
            box = self._pane.query_one(InlineInput)
            if not box.changed:  # it was opened before this was read
                box.begin(self._begun[edited.id])

    def close(self, *, keep: bool = True) -> CursorTarget | None:
        """Take the inline input away, and `keep` what was written of an edit; where the message cursor was, if it is to go on."""
        if self._purpose is None:
            return None
        message = self._purpose.edited
        back, self._purpose, self._back = self._back, None, None
        for box in self._pane.query(InlineInput):
            box.display = False
            if message is not None:
                self._keep(message, box, keep=keep)
        self._pane.composer.display = True
        self._pane.controller.outbox.touched()
        return back

    def _keep(self, message: Message, box: InlineInput, *, keep: bool) -> None:
        if not keep or (box.changed and (not box.plain.strip() or box.plain == message.content)):
            self._begun.pop(message.id, None)
            self._settled.add(message.id)
        elif box.changed:
            self._begun[message.id] = box.plain
        if message.id in self._begun:
            self._tell_kept()

    def _tell_kept(self) -> None:
        self._pane.show_notice(f"The edit is kept: {self._pane.state.key('message.edit')} goes on with it")

    def open_editor(self) -> bool:
        """Let what is on the inline input be written in the person's editor; False when it is not there."""
        purpose, pane = self._purpose, self._pane
        if purpose is None:
            return False
        if purpose.edited is not None:
            pane.prompt_entry.editor.edit(pane.query_one(InlineInput).plain, purpose.edited)
        else:
            pane.show_notice("A file's name is one line: it is written here", "warning")
        return True

    def take_edit(self, of: Message, before: str, text: str) -> None:
        """What the editor made of the edit. It is kept where the inline input is there no more, or for something else."""
        pane, purpose = self._pane, self._purpose
        edited = self._edited
        if purpose is not None and edited is not None and edited.id == of.id:
            pane.query_one(InlineInput).replace_with_edit(before, text)
            pane.show_notice(f"Back from the editor; {pane.state.key('send')} takes it")
        elif text != of.content:
            self._begun[of.id] = text
            pane.controller.outbox.touched()
            self._tell_kept()

    def hand_in(self, text: str) -> None:
        """Enter."""
        if self._purpose is None:
            return
        self._pane.notice_bar.clear_notice()
        if not text.strip():
            key = self._pane.state.key("messages.leave")
            self._pane.show_notice(f"Nothing is written: {key} leaves it as it was", "warning")
        elif self._purpose.take(text):
            self.close()

    def written(self, event: FileWritten) -> None:
        """A file was written, or not."""
        if isinstance(self._purpose, FileName) and self._purpose.written(event):
            self._pane.message_cursor.go_back()


def _as_typed(problem: LokalError, name: str) -> str:
    """What went wrong, with the path as the person wrote it, which is shorter."""
    said = str(problem)
    if isinstance(problem, FileError):
        for path, typed in ((problem.path, name), (problem.path.parent, str(Path(name).parent))):
            said = said.replace(str(path), typed)
    return with_tilde(said)


def _is_unchanged(pane: ChatView, message: Message, text: str) -> bool:
    """Whether there is nothing to do, which the person is told."""
    if text != message.content:
        return False
    way = pane.state.key("messages.leave")
    pane.show_notice(f"Nothing was changed: {way} leaves it as it is", "warning")
    return True


def _may_ask(pane: ChatView) -> bool:
    if pane.controller.chat.busy:
        pane.show_notice(f"{pane.message_cursor.how_to_stop()}; your text stays", "warning")
    return not pane.controller.chat.busy
