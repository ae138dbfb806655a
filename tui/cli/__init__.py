"""The command line: `lokal`, and `lokal ask`, `doctor`, `presets` and `chats`.

Begin at `main.py`, which runs a command line and ends with an exit status. `parser.py` turns the words into one of the
values of `arguments.py`; each command has a file of its own (`ask.py` with `ask_run.py` and `ask_saving.py`, `chats.py` with
its actions), which is imported only when it is run; `plain.py` with its parts is `lokal --plain`. `help.py` has the texts of `--help`; `output.py`, `writer.py` and
`input.py` are the standard streams; `signals.py` runs what takes time so that it can be ended.
"""
