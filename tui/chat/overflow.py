"""A prompt that does not fit into the context window: what can be done about it, and how that is said."""

from __future__ import annotations

from dataclasses import dataclass

from tui.chat.decision import Decision, DecisionOption
from tui.chat.state import ClientState
from tui.core.conversation import title_from
from tui.core.message import Role
from tui.core.summary import summary_tokens
from tui.core.text import human_tokens, safe_line
from tui.core.token_budget import Cut, TokenBudget, answer_room, kept_room
from tui.core.tokens import Count
from tui.servers.profile import ServerProfile

DROP, SUMMARY, WINDOW, ANYWAY, CANCEL = "fit.drop", "fit.summary", "fit.window", "fit.anyway", "fit.cancel"
STOP = "answer.stop"
"""What ends everything takes back what is held."""
QUOTED = 36
"""Characters of a question that is named."""


@dataclass(frozen=True, slots=True)
class Overflow:
    """Tokens of the prompt, those kept free for the answer, and the context window; what to leave out, None = it would
    not help; the same where a summary takes its place; the window that would do, with why there is none. With
    `unasked` it is a question that comes back into the composer; `tried` = the server has refused it already. Where several
    are asked, `whose` names those whom it does not fit, if there are others."""

    profile: ServerProfile
    prompt: Count
    room: int
    window: int
    cut: Cut | None = None
    cut_for_summary: Cut | None = None
    larger: int | None = None
    no_larger: str = ""
    unasked: bool = False
    tried: bool = False
    whose: str = ""

    @property
    def limit(self) -> int:
        """The most tokens that the prompt may take."""
        return self.window - self.room


def window_of(state: ClientState) -> int | None:
    """The context window of the next answer in tokens: what a request asks for, or what the model is loaded with; for a
    server that says neither, what the person has set."""
    wanted = state.values().get("context_window")
    asked = wanted if isinstance(wanted, int) else None
    connection = state.connection
    if connection is None:
        return None
    if connection.server.profile.window_by_request and asked is not None:
        return min(asked, trained_window(state) or asked)
    return state.window or asked


def trained_window(state: ClientState) -> int | None:
    """What the model was made for, if the server lists it."""
    model = state.connection.model(state.model) if state.connection is not None else None
    return model.context_trained if model is not None else None


def room_of(state: ClientState, window: int) -> int:
    """Tokens to keep free for the answer."""
    most = state.values().get("max_tokens")
    limit = most if isinstance(most, int) else None
    kept = state.connection.server.capabilities.room if state.connection is not None else None
    return answer_room(limit, window) if kept is None else kept_room(limit, window, kept)


def describe(
    state: ClientState,
    budget: TokenBudget,
    window: int,
    trained: int | None = None,
    *,
    unasked: bool,
    tried: bool,
) -> Overflow:
    """All that can be said of a `budget` that is too large for the window. `trained` is what the model was made for, if
    the server does not list it; `tried` = the server has refused it."""
    assert state.connection is not None
    room = room_of(state, window)
    larger, no_larger = _larger(state, window, trained, budget.prompt.tokens)
    return Overflow(
        state.connection.server.profile,
        budget.prompt,
        room,
        window,
        budget.cut(window - room),
        budget.cut(window - room, extra=summary_tokens(window)),
        larger,
        no_larger,
        unasked,
        tried,
    )


def _larger(state: ClientState, window: int, trained: int | None, prompt: int) -> tuple[int | None, str]:
    """The next larger window that holds a prompt of so many tokens and its answer, or why there is none. The room for the
    answer is that in the larger window: it grows with it."""
    connection = state.connection
    assert connection is not None
    profile = connection.server.profile
    if connection.guide:
        return None, "the guide has no larger one"
    if not connection.embedded and not profile.window_by_request:
        return None, profile.hints.window_is_fixed
    trained = trained_window(state) or trained
    if trained is None:
        return None, "the server does not say what the model was made for; set context_window yourself"
    if trained <= window:
        return None, f"the model was made for {human_tokens(trained)}"
    size = window
    while not _holds(state, size, prompt) and size < trained:
        size = min(2 * size, trained)
    return (
        (size, "")
        if _holds(state, size, prompt)
        else (None, f"even {human_tokens(trained)}, all it was made for, would not do")
    )


