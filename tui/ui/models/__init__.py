"""The Models tab: `pane.py` is the tab, `table.py` the list of what the server has."""
