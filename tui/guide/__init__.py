"""The guide: a small model that ships with lokal and answers questions about lokal and local models where no server does.

`model.py` checks and hands out `lokal-guide.gguf`, which `guide.toml` describes; that is all the product needs. `training/`
has what the model was taught (`source/*.toml`) and its trainer; the wheel leaves it out.
"""
