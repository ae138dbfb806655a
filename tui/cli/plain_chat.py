"""One chat in lines: the front end of a `ChatController` without a screen.

It shows what the controller says as lines, and hands it the lines that are typed. The commands are in
`tui.cli.plain_commands`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from tui.chat import connections, events, overflow
from tui.chat.connections import ConnectionEvent, ServerConnections
from tui.chat.controller import ChatController
from tui.chat.decision import Decision, DecisionOption
from tui.chat.engine_threads import EngineThreadsChanged
from tui.chat.guide_question import GuideQuestion
from tui.chat.session import ChatSession
from tui.chat.state import ClientState, ConnectionStatus
from tui.chat.tasks import TaskRunner, Work
from tui.chat.warm_chats import ChatReused
from tui.chat.wording import ending_words
from tui.cli.plain_answer import AnswerLines, speaker
from tui.cli.plain_output import PlainOutput
from tui.core.attaching import in_line, under
from tui.core.commands import BY_ID
from tui.core.message import Message, Role, Status
from tui.core.paste_folds import plain
from tui.core.presets import Preset
from tui.core.text import count_of, human_tokens, safe_block, safe_line, safe_name
from tui.errors import ChatGone, Interrupted, LokalError, UsageError
from tui.paths import with_tilde

INTERVAL_S = 0.1
"""How often an answer that comes in is written on, at most."""
SHOWN_EXCHANGES = 1
"""How many questions with their answers are shown of a chat that is opened again."""
WAY_OUT = "Ctrl+D or /quit leaves lokal"

_WORDS = {"answer.stop": "Ctrl+C", "send": "Enter"}
"""How a command is given where it has no slash."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A numbered question: what is done for each number."""

    takes: Sequence[Callable[[], object]]


