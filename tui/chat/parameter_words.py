"""Parameters in words: what is to be known of one where it is set, and what a change comes to."""

from __future__ import annotations

from dataclasses import replace

from tui.chat.state import ClientState
from tui.core.message import Value
from tui.core.parameter import Parameter
from tui.core.parameters import BY_NAME, beyond, parse_assignment, split_assignments, unloadable
from tui.core.text import safe_name


def taken(parameter: Parameter, state: ClientState) -> str:
    """What is to be known of a parameter and the server there is; empty if it simply takes it."""
    connection = state.connection
    if connection is None:
        return ""
    wire = parameter.wire.get(connection.server.kind)
    if wire is not None and beyond((parameter.name,), state.model_info):
        return f"not sent: {safe_name(state.model, 40)} has no thinking mode"
    if wire is not None:
        return "reloads the model" if wire.reloads else ""
    if connection.embedded and parameter.engine_flag:
        return "used when the engine starts next time"
    return f"not sent: {connection.info.kind.label} does not take it"


def set_words(name: str, value: Value | None, state: ClientState) -> str:
    """What a change for this run comes to: `top_k 40, was 30, for this run`."""
    parameter, old = BY_NAME[name], state.values().get(name)
    words = f"{name} {parameter.format(value)}"
    note = taken(parameter, state) if value is not None else ""
    was = "as it was" if old == value else f"was {parameter.format(old)}"
    return f"{words}, {was}; {note}" if note else f"{words}, {was}, for this run"


def assigned(argument: str, state: ClientState) -> tuple[dict[str, Value | None], str]:
    """What holds for this run once `/set ARGUMENT` is done, and what is said of it. Raises UsageError."""
    overrides, words = dict(state.overrides), []
    for part in split_assignments(argument):
        name, value = parse_assignment(part)
        words.append(set_words(name, value, state))
        overrides[name] = value
    values = state.with_settings(replace(state.settings, overrides=overrides)).values()
    if state.connection is not None and state.connection.embedded and (why := unloadable(values)):
        words.append(f"{why}: the engine would not start")
    return overrides, "; ".join(words)
