"""The Settings tab: `pane.py` is the tab, `form.py` the parameters of the preset in use, `slider.py` how a value is drawn."""
