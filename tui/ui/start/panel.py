"""The panel of the empty chat while no server answers: what was asked, and the ways on, each one key."""

from __future__ import annotations

from rich.cells import cell_len

from tui.ui.desk import Desk

Line = tuple[tuple[str, str], ...]

WAYS = ("guide.ask", "gguf.open", "server.help")
"""The commands whose keys work here while the composer is empty."""

_WHAT = {
    "guide.ask": (
        "ask the guide: a small model inside lokal that knows lokal",
        "ask the guide: it knows lokal",
    ),
    "gguf.open": (
        "open a GGUF file from disk with the built-in llama.cpp engine",
        "open a GGUF file from disk",
    ),
    "server.help": (
        "how to start Ollama or llama-server here; another server's address",
        "start a server, or give an address",
    ),
}


def wording(width: int, *lines: Line) -> Line:
    """The first of the `lines` that has room in `width` cells; where none has, the last, which is the shortest."""
    return next((line for line in lines if sum(cell_len(text) for text, _ in line) <= width), lines[-1])


def panel(desk: Desk, width: int) -> tuple[Line, ...]:
    """The lines as (text, role) parts, in words for `width` cells."""
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
        key = (f"  {desk.key(id).lower():<4}", "accent" if usable else "muted")
        lines.append(wording(width, *((key, (what, "" if usable else "muted")) for what in _WHAT[id])))
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


def guide_welcome(desk: Desk, width: int) -> tuple[Line, ...]:
    """The empty chat with the guide, in words for `width` cells."""
    guide, real, file = ("The guide", "second"), ("A real model  ", "muted"), ("/open model.gguf", "")
    pull = (f"ollama pull llama3.2:3b, then {desk.key('server.search')}", "")
    both = (real, pull, ("   or   ", "muted"), file)
    language = (("     ", ""), ("Как остановить ответ?", ""))
    return (
        wording(
            width,
            (guide, (" is a model of a few megabytes that ships inside lokal.", "")),
            (guide, (" is a small model inside lokal.", "")),
        ),
        wording(
            width,
            (("It knows lokal, local models and their parameters, and nothing else.", ""),),
            (("It knows lokal and local models, nothing else.", ""),),
        ),
        (("It runs on this machine; nothing leaves it.", "muted"),),
        (),
        (("Try  ", "muted"), ("What does temperature do?", "")),
        (("     and then ", "muted"), ("and top_p?", "")),
        (("     ", ""), ("How do I get a real model?", "")),
        wording(
            width,
            (*language, ("  po polsku, tiếng Việt, o'zbekcha", "muted")),
            (*language, ("  po polsku, …", "muted")),
        ),
        (),
        *(
            (both,)
            if wording(width, both, ()) == both
            else ((real, pull), ((" " * len(real[0]), ""), ("or ", "muted"), file))
        ),
    )
