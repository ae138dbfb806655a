"""The panel of the empty chat while no server answers: what was asked, and the ways on, each one key."""

from __future__ import annotations

from tui.ui.desk import Desk

Line = tuple[tuple[str, str], ...]

WAYS = ("guide.ask", "gguf.open", "server.help")
"""The commands whose keys work here while the composer is empty."""

_WHAT = {
    "guide.ask": "ask the guide: a small model inside lokal that knows lokal",
    "gguf.open": "open a GGUF file from disk with the built-in llama.cpp engine",
    "server.help": "how to start Ollama or llama-server here; another server's address",
}


def panel(desk: Desk) -> tuple[Line, ...]:
    """The lines as (text, role) parts."""
    problem = desk.problem
    lines: list[Line] = []
    if problem is not None:
        ended = problem.title + ("" if problem.title.endswith(".") else ".")
        if desk.may_guide:  # nobody was asked for by name: nothing went wrong
            lines.append(((ended, ""), (f" {problem.detail}." if problem.detail else "", "muted")))
        else:
            lines.append(((ended, "warning"),))
            lines += [((part, ""),) for part in (problem.detail, problem.hint) if part]
    lines.append(())
    missing = desk.engine_missing
    for id in WAYS:
        usable = missing is None or id == "server.help"
        lines.append(
            (
                (f"  {desk.key(id).lower():<4}", "accent" if usable else "muted"),
                (_WHAT[id], "" if usable else "muted"),
            )
        )
    lines.append(((f"  {desk.key('server.search'):<4}", "accent"), ("look again", "")))
    lines.append(())
    if missing is not None:
        lines += [
            (("The guide and files need the engine. ", "warning"), (f"{missing.title}.", "")),
            ((missing.hint, "muted"),),
        ]
    elif desk.may_guide:
        lines.append((("Or just ask: the guide answers, and says so.", "muted"),))
    return tuple(lines)


def guide_welcome(desk: Desk) -> tuple[Line, ...]:
    """The empty chat with the guide."""
    return (
        (("The guide", "second"), (" is a model of a few megabytes that ships inside lokal.", "")),
        (("It knows lokal, local models and their parameters, and nothing else.", ""),),
        (("It runs on this machine; nothing leaves it.", "muted"),),
        (),
        (("Try  ", "muted"), ("What does temperature do?", "")),
        (("     and then ", "muted"), ("and top_p?", "")),
        (("     ", ""), ("How do I get a real model?", "")),
        (("     ", ""), ("Как остановить ответ?", ""), ("  po polsku, tiếng Việt, o'zbekcha", "muted")),
        (),
        (
            ("A real model  ", "muted"),
            (f"ollama pull llama3.2:3b, then {desk.key('server.search')}", ""),
            ("   or   ", "muted"),
            ("/open model.gguf", ""),
        ),
    )
