"""`/schema`: what the answers of the open chat are held to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from textual.message import Message as UiMessage

from tui import files
from tui.chat.structured_output import ignored_by, state_of
from tui.core.schema import ANY_JSON, Schema
from tui.errors import ChatsNotOpen, LokalError, UsageError
from tui.ui.messages import NotDone
from tui.ui.work import begin

if TYPE_CHECKING:
    from tui.chat.session import ChatSession
    from tui.ui.chat.view import ChatView


@dataclass(eq=False, repr=False)
class SchemaRead(UiMessage):
    """The schema for a chat was read from its file."""

    session: ChatSession
    schema: Schema


class SchemaCommand:
    """Says what holds, and changes it; a file that cannot be used changes nothing."""

    def __init__(self, talk: ChatView) -> None:
        self._talk = talk

    def command(self, argument: str) -> None:
        """`json`, a file, `off`, or nothing to hear what holds. Raises UsageError."""
        talk, session, name = self._talk, self._talk.session, argument.strip()
        if session is None:
            raise ChatsNotOpen()
        if name and (held := talk.controller.why_held):
            raise UsageError(held)  # what is held was measured with the one that it has
        if name:  # a file that is still being read counts no more
            talk.workers.cancel_group(talk, "schema")
        if not name:
            talk.show_notice(state_of(session.schema, ignored_by(talk.state.connection)))
        elif name == "off":
            self.hold(session, None)
        elif name == ANY_JSON.name:
            self.hold(session, ANY_JSON)
        else:
            path = name[1:-1] if name[0] in "\"'" and name[-1:] == name[0] else name
            begin(talk, partial(self._read, session, name, path), "schema", exclusive=True)

    def hold(self, session: ChatSession, schema: Schema | None) -> None:
        """From the next answer on; a running one keeps its own."""
        talk, ignored = self._talk, ignored_by(self._talk.state.connection)
        session.schema = schema
        talk.show_notice(state_of(schema, ignored), "warning" if schema is not None and ignored else "accent")
        talk.post_message(talk.Changed())

    def warn_if_ignored(self) -> None:
        """Another server is asked from now on, or another chat is open: say so if what holds in it is ignored."""
        talk, session = self._talk, self._talk.session
        ignored = ignored_by(talk.state.connection)
        if session is not None and session.schema is not None and ignored:
            talk.show_notice(state_of(session.schema, ignored), "warning")

    async def _read(self, session: ChatSession, name: str, path: str) -> None:
        from tui.config.schema_file import schema_named

        try:
            schema = await files.in_thread(partial(schema_named, path))
        except LokalError as error:
            self._talk.app.post_message(NotDone(error, f"/schema {name}"))
        else:
            self._talk.post_message(SchemaRead(session, schema))
