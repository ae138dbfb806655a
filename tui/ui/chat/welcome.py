"""The empty chat: where lokal is connected, with what, and what to try. Never blank."""

from __future__ import annotations

from tui.chat.overflow import window_of
from tui.chat.state import ConnectionStatus
from tui.core.parameters import find
from tui.core.text import human_size, human_tokens, safe_line, safe_name
from tui.ui.start.panel import guide_welcome, wording
from tui.ui.state import ScreenState

Line = tuple[tuple[str, str], ...]
"""One line as (text, role) parts; a role is a name in the palette, empty for plain text."""


def welcome(state: ScreenState, width: int) -> tuple[Line, ...]:
    """The lines for the state that the state is in, in words that `width` cells have room for: on a small screen the last
    of them would be out of sight otherwise."""
    match state.status:
        case ConnectionStatus.SEARCHING:
            return (_plain("Looking for a model server …"),)
        case ConnectionStatus.STARTING:
            return _starting(state)
        case ConnectionStatus.CONNECTED:
            if state.connection is not None and state.connection.packaged:
                return ()  # the ways on are a list of their own
            guide = state.connection is not None and state.connection.guide
            return guide_welcome(state, width) if guide else _connected(state, width)
        case ConnectionStatus.NONE:
            return ()  # the ways on are a list of their own


def _connected(state: ScreenState, width: int) -> tuple[Line, ...]:
    connection = state.connection
    if connection is None:
        return ()
    place, version = connection.place, safe_line(connection.info.version, 24)
    versions = (f", version {version}", f", {version}") if version and not connection.embedded else ()
    privacy = (
        "nothing leaves this machine"
        if connection.server.endpoint.on_this_machine
        else "your words go there, nowhere else"
    )
    lines: list[Line] = [
        wording(width, *((("Connected   ", "muted"), (f"{place}{more}", "")) for more in (*versions, ""))),
        ((" " * len("Connected   "), "muted"), (privacy, "muted")),
        _model(state, width),
        _preset(state, width),
        (),
    ]
    if not connection.models:
        hint = connection.server.profile.hints.model_command or "load one there"
        missing = ("This server has no model yet: ", "No model there yet: ")
        lines.append(wording(width, *(((words, "warning"), (hint, "strong_code")) for words in missing)))
        lines.append(_plain(f"then {state.key('server.search')} asks it again."))
        return tuple(lines)
    ways = (
        ("preset.next", "another preset, also while an answer comes in", "another preset, at any time"),
        (
            "tab.settings",
            "what temperature and top_p do, and your own values",
            "what temperature and top_p do",
        ),
        ("help", "every key"),
    )
    lines.append((("Try  ", "muted"), ("Why does nginx answer 502 after a deploy?", "")))
    for id, *words in ways:
        key = (state.key(id), "accent")
        lines.append(wording(width, *((("     ", ""), key, (f" {text}", "")) for text in words)))
    return tuple(lines)


def _model(state: ScreenState, width: int) -> Line:
    label, model = (
        ("Model       ", "muted"),
        state.connection.model(state.model) if state.connection else None,
    )
    if not state.model:
        return label, ("none", "warning")
    about = []
    if model is not None:
        about += [part for part in (model.parameters, model.quantization) if part]
        if model.size:
            about.append(human_size(model.size))
    if window := window_of(state):
        about.append(f"context {human_tokens(window)}")
    elif model is not None and model.loaded is False:
        about.append("not in memory yet")
    # What comes last says most about the answers: how much fits, and how long it takes.
    shown = [[safe_line(part, 40) for part in about[at:]] for at in range(len(about) + 1)]
    name = (safe_name(state.model, 80), "second")
    return wording(width, *((label, name, (_in_brackets(parts), "muted")) for parts in shown))


def _preset(state: ScreenState, width: int) -> Line:
    values = state.values()
    shown = [
        f"{name} {find(name).format(values[name])}"
        for name in ("temperature", "top_p", "top_k")
        if name in values
    ]
    label, preset = ("Preset      ", "muted"), (state.preset.name, "accent")
    fewer = [shown[:count] for count in range(len(shown), -1, -1)]
    return wording(width, *((label, preset, (_in_brackets(parts), "muted")) for parts in fewer))


def _in_brackets(parts: list[str]) -> str:
    return "  (" + ", ".join(parts) + ")" if parts else ""


def _starting(state: ScreenState) -> tuple[Line, ...]:
    progress = state.server.starting
    line = (
        f"{state.server.loads} is loading its model"
        if state.server.loads
        else "Starting the built-in llama.cpp engine"
    )
    if progress is not None and progress.fraction is not None:
        how_far = (
            f"{human_size(progress.done)} of {human_size(progress.total)}"
            if progress.unit == "bytes"
            else f"{progress.fraction * 100:.0f} %"
        )
        line += f", loading the model: {how_far}"
    return (
        _plain(line + " …"),
        _muted("You can type your question already; it is asked as soon as the model is there."),
    )


def _plain(text: str) -> Line:
    return ((text, ""),)


def _muted(text: str) -> Line:
    return ((text, "muted"),)
