"""The kinds of server, one file each with its profile and its class; `openai` is the simplest, to begin with.

What a kind alone needs stands beside it under its name (`ollama_package`, `textgen_window`). The `openai_...` modules are
what those with OpenAI's `/v1/chat/completions` share: the request, the chunks of an answer, and the response format.
A new kind also has a name in `core/endpoint.py`, its fields in `core/parameters.py` and a line in `servers/registry.py`;
the contract suite in `tests/contract` then runs over it.
"""
