"""What a person who leaves is told while something that was said is not on the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.widgets import Input

from tui.core.text import safe_line
from tui.errors import FileError, LokalError
from tui.paths import with_tilde
from tui.ui.start.prompt import Line, Page, PromptPage
from tui.ui.widgets.row import wrap_words

if TYPE_CHECKING:
    from tui.ui.services import Services


class LeavePage(PromptPage):
    """Offers a file elsewhere. Dismissed with an empty text by Esc: lokal stays; else lokal is left."""

    def __init__(self, problem: LokalError, services: Services) -> None:
        super().__init__((), "path of a file", "Enter writes it there and leaves   Esc stays   Ctrl+Q leaves")
        self._problem = problem
        self._services = services

    def on_mount(self) -> None:
        """Say what is so, with a file that should do."""
        super().on_mount()
        line = self.query_one(Input)
        line.value = str(self._services.rescue_path())
        line.cursor_position = len(line.value)
        self._show()

    def on_resize(self) -> None:
        """The text is set to the width."""
        self._show()

    @on(Input.Submitted)
    def _handle_input_submitted(self, event: Input.Submitted) -> None:
        """Enter: write it, unless it is on the disk by now."""
        event.stop()
        event.prevent_default()  # Textual would call the page's own handler too, which dismisses it in any case
        if self._services.unwritten is None:
            self.dismiss("left")
            return
        if not event.value.strip():
            return
        try:
            path = self._services.rescue(event.value.strip())
        except FileError as error:
            self._show(error)
        else:
            self.dismiss(str(path))

    def _show(self, error: LokalError | None = None) -> None:
        width = max(20, self.size.width - 2)
        lines: list[Line] = [(("Not everything is saved yet", "heading"),), ()]
        cause = " ".join(filter(None, (f"{self._problem.title}:", self._problem.detail)))
        lines += [((text, "warning"),) for text in wrap_words(safe_line(with_tilde(cause), 500), width)]
        lines.append(())
        said = (
            "lokal tries again every two seconds; when it can save, Enter leaves. Or write it to another file, on a disk"
            " that has room: “lokal chats import FILE” reads it later."
        )
        lines += [((text, ""),) for text in wrap_words(said, width)]
        if error is not None:
            lines.append(())
            lines += [((text, "error"),) for text in wrap_words(safe_line(str(error), 500), width)]
        self.query_one(Page).show(lines)
