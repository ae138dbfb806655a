"""A message as the transcript shows it: the heading line, the text, and what is to be said under it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tui.chat.wording import ending_words, phase_words, rate_words
from tui.core.attaching import under
from tui.core.conversation import Conversation
from tui.core.endings import FILTERED, remark
from tui.core.generation import Generation
from tui.core.message import Message, Role, Status
from tui.core.model import GUIDE
from tui.core.text import human_tokens, safe_block, safe_name
from tui.ui.chat import structured
from tui.ui.transcript.view import Entry, EntryNotice, Heading, Tone

KeyOf = Callable[[str], str]
"""The key of a command id, as a person reads it."""


def entries_of(conversation: Conversation, key_of: KeyOf) -> list[Entry]:
    """The open branch; what the model does not see of it is marked."""
    path = conversation.path()
    entries = [entry_of(message, conversation, key_of) for message in path]
    for at in range(cut := conversation.view.cut(path)):
        entries[at] = _unseen(entries[at], conversation.view.summary if at == cut - 1 else None)
    return entries


def _unseen(entry: Entry, summary: str | None) -> Entry:
    """An entry that the model does not see; under the last of them (`summary` is no None) it is said what it sees."""
    heading = entry.heading
    heading = replace(heading, figures=" · ".join(part for part in (heading.figures, "not seen") if part))
    if summary is None:
        return replace(entry, heading=heading)
    lines = [entry.notice.text] if entry.notice is not None else []
    lines.append(
        "▲ The model no longer sees what is above" + (", only this summary of it:" if summary else "")
    )
    if summary:
        lines.append(safe_block(summary))
    tone = entry.notice.tone if entry.notice is not None else Tone.MUTED
    return replace(entry, heading=heading, notice=EntryNotice("\n".join(lines), tone))


def tokens_used(conversation: Conversation) -> int | None:
    """Tokens of the context window that the open branch took at its last answer; None = the server did not say."""
    last = conversation.last_of(Role.ASSISTANT)
    return 0 if last is None else last.usage.total


def entry_of(
    message: Message, conversation: Conversation, key_of: KeyOf, generation: Generation | None = None
) -> Entry:
    """One message; `generation` for an answer that is coming in."""
    if message.role is not Role.ASSISTANT:
        return Entry(
            message.id,
            Heading("you", Tone.PERSON, figures=_place(message, conversation)),
            under(message.content, message.attachments),
            markdown=False,
        )
    running = generation is not None and not generation.finished
    return Entry(
        message.id,
        heading_of(message, conversation, generation),
        generation.content if running and generation else structured.shown(message),
        generation.reasoning if running and generation else message.reasoning,
        None if running else notice_of(message, key_of) or structured.notice_of(message),
        streaming=running,
    )


def heading_of(message: Message, conversation: Conversation, generation: Generation | None = None) -> Heading:
    """Who answers, with which preset; at the right what the answer is doing or how it went."""
    running = generation is not None and not generation.finished
    figures = phase_words(generation) if running and generation else outcome_of(message)
    figures = " · ".join(part for part in (figures, _place(message, conversation)) if part)
    who, preset = safe_name(message.model, 60) or "model", safe_name(message.preset, 40)
    if message.model == GUIDE:
        who, preset = "guide", f"knows only lokal · {preset}"
    if message.edited:
        preset = f"{preset} · edited" if preset else "edited"
    return Heading(who, Tone.MODEL, preset, figures)


def _place(message: Message, conversation: Conversation) -> str:
    """`2/3`: which of the messages in its place it is; empty for the only one."""
    siblings = conversation.siblings(message.id) if message.id in conversation else ()
    return f"{siblings.index(message.id) + 1}/{len(siblings)}" if len(siblings) > 1 else ""


def notice_of(message: Message, key_of: KeyOf) -> EntryNotice | None:
    """What is to be said under an answer: why it is not whole, and the key that helps."""
    words = ending_words(message, key_of("answer.retry"), key_of("answer.continue"))
    return EntryNotice(words, _tone_of(message)) if words else None


def _tone_of(message: Message) -> Tone:
    """How loudly it is said how an answer ended."""
    cut_in_thought = not message.content.strip() and bool(message.reasoning)
    match message.status:
        case Status.FAILED:
            return Tone.ERROR
        case Status.INTERRUPTED:
            return Tone.WARNING
        case Status.COMPLETE if message.finish_reason == "length":
            return Tone.WARNING if cut_in_thought else Tone.MUTED
        case Status.COMPLETE if remark(message.finish_reason):
            return ending_tone(message)
        case _:
            return Tone.MUTED


def ending_tone(message: Message) -> Tone:
    """How loudly it is said why a whole answer ended."""
    return Tone.WARNING if message.finish_reason == FILTERED or not message.content.strip() else Tone.MUTED


def outcome_of(message: Message, *, word_first: bool = False) -> str:
    """How an answer went, in figures: `412 tokens · 41 tok/s · stopped`; with `word_first` the words before the figures,
    for where there may not be room for all."""
    parts, words = [], []
    # Of an edited one the server made but a part: neither count nor rate is that of what is shown.
    if not message.edited:
        if message.usage.completion:
            word = "token" if message.usage.completion == 1 else "tokens"
            parts.append(f"{human_tokens(message.usage.completion)} {word}")
        if message.timings.tokens_per_s:
            parts.append(rate_words(message.timings.tokens_per_s))
    if message.status is Status.STOPPED:
        words.append("stopped")
    elif message.status is Status.INTERRUPTED:
        words.append("interrupted")
    elif message.status is Status.FAILED:
        words.append("failed")
    words.append(structured.figures_of(message))
    parts = [*words, *parts] if word_first else [*parts, *words]
    return " · ".join(part for part in parts if part)
