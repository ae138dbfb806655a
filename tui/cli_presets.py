"""`lokal presets list|show`."""

from __future__ import annotations

import argparse
import json
import sys

from tui.config.presets import load_presets
from tui.core.parameters import REGISTRY
from tui.core.presets import Preset, band, find
from tui.paths import folders


def presets(options: argparse.Namespace) -> int:
    """Run `lokal presets`. Raises UsageError for a preset that there is not."""
    loaded = load_presets(folders().presets)
    for problem in loaded.problems:
        print(f"lokal: {problem}", file=sys.stderr)
    if options.action == "list":
        if options.json:
            print(json.dumps([_as_object(preset) for preset in loaded.value], ensure_ascii=False, indent=2))
        else:
            for preset in loaded.value:
                print(f"{preset.name:<12} {preset.description}")
        return 0
    preset = find(loaded.value, options.name)
    if options.json:
        print(json.dumps(_as_object(preset), ensure_ascii=False, indent=2))
    else:
        _show(preset)
    return 0


def _show(preset: Preset) -> None:
    print(f"{preset.name}: {preset.description}" if preset.description else preset.name)
    if preset.system:
        print(f"system: {preset.system}")
    for parameter in REGISTRY:
        if parameter.name in preset.values:
            bounds = band(preset.name, parameter.name)
            within = f"  band {bounds[0]:g}–{bounds[1]:g}" if bounds and bounds[0] != bounds[1] else ""
            print(
                f"  {parameter.name:<18} {parameter.format(preset.values[parameter.name]):<8}{within}  {parameter.help}"
            )


def _as_object(preset: Preset) -> dict[str, object]:
    bands = {name: band(preset.name, name) for name in preset.values}
    return {
        "name": preset.name,
        "description": preset.description,
        "system": preset.system,
        "parameters": dict(preset.values),
        "bands": {name: list(bounds) for name, bounds in bands.items() if bounds},
    }
