"""How a widget gets at the styles of the theme in use."""

from __future__ import annotations

from typing import Protocol, cast

from textual.widget import Widget

from tui.ui.transcript.palette import RolePalette


class HasPalette(Protocol):
    """An app with a palette."""

    palette: RolePalette


def palette_of(widget: Widget) -> RolePalette:
    """The palette of the app that `widget` is in."""
    return cast(HasPalette, widget.app).palette
