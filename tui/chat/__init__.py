"""The chat client without a screen: what the app, `lokal --plain` and `lokal ask` stand on. No Textual in here.

Begin with `controller.ChatController`: its head names the way of a prompt. `open_chat` is what is so now, with one `activity`;
`context_gate` holds back what may not fit (`context_check` measures, `overflow` says what can be done, as a `decision`);
`outbox` is what is not sent yet (`prompt_queue`, `draft_autosave`, `attachments`); `events` are what a front end is told.
`requests` makes what is sent, `answer_stream` reads one answer, `comparison` several. `session` holds the chat and queues what
changes for the disk (`write_queue`). `state` is which server, model and preset are in use, `connections` finds servers,
`chat_library` opens the store, `commands` is the registry of commands, `tasks` runs what takes time.
"""
