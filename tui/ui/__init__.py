"""The screen, in Textual, which is imported nowhere else.

Begin at `app.py`. `run.py` starts it; `tabs.py` holds the three tabs, whose panes are in `chat/`, `models/` and `settings/`.
`chat/view.py` shows the open chat and is the front end of `tui.chat.controller`; `transcript/` draws the conversation;
`chat_list/` is the list of chats, `compare/` answers side by side, `start/` the ways on where there is no server. `terminal/` is
what goes down the wire. `state.py` is what every pane is shown.
"""
