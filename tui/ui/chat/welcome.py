"""The empty chat: where lokal is connected, with what, and what to try. Never blank."""

from __future__ import annotations

from tui.core.parameters import find
from tui.core.text import human_size, human_tokens, safe_line
from tui.ui.desk import Desk, Link
from tui.ui.start.panel import guide_welcome, panel

Line = tuple[tuple[str, str], ...]
"""One line as (text, role) parts; a role is a name in the palette, empty for plain text."""


def welcome(desk: Desk) -> tuple[Line, ...]:
    """The lines for the state that the desk is in."""
    match desk.link:
        case Link.SEARCHING:
            return (_plain("Looking for a model server …"),)
        case Link.STARTING:
            return _starting(desk)
        case Link.CONNECTED:
            guide = desk.connection is not None and desk.connection.guide
            return guide_welcome(desk) if guide else _connected(desk)
        case Link.NONE:
            return panel(desk)


def _connected(desk: Desk) -> tuple[Line, ...]:
    connection = desk.connection
    if connection is None:
        return ()
    place = connection.place
    if connection.info.version and not connection.embedded:
        place += f", version {safe_line(connection.info.version, 24)}"
    privacy = (
        "nothing leaves this machine"
        if connection.server.endpoint.on_this_machine
        else "your words go there, nowhere else"
    )
    lines: list[Line] = [
        (("Connected   ", "muted"), (place, "")),
        ((" " * len("Connected   ") + privacy, "muted"),),
        (("Model       ", "muted"), *_model(desk)),
        (("Preset      ", "muted"), (desk.preset.name, "accent"), (_preset(desk), "muted")),
        (),
    ]
    if not connection.models:
        hint = "ollama pull llama3.2:3b" if connection.info.kind == "ollama" else "load one there"
        lines.append((("This server has no model yet: ", "warning"), (hint, "strong_code")))
        lines.append(_plain(f"then {desk.key('server.search')} asks it again."))
        return tuple(lines)
    lines += [
        (("Try  ", "muted"), ("Why does nginx answer 502 after a deploy?", "")),
        (
            ("     ", ""),
            (desk.key("preset.next"), "accent"),
            (" another preset, also while an answer comes in", ""),
        ),
        (
            ("     ", ""),
            (desk.key("tab.settings"), "accent"),
            (" what temperature and top_p do, and your own values", ""),
        ),
        (("     ", ""), (desk.key("help"), "accent"), (" every key", "")),
    ]
    return tuple(lines)


def _model(desk: Desk) -> Line:
    model = desk.connection.model(desk.model) if desk.connection else None
    if not desk.model:
        return (("none", "warning"),)
    about = []
    if model is not None:
        about += [part for part in (model.parameters, model.quantization) if part]
        if model.size:
            about.append(human_size(model.size))
    if desk.window:
        about.append(f"context {human_tokens(desk.window)}")
    elif model is not None and model.loaded is False:
        about.append("not in memory yet")
    detail = "  (" + ", ".join(safe_line(part, 40) for part in about) + ")" if about else ""
    return ((safe_line(desk.model, 80), "second"), (detail, "muted"))


def _preset(desk: Desk) -> str:
    values = desk.values()
    shown = [
        f"{name} {find(name).format(values[name])}"
        for name in ("temperature", "top_p", "top_k")
        if name in values
    ]
    return "  (" + ", ".join(shown) + ")" if shown else ""


def _starting(desk: Desk) -> tuple[Line, ...]:
    progress = desk.starting
    line = "Starting the built-in llama.cpp engine"
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
