"""Writing in the person's own editor, with the screen given to it meanwhile."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tui.core.message import Message
from tui.errors import LokalError, Rescued
from tui.paths import with_tilde

if TYPE_CHECKING:
    from tui.ui.chat.view import ChatView


class ExternalEditor:
    """Opens one editor at a time."""

    def __init__(self, view: ChatView) -> None:
        self._view = view
        self._is_open = False

    def edit(self, text: str, of: Message | None = None) -> None:
        """Give it the draft, or what is written anew of the message `of`."""
        if not self._is_open:
            self._is_open = True
            self._view.tasks.start(
                partial(self._edit, text, of), "editor", on_mistake=partial(self._ended, text, of, None)
            )

    async def _edit(self, text: str, of: Message | None) -> None:
        from tui.ui.editor import edit_text

        try:
            new = await edit_text(self._view.app, text)
        except LokalError as error:
            self._ended(text, of, None, error)
        else:
            self._ended(text, of, new)

    def _ended(
        self, before: str, of: Message | None, text: str | None, problem: LokalError | None = None
    ) -> None:
        self._view.post(partial(self._take, before, of, text, problem))

    def _take(self, before: str, of: Message | None, text: str | None, problem: LokalError | None) -> None:
        """What was written in the editor is where it was before; `text` is None where there is nothing to take over."""
        self._is_open = False
        if text is not None:
            self._view.prompt_entry.take_edited(of, before, text)
        elif isinstance(problem, Rescued):
            self._view.notice_bar.pin(with_tilde(str(problem)))  # the path, to be copied
        elif problem is not None:
            self._view.show_notice(str(problem), "warning")
