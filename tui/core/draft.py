"""What is written in a chat and was not sent yet."""

from __future__ import annotations

from dataclasses import dataclass

from tui.core.message import Attachment


@dataclass(frozen=True, slots=True)
class Draft:
    """The text, in marked form (`tui.core.pasted`), and the files that are to go with it."""

    text: str = ""
    attachments: tuple[Attachment, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.text or self.attachments)

    def then(self, later: Draft) -> Draft:
        """This one, and a later one after it."""
        text = "\n\n".join(part for part in (self.text, later.text) if part)
        return Draft(text, self.attachments + later.attachments)
