"""The domain: standard library only, no input and no output. Everything else may import it.

Begin with what a chat is: `message`, `conversation` (the tree of messages), `draft`, `removal` and `undo`. An answer comes in
as `events`, which `generation` puts together. `parameters` declares every parameter once, with its field on each kind of
server; `presets` are named values of them. `commands` declares every command, key and slash name, `slash` reads what was typed.
`tokens` and `token_budget` estimate what fits, `context_trim` says what the model no longer sees, `summary` asks for what it
sees instead. `blocks` takes Markdown apart while it comes in. `schema` and `validation` are JSON Schema, `text` makes what
others sent safe to show, `folding` and `finding` compare words as people do.
"""
