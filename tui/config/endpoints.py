"""The `[[servers]]` tables: addresses that the person wrote down."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from tui.config.loaded import recover
from tui.config.toml import Table, closest
from tui.core.endpoint import Endpoint, ServerKind, parse_endpoint
from tui.core.text import safe_line
from tui.errors import FileError, LokalError, UsageError

KEYS = {
    "url": "where it is, such as http://192.168.1.5:8080; needed. A name and a password that it, or a proxy before it, asks for "
    "stand before the host: https://name:password@host",
    "name": "what you call it; the setting server can say this name",
    "kind": "one of " + ", ".join(ServerKind) + "; recognised where it is left out",
    "api_key_env": "the environment variable that holds its API key",
    "api_key": "the API key itself; keep the file to yourself then (chmod 600)",
    "headers": "HTTP headers that go with every request, for what else a proxy wants, as a table of texts",
    "headers_env": "the same, with the environment variables that hold them",
    "ca_file": "the certificate to trust beside the usual ones, for https: the path of a PEM file. "
    "SSL_CERT_FILE in the environment names one for all servers",
}
"""The keys of one server, with their help."""
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_FRAMING = frozenset({"connection", "content-length", "content-type", "expect", "keep-alive", "te", "trailer",
                      "transfer-encoding", "upgrade"})  # fmt: skip


def raw_servers(table: Table) -> tuple[Table, ...]:
    """The entries as the file has them; none where it has something else there."""
    return recover(lambda: table.tables("servers"), (), [])


def holds_secret(table: Table) -> bool:
    """Whether something in the file is nobody else's business: a key, a password, a header."""
    addresses = [table.values.get("server"), *(raw.values.get("url") for raw in raw_servers(table))]
    return any("api_key" in raw or "headers" in raw for raw in raw_servers(table)) or any(
        isinstance(address, str) and "@" in address for address in addresses
    )


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


def _endpoint(entry: Table, environ: Mapping[str, str], problems: list[LokalError]) -> Endpoint:
    """One entry. Raises FileError where its address is missing or wrong."""
    left_out = "This server is left out"
    if not isinstance(entry.values.get("url"), str):
        raise entry.wrong("url", "an address such as http://192.168.1.5:8080", left_out)
    try:
        where = parse_endpoint(entry.text("url"))
    except UsageError as error:
        raise entry.wrong("url", "an address such as http://192.168.1.5:8080", left_out) from error
    return replace(
        where,
        kind=recover(lambda: _kind(entry), None, problems),
        api_key=recover(lambda: _api_key(entry, environ), "", problems),
        name=recover(lambda: entry.text("name"), "", problems).strip(),
        headers=_headers(entry, environ, problems),
        ca_file=recover(lambda: _ca_file(entry), "", problems),
    )


def _headers(
    entry: Table, environ: Mapping[str, str], problems: list[LokalError]
) -> tuple[tuple[str, str], ...]:
    """The headers of both tables; one whose variable is set wins. An error never shows a value."""
    headers: dict[str, tuple[str, str]] = {}
    for name, value in _texts(entry, "headers", problems):
        headers[name.lower()] = name, value
    for name, variable in _texts(entry, "headers_env", problems):
        if environ.get(variable):
            headers[name.lower()] = name, environ[variable].strip()
        elif name.lower() not in headers:
            problems.append(
                _wrong(entry, f"headers_env names {variable}, which is not set", f"{name} is not sent",
                       f"export {variable}=... before lokal starts")
            )  # fmt: skip
    good = []
    for name, value in headers.values():
        if not (value.isascii() and value.isprintable()):
            problems.append(_wrong(entry, f"the header {name} has characters that no HTTP header can carry",
                                   f"{name} is not sent", "Copy its value again"))  # fmt: skip
        else:
            good.append((name, value))
    return tuple(good)


def _texts(entry: Table, key: str, problems: list[LokalError]) -> Iterator[tuple[str, str]]:
    """The names and texts of a table of headers; what is wrong with one costs only itself."""
    table = entry.values.get(key, {})
    if not isinstance(table, dict):
        problems.append(_wrong(entry, f"{key} is no table", "Its headers are not sent",
                               f'Write it like {key} = {{ "X-Name" = "text" }}'))  # fmt: skip
        return
    for name, value in table.items():
        shown = safe_line(name, 40)
        if not _HEADER.fullmatch(name):
            problems.append(
                _wrong(entry, f"{key} has “{shown}”, which is no name of a header", "It is not sent", "")
            )
        elif name.lower() in _FRAMING:
            problems.append(
                _wrong(entry, f"{key} has {shown}, which lokal itself sets", "It is not sent", "")
            )
        elif not isinstance(value, str) or not value.strip():
            problems.append(
                _wrong(entry, f"{key}.{shown} is no text", f"{shown} is not sent", "It takes text in quotes")
            )
        else:
            yield name, value.strip()


def _wrong(entry: Table, what: str, detail: str, hint: str) -> FileError:
    return FileError(entry.path, f"{entry.path}: {entry.prefix}{what}", detail, hint)


def _ca_file(entry: Table) -> str:
    text = entry.text("ca_file").strip()
    if not text:
        return ""
    try:
        return str(entry.path.parent / Path(text).expanduser())
    except RuntimeError:  # ~somebody that is nobody
        return text


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
