"""Moments as servers write them."""

from __future__ import annotations

import math
from datetime import datetime

FAR_S = 50 * 365.25 * 86_400
"""A moment so many seconds ahead is none that anybody waits for: Go writes “never” as one in some centuries."""


def moment(text: str) -> float | None:
    """The seconds since the epoch of an RFC 3339 moment, with fractions of any length; None for what is none, and for the
    year 1, which is Go's way of saying nothing."""
    try:
        found = datetime.fromisoformat(text)
        return found.timestamp() if found.tzinfo is not None and found.year > 1 else None
    except (ValueError, OverflowError, OSError):
        return None


def expiry(text: str, now: float) -> float | None:
    """As `moment`, of when something ends; infinite for what is too far away to come."""
    seconds = moment(text)
    return math.inf if seconds is not None and seconds - now > FAR_S else seconds
