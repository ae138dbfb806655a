"""A text area in which long pastes are chips: one unit for the cursor and for deleting, opened into the text by a key."""

from __future__ import annotations

from dataclasses import dataclass

from rich.text import Text
from textual import events
from textual.geometry import Offset
from textual.message import Message
from textual.widgets import TextArea
from textual.widgets.text_area import Edit, EditResult, Location, Selection

from tui.core.paste_folds import PasteFolds, is_long, plain
from tui.core.text import safe_block
from tui.ui.chat.decision_prompt import DecisionPrompt, shown_on
from tui.ui.look import palette_of
from tui.ui.terminal.reader import IN_TEXT


class WritingMessage(Message):
    """What a place where a prompt is written has to say to the view of the chat."""


class PromptTextArea(TextArea):
    """`text` is what is shown, with the chips; `marked` is what to keep of it, `plain` what to send."""

    @dataclass(eq=False, repr=False)
    class Folded(WritingMessage):
        """A paste became a chip."""

        chip: str

    @dataclass(eq=False, repr=False)
    class LineTaken(WritingMessage):
        """The key that takes the line has done so, and there is more: pressed again it takes everything."""

    @dataclass(eq=False, repr=False)
    class AllTaken(WritingMessage):
        """Everything was taken away; undo brings it back."""

    def __init__(self, id: str) -> None:
        # Before Textual's own: it checks the selection while it is made.
        self._pieces = PasteFolds()
        self._line_taken: str | None = None
        """What there was when the key that takes the line had done so, until anything else is done."""
        super().__init__(
            id=id,
            theme="css",
            soft_wrap=True,
            show_line_numbers=False,
            tab_behavior="focus",
            highlight_cursor_line=False,
            compact=True,
        )
        self.cursor_blink = False

    @property
    def marked(self) -> str:
        """What is written, with the pieces marked."""
        return self._pieces.marked(self.text)

    @property
    def plain(self) -> str:
        """What is written, with the pieces in their places."""
        return plain(self.marked)

    def fill(self, marked: str) -> None:
        """Replace what is written, the cursor at its end."""
        self.text = self._pieces.load(marked)
        self.move_cursor(self.document.end)

    def replace_with_edit(self, before: str, text: str) -> None:
        """Let `text` be what became elsewhere of `before`, which was written here. Its pieces are folded again where
        they are unchanged; what was typed since then comes behind. It is one edit, which undo takes back."""
        shown = self._pieces.refold(text + self.plain.removeprefix(before))
        self.history.checkpoint()
        self.replace(shown, (0, 0), self.document.end, maintain_selection_offset=False)
        self.move_cursor(self.document.end)

    def take_line(self, event: events.Key) -> bool:
        """Whether the key is an Enter or a Tab of several lines that came at once, as a paste does from a terminal that does
        not say where one begins: it is written then, and does nothing."""
        if event.character != IN_TEXT or event.key not in ("enter", "tab"):
            return False
        self.replace("\n" if event.key == "enter" else "\t", *self.selection, maintain_selection_offset=False)
        return True

    def open_piece(self) -> bool:
        """Put the piece at the cursor, or the last one before it, or the first one, into the text. False = there is
        none."""
        row, column = self.cursor_location
        found = [
            (line, start, end, number)
            for line in range(self.document.line_count)
            for start, end, number in self._pieces.chips(self.document.get_line(line))
        ]
        if not found:
            return False
        before = [chip for chip in found if chip[:2] <= (row, column)]
        line, start, end, number = before[-1] if before else found[0]
        piece = self._pieces.piece(number)
        self.replace(piece, (line, start), (line, end), maintain_selection_offset=False)
        return True

    def enter_choices(self) -> bool:
        """Put the focus on the list of ways on, at once, so that the next key is for that; False = there is none."""
        choice = shown_on(self.screen)
        if choice is not None:
            self.screen.set_focus(choice)
        return choice is not None

    def hand_over(self, event: events.Key) -> bool:
        """Whether the key came in one piece with the one that led to the list: then it is for that."""
        focused = self.screen.focused
        if isinstance(focused, DecisionPrompt):
            focused.post_message(events.Key(event.key, event.character))
        return isinstance(focused, DecisionPrompt)

    def action_delete_to_start_of_line(self) -> None:
        """Take the line away before the cursor; pressed again right after that, take everything. It is one edit, so that
        one undo brings it back: no other key empties a text of thousands of lines."""
        if self._line_taken == self.text:
            self._line_taken = None
            self.clear()
            self.post_message(self.AllTaken())
            return
        super().action_delete_to_start_of_line()
        if self.text:
            self._line_taken = self.text
            self.post_message(self.LineTaken())

    def on_resize(self) -> None:
        """The lines are wrapped anew: the cursor stays in sight."""
        self.call_after_refresh(self.scroll_cursor_visible)

    def watch_selection(self) -> None:
        """The cursor went elsewhere."""
        self._line_taken = None

    def scroll_cursor_visible(self, center: bool = False, animate: bool = False) -> Offset:
        """Nowhere, while the cursor is behind the end of the text. In Textual 8.2 undo and redo first change the text,
        then let the scrollbar go or come, which scrolls to the cursor, and only then put the cursor into its place."""
        if self.cursor_location[0] >= self.document.line_count:
            return Offset(0, 0)
        return super().scroll_cursor_visible(center, animate)

    async def _on_paste(self, event: events.Paste) -> None:
        """A paste as plain text: a log's colours or a page's hidden marks are to reach neither terminal nor model."""
        event.stop()
        event.prevent_default()
        await super()._on_paste(events.Paste(self._pasted(event.text)))

    def take_paste(self, text: str) -> None:
        """Take what was pasted while something else has the focus, which keeps it."""
        self.insert(self._pasted(text))

    def _pasted(self, text: str) -> str:
        text = safe_block(text)
        if not is_long(text):
            return text
        chip = self._pieces.add(text)
        self.post_message(self.Folded(chip))
        return chip

    def edit(self, edit: Edit) -> EditResult:
        """Textual's one way to change the text. What would cut through a chip takes the whole of it."""
        if edit.from_location != edit.to_location:
            top, bottom = self._edges(edit.top)[0], self._edges(edit.bottom)[1]
            edit = Edit(edit.text, top, bottom, edit.maintain_selection_offset)
        return super().edit(edit)

    def validate_selection(self, selection: Selection) -> Selection:
        """The cursor passes over a chip in one step."""
        return Selection(
            self._outside(selection.start, self.selection.start),
            self._outside(selection.end, self.selection.end),
        )

    def _outside(self, place: Location, before: Location) -> Location:
        left, right = self._edges(place)
        if left == right:
            return place
        if before <= left:
            return right
        if before >= right:
            return left
        return left if place[1] - left[1] < right[1] - place[1] else right

    def _edges(self, place: Location) -> tuple[Location, Location]:
        """The ends of the chip that `place` is in; twice `place` if it is in none."""
        row, column = place
        if row < self.document.line_count:
            for start, end, _ in self._pieces.chips(self.document.get_line(row)):
                if start < column < end:
                    return (row, start), (row, end)
        return place, place

    def get_line(self, line_index: int) -> Text:
        """The chips look like what they are: not text."""
        line = super().get_line(line_index)
        for start, end, _ in self._pieces.chips(line.plain):
            line.stylize(palette_of(self)["accent"], start, end)
        return line
