"""What a person writes and sends in the chat: the composer with all that belongs to it, short of the inline input."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tui.chat.commands import CommandRegistry
from tui.chat.prompt_history import HistorySearch
from tui.core.message import Message
from tui.core.slash import CompletionSource, ParsedCommand, parse
from tui.core.text import safe_name
from tui.errors import UsageError
from tui.ui.chat.attaching import ask_for_file
from tui.ui.chat.composer import Composer
from tui.ui.chat.decision_prompt import ENTER
from tui.ui.chat.external_editor import ExternalEditor
from tui.ui.chat.inline_input import InlineInput
from tui.ui.chat.input_preview import InputPreview, preview_lines
from tui.ui.chat.prompt_text_area import PromptTextArea, WritingMessage

if TYPE_CHECKING:
    from tui.ui.chat.view import ChatView


class PromptEntry:
    """One for each view of a chat."""

    def __init__(self, view: ChatView, registry: CommandRegistry) -> None:
        """What can be done with what is written is added to the `registry`."""
        self._view = view
        self._registry = registry
        self._found: HistorySearch | None = None
        self.editor = ExternalEditor(view)
        registry.add("history.search", lambda _: self.search_history())
        registry.add("editor", lambda _: self.open_editor())
        registry.add("paste.open", lambda _: self.open_piece())
        registry.add("queue.take_back", lambda _: self._take_back_queued())

    def hear(self, event: WritingMessage) -> None:
        """Do what is wanted of what is written."""
        view = self._view
        match event:
            case Composer.Submitted(text, marked):
                self._submit(text, marked)
            case Composer.Emptied():
                self._take_last_file_away()
            case Composer.Wanted(command_id):
                self._registry.handler(command_id)("")
            case Composer.Searching(found):
                self._found = found
                self.show_preview()
                view.post_message(view.Changed())
            case PromptTextArea.Folded():
                view.show_notice(f"A long paste is one piece; {view.state.key('paste.open')} opens it")
            case PromptTextArea.LineTaken():
                view.show_notice("Ctrl+U again deletes everything")
                view.notice_bar.tie_to(view.written)
            case PromptTextArea.AllTaken():
                view.show_notice("Everything is deleted; Ctrl+Z brings it back")
                view.notice_bar.tie_to(view.written)
            case InlineInput.HandedIn(text):
                view.message_cursor.edits.hand_in(text)
            case InlineInput.EditorWanted():
                self.open_editor()

    def _submit(self, text: str, marked: str) -> None:
        view, composer, controller = self._view, self._view.composer, self._view.controller
        try:
            typed = parse(text)
        except UsageError as error:
            if not composer.return_command(marked):
                composer.prepend(marked)
            view.show_notice_about_text(error)
            return
        if isinstance(typed, ParsedCommand):
            view.post_message(view.Commanded(typed, marked))
        elif not text.strip() and controller.chat.choosing:
            view.show_notice(f"{controller.why_held}: {view.state.key(ENTER)} goes to the list")
        elif not text.strip() and controller.unanswered and not controller.outbox.attached:
            way = view.state.key("answer.retry") or "/retry"
            view.show_notice(f"Nothing is written; {way} answers the question that is there")
        else:
            # The slash that says that a slash is meant is not sent.
            controller.submit(marked[1:] if marked.startswith("//") else marked, marked)

    def _take_last_file_away(self) -> None:
        outbox = self._view.controller.outbox
        if outbox.attached:
            *others, last = outbox.attached
            outbox.attach(tuple(others))
            self._view.show_notice(f"“{safe_name(last.name, 60)}” is no longer attached")

    def _take_back_queued(self) -> None:
        self._view.composer.end_search(take=False)
        self._view.controller.take_back_queued()

    def search_history(self) -> None:
        """Search in the prompts of earlier, or go on to an older one."""
        if not self._view.composer.start_search():
            self._view.show_notice("There is no earlier prompt yet")

    def open_piece(self) -> None:
        """Put a piece that was pasted into the text."""
        if not self._view.composer.open_piece():
            self._view.show_notice("Nothing here was pasted as one piece")

    def show_preview(self) -> None:
        """Bring the lines over the composer up to date."""
        view = self._view
        lines = preview_lines(view.controller.outbox, self._found, view.state.key)
        view.query_one(InputPreview).show(lines)

    def open_editor(self) -> None:
        """Go on in the person's editor, with what they write on: the inline input, or else the composer."""
        view = self._view
        if not view.message_cursor.edits.open_editor():
            view.composer.end_search(take=True)
            view.controller.outbox.save()
            self.editor.edit(view.composer.plain)

    def take_edited(self, of: Message | None, before: str, text: str) -> None:
        """What was written, the draft or the message `of` anew, has become `text` in the editor. Nothing is sent."""
        view = self._view
        if of is not None:
            view.message_cursor.edits.take_edit(of, before, text)
        else:
            view.composer.replace_with_edit(before, text)
            view.show_notice(f"Back from the editor; {view.state.key('send')} sends it")

    def attach_named(self, argument: str) -> None:
        """Attach the files that are named, or ask for one."""
        if argument:
            self._view.controller.outbox.read_files(argument)
        else:
            ask_for_file(self._view)

    def offer_names(self, names: Callable[[], CompletionSource]) -> None:
        """Complete slash commands with these names."""
        view = self._view
        view.completion.serve(view.composer, names)
        view.composer.completer = view.completion

    def complete(self, text: str) -> bool:
        """Write the start of a slash command, and offer how it may go on. Whether something is written, which comes back
        after it."""
        view = self._view
        view.message_cursor.end()
        view.composer.focus()
        aside = view.composer.begin_command(text)
        if aside:
            view.show_notice("What you were writing comes back after the command; Esc brings it back now")
        view.completion.offer()
        return aside
