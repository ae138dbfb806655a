"""What becomes of what is written in the open chat: sent, put in line behind a running answer, or kept as a draft."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from textual.message import Message as UiMessage
from textual.widgets import TextArea

from tui.chat.draft_autosave import DraftAutosave
from tui.chat.prompt_queue import PromptQueue, Question
from tui.chat.session import ChatSession
from tui.chat.state import ClientState
from tui.core.attaching import in_line
from tui.core.draft import Draft
from tui.core.message import Attachment, Message, Status
from tui.core.pasted import Pieces, plain
from tui.core.slash import as_written
from tui.core.text import safe_line
from tui.errors import LokalError
from tui.ui.chat.composing import Composing
from tui.ui.chat.several import Joint
from tui.ui.chat.shelf import ShelfLine
from tui.ui.chat.talk import Talk
from tui.ui.divider import Divider
from tui.ui.state import ScreenState
from tui.ui.terminal.link import Pace

AGAIN_S = 30.0
"""When a draft that could not be read is read again, in seconds."""


class Writing(Composing):
    """Sits between the composer and the flow of questions; `ChatPane` adds the rest of the screen."""

    class Asked(UiMessage):
        """A question was sent or put in line, for the prompt history; `text` is in marked form."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class DraftRead(UiMessage):
        """The draft of a chat that was opened is there."""

        def __init__(self, opening: int, key: str, draft: Draft, problem: LokalError | None = None) -> None:
            super().__init__()
            self.opening = opening
            self.key = key
            self.draft = draft
            self.problem = problem

    def __init__(self, state: ScreenState, pace: Callable[[], Pace]) -> None:
        super().__init__(state, pace)
        self._line = PromptQueue()
        self._drafts = DraftAutosave(self._draft, self._save_draft)
        self._openings = 0  # a draft that was read for an earlier one is not the one that is there now
        self._unread = 0  # for which one it was said that the draft cannot be read

    @property
    def waiting(self) -> tuple[Question, ...]:
        """The questions that wait, in their order."""
        return self._line.questions

    def actions(self) -> Mapping[str, Callable[[str], object]]:
        """What is done here for a command's id, with the argument that was typed after a slash command."""
        return {**super().actions(), "queue.take_back": lambda _: self.take_back()}

    # -- sending ----------------------------------------------------------------------------------------------------

    def send(self, marked: str, remembered: str) -> None:
        """Enter: ask, or put in line behind the answer that comes in. What cannot be sent stays in the composer.
        `remembered` is what goes into the prompt history."""
        if not marked.strip():
            self._send_nothing()
            return
        problem = self.why_not(self._attached)
        if problem is not None:
            self.composer.put_back(remembered)
            self.tell(str(problem), "warning")
            return
        question = Question(marked, self._attached)
        self.composer.remember(remembered)
        self._attached = ()
        self.query_one(Divider).clear_notice()
        self.query_one(Divider).let_go()
        self.post_message(self.Asked(remembered))
        if self.busy or self._session is None or (len(self._line) and not self._line.held):
            self._line.add(question)
            self._settle()
        else:
            self._ask(question)

    def _send_nothing(self) -> None:
        if len(self._line) and not self.busy:
            self._line.let_go()
            self._ask_next()
        elif self._attached:
            self.tell("Write a question to go with what is attached", "warning")

    def _ask(self, question: Question) -> None:
        self._drafts.renew()
        self.ask(plain(question.marked), question.attachments, marked=question.marked)

    def ask(
        self,
        text: str,
        attachments: tuple[Attachment, ...] = (),
        *,
        instead_of: Message | None = None,
        marked: str = "",
    ) -> None:
        """Ask a question; one that is held is kept with the draft, so that it is not lost."""
        with self.written_at_once():
            super().ask(text, attachments, instead_of=instead_of, marked=marked)
            self._settle()

    def hold(self, held: Joint, states: Sequence[ClientState]) -> None:
        """Ask several, if it fits them; what is held is kept with the draft, so that it is not lost."""
        with self.written_at_once():
            super().hold(held, states)
            self._settle()

    def _ask_next(self) -> None:
        """The next question in line, if it is its turn."""
        if self.busy or self._session is None or self._line.held or not len(self._line):
            self._settle()
            return
        problem = self.why_not(self._line.questions[0].attachments)
        if problem is not None:
            self._line.hold()
            self.tell(str(problem), "warning")
            self._settle()
            return
        question = self._line.take_next()
        if question is not None:
            self._ask(question)

    def give_back(self, marked: str, attachments: tuple[Attachment, ...]) -> None:
        """A question that was not asked after all comes back into the composer; those behind it wait."""
        self.composer.end_search(take=False)
        self.composer.put_back(as_written(marked))
        self._attached = attachments + self._attached
        self._line.hold()
        self._settle()

    def sent_at_last(self) -> None:
        """A question that was held is in the chat now, and no draft any more."""
        self._drafts.renew()
        self._settle()

    def take_back(self) -> None:
        """The question that was put in line last comes back into the composer, before what is written there."""
        question = self._line.take_back()
        if question is None:
            self.tell("No question waits")
            return
        self.composer.end_search(take=False)
        self.composer.put_back(as_written(question.marked))
        self._attached = question.attachments + self._attached
        self._settle()

    def on_talk_finished(self, event: Talk.Finished) -> None:
        """After a whole answer the next question is asked; after any other it waits for the person's word."""
        if event.message.status is Status.COMPLETE:
            self._ask_next()
        elif self._answering is None:
            self._line.hold()
            self.show_shelf()

    def _settle(self) -> None:
        self.show_shelf()
        self._drafts.keep()

    # -- the draft --------------------------------------------------------------------------------------------------

    @property
    def draft_is_read(self) -> bool:
        """Whether what was unsent in the open chat is there."""
        return self._session is not None and self._drafts.is_open

    def show_session(self, session: ChatSession) -> None:
        """Show a chat, at its end, with what was being written in it; what is written in the one before is kept."""
        before = self._session
        if before is not None and before is not session:
            self.composer.end_search(take=False)
            self._leave_draft()
            self._line.clear()
            self.composer.begin_anew()
            self._attached = ()
        super().show_session(session)
        if before is not session:
            self._drafts.pause()
            self._openings += 1
            self.work(partial(self._read_draft, session, session.draft_key, self._openings), "draft")
        self._ask_next()

    def _leave_draft(self) -> None:
        """Write the draft down before the chat is left, after the kept one if that was not read yet."""
        if self._drafts.is_open:
            self._drafts.keep()
        elif self._session is not None and self._draft():
            self._session.add_to_draft(self._draft())

    async def _read_draft(self, session: ChatSession, key: str, opening: int) -> None:
        try:
            draft = await asyncio.to_thread(session.load_draft, key)
        except LokalError as error:
            self.post_message(self.DraftRead(opening, key, Draft(), error))
        else:
            self.post_message(self.DraftRead(opening, key, draft))

    def on_writing_draft_read(self, event: DraftRead) -> None:
        """Bring the draft back, before what was written meanwhile. It is never sent by itself."""
        event.stop()
        if event.problem is not None and event.opening != self._unread:
            self._unread = event.opening
            self.tell(str(event.problem), "warning")
        session = self._session
        if event.opening != self._openings or session is None:
            return
        if event.problem is not None:
            # What is kept is not written over: it is read again later, and what is written is added to it at the end.
            again = partial(self._read_draft, session, event.key, event.opening)
            self.set_timer(AGAIN_S, lambda: self.work(again, "draft"))
            return
        kept = event.draft
        if kept.text and kept.text != self.composer.marked:
            self.composer.end_search(take=False)
            self.composer.put_back(kept.text)
        if kept.attachments:
            self.attach(kept.attachments + self._attached)
        self.take_begun(kept.edits)
        self._drafts.start(kept)
        if session.draft_key != event.key:  # the chat has got its id meanwhile: what was kept goes with it
            self._drafts.renew()
        self._drafts.touched()

    def begun_edits(self) -> tuple[tuple[str, str], ...]:
        """The edits of messages of the open chat that were begun, by the message's id."""
        raise NotImplementedError

    def take_begun(self, edits: Sequence[tuple[str, str]]) -> None:
        """Edits that were begun when the chat was open last."""
        raise NotImplementedError

    def touch_draft(self) -> None:
        """What is unsent has changed: it is written down in a moment."""
        if self._session is not None:
            self._drafts.touched()

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """A key, a paste, a text that was brought back."""
        event.stop()
        self.touch_draft()

    def _draft(self) -> Draft:
        question = self.held_question
        held = [question.marked] if question is not None else []
        waiting = [question.marked for question in self.waiting]
        asked = "\n\n".join([*held, *waiting])
        if question is None or not question.command:
            asked = as_written(asked)
        text = "\n\n".join([asked, self.composer.draft]).strip("\n")
        files = [file for one in (question, *self.waiting) if one is not None for file in one.attachments]
        return Draft(text if text.strip() else "", (*files, *self._attached), self.begun_edits())

    def _save_draft(self, draft: Draft) -> None:
        if self._session is not None:
            self._session.save_draft(draft)

    def leave(self, *, closed: bool) -> None:
        """lokal ends: keep what came of a running answer, and what is written."""
        super().leave(closed=closed)
        self.composer.end_search(take=False)
        self._leave_draft()

    # -- the shelf --------------------------------------------------------------------------------------------------

    def keep_draft(self) -> None:
        """Write the draft down now."""
        self._drafts.keep()

    def move_draft(self) -> None:
        """The chat has another id: the draft goes with it."""
        self._drafts.renew()
        self._drafts.keep()

    def shelf_lines(self) -> list[ShelfLine]:
        """What the shelf shows: what waits comes first."""
        waiting, key = self.waiting, self._state.key
        if not waiting:
            return super().shelf_lines()
        each = 300 if len(waiting) == 1 else 30
        text = " · ".join(safe_line(self._shown(question), each) for question in waiting)
        back = key("queue.take_back")
        if self._line.held:
            count = "1 question waits:" if len(waiting) == 1 else f"{len(waiting)} questions wait:"
            line = ShelfLine(count, text, f"{key('send')} sends · {back} takes back", "warning")
        else:
            line = ShelfLine("waiting:", text, f"{back} takes it back")
        return [line, *super().shelf_lines()]

    @staticmethod
    def _shown(question: Question) -> str:
        text = Pieces().load(question.marked)
        return f"{text} [{in_line(question.attachments)}]" if question.attachments else text
