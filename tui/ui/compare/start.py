"""From `/compare` to its screen, and back into the chat."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING

from tui.core import compare
from tui.core.attaching import refusal
from tui.core.compare import Column
from tui.core.message import Attachment, Role
from tui.errors import UsageError
from tui.ui.compare.race import Lane, Race
from tui.ui.compare.screen import CompareScreen

if TYPE_CHECKING:
    from tui.servers.choice import Connection
    from tui.ui.app import LokalApp


def start(app: LokalApp, argument: str) -> None:
    """Compare what the argument of `/compare` says. Raises LokalError for what cannot be done."""
    chat, desk = app.chat, app.desk
    connection, session = desk.connection, chat.session
    if session is None:
        raise UsageError("The chats are being opened")
    if chat.busy:
        raise UsageError("An answer is coming in", "", f"{desk.key('answer.stop')} stops it")
    names = [preset.name for preset in desk.presets]
    models = [model.name for model in connection.models] if connection is not None else []
    wanted = compare.parse(argument, names, desk.preset.name, models)
    if connection is None and not all(column.server for column in wanted.columns):
        raise UsageError("There is no server to ask", "", f"{desk.key('server.search')} looks for one")
    draft = "" if wanted.prompt or chat.composer.plain.startswith("/") else chat.composer.plain.strip()
    prompt = wanted.prompt or draft
    question = session.conversation.last_of(Role.USER)
    durable = None
    if prompt:
        if connection is not None:
            _look_at(chat.attached, wanted.columns, desk.model, connection)
        question, durable = session.ask(prompt, time.time(), chat.attached)
        chat.attach(())
        if draft:
            chat.post_message(chat.Asked(chat.composer.marked))
            chat.composer.remember(chat.composer.marked)
            chat.composer.fill("")
    if question is None:
        raise UsageError("There is no question yet", "", compare.EXAMPLE)
    race = Race(session, question, desk, app.backstage.connect_to, lambda: app.pace.interval_s())
    for column in wanted.columns:
        race.add(column)
    _show(app, race, durable)


def _look_at(
    files: Sequence[Attachment], columns: Sequence[Column], model: str, connection: Connection
) -> None:
    """Raise the LokalError that one of the models cannot take what is attached."""
    for column in columns:
        problem = None if column.server else refusal(files, column.model or model, connection.models)
        if problem is not None:
            raise problem


def _show(app: LokalApp, race: Race, durable: Future[bool] | None) -> None:
    def back(kept: Lane | None) -> None:
        _end(app, race, kept)

    app.race = race
    app.open_tab("chat")
    app.push_screen(CompareScreen(race, app.desk.keys, lambda: app.pace), back)
    race.start(
        lambda work: app.run_worker(work, group="compare", exit_on_error=False, description="compare"),
        durable,
    )


def _end(app: LokalApp, race: Race, kept: Lane | None) -> None:
    """Back in the chat, with the branch that was chosen."""
    app.race = None
    race.on_news = lambda: None
    race.stop()
    race.open_branch(kept)
    app.run_worker(race.close(), group="compare-end", exit_on_error=False, description="compare")
    chat = app.chat
    chat.show_branch()
    chat.transcript.follow()
    if app.desk.window is None:
        app.backstage.ask_window(app.desk)
    others = len(race.lanes) - 1
    beside = "the other answer stays" if others == 1 else f"the {others} other answers stay"
    app.tell(f"Kept; {beside} beside it" if kept is not None else "All answers stay, beside each other")
