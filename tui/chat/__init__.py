"""The chat client without a screen: what the app, `lokal ask` and every other front end stand on. No Textual in here.

`session` holds the open chat and queues what changes for the disk (`write_queue`); `requests` makes of settings and a branch
what is sent; `answer_stream` reads one answer; `overflow` says what can be done where a prompt does not fit the context
window, as a `decision`; `prompt_queue`, `draft_autosave`, `prompt_history` and `attachments` are about what the person writes;
`state` is which server, model and preset are in use; `connections` finds servers, `library` opens the kept chats, `commands` is
the registry that each front end fills.
"""
