"""Where lokal keeps its files: the XDG base directories, per the XDG Base Directory Specification 0.8.

Nothing here creates a folder; whoever writes a file creates its parents.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tui.errors import UsageError


@dataclass(frozen=True, slots=True)
class Folders:
    """The three folders of one user; any of them may not exist yet."""

    config: Path
    data: Path
    state: Path

    @property
    def settings_file(self) -> Path:
        """The settings, written by the person or by the Settings tab."""
        return self.config / "config.toml"

    @property
    def presets(self) -> Path:
        """One TOML file a preset."""
        return self.config / "presets"

    @property
    def personas(self) -> Path:
        """The person's own personas, one text file each."""
        return self.config / "personas"

    @property
    def themes(self) -> Path:
        """The person's own themes, one TOML file each."""
        return self.config / "themes"

    @property
    def database(self) -> Path:
        """The chats."""
        return self.data / "chats.db"

    @property
    def models(self) -> Path:
        """The models that lokal has downloaded."""
        return self.data / "models"

    @property
    def history(self) -> Path:
        """The prompt history, one JSON string a line."""
        return self.state / "history.jsonl"

    @property
    def auto_theme(self) -> Path:
        """The name of the theme that `auto` came to the last time."""
        return self.state / "auto-theme"

    @property
    def logs(self) -> Path:
        """Logs of the embedded engine."""
        return self.state / "logs"

    @property
    def pulls(self) -> Path:
        """The downloads of models that are not done."""
        return self.state / "pulls"

    @property
    def rates(self) -> Path:
        """How fast models answered on this machine."""
        return self.state / "rates.json"

    @property
    def pulled_names(self) -> Path:
        """The names of models that were downloaded, one JSON string a line."""
        return self.pulls / "names.jsonl"

    @property
    def slots(self) -> Path:
        """What the embedded engine had read of chats that were left."""
        return self.state / "slots"


def folders(environ: Mapping[str, str] | None = None) -> Folders:
    """The folders that the environment names. A relative XDG path is ignored, as the specification asks. Raises UsageError
    where they would be in the home folder, and there is none."""
    env = os.environ if environ is None else environ

    def base(variable: str, fallback: str) -> Path:
        value = env.get(variable, "")
        return (Path(value) if value and Path(value).is_absolute() else home(env) / fallback) / "lokal"

    return Folders(
        config=base("XDG_CONFIG_HOME", ".config"),
        data=base("XDG_DATA_HOME", ".local/share"),
        state=base("XDG_STATE_HOME", ".local/state"),
    )


def home(environ: Mapping[str, str]) -> Path:
    """The home folder: $HOME if it is an absolute path, or else what the system's list of users says. Raises UsageError."""
    named = Path(environ.get("HOME", ""))
    if named.is_absolute():
        return named
    try:
        if sys.platform == "win32":
            return Path.home()
        import pwd

        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except (KeyError, RuntimeError) as error:
        raise UsageError(
            "There is no home folder", "$HOME is not set, and the system knows none for this user", "Set HOME"
        ) from error


def with_tilde(text: str, environ: Mapping[str, str] | None = None) -> str:
    """`text` with the home folder in its paths written as ~, so that on a narrow line there is room for the rest."""
    home = (os.environ if environ is None else environ).get("HOME", "").rstrip("/")
    return re.sub(rf"(?<![\w/.~-]){re.escape(home)}/", "~/", text) if home else text
