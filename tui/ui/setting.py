"""The pages that say what is set and what may be: parameters, a command, the system prompt."""

from __future__ import annotations

from pathlib import Path

from tui.chat.parameter_words import taken
from tui.core.commands import Command
from tui.core.parameter import Parameter
from tui.core.parameters import REGISTRY
from tui.core.presets import Preset
from tui.core.slash import usage
from tui.core.text import safe_block, safe_line, safe_name
from tui.errors import LokalError
from tui.paths import with_tilde
from tui.ui.page import Line, PageScreen, table
from tui.ui.state import ScreenState
from tui.ui.widgets.row import wrap_words


def set_page(state: ScreenState) -> PageScreen:
    """What is sent: the preset's values, and what was set for this run."""
    rows = []
    values = state.values()
    for parameter in REGISTRY:
        name = parameter.name
        if name in state.overrides:
            was = f"{state.preset.name} has {parameter.format(state.preset.values.get(name))}"
            about = [f"for this run; {was}", taken(parameter, state)]
        elif name in values:
            about = [parameter.help, taken(parameter, state)]
        else:
            continue
        role = "accent" if name in state.overrides else "foreground"
        rows.append(
            (
                f"{name}={safe_line(parameter.format(values.get(name)), 40)}",
                role,
                "; ".join(filter(None, about)),
            )
        )

    def lines(width: int) -> tuple[Line, ...]:
        head = (
            f"What is sent with {safe_name(state.preset.name, 40)}"
            if rows
            else "Nothing is set: the server's defaults hold"
        )
        page: list[Line] = [(), ((f" {head}", "heading"),), *table(rows, width), ()]
        for text in (
            "/set NAME=VALUE sets one for this run, “/set NAME=” sends none, /set NAME explains it, “/set -” removes "
            "all that was set for this run.",
            f"{state.key('tab.settings')} changes the preset itself.",
        ):
            page += _wrapped(text, width, "muted")
        return tuple(page)

    return PageScreen("Parameters", lines)


def explain_parameter(parameter: Parameter, state: ScreenState) -> PageScreen:
    """What a parameter is, and what it is set to."""
    value = state.values().get(parameter.name)
    origin = "for this run" if parameter.name in state.overrides else f"by the preset {state.preset.name}"
    now = (
        f"{parameter.format(value)}, {origin}"
        if value is not None
        else "not sent: what the server does by itself"
    )
    rows = [
        ("Now", safe_line(now, 200)),
        ("Takes", parameter.bounds() + (f" ({parameter.unit})" if parameter.unit else "")),
        ("Low", parameter.low_effect),
        ("High", parameter.high_effect),
        ("When", parameter.when_to_change),
        ("Here", taken(parameter, state)),
        ("Set it", f"/set {parameter.name}=VALUE for this run; {state.key('tab.settings')} in the preset"),
    ]

    def lines(width: int) -> tuple[Line, ...]:
        shown = [(name, "muted", text) for name, text in rows if text]
        return (
            (),
            *_wrapped(f"{parameter.help[:1].upper()}{parameter.help[1:]}.", width),
            (),
            *table(shown, width),
        )

    return PageScreen(parameter.name, lines)


def explain_command(command: Command, state: ScreenState) -> PageScreen:
    """What a command does, and how else it is reached."""
    key = state.key(command.id)
    rows = [
        ("Write it", "muted", usage(command)),
        ("Key", "muted", key or "none; [keys] in the config gives it one"),
    ]

    def lines(width: int) -> tuple[Line, ...]:
        return ((), *_wrapped(f"{command.help}.", width), (), *table(rows, width))

    return PageScreen(f"/{command.slash} · {command.title}", lines)


def persona_page(folder: Path) -> PageScreen:
    """The personas that there are, with what each is made of."""
    from tui.config.personas import load_persona, own_files, persona_names

    own = own_files(folder)

    def lines(width: int) -> tuple[Line, ...]:
        rows: list[tuple[str, str, str]] = []
        for name in persona_names(folder):
            try:
                persona = load_persona(folder, name)
                first = safe_line(persona.instruction, 200)
                rows.append(
                    (
                        safe_name(name, 30),
                        "second" if name in own else "foreground",
                        f"{first} ({persona.words})",
                    )
                )
            except LokalError as error:
                rows.append((safe_name(name, 30), "error", str(error)))
        where = f" Your own are files in {with_tilde(str(folder))}: [Instruction], then [Q] and [A] in turns."
        return ((), *table(rows, width), (), ((where, "muted"),))

    return PageScreen("Personas: /persona NAME uses one, for this chat", lines)


def system_page(own: str, preset: Preset) -> PageScreen:
    """The system prompt that holds, and the one that it takes the place of."""

    def lines(width: int) -> tuple[Line, ...]:
        page: list[Line] = [()]
        if own:
            page += [((" Of this chat; /system - removes it", "heading"),), *_text(own, width), ()]
        if preset.system:
            words = (
                "not sent while this chat has its own" if own else "/system TEXT puts another in its place"
            )
            page.append(((f" Of the preset {safe_name(preset.name, 40)}; {words}", "heading"),))
            page += _text(preset.system, width, "muted" if own else "")
        return tuple(page)

    return PageScreen("System prompt", lines)


def _text(text: str, width: int, role: str = "") -> list[Line]:
    lines: list[Line] = []
    for line in safe_block(text).splitlines():
        lines += _wrapped(line, width, role) or [()]
    return lines


def _wrapped(text: str, width: int, role: str = "") -> list[Line]:
    return [((f" {line}", role),) for line in wrap_words(text, max(10, width - 2))]
