"""What is written in the open chat and not sent yet: the prompts that wait, the files that go along, and the draft of it all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tui import files
from tui.chat.draft_autosave import DraftAutosave
from tui.chat.events import ChatEvent, DraftLoaded, FilesNotRead, Notice, QueueChanged
from tui.chat.prompt_queue import PromptQueue
from tui.core.attaching import refusal
from tui.core.draft import Draft
from tui.core.message import Attachment
from tui.core.slash import as_written
from tui.errors import LokalError

if TYPE_CHECKING:
    from tui.chat.pending import PendingPrompt
    from tui.chat.session import ChatSession
    from tui.chat.state import ClientState
    from tui.chat.tasks import TaskRunner

READ_AGAIN_S = 30.0
"""When a draft that could not be read is read again, in seconds."""

Told = Callable[[LokalError | None], None]


class FrontEnd(Protocol):
    """Who shows the chat, and where the person writes."""

    def hear(self, event: ChatEvent) -> None:
        """Show what is new."""
        ...

    def post(self, call: Callable[[], None], key: object = None) -> None:
        """Call it where the front end handles what a person does: the controller's tasks change nothing by themselves. Of
        several calls with the same `key` that wait, one will do."""
        ...

    def command_hint(self, command_id: str) -> str:
        """How a person gives a command here: its key, or its slash command; empty for no way."""
        ...

    def unsent_text(self) -> str:
        """What is being written, in marked form (`tui.core.paste_folds`)."""
        ...

    def begun_edits(self) -> tuple[tuple[str, str], ...]:
        """The edits of messages of the open chat that were begun: pairs of a message's id and its new text."""
        ...


