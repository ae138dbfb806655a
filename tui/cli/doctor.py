"""`lokal doctor`: what lokal finds on this machine, for a person or, with --json, for a bug report."""

from __future__ import annotations

import asyncio
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tui import __version__
from tui.cli.command_arguments import Doctor
from tui.cli.help import MAX_WIDTH
from tui.cli.output import write, write_json
from tui.cli.signals import run
from tui.config.startup import load_configuration
from tui.core.endpoint import Endpoint, ServerKind
from tui.core.text import count_of, human_size, safe_block, safe_line, safe_name
from tui.errors import LokalError, ServerError, Unreachable
from tui.guide.model import checked_model
from tui.paths import folders
from tui.servers import detect
from tui.servers.connect import named_server
from tui.servers.engine import packaged_model
from tui.servers.registry import server_for
from tui.ui.terminal.probe import TerminalAbilities, describe, terminal_size

NO_ENGINE = 'none: pip install "lokal[engine]" adds it'
NO_PACKAGED_MODEL = f"no model beside it: {packaged_model.INSTALL} adds {packaged_model.CALLED}"
SHOWN_MODELS = 20


@dataclass(frozen=True, slots=True)
class ServerReport:
    """A server that answered. `kind` is an id such as `ollama`; `problem` is why its models are not known."""

    url: str
    kind: ServerKind
    version: str
    models: tuple[str, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class UnansweredAddress:
    """An address that was asked and where no model server was found, and why. `expected` = the person named it."""

    url: str
    problem: str
    expected: bool
    listens: bool


@dataclass(frozen=True, slots=True)
class FolderReport:
    """One of lokal's folders."""

    name: str
    path: str
    exists: bool
    writable: bool


@dataclass(frozen=True, slots=True)
class Report:
    """All of it."""

    lokal: str
    python: str
    system: str
    servers: tuple[ServerReport, ...]
    not_found: tuple[UnansweredAddress, ...]
    engine: str
    guide: str
    packaged_model: str
    folders: tuple[FolderReport, ...]
    terminal: TerminalAbilities
    problems: tuple[str, ...]


def doctor(command: Doctor) -> int:
    """Run `lokal doctor`. It writes nothing and changes nothing."""
    places = folders()
    config = load_configuration(places)
    settings, problems = config.settings, list(config.problems)
    expected = list(settings.servers)
    if settings.server:
        expected.insert(0, named_server(settings.server, settings.servers))
    if (wrong := detect.environment_problem(os.environ)) is not None:
        problems.append(wrong)
    found = run(_look(expected))
    listed = {
        name.removesuffix(":latest") for one in found if isinstance(one, ServerReport) for name in one.models
    }
    if settings.model and listed and settings.model.removesuffix(":latest") not in listed:
        named = f"No server that answers has the model “{safe_name(settings.model, 80)}” of the settings"
        problems.append(
            LokalError(named, "Another one answers instead", "Correct model in the settings, or get it")
        )
    report = Report(
        lokal=__version__,
        python=platform.python_version(),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        servers=tuple(one for one in found if isinstance(one, ServerReport)),
        not_found=tuple(one for one in found if isinstance(one, UnansweredAddress)),
        engine=_engine(),
        guide=_guide(problems),
        packaged_model=_packaged_model(places.state, problems),
        folders=tuple(
            _folder(name, path)
            for name, path in (("config", places.config), ("data", places.data), ("state", places.state))
        ),
        terminal=describe(os.environ, terminal_size()),
        problems=tuple(str(problem) for problem in problems),
    )
    if command.json:
        write_json(asdict(report))
    else:
        write(safe_block("\n".join(_in_words(report))) + "\n")
    return 0


# -- finding out ----------------------------------------------------------------------------------------------------


async def _look(expected: Sequence[Endpoint]) -> list[ServerReport | UnansweredAddress]:
    places = {endpoint.url for endpoint in expected}
    candidates = detect.candidates(os.environ, expected)
    return list(await asyncio.gather(*(_ask(one, named=one.url in places) for one in candidates)))


async def _ask(endpoint: Endpoint, *, named: bool) -> ServerReport | UnansweredAddress:
    try:
        found = await detect.reach(endpoint)
    except ServerError as error:
        words = f"{error.title}: {error.detail}" if error.detail else error.title
        return UnansweredAddress(endpoint.url, words, named, not isinstance(error, Unreachable))
    info, server = found.info, server_for(found.endpoint)
    models: tuple[str, ...] = ()
    problem = ""
    try:
        models = tuple(safe_name(model.name, 200) for model in await server.models())
    except ServerError as error:
        problem = str(error)
    finally:
        await server.aclose()
    return ServerReport(found.endpoint.url, info.kind, safe_line(info.version, 40), models, problem)


def _folder(name: str, path: Path) -> FolderReport:
    nearest = path
    while not os.path.lexists(nearest) and nearest != nearest.parent:
        nearest = nearest.parent
    return FolderReport(name, str(path), nearest == path, os.access(nearest, os.W_OK | os.X_OK))


def _engine() -> str:
    program = shutil.which("llama-server")
    if program:
        return f"llama-server at {program}"
    if importlib.util.find_spec("xllamacpp") is None:
        return ""
    return f"llama.cpp in xllamacpp {importlib.metadata.version('xllamacpp')}"


def _guide(problems: list[LokalError]) -> str:
    try:
        model = checked_model()
    except LokalError as error:
        problems.append(error)
        return ""
    return f"{model.name}, {human_size(model.stat().st_size)}, whole"


def _packaged_model(state: Path, problems: list[LokalError]) -> str:
    """The model that was installed as a package, with what `pip check` says of it; empty where there is none."""
    try:
        model = packaged_model.look(state)
        if model is None:
            return ""
        model.check(remember=False)
    except LokalError as error:
        problems.append(error)
        return f"{packaged_model.CALLED}: cannot be used, see below"
    lacking = packaged_model.missing_requirements()
    remark = (
        f"; pip check misses {' and '.join(lacking)} for it, which lokal does not need" if lacking else ""
    )
    return f"{packaged_model.CALLED} ({model.path.name}, {human_size(model.size)}), whole{remark}"


# -- telling a person -----------------------------------------------------------------------------------------------


def _in_words(report: Report) -> Iterator[str]:
    yield f"lokal {report.lokal}, Python {report.python}, {report.system}"
    yield "\nServers"
    for server in report.servers:
        yield f"  {' '.join(filter(None, (server.kind.label, server.version)))} at {server.url}"
        yield from _wrapped(server.problem or _models(server.models), "      ")
    silent = [one for one in report.not_found if not one.expected and not one.listens]
    for one in report.not_found:
        if one not in silent:
            yield from _wrapped(one.problem, "  ")
    if silent:
        places = ", ".join(one.url.removeprefix("http://") for one in silent)
        yield from _wrapped(f"nobody answers at {places}", "  ")
    yield f"\nBuilt-in engine\n  {report.engine or NO_ENGINE}"
    yield f"  the guide: {report.guide or 'cannot be used, see below'}"
    yield from _wrapped(report.packaged_model or NO_PACKAGED_MODEL, "  ")
    yield "\nFolders"
    for folder in report.folders:
        state = "" if folder.exists else "  (not made yet)"
        yield f"  {folder.name:<8}{safe_line(folder.path)}{state}{'' if folder.writable else '  CANNOT BE WRITTEN'}"
    yield "\nTerminal"
    terminal = report.terminal
    size = f"{terminal.columns} columns, {terminal.lines} lines" if terminal.columns else "none to measure"
    for name, value in (
        ("type", safe_line(terminal.term, 60) or "not told (TERM is empty)"),
        ("size", size),
        ("colours", terminal.colours),
        ("UTF-8", "yes" if terminal.unicode else "no: set LANG or LC_ALL to a UTF-8 locale"),
        (
            "inside",
            ", ".join(filter(None, (terminal.multiplexer, "SSH" if terminal.ssh else "")))
            or "neither tmux nor SSH",
        ),
    ):
        yield f"  {name:<8}{value}"
    if report.problems:
        yield "\nProblems"
        for problem in report.problems:
            yield from _wrapped(problem, "  ")


def _models(names: tuple[str, ...]) -> str:
    if not names:
        return "no models"
    more = f" and {len(names) - SHOWN_MODELS} more (--json has all)" if len(names) > SHOWN_MODELS else ""
    return f"{count_of(len(names), 'model')}: {', '.join(names[:SHOWN_MODELS])}{more}"


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text,
        MAX_WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
