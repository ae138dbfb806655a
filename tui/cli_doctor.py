"""`lokal doctor`: what lokal finds on this machine, for a person or, with --json, for a bug report."""

from __future__ import annotations

import argparse
import asyncio
import importlib.metadata
import importlib.util
import json
import os
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from tui import __version__
from tui.config.presets import load_presets
from tui.config.settings import load_settings
from tui.config.themes import load_themes
from tui.core.endpoint import Endpoint
from tui.core.text import safe_line
from tui.errors import ServerError
from tui.paths import folders
from tui.servers import detect
from tui.servers.registry import connect

NO_ENGINE = 'none: pip install "lokal[engine]" adds it'


@dataclass(frozen=True, slots=True)
class ServerReport:
    """A server that answered."""

    url: str
    kind: str
    version: str
    models: tuple[str, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class FolderReport:
    """One of lokal's folders."""

    name: str
    path: str
    exists: bool
    writable: bool


def doctor(options: argparse.Namespace) -> int:
    """Run `lokal doctor`."""
    places = folders()
    settings = load_settings(places.settings_file)
    problems = [*settings.problems, *load_themes(places.themes).problems]
    if places.presets.exists():
        problems += load_presets(places.presets).problems
    candidates = detect.candidates(os.environ, settings.value.servers)
    servers = asyncio.run(_servers(candidates))
    reports = [
        _folder("config", places.config),
        _folder("data", places.data),
        _folder("state", places.state),
    ]
    terminal = _terminal()
    report: dict[str, object] = {
        "lokal": __version__,
        "python": sys.version.split()[0],
        "servers": [asdict(server) for server in servers],
        "asked": [endpoint.url for endpoint in candidates],
        "engine": _engine(),
        "folders": [asdict(folder) for folder in reports],
        "terminal": terminal,
        "problems": [str(problem) for problem in problems],
    }
    if options.json:
        print(json.dumps(report, ensure_ascii=False, indent=2))
        return 0
    print(f"lokal {__version__}, Python {report['python']}\n")
    print("Servers")
    for server in servers:
        print(f"  {server.kind} {server.version}  {server.url}")
        print(
            f"      {len(server.models)} models: {', '.join(server.models[:8])}"
            if server.models
            else "      no models"
        )
        if server.problem:
            print(f"      {server.problem}")
    if not servers:
        print(f"  none answers; asked: {', '.join(endpoint.url for endpoint in candidates)}")
    print(f"\nBuilt-in engine\n  {report['engine'] or NO_ENGINE}")
    print("\nFolders")
    for folder in reports:
        state = "" if folder.exists else "  (not made yet)"
        print(f"  {folder.name:<7} {folder.path}{state}{'' if folder.writable else '  NOT WRITABLE'}")
    print("\nTerminal")
    for name, value in terminal.items():
        print(f"  {name.replace('_', ' '):<12} {value}")
    if problems:
        print("\nProblems")
        for problem in problems:
            print(f"  {problem}")
    return 0


async def _servers(candidates: tuple[Endpoint, ...]) -> list[ServerReport]:
    found = await detect.find(candidates)
    return list(await asyncio.gather(*(_report(one) for one in found)))


async def _report(found: detect.Found) -> ServerReport:
    info, server = found.info, connect(found.endpoint)
    names: tuple[str, ...] = ()
    problem = ""
    try:
        names = tuple(safe_line(model.name, 80) for model in await server.models())
    except ServerError as error:
        problem = str(error)
    finally:
        await server.aclose()
    return ServerReport(found.endpoint.url, info.kind.label, safe_line(info.version, 40), names, problem)


def _folder(name: str, path: Path) -> FolderReport:
    nearest = path
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    return FolderReport(name, str(path), path.exists(), os.access(nearest, os.W_OK))


def _engine() -> str:
    program = shutil.which("llama-server")
    if program:
        return f"llama-server at {program}"
    if importlib.util.find_spec("xllamacpp") is None:
        return ""
    return f"llama.cpp in xllamacpp {importlib.metadata.version('xllamacpp')}"


def _terminal() -> dict[str, object]:
    from tui.ui.terminal.probe import describe, terminal_size

    return asdict(describe(os.environ, terminal_size()))
