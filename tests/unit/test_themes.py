"""Themes: the four that ship are whole and legible, and a bad one is left out with a reason."""

from __future__ import annotations

import math
from itertools import combinations
from pathlib import Path

import pytest

from tui.config.themes import (
    ANSI_COLORS,
    ATTRIBUTES,
    AUTO,
    PLAIN_ROLES,
    ROLES,
    StyleSpec,
    ThemeSpec,
    load_themes,
    parse_style,
    shipped_folder,
)
from tui.errors import FileError, UsageError

SHIPPED = load_themes(Path("/nowhere/at/all")).value
TRUECOLOR = [theme for theme in SHIPPED.values() if theme.name != "terminal"]
SYNTAX = ROLES[-8:]
LINES = ("rule",)  # drawn, not read

# What a dichromat sees, as matrices over linear RGB: Machado, Oliveira and Fernandes 2009, severity 1.0.
BLINDNESS = {
    "none": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}  # fmt: skip


def linear(color: str) -> tuple[float, float, float]:
    """Linear RGB of `#rrggbb`, 0 to 1 (WCAG 2.2, relative luminance)."""
    red, green, blue = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    parts = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (red, green, blue)
    ]
    return parts[0], parts[1], parts[2]


def contrast(one: str, other: str) -> float:
    """The WCAG 2.2 contrast ratio of two colours, 1 to 21."""
    weights = (0.2126, 0.7152, 0.0722)
    lights = [sum(w * part for w, part in zip(weights, linear(color), strict=True)) for color in (one, other)]
    return (max(lights) + 0.05) / (min(lights) + 0.05)


def lab(color: str, blindness: str) -> tuple[float, float, float]:
    """CIE L*a*b* (D65) of a colour as such eyes see it."""
    seen = [
        min(1.0, max(0.0, sum(w * part for w, part in zip(row, linear(color), strict=True))))
        for row in BLINDNESS[blindness]
    ]
    rows = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    xyz = [sum(w * part for w, part in zip(row, seen, strict=True)) for row in rows]
    f = [
        value ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116
        for value in (xyz[0] / 0.9505, xyz[1], xyz[2] / 1.089)
    ]
    return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])


def attributes(style: StyleSpec) -> tuple[bool, ...]:
    return tuple(getattr(style, name) for name in ATTRIBUTES)


def color(theme: ThemeSpec, role: str) -> str:
    return theme.style(role).color or theme.style("foreground").color


def test_four_themes_ship_and_are_without_fault() -> None:
    loaded = load_themes(Path("/nowhere/at/all"))
    assert loaded.problems == ()
    assert sorted(loaded.value) == ["high-contrast", "lokal-dark", "lokal-light", "terminal"]
    assert {theme.name: theme.dark for theme in TRUECOLOR} == {
        "high-contrast": True, "lokal-dark": True, "lokal-light": False,
    }  # fmt: skip
    for theme in loaded.value.values():
        assert tuple(theme.roles) == ROLES
        assert theme.title


@pytest.mark.parametrize("theme", TRUECOLOR, ids=lambda theme: theme.name)
def test_everything_can_be_read_on_its_ground(theme: ThemeSpec) -> None:
    ground = theme.style("background").color
    everywhere = 7.0 if theme.name == "high-contrast" else 4.5
    assert contrast(color(theme, "foreground"), ground) >= 7
    assert contrast(color(theme, "heading"), ground) >= 7
    for role in ROLES[1:]:
        style = theme.style(role)
        if role not in LINES:
            assert contrast(color(theme, role), style.background or ground) >= everywhere, role
    assert contrast(color(theme, "rule"), ground) >= 1.6


@pytest.mark.parametrize("theme", TRUECOLOR, ids=lambda theme: theme.name)
@pytest.mark.parametrize("role", ["cursor_line", "selection"])
def test_a_marked_row_is_seen_and_its_text_still_read(theme: ThemeSpec, role: str) -> None:
    style = theme.style(role)
    if style.reverse:
        return
    ground = theme.style("background").color
    assert contrast(style.background, ground) >= 1.12
    assert contrast(color(theme, "foreground"), style.background) >= 7
    for other in ("muted", "accent", "second", "warning", "error", "success"):
        assert contrast(color(theme, other), style.background) >= 3.9, other


@pytest.mark.parametrize("theme", TRUECOLOR, ids=lambda theme: theme.name)
@pytest.mark.parametrize("blindness", BLINDNESS)
def test_the_person_and_the_model_stay_apart_for_colour_blind_eyes(theme: ThemeSpec, blindness: str) -> None:
    apart = math.dist(lab(color(theme, "accent"), blindness), lab(color(theme, "second"), blindness))
    assert apart >= 25


@pytest.mark.parametrize("name", ["terminal", "high-contrast"])
def test_weight_and_lines_say_what_the_colours_say(name: str) -> None:
    roles = ("foreground", "accent", "second", "warning", "error", "quote")
    for one, other in combinations(roles, 2):
        assert attributes(SHIPPED[name].style(one)) != attributes(SHIPPED[name].style(other)), (one, other)
    for role in ("cursor_line", "selection"):
        assert SHIPPED[name].style(role).reverse


