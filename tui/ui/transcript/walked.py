"""The transcript with a cursor on a message or one of its code blocks, which is moved by whoever takes its keys."""

from __future__ import annotations

from typing import Protocol

from textual import events

from tui.ui.transcript import folding
from tui.ui.transcript.cursor_target import CursorTarget
from tui.ui.transcript.folding import CodePlace
from tui.ui.transcript.found import FoundTranscript
from tui.ui.transcript.line_position import MessageSection


class KeyTaker(Protocol):
    """Who decides what the keys do while the transcript has the focus."""

    def take_key(self, event: events.Key) -> bool:
        """True = the key is done with."""
        ...

    def take_paste(self, text: str) -> None:
        """Text was pasted."""
        ...

    def take_focus(self, has_focus: bool) -> None:
        """The transcript has the focus now, or no longer."""
        ...


class WalkedTranscript(FoundTranscript):
    """Shows the cursor, brings it into sight, and folds."""

    taker: KeyTaker | None = None

    @property
    def mark(self) -> CursorTarget | None:
        """Where the cursor is."""
        return self._document.mark

    def set_mark(self, mark: CursorTarget | None) -> None:
        """Show the cursor there, or nowhere."""
        if mark != self._document.mark:
            self._document.mark = mark
            self._sync()

    def set_fold_key(self, name: str) -> None:
        """The key, as a person reads it, that folded blocks tell of."""
        self._document.fold_key = name

    def blocks(self, entry_id: str) -> tuple[CodePlace, ...]:
        """The code blocks of a message."""
        places = folding.places(self._document.rendered(entry_id))
        return tuple(place for place in places if place.number != folding.OWN_TEXT)

    def toggle_fold(self, mark: CursorTarget) -> bool | None:
        """Fold or unfold a code block, or all that a message has; None = there is nothing to fold."""
        document = self._document
        if mark.entry_id not in document:
            return None
        rendered = document.rendered(mark.entry_id)
        folds = folding.toggle(rendered, mark.block or None, document.reasons(rendered))
        if folds is not None:
            if (
                document.id_at(self._top.entry) == mark.entry_id
                and self._top.section == MessageSection.REASONING
            ):
                self._top = self._top._replace(piece=0, line=0)
            self._sync()
            self.reveal(mark)
        return folds

    def move_sideways(self, mark: CursorTarget, by: int) -> bool | None:
        """Move the long lines of a message or code block by so many cells; False = they are at their end, None = all
        are in sight."""
        return self.shift(mark.entry_id, by, mark.block or None) if mark.entry_id in self._document else None

    def is_too_wide(self, mark: CursorTarget) -> bool:
        """Whether something there goes beyond the right edge."""
        return mark.entry_id in self._document and self._document.is_too_wide(
            mark.entry_id, mark.block or None
        )

    def reveal(self, mark: CursorTarget) -> None:
        """Bring a message or block into sight: as much of it as fits, from its start on."""
        if mark.entry_id not in self._document or not self._lay_out():
            return
        document, height = self._document, self._laid_out[1]
        start, stop = document.place(*mark)
        needed = min(height, document.lines_between(start, stop, height))
        if start >= self._top:
            above = document.lines_between(self._top, start, height)
            if above + needed <= height:
                return
            start = document.moved(start, needed - height)
        self._leave_end()
        self._top = start
        self._sync()

    def on_resize(self) -> None:
        """The cursor stays in sight; but an answer that grows stays at its end, where the news is."""
        mark, document = self._document.mark, self._document
        if mark is None or mark.entry_id not in document:
            return
        if not document.rendered(mark.entry_id).entry.streaming:
            self.reveal(mark)

    # Keys

    async def _on_key(self, event: events.Key) -> None:
        focused = self.screen.focused
        if focused is not None and focused is not self:
            # Keys that came in one piece with the one that moved the focus are for the one who has it now.
            event.stop()
            event.prevent_default()
            focused.post_message(events.Key(event.key, event.character))
        elif self.taker is not None and self.taker.take_key(event):
            event.stop()
            event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        """Text that is pasted is meant for whoever writes."""
        if self.taker is not None:
            event.stop()
            self.taker.take_paste(event.text)

    def on_focus(self) -> None:
        """By whatever way it came."""
        if self.taker is not None:
            self.taker.take_focus(True)

    def on_blur(self) -> None:
        """To whomever it went."""
        if self.taker is not None and self.screen.focused is not self:
            self.taker.take_focus(False)
