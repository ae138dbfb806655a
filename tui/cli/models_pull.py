"""`lokal models pull|update`: downloads one after the other, with a bar on a terminal and plain lines elsewhere."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict

from tui.cli.command_arguments import Models
from tui.cli.models import connected
from tui.cli.output import ProgressLine, complain, say, write_json
from tui.cli.signals import Terminated, run
from tui.config.history import PromptHistory
from tui.config.settings import Settings
from tui.core.model_actions import ModelAction
from tui.core.model_management import PullProgress
from tui.core.model_names import is_hub_name, parse_hub_reference
from tui.core.text import human_size, human_time, safe_line, safe_name
from tui.errors import FileError, LokalError, Refused, ServerError, UsageError
from tui.models.pull import FROM, HUB, Pull, PullState
from tui.models.pull_file import PullFile
from tui.models.pull_queue import PullQueue, PullSource, words_of
from tui.models.pull_servers import PullServers
from tui.paths import Folders
from tui.servers.base import Server

BAR = 20
LEAST_NAME = 12
MOST_NAMES = 100
STEPS = 10
"""How many lines tell of one download where no terminal is."""
REFUSED = 4


def pull(command: Models, settings: Settings, places: Folders) -> int:
    """Run it; the exit status. Raises LokalError, and what `run` raises for what ends it early. What is stopped by Ctrl+C is
    forgotten, what ends because a connection or a machine goes is left to the next lokal."""
    file = PullFile(places.pulls)
    work = PullRun(command, settings, file, PromptHistory(places.pulled_names, MOST_NAMES), places)
    try:
        return run(work.work())
    except KeyboardInterrupt:
        _keep(file, () if command.names or command.action == "update" else work.pulls)
        say("Stopped. What came is kept: the same command goes on with it")
        raise
    except Terminated:
        _keep(file, work.pulls)
        raise
    finally:
        file.release()


def _keep(file: PullFile, pulls: tuple[Pull, ...]) -> None:
    try:
        file.save(pulls)
    except FileError as error:
        say(str(error))


class PullRun:
    """The downloads of one command."""

    def __init__(
        self, command: Models, settings: Settings, file: PullFile, names: PromptHistory, places: Folders
    ) -> None:
        """`names` remembers what was downloaded, for whoever types such a name later."""
        self._places = places
        self._server: Server | None = None
        self._names = names
        self._command = command
        self._settings = settings
        self._file = file
        self._line = PullLine()
        self._told: dict[str, tuple[PullState, int]] = {}
        self._hosts: set[str] = set()
        self._queue: PullQueue | None = None

    @property
    def pulls(self) -> tuple[Pull, ...]:
        """The downloads as they stand."""
        return self._queue.pulls if self._queue is not None else ()

    async def work(self) -> int:
        """Download all of it; the exit status."""
        servers = PullServers(self._settings.servers, lambda: self._server, self._connect_hub)
        queue = self._queue = PullQueue(
            servers.connect, self._hear, self._file, on_problem=lambda error: say(str(error))
        )
        try:
            await self._fill(queue)
            await queue.run(until_done=True)
            done = queue.pulls
            self._remember(done)
            for each in done:  # what was told here is not to be told again by the screen
                queue.cancel(each.id)
        finally:
            self._line.clear()
            if self._server is not None:
                await self._server.aclose()
        await queue.aclose()
        if self._command.json:
            write_json([_as_object(each) for each in done])
        return 0 if all(each.state is PullState.DONE for each in done) else REFUSED

    def _remember(self, pulls: tuple[Pull, ...]) -> None:
        try:
            for each in pulls:
                if each.state is PullState.DONE and not each.update:
                    self._names.add(each.model)
        except FileError as error:
            say(str(error))

    def _connect_hub(self) -> AbstractAsyncContextManager[PullSource]:
        from tui.models.hub_source import HubConnector

        return HubConnector(os.environ, self._places, self._command.rate).connect()

    async def _fill(self, queue: PullQueue) -> None:
        """Raises UsageError where there is nothing to do, Refused where the server cannot do it."""
        command, updates = self._command, self._command.action == "update"
        own = [name for name in command.names if is_hub_name(name)]
        if own and updates:
            raise UsageError(
                "What lokal downloaded from Hugging Face is not looked after",
                "",
                "Download it again to have what is new",
            )
        for name in own:
            parse_hub_reference(name)
        if command.names and len(own) == len(command.names):
            for name in own:
                queue.add(HUB, None, name)
            return
        restored = () if command.names or updates else await queue.restore(HUB)
        try:
            server = self._server = await connected(command, self._settings)
        except ServerError:
            if restored:
                return
            raise
        manager, endpoint = server.model_manager, server.endpoint
        action = ModelAction.UPDATE if updates else ModelAction.PULL
        actions = await manager.actions()
        if restored and not actions.can(action):
            return
        if not actions.can(action):
            raise Refused(f"{server.profile.label} cannot {action}", actions.why_not(action))
        names = command.names
        if updates and not names:
            names = tuple(model.name for model in await manager.models() if not model.elsewhere)
        elif updates:
            for name in names:
                await manager.details(name)  # what is not there would be downloaded
        for name in names:
            if name in own:
                queue.add(HUB, None, name)
            else:
                queue.add(endpoint.url, server.kind, name, update=updates)
        if not names and not updates and not await queue.restore(endpoint.url) and not restored:
            raise UsageError("Nothing is left to download", "", "Name a model: lokal models pull llama3.2:3b")

    def _hear(self, pull: Pull) -> None:
        if pull.kind is None and (host := pull.progress.status).startswith(FROM) and host not in self._hosts:
            self._hosts.add(host)
            self._line.clear()
            say(f"{safe_name(pull.model, 80)} comes {host}")
        if pull.state is PullState.RUNNING:
            status = "" if pull.progress.total else f" {pull.progress.status}"
            self._line.show(f"{safe_name(pull.model, 60)}{status}", pull.progress, pull.rate, pull.left_s)
        before, step = self._told.get(pull.id, (PullState.WAITING, 0))
        now = int((pull.share or 0.0) * STEPS)
        is_step = not self._line.is_seen and pull.state is PullState.RUNNING and now > step
        self._told[pull.id] = pull.state, max(now, step)
        if pull.state is before and not is_step:
            return
        if pull.state in (PullState.WAITING, PullState.CANCELLED):
            return
        if pull.state is PullState.RUNNING and self._line.is_seen:
            return
        self._line.clear()
        if pull.state in (PullState.FAILED, PullState.PAUSED) and pull.problem is not None:
            title = f"{safe_name(pull.model, 80)}: {pull.problem.title}"
            complain(LokalError(title, pull.problem.detail, pull.problem.hint))
            return
        say(words_of(pull))
        if pull.changes is not None:
            for field in pull.changes.fields:
                if field.before or field.after:
                    say(f"  {field.name}: {field.before or 'none'} before, {field.after or 'none'} now")
                for line in field.diff:
                    print(f"       {safe_line(line, 300)}", file=sys.stderr)


class PullLine:
    """The line with the bar, on a terminal."""

    def __init__(self) -> None:
        self._line = ProgressLine()
        self.is_seen = sys.stderr.isatty()
        encoding = (sys.stderr.encoding or "").lower()
        self._signs = ("▓", "░") if encoding.startswith("utf") else ("#", ".")

    def show(self, what: str, progress: PullProgress, rate: float | None, left_s: float | None) -> None:
        """Replace the line."""
        figures = []
        bar = ""
        if progress.total:
            share = progress.completed / progress.total
            full, empty = self._signs
            filled = round(share * BAR)
            bar = full * filled + empty * (BAR - filled)
            figures = [f"{share:.0%}", f"{human_size(progress.completed)} of {human_size(progress.total)}"]
        if rate:
            figures.append(f"{human_size(round(rate))}/s")
        if left_s is not None:
            figures.append(f"{human_time(left_s)} left")
        self._line.show(fitted(what, bar, figures, shutil.get_terminal_size().columns - 1))

    def clear(self) -> None:
        """Take the line away."""
        self._line.clear()


def fitted(what: str, bar: str, figures: Sequence[str], width: int) -> str:
    """The line in so many columns: where it is too long the bar goes, then the middle of what it is about."""
    said = ", ".join(figures)
    line = " ".join(filter(None, (what, bar, said)))
    if len(line) <= width or not said:
        return line
    return f"{safe_name(what, max(LEAST_NAME, width - len(said) - 1))} {said}"


def _as_object(pull: Pull) -> dict[str, object]:
    return {
        "model": pull.model,
        "server": pull.server if pull.kind is not None else "huggingface.co",
        "state": pull.state,
        "result": pull.result,
        "size": pull.progress.total or None,
        "changes": [asdict(field) for field in pull.changes.fields] if pull.changes is not None else [],
        "error": asdict(pull.problem) if pull.problem is not None else None,
    }
