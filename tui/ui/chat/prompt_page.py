"""The page that shows a prompt as the model sees it, with special tokens and roles told apart; it can be copied."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual import events

from tui.chat.prompt_preview import PromptPreview, preview_next, preview_of
from tui.core.message import Message
from tui.core.rendered_prompt import PieceKind, lines_of
from tui.core.text import safe_block
from tui.errors import ChatsNotOpen, LokalError
from tui.ui.keys import named_by
from tui.ui.output import CopyWanted
from tui.ui.page import Line, PageScreen
from tui.ui.widgets.row import wrap_words

if TYPE_CHECKING:
    from tui.ui.chat.view import ChatView

COPY = "c"
_ROLES = {PieceKind.TEXT: "foreground", PieceKind.SPECIAL: "muted", PieceKind.ROLE: "second"}
_MARKS = {PieceKind.TEXT: ("", ""), PieceKind.SPECIAL: ("⟨", "⟩"), PieceKind.ROLE: ("", "")}


class TemplatedPromptPage(PageScreen):
    """Letters copy here, so nothing is looked for."""

    def __init__(self, title: str, preview: PromptPreview) -> None:
        self._text = safe_block(preview.prompt.text)
        super().__init__(title, lambda width: page_lines(preview, width), hint="c copies · Esc back")

    def on_key(self, event: events.Key) -> None:
        """The key that copies, and those of every page."""
        if named_by(event, {COPY: COPY}):
            event.stop()
            event.prevent_default()
            self.post_message(CopyWanted(lambda: self._text))
        else:
            super().on_key(event)


def page_lines(preview: PromptPreview, width: int) -> tuple[Line, ...]:
    """The lines of the page. A special token stands in pointed brackets of its own, so that it is told apart without colour."""
    room = max(10, width - 2)
    lines: list[Line] = [
        ((f" {line}", "muted"),) for note in preview.notes for line in wrap_words(note, room)
    ]
    lines.append(())
    for pieces in lines_of(safe_block(preview.prompt.text).expandtabs(4)):
        parts: list[tuple[str, str]] = []
        used = 0
        for piece in pieces:
            before, after = _MARKS[piece.kind]
            role, left = _ROLES[piece.kind], f"{before}{piece.text}{after}"
            if piece.kind is PieceKind.SPECIAL and room - used < len(left) <= room:  # it stays whole
                lines.append(((" ", role), *parts))
                parts, used = [], 0
            while len(left) > room - used:
                head = (
                    wrap_words(left, room - used)[0] if room - used > 0 and not piece.text.isspace() else ""
                )
                head = head or left[: max(0, room - used)]
                parts.append((head, role))
                left = left[len(head) :].lstrip(" ")
                lines.append(((" ", role), *parts))
                parts, used = [], 0
            parts.append((left, role))
            used += len(left)
        lines.append(((" ", "foreground"), *parts))
    return tuple(lines)


def show(view: ChatView, answer: Message | None, written: str = "") -> None:
    """Ask the server, and open the page: of an answer's prompt, or of the next question's, as far as it is `written`."""
    session = view.session
    if session is None:
        raise ChatsNotOpen()
    view.show_notice("Asking the server for the prompt …")
    view.tasks.start(partial(_show, view, answer, written), "prompt preview", exclusive=True)


async def _show(view: ChatView, answer: Message | None, written: str) -> None:
    session = view.session
    if session is None:
        return
    try:
        if answer is not None:
            preview = await preview_of(view.state, session.conversation, answer)
        else:
            attached = view.controller.outbox.attached
            preview = await preview_next(view.state, session.conversation, written, attached)
    except LokalError as error:
        view.show_notice(str(error), "warning")
        return
    view.notice_bar.clear_notice()
    title = "What the model saw" if answer is not None else "What the model will see"
    view.app.push_screen(TemplatedPromptPage(title, preview))
