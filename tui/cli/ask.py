"""`lokal ask`: what is asked, from the command line, standard input and the files; what is kept and told of it."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict

from tui.cli.ask_run import AskRequest, AskRun
from tui.cli.ask_saving import SavedAnswer
from tui.cli.command_arguments import Ask
from tui.cli.input import MOST_TEXT, argument_text, read_input, text_of
from tui.cli.output import say, write_json
from tui.cli.signals import Terminated, run
from tui.config.schema_file import schema_named
from tui.config.settings import is_set
from tui.config.startup import load_configuration
from tui.core.message import Message, Status, Value
from tui.core.parameters import parse_assignment
from tui.core.presets import Preset
from tui.core.secrets import KEY_VARIABLE
from tui.core.text import finite
from tui.errors import LokalError, StoreError, UsageError
from tui.paths import Folders, folders


def ask(command: Ask) -> int:
    """Run `lokal ask`. Raises LokalError for everything that goes wrong, and what `run` raises for what ends it early;
    the text that came is printed by then, and kept if it is to be."""
    places = folders()
    question = _question(command, places)
    saved = SavedAnswer(places.database) if command.save else None
    asking = AskRun(question, prints=not command.json, saved=saved)
    ending: BaseException | None = None
    try:
        run(asking.work())
    except (LokalError, Terminated, BrokenPipeError, KeyboardInterrupt) as reason:
        ending = reason
    chat = ""
    if saved is not None and asking.begun:
        try:
            chat = saved.end(asking.asked, asking.answer())
        except StoreError as error:
            ending = ending or error
        else:
            say(f"Kept as chat {chat}")
    if command.json and not isinstance(ending, UsageError | BrokenPipeError):
        write_json(_as_object(asking.answer(ending), chat))
    if ending is not None:
        raise ending
    return 0


def _question(command: Ask, places: Folders) -> AskRequest:
    """Raises UsageError; what is wrong in the files is told and costs only itself."""
    target = command.target
    overrides = dict(parse_assignment(assignment) for assignment in target.assignments)
    config = load_configuration(places, target.preset or "", themes=False)
    for problem in config.problems:
        say(str(problem))
    preset = config.preset
    merged: dict[str, Value | None] = {**preset.values, **overrides}
    prompt = "" if command.prompt == "-" else argument_text(command.prompt, command.encoding)
    schema = schema_named(command.schema, pipe_too=True) if command.schema is not None else None
    piped = _piped(command.encoding)
    text = "\n\n".join(part for part in (prompt, piped) if part.strip())
    if not text:
        raise UsageError("There is no question", "", 'Write it like: lokal ask "What is a systemd unit?"')
    return AskRequest(
        text,
        _system(command, preset, places),
        preset,
        {name: value for name, value in merged.items() if value is not None},
        frozenset(overrides if target.preset is None else merged),
        config.settings.server if target.server is None else target.server,
        target.model,
        target.gguf,
        places.logs,
        config.settings,
        bool(piped.strip()),
        schema,
        os.environ.get(KEY_VARIABLE, "") if target.server is not None else "",
        guide=command.guide,
        state=places.state,
        preset_chosen=target.preset is not None or is_set(places.settings_file, "preset"),
        overrides={name: value for name, value in overrides.items() if value is not None},
    )


def _system(command: Ask, preset: Preset, places: Folders) -> str:
    """The system prompt: the one that was given, a persona, or the preset's own. Raises UsageError, PersonaError, FileError."""
    persona = command.persona or preset.persona
    if command.system is not None:
        if command.persona:
            raise UsageError(
                "--system and --persona cannot both be",
                "A persona is a system prompt",
                "Leave one of them out",
            )
        return argument_text(command.system, command.encoding)
    if not persona:
        return preset.system
    from tui.config.personas import load_persona

    return load_persona(places.personas, persona).system


def _piped(encoding: str | None) -> str:
    """What is piped in, as text."""
    if sys.stdin.isatty():
        return ""
    return text_of(read_input(MOST_TEXT), encoding)


def _as_object(answer: Message, chat: str) -> dict[str, object]:
    """What `--json` prints. `finish_reason` is the server's, or how the answer ended without one; `chat` is the id
    that it was kept under."""
    unfinished = {Status.STOPPED: "stopped", Status.INTERRUPTED: "interrupted"}.get(answer.status, "error")
    return {
        "text": answer.content,
        "reasoning": answer.reasoning,
        "model": answer.model,
        "server": answer.server,
        "preset": answer.preset,
        "parameters": dict(answer.parameters),
        "usage": asdict(answer.usage),
        "timings": {name: finite(value) for name, value in asdict(answer.timings).items()},
        "finish_reason": answer.finish_reason or unfinished,
        "error": asdict(answer.problem) if answer.problem else None,
        "chat": chat or None,
    }
