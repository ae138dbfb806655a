"""The screen, in Textual, which is imported nowhere else.

Begin at `app.py`: it keeps the state and hands each message to the part that does something about it: `servers.py`,
`presets.py`, `theme_choice.py`, `chat_commands.py`, `chat_list/controller.py`, `leaving.py`. `commands.py` runs what is typed or
pressed, by the registry that each part adds its commands to. `services.py` is all that goes on off the screen. `run.py` starts
the app; `tab_list.py` has the three tabs, whose panes are in `chat/`, `models/` and `settings/`. `chat/view.py` shows the open
chat and is the front end of `tui.chat.controller`; `transcript/` draws the conversation; `compare/` is answers side by side,
`start/` the ways on where there is no server. `terminal/` is what goes down the wire. `state.py` is what every pane is shown.
"""
