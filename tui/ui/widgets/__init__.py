"""What several places of the screen are drawn with: `line.py` is a widget of styled lines, `line_list.py` a list of lines
with a cursor and keys, `list_cursor.py` where that cursor is and what is in sight, `row.py` cuts, joins and wraps styled
text."""
