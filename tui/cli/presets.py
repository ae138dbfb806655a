"""`lokal presets list|show|new|copy|rename|diff|edit|rm`."""

from __future__ import annotations

import os
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

from tui.cli.command_arguments import Presets
from tui.cli.help import MAX_WIDTH
from tui.cli.output import say, write, write_json
from tui.config.preset_folder import PresetFolder, differences, with_values
from tui.config.presets import load_presets, make_presets, preset_file
from tui.core.message import Value
from tui.core.parameters import BY_NAME, REGISTRY, parse_assignment
from tui.core.presets import Preset, find, recommended_range
from tui.core.text import safe_block, safe_line, safe_name
from tui.errors import UsageError
from tui.paths import folders


def presets(command: Presets) -> int:
    """Run `lokal presets`. Raises UsageError for a preset that there is not, FileError for what cannot be written."""
    folder = folders().presets
    loaded = load_presets(folder)
    for problem in loaded.problems:
        say(str(problem))
    match command.action:
        case "list" | "show":
            _show(command, loaded.value)
        case "diff":
            _differ(find(loaded.value, command.name or ""), find(loaded.value, command.other))
        case "edit":
            return _edit(preset_file(folder, find(loaded.value, command.name or "").name), folder)
        case _:
            _change(command, PresetFolder(folder), loaded.value)
    return 0


def _show(command: Presets, presets: tuple[Preset, ...]) -> None:
    if command.name is not None:
        preset = find(presets, command.name)
        write_json(_as_object(preset)) if command.json else write(_in_words(preset))
    elif command.json:
        write_json([_as_object(preset) for preset in presets])
    else:
        width = max(len(preset.name) for preset in presets)
        for preset in presets:
            write(f"{preset.name:<{width}}  {safe_line(preset.description)}".rstrip() + "\n")


def _change(command: Presets, presets: PresetFolder, known: tuple[Preset, ...]) -> None:
    name = command.name or ""
    match command.action:
        case "new":
            source = find(known, command.other) if command.other else Preset(name)
            values = dict(parse_assignment(text) for text in command.assignments)
            texts = dict(command.texts)
            made = replace(
                with_values(source, values),
                name=name,
                description=texts.get("description", source.description),
                system=texts.get("system", source.system),
                model=texts.get("model", source.model),
            )
            say(f"Made {safe_name(name, 60)}: {presets.new(made)}")
        case "copy":
            presets.copy(name, command.other)
            say(f"{safe_name(command.other, 60)} has the values of {safe_name(name, 60)}")
        case "rename":
            presets.rename(name, command.other)
            say(f"{safe_name(name, 60)} is now {safe_name(command.other, 60)}")
        case "rm":
            preset = find(known, name)
            if not command.yes and not _is_sure(preset):
                say("Nothing was deleted")
                return
            presets.delete(name)
            say(f"Deleted: {safe_name(name, 60)}")


def _is_sure(preset: Preset) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            "lokal presets rm asks before it deletes, and nobody is there to answer",
            "",
            "To delete without being asked: lokal presets rm --yes NAME",
        )
    print(
        f"Delete the preset {safe_name(preset.name, 60)} forever? [y/N] ", end="", file=sys.stderr, flush=True
    )
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _differ(first: Preset, second: Preset) -> None:
    found = differences(first, second)
    if not found:
        say(f"{safe_name(first.name, 60)} and {safe_name(second.name, 60)} do not differ")
        return
    rows = [("", safe_name(first.name, 40), safe_name(second.name, 40))]
    rows += [(one.name, _value(one.name, one.first), _value(one.name, one.second)) for one in found]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    for row in rows:
        write(f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}".rstrip() + "\n")


def _value(name: str, value: Value | None) -> str:
    if name in BY_NAME:
        return safe_line(BY_NAME[name].format(value), 60)
    return safe_line(str(value), 60) if value is not None else "none"


def _edit(path: Path, folder: Path) -> int:
    import subprocess

    from tui.core.secrets import without_keys
    from tui.ui.editor import editor_command

    make_presets(folder)
    return subprocess.call([*editor_command(os.environ), str(path)], env=without_keys(os.environ))


def _in_words(preset: Preset) -> str:
    lines = [f"{preset.name}: {safe_line(preset.description)}" if preset.description else preset.name]
    lines += [f"model: {safe_line(preset.model, 100)}"] if preset.model else []
    lines += [f"persona: {safe_line(preset.persona, 100)}"] if preset.persona else []
    if preset.system.strip():
        lines.append("system prompt:")
        lines += [f"  {line}".rstrip() for line in safe_block(preset.system).splitlines()]
    if preset.values:
        lines.append(f"{'parameter':<18}{'value':<9}{'band':<12}what it does")
    for parameter in REGISTRY:
        if parameter.name in preset.values:
            bounds = recommended_range(preset.name, parameter.name)
            within = f"{bounds[0]:g}–{bounds[1]:g}" if bounds and bounds[0] != bounds[1] else ""
            value = safe_line(parameter.format(preset.values[parameter.name]))
            row = f"{parameter.name:<18}{value:<8} {within:<11} "
            lines += textwrap.wrap(row + parameter.help, MAX_WIDTH, subsequent_indent=" " * len(row))
    return "\n".join(lines) + "\n"


def _as_object(preset: Preset) -> dict[str, object]:
    bands = {name: recommended_range(preset.name, name) for name in preset.values}
    return {
        "name": preset.name,
        "description": preset.description,
        "system": preset.system,
        **({"model": preset.model} if preset.model else {}),
        **({"persona": preset.persona} if preset.persona else {}),
        "parameters": dict(preset.values),
        "bands": {name: list(bounds) for name, bounds in bands.items() if bounds},
    }
