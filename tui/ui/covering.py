"""A screen that lies over the others until it is left."""

from __future__ import annotations

from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen

Result = TypeVar("Result")


class CoveringScreen(ModalScreen[Result]):
    """Left once. Textual 8.2 takes away whichever screen lies on top for each call of `dismiss`, so that of keys which come
    in one piece the second would close the screen below, or end the app where there is none."""

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Leave it, and what lies over it; nothing if it was left already, or lokal is: then it is taken away with the rest."""
        if self not in self.app.screen_stack or self.app.return_code is not None:
            return AwaitComplete()
        while self.app.screen is not self:
            self.app.pop_screen()
        return super().dismiss(result)