def test_the_terminal_theme_uses_the_terminals_own_colours() -> None:
    theme = SHIPPED["terminal"]
    for role in PLAIN_ROLES:
        assert theme.roles[role] == "default"
    for role in ROLES:
        style = theme.style(role)
        assert style.color in ("", "default", *ANSI_COLORS)
        assert not style.background
        # These vanish on a ground of their own kind, and palettes like Solarized use the bright ones for greys.
        assert style.color not in ("black", "white", "blue")
        assert not style.color.startswith("bright_")


@pytest.mark.parametrize("theme", SHIPPED.values(), ids=lambda theme: theme.name)
def test_code_is_coloured_in_more_than_one_way(theme: ThemeSpec) -> None:
    assert len({theme.roles[role] for role in SYNTAX}) >= 5


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("#80c0ff", StyleSpec("#80c0ff")),
        ("Bold #80C0FF", StyleSpec("#80c0ff", bold=True)),
        ("bold italic red on black", StyleSpec("red", "black", bold=True, italic=True)),
        ("reverse", StyleSpec(reverse=True)),
        ("on #262b33", StyleSpec(background="#262b33")),
        ("underline on bright_black", StyleSpec(background="bright_black", underline=True)),
        ("dim default", StyleSpec("default", dim=True)),
        ("  strike   default  ", StyleSpec("default", strike=True)),
    ],
)
def test_styles(text: str, style: StyleSpec) -> None:
    assert parse_style(text) == style


@pytest.mark.parametrize(
    "text",
    ["", " ", "redd", "#fff", "#80c0fg", "red bold", "red on", "on", "red green", "red on black bold", "bright_default", "rgb(1,2,3)"],
)  # fmt: skip
def test_what_is_no_style(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_style(text)
    assert "bold" in caught.value.detail
    assert "#rrggbb" in caught.value.detail


def written(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


DARK = (shipped_folder() / "lokal-dark.toml").read_text(encoding="utf-8")


def test_a_persons_theme_is_added_and_may_replace_one_that_ships(tmp_path: Path) -> None:
    written(tmp_path, "mine", DARK.replace("lokal dark", "Mine").replace("#d9dce1", "#FFFFFF"))
    written(tmp_path, "terminal", DARK)
    loaded = load_themes(tmp_path)
    assert loaded.problems == ()
    assert sorted(loaded.value) == ["high-contrast", "lokal-dark", "lokal-light", "mine", "terminal"]
    assert loaded.value["mine"].title == "Mine"
    assert loaded.value["mine"].roles["foreground"] == "#ffffff"
    assert loaded.value["terminal"].roles == SHIPPED["lokal-dark"].roles


@pytest.mark.parametrize(
    ("change", "to", "key", "allowed"),
    [
        ('heading = "bold #f1f3f5"', 'heading = "bold #xyz"', "roles.heading", "#rrggbb"),
        ('heading = "bold #f1f3f5"', "heading = 5", "roles.heading", "text"),
        ('heading = "bold #f1f3f5"\n', "", "roles.heading", "every role"),
        ('background = "#15171b"', 'background = "bold #15171b"', "roles.background", "a colour"),
        ('foreground = "#d9dce1"', 'foreground = "reverse"', "roles.foreground", "a colour"),
        ("dark = true", 'dark = "yes"', "dark", "true or false"),
        ("dark = true", "", "dark", "true or false"),
        ('title = "lokal dark"', "title = 5", "title", "text"),
        ("[roles]", "[colours]", "roles.background", "every role"),
        ("[roles]", "[roles", "line", "Expected"),
    ],
)
def test_a_bad_theme_is_left_out_with_its_reason(
    tmp_path: Path, change: str, to: str, key: str, allowed: str
) -> None:
    assert change in DARK
    path = written(tmp_path, "lokal-dark", DARK.replace(change, to))
    loaded = load_themes(tmp_path)
    assert loaded.value["lokal-dark"] == SHIPPED["lokal-dark"]
    problem = loaded.problems[-1]
    assert isinstance(problem, FileError)
    assert problem.path == path
    assert key in problem.title
    assert allowed in problem.detail


def test_an_unknown_role_has_no_effect_and_is_told(tmp_path: Path) -> None:
    written(tmp_path, "mine", DARK + '\nhedding = "red"\n')
    loaded = load_themes(tmp_path)
    assert "mine" in loaded.value
    (problem,) = loaded.problems
    assert problem.hint == "Did you mean heading?"


def test_auto_is_no_theme(tmp_path: Path) -> None:
    written(tmp_path, AUTO, DARK)
    loaded = load_themes(tmp_path)
    assert AUTO not in loaded.value
    assert "auto" in loaded.problems[0].title
    (tmp_path / "file").write_text("")
    assert len(load_themes(tmp_path / "file").problems) == 1
