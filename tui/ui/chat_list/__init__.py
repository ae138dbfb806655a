"""The list of chats. `controller.py` opens and leaves it and does what is chosen in it: begin there. `pane.py` is the widget with
its keys; `renderer.py` and `rows.py` draw its `contents.py`: the part of the list that `window.py` holds, and the search or title
that is written (`line_edit.py`).
`chat_library.py` reads and writes chats off the screen's thread, and answers with `messages.py`.
"""
