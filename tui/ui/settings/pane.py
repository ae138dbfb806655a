"""The Settings tab: the presets at the left, the form of the one in use, and what the parameter under the cursor does."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.strip import Strip

from tui.core.parameter import Parameter
from tui.core.text import safe_line, safe_name
from tui.errors import sentences
from tui.ui.messages import PresetCommandGiven
from tui.ui.settings.form import ParameterForm
from tui.ui.state import ScreenState
from tui.ui.widgets.line import LineWidget
from tui.ui.widgets.line_list import LineList
from tui.ui.widgets.row import Part, cut_middle, fit, spread, wrap_words

LIST_WIDTH = 17
LEAST_FOR_LIST = 72
"""The columns of the screen from which on the list of presets is shown."""


class PresetList(LineWidget):
    """The presets and the theme; the keys that switch them are named beside them."""

    DEFAULT_CSS = "PresetList { height: 1fr; width: 17; }"

    def __init__(self) -> None:
        super().__init__(id="preset-list")
        self._state = ScreenState()

    def show(self, state: ScreenState) -> None:
        """Change what is listed."""
        self._state = state
        self.refresh()

    def line_at(self, y: int, width: int) -> Strip:
        lines = self._lines()
        return fit(lines[y] if y < len(lines) else [], width, self.base())

    def _lines(self) -> list[list[Part]]:
        state = self._state
        lines: list[list[Part]] = [[self.part(" "), self.part("Presets", "heading")]]
        for number, preset in enumerate(state.presets, 1):
            used = preset.name == state.preset.name
            key = f" {number}" if number < 10 else ""
            name = cut_middle(safe_name(preset.name), LIST_WIDTH - 5)
            lines.append(
                [
                    self.part("›" if used else " ", "accent"),
                    self.part(name.ljust(LIST_WIDTH - 5), "accent" if used else ""),
                    self.part(key, "muted"),
                ]
            )
        lines += [
            [],
            [self.part(f" {state.key('preset.next')} next", "muted")],
            [self.part(f" {state.key('preset.1')[:-1]}1–9 pick", "muted")],
            [self.part(f" {state.key('preset.new')} new {state.key('preset.delete')} delete", "muted")],
            [],
            [self.part(" "), self.part("Theme", "heading")],
            [self.part(" " + cut_middle(state.theme, LIST_WIDTH - 2))],
            [self.part(f" {state.key('theme.next')} next", "muted")],
            [self.part(" "), self.part("Values", "heading")],
            [self.part(" ←→ change", "muted")],
            [self.part(" 0–9 type", "muted")],
            [self.part(f" {state.key('parameter.unset')} default", "muted")],
        ]
        return lines


class Title(LineWidget):
    """Which preset the form shows, and whether it is saved."""

    def __init__(self) -> None:
        super().__init__(id="preset-title")
        self._state = ScreenState()

    def show(self, state: ScreenState) -> None:
        """Change what is shown."""
        self._state = state
        self.refresh()

    def _changed(self) -> str:
        """That values are changed, and the three ways on."""
        ways = (("preset.save", "save"), ("preset.copy", "save as"), ("preset.revert", "drop"))
        keys = " · ".join(f"{self._state.key(id)} {word}" for id, word in ways if self._state.key(id))
        return f"changed: {keys} " if keys else "changed, not saved "

    def line(self, width: int) -> Strip:
        preset = self._state.preset
        left = [self.part(" "), self.part(safe_name(preset.name, 30), "accent")]
        if preset.description:
            left.append(self.part("  " + safe_line(preset.description, 60), "muted"))
        right = [self.part(self._changed(), "warning")] if self._state.settings.unsaved else []
        if right:
            left = left[:2]
        return spread(left, right, width, self.base())


class ParameterHelp(LineWidget):
    """Five lines: what the parameter does, what low and high mean, when to change it; or what is wrong with a value."""

    DEFAULT_CSS = "ParameterHelp { height: 6; }"

    def __init__(self) -> None:
        super().__init__(id="parameter-help")
        self._parts: tuple[tuple[str, str], ...] = ()

    def show(self, parts: tuple[tuple[str, str], ...]) -> None:
        """(text, role) paragraphs, each wrapped."""
        if parts != self._parts:
            self._parts = parts
            self.refresh()

    def line_at(self, y: int, width: int) -> Strip:
        if y == 0:
            return fit([self.part("─" * width, "rule")], width, self.base())
        lines = [(line, role) for text, role in self._parts for line in wrap_words(text, max(10, width - 2))]
        if y - 1 < len(lines):
            text, role = lines[y - 1]
            return fit([self.part(" " + text, role)], width, self.base())
        return Strip.blank(width, self.base())


class SettingsPane(Vertical):
    """The preset in use, to look at and to change."""

    def __init__(self, state: ScreenState) -> None:
        super().__init__(id="settings")
        self._state = state

    def compose(self) -> ComposeResult:
        with Horizontal(id="settings-body"):
            yield PresetList()
            with Vertical(id="settings-right"):
                yield Title()
                yield ParameterForm()
        yield ParameterHelp()

    def on_mount(self) -> None:
        """Fill it."""
        self._fill()

    def on_show(self) -> None:
        """A file may have been dropped into the folder since."""
        self.post_message(PresetCommandGiven("refresh"))

    def on_resize(self) -> None:
        """A narrow screen is left to the values; the title says which preset they are of."""
        self.query_one(PresetList).display = self.size.width >= LEAST_FOR_LIST

    @property
    def form(self) -> ParameterForm:
        """The form."""
        return self.query_one(ParameterForm)

    def set_state(self, state: ScreenState) -> None:
        """Show the state's preset."""
        self._state = state
        if self.is_mounted:
            self._fill()

    def _fill(self) -> None:
        self.query_one(PresetList).show(self._state)
        self.query_one(Title).show(self._state)
        self.form.set_state(self._state)
        self._explain()

    @on(LineList.Moved)
    def _handle_parameter_form_moved(self) -> None:
        """Another parameter is to be explained."""
        self._explain()

    def _explain(self) -> None:
        form = self.form
        if form.problem is not None:
            wrong = form.problem
            parts: tuple[tuple[str, str], ...] = (
                (sentences(wrong.title, wrong.detail), "error"),
                ("Esc leaves it as it was", "muted"),
            )
        else:
            parts = tuple((text, role) for text, role in _explanation(form.current) if text)
        self.query_one(ParameterHelp).show(parts)


def _explanation(parameter: Parameter) -> tuple[tuple[str, str], ...]:
    ends = [
        f"Low: {parameter.low_effect}." if parameter.low_effect else "",
        f"High: {parameter.high_effect}." if parameter.high_effect else "",
    ]
    # The name that /set takes, unless it is the label itself.
    label = (
        parameter.title if parameter.title == parameter.name else f"{parameter.title}, /set {parameter.name}"
    )
    return (
        (f"{label}: {parameter.help}.", "foreground"),
        (" ".join(end for end in ends if end), "foreground"),
        (f"When: {parameter.when_to_change}." if parameter.when_to_change else "", "muted"),
    )
