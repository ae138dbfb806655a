"""lokal: a terminal chat client for local LLM servers."""

__version__ = "0.1.0"
