"""A compositor that renders no more than what changed.

Textual 8.2's renders every widget whose clip touches the changed rows, and that is nearly all of them, in their full
height, for each word that comes in. `Compositor._get_renders` is the one place to say less.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual._compositor import Compositor
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip


class LeanCompositor(Compositor):
    """Renders the changed rows of the widgets that are seen in them, front to back, until nothing behind can be seen."""

    def _get_renders(self, crop: Region | None = None) -> Iterable[tuple[Region, Region, list[Strip]]]:
        if not crop:
            yield from super()._get_renders(crop)
            return
        rows = Region(0, crop.y, self.size.width, crop.height)
        for widget, (region, clip) in self.visible_widgets.items():
            clip = clip.intersection(rows)
            seen = region.intersection(clip)
            if seen:
                x, y, width, height = seen
                yield region, clip, widget.render_lines(Region(x - region.x, y - region.y, width, height))
                if seen.contains_region(crop):
                    return


class LeanScreen(Screen[None]):
    """Textual's screen with that compositor."""

    def __init__(self) -> None:
        super().__init__(id="_default")
        self._compositor = LeanCompositor()
