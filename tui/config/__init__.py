"""The person's files: settings, presets, themes and keys, all of them TOML.

Begin at `startup.py`, which reads them once for the screen and for the commands. `settings.py`, `presets.py`, `themes.py`,
`keys.py` and `endpoints.py` each read one thing, `toml.py` checks the values, `loaded.py` is what reading gives: a usable
value and the problems. `edit.py` changes one value in a file and leaves every other byte; `example.py` makes
`config.example.toml`. `history.py` keeps the prompts of the Up key, `schema_file.py` reads a JSON schema.
"""
