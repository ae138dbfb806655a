"""The Chat tab: transcript, notices, composer. It shows what the chat controller says, and tells it what the person did."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, Horizontal, Vertical
from textual.message import Message as UiMessage
from textual.widgets import TextArea

from tui.chat import events, overflow
from tui.chat.commands import CommandRegistry
from tui.chat.context_meter import ContextMeter
from tui.chat.controller import ChatController
from tui.chat.decision import Decision
from tui.chat.reasons import why_not_continue, why_not_retry, why_not_stop
from tui.chat.session import ChatSession
from tui.chat.state import ClientState, ConnectionStatus, ModelSettings
from tui.chat.tasks import TaskRunner
from tui.chat.warm_chats import WarmChats
from tui.core.message import Message
from tui.core.presets import Preset
from tui.core.slash import ParsedCommand
from tui.errors import LokalError
from tui.paths import with_tilde
from tui.ui import keys
from tui.ui.chat.answer_entry import AnswerEntry
from tui.ui.chat.completion import KEYS as COMPLETION_KEYS
from tui.ui.chat.completion import CompletionPopup
from tui.ui.chat.composer import Composer, PromptMark
from tui.ui.chat.decision_prompt import ENTER, TAKE, DecisionPrompt, shown_on
from tui.ui.chat.entries import entries_of, entry_of
from tui.ui.chat.inline_input import InlineInput
from tui.ui.chat.input_preview import InputPreview
from tui.ui.chat.message_cursor import MessageCursor
from tui.ui.chat.prompt_entry import PromptEntry
from tui.ui.chat.prompt_text_area import PromptTextArea, WritingMessage
from tui.ui.chat.schema_command import SchemaCommand, SchemaRead
from tui.ui.chat.summary_entry import SummaryEntry
from tui.ui.chat.welcome import welcome
from tui.ui.look import palette_of
from tui.ui.messages import NotDone, Trouble
from tui.ui.notice_bar import NoticeBar
from tui.ui.start.panel import ways_on
from tui.ui.state import ScreenState
from tui.ui.terminal.pace import Pace
from tui.ui.transcript.view import Transcript


class ChatViewMessage(UiMessage):
    """What the view asks the app for, and tells it."""


class ChatView(Vertical):
    """One open chat on the screen: the front end of a `ChatController`."""

    @dataclass(eq=False, repr=False)
    class Changed(ChatViewMessage):
        """What the status bar shows of the chat has changed."""

    @dataclass(eq=False, repr=False)
    class Finished(ChatViewMessage):
        """An answer has ended, in whatever way."""

    @dataclass(eq=False, repr=False)
    class ServerWanted(ChatViewMessage):
        """There is a prompt but no server: look again."""

    @dataclass(eq=False, repr=False)
    class GuideWanted(ChatViewMessage):
        """There is a prompt but no server, and the guide may answer."""

    @dataclass(eq=False, repr=False)
    class WindowWanted(ChatViewMessage):
        """The person wants a context window of that many tokens for this run; a prompt waits for it."""

        tokens: int

    @dataclass(eq=False, repr=False)
    class SettingsWanted(ChatViewMessage):
        """The person wants these settings for the next prompt."""

        settings: ModelSettings

    @dataclass(eq=False, repr=False)
    class PresetSaveWanted(ChatViewMessage):
        """The preset in use is to be like this, and written to its file."""

        preset: Preset

    @dataclass(eq=False, repr=False)
    class PromptRecorded(ChatViewMessage):
        """A prompt was sent or put in the queue, for the prompt history; `marked` is in marked form."""

        marked: str

    @dataclass(eq=False, repr=False)
    class Commanded(ChatViewMessage):
        """A slash command was typed, as `text` in marked form."""

        typed: ParsedCommand
        text: str

    @dataclass(eq=False, repr=False)
    class OfferRefused(ChatViewMessage):
        """The person does not want what is offered."""

    @dataclass(eq=False, repr=False)
    class Call(UiMessage):
        """A task of the controller wants something done here; of several with the same `key` one will do."""

        call: Callable[[], None]
        key: object = None

        def can_replace(self, message: UiMessage) -> bool:
            return isinstance(message, ChatView.Call) and self.key is not None and message.key is self.key

    def __init__(
        self,
        state: ScreenState,
        pace: Callable[[], Pace],
        registry: CommandRegistry,
        warm_chats: WarmChats | None = None,
    ) -> None:
        """`pace` says how often a frame is worth its bytes; what can be done in the chat is added to the `registry`;
        `warm_chats` is told which chat is open."""
        super().__init__(id="chat")
        self._state = state
        self._pace = pace
        self.tasks = TaskRunner(lambda mistake: self._trouble(mistake))
        self.controller = ChatController(
            state, self, self.tasks, lambda: self._pace().interval_s(), warm_chats
        )
        self.meter = ContextMeter(self.controller.chat, self, self.tasks, lambda: self.composer.plain)
        self.message_cursor = MessageCursor(self, registry)
        """The cursor on the messages, and what is done with them."""
        self.prompt_entry = PromptEntry(self, registry)
        """What is written and sent."""
        self._answer = AnswerEntry(self, pace)
        self._holding = SchemaCommand(self)
        self._summary = SummaryEntry(self)
        self._add_commands(registry)

    def compose(self) -> ComposeResult:
        with Container(id="reading"):
            yield DecisionPrompt("start-choice", self._state.keys, self._writing_place)
            yield Transcript(id="transcript")
            yield CompletionPopup()
        yield NoticeBar()
        yield InputPreview()
        yield DecisionPrompt("choice", self._state.keys, self._writing_place)
        with Horizontal(id="writing"):
            yield PromptMark(id="mark")
            yield Composer(self._state.keys)

    def on_mount(self) -> None:
        """The empty state."""
        self.transcript.set_palette(palette_of(self))
        self.transcript.set_reasoning_key(self._state.key("reasoning.toggle"))
        self.transcript.cursor.set_fold_key(self._state.key("message.fold"))
        self.transcript.input_handler = self.message_cursor
        self._show_welcome()

    def on_unmount(self) -> None:
        """lokal ends."""
        self.meter.close()
        self.tasks.close()

    def on_resize(self) -> None:
        """What is offered has as much room as the messages have."""
        self.call_after_refresh(self.completion.fit)

    # -- parts ------------------------------------------------------------------------------------------------------

    @property
    def transcript(self) -> Transcript:
        """The conversation view."""
        return self.query_one(Transcript)

    @property
    def composer(self) -> Composer:
        """Where the person writes."""
        return self.query_one(Composer)

    @property
    def notice_bar(self) -> NoticeBar:
        """The rule that tells things."""
        return self.query_one(NoticeBar)

    @property
    def completion(self) -> CompletionPopup:
        """What is offered while a slash command is written."""
        return self.query_one(CompletionPopup)

    @property
    def fit_choice(self) -> DecisionPrompt:
        """What is asked about a question that does not fit."""
        return self.query_one("#choice", DecisionPrompt)

    # -- what is so now ---------------------------------------------------------------------------------------------

    @property
    def state(self) -> ScreenState:
        """What the next prompt is asked with, and the keys."""
        return self._state

    @property
    def session(self) -> ChatSession | None:
        """The open chat; None until the store is open."""
        return self.controller.session

    @property
    def choices_key(self) -> str:
        """The command that leads to a list of ways on, or takes one where the list has the focus; empty for no list."""
        if shown_on(self.screen) is None:
            return ""
        return TAKE if isinstance(self.screen.focused, DecisionPrompt) else ENTER

    @property
    def words(self) -> Mapping[str, str]:
        """What keys do now, in a word, by command id: Enter where it does not send what is in the composer, the key that
        asks again where nothing was answered yet. Empty for what they do elsewhere."""
        enter = self.message_cursor.edits.enter or ("take" if self.composer.searching else "")
        chat = self.controller.chat
        asked = "do not ask" if chat.choosing and not chat.doing else ""
        return {
            "send": enter,
            "answer.retry": "answer" if self.controller.unanswered else "",
            "answer.stop": "back" if self.controller.advice.is_open else asked,
        }

    @property
    def answerable(self) -> str:
        """The command that gets the end of the chat answered; empty where there is nothing to answer."""
        if self.controller.chat.can_continue:
            return "answer.continue"
        return "answer.retry" if self.controller.unanswered else ""

    @property
    def useful(self) -> tuple[str, ...]:
        """The ids of the commands that make sense now, for the status bar."""
        chat = self.controller.chat
        return self.message_cursor.useful or keys.useful_in_chat(
            self._state,
            answering=bool(chat.doing),
            answerable=self.answerable,
            choices=self.choices_key,
            held=bool(chat.choosing) or self.controller.advice.is_open,
        )

    @property
    def written(self) -> str:
        """What is in the composer, or on the inline input while that lies over it."""
        return (self.query_one(InlineInput) if self.message_cursor.edits.is_open else self.composer).text

    # -- a front end ------------------------------------------------------------------------------------------------

    def post(self, call: Callable[[], None], key: object = None) -> None:
        """Do what a task of the controller wants, after what was posted before."""
        self.post_message(self.Call(call, key))

    @on(Call)
    def _do_call(self, event: Call) -> None:
        event.stop()
        event.call()

    def _trouble(self, problem: LokalError) -> None:
        self.app.post_message(Trouble(problem))

    def command_hint(self, command_id: str) -> str:
        """The key of a command."""
        return self._state.key(command_id)

    def unsent_text(self) -> str:
        """What is in the composer, in marked form."""
        return self.composer.draft

    def begun_edits(self) -> tuple[tuple[str, str], ...]:
        """The edits of messages of the open chat that were begun."""
        return () if self.session is None else self.message_cursor.edits.begun_in(self.session.conversation)

    def hear(self, event: events.ChatEvent) -> None:
        """Show what the controller says."""
        match event:
            case events.StateChanged():
                self.post_message(self.Changed())
            case events.Notice(text, tone):
                self.show_notice(text, tone)
            case events.SessionLeft():
                self.composer.begin_anew()
            case events.SessionOpened(session):
                self.meter.forget()
                self.transcript.show(entries_of(session.conversation, self._state.key))
                self._show_welcome()
            case events.BranchChanged():
                self.show_branch()
            case events.QuestionAsked(question):
                if self.session is not None:
                    self.transcript.add(entry_of(question, self.session.conversation, self._state.key))
                    self._show_welcome()
            case events.AnswerRequested():
                self.transcript.follow()
            case events.AnswerStarted(stream):
                self._answer.start(stream)
            case events.AnswerAdvanced(stream):
                self._answer.advance(stream)
            case events.AnswerFinished(_, message):
                self._answer.finish(message)
            case events.DecisionNeeded(decision):
                self._show_decision(decision)
            case events.SummaryStarted(run):
                self._summary.start(run)
            case events.SummaryAdvanced(run):
                self._summary.advance(run)
            case events.PromptReturned(marked):
                self.composer.end_search(take=False)
                self.composer.prepend(marked)
            case events.PromptRecorded(marked):
                self.composer.remember(marked)
                self.notice_bar.clear_notice()
                self.notice_bar.unpin()
                self.post_message(self.PromptRecorded(marked))
            case events.QueueChanged():
                self.prompt_entry.show_preview()
            case events.DraftLoaded(draft):
                if draft.text and draft.text != self.composer.marked:
                    self.composer.end_search(take=False)
                    self.composer.prepend(draft.text)
                self.message_cursor.edits.load(draft.edits)
            case events.FilesNotRead(argument, problem, here):
                self.app.post_message(NotDone(problem, f"/attach {argument}" if here else ""))
            case events.ServerWanted():
                self.post_message(self.ServerWanted())
            case events.GuideWanted():
                self.post_message(self.GuideWanted())
            case events.WindowWanted(tokens):
                self.post_message(self.WindowWanted(tokens))
            case events.SettingsWanted(settings):
                self.post_message(self.SettingsWanted(settings))
            case events.PresetSaveWanted(preset):
                self.post_message(self.PresetSaveWanted(preset))

    # -- the transcript ---------------------------------------------------------------------------------------------

    def show_branch(self) -> None:
        """The open branch is another one, or has other messages: show what it is now, where it differs."""
        if self.session is not None:
            self.transcript.show_changes(entries_of(self.session.conversation, self._state.key))
            self.post_message(self.Changed())

    def toggle_reasoning(self) -> None:
        """Fold or unfold it in all messages; where there is none, say what holds for those that come."""
        shown = self.transcript.toggle_reasoning()
        path = self.session.conversation.path() if self.session is not None else ()
        if not any(self.controller.chat.whole(message).reasoning for message in path):
            come = "is shown as it comes" if shown else "stays folded"
            self.show_notice(f"There is no reasoning in this chat yet; what comes {come}")

    # -- the chat ---------------------------------------------------------------------------------------------------

    def set_state(self, state: ScreenState) -> None:
        """Take the new state."""
        before, self._state = self._state, state
        if not self.is_mounted:
            self.controller.chat.state = state
            return
        self.controller.use(state)
        if state != before:
            self._show_welcome()
        connection = state.connection
        if connection is not None and (
            before.connection is None or connection.server is not before.connection.server
        ):
            self._holding.warn_if_ignored()

    def open(self, session: ChatSession) -> None:
        """Show a chat, at its end; what was asked before the chats were open is asked in it."""
        self.message_cursor.end()
        if self.session is not None and self.session is not session:
            self.composer.end_search(take=False)
        self.controller.open(session)
        self._holding.warn_if_ignored()

    def leave(self, *, closed: bool) -> None:
        """lokal ends: keep what came of a running answer, and what is written."""
        self.composer.end_search(take=False)
        self.controller.leave(closed=closed)

    def retry(self) -> None:
        """Ask the last question again. What was said of the answers that there were does not stand beside the one that
        comes in."""
        self.notice_bar.clear_notice()
        self.controller.retry()

    def answer_again(self, blank: Message, state: ClientState | None = None) -> None:
        """Ask for another answer, with another state than the next prompt's if one is given."""
        self.notice_bar.clear_notice()
        self.controller.answer_again(blank, state)

    def continue_answer(self, message: Message | None = None) -> None:
        """Go on where an answer ended: the last one, or `message`."""
        self.notice_bar.clear_notice()
        self.controller.continue_answer(message)

    def _add_commands(self, registry: CommandRegistry) -> None:
        controller = self.controller
        for id in (overflow.DROP, overflow.SUMMARY, overflow.WINDOW, overflow.ANYWAY, overflow.CANCEL):
            registry.add(id, partial(self._decide, id))
        registry.add("schema", self._holding.command)
        registry.add("prompt", self._show_prompt)
        registry.add("advise", self._advise)
        registry.add("answer.stop", lambda _: self._stop(), partial(why_not_stop, controller))
        registry.add("answer.retry", lambda _: self.retry(), partial(why_not_retry, controller))
        registry.add(
            "answer.continue", lambda _: self.continue_answer(), partial(why_not_continue, controller)
        )
        registry.add("reasoning.toggle", lambda _: self.toggle_reasoning())
        registry.add("scroll.page_up", lambda _: self.transcript.page_up())
        registry.add("scroll.page_down", lambda _: self.transcript.page_down())
        registry.add("scroll.start", lambda _: self.transcript.to_start())
        registry.add("scroll.end", lambda _: self.transcript.follow())

    def _decide(self, option_id: str, _: str = "") -> None:
        self.controller.gate.decide(option_id)

    def _show_prompt(self, argument: str) -> None:
        from tui.ui.chat.prompt_page import show

        show(self, None, argument or self.composer.plain)

    def _advise(self, argument: str) -> None:
        self.controller.advice.run(argument)
        if self.controller.advice.is_open:
            self.fit_choice.focus()

    def _stop(self) -> None:
        """The key that stops an answer: it ends the first of these that there is."""
        _ = (
            self.composer.end_search(take=False)
            or self.composer.give_up_command()
            or self.controller.stop_or_choose()
            or self.leave_choice()
            or self.message_cursor.escape()
            or self.transcript.clear_highlight()
            or self.notice_bar.unpin()
            or (self.notice_bar.offers and self.post_message(self.OfferRefused()))
        )

    def takes(self, key: str) -> bool:
        """Whether a key means something here that goes before what it means to the app."""
        return self.completion.is_open and key in COMPLETION_KEYS

    def handle_escape(self) -> bool:
        """The key that stops an answer: where it is also the one that leaves the messages or the inline input, these come first.
        False = there was nothing to leave, or it only stops."""
        own = self._state.keys
        if not self.controller.chat.busy and self.controller.advice.close():
            self.leave_choice()
            return True
        leaves = self.message_cursor.edits.is_open or own.get("messages.leave") == own.get("answer.stop")
        return leaves and self.message_cursor.escape()

    # -- writing ----------------------------------------------------------------------------------------------------

    @on(WritingMessage)
    def _hear_writing(self, event: WritingMessage) -> None:
        event.stop()
        self.prompt_entry.hear(event)

    @on(TextArea.Changed)
    def _text_changed(self, event: TextArea.Changed) -> None:
        """A key, a paste, a text that was brought back: a notice about what was written goes with it."""
        event.stop()
        self.notice_bar.written(event.text_area.text)
        for choice in self.query(DecisionPrompt):
            choice.written(self.written)
        self.controller.touched()
        if isinstance(event.text_area, Composer):
            self.meter.draft_changed()

    @on(SchemaRead)
    def _hold_to_schema(self, event: SchemaRead) -> None:
        """The file that /schema named is a schema."""
        event.stop()
        self._holding.hold(event.session, event.schema)

    # -- what is said and asked -------------------------------------------------------------------------------------

    def show_notice(self, text: str, tone: str = "muted") -> None:
        """Say something on the rule above the composer, in the place of what was said last."""
        self.app.clear_notifications()
        self.notice_bar.show_notice(with_tilde(text), tone)

    def show_notice_about_text(self, error: LokalError) -> None:
        """Say what is wrong with what is written; it goes when that is changed."""
        self.show_notice(str(error), "warning")
        self.notice_bar.tie_to(self.written)

    def _show_decision(self, decision: Decision | None) -> None:
        """Ask the person; None = there is nothing to ask any more. Who is writing goes on writing."""
        if decision is not None:
            self.message_cursor.stand_aside()
            if isinstance(self.screen.focused, Transcript):
                self.screen.set_focus(self._writing_place())
        self.fit_choice.show(decision)
        self._show_welcome()

    @on(DecisionPrompt.Focused)
    def _choice_has_keys(self, event: DecisionPrompt.Focused) -> None:
        event.stop()
        self.post_message(self.Changed())

    def leave_choice(self) -> bool:
        """From a list of ways on of the chat back to writing; False = none has the focus."""
        choice = self.screen.focused
        if not isinstance(choice, DecisionPrompt) or self not in choice.ancestors:
            return False
        self.screen.set_focus(self._writing_place())
        return True

    def _writing_place(self) -> PromptTextArea:
        slips = [slip for slip in self.query(InlineInput) if slip.display]
        return slips[0] if slips else self.composer

    @on(Transcript.FollowChanged)
    def _follow_changed(self, event: Transcript.FollowChanged) -> None:
        """The reader scrolled up, or is back at the end."""
        event.stop()
        self.show_position()

    def show_position(self) -> None:
        """Say on the rule where the cursor or the reader is."""
        key, transcript = self._state.key("scroll.end"), self.transcript
        if walking := self.message_cursor.label:
            self.notice_bar.set_label(walking, whole=self.message_cursor.edits.is_open)
        elif transcript.following:
            self.notice_bar.set_label("")
        elif transcript.new_lines:
            lines = "line" if transcript.new_lines == 1 else "lines"
            self.notice_bar.set_label(f"{transcript.new_lines} new {lines} below · {key}")
        else:
            self.notice_bar.set_label(f"scrolled up · {key} to the end")

    def _show_welcome(self) -> None:
        empty = self.session is None or not len(self.session.conversation)
        state = self._state
        none = state.status is ConnectionStatus.NONE or (
            state.connection is not None and state.connection.packaged
        )
        alone = none and empty and self.fit_choice.dilemma is None
        self.query_one("#start-choice", DecisionPrompt).show(ways_on(state) if alone else None)
        self.transcript.set_empty(lambda width: welcome(state, width))
