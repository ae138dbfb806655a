"""The SQLite database under a store, for a test that makes it fail or looks at its tables."""

from __future__ import annotations

from tui.store.database import Database
from tui.store.store import Store


def database_of(store: Store) -> Database:
    """The database that the store writes to now."""
    return store._database
