"""What goes down the wire and what comes up it. Out: `compositor.py` renders what changed, `writer.py` sends only the cells that
differ (`cells.py`, `diff.py`, `scroll.py`, `encoder.py`, `sgr.py`); begin there. In: `reader.py` turns bytes into events
(`sequences.py`, `key_reports.py`). `driver.py` takes the terminal and gives it back, `probe.py` finds out what it can do,
`pace.py` how often it is drawn to, `clipboard.py` what is copied. `hook.py` puts all this under a Textual app.
"""
