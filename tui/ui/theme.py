"""From a theme file's roles to what Textual and the line widgets draw with."""

from __future__ import annotations

from rich.style import Style
from textual.theme import Theme

from tui.config.themes import DARK, LIGHT, TERMINAL, StyleSpec, ThemeSpec, parse_style
from tui.ui.transcript.palette import RolePalette


def palette_from(spec: ThemeSpec) -> RolePalette:
    """Rich styles by role, with the few that are made from others."""
    styles = {role: _style(parse_style(text), role) for role, text in spec.roles.items()}
    styles["tab"] = styles["muted"]
    styles["tab_open"] = styles["accent"] + Style(bold=True, underline=True)
    styles["key"] = styles["foreground"] + Style(bold=True)
    return RolePalette(styles)


def textual_theme(spec: ThemeSpec) -> Theme:
    """What Textual's own widgets (the text area, the command palette) are coloured with.

    All are declared to be in the terminal's colours: Textual 8.2 then sends a style as it is, whereas it would otherwise
    put every line through a filter that makes other colours of the sixteen and of `dim`.
    """
    colour = {role: _css(parse_style(text).color) for role, text in spec.roles.items()}
    cursor = parse_style(spec.roles["cursor_line"])
    raised = _css(cursor.background) if cursor.background else colour["background"]
    # Textual 8.2 takes no `reverse` from the style of a list's line.
    raised_style = "bold underline" if cursor.reverse else "bold"
    muted = parse_style(spec.roles["muted"])
    return Theme(
        name=spec.name,
        primary=colour["accent"],
        secondary=colour["second"],
        accent=colour["accent"],
        warning=colour["warning"],
        error=colour["error"],
        success=colour["success"],
        foreground=colour["foreground"],
        background=colour["background"],
        surface=colour["background"],
        panel=raised,
        dark=spec.dark,
        ansi=True,
        boost=colour["background"],
        variables={
            "lokal-muted": colour["muted"],
            "lokal-muted-style": "dim not bold" if muted.dim else "not bold",
            "lokal-raised": raised,
            "lokal-raised-style": raised_style,
            **_native(),
        },
    )


def _native() -> dict[str, str]:
    """The variables that Textual 8.2 wants of a theme in the terminal's own colours, all of them neutral."""
    names = ("background", "background-hover", "background-active", "hover", "active", "corner-color")
    return {
        "ansi-background": "ansi_default",
        "ansi-foreground": "ansi_default",
        "border-blurred": "ansi_default",
        "block-cursor-foreground": "ansi_default",
        "block-cursor-background": "ansi_default",
        "block-cursor-text-style": "reverse",
        "input-cursor-foreground": "ansi_default",
        "input-cursor-background": "ansi_default",
        "input-cursor-text-style": "reverse",
        "input-selection-foreground": "ansi_default",
        "input-selection-background": "ansi_default",
        "screen-selection-foreground": "ansi_default",
        "screen-selection-background": "ansi_default",
        "scrollbar": "ansi_default",
        **{f"scrollbar-{name}": "ansi_default" for name in names},
    }


def resolve_auto(background: tuple[int, int, int] | None, *, truecolor: bool) -> str:
    """The theme for a terminal with this background (red, green, blue of 0 to 255; None = it did not say)."""
    if background is None or not truecolor:
        return TERMINAL
    red, green, blue = background
    # Relative weights of ITU-R BT.601: how bright people see the three.
    return LIGHT if 0.299 * red + 0.587 * green + 0.114 * blue > 127 else DARK


def after(names: tuple[str, ...], name: str) -> str:
    """The theme that follows `name`."""
    return names[(names.index(name) + 1) % len(names)] if name in names else names[0]


def _style(spec: StyleSpec, role: str) -> Style:
    if role == "background":
        return Style(bgcolor=spec.color)
    return Style(
        color=spec.color or None,
        bgcolor=spec.background or None,
        bold=spec.bold or None,
        dim=spec.dim or None,
        italic=spec.italic or None,
        underline=spec.underline or None,
        reverse=spec.reverse or None,
        strike=spec.strike or None,
    )


def _css(colour: str) -> str:
    """A colour as Textual's CSS writes it; none is the terminal's own."""
    if not colour:
        return "ansi_default"
    return colour if colour.startswith("#") else f"ansi_{colour}"
