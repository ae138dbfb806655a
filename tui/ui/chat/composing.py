"""The ways to write in the open chat beside the keys: files that go along, the editor, earlier prompts, pasted pieces."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from textual.message import Message as UiMessage

from tui import files
from tui.chat.prompt_history import Found
from tui.chat.session import ChatSession
from tui.core.attaching import in_line, refusal
from tui.core.draft import Draft
from tui.core.message import Attachment, Message
from tui.core.text import safe_name
from tui.errors import LokalError, Rescued
from tui.paths import with_tilde
from tui.ui.chat.composer import Composer
from tui.ui.chat.metering import Metered
from tui.ui.chat.shelf import Shelf, ShelfLine
from tui.ui.divider import Divider
from tui.ui.errands import NotDone
from tui.ui.state import ScreenState
from tui.ui.terminal.link import Pace
from tui.ui.work import Ended, Work, begin


class Composing(Metered):
    """Fills the composer and shows on the shelf what goes with it; `Writing` sends it."""

    class FilesRead(UiMessage):
        """Files to attach in a chat were read, or not, as `argument` named them; `session` is None for the chat that
        is opened first. `then` is told how it went, where it was no command that asked."""

        def __init__(
            self,
            session: ChatSession | None,
            argument: str,
            files: tuple[Attachment, ...],
            problem: LokalError | None = None,
            then: Callable[[LokalError | None], None] | None = None,
        ) -> None:
            super().__init__()
            self.session = session
            self.argument = argument
            self.files = files
            self.problem = problem
            self.then = then

    class Edited(UiMessage):
        """The editor has ended; it was given `before`, which is the draft, or what was written anew of the message `of`.
        `text` is None where there is nothing to take over, `problem` says why."""

        def __init__(
            self, before: str, of: Message | None, text: str | None, problem: LokalError | None = None
        ) -> None:
            super().__init__()
            self.before = before
            self.of = of
            self.text = text
            self.problem = problem

    def __init__(self, state: ScreenState, pace: Callable[[], Pace]) -> None:
        super().__init__(state, pace)
        self._attached: tuple[Attachment, ...] = ()
        self._files_coming: list[ChatSession | None] = []
        self._in_editor = False
        self._found: Found | None = None

    @property
    def composer(self) -> Composer:
        """Where the person writes."""
        return self.query_one(Composer)

    @property
    def written(self) -> str:
        """What the person is writing just now."""
        return self.composer.text

    @property
    def attached(self) -> tuple[Attachment, ...]:
        """The files that go with the next question."""
        return self._attached

    def attach(self, files: tuple[Attachment, ...]) -> None:
        """Let exactly these files go with the next question."""
        self._attached = files
        self.show_shelf()
        self.keep_draft()

    def actions(self) -> Mapping[str, Callable[[str], object]]:
        """What is done here for a command's id, with the argument that was typed after a slash command."""
        return {
            **super().actions(),
            "history.search": lambda _: self.search_history(),
            "editor": lambda _: self.open_editor(),
            "attach": self.read_files,
            "paste.open": lambda _: self.open_piece(),
        }

    def keep_draft(self) -> None:
        """Write down what is in the composer."""
        raise NotImplementedError

    # -- files ------------------------------------------------------------------------------------------------------

    def read_files(self, argument: str, then: Callable[[LokalError | None], None] | None = None) -> None:
        """Attach the files that are named; `then` is told how it went, None = they are there."""
        self._files_coming.append(self._session)
        session = self._session

        def ended(problem: LokalError) -> None:
            self.post_message(self.FilesRead(session, argument, (), problem, then))

        self.work(partial(self._read_files, session, argument, then), "files", ended)

    async def _read_files(
        self, session: ChatSession | None, argument: str, then: Callable[[LokalError | None], None] | None
    ) -> None:
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
        self.post_message(self.FilesRead(session, argument, read, problem, then))

    def on_composing_files_read(self, event: FilesRead) -> None:
        """Show what goes along, or say why it cannot. What was read for another chat waits there."""
        event.stop()
        self._files_coming.remove(event.session)
        here = self._is_open(event.session)
        problem = event.problem or (self.why_not(event.files) if here else None)
        if problem is not None:
            if event.then is None:
                self.app.post_message(NotDone(problem, f"/attach {event.argument}" if here else ""))
        elif here or event.session is None:
            self.attach(self._attached + event.files)
        else:
            event.session.add_to_draft(Draft(attachments=event.files))
            what = "The file is" if len(event.files) == 1 else "The files are"
            self.tell(f"{what} attached in the chat that was open before")
        if event.then is not None:
            event.then(problem)

    def _is_open(self, session: ChatSession | None) -> bool:
        """Whether what was meant for that chat is for the open one: it may have been opened anew meanwhile."""
        return session is None or self._session is None or session.draft_key == self._session.draft_key

    def on_composer_emptied(self, event: Composer.Emptied) -> None:
        """Backspace on the empty composer takes the last file away."""
        event.stop()
        if self._attached:
            *others, last = self._attached
            self.attach(tuple(others))
            self.tell(f"“{safe_name(last.name, 60)}” is no longer attached")

    # -- other ways to write ----------------------------------------------------------------------------------------

    def on_composer_wanted(self, event: Composer.Wanted) -> None:
        """A key of the composer that is for a command."""
        event.stop()
        action = self.actions().get(event.command_id)
        if action is not None:
            action("")

    def on_composer_searching(self, event: Composer.Searching) -> None:
        """Show how the search in the earlier prompts stands."""
        event.stop()
        self._found = event.found
        self.show_shelf()
        self.post_message(self.Changed())

    def on_chip_area_folded(self, event: Composer.Folded) -> None:
        """A long paste is one piece; say how to see it."""
        event.stop()
        self.tell(f"A long paste is one piece; {self._state.key('paste.open')} opens it")

    def search_history(self) -> None:
        """Search in the prompts of earlier, or go on to an older one."""
        if not self.composer.start_search():
            self.tell("There is no earlier prompt yet")

    def open_piece(self) -> None:
        """Put a piece that was pasted into the text."""
        if not self.composer.open_piece():
            self.tell("Nothing here was pasted as one piece")

    def on_chip_area_line_taken(self, event: Composer.LineTaken) -> None:
        """Say how to empty a long text."""
        event.stop()
        self.tell("Ctrl+U again deletes everything")
        self.query_one(Divider).goes_with(self.written)

    def on_chip_area_all_taken(self, event: Composer.AllTaken) -> None:
        """Say how to have it back."""
        event.stop()
        self.tell("Everything is deleted; Ctrl+Z brings it back")
        self.query_one(Divider).goes_with(self.written)

    def open_editor(self) -> None:
        """Go on writing in the person's editor."""
        self.composer.end_search(take=True)
        self.keep_draft()
        self.edit_outside(self.composer.plain)

    def edit_outside(self, text: str, of: Message | None = None) -> None:
        """Give the draft, or what is written anew of the message `of`, to the person's editor."""
        if not self._in_editor:
            self._in_editor = True

            def ended(problem: LokalError) -> None:
                self.post_message(self.Edited(text, of, None, problem))

            self.work(partial(self._edit, text, of), "editor", ended)

    async def _edit(self, text: str, of: Message | None) -> None:
        from tui.ui.editor import edit_text

        try:
            new = await edit_text(self.app, text)
        except LokalError as error:
            self.post_message(self.Edited(text, of, None, error))
        else:
            self.post_message(self.Edited(text, of, new))

    def take_edit(self, of: Message, before: str, text: str) -> None:
        """What was written anew of the message `of` has become `text` in the editor."""
        raise NotImplementedError

    def on_composing_edited(self, event: Edited) -> None:
        """What was written in the editor is where it was before; nothing is sent."""
        event.stop()
        self._in_editor = False
        if event.text is not None and event.of is not None:
            self.take_edit(event.of, event.before, event.text)
        elif event.text is not None:
            self.composer.take_over(event.before, event.text)
            self.tell(f"Back from the editor; {self._state.key('send')} sends it")
        elif event.problem is not None:
            self.say_not_edited(event.problem)

    def say_not_edited(self, problem: LokalError) -> None:
        """Say why nothing was taken over from the editor; where what was written is, until the person goes on."""
        if isinstance(problem, Rescued):
            self.query_one(Divider).keep(with_tilde(str(problem)))  # the path, to be copied
        else:
            self.tell(str(problem), "warning")

    # -- plumbing ---------------------------------------------------------------------------------------------------

    def why_not(self, files: tuple[Attachment, ...]) -> LokalError | None:
        """Why a question with these files cannot go out now."""
        if any(map(self._is_open, self._files_coming)):
            return LokalError("A file is still being read", "", "Enter again when it is there")
        connection = self._state.connection
        if connection is not None and connection.models and not self._state.model:
            return LokalError("No model is chosen", "", "/model chooses one")
        return refusal(files, self._state.model, connection.models) if connection is not None else None

    def work(self, work: Work, name: str, ended: Ended | None = None) -> None:
        """Do something that takes its time; it posts a message at its end."""
        begin(self, work, name, ended=ended)

    def show_shelf(self) -> None:
        """Bring the lines over the composer up to date."""
        self.query_one(Shelf).show(tuple(self.shelf_lines()))

    def shelf_lines(self) -> list[ShelfLine]:
        """What the shelf shows."""
        lines = []
        if self._attached:
            lines.append(ShelfLine("attached:", in_line(self._attached), "Backspace takes one back"))
        if (found := self._found) is not None:
            lines.append(ShelfLine("search:", f"{found.query}▏", self._how_found(found)))
        return lines

    def _how_found(self, found: Found) -> str:
        older, take = self._state.key("history.search"), self._state.key("send")
        if not found.query:
            return "words of an earlier prompt · Esc back"
        if not found.count:
            return "nothing found · Esc back"
        return f"{found.number} of {found.count} · {older} older · {take} takes it · Esc back"
