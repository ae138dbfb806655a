"""The status bar: what the model is set to and doing, and at the right the keys that make sense now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from textual.strip import Strip

from tui.chat.overflow import said, window_of
from tui.chat.state import ConnectionStatus
from tui.core.commands import BY_ID, key_name
from tui.core.message import Timings
from tui.core.text import human_tokens, safe_name
from tui.core.tokens import Count
from tui.ui.state import ScreenState
from tui.ui.widgets.line import LineWidget
from tui.ui.widgets.row import Part, choose, fit, parts_width

GAP = 2
"""The least blanks between the readings and the keys."""
SAID_FIRST = 3
"""The last rank of what is said rather than more than one key: what goes on, the preset, the schema, the window in use."""
NOTICED_S = 1.0
"""A wait for the first token that is shorter is not worth a word."""


@dataclass(frozen=True, slots=True)
class StatusBarState:
    """What the line shows. `doing` is the phase of the running answer in words, empty for none; `used` the tokens of
    the context window in use, None = not known; `keys` the ids of the commands at the right; `schema` what answers are
    held to, empty for nothing; `downloads` says how far models are that are being downloaded; `timings` are those of the last answer; `words` say what a key does here, by command id,
    where it is something else than elsewhere."""

    state: ScreenState
    doing: str = ""
    used: Count | None = None
    keys: tuple[str, ...] = ()
    with_place: bool = False
    schema: str = ""
    timings: Timings = Timings()
    words: Mapping[str, str] = field(default_factory=dict)
    downloads: str = ""


class StatusBar(LineWidget):
    """The bottom line of every tab."""

    def __init__(self) -> None:
        super().__init__(id="status-bar")
        self._reading = StatusBarState(ScreenState())

    def show(self, reading: StatusBarState) -> None:
        """Change what is shown; nothing is repainted if nothing changed."""
        if reading != self._reading:
            self._reading = reading
            self.refresh()

    def line(self, width: int) -> Strip:
        groups, separator = self._groups(), self.part(" · ", "muted")
        right = self._fitting_keys(groups, separator, width)
        room = width - parts_width(right) - 1 - GAP
        left = [self.part(" "), *choose(groups, separator, room)]
        # The line ends with a blank, as the title bar does, if there is one to spare.
        gap = " " * max(GAP, width - parts_width(left) - parts_width(right) - 1)
        return fit([*left, self.part(gap), *right], width, self.base())

    def _groups(self) -> Sequence[tuple[int, Sequence[Part]]]:
        """The parts at the left in the order of their place, each with the rank that decides what a narrow screen keeps."""
        reading, state = self._reading, self._reading.state
        mark = "*" if state.settings.unsaved else ""
        preset = self.part(safe_name(state.preset.name, 24) + mark, "accent")
        groups = [(0, [self.part(reading.doing, "second")]), (1, [preset])]
        if not reading.doing:
            groups += [(5 + place, [self.part(text)]) for place, text in enumerate(self._values())]
        groups.append((2, [self.part(reading.schema, "second")]))
        groups.append((4, [self.part(reading.downloads, "second")]))
        groups.append((3, [self.part(self._window(), "muted")]))
        if not reading.doing:
            groups += [(7 + n, [self.part(text, "muted")]) for n, text in enumerate(self._speeds())]
        if reading.with_place and state.connection is not None:
            groups.append((4, [self.part(safe_name(state.model, 30), "second")]))
        elif state.status is ConnectionStatus.NONE:
            groups.append((2, [self.part("no server", "warning")]))
        if state.server.asleep:
            groups.append((4, [self.part("engine asleep", "muted")]))
        if state.connection is not None and state.connection.guide:
            groups.insert(1, (1, [self.part("guide - knows only lokal", "second")]))
        return [(rank, group) for rank, group in groups if any(text for text, _ in group)]

    def _values(self) -> list[str]:
        values = self._reading.state.values()
        named = (("temperature", "temp"), ("top_p", "top_p"))
        return [
            f"{short} {values[name]:.6g}"
            for name, short in named
            if isinstance(values.get(name), int | float)
        ]

    def _window(self) -> str:
        used, window = self._reading.used, window_of(self._reading.state)
        if window is None:
            return f"ctx {said(used)}" if used is not None and used.tokens else ""
        if used is None and self._reading.doing:
            return ""  # it is counted when the answer is there
        return f"ctx {'?' if used is None else said(used)} of {human_tokens(window)}"

    def _speeds(self) -> list[str]:
        """How fast the last answer was, for a wide screen."""
        timings = self._reading.timings
        speeds = []
        if timings.first_token_s is not None and timings.first_token_s >= NOTICED_S:
            speeds.append(f"first token {timings.first_token_s:.1f} s")
        if timings.prompt_tokens_per_s:
            speeds.append(f"{human_tokens(round(timings.prompt_tokens_per_s))} prompt tok/s")
        return speeds

    def _fitting_keys(
        self, groups: Sequence[tuple[int, Sequence[Part]]], separator: Part, width: int
    ) -> list[Part]:
        """As many keys as leave room for what is said first at the left; the one that makes most sense and F1, which shows
        the others, give way last. They never take more than half of the line."""
        ids = self._reading.keys
        choices = [
            right
            for kept in (ids, (*ids[:1], *ids[2:]), ids[:1], ())
            if parts_width(right := self._keys(kept)) <= width // 2
        ]
        first = [group for group in groups if group[0] <= SAID_FIRST]
        wanted = sum(parts_width(group) for _, group in first) + parts_width([separator]) * (len(first) - 1)
        return next(
            (right for right in choices if right and wanted <= width - parts_width(right) - 1 - GAP),
            next((right for right in reversed(choices) if right), choices[0]),
        )

    def _keys(self, ids: tuple[str, ...]) -> list[Part]:
        parts: list[Part] = []
        for id in ids:
            key = key_name(self._reading.state.keys.get(id, ""))
            word = self._reading.words.get(id) or BY_ID[id].short
            if not key or not word:
                continue  # a key that was taken away, or one that is not for this line
            if parts:
                parts.append(self.part("  "))
            parts += [self.part(key, "key"), self.part(f" {word}", "muted")]
        return parts
