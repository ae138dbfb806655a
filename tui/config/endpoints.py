"""The `[[servers]]` tables: addresses that the person wrote down."""

from __future__ import annotations

from collections.abc import Mapping

from tui.config.loaded import recover
from tui.config.toml import Table, closest
from tui.core.endpoint import Endpoint, ServerKind, parse_url
from tui.errors import FileError, LokalError, UsageError

KEYS = {
    "url": "where it is, such as http://192.168.1.5:8080; needed",
    "name": "what you call it; the setting server can say this name",
    "kind": "one of " + ", ".join(ServerKind) + "; recognised where it is left out",
    "api_key_env": "the environment variable that holds its API key",
    "api_key": "the API key itself; keep the file to yourself then (chmod 600)",
}
"""The keys of one server, with their help."""


def raw_servers(table: Table) -> tuple[Table, ...]:
    """The entries as the file has them; none where it has something else there."""
    return recover(lambda: table.tables("servers"), (), [])


def read_endpoints(
    table: Table, environ: Mapping[str, str], problems: list[LokalError]
) -> tuple[Endpoint, ...]:
    """The servers of the file. One without a usable address is left out; another wrong key costs only itself."""
    endpoints = []
    for entry in recover(lambda: table.tables("servers"), (), problems):
        problems += entry.unknown(KEYS)
        try:
            endpoints.append(_endpoint(entry, environ, problems))
        except LokalError as error:
            problems.append(error)
    return tuple(endpoints)


def entry_for(endpoint: Endpoint, table: Table, environ: Mapping[str, str]) -> Mapping[str, object]:
    """What `[[servers]]` is to say of `endpoint`: the entry that the file has for its address keeps its own
    spelling, its unknown keys and the variable that its API key comes from."""
    for raw in raw_servers(table):
        try:
            known = _endpoint(raw, environ, [])
        except LokalError:
            continue
        if known.url == endpoint.url:
            entry = dict(raw.values)
            break
    else:
        known, entry = Endpoint(endpoint.url), {"url": endpoint.url}
    if endpoint.kind != known.kind:
        _put(entry, "kind", endpoint.kind.value if endpoint.kind is not None else "")
    if endpoint.name != known.name:
        _put(entry, "name", endpoint.name)
    if endpoint.api_key != known.api_key:
        entry.pop("api_key_env", None)
        _put(entry, "api_key", endpoint.api_key)
    return entry


def _put(entry: dict[str, object], key: str, value: str) -> None:
    if value:
        entry[key] = value
    else:
        entry.pop(key, None)


def _endpoint(entry: Table, environ: Mapping[str, str], problems: list[LokalError]) -> Endpoint:
    """One entry. Raises FileError where its address is missing or wrong."""
    left_out = "This server is left out"
    if not isinstance(entry.values.get("url"), str):
        raise entry.wrong("url", "an address such as http://192.168.1.5:8080", left_out)
    try:
        url = parse_url(entry.text("url"))
    except UsageError as error:
        raise entry.wrong("url", "an address such as http://192.168.1.5:8080", left_out) from error
    return Endpoint(
        url,
        recover(lambda: _kind(entry), None, problems),
        recover(lambda: _api_key(entry, environ), "", problems),
        recover(lambda: entry.text("name"), "", problems).strip(),
    )


def _kind(entry: Table) -> ServerKind | None:
    text = entry.text("kind")
    if not text:
        return None
    try:
        return ServerKind(text)
    except ValueError:
        raise entry.wrong(
            "kind", KEYS["kind"].partition(";")[0], closest(text, [kind.value for kind in ServerKind])
        ) from None


def _api_key(entry: Table, environ: Mapping[str, str]) -> str:
    """The key from the environment, or else the one in the file; an error never shows a key."""
    variable = entry.text("api_key_env")
    if variable and environ.get(variable):
        return environ[variable].strip()
    key = entry.values.get("api_key", "")
    if not isinstance(key, str):
        raise FileError(
            entry.path, f"{entry.path}: {entry.prefix}api_key is no text", "It takes text in quotes", ""
        )
    if variable and not key:
        raise FileError(
            entry.path,
            f"{entry.path}: {entry.prefix}api_key_env names {variable}, which is not set",
            "The server is asked without a key",
            f"export {variable}=... before lokal starts",
        )
    return key.strip()