class PlainChat:
    """One a run. `failed` is how the last thing went that was asked for; None = well."""

    def __init__(
        self,
        state: ClientState,
        output: PlainOutput,
        tasks: TaskRunner,
        on_recorded: Callable[[str], None],
        *,
        listens: bool,
    ) -> None:
        """`on_recorded` keeps a prompt in the history; `listens` = there is a person who can be asked."""
        self.output = output
        self.tasks = tasks
        self.listens = listens
        self.answer_lines = AnswerLines(output)
        self.failed: LokalError | None = None
        self.on_preset: Callable[[Preset], None] = lambda _preset: None
        """Writes a preset to its file."""
        self.at_hand = ""
        """A text that was not sent, in marked form: an empty line sends it."""
        self._decision: Choice | None = None
        self._list: Choice | None = None
        self.quiet = asyncio.Event()
        """Set while nothing is being done."""
        self.loop = asyncio.get_running_loop()
        self._on_recorded = on_recorded
        self._connections: ServerConnections | None = None
        self._guide_question: GuideQuestion | None = None
        self._said_loading = False
        self._view_after: str | None = None
        self._attached = 0
        self._held = False
        self._asides = 0  # what is being done beside the chat
        self._awaits_server = False
        self.begun = ""
        """The lines of a prompt that goes on in the next line."""
        self.controller = ChatController(state, self, tasks, lambda: INTERVAL_S, keeps_drafts=listens)

    # -- what is so now ---------------------------------------------------------------------------------------------

    @property
    def state(self) -> ClientState:
        """What the next prompt is asked with."""
        return self.controller.chat.state

    @property
    def session(self) -> ChatSession | None:
        """The open chat; None until the store is open."""
        return self.controller.session

    @property
    def connections(self) -> ServerConnections:
        """Who finds servers."""
        assert self._connections is not None
        return self._connections

    def use_connections(self, service: ServerConnections) -> None:
        """Let that service find servers."""
        self._connections = service
        self._guide_question = GuideQuestion(service, self.tasks, self.post, lambda: self.controller)
        self.controller.keep_warm(service.engines.warm_chats)
        self.controller.on_answer = service.note_answer

    def use(self, state: ClientState) -> None:
        """Another server, model, preset or value."""
        self.controller.use(state)
        self._rest()

    @property
    def prompt(self) -> str:
        """What stands before the line that is to be typed."""
        if self.choice is not None:
            return "number> "
        return "...> " if self.begun else "you> "

    @property
    def choice(self) -> Choice | None:
        """The numbered question that the next line answers: that of a list which was asked for, else what is to be done about
        a prompt that does not fit."""
        return self._list or self._decision

    @property
    def has_list(self) -> bool:
        """Whether that is the question of a list."""
        return self._list is not None

    def leave_list(self) -> None:
        """The list that was asked for is done with."""
        self._list = None

    # -- a front end ------------------------------------------------------------------------------------------------

    def post(self, call: Callable[[], None], key: object = None) -> None:
        """Do what a task of the controller wants, after what was posted before."""

        def step() -> None:
            call()
            self._rest()

        asyncio.get_running_loop().call_soon(step)

    def command_hint(self, command_id: str) -> str:
        """The slash command, or the key of the terminal."""
        slash = BY_ID[command_id].slash
        return _WORDS.get(command_id) or (f"/{slash}" if slash else "")

    def unsent_text(self) -> str:
        """What was not sent, in marked form."""
        return "\n\n".join(filter(None, (self.at_hand, self.begun)))

    def begun_edits(self) -> tuple[tuple[str, str], ...]:
        """None: messages are edited on the screen only."""
        return ()

    def hear(self, event: events.ChatEvent) -> None:
        """Say what the controller says."""
        match event:
            case events.Notice(text, tone):
                self.tell(text, tone)
            case events.SessionLeft():
                self.at_hand = ""
            case events.SessionOpened(session):
                self._show_session(session)
            case events.BranchChanged():
                self._show_view()
            case events.AnswerStarted():
                self.quiet.clear()
                self.answer_lines.start()
            case events.AnswerAdvanced(stream):
                self.answer_lines.advance(stream)
            case events.AnswerFinished(stream, message):
                self._finish(message, stream.generation.error)
            case events.DecisionNeeded(decision):
                self._ask(decision)
            case events.PromptReturned(marked):
                self._take_back(marked)
            case events.PromptRecorded(marked):
                self._on_recorded(marked)
            case events.QueueChanged():
                self._show_outbox()
            case events.DraftLoaded(draft):
                self._keep_at_hand(draft.text)
            case events.FilesNotRead(_, problem, _):
                self.fail(problem)
            case events.ServerWanted():
                self.connections.find(self.state)
            case events.GuideWanted():
                self.output.say("No server: the guide answers. It knows only lokal and local models")
                self.connections.start_guide()
            case events.WindowWanted(tokens):
                self._enlarge_window(tokens)
            case events.SettingsWanted(settings):
                self.use(self.state.with_settings(settings))
            case events.PresetSaveWanted(preset):
                self.use(self.state.with_settings(self.state.settings.with_edited(preset)))
                self.on_preset(preset)
            case _:  # what only a screen shows
                pass

    def _rest(self) -> None:
        """See whether there is still something being done."""
        state, busy = self.state, self.controller.chat.busy
        waits = state.status in (ConnectionStatus.SEARCHING, ConnectionStatus.STARTING)
        waiting = len(self.controller.outbox.queue) and not self.controller.outbox.queue.held
        if busy or waits or waiting or self._asides or self._awaits_server or self.session is None:
            self.quiet.clear()
        else:
            self.quiet.set()
        asyncio.get_running_loop().call_soon(self._prompt)

    def _prompt(self) -> None:
        if self.listens and (self.quiet.is_set() or self.choice is not None):
            self.output.prompt(self.prompt)

    def run_aside(self, work: Work) -> None:
        """Do what takes its time and is no answer; what goes wrong is said."""

        async def guarded() -> None:
            try:
                await work()
            except LokalError as error:
                self.fail(error)
            finally:
                self._asides -= 1
                self._rest()

        self._asides += 1
        self.tasks.start(guarded, "aside")
        self._rest()

    def read_files(self, argument: str) -> None:
        """Attach the files that are named."""

        def read(problem: LokalError | None) -> None:
            self._asides -= 1
            if problem is not None:
                self.fail(problem)

        self._asides += 1
        self.controller.outbox.read_files(argument, read)

    def ask_guide(self, question: str) -> None:
        """Ask the guide this once, whatever else answers."""
        assert self._guide_question is not None

        def asked(problem: LokalError | None) -> None:
            self._asides -= 1
            if problem is not None:
                self.fail(problem)
                self._take_back(f"/guide {question}")

        self._asides += 1
        self._guide_question.ask(question, asked)

    def wait_for_server(self, *, leaves: bool = True) -> None:
        """Another server is on its way; with `leaves` the one that there is answers no more."""
        self._awaits_server = True
        if leaves or self.state.connection is None:
            server = replace(
                self.state.server, status=ConnectionStatus.STARTING, problem=None, starting=None, loads=""
            )
            self.use(self.state.with_server(server))

    # -- what is said -----------------------------------------------------------------------------------------------

    def tell(self, text: str, tone: str = "muted") -> None:
        """Say something: what went wrong on standard error, all else as a line of the conversation."""
        text = safe_line(with_tilde(text), 1000)
        if tone in ("warning", "error"):
            self.output.say(text)
        else:
            self.output.line(text)

    def fail_to_write(self, error: LokalError) -> None:
        """Say what could not be written; a chat that was deleted in another lokal goes on as a new one."""
        session = self.session
        if isinstance(error, ChatGone) and session is not None and error.chat_id == session.conversation.id:
            session.move(time.time())
            self.controller.moved()
            self.tell("This chat was deleted in another lokal; it goes on here as a new chat", "warning")
        elif not isinstance(error, ChatGone):
            self.fail(error)

    def fail(self, error: LokalError) -> None:
        """Say what could not be done."""
        self.failed = error
        self.output.say(safe_block(str(error)))

    def show(self, text: str) -> None:
        """Lines that somebody asked for."""
        self.output.line(safe_block(text).rstrip())

    def ask_for_number(self, takes: Sequence[Callable[[], object]], words: str) -> None:
        """Let the next line be a number; where nobody can be asked, only the lines before were of use."""
        if self.listens and takes:
            self._list = Choice(takes)
            self.output.line(words)

    def _take_back(self, marked: str) -> None:
        """A prompt was not sent."""
        if not self.listens and self.failed is None:
            self.failed = UsageError("The question was not sent")
        self._keep_at_hand(marked)

    def _keep_at_hand(self, marked: str) -> None:
        parts = [part for part in (marked, self.at_hand) if part.strip()]
        self.at_hand = "\n\n".join(dict.fromkeys(parts))
        if self.listens and marked.strip():
            shown = safe_line(plain(self.at_hand), 200)
            self.output.say(f"Not sent: “{shown}”. An empty line sends it")

    def _show_outbox(self) -> None:
        attached = self.controller.outbox.attached
        if len(attached) > self._attached:
            self.output.line(f"Goes with the next question: {in_line(attached)}")
        self._attached = len(attached)
        queue = self.controller.outbox.queue
        if queue.held and not self._held and self.listens:
            them = "it" if len(queue) == 1 else "them"
            self.output.say(f"{count_of(len(queue), 'question')} waiting; an empty line asks {them}")
        self._held = queue.held

    # -- the chat ---------------------------------------------------------------------------------------------------

    def _show_session(self, session: ChatSession) -> None:
        chat = session.conversation
        self._view_after = chat.view.after
        path = chat.path()
        if not path:
            return
        questions = [at for at, message in enumerate(path) if message.role is Role.USER]
        start = questions[-SHOWN_EXCHANGES] if len(questions) >= SHOWN_EXCHANGES else 0
        self.output.line(f"Chat “{safe_name(chat.title, 80)}”, {len(path)} messages")
        if start:
            self.output.line("The last question and what came of it:")
        for message in path[start:]:
            self.show_message(message)

    def show_message(self, message: Message) -> None:
        """A message that is there already."""
        if message.role is Role.USER:
            self.show(f"you> {under(message.content, message.attachments)}")
            return
        self.output.heading(speaker(message))
        self.show(message.content)
        self._say_ending(message)

    def _show_view(self) -> None:
        session = self.session
        if session is None or session.conversation.view.after == self._view_after:
            return
        view = session.conversation.view
        self._view_after = view.after
        self.output.line(
            "The model no longer sees the oldest messages" + (", only this summary:" if view.summary else "")
        )
        if view.summary:
            self.show(view.summary)

    # -- answers ----------------------------------------------------------------------------------------------------

    def _finish(self, message: Message, error: LokalError | None) -> None:
        self.answer_lines.finish()
        if message.status is not Status.COMPLETE:
            self.failed = error or Interrupted("The answer was stopped")
        self._say_ending(message)
        if self.state.window is None:
            self.connections.read_window(self.state)  # many servers know it only once the model is loaded
        if self._guide_question is not None:
            self._guide_question.end()
        self._rest()

    def _say_ending(self, message: Message) -> None:
        words = ending_words(message, self.command_hint("answer.retry"), self.command_hint("answer.continue"))
        if words:
            self.output.say(safe_block(words))

    # -- a question that does not fit -------------------------------------------------------------------------------

    def _ask(self, decision: Decision | None) -> None:
        self._decision = None
        if decision is None:
            return
        self._list = None
        if self.controller.chat.doing:  # a summary is being written
            self.output.say(f"{decision.title}; {self.command_hint(overflow.STOP)} stops it")
            return
        lines = [decision.title, *decision.detail.splitlines()]
        takes: list[Callable[[], object]] = []
        for option in decision.options:
            if option.why_not:
                lines.append(f"   not possible: {option.why_not}")
            else:
                takes.append(partial(self._decide, option))
                lines.append(f"{len(takes)}. {option.text}")
        if self.listens:
            self.output.line(safe_block("\n".join(lines)))
            self._decision = Choice(takes)
            self.output.line(f"Which number, 1 to {len(takes)}?")
        else:
            self.fail(LokalError(decision.title, decision.detail, "It was not asked"))
            asyncio.get_running_loop().call_soon(self.controller.stop)

    def _decide(self, option: DecisionOption) -> None:
        self._decision = None
        if option.command_id == overflow.STOP:
            self.controller.stop_or_choose()
        elif option.command_id == "advise":
            self.controller.advice.run(option.argument)
        else:
            self.controller.gate.decide(option.command_id)

    def _enlarge_window(self, tokens: int) -> None:
        self.output.line(f"A window of {human_tokens(tokens)} for this run: reloads the model")
        self.use(self.state.with_window(tokens))
        if self.state.settings.overrides_before is not None:
            self.connections.restart_engine(self.state)

    # -- servers ----------------------------------------------------------------------------------------------------

    def hear_of_server(self, event: ConnectionEvent) -> None:
        """Say what is new of servers, and let the chat go on with it."""
        before = self.state
        if isinstance(event, connections.ServerConnected | connections.ServerNotFound):
            self._awaits_server = False
        if isinstance(event, connections.ServerNotFound) and not self.listens:
            event = replace(event, searched=False)  # the guide knows nothing of what a script asks
        match event:
            case connections.ServerConnected(connection, model):
                name = safe_name(model, 80) or "no model"
                place = "the guide, which knows only lokal" if connection.guide else connection.place
                self.output.say(place if connection.guide else f"{place}, {name}")
            case connections.ServerNotFound(problem):
                self.fail(problem)
                if before.settings.overrides_before is not None:
                    self.output.say("The larger window did not work; the next start is as before")
                elif event.kept and before.connection is not None:
                    self.output.say(f"{before.connection.place} stays connected")
            case connections.ServerLoading(who, progress):
                if who:
                    self.output.say(f"{who} is loading its model; lokal waits for it")
                elif before.status is not ConnectionStatus.STARTING or (
                    progress is not None and not self._said_loading
                ):
                    self.output.say("The built-in llama.cpp loads the model")
                    self._said_loading = True
            case connections.ConnectionWarning(text):
                self.tell(text, "warning")
            case ChatReused():
                if event.words:
                    self.output.say(event.words)
            case EngineThreadsChanged():
                self.output.say(event.words)
            case _:
                pass
        self.use(connections.state_after(self.state, event))

    # -- the person -------------------------------------------------------------------------------------------------

    def submit(self, text: str) -> None:
        """Ask what was typed; `text` is in marked form."""
        controller = self.controller
        if text.strip():
            slashed = text.startswith("//")
            controller.submit(text[1:] if slashed else text, text)
        elif controller.unanswered and not controller.outbox.attached:
            self.tell("Nothing is written; /retry answers the question that is there")
        else:
            controller.submit("", "")
        if len(controller.outbox.queue) and text.strip() and self.listens:
            self.output.line("Waits for the answer before it")
        self._rest()

    def touched(self) -> None:
        """What is not sent may have changed: it is written down in a moment."""
        self.controller.touched()
        self._rest()

    def interrupt(self) -> None:
        """Ctrl+C: end what runs, or say how to leave."""
        self.output.interrupted_line()
        if self._list is not None:
            self._list = None
        elif self.controller.stop_or_choose():
            if self.output.drop_answer():
                self.output.say("The rest of what came is in the chat")
        else:
            self.output.line(WAY_OUT)
        self._rest()
