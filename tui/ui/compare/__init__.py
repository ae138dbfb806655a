"""A comparison: `start.py` leads from `/compare` to the screen and back, `screen.py` is the screen, `column.py` one answer on
it, `keys.py` its page of keys, `commands.py` what opens it.
"""