def _holds(state: ClientState, window: int, prompt: int) -> bool:
    return prompt + room_of(state, window) <= window


def decision_for(case: Overflow) -> Decision:
    """The choice in words."""
    detail = (
        f"The window has {human_tokens(case.window)}; this takes {said(case.prompt)} tokens, and "
        f"{human_tokens(case.room)} for the answer. Nothing is cut off without your word."
    )
    brief = (
        f"{said(case.prompt)} tokens, and {human_tokens(case.room)} for the answer; "
        f"the window has {human_tokens(case.window)}."
    )
    options = []
    if case.cut is not None:
        options.append(DecisionOption(DROP, _leave_out(case.cut), brief=_leave_out_briefly(case.cut)))
    else:
        why_not = "nothing can be left out: the question alone is too long"
        options.append(DecisionOption(DROP, why_not=why_not, brief="the question alone is too long"))
    if case.cut_for_summary is not None:
        count = case.cut_for_summary.questions
        them = (
            "it"
            if count == 1
            else "them"
            if case.cut and case.cut.questions == count
            else f"the oldest {count}"
        )
        summarise = f"let the model summarise {them} first"
        options.append(DecisionOption(SUMMARY, f"{summarise}, and go on from the summary", brief=summarise))
    if case.larger is not None:
        larger = f"a window of {human_tokens(case.larger)}: reloads the model"
        options.append(DecisionOption(WINDOW, f"{larger}, takes more memory", brief=larger))
    else:
        options.append(DecisionOption(WINDOW, why_not=f"no larger window: {case.no_larger}"))
    if case.whose:
        others = f"ask the others anyway, and not {case.whose}"
        options.append(DecisionOption(ANYWAY, others, brief="ask the others anyway"))
    elif not case.prompt.exact and not case.tried and case.profile.refuses_overflow:
        estimate = "ask anyway: this is an estimate"
        refuses = f"{estimate}, and {case.profile.label} refuses what does not fit"
        options.append(DecisionOption(ANYWAY, refuses, brief=estimate))
    options.append(DecisionOption(STOP, "do not ask: the text comes back" if case.unasked else "do not ask"))
    whose = f" of {case.whose}" if case.whose else ""
    return Decision(f"This does not fit into the context window{whose}", detail, tuple(options), brief)


def said(count: Count) -> str:
    """Tokens as they are shown: what is estimated is rounded, and marked."""
    if count.exact:
        return human_tokens(count.tokens)
    return "~" + human_tokens(rounded(count.tokens))


def rounded(tokens: int) -> int:
    """Two digits are all that an estimate is worth."""
    places = 2 - len(str(tokens))
    return tokens if places >= 0 else round(tokens, places)


def exchanges_in_words(count: int) -> str:
    """`the oldest question and its answer`, `3 questions and answers`."""
    return "the oldest question and its answer" if count <= 1 else f"the {count} oldest questions and answers"


def _leave_out(cut: Cut) -> str:
    first = next((message for message in cut.dropped if message.role is Role.USER), cut.dropped[0])
    name = title_from(first.content)
    name = safe_line(name, QUOTED)
    many = cut.questions > 1
    what = f"{exchanges_in_words(cut.questions)}, {'from ' if many else ''}“{name}”{' on' if many else ''}"
    stay = "they stay" if many else "it stays"
    return f"leave out {what}: {stay} in the chat, only the model no longer sees {'them' if many else 'it'}"


def _leave_out_briefly(cut: Cut) -> str:
    count = f"{cut.questions} oldest questions" if cut.questions > 1 else "oldest question"
    return f"leave out the {count}"
