"""`config.example.toml`, made from the settings' own declarations: `python -m tui.config.example > config.example.toml`."""

from __future__ import annotations

import sys
import textwrap

import tomli_w

from tui.config.endpoints import KEYS
from tui.config.settings import SCALARS, setting_info
from tui.core.commands import COMMANDS

_HEAD = """\
The settings of lokal. Copy this file to ~/.config/lokal/config.toml and remove the # before what
you want to change. You can leave out every line: the values here are the defaults.
Each preset is a file in presets/ beside it, and each theme of yours a file in themes/.
"""
_SERVER = {
    "url": "http://192.168.1.5:8080",
    "name": "workstation",
    "kind": "llamacpp",
    "api_key_env": "WORKSTATION_API_KEY",
    "ca_file": "workstation.pem",
}
_HEADERS = {"servers": {"headers_env": {"X-Team-Token": "TEAM_TOKEN"}}}


def render() -> str:
    """The text of the example file."""
    blocks = [_remark(_HEAD)]
    for declared in SCALARS:
        about = setting_info(declared.name)
        allowed = f" One of {', '.join(about.allowed)}." if about.allowed else ""
        allowed = f" From {about.lo} to {about.hi}." if about.hi else allowed
        blocks.append(_remark(about.help + allowed) + _off(tomli_w.dumps({declared.name: declared.default})))
    help = "".join(f"\n  {key}: {text}" for key, text in KEYS.items())
    blocks.append(
        _remark(setting_info("servers").help + help)
        + _off("[[servers]]\n" + tomli_w.dumps(_SERVER) + tomli_w.dumps(_HEADERS))
    )
    keys = "".join(
        f"{tomli_w.dumps({command.id: command.key}).rstrip():34} # {command.title}\n" for command in COMMANDS
    )
    blocks.append(_remark(setting_info("keys").help) + _off(f"[keys]\n{keys}"))
    return "\n".join(blocks)


def _remark(text: str) -> str:
    lines = [
        line for part in text.strip().splitlines() for line in textwrap.wrap(part, 98, subsequent_indent="  ")
    ]
    return "".join(f"# {line}\n" for line in lines)


def _off(lines: str) -> str:
    """Lines of TOML that a person switches on by taking the `#` away; a remark has a blank after its `#`."""
    return "".join(f"#{line}\n" for line in lines.splitlines())


if __name__ == "__main__":
    sys.stdout.write(render())
