"""Where the time of a start goes: marks on one clock, from the moment the system made the process."""

from __future__ import annotations

import contextlib
import os
import time


class StartupProfile:
    """Marks in the order in which they were made. Making one takes no more than reading the clock."""

    def __init__(self) -> None:
        self._marks: list[tuple[str, float]] = []

    def mark(self, name: str) -> None:
        """`name` is done now."""
        self._marks.append((name, time.monotonic()))

    def report(self) -> str:
        """A line a mark: milliseconds since the process was made, milliseconds since the mark before, its name."""
        last = _made_at()
        begin = last = self._marks[0][1] if last is None else last
        lines = ["    at ms  took ms"]
        for name, at in self._marks:
            lines.append(f"{(at - begin) * 1000:9.0f}{(at - last) * 1000:9.0f}  {name}")
            last = at
        return "\n".join(lines)


def _made_at() -> float | None:
    """When this process was made, on the monotonic clock in seconds, to a hundredth; None where the system does not say.

    Source: proc(5), /proc/pid/stat, field 22, in clock ticks since the system started.
    """
    with contextlib.suppress(OSError, ValueError, IndexError, AttributeError):
        with open("/proc/self/stat", encoding="ascii", errors="replace") as file:  # noqa: PTH123 - before pathlib is there
            fields = file.read().rpartition(")")[2].split()
        since_boot = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return since_boot - time.clock_gettime(time.CLOCK_BOOTTIME) + time.monotonic()
    return None
