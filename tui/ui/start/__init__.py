"""What is shown while no server answers: `panel.py` has the ways on, `prompt.py` the page with one line to write on."""
