"""The empty chat while no server answers: what was asked, and the ways on; and the one with the guide."""

from __future__ import annotations

from rich.cells import cell_len

from tui.chat.decision import Decision, DecisionOption
from tui.core.model import PACKAGED_CALLED
from tui.servers.registry import all_profiles
from tui.ui.state import ScreenState

Line = tuple[tuple[str, str], ...]

_GUIDE = "ask the guide: it knows lokal, in five languages"
_PACKAGED = f"{PACKAGED_CALLED}, built in, answers meanwhile: small, often wrong, English only."
_FILE = "open a GGUF file from disk"
_SERVER = "start or name a server: how to start Ollama or llama-server here"


def wording(width: int, *lines: Line) -> Line:
    """The first of the `lines` that has room in `width` cells; where none has, the last, which is the shortest."""
    return next((line for line in lines if sum(cell_len(text) for text, _ in line) <= width), lines[-1])


def ways_on(state: ScreenState, *, writing: bool = True) -> Decision:
    """What to do without a server. While somebody is `writing`, what is typed is a question, whatever it begins with."""
    problem, missing = state.server.problem, state.server.engine_missing
    packaged = state.connection is not None and state.connection.packaged
    title = problem.title if problem is not None else "No model server answers"
    said = [problem.detail, "" if state.server.may_guide else problem.hint] if problem is not None else []
    brief = said[:1]
    if missing is not None:
        said += [f"The guide and files need the engine. {missing.title}.", missing.hint]
        brief = ["The guide and files need the engine."]
    elif packaged:
        said = [problem.detail if problem is not None else "", _PACKAGED]
        brief = said[-1:]
    elif state.server.may_guide and writing:
        said.append("Or just ask: the guide answers, and says so.")
        brief = said[-1:]
    why_not = "needs the engine" if missing is not None else ""
    options = (
        DecisionOption(
            "guide.ask", _GUIDE, f"{_GUIDE} ({why_not})" if why_not else "", "ask the guide: it knows lokal"
        ),
        DecisionOption("gguf.open", _FILE, f"{_FILE} ({why_not})" if why_not else ""),
        DecisionOption("server.help", _SERVER, brief="start or name a server"),
        DecisionOption("server.search", "look again"),
    )
    return Decision(
        title,
        "\n".join(filter(None, said)),
        options,
        "\n".join(filter(None, brief)),
        typed="a question",
        calm=state.server.may_guide or packaged,  # nobody was asked for by name: nothing went wrong
    )


def ways_to_models(place: str, fetch: str) -> Decision:
    """What to do where the server at `place` has no model; `fetch` is how it gets one."""
    options = (
        DecisionOption("server.search", "look again, once it has one"),
        DecisionOption("gguf.open", _FILE),
        DecisionOption("server.help", "start or name another server", brief="another server"),
    )
    return Decision(f"{place} has no models yet.", fetch, options)


def guide_welcome(state: ScreenState, width: int) -> tuple[Line, ...]:
    """The empty chat with the guide, in words for `width` cells."""
    guide, real, file = ("The guide", "second"), ("A real model  ", "muted"), ("/open model.gguf", "")
    command = next(filter(None, (profile.hints.model_command for profile in all_profiles())))
    pull = (f"{command}, then {state.key('server.search')}", "")
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
