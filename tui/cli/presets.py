"""`lokal presets list|show`."""

from __future__ import annotations

import textwrap

from tui.cli.command_arguments import Presets
from tui.cli.help import MAX_WIDTH
from tui.cli.output import say, write, write_json
from tui.config.presets import load_presets
from tui.core.parameters import REGISTRY
from tui.core.presets import Preset, find, recommended_range
from tui.core.text import safe_block, safe_line
from tui.paths import folders


def presets(command: Presets) -> int:
    """Run `lokal presets`. Raises UsageError for a preset that there is not."""
    loaded = load_presets(folders().presets)
    for problem in loaded.problems:
        say(str(problem))
    if command.name is not None:
        preset = find(loaded.value, command.name)
        write_json(_as_object(preset)) if command.json else write(_in_words(preset))
    elif command.json:
        write_json([_as_object(preset) for preset in loaded.value])
    else:
        width = max(len(preset.name) for preset in loaded.value)
        for preset in loaded.value:
            write(f"{preset.name:<{width}}  {safe_line(preset.description)}".rstrip() + "\n")
    return 0


def _in_words(preset: Preset) -> str:
    lines = [f"{preset.name}: {safe_line(preset.description)}" if preset.description else preset.name]
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
        "parameters": dict(preset.values),
        "bands": {name: list(bounds) for name, bounds in bands.items() if bounds},
    }
