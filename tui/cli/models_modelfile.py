"""`lokal models modelfile`: a Modelfile from a model, a preset and examples; or a preset and examples from a Modelfile."""

from __future__ import annotations

from pathlib import Path

from tui import files
from tui.cli.command_arguments import STDIN, Models
from tui.cli.input import MOST_TEXT, read_input
from tui.cli.output import say, write
from tui.config.presets import load_presets, make_presets, save_preset
from tui.core.modelfile import Modelfile, decode_modelfile, format_modelfile, parse_modelfile
from tui.core.modelfile_preset import (
    NO_EXAMPLES,
    format_examples,
    modelfile_of,
    parse_examples,
    parts_of_modelfile,
)
from tui.core.presets import Preset, find
from tui.core.text import safe_block, safe_name
from tui.errors import FileError, UsageError
from tui.paths import Folders


def modelfile(command: Models, folders: Folders) -> int:
    """Run it; the exit status. Raises LokalError."""
    if command.file is not None:
        _take_apart(command, folders)
    else:
        write(safe_block(format_modelfile(_made(command, folders))))
    return 0


def _made(command: Models, folders: Folders) -> Modelfile:
    preset = Preset("")
    if command.preset is not None:
        preset = find(load_presets(folders.presets).value, command.preset)
    system, examples = command.system, NO_EXAMPLES
    if command.examples is not None:
        instruction, examples = parse_examples(_read(command.examples))
        system = instruction if system is None and instruction else system
    return modelfile_of(command.source, preset, examples, system)


def _take_apart(command: Models, folders: Folders) -> None:
    """Save the preset; the examples go to standard output, in the form that --examples reads."""
    assert command.file is not None
    parts = parts_of_modelfile(parse_modelfile(_read(command.file)), command.save_as)
    presets = load_presets(folders.presets).value
    if any(each.name == command.save_as for each in presets) and not command.yes:
        raise UsageError(
            f"There is a preset “{safe_name(command.save_as, 60)}” already", "Nothing was changed", "Choose another name, or add --yes"
        )  # fmt: skip
    make_presets(folders.presets)
    save_preset(folders.presets, parts.preset)
    say(
        f"Saved as the preset {safe_name(command.save_as, 60)}; lokal presets show {safe_name(command.save_as, 60)}"
    )
    if parts.left_out:
        say(
            f"Left out, a preset has no place for it: {', '.join(safe_name(each, 40) for each in parts.left_out)}"
        )
    if parts.examples:
        write(safe_block(format_examples(parts.preset.system, parts.examples)))


def _read(path: Path) -> str:
    """The text of a file that was named, or of standard input. Raises FileError."""
    if path == STDIN:
        return decode_modelfile(read_input(MOST_TEXT))
    try:
        return decode_modelfile(files.read_named(path))
    except OSError as error:
        what = getattr(error, "what", "") or error.strerror or str(error)
        raise FileError(path, f"Cannot read {path}", what, "Check the path") from error
