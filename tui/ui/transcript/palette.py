"""The styles of a theme by role. Whatever draws asks here; no colour is named anywhere else."""

from __future__ import annotations

from collections.abc import Mapping

from rich.style import Style


class RolePalette:
    """Rich styles by role name (`muted`, `rule`, `keyword` …).

    `palette["muted"]` is the role alone, to be laid over some background; `palette.ink("muted")` is the whole style of
    muted text on the theme's background. A role that does not exist is a KeyError.
    """

    def __init__(self, styles: Mapping[str, Style]) -> None:
        self._styles = dict(styles)
        self.base = self._styles["background"] + self._styles["foreground"]
        """Foreground on background: what everything is drawn over."""
        self._inks = {role: self.base + style for role, style in self._styles.items()}

    def __getitem__(self, role: str) -> Style:
        return self._styles[role]

    def __contains__(self, role: object) -> bool:
        return role in self._styles

    def ink(self, role: str) -> Style:
        """The style of `role` on the theme's background; the empty role is plain text."""
        return self._inks[role] if role else self.base

    @classmethod
    def plain(cls) -> RolePalette:
        """A palette without any colour, for terminals that have none: roles are told apart by attributes."""
        nothing, bold, dim = Style.null(), Style(bold=True), Style(dim=True)
        underlined, reverse = Style(underline=True), Style(reverse=True)
        return cls(
            {
                "background": nothing,
                "foreground": nothing,
                "accent": bold,
                "second": bold,
                "muted": dim,
                "rule": dim,
                "warning": bold,
                "error": bold + reverse,
                "success": bold,
                "heading": bold,
                "strong_code": bold,
                "link": underlined,
                "quote": Style(italic=True),
                "cursor_line": reverse,
                "selection": reverse,
                "keyword": bold,
                "string": nothing,
                "number": nothing,
                "comment": dim,
                "name": nothing,
                "type": nothing,
                "operator": nothing,
                "punctuation": nothing,
            }
        )
