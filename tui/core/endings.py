"""Why an answer ended: the words that servers have for it, in one spelling, and what a person should know of it."""

from __future__ import annotations

from tui.core.text import safe_line

STOP, LENGTH, CALLS, FILTERED = "stop", "length", "tool_calls", "content_filter"
UNKNOWN = "unknown"
"""The server ended the answer properly, but never said why: it may be whole or not."""

NO_FUNCTION = "The model asked for a function; lokal has none to give"

_SPELLINGS = {
    STOP: ("", "eos", "eos_token", "end", "end_turn", "stop_sequence", "stop_token", "complete", "completed", "done"),
    LENGTH: ("max_tokens", "max_length", "max_output_tokens", "model_length", "model_context_window_exceeded"),
    CALLS: ("function_call", "tool_call", "tool_use"),
    FILTERED: (
        "content-filter", "contentfilter", "filter", "safety", "sensitive", "refusal", "recitation", "blocklist",
        "prohibited_content", "spii", "guardrail", "guardrail_intervened",
    ),
}  # fmt: skip
_KNOWN = {word: reason for reason, words in _SPELLINGS.items() for word in words}
_BROKEN = frozenset(
    ("error", "abort", "aborted", "cancel", "cancelled", "canceled", "failed", "failure", "interrupted", "timeout",
     "network_error", "server_error", "insufficient_system_resource", "malformed_function_call")
)  # fmt: skip
_SAID = {
    CALLS: NO_FUNCTION,
    FILTERED: "A content filter of the server ended the answer",
    "repetition": "The server ended the answer because it repeated itself",
    UNKNOWN: "The server did not say whether the answer is whole",
}
_QUIET = frozenset(("", STOP, LENGTH, "load", "unload"))


def plain_reason(word: str) -> str:
    """A server's word for why an answer ended, in OpenAI's spelling if it has one."""
    lower = word.strip().lower()
    return _KNOWN.get(lower, lower)


def is_broken(reason: str) -> bool:
    """Whether an answer that ended for this `plain_reason` is not whole."""
    return reason in _BROKEN


def remark(reason: str) -> str:
    """What is to be said of an answer that ended for this `plain_reason`; empty for nothing. That it was cut at a limit
    is said elsewhere, with the limit."""
    if reason in _QUIET:
        return ""
    return _SAID.get(reason) or f"The server ended the answer: {safe_line(reason, 40)}"
