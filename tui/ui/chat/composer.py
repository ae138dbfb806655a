"""Where a person writes: several lines, Enter sends, Up and Down bring back earlier prompts, Ctrl+R finds one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.strip import Strip
from textual.widgets.text_area import Location, Selection

from tui.chat.prompt_history import HistoryNavigator, HistorySearch
from tui.core.commands import COMMANDS
from tui.core.finding import place
from tui.core.secrets import names_login
from tui.core.text import safe_line
from tui.ui.chat.completion import Completer
from tui.ui.chat.prompt_text_area import PromptTextArea, WritingMessage
from tui.ui.compat import run_binding
from tui.ui.terminal.reader import IN_TEXT
from tui.ui.widgets.line import LineWidget
from tui.ui.widgets.row import fit

# What terminals that can tell them apart send for Enter with another key. `shift+\r` and `\r` are how Textual 8.2 names
# what xterm's modifyOtherKeys sends for Shift+Enter and Alt+Enter.
NEW_LINE_KEYS = frozenset({"alt+enter", "shift+enter", "ctrl+enter", "shift+\r", "\r"})


class PromptMark(LineWidget):
    """The `›` before the composer."""

    def line(self, width: int) -> Strip:
        return fit([self.part("› ", "accent")], width, self.base())


class Composer(PromptTextArea):
    """A text area that sends on Enter and knows the prompts before this one."""

    OWN_COMMANDS: ClassVar = frozenset(
        {"send", "newline", "history.previous", "history.next", "choices.enter"}
    )
    """The commands whose keys it reads itself, while it has the focus."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+u", "delete_to_start_of_line", "Delete to the start", show=False)
    ]

    @dataclass(eq=False, repr=False)
    class Submitted(WritingMessage):
        """The person pressed Enter. The composer holds the text no longer, unless it is blank; `prepend` undoes that.
        `marked` is its form for drafts and the history (`tui.core.paste_folds`)."""

        text: str
        marked: str

    @dataclass(eq=False, repr=False)
    class Wanted(WritingMessage):
        """The key of a command was pressed that is not about the text alone."""

        command_id: str

    @dataclass(eq=False, repr=False)
    class Emptied(WritingMessage):
        """Backspace, where there is nothing before the cursor to delete."""

    @dataclass(eq=False, repr=False)
    class Searching(WritingMessage):
        """The search in the earlier prompts has begun, gone on or, with None, ended."""

        found: HistorySearch | None

    def __init__(self, keys: Mapping[str, str]) -> None:
        """`keys` by command id; those of the composer are looked at here."""
        super().__init__("composer")
        ids = [command.id for command in COMMANDS if command.where == "composer"]
        self._does = {keys[id]: id for id in ids if keys.get(id)}
        self.completer: Completer | None = None
        self._recall = HistoryNavigator()
        self._came_back = ""

    def set_history(self, prompts: Sequence[str]) -> None:
        """The prompts of earlier, oldest first."""
        self._recall.load(prompts)

    def remember(self, prompt: str) -> None:
        """Add a prompt that was just sent."""
        self._recall.remember(prompt)

    @property
    def draft(self) -> str:
        """What is to be kept of what nobody sent, in marked form; nothing of a line with a password."""
        return "" if names_login(self.marked) else self._recall.draft(self.marked)

    def fill(self, marked: str) -> None:
        """Replace what is written, the cursor at its end."""
        super().fill(marked)
        if self.completer is not None:
            self.completer.close()

    def begin_anew(self) -> None:
        """Another chat: nothing is written, and what was made of earlier prompts stays behind."""
        self._recall.rest()
        self.fill("")

    def replace_with_edit(self, before: str, text: str) -> None:
        """Take what the editor made of the text."""
        super().replace_with_edit(before, text)
        if self.completer is not None:
            self.completer.close()

    def begin_command(self, text: str) -> bool:
        """Write the start of a command. What is written comes back when the command is sent or given up; whether there
        is something."""
        self.end_search(take=False)
        self._recall.lay_under(self.marked, text)
        self.fill(text)
        return self._recall.has_under

    def give_up_command(self) -> bool:
        """Back from a command of which nothing was written to what it was laid over; False = there is none."""
        written = self._recall.take_up(self.marked)
        if written is not None:
            self.fill(written)
        return written is not None

    def submit(self) -> None:
        """Hand in what is written."""
        self.post_message(self.Submitted(self.plain, self.marked))
        if self.text.strip():
            # At once: on a slow line the next text comes in one piece with this Enter.
            self.fill(self._recall.sent())
            self._came_back = self.marked

    def return_command(self, marked: str) -> bool:
        """Bring a command back that was refused, selected: what is typed replaces it, undo brings it back, arrows edit
        it, Enter says it again. False = something else is written there by now."""
        if self.text and self.marked != self._came_back:
            return False
        self._recall.lay_under(self.marked, "")
        self.fill(marked)
        self.select_all()
        return True

    def prepend(self, marked: str) -> None:
        """Bring a text back, before what was written meanwhile."""
        written = self.marked
        self.fill(f"{marked}\n\n{written}" if written.strip() else marked)

    def line_before_cursor(self) -> str | None:
        """What is written, if it is one line with the cursor at its end."""
        if self.document.line_count != 1:
            return None
        line = self.document.get_line(0)
        return line if self.cursor_location == (0, len(line)) else None

    async def _on_paste(self, event: events.Paste) -> None:
        if self._recall.found is not None:
            event.stop()
            event.prevent_default()
            self._search(self._recall.found.query + (safe_line(event.text, 100) or " "))
            return
        await super()._on_paste(event)
        if self.completer is not None:
            self.completer.edited()

    def on_blur(self) -> None:
        """What is offered belongs to the one who writes."""
        if self.completer is not None:
            self.completer.close()

    async def _on_key(self, event: events.Key) -> None:
        if self.hand_over(event) or await self._is_taken(event):
            event.stop()
            event.prevent_default()
        else:
            await super()._on_key(event)
            if self.completer is not None:
                self.completer.edited()

    async def _is_taken(self, event: events.Key) -> bool:
        """Whether the key was one of those that do more than write."""
        if self._recall.found is not None and self._search_key(event):
            return True
        if self.take_line(event) or (self.completer is not None and await self.completer.key(event.key)):
            return True
        if event.key == "down" and not self.text and self.enter_choices():
            return True
        # Enter that is not for sending is what it is in any other text field.
        id = self._does.get(event.key, "newline" if event.key in (*NEW_LINE_KEYS, "enter") else "")
        if id and self._do(id):
            if id not in ("history.previous", "history.next") and self.completer is not None:
                self.completer.edited()
            return True
        if event.key == "backspace" and not self.text:
            if not self.give_up_command():
                self.post_message(self.Emptied())
            return True
        bound = not event.is_printable and await run_binding(self, event.key)
        if bound and self.completer is not None:
            self.completer.edited()
        return bound

    def _do(self, id: str) -> bool:
        """Do what a key of the composer is for; False if it has nothing to do here and means what it means elsewhere."""
        match id:
            case "send":
                self.submit()
            case "newline":
                self.replace("\n", *self.selection, maintain_selection_offset=False)
            case "history.previous":
                return self._in_first_row() and self._step(-1)
            case "history.next":
                return self._in_last_row() and (self._step(1) or self.give_up_command())
            case "choices.enter":
                return self.enter_choices()
            # At once too: what is typed right after is for the search, or comes behind the piece.
            case "history.search" if self.start_search():
                pass
            case "paste.open" if self.open_piece():
                pass
            case _:
                self.post_message(self.Wanted(id))
        return True

    def _in_first_row(self) -> bool:
        return self._row() == 0

    def _in_last_row(self) -> bool:
        return self._row() >= self.wrapped_document.height - 1

    def _row(self) -> int:
        """The screen row of the cursor, counted through wrapped lines."""
        return self.wrapped_document.location_to_offset(self.cursor_location).y

    def _step(self, by: int) -> bool:
        prompt = self._recall.step(by, self.marked)
        if prompt is not None:
            self.fill(prompt)
        return prompt is not None

    # -- searching --------------------------------------------------------------------------------------------------

    @property
    def searching(self) -> bool:
        """Whether somebody searches in the earlier prompts."""
        return self._recall.found is not None

    def start_search(self) -> bool:
        """Search in the earlier prompts, or go to the next older one that was found; False = there are none."""
        if self._recall.is_empty:
            return False
        if self._recall.found is None:
            self._recall.start_search(self.marked)
            self.post_message(self.Searching(self._recall.found))
        else:
            self._show(self._recall.older())
        return True

    def end_search(self, *, take: bool) -> bool:
        """Take the prompt that is shown, or give back what was written; False = nobody searches."""
        if self._recall.found is None:
            return False
        self.fill(self._recall.end_search(take=take))
        self.post_message(self.Searching(None))
        return True

    def _search(self, query: str) -> None:
        self._show(self._recall.search(query))

    def _search_key(self, event: events.Key) -> bool:
        """The keys while somebody searches. One that is for none of it takes what was found, and then does its work."""
        found = self._recall.found
        id = self._does.get(event.key, "")
        if found is None:
            return False
        if event.is_printable and event.character:
            self._search(found.query + event.character)
        elif (
            event.key in ("enter", "tab") and event.character == IN_TEXT
        ):  # of several lines that came at once
            self._search(f"{found.query} ")
        elif event.key == "backspace":
            self._search(found.query[:-1])
        elif id in ("history.search", "history.previous"):
            self._show(self._recall.older())
        elif id == "history.next":
            self._show(self._recall.older(-1))
        elif id == "send" or event.key in ("enter", "tab"):
            self.end_search(take=True)
        elif event.key == "escape":
            self.end_search(take=False)
        else:
            self.end_search(take=True)
            return False
        return True

    def _show(self, marked: str) -> None:
        """Show what was found, and where the words are in it."""
        found = self._recall.found
        self.fill(marked)
        where = place(self.text, found.query) if found is not None and found.count else None
        if where is not None:
            start, end = (self._location(at) for at in where)
            self.selection = Selection(start, end)
        self.post_message(self.Searching(found))

    def _location(self, index: int) -> Location:
        """Row and column of a place in the text."""
        before = self.text[:index]
        return before.count("\n"), index - (before.rfind("\n") + 1)
