"""The Chat tab: transcript, rule, composer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, Horizontal
from textual.message import Message as UiMessage
from textual.widgets import TextArea

from tui.chat.decision import Decision
from tui.chat.session import ChatSession
from tui.chat.state import ClientState, ConnectionStatus
from tui.core.message import Message, Role
from tui.core.slash import Typed, Vocabulary, parse
from tui.errors import LokalError, UsageError
from tui.paths import with_tilde
from tui.ui.chat.chips import ChipArea
from tui.ui.chat.completion import KEYS as COMPLETION_KEYS
from tui.ui.chat.completion import CompletionPopup
from tui.ui.chat.composer import Composer, PromptMark
from tui.ui.chat.decision_prompt import ENTER, TAKE, DecisionPrompt, shown_on
from tui.ui.chat.holding import Holding, SchemaRead
from tui.ui.chat.shelf import Shelf
from tui.ui.chat.slip import Slip
from tui.ui.chat.talk import Order
from tui.ui.chat.walk import Walk
from tui.ui.chat.welcome import welcome
from tui.ui.chat.writing import Writing
from tui.ui.divider import Divider
from tui.ui.look import palette_of
from tui.ui.start.panel import ways_on
from tui.ui.state import ScreenState
from tui.ui.terminal.link import Pace
from tui.ui.transcript.view import Transcript
from tui.ui.transcript.walked import WalkedTranscript


class ChatPane(Writing):
    """One open chat on the screen."""

    class Commanded(UiMessage):
        """A slash command was typed, as `text` in marked form."""

        def __init__(self, typed: Typed, text: str) -> None:
            super().__init__()
            self.typed = typed
            self.text = text

    @dataclass
    class OfferRefused(UiMessage):
        """The person does not want what is offered."""

    def __init__(self, state: ScreenState, pace: Callable[[], Pace]) -> None:
        super().__init__(state, pace)
        self._holding = Holding(self)
        self.walk = Walk(self)
        """The cursor on the messages, and what is done with them."""

    def compose(self) -> ComposeResult:
        with Container(id="reading"):
            yield DecisionPrompt("start-choice", self._state.keys, self._writing_place)
            yield WalkedTranscript(id="transcript")
            yield CompletionPopup()
        yield Divider()
        yield Shelf()
        yield DecisionPrompt("choice", self._state.keys, self._writing_place)
        with Horizontal(id="writing"):
            yield PromptMark(id="mark")
            yield Composer(self._state.keys)

    def on_mount(self) -> None:
        """The empty state."""
        self.transcript.set_palette(palette_of(self))
        self.transcript.set_reasoning_key(self._state.key("reasoning.toggle"))
        self.walked.set_fold_key(self._state.key("message.fold"))
        self.walked.taker = self.walk
        self._show_welcome()

    def on_resize(self) -> None:
        """What is offered has as much room as the messages have."""
        self.call_after_refresh(self.completion.fit)

    @property
    def divider(self) -> Divider:
        """The rule that tells things."""
        return self.query_one(Divider)

    @property
    def walked(self) -> WalkedTranscript:
        """The conversation view with its cursor."""
        return self.query_one(WalkedTranscript)

    @property
    def fit_choice(self) -> DecisionPrompt:
        """What is asked about a question that does not fit."""
        return self.query_one("#choice", DecisionPrompt)

    @property
    def choices_key(self) -> str:
        """The command that leads to a list of ways on, or takes one where the list has the focus; empty for no list."""
        if shown_on(self.screen) is None:
            return ""
        return TAKE if isinstance(self.screen.focused, DecisionPrompt) else ENTER

    @property
    def completion(self) -> CompletionPopup:
        """What is offered while a slash command is written."""
        return self.query_one(CompletionPopup)

    @property
    def words(self) -> Mapping[str, str]:
        """What keys do now, in a word, by command id: Enter where it does not send what is in the composer, the key that
        asks again where nothing was answered yet. Empty for what they do elsewhere."""
        enter = self.walk.edits.enter or ("take" if self.composer.searching else "")
        return {
            "send": enter,
            "answer.retry": "answer" if self.unanswered else "",
            "answer.stop": "do not ask" if self.choosing and not self.doing else "",
        }

    @property
    def answerable(self) -> str:
        """The command that gets the end of the chat answered; empty where there is nothing to answer."""
        return "answer.continue" if self.can_continue else "answer.retry" if self.unanswered else ""

    @property
    def unanswered(self) -> bool:
        """Whether the open branch ends in a question, and nothing runs or waits that would answer it."""
        leaf = self._session.conversation.leaf if self._session is not None else None
        return leaf is not None and leaf.role is Role.USER and not self.busy and not self.waiting

    def actions(self) -> Mapping[str, Callable[[str], object]]:
        """What the pane does for a command's id, with the argument that was typed after a slash command."""
        transcript = self.transcript
        return {
            **super().actions(),
            **self.walk.actions(),
            "attach": self.attach_named,
            "schema": self._holding.command,
            "answer.stop": lambda _: (
                self.composer.end_search(take=False)
                or self.composer.give_up_command()
                or self.stop_or_choose()
                or self.leave_choice()
                or self.walk.escape()
                or self.walked.clear_found()
                or self.divider.let_go()
                or (self.divider.offers and self.post_message(self.OfferRefused()))
            ),
            "answer.retry": lambda _: self.retry(),
            "answer.continue": lambda _: self.continue_answer(),
            "reasoning.toggle": lambda _: self._toggle_reasoning(),
            "scroll.page_up": lambda _: transcript.page_up(),
            "scroll.page_down": lambda _: transcript.page_down(),
            "scroll.start": lambda _: transcript.to_start(),
            "scroll.end": lambda _: transcript.follow(),
        }

    def _toggle_reasoning(self) -> None:
        """Fold or unfold it in all messages; where there is none, say what holds for those that come."""
        shown = self.transcript.toggle_reasoning()
        path = self._session.conversation.path() if self._session is not None else ()
        if not any(self.whole(message).reasoning for message in path):
            come = "is shown as it comes" if shown else "stays folded"
            self.tell(f"There is no reasoning in this chat yet; what comes {come}")

    def set_state(self, state: ScreenState) -> None:
        """Take the new state."""
        changed = state != self._state
        if not self.is_mounted:
            self._state = state
            return
        before = self._state.connection
        self.take_state(state)
        if changed:
            self._show_welcome()
        if state.connection is not None and (before is None or state.connection.server is not before.server):
            self._holding.tell_if_ignored()

    def open(self, session: ChatSession) -> None:
        """Show a chat, at its end; what was asked before the chats were open is asked in it."""
        self.walk.end()
        self.show_session(session)
        self._holding.tell_if_ignored()

    def offer_names(self, names: Callable[[], Vocabulary]) -> None:
        """Complete slash commands with these names."""
        self.completion.serve(self.composer, names)
        self.composer.completer = self.completion

    def on_schema_read(self, event: SchemaRead) -> None:
        """The file that /schema named is a schema."""
        event.stop()
        self._holding.hold(event.session, event.schema)

    def complete(self, text: str) -> bool:
        """Write the start of a slash command, and offer how it may go on. Whether something is written, which comes back
        after it."""
        self.walk.end()
        self.composer.focus()
        aside = self.composer.begin_command(text)
        if aside:
            self.tell("What you were writing comes back after the command; Esc brings it back now")
        self.completion.offer()
        return aside

    def attach_named(self, argument: str) -> None:
        """Attach the files that are named, or ask for one."""
        from tui.ui.chat.attaching import ask_for_file

        if argument:
            self.read_files(argument)
        else:
            ask_for_file(self)

    def takes(self, key: str) -> bool:
        """Whether a key means something here that goes before what it means to the app."""
        return self.completion.is_open and key in COMPLETION_KEYS

    def step_back(self) -> bool:
        """The key that stops an answer: where it is also the one that leaves the messages or the slip, these come first.
        False = there was nothing to leave, or it only stops."""
        keys = self._state.keys
        leaves = self.walk.edits.is_open or keys.get("messages.leave") == keys.get("answer.stop")
        return leaves and self.walk.escape()

    def answer(self, order: Order) -> None:
        """The cursor does not stay on an answer that another one takes the place of."""
        super().answer(order)
        self.walk.keep_up()

    def answer_again(self, blank: Message, state: ClientState | None = None) -> None:
        """What was said of the answers that there were does not stand beside the one that comes in."""
        self.divider.clear_notice()
        super().answer_again(blank, state)

    def continue_answer(self, message: Message | None = None) -> None:
        """Nor does it beside one that goes on."""
        self.divider.clear_notice()
        super().continue_answer(message)

    def show_choice(self, dilemma: Decision | None) -> None:
        """Ask the person; None = there is nothing to ask any more. Who is writing goes on writing."""
        if dilemma is not None:
            self.walk.stand_aside()
            if isinstance(self.screen.focused, Transcript):
                self.screen.set_focus(self._writing_place())
        self.fit_choice.show(dilemma)
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

    def _writing_place(self) -> ChipArea:
        slips = [slip for slip in self.query(Slip) if slip.display]
        return slips[0] if slips else self.composer

    def tell(self, text: str, tone: str = "muted") -> None:
        """Say something on the rule above the composer, in the place of what was said last."""
        self.app.clear_notifications()
        self.divider.tell(with_tilde(text), tone)

    def tell_of_text(self, error: LokalError) -> None:
        """Say what is wrong with what is written; it goes when that is changed."""
        self.tell(str(error), "warning")
        self.divider.goes_with(self.written)

    @property
    def written(self) -> str:
        """What is in the composer, or on the slip while that lies over it."""
        return (self.query_one(Slip) if self.walk.edits.is_open else self.composer).text

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """A notice about what was written goes with it."""
        self.divider.written(event.text_area.text)
        for choice in self.query(DecisionPrompt):
            choice.written(self.written)

    def on_composer_submitted(self, event: Composer.Submitted) -> None:
        """Enter."""
        event.stop()
        try:
            typed = parse(event.text)
        except UsageError as error:
            if not self.composer.bring_back(event.marked):
                self.composer.put_back(event.marked)
            self.tell_of_text(error)
            return
        if isinstance(typed, Typed):
            self.post_message(self.Commanded(typed, event.marked))
            return
        if not event.text.strip() and self.choosing:
            self.tell(f"{self.why_held}: {self._state.key(ENTER)} goes to the list")
            return
        if not event.text.strip() and self.unanswered and not self.attached:
            way = self._state.key("answer.retry") or "/retry"
            self.tell(f"Nothing is written; {way} answers the question that is there")
            return
        # The slash that says that a slash is meant is not sent.
        slashed = event.marked.startswith("//")
        self.send(event.marked[1:] if slashed else event.marked, event.marked)

    def on_transcript_follow_changed(self, event: Transcript.FollowChanged) -> None:
        """The reader scrolled up, or is back at the end."""
        event.stop()
        self.stand()

    def on_slip_handed_in(self, event: Slip.HandedIn) -> None:
        """Enter on the slip over the composer."""
        event.stop()
        self.walk.edits.hand_in(event.text)

    def on_slip_editor_wanted(self, event: Slip.EditorWanted) -> None:
        """The editor's key on the slip."""
        event.stop()
        self.open_editor()

    def open_editor(self) -> None:
        """Go on in the person's editor, with what they write on: the slip, or else the composer."""
        if not self.walk.edits.open_editor():
            super().open_editor()

    def begun_edits(self) -> tuple[tuple[str, str], ...]:
        """The edits of messages of the open chat that were begun."""
        return () if self._session is None else self.walk.edits.begun_in(self._session.conversation)

    def take_begun(self, edits: Sequence[tuple[str, str]]) -> None:
        """Edits that were begun when the chat was open last."""
        self.walk.edits.load(edits)

    def take_edit(self, of: Message, before: str, text: str) -> None:
        """What was written anew of the message `of` has become `text` in the editor."""
        self.walk.edits.take_edit(of, before, text)

    def stand(self) -> None:
        """Say on the rule where the cursor or the reader is."""
        key, transcript = self._state.key("scroll.end"), self.transcript
        if walking := self.walk.standing:
            self.divider.stand(walking, whole=self.walk.edits.is_open)
        elif transcript.following:
            self.divider.stand("")
        elif transcript.new_lines:
            lines = "line" if transcript.new_lines == 1 else "lines"
            self.divider.stand(f"{transcript.new_lines} new {lines} below · {key}")
        else:
            self.divider.stand(f"scrolled up · {key} to the end")

    def _show_welcome(self) -> None:
        empty = self._session is None or not len(self._session.conversation)
        state = self._state
        alone = state.status is ConnectionStatus.NONE and empty and self.fit_choice.dilemma is None
        self.query_one("#start-choice", DecisionPrompt).show(ways_on(state) if alone else None)
        self.transcript.set_empty(lambda width: welcome(state, width))
