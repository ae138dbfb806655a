"""What is written in a chat and was not sent yet."""

from __future__ import annotations

from dataclasses import dataclass

from tui.core.message import Attachment


@dataclass(frozen=True, slots=True)
class Draft:
    """The text, in marked form (`tui.core.paste_folds`), the files that are to go with it, and the edits of messages that were
    begun: pairs of a message's id and its new text."""

    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    edits: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.text or self.attachments or self.edits)

    def then(self, later: Draft) -> Draft:
        """This one, and a later one after it."""
        text = "\n\n".join(part for part in (self.text, later.text) if part)
        edits = {**dict(self.edits), **dict(later.edits)}
        return Draft(text, self.attachments + later.attachments, tuple(edits.items()))
