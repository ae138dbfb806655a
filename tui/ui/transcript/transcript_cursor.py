"""The cursor of the transcript on a message or one of its code blocks, which is moved by whoever handles its keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from textual import events

from tui.ui.transcript import folding
from tui.ui.transcript.cursor_target import CursorTarget
from tui.ui.transcript.folding import CodePlace

if TYPE_CHECKING:
    from tui.ui.transcript.layout import TranscriptLayout
    from tui.ui.transcript.line_position import LinePosition


class TranscriptInput(Protocol):
    """Who decides what the keys do while the transcript has the focus."""

    def handle_key(self, event: events.Key) -> bool:
        """True = the key is done with."""
        ...

    def handle_paste(self, text: str) -> None:
        """Text was pasted."""
        ...

    def handle_focus(self, has_focus: bool) -> None:
        """The transcript has the focus now, or no longer."""
        ...


class CursorHost(Protocol):
    """What the cursor needs of its transcript."""

    def document_changed(self) -> None:
        """Show what has changed in the document."""
        ...

    def reasoning_changed(self, entry_id: str = "") -> None:
        """The reasoning of an entry has other lines now."""
        ...

    def move_sideways(self, entry_id: str, by: int, block: int | None = None) -> bool | None:
        """Move what is too wide by so many cells; False = it is at its end, None = all is in sight."""
        ...

    def bring_into_sight(self, lines: Callable[[], tuple[LinePosition, LinePosition]]) -> None:
        """Show what is between two lines, asked for when all is laid out."""
        ...


class TranscriptCursor:
    """The cursor of one transcript: shown, brought into sight, and what can be folded or moved where it is."""

    def __init__(self, transcript: CursorHost, document: TranscriptLayout) -> None:
        self._transcript = transcript
        self._document = document

    @property
    def target(self) -> CursorTarget | None:
        """Where the cursor is."""
        return self._document.cursor_target

    def put(self, target: CursorTarget | None) -> None:
        """Show the cursor there, or nowhere."""
        if target != self._document.cursor_target:
            self._document.cursor_target = target
            self._transcript.document_changed()

    def set_fold_key(self, name: str) -> None:
        """The key, as a person reads it, that folded blocks tell of."""
        self._document.fold_key = name

    def blocks(self, entry_id: str) -> tuple[CodePlace, ...]:
        """The code blocks of a message."""
        places = folding.places(self._document.rendered(entry_id))
        return tuple(place for place in places if place.number != folding.OWN_TEXT)

    def toggle_fold(self, target: CursorTarget) -> bool | None:
        """Fold or unfold a code block, or all that a message has; None = there is nothing to fold."""
        document = self._document
        if target.entry_id not in document:
            return None
        rendered = document.rendered(target.entry_id)
        folds = folding.toggle(rendered, target.block or None, document.reasons(rendered))
        if folds is not None:
            self._transcript.reasoning_changed(target.entry_id)
            self.reveal(target)
        return folds

    def move_sideways(self, target: CursorTarget, by: int) -> bool | None:
        """Move the long lines of a message or code block by so many cells; False = they are at their end, None = all
        are in sight."""
        if target.entry_id not in self._document:
            return None
        return self._transcript.move_sideways(target.entry_id, by, target.block or None)

    def is_too_wide(self, target: CursorTarget) -> bool:
        """Whether something there goes beyond the right edge."""
        document = self._document
        return target.entry_id in document and document.is_too_wide(target.entry_id, target.block or None)

    def reveal(self, target: CursorTarget) -> None:
        """Bring a message or block into sight: as much of it as fits, from its start on."""
        if target.entry_id in self._document:
            self._transcript.bring_into_sight(lambda: self._document.place(*target))

    def stay_in_sight(self) -> None:
        """The screen has another size; but an answer that grows stays at its end, where the news is."""
        target, document = self._document.cursor_target, self._document
        if target is None or target.entry_id not in document:
            return
        if not document.rendered(target.entry_id).entry.streaming:
            self.reveal(target)
