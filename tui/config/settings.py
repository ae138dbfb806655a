"""The settings: what there is, and the file that a person or the Settings tab writes.

Each setting is declared once, with its help and what it may hold; the example file is made from the same
declarations. A wrong value costs only its own key, a malformed file costs the whole file, and such a file is never
written to.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tui import atomic
from tui.config import toml
from tui.config.endpoints import holds_secret, read_endpoints
from tui.config.keys import read_keys
from tui.config.loaded import Loaded, recover
from tui.core.endpoint import Endpoint, parse_endpoint
from tui.errors import FileError, LokalError, UsageError


@dataclass(frozen=True, slots=True)
class SettingInfo:
    """What is said of a setting beside its type and default: `allowed` limits a text, `lo` and `hi` a number."""

    help: str
    allowed: tuple[str, ...] = ()
    lo: int = 0
    hi: int = 0


def _setting(default: Any, help: str, allowed: tuple[str, ...] = (), lo: int = 0, hi: int = 0) -> Any:
    return field(default=default, metadata={"info": SettingInfo(help, allowed, lo, hi)})


@dataclass(frozen=True, slots=True)
class Settings:
    """What lokal remembers between runs. `server` is an address as the person wrote it, which may hold a password, or the
    name of one of `servers`; `keys` holds only overrides that take effect, by command id."""

    theme: str = _setting(
        "auto", "The colours: the name of a theme, or auto: dark or light, as the terminal is."
    )
    preset: str = _setting(
        "technical", "The preset at the start: the name of a file in presets/, without .toml."
    )
    server: str = _setting(
        "",
        "The server to use: an address, or the name of a server below. Empty: look around on this machine.",
    )
    model: str = _setting(
        "",
        "The model to use where the server has it. Empty: the one in memory, else the first that can chat.",
    )
    terminal_speed: str = _setting(
        "auto",
        "The line to the terminal: slow sends fewer frames. auto measures it.",
        ("auto", "fast", "slow"),
    )
    show_reasoning: bool = _setting(False, "Show the reasoning of a model from the start.")
    history_size: int = _setting(1000, "How many prompts the ↑ key remembers; 0: none.", lo=0, hi=100_000)
    engine_idle: int = _setting(
        15,
        "Minutes without a question after which the built-in engine is ended, until the next one; 0: never.",
        lo=0,
        hi=10_080,
    )
    warm_chats_mb: int = _setting(
        1024,
        "MB of the disk for what the built-in engine has read of chats, so that they go on at once; 0: none.",
        lo=0,
        hi=1_000_000,
    )
    model_folders: str = _setting(
        "", "More folders with GGUF files, separated by a colon, as in “~/models:/data/gguf”."
    )
    servers: tuple[Endpoint, ...] = _setting(
        (), "Servers on other machines; lokal asks them before the addresses on this machine."
    )
    keys: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType({}),
        metadata={"info": SettingInfo('Other keys: command = "key". "" removes the key of a command.')},
    )

    @property
    def keys_of_servers(self) -> tuple[str, ...]:
        """The API keys of the servers, and whatever else is sent to them and to nobody else."""
        servers = list(self.servers)
        if "@" in self.server:
            with contextlib.suppress(UsageError):  # the name of a server
                servers.append(parse_endpoint(self.server))
        whole = [value for server in servers for _, value in server.headers]
        return tuple(dict.fromkeys([*(key for server in servers for key in server.secrets), *whole]))


SCALARS: tuple[Field[Any], ...] = tuple(
    declared for declared in fields(Settings) if declared.name not in ("servers", "keys")
)
"""The settings that are one value at the top level of the file."""

RENAMED: Mapping[str, str] = MappingProxyType({"link": "terminal_speed"})
"""Settings that had another name once: the old name, which is still read, and the one that counts."""


def setting_info(name: str) -> SettingInfo:
    """What is declared for the setting `name`. Raises UsageError that names the closest."""
    for declared in fields(Settings):
        if declared.name == name:
            found: SettingInfo = declared.metadata["info"]
            return found
    raise UsageError(
        f"There is no setting “{name}”", "", toml.closest(name, [other.name for other in fields(Settings)])
    )


def load_settings(path: Path, environ: Mapping[str, str] | None = None) -> Loaded[Settings]:
    """The settings in the file `path`, defaults for all that is missing or wrong; a missing file is no problem.

    `environ` is where the `api_key_env` of a server is looked up, None = the process's environment.
    """
    env = os.environ if environ is None else environ
    problems: list[LokalError] = []
    table = recover(lambda: toml.read_table(path, missing_ok=True), toml.Table(path), problems)
    settings = _settings(table, env, problems)
    if holds_secret(table) and _readable_by_others(path):
        problems.append(
            FileError(
                path, f"{path} holds a key or a password and others can read it", "", f"Run: chmod 600 {path}"
            )
        )
    return Loaded(settings, tuple(problems))


def is_set(path: Path, name: str) -> bool:
    """Whether the file sets `name`, rather than leaving the default; False for a file that cannot be read."""
    try:
        return name in toml.read_table(path, missing_ok=True).values
    except LokalError:
        return False


def set_value(path: Path, name: str, value: str | int | bool) -> None:
    """Set one setting of one value in the file; comments, unknown keys and every other byte stay. A new file is readable by
    its owner only.

    Raises MalformedFile, without writing, where the file cannot be understood, FileError where it cannot be read or
    written, and UsageError for a name or value that there is not.
    """
    from tui.config import edit  # with the TOML writer, which a start does not need

    declared = next((other for other in SCALARS if other.name == name), None)
    if declared is None:
        raise UsageError(
            f"There is no setting “{name}”", "", toml.closest(name, [other.name for other in SCALARS])
        )
    try:
        _scalar(toml.Table(path, {name: value}), declared)
    except FileError as error:
        raise UsageError(f"{name} cannot be {toml.found(value)}", error.detail) from error
    text = toml.read_text(path, missing_ok=True)
    toml.parse(path, text)
    changed = edit.assign(text, "", name, value)
    if changed != text:
        atomic.write_text(path, changed)


def _settings(table: toml.Table, environ: Mapping[str, str], problems: list[LokalError]) -> Settings:
    table = _with_new_names(table, problems)
    problems += table.unknown(declared.name for declared in fields(Settings))
    values: dict[str, Any] = {}
    for declared in SCALARS:
        try:
            values[declared.name] = _scalar(table, declared)
        except LokalError as error:
            problems.append(error)
    values["servers"] = read_endpoints(table, environ, problems)
    values["keys"] = read_keys(table, problems)
    server = values.get("server", "")
    if server and server not in [endpoint.name for endpoint in values["servers"]]:
        values["server"] = recover(lambda: _url(table, server), "", problems)
    return Settings(**values)


def _with_new_names(table: toml.Table, problems: list[LokalError]) -> toml.Table:
    """The table as if its settings had their names of today; what still has an old one is told."""
    values = dict(table.values)
    for old, new in RENAMED.items():
        if old not in values:
            continue
        value = values.pop(old)
        says = f"{table.path}: {old} is called {new} now"
        if new in values:
            problems.append(FileError(table.path, says, f"{new} counts", f"Take the line of {old} out"))
        else:
            values[new] = value
            problems.append(FileError(table.path, says, "Its value is used", f"Rename it to {new}"))
    return toml.Table(table.path, values, table.prefix)


def _scalar(table: toml.Table, declared: Field[Any]) -> str | int | bool:
    about: SettingInfo = declared.metadata["info"]
    if isinstance(declared.default, bool):
        return table.flag(declared.name, declared.default)
    if isinstance(declared.default, int):
        return table.whole(declared.name, declared.default, about.lo, about.hi)
    value = table.text(declared.name, str(declared.default), about.allowed)
    return value.strip() or str(declared.default)


def _url(table: toml.Table, text: str) -> str:
    try:
        meant = parse_endpoint(text)
        return text if meant.login or meant.other_urls else meant.url
    except UsageError as error:
        raise table.wrong("server", "an address or the name of one of [[servers]]", error.hint) from error


def _readable_by_others(path: Path) -> bool:
    try:
        return os.name == "posix" and bool(path.stat().st_mode & 0o077)
    except OSError:
        return False
