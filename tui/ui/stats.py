"""The page of figures: what each answer of the open branch took, and the chat as a whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.cells import cell_len

from tui.chat.overflow import window_of
from tui.core.conversation import Conversation
from tui.core.figures import AnswerFigures, figures_of_all
from tui.core.message import Message, Role, Status
from tui.core.text import count_of, human_tokens, safe_line, safe_name
from tui.ui.page import Line, PageScreen
from tui.ui.state import ScreenState
from tui.ui.widgets.row import cut, cut_middle, wrap_words

Column = tuple[str, int, Callable[[Message], str]]
"""Heading, width in cells, and what it says of an answer."""


def stats_screen(conversation: Conversation, state: ScreenState) -> PageScreen:
    """The page over the whole screen, as the chat stands now."""
    path, elsewhere = conversation.path(), len(conversation) - len(conversation.path())
    title = safe_name(conversation.title, 60)
    return PageScreen(
        f"Statistics of “{title}”" if title else "Statistics",
        lambda width: stats_lines(path, elsewhere, window_of(state), width),
    )


def stats_lines(path: Sequence[Message], elsewhere: int, window: int | None, width: int) -> tuple[Line, ...]:
    """The lines for `width` cells, of the open branch; `elsewhere` counts the messages of others, `window` is the
    context window in tokens."""
    answers = [message for message in path if message.role is Role.ASSISTANT]
    questions = {message.id: message.content for message in path if message.role is Role.USER}
    lines: list[Line] = [()]
    about = _counts(len(questions), len(answers), elsewhere)
    models = dict.fromkeys(safe_name(answer.model, 60) for answer in answers if answer.model)
    for name, value in [
        *about,
        *_sums(figures_of_all(path), window),
        ("Answered by", ", ".join(models)),
    ]:
        if value:
            lines.append(((f" {name}".ljust(20), "muted"), (value, "")))
    lines.append(())
    if not answers:
        return (*lines, ((" No answer yet. Each one is a line here once it is there.", ""),))
    columns = _columns(width)
    room = width - sum(size for _, size, _ in columns) - 6
    head = "     " + "ANSWER TO".ljust(room) + "".join(name.rjust(size) for name, size, _ in columns)
    lines.append(((head, "muted"),))
    for number, answer in enumerate(answers, 1):
        question = cut(safe_line(questions.get(answer.parent or "", ""), 200), room - 1)
        cells = "".join(value(answer).rjust(size) for _, size, value in columns)
        padded = question + " " * (room - cell_len(question))
        role = "error" if answer.status is Status.FAILED else ""
        lines.append(((f"{number:>3}  ", "muted"), (padded, role), (cells, role)))
    lines.append(())
    lines += [((" " + line, "muted"),) for line in wrap_words(_EXPLAINED, max(10, width - 2))]
    return tuple(lines)


_EXPLAINED = (
    "IN: tokens of the prompt, with everything before it. OUT: tokens of the answer, with its reasoning. TOK/S: how fast "
    "it was written. FIRST: time to its first token. PROMPT TOK/S: how fast the prompt was read. –: the server did not say."
)


def _counts(questions: int, answers: int, elsewhere: int) -> list[tuple[str, str]]:
    words = [
        count_of(questions, "question"),
        count_of(answers, "answer"),
    ]
    if elsewhere:
        words.append(f"{count_of(elsewhere, 'message')} in other branches")
    return [("This conversation", ", ".join(words))]


def _sums(figures: AnswerFigures, window: int | None) -> list[tuple[str, str]]:
    if not figures.answers:
        return []
    used = figures.used
    share = f" ({used / window:.0%})" if window and used else ""
    cached = f", {human_tokens(figures.cached)} of them read before" if figures.cached else ""
    reading = (
        f", read at {_number(figures.prompt_tokens_per_s)} prompt tok/s"
        if figures.prompt_tokens_per_s
        else ""
    )
    rate = f", at {_number(figures.tokens_per_s)} tok/s" if figures.tokens_per_s else ""
    time = f", in {_seconds(figures.total_s)} in all" if figures.total_s else ""
    return [
        (
            "Context",
            f"{_tokens(used)} of {human_tokens(window)} tokens{share}"
            if window
            else f"{_tokens(used)} tokens",
        ),
        ("Tokens in", f"{_tokens(figures.prompt)}{cached}{reading}"),
        ("Tokens out", f"{_tokens(figures.completion)}{rate}{time}"),
        (
            "First token",
            f"after {_seconds(figures.first_token_s)} on average" if figures.first_token_s else "",
        ),
    ]


def _columns(width: int) -> list[Column]:
    """The columns that a page of `width` cells has room for, those that matter less left out first."""
    columns: list[tuple[int, Column]] = [
        (5, ("PRESET", 12, lambda answer: cut_middle(safe_name(answer.preset, 20), 11) or "–")),
        (0, ("IN", 7, lambda answer: _tokens(answer.usage.prompt))),
        (0, ("OUT", 7, lambda answer: _tokens(answer.usage.completion))),
        (1, ("TOK/S", 8, lambda answer: _number(answer.timings.tokens_per_s))),
        (2, ("FIRST", 8, lambda answer: _seconds(answer.timings.first_token_s))),
        (4, ("PROMPT TOK/S", 14, lambda answer: _number(answer.timings.prompt_tokens_per_s))),
        (3, ("TIME", 8, lambda answer: _seconds(answer.timings.total_s))),
    ]
    least = 20
    while sum(size for _, (_, size, _) in columns) + 5 + least > width and any(rank for rank, _ in columns):
        columns.remove(max(columns, key=lambda column: column[0]))
    return [column for _, column in columns]


def _tokens(count: int | None) -> str:
    return "–" if count is None else human_tokens(count)


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"


def _seconds(value: float | None) -> str:
    if value is None:
        return "–"
    if value < 60:
        return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"
    return f"{value / 60:.0f} min" if value < 5400 else f"{value / 3600:.1f} h"
