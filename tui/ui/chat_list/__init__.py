"""The list of chats. `controller.py` opens and leaves it and does what is chosen in it: begin there. `pane.py` is the widget with
its keys, drawn by `view.py` and `rows.py` from what `window.py` holds; `line_edit.py` is the search or title that is written.
`chat_library.py` reads and writes chats off the screen's thread, and answers with `messages.py`.
"""
