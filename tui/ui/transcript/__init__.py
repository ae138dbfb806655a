"""The virtualised conversation view. `view.py` is the widget: begin there. `layout.py` holds the conversation as lines, of
which only those in sight exist, made of `rendered_message.py` and `stream.py` (text that grows), and kept by `cache.py`.
`search_highlight.py`, `transcript_cursor.py` and `unread.py` are parts of the widget with a state of their own; `markdown.py`
draws a block with `prose.py`, `inline.py`, `code.py` and `table.py`. `entry.py` is what the widget is told to show.
"""
