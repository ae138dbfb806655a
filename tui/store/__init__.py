"""Chats on the disk: one SQLite database, and the only place that knows SQL.

Begin at `store.py`, the one class that others use. `schema.py` has the tables and their migrations, `rows.py` and `tree.py`
turn rows into messages and back, `listing.py` lists chats, `drafts.py` keeps what is unsent. Searching: `search.py` over
`index.py`, `query.py`, `words.py` and `highlight.py`. Files: `export.py`, `importing.py` with one `from_*.py` a program,
`import_chats.py`. Trouble: `process_lock.py` and `recovery.py` (a lokal that ended in an answer), `repair.py` with
`salvage.py` and `pages.py` (a damaged database), `failure.py` (SQLite's errors as ours).
"""
