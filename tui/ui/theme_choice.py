"""Which theme the app is shown in: chosen by name or by a key, or as the terminal's background is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tui.chat.commands import CommandRegistry
from tui.core.slash import one_of
from tui.ui import theme as themes
from tui.ui.context import CommandLine
from tui.ui.terminal.probe import has_truecolor


class ThemedApp(Protocol):
    """What is to be shown in other colours."""

    theme: str

    @property
    def no_color(self) -> bool: ...
    def theme_names(self) -> tuple[str, ...]: ...
    def apply_theme(self, name: str) -> None: ...
    def show_notice(self, text: str, tone: str = "muted") -> None: ...


class ThemeChoice:
    """One for each app."""

    def __init__(
        self,
        app: ThemedApp,
        command_line: CommandLine,
        remember: Callable[[str, str], None],
        keep_auto_theme: Callable[[str], None],
        *,
        automatic: bool,
    ) -> None:
        """`remember` writes a setting down; `keep_auto_theme` keeps for the next start what the terminal's word came to.
        `automatic` = the terminal chooses the theme, until the person does."""
        self._app = app
        self._command_line = command_line
        self._remember = remember
        self._keep_auto_theme = keep_auto_theme
        self._first = app.theme
        self._automatic = automatic

    def add_commands(self, registry: CommandRegistry) -> None:
        """What a person can do about themes."""
        registry.add("theme.use", self._choose)
        registry.add("theme.next", lambda _: self.use(themes.after(self._app.theme_names(), self._app.theme)))

    def _choose(self, argument: str) -> None:
        app = self._app
        if argument:
            self.use(one_of(argument, app.theme_names(), "theme"))
        elif app.no_color:
            self.use(app.theme)  # which says that there is nothing to choose
        else:
            self._command_line.choose("theme", f"{app.theme} is in use")

    def use(self, name: str) -> None:
        """Change the colours, now and for the next start."""
        if self._app.no_color:
            self._app.show_notice("NO_COLOR is set, so there are no themes to choose from")
            return
        self._app.apply_theme(name)
        self._remember("theme", name)
        self._app.show_notice(f"theme {name}")

    def follow(self, background: tuple[int, int, int]) -> None:
        """The terminal said how bright it is: red, green, blue, 0 to 255 each. The theme `auto` follows."""
        if not self._automatic:
            return
        name = themes.resolve_auto(background, truecolor=has_truecolor())
        self._keep_auto_theme(name)
        if name != self._app.theme and self._app.theme == self._first:
            self._app.apply_theme(name)
