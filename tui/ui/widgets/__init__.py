"""What several places of the screen are drawn with: `line.py` is one line, `line_list.py` a list of lines with a cursor,
`row.py` cuts, joins and wraps styled text."""
