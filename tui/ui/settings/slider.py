"""A parameter's value as a slider: the track is its usual range, the thick part the band of the preset."""

from __future__ import annotations

from tui.core.presets import ValueRange


def slider(
    value: float | None, usual: tuple[float, float], band: ValueRange | None, width: int
) -> list[tuple[str, str]]:
    """`width` cells as (text, role) parts. None = no knob: the server's default is not known here."""
    lo, hi = usual
    track = max(1, width - 2)

    def cell(number: float) -> int:
        share = (number - lo) / (hi - lo) if hi > lo else 0
        return max(0, min(track - 1, round(share * (track - 1))))

    cells = [("─", "rule")] * track
    if band is not None:
        for i in range(cell(band[0]), cell(band[1]) + 1):
            cells[i] = ("━", "muted")
    if value is not None:
        outside = band is not None and not band[0] <= value <= band[1]
        cells[cell(value)] = ("●", "warning" if outside else "accent")
    return [("▕", "rule"), *cells, ("▏", "rule")]
