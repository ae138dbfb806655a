"""`/advise`: what to change when a model behaves badly, tried on the last question, and kept or dropped.

The person chooses a symptom; the owner's table (`core/advice.py`) says what to turn, against the values in use; the last
question is asked again with that, and the old answer stays beside the new one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from tui.chat.decision import Decision, DecisionOption
from tui.chat.events import ChatEvent, DecisionNeeded, Notice, PresetSaveWanted, SettingsWanted
from tui.chat.open_chat import OpenChat
from tui.chat.state import WINDOW, ClientState, ModelSettings
from tui.core.advice import ADVICE, SERVERS_OWN, Advice, ProposedChange, proposed
from tui.core.message import Message, Status, Value
from tui.core.parameters import BY_NAME, beyond
from tui.core.text import safe_name
from tui.errors import UsageError

COMMAND = "advise"
TRY, KEEP, SAVE, DROP, CLOSE = "try", "keep", "save", "drop", "close"
_WORDS = (TRY, KEEP, SAVE, DROP, CLOSE)


class Listener(Protocol):
    """Who shows what is asked."""

    def hear(self, event: ChatEvent) -> None:
        """Show it."""
        ...

    def command_hint(self, command_id: str) -> str:
        """The key or the slash command of a command."""
        ...


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Proposal:
    """What is proposed for a symptom; `before` are the overrides that it changes, `tried` = they hold now."""

    advice: Advice
    changes: tuple[ProposedChange, ...]
    before: Mapping[str, Value | None]
    tried: bool = False

    @property
    def values(self) -> dict[str, Value]:
        """The new values."""
        return {change.parameter: change.new for change in self.changes if change.new is not None}


class Advisor:
    """One a chat controller."""

    def __init__(self, chat: OpenChat, listener: Listener, ask_again: Callable[[ClientState], None]) -> None:
        """`ask_again` asks the last question again, with that state."""
        self._chat = chat
        self._listener = listener
        self._ask_again = ask_again
        self._is_open = False
        self._proposal: _Proposal | None = None

    @property
    def is_open(self) -> bool:
        """Whether something is asked."""
        return self._is_open

    def run(self, argument: str) -> None:
        """`/advise`: without an argument the symptoms are listed; it may be a symptom, by its number or its words, or what is to
        be done with the proposal. Raises UsageError."""
        word = argument.strip().lower()
        if not word:
            self._ask(_symptoms())
        elif word == CLOSE:
            self.close()
        elif word in _WORDS:
            proposal = self._proposal
            if proposal is None:
                raise UsageError(
                    f"There is nothing to {word}", "", "/advise lists what can be wrong with a model"
                )
            self._do(word, proposal)
        else:
            self._propose(_symptom(word))

    def close(self) -> bool:
        """Ask no longer; values that were tried stay. False if nothing was asked."""
        was_open, self._is_open, self._proposal = self._is_open, False, None
        if was_open:
            self._listener.hear(DecisionNeeded(None))
        return was_open

    def answered(self, message: Message) -> None:
        """An answer has ended: if it is the one that was asked for, what becomes of the values is asked."""
        proposal = self._proposal
        if proposal is not None and proposal.tried and self._chat.overflow is None:
            self._ask(self._after(proposal, whole=message.status is Status.COMPLETE))

    # -- what is done -----------------------------------------------------------------------------------------------

    def _do(self, word: str, proposal: _Proposal) -> None:
        state = self._chat.state
        if word == DROP:
            self._use(dict(proposal.before))
            self.close()
            self._tell("The values are as they were")
            return
        if not proposal.values:
            raise UsageError("Nothing is left to change", "", "/advise lists other symptoms")
        named = ", ".join(f"{name} {BY_NAME[name].format(value)}" for name, value in proposal.values.items())
        if word == SAVE:
            self.close()
            kept = {name: value for name, value in proposal.before.items() if name not in proposal.values}
            preset = replace(state.preset, values={**state.preset.values, **proposal.values})
            self._use(kept)
            self._listener.hear(PresetSaveWanted(preset))
            return
        overrides = {**proposal.before, **proposal.values}
        self._use(overrides)
        if word == KEEP:
            self.close()
            self._tell(f"{named}, until lokal ends")
            return
        if not self._chat.can_retry:
            self.close()
            self._tell(f"{named}, from the next answer on")
            return
        self._proposal = replace(proposal, tried=True)
        self._is_open = False
        self._listener.hear(DecisionNeeded(None))
        self._ask_again(state.with_settings(self._with(overrides)))

    def _use(self, overrides: Mapping[str, Value | None]) -> None:
        self._listener.hear(SettingsWanted(self._with(overrides)))

    def _with(self, overrides: Mapping[str, Value | None]) -> ModelSettings:
        return replace(self._chat.state.settings, overrides=dict(overrides))

    def _tell(self, words: str) -> None:
        self._listener.hear(Notice(words, "accent"))

    # -- what is asked ----------------------------------------------------------------------------------------------

    def _ask(self, decision: Decision) -> None:
        if self._chat.overflow is not None:
            raise UsageError("Choose first what is done about the question")
        self._is_open = True
        self._listener.hear(DecisionNeeded(decision))

    def _propose(self, advice: Advice) -> None:
        state = self._chat.state
        proposal = _Proposal(advice, changes_for(advice, state), dict(state.overrides))
        self._proposal = proposal
        title = f"The model {advice.symptom}:"
        detail = "\n".join(change.words for change in proposal.changes)
        other = DecisionOption(COMMAND, "Another symptom")
        leave = DecisionOption(COMMAND, "Change nothing", argument=CLOSE)
        if not proposal.values:
            self._ask(Decision(f"{title} nothing is left to change", detail, (other, leave), calm=True))
            return
        again = "Ask the last question again with this; the old answer stays"
        options = (
            DecisionOption(
                COMMAND, again, "" if self._chat.can_retry else _why_not(self._chat), argument=TRY
            ),
            DecisionOption(COMMAND, "Use it from the next answer on, until lokal ends", argument=KEEP),
            self._save_option(),
            other,
            leave,
        )
        self._ask(Decision(title, detail, options, calm=True))

    def _save_option(self) -> DecisionOption:
        settings = self._chat.state.settings
        name = safe_name(settings.preset.name, 40)
        why_not = f"{name} is the model's own preset" if settings.usual_preset is not None else ""
        return DecisionOption(COMMAND, f"Save it to the preset {name}", why_not, argument=SAVE)

    def _after(self, proposal: _Proposal, *, whole: bool) -> Decision:
        values = ", ".join(f"{name} {BY_NAME[name].format(value)}" for name, value in proposal.values.items())
        left = self._listener.command_hint("sibling.previous")
        both = (
            f"Both answers are kept; {left} on the answer shows the other one"
            if left
            else "Both answers are kept"
        )
        options = (
            DecisionOption(COMMAND, "Keep the values until lokal ends", argument=KEEP),
            self._save_option(),
            DecisionOption(COMMAND, "Drop them: as it was before", argument=DROP),
            DecisionOption(COMMAND, "Another symptom"),
        )
        title = (
            f"This answer came with {values}. Better?" if whole else f"In use: {values}. No whole answer came"
        )
        return Decision(title, both if whole else "", options, calm=True)


def changes_for(advice: Advice, state: ClientState) -> tuple[ProposedChange, ...]:
    """What a piece of advice comes to for the next prompt."""
    usual = dict(SERVERS_OWN)
    if state.window is not None:
        usual[WINDOW] = state.window
    return proposed(advice, state.values(), usual, lambda name: _cannot_follow(name, state))


def _cannot_follow(name: str, state: ClientState) -> str:
    """Why the server there is cannot follow a change of a parameter; empty where it can, or where there is none."""
    connection = state.connection
    if connection is None:
        return ""
    if BY_NAME[name].wire.get(connection.server.kind) is None:
        return f"{connection.info.kind.label} does not take it with a question"
    if beyond((name,), state.model_info):
        return f"{safe_name(state.model, 40)} cannot do it"
    return ""


def _symptoms() -> Decision:
    options = tuple(
        DecisionOption(COMMAND, f"It {advice.symptom}", argument=str(number))
        for number, advice in enumerate(ADVICE, 1)
    )
    leave = DecisionOption(COMMAND, "Nothing is wrong", argument=CLOSE)
    return Decision("What is wrong with the model?", "", (*options, leave), calm=True)


def _symptom(word: str) -> Advice:
    if word.isascii() and word.isdigit() and 1 <= int(word) <= len(ADVICE):
        return ADVICE[int(word) - 1]
    found = [advice for advice in ADVICE if word in advice.symptom]
    if len(found) != 1:
        raise UsageError(
            f"There is no advice for “{safe_name(word, 60)}”"
            if not found
            else f"“{safe_name(word, 60)}” can mean several",
            "",
            "/advise lists what can be wrong with a model",
        )
    return found[0]


def _why_not(chat: OpenChat) -> str:
    return (
        "An answer is coming in: it can be asked again then"
        if chat.busy
        else "Nothing was asked in this chat yet"
    )
