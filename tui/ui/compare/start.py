"""From `/compare` to its screen, and back into the chat."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING

from tui.chat.comparison import Comparison, ComparisonColumn, state_for
from tui.chat.parameter_words import taken
from tui.chat.pending import PendingComparison
from tui.core import compare
from tui.core.attaching import refusal
from tui.core.compare import ColumnRequest, ComparisonRequest
from tui.core.message import Attachment, Message, Role
from tui.core.parameters import BY_NAME
from tui.errors import ChatsNotOpen, UsageError
from tui.ui.compare.screen import CompareScreen

if TYPE_CHECKING:
    from tui.chat.session import ChatSession
    from tui.servers.connect import Connection
    from tui.ui.app import LokalApp


def start(app: LokalApp, argument: str) -> None:
    """Compare what the argument of `/compare` says. Raises LokalError for what cannot be done."""
    state = app.state
    names = [preset.name for preset in state.presets]
    models = [model.name for model in state.connection.models] if state.connection is not None else []
    _start(
        app,
        compare.parse(argument, names, state.preset.name, models),
        f"/compare {argument}",
        compare.EXAMPLE,
    )


def start_ladder(app: LokalApp, argument: str) -> None:
    """The same for `/ladder`: one question at several values of a parameter."""
    from tui.core import ladder

    state = app.state
    wanted = ladder.parse(argument, state.preset.name, state.values().get("seed"))
    (name, _), *_ = wanted.columns[0].values
    if state.connection is not None and (why := taken(BY_NAME[name], state)).startswith(
        ("not sent", "used when")
    ):
        raise UsageError(f"{name} cannot be tried here", why, "/advise and F4 say what this server takes")
    _start(app, wanted, f"/ladder {argument}", ladder.EXAMPLE)


def _start(app: LokalApp, wanted: ComparisonRequest, command: str, example: str) -> None:
    chat, state = app.chat, app.state
    connection, session = state.connection, chat.session
    if session is None:
        raise ChatsNotOpen()
    if chat.controller.chat.busy:
        raise UsageError("An answer is coming in", "", f"{state.key('answer.stop')} stops it")
    if connection is None and not all(column.server for column in wanted.columns):
        raise UsageError("There is no server to ask", "", f"{state.key('server.search')} looks for one")
    for column in wanted.columns:
        app.services.connections.look_up(column.server)
    draft = "" if wanted.prompt or chat.composer.plain.startswith("/") else chat.composer.plain.strip()
    prompt = wanted.prompt or draft
    last = session.conversation.last_of(Role.USER)
    attached: tuple[Attachment, ...] = ()
    if prompt:
        if connection is not None:
            _look_at(chat.controller.outbox.attached, wanted.columns, state.model, connection)
        attached = chat.controller.outbox.attached
        chat.controller.outbox.attach(())
    elif last is None:
        raise UsageError("There is no question yet", "", example)
    written = chat.composer.marked if draft else command
    if draft:
        chat.post_message(chat.PromptRecorded(written))
        chat.composer.remember(written)
        chat.composer.fill("")

    def go() -> None:
        question, durable = last, None
        if prompt:
            question, durable = session.ask(prompt, time.time(), attached)
        if question is not None:
            _compare(app, session, question, wanted.columns, durable, spares=held.spares)

    def back() -> None:
        if draft:
            chat.controller.return_prompt(written, attached)
        elif prompt:
            chat.composer.prepend(written)
            chat.controller.outbox.attach(attached + chat.controller.outbox.attached)

    path = _path(session, last, prompt, attached)
    held = PendingComparison(
        path,
        state,
        go,
        back,
        unasked=bool(prompt),
        marked=written,
        attachments=attached,
        command=not draft,
        states=[state_for(state, column) for column in wanted.columns if not column.server],
        others=any(column.server for column in wanted.columns),
    )
    # A server of its own is connected to only when the comparison runs: its column says then if it does not fit.
    chat.controller.gate.hold(held)


def _path(
    session: ChatSession, last: Message | None, prompt: str, attached: tuple[Attachment, ...]
) -> tuple[Message, ...]:
    """The branch down to the question, which is not in the chat yet if there is a `prompt`."""
    if prompt:
        leaf = session.conversation.leaf
        parent = leaf.id if leaf is not None else None
        question = Message("", parent, Role.USER, prompt, time.time(), attachments=attached)
        return (*session.conversation.path(), question)
    return session.conversation.path_to(last.id) if last is not None else ()


def _compare(
    app: LokalApp,
    session: ChatSession,
    question: Message,
    columns: Sequence[ColumnRequest],
    durable: Future[bool] | None,
    *,
    spares: bool,
) -> None:
    state, connect = app.state, app.services.connections.connect_beside
    comparison = Comparison(session, question, state, connect, lambda: app.pace.interval_s(), spares=spares)
    for column in columns:
        comparison.add(column)
    _show(app, comparison, durable)


def _look_at(
    files: Sequence[Attachment], columns: Sequence[ColumnRequest], model: str, connection: Connection
) -> None:
    """Raise the LokalError that one of the models cannot take what is attached."""
    for column in columns:
        problem = None if column.server else refusal(files, column.model or model, connection.models)
        if problem is not None:
            raise problem


def _show(app: LokalApp, comparison: Comparison, durable: Future[bool] | None) -> None:
    def back(kept: ComparisonColumn | None) -> None:
        _end(app, comparison, kept)

    app.comparison = comparison
    app.open_tab("chat")
    app.push_screen(CompareScreen(comparison, app.state.keys, lambda: app.pace), back)
    comparison.start(app.chat.tasks, durable)


def _end(app: LokalApp, comparison: Comparison, kept: ComparisonColumn | None) -> None:
    """Back in the chat, with the branch that was chosen."""
    app.comparison = None
    comparison.on_news = lambda: None
    comparison.stop()
    comparison.settle(kept)
    chat = app.chat
    chat.tasks.start(comparison.close, "compare-end")
    chat.show_branch()
    chat.transcript.follow()
    if app.state.window is None:
        app.services.connections.read_window(app.state)
    app.show_notice(_what_stays(comparison, kept))


def _what_stays(comparison: Comparison, kept: ComparisonColumn | None) -> str:
    """What became of the answers, in words."""
    others = sum(not column.empty for column in comparison.columns if column is not kept)
    if kept is not None and not kept.empty:
        stay = "the other answer stays" if others == 1 else f"the {others} other answers stay"
        return f"Kept; {stay} beside it" if others else "Kept"
    if others > 1:
        return "All answers stay, beside each other"
    return "The one answer stays" if others else "There was no answer"
