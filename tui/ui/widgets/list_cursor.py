"""Where the cursor of a list is, and which part of the list is in sight."""

from __future__ import annotations


class ListCursor:
    """`at` is the item under the cursor, `top` the first one in sight, of `count`."""

    def __init__(self) -> None:
        self.count = 0
        self.at = 0
        self.top = 0

    def go(self, at: int, rows: int) -> None:
        """Move to an item, or the nearest there is, with `rows` items in sight."""
        self.at = max(0, min(self.count - 1, at))
        self.fit(rows)

    def fit(self, rows: int) -> None:
        """Bring the cursor into sight, and leave no room at the end that items could fill."""
        rows = max(1, rows)
        self.top = max(self.at - rows + 1, min(self.top, self.at))
        self.top = max(0, min(self.top, self.count - rows))

    def resize(self, count: int, rows: int) -> None:
        """There are more items, or fewer."""
        self.count = max(0, count)
        self.go(self.at, rows)
