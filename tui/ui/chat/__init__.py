"""The Chat tab. `view.py` maps what the chat controller says to its parts: begin there. Writing: `prompt_entry.py` with the
`composer.py`, the `completion.py` of slash commands, `input_preview.py` and `decision_prompt.py`. What is shown:
`answer_entry.py` while an answer comes in, `entries.py` for a message, `welcome.py` for the empty chat. Messages by key:
`message_cursor.py`, `message_actions.py`, and `inline_editor.py` for another text of one.
"""
