"""What the encoder sends where emulators differ."""

from __future__ import annotations

from tui.ui.terminal.encoder import Encoder


def test_after_a_reset_the_cursor_is_sent_home_also_where_the_region_alone_does_not() -> None:
    encoder = Encoder(80, pen=None, erases_with_colour=True)
    encoder.reset()
    encoder.move(0, 0)
    assert encoder.text().endswith("\x1b[r\x1b[H")
