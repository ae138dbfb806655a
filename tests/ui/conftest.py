"""What tests of the running app ask for by name."""

from __future__ import annotations

import pytest


@pytest.fixture
def nobody_was_typing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key is meant for the choice from the moment that it appears."""
    monkeypatch.setattr("tui.ui.chat.choice.TYPING_S", 0.0)
