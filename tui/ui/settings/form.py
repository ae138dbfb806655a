"""The form of a preset's parameters, made from the registry: one line each, changed by key, checked at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from tui.chat.overflow import window_of
from tui.core.message import Value
from tui.core.parameter import NO_LIMIT, Parameter
from tui.core.parameters import BY_NAME, PRIMARY, REGISTRY, beyond
from tui.core.presets import recommended_range
from tui.errors import UsageError
from tui.ui.compat import run_binding
from tui.ui.look import palette_of
from tui.ui.messages import CommandWanted, PresetCommandGiven, PresetEdited
from tui.ui.settings.slider import slider
from tui.ui.state import ScreenState
from tui.ui.widgets.line_list import LineList
from tui.ui.widgets.row import Part, cut

LABEL_WIDTH, NAME_WIDTH, VALUE_WIDTH = 21, 20, 8
NOTE_WIDTH = 17
LEAST_SLIDER, MOST_SLIDER = 15, 41


def label_width(width: int) -> int:
    """The cells of the labels in a form of `width` cells; 0 = there is no room for them beside the names that `/set`
    takes, and the help under the form says the one of the line with the cursor."""
    return LABEL_WIDTH if slider_width(width - LABEL_WIDTH) else 0


def slider_width(width: int) -> int:
    """The cells of a slider in a form of `width` cells without labels, its ends included; 0 = there is no room for any."""
    room = width - 1 - NAME_WIDTH - VALUE_WIDTH - 1 - NOTE_WIDTH
    return min(room, MOST_SLIDER) if room >= LEAST_SLIDER else 0


@dataclass(frozen=True, slots=True)
class FormRow:
    """A line of the form: a parameter, or the title of a group."""

    title: str
    parameter: Parameter | None = None


def rows() -> tuple[FormRow, ...]:
    """The parameters that people turn most, then the others by group."""
    lines = [FormRow(BY_NAME[name].title, BY_NAME[name]) for name in PRIMARY]
    group = ""
    for parameter in REGISTRY:
        if parameter.name in PRIMARY:
            continue
        if parameter.group != group:
            group = parameter.group
            lines.append(FormRow(group))
        lines.append(FormRow(parameter.title, parameter))
    return tuple(lines)


PRESET_KEYS = (
    ("new", "n"), ("copy", "c"), ("rename", "R"), ("delete", "d"), ("undo", "u"), ("diff", "v"), ("earlier", "["), ("later", "]"),
)  # fmt: skip
"""What is done with the preset as a whole, and its usual key."""


class ParameterForm(LineList):
    """Arrows move and change, digits type a value, Enter takes it, x goes back to the server's default. Esc takes back a
    value that is being typed, and otherwise leaves."""

    OWN_COMMANDS: ClassVar = frozenset(
        {
            "parameter.less",
            "parameter.more",
            "parameter.unset",
            "settings.leave",
            *(f"preset.{verb}" for verb, _ in PRESET_KEYS),
        }
    )
    """The commands whose keys it reads itself, while it has the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", id="parameter.less", show=False),
        Binding("right", "step(1)", id="parameter.more", show=False),
        Binding("x", "unset", id="parameter.unset", show=False),
        Binding("escape", "leave", id="settings.leave", show=False),
        *(Binding(key, f"preset('{verb}')", id=f"preset.{verb}", show=False) for verb, key in PRESET_KEYS),
    ]

    def __init__(self) -> None:
        super().__init__("form")
        self._rows = rows()
        self._state = ScreenState()
        self._typed: str | None = None
        self.problem: UsageError | None = None

    def on_mount(self) -> None:
        """The lines are always the same."""
        self.set_lines(len(self._rows), self.cursor.at)

    def set_state(self, state: ScreenState) -> None:
        """Show another preset, or the same for another server."""
        if state.preset.name != self._state.preset.name:
            self._typed, self.problem = None, None
        self._state = state
        self.refresh()

    @property
    def current(self) -> Parameter:
        """The parameter under the cursor."""
        parameter = self._rows[self.cursor.at].parameter
        assert parameter is not None  # the cursor skips the titles of groups
        return parameter

    # -- keys -------------------------------------------------------------------------------------------------------

    def action_move(self, step: int) -> None:
        """Up and down; a value that was typed is taken first."""
        if not self._take_typed():
            return
        super().action_move(step)

    def may_stop_at(self, index: int) -> bool:
        """The titles of groups are skipped."""
        return self._rows[index].parameter is not None

    def action_leave(self) -> None:
        """Take back what is being typed; where nothing is, go back to the chat."""
        if self._typed is None:
            self.post_message(CommandWanted("tab.chat"))
        else:
            self._typed, self.problem = None, None
            self._changed()

    def action_step(self, direction: int) -> None:
        """One step up or down, or the next choice."""
        if not self._take_typed():
            return
        parameter, value = self.current, self._value()
        if parameter.choices:
            choices: list[str | None] = [None, *parameter.choices]
            place = choices.index(value if isinstance(value, str) else None)
            self._set(choices[(place + direction) % len(choices)])
        elif parameter.kind in (int, float):
            used = self._in_use(parameter) if value is None else None
            bounds = recommended_range(self._state.preset.name, parameter.name)
            self._set(used or _stepped(parameter, value, direction, bounds))

    def action_preset(self, verb: str) -> None:
        """Something is to be done with the preset as a whole."""
        self.post_message(PresetCommandGiven(verb))

    def action_unset(self) -> None:
        """Leave it to the server."""
        self._typed, self.problem = None, None
        self._set(None)

    async def on_key(self, event: events.Key) -> None:
        """Typing a value."""
        if self._typed is None:
            if event.key == "enter":
                self._typed = "" if self._value() is None else self.current.format(self._value())
            elif event.character and (event.character.isdigit() or event.character in "-.,"):
                self._typed = event.character
            elif not await run_binding(self, event.key):
                return
        elif event.key == "enter":
            self._take_typed()
        elif event.key == "escape":
            self._typed, self.problem = None, None
        elif event.key == "backspace":
            self._typed = self._typed[:-1]
        elif event.is_printable and event.character:
            self._typed += event.character
        elif not await run_binding(self, event.key):
            return
        event.stop()
        event.prevent_default()
        self._changed()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a value is typed its letters are no commands."""
        return not (self._typed is not None and action in ("unset", "step"))

    # -- values -----------------------------------------------------------------------------------------------------

    def _value(self) -> Value | None:
        return self._state.preset.values.get(self.current.name)

    def _in_use(self, parameter: Parameter) -> int | None:
        """What is in use while the value is left to the server, where it is known: stepping begins there."""
        if parameter.name != "context_window":
            return None
        connection = self._state.connection
        model = connection.model(self._state.model) if connection is not None else None
        return window_of(self._state) or (model.context_loaded if model is not None else None)

    def _take_typed(self) -> bool:
        """Take what was typed; False if it is no value, which is then said and stays to be mended."""
        if self._typed is None:
            return True
        try:
            value = self.current.parse(self._typed)
        except UsageError as error:
            self.problem = error
            self._changed()
            return False
        self._typed, self.problem = None, None
        self._set(value)
        return True

    def _set(self, value: Value | None) -> None:
        if value != self._value():
            # The state comes back changed only after a while; keys that come before then count from here.
            preset = self._state.preset.with_value(self.current.name, value)
            self._state = self._state.with_settings(self._state.settings.with_preset(preset))
            self.post_message(PresetEdited(self._state.preset))
        self._changed()

    def _changed(self) -> None:
        self.refresh()
        self.post_message(self.Moved(self))

    # -- drawing ----------------------------------------------------------------------------------------------------

    def line_parts(self, index: int, width: int, *, under: bool) -> Sequence[Part]:
        """A parameter, or the title of a group."""
        palette, row = palette_of(self), self._rows[index]
        if row.parameter is None:
            return [(" ", palette["foreground"]), (row.title, palette["heading"])]
        return [(text, palette[role]) for text, role in self._parts(row.parameter, under=under, width=width)]

    def _parts(self, parameter: Parameter, *, under: bool, width: int) -> list[tuple[str, str]]:
        state = self._state
        value = state.preset.values.get(parameter.name)
        bounds = recommended_range(state.preset.name, parameter.name)
        has_limit = not (parameter.unlimited and value == NO_LIMIT)
        number = value if isinstance(value, int | float) and has_limit else None
        outside = bounds is not None and number is not None and not bounds[0] <= number <= bounds[1]
        typing = under and self._typed is not None
        label = label_width(width)
        track = slider_width(width - label)
        parts = [
            ("›" if under else " ", "accent"),
            (cut(parameter.title, label - 1).ljust(label), "foreground"),
            (cut(parameter.name, NAME_WIDTH - 1).ljust(NAME_WIDTH), "muted" if label else "foreground"),
        ]
        if typing:
            parts.append(
                (
                    f"{self._typed}▏".ljust(VALUE_WIDTH + track + 1),
                    "error" if self.problem else "accent",
                )
            )
        else:
            role = "muted" if value is None else "warning" if outside else "foreground"
            shown = parameter.format(value)
            if parameter.usual is None or parameter.choices:
                parts.append((cut(shown, VALUE_WIDTH + track).ljust(VALUE_WIDTH + track + 1), role))
            else:
                parts.append((shown.ljust(VALUE_WIDTH), role))
                parts += slider(number, parameter.usual, bounds, track) if track else []
                parts.append((" ", "muted"))
        note, role = _note(parameter, state, outside=outside)
        parts.append((note, role))
        return parts


def _note(parameter: Parameter, state: ScreenState, *, outside: bool) -> tuple[str, str]:
    """What is to be said beside the value."""
    if parameter.name in state.overrides:
        return f"this run: {parameter.format(state.overrides[parameter.name])}", "accent"
    connection = state.connection
    profile = connection.server.profile if connection else None
    if profile is not None and profile.kind not in parameter.wire:
        if parameter.engine_flag and profile.takes_load_flags:
            return "at start only", "muted"
        return f"not for {profile.label}", "warning" if parameter.name in state.preset.values else "muted"
    if profile is not None and beyond((parameter.name,), state.model_info):
        return "model cannot", "warning" if parameter.name in state.preset.values else "muted"
    bounds = recommended_range(state.preset.name, parameter.name)
    if bounds is not None:
        text = f"{bounds[0]:g}" if bounds[0] == bounds[1] else f"{bounds[0]:g}–{bounds[1]:g}"
        return (f"outside {text}", "warning") if outside else (f"band {text}", "muted")
    if profile is not None and parameter.wire[profile.kind].reloads:
        return "reloads the model", "muted"
    return parameter.unit, "muted"


def _stepped(
    parameter: Parameter, value: Value | None, direction: int, bounds: tuple[float, float] | None
) -> Value:
    """The next value on the parameter's grid; from nothing, the middle of the band, the parameter's
    own beginning, or the low end of the usual range."""
    step = parameter.step
    if not isinstance(value, int | float):
        lo, hi = bounds or parameter.usual or (max(parameter.lo, 0), max(parameter.lo, 0))
        target = (lo + hi) / 2 if bounds else lo if direction > 0 else hi
        if parameter.first is not None and not bounds:
            target = parameter.first
    else:
        grid = round(value / step, 6)
        whole = int(grid // 1)
        nearest = whole if direction < 0 and grid != whole else whole + 1 if direction > 0 else whole - 1
        target = nearest * step
    target = max(parameter.lo, min(parameter.hi, target))
    return int(target) if parameter.kind is int else round(target, 6)
