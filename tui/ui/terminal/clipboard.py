"""Text to a clipboard: of this machine where the person sits at it, else of the terminal, wherever that is.

OSC 52 (xterm, "Operating System Commands") hands text to the terminal, which takes it, ignores it or cuts it, and never
answers. tmux takes it from a program only with `set-clipboard on` and lets it through only with `allow-passthrough on`;
its own `load-buffer -w` needs neither. GNU screen lets strings through in pieces of 768 bytes (since 4.2.1, of 2014).
"""

from __future__ import annotations

import base64
import contextlib
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from tui.core.text import count_of, human_size, safe_block
from tui.ui.terminal.probe import Multiplexer, describe

TOOL_TIME_S = 3.0
"""How long a program that copies may take; they hand the text over and return at once."""
SURE_BYTES = 74_994
"""Bytes of text up to which OSC 52 is short enough for every terminal that has it: 100,000 with base64."""
MOST_BASE64 = 1_000_000
"""Bytes of base64 that are sent to a terminal at the most: one that takes no more would show nothing else for long."""
_SCREEN_PIECE = 768 - len("\x1bP\x1b\\")


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where `characters` of text (`size` bytes) went: by `tool`, or by `sequence`, which the terminal is still to be
    sent, or, with neither, nowhere: it is too large. `dropped` control characters were left out; `failed` is a program that was tried in vain."""

    characters: int
    size: int
    tool: str = ""
    sequence: str = ""
    dropped: int = 0
    failed: str = ""

    def __str__(self) -> str:
        """For the person."""
        count = count_of(self.characters, "character")
        if self.tool == "tmux":
            said = f"{count} to tmux; the terminal may ignore it"
        elif self.tool:
            said = f"{count} to the clipboard ({self.tool})"
        elif self.is_too_large:
            said = f"Not copied: {human_size(self.size)} is too large for OSC 52"
        elif self.size > SURE_BYTES:
            said = f"{count} by OSC 52: {human_size(self.size)} is more than many terminals take"
        else:
            said = f"{count} by OSC 52; the terminal may ignore it"
        if self.failed:
            said += f" · {self.failed} failed"
        if self.dropped:
            said += f" · {count_of(self.dropped, 'control character')} left out"
        return said

    @property
    def is_too_large(self) -> bool:
        """Whether it is more than a terminal is sent."""
        return not self.tool and not self.sequence

    @property
    def is_sure(self) -> bool:
        """Whether the text is known to have arrived."""
        return bool(self.tool) and self.tool != "tmux"


def deliver(text: str, environ: Mapping[str, str], platform: str = sys.platform) -> Delivery:
    """Copy `text` by the surest way there is; runs programs, so not on the screen's thread.

    What a terminal would act on when it is pasted is left out.
    """
    lines = text.replace("\r\n", "\n")
    text = safe_block(lines)
    data = text.encode("utf-8", "replace")
    characters, dropped = len(text), len(lines) - len(text)
    known = describe(environ)
    failed = ""
    if not known.ssh and (command := local_command(environ, platform)):
        name = command[0].rpartition("/")[2].removesuffix(".exe")
        if _handed_over(command, text.encode("utf-16-le") if name == "clip" else data, environ):
            return Delivery(characters, len(data), name, dropped=dropped)
        failed = name
    if environ.get("TMUX") and (tmux := shutil.which("tmux", path=environ.get("PATH"))) is not None:
        if _handed_over((tmux, "load-buffer", "-w", "-"), data, environ):
            return Delivery(characters, len(data), "tmux", dropped=dropped, failed=failed)
        failed = failed or "tmux load-buffer"
    fits = -(-len(data) // 3) * 4 <= MOST_BASE64
    sequence = osc52(data, known.multiplexer) if fits else ""
    return Delivery(characters, len(data), sequence=sequence, dropped=dropped, failed=failed)


def local_command(environ: Mapping[str, str], platform: str = sys.platform) -> tuple[str, ...] | None:
    """The program that copies on this machine, with its arguments; None where there is none, or no display for it."""
    wanted: list[tuple[str, ...]] = []
    if platform == "darwin":
        wanted.append(("pbcopy",))
    if environ.get("WAYLAND_DISPLAY"):
        wanted.append(("wl-copy", "--type", "text/plain;charset=utf-8"))
    if environ.get("DISPLAY"):
        wanted += [("xclip", "-selection", "clipboard", "-in"), ("xsel", "--clipboard", "--input")]
    if platform == "win32" or environ.get("WSL_DISTRO_NAME"):
        wanted.append(("clip.exe",))
    for name, *arguments in wanted:
        if found := shutil.which(name, path=environ.get("PATH")):
            return (found, *arguments)
    return None


def osc52(data: bytes, multiplexer: Multiplexer = "") -> str:
    """The sequence that asks the terminal to put `data` on its clipboard, wrapped for what lies before the terminal."""
    plain = f"\x1b]52;c;{base64.b64encode(data).decode()}\x07"
    if multiplexer == "tmux":
        # It takes the one or lets the other through, as it is set up; where it does both, nothing is worse for it.
        return plain + "\x1bPtmux;" + plain.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    if multiplexer == "screen":
        pieces = [plain[at : at + _SCREEN_PIECE] for at in range(0, len(plain), _SCREEN_PIECE)]
        return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)
    return plain


def _handed_over(command: tuple[str, ...], data: bytes, environ: Mapping[str, str]) -> bool:
    """Run a program with `data` as its input. It may leave a part of itself behind that keeps the text, so nothing of
    what it writes is waited for."""
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**environ, "LC_CTYPE": environ.get("LC_CTYPE") or "UTF-8"}
            if "pbcopy" in command[0]
            else dict(environ),
            start_new_session=True,
        )
    except OSError:
        return False
    try:
        process.communicate(data, TOOL_TIME_S)
    except subprocess.TimeoutExpired:
        process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=TOOL_TIME_S)
        return False
    except OSError:
        process.kill()
        process.wait()
        return False
    return process.returncode == 0
