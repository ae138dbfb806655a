"""How an answer that is to be JSON is shown: its figures in the heading, its text, and what is said under it."""

from __future__ import annotations

from tui.chat.structured_output import schema_of, verdict_of
from tui.core.message import Message
from tui.core.schema import RECORD
from tui.core.text import safe_line
from tui.ui.transcript.entry import EntryNotice, Tone

SHOWN_FAULTS = 4


def figures_of(message: Message) -> str:
    """What the heading says of it: `valid JSON`, `fits invoice.json`; empty for nothing."""
    verdict, schema = verdict_of(message), schema_of(message)
    if verdict is None or schema is None:
        return ""
    if not verdict.is_json:
        return "not JSON"
    if not schema.text:
        return "valid JSON"
    name = safe_line(schema.name, 30)
    return (
        f"{name} not checked"
        if verdict.given_up
        else f"fits {name}"
        if verdict.fits
        else f"does not fit {name}"
    )


def shown(message: Message) -> str:
    """The answer's text as Markdown: JSON is set out in a code block; what is none stays as it came."""
    verdict = verdict_of(message)
    if verdict is None or not verdict.is_json:
        return message.content
    from tui.core.validation import indented

    return f"```json\n{indented(message.content)}\n```"


def notice_of(message: Message) -> EntryNotice | None:
    """What does not fit, and what was not checked; None where there is nothing to say."""
    verdict = verdict_of(message)
    if verdict is None:
        unusable = RECORD in message.parameters and schema_of(message) is None
        return (
            EntryNotice("Not checked: the schema that it came with cannot be used", Tone.MUTED)
            if unusable
            else None
        )
    lines = [str(fault) for fault in verdict.faults[:SHOWN_FAULTS]]
    if len(verdict.faults) > SHOWN_FAULTS:
        lines.append(f"and {len(verdict.faults) - SHOWN_FAULTS} more")
    if verdict.given_up:
        lines.append("To check it would take too long")
    elif verdict.unchecked:
        lines.append(f"Not checked: {', '.join(verdict.unchecked)}")
    if not lines:
        return None
    return EntryNotice("\n".join(lines), Tone.MUTED if verdict.fits else Tone.WARNING)