class Outbox:
    """One for each open chat window. It writes the draft down, and reads it when a chat is opened."""

    def __init__(
        self,
        front: FrontEnd,
        tasks: TaskRunner,
        state: Callable[[], ClientState],
        pending: Callable[[], PendingPrompt | None],
        *,
        keeps_drafts: bool,
    ) -> None:
        """`state` is whom the next prompt is asked of; `pending` the prompt that is held: neither asked nor written any
        more, it is part of the draft. Without `keeps_drafts` no draft is read or written: a script leaves those of a person
        as they are."""
        self._front = front
        self._tasks = tasks
        self._state = state
        self._pending = pending
        self._keeps_drafts = keeps_drafts
        self._session: ChatSession | None = None
        self._files_coming: list[ChatSession | None] = []
        self._autosave = DraftAutosave(self._draft, self._save)
        self._opening = 0  # a draft that was read for an earlier opening is not the one that is there now
        self.queue = PromptQueue()
        self.attached: tuple[Attachment, ...] = ()
        """The files that go with the next prompt."""

    # -- files ------------------------------------------------------------------------------------------------------

    def attach(self, attachments: tuple[Attachment, ...]) -> None:
        """Let exactly these files go with the next prompt."""
        self.attached = attachments
        self.changed()

    def take_attached(self) -> tuple[Attachment, ...]:
        """The files for a prompt that is sent now; none are left for the next."""
        taken, self.attached = self.attached, ()
        return taken

    def read_files(self, argument: str, then: Told | None = None) -> None:
        """Attach the files that are named; `then` is told how it went (None = they are there), else `FilesNotRead` is."""
        session = self._session
        self._files_coming.append(session)

        def ended(problem: LokalError) -> None:
            self._front.post(partial(self._files_read, session, argument, (), problem, then))

        self._tasks.start(partial(self._read_files, session, argument, then), "files", on_mistake=ended)

    async def _read_files(self, session: ChatSession | None, argument: str, then: Told | None) -> None:
        from tui.chat.attachments import read_attachments

        read: tuple[Attachment, ...] = ()
        problem: LokalError | None = None
        try:
            folder = Path.cwd()
            read = await files.in_thread(lambda: read_attachments(argument, folder))
        except LokalError as error:
            problem = error
        except OSError as error:  # the working folder is gone
            problem = LokalError("Nothing was attached", error.strerror or str(error))
        self._front.post(partial(self._files_read, session, argument, read, problem, then))

    def _files_read(
        self,
        session: ChatSession | None,
        argument: str,
        read: tuple[Attachment, ...],
        problem: LokalError | None,
        then: Told | None,
    ) -> None:
        """What was read for another chat waits there."""
        self._files_coming.remove(session)
        here = self._is_open(session)
        problem = problem or (self.why_not(read) if here else None)
        if problem is None and (here or session is None):
            self.attach(self.attached + read)
        elif problem is None and session is not None:
            session.add_to_draft(Draft(attachments=read))
            what = "The file is" if len(read) == 1 else "The files are"
            self._front.hear(Notice(f"{what} attached in the chat that was open before"))
        if then is not None:
            then(problem)
        elif problem is not None:
            self._front.hear(FilesNotRead(argument, problem, here))

    def _is_open(self, session: ChatSession | None) -> bool:
        """Whether what was meant for that chat is for the open one: it may have been opened anew meanwhile."""
        return session is None or self._session is None or session.draft_key == self._session.draft_key

    def why_not(self, attachments: tuple[Attachment, ...]) -> LokalError | None:
        """Why a prompt with these files cannot be sent now; None = it can."""
        if any(map(self._is_open, self._files_coming)):
            return LokalError("A file is still being read", "", "Enter again when it is there")
        state = self._state()
        connection = state.connection
        if connection is None:
            return None
        if connection.models and not state.model:
            return LokalError("No model is chosen", "", "/model chooses one")
        from tui.servers.connect import model_gone

        return model_gone(connection, state.model) or refusal(attachments, state.model, connection.models)

    # -- the draft --------------------------------------------------------------------------------------------------

    @property
    def draft_is_read(self) -> bool:
        """Whether what was unsent in the open chat is there."""
        return self._session is not None and self._autosave.is_open

    def changed(self) -> None:
        """Something waits that did not, or the other way round: show it, and write it down."""
        self._front.hear(QueueChanged())
        self._autosave.keep()

    def touched(self) -> None:
        """What is written has changed: it is written down in a moment."""
        if self._keeps_drafts and self._session is not None:
            self._autosave.touched()

    def save(self) -> None:
        """Write the draft down now."""
        self._autosave.keep()

    def sent(self) -> None:
        """A prompt is in the chat now, and no draft any more: the draft is written down whatever is on the disk."""
        self._autosave.renew()

    def moved(self) -> None:
        """The chat has another id: its draft goes with it."""
        self._autosave.renew()
        self._autosave.keep()

    def leave(self) -> None:
        """The chat is left: its draft is written down, after the kept one if that was not read yet."""
        if self._autosave.is_open:
            self._autosave.keep()
        elif self._keeps_drafts and self._session is not None and (draft := self._draft()):
            self._session.add_to_draft(draft)

    def empty(self) -> None:
        """Nothing waits any more: another chat is opened. That is no change of the draft of the one before, which is kept."""
        self._autosave.pause()
        self.queue.clear()
        self.attached = ()

    def open(self, session: ChatSession) -> None:
        """Another chat is open: read what was unsent in it."""
        self._session = session
        self._autosave.pause()
        self._opening += 1
        if self._keeps_drafts:
            self._tasks.start(partial(self._read_draft, session, session.draft_key, self._opening), "draft")

    async def _read_draft(self, session: ChatSession, key: str, opening: int) -> None:
        """What cannot be read is not written over: it is read again later, and what is written meanwhile is added to it at
        the end."""
        told = False
        while opening == self._opening:
            try:
                draft = await asyncio.to_thread(session.load_draft, key)
            except LokalError as error:
                if not told:
                    told = True
                    self._front.post(partial(self._front.hear, Notice(str(error), "warning")))
                await asyncio.sleep(READ_AGAIN_S)
            else:
                self._front.post(partial(self._draft_read, DraftLoaded(draft, key, opening)))
                return

    def _draft_read(self, loaded: DraftLoaded) -> None:
        """Show the draft, if it is that of the chat that is open, and write down from now on what changes."""
        session, kept = self._session, loaded.draft
        if loaded.opening != self._opening or session is None:
            return
        self._front.hear(loaded)
        if kept.attachments:
            self.attached = kept.attachments + self.attached
            self._front.hear(QueueChanged())
        self._autosave.start(kept)
        if session.draft_key != loaded.key:  # the chat has got its id meanwhile: what was kept goes with it
            self._autosave.renew()
        self._autosave.touched()

    def _draft(self) -> Draft:
        pending = self._pending()
        held = pending if pending is not None and pending.unasked else None
        waiting = self.queue.prompts
        asked = "\n\n".join(
            [*([held.marked] if held is not None else []), *(each.marked for each in waiting)]
        )
        if held is None or not held.command:
            asked = as_written(asked)
        text = "\n\n".join([asked, self._front.unsent_text()]).strip("\n")
        attached = [file for one in (held, *waiting) if one is not None for file in one.attachments]
        return Draft(text if text.strip() else "", (*attached, *self.attached), self._front.begun_edits())

    def _save(self, draft: Draft) -> None:
        if self._session is not None:
            self._session.save_draft(draft)
