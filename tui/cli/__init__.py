"""The command line: `lokal`, and `lokal ask`, `doctor`, `presets` and `chats`.

Begin at `main.py`, which runs a command line and ends it with an exit status. `parser.py` turns the arguments into one
frozen value a command; each command has a file of its own, which is imported only when it is run. `help.py` has the texts
of `--help`, `output.py` and `input.py` the standard streams, `signals.py` what ends a command early.
"""
