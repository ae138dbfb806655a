"""What is known of each kind of server before any is asked: where it listens, how it is recognised, what it can do, and
the texts that name its own commands and settings.

The profile of a kind stands beside its class. A connected server has it as `server.profile`; where there is none yet,
`tui.servers.registry.profile_of` finds it by the kind. Whoever needs to treat kinds differently adds a field here and
reads it, and compares no kind. This module and the profiles load neither httpx nor the `ollama` package.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.core.endpoint import ServerKind
from tui.core.model_actions import ModelActions
from tui.core.parameters import BY_NAME

if TYPE_CHECKING:
    from tui.core.model import ServerInfo
    from tui.errors import ServerError
    from tui.servers.errors import Asked, ServerErrorBody
    from tui.servers.probe_replies import ProbeReplies


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Capabilities:
    """What a kind of server can do beyond answering."""

    resumes: bool = False  # continues an answer that is the last turn
    loads_on_request: bool = False  # loads the model that a request names
    counts_tokens: bool = False  # says how many tokens a prompt takes
    structured: bool = False  # holds an answer to JSON, or to a schema
    room: int | None = None  # cuts the prompt to the window less max_tokens, or less this where none is sent


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Recognition:
    """How a kind is told from the others. `probes` are the paths that are asked, and `recognise` says what the server
    is, None for one of another kind. `owner` is what the kind writes as `owned_by` in its list at `/v1/models`, by which
    it is known where a proxy lets nothing else through."""

    probes: tuple[str, ...] = ()
    recognise: Callable[[ProbeReplies], ServerInfo | None] | None = None
    owner: str = ""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SetupStep:
    """A shell command and what it does."""

    command: str
    purpose: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Setup:
    """How a person who has no server yet gets one of this kind: why this one, and the commands in their order."""

    summary: str
    steps: tuple[SetupStep, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Hints:
    """What a person can do, in the words of this kind. A sentence begins with a capital and has no full stop.

    `start` is a sentence on how to start the server, `start_command` the command alone, empty where there is none.
    `get_model` is a sentence on how it gets a first model, `model_command` a command that gets a small one, empty where
    none does. `missing_model` is a sentence on a model that it does not have; `{model}` in it is the name.
    `enlarge_window` names the setting for a larger context window; `window_is_fixed` is a clause that says who sets the
    window where a request cannot, empty where it can. `setup` is shown to a person who has no server yet.
    """

    start: str
    get_model: str
    enlarge_window: str
    start_command: str = ""
    model_command: str = ""
    missing_model: str = "The Models tab shows the models that the server has"
    window_is_fixed: str = ""
    setup: Setup | None = None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ServerProfile:
    """One kind of server. `ports` are those that it listens on by default, the likeliest first.

    `refuses_overflow`: a prompt that does not fit into the context window is refused, so that trying it costs nothing;
    other kinds may cut it in silence. `needs_model_name`: a request must name a model. `ignores_model_name`: whatever
    model is loaded answers, also under another name. `lists_all_models`: it has no model that it does not list.
    `lists_models_always`: an empty list means that it has none, rather than that it does not tell.
    `takes_load_flags`: what is set when a model is loaded is given to it as the flags of llama-server when it starts.
    `model_actions` is what the kind can do with its models at best; a server's `model_manager` says what it can itself.
    `has_library`: models are downloaded by the names of Ollama's library.
    `explain_refusal` knows refusals that only this kind has; None = it is one of those that all have.
    """

    kind: ServerKind
    hints: Hints
    capabilities: Capabilities = Capabilities()
    recognition: Recognition = Recognition()
    ports: tuple[int, ...] = ()
    refuses_overflow: bool = False
    needs_model_name: bool = True
    ignores_model_name: bool = False
    lists_all_models: bool = True
    lists_models_always: bool = False
    takes_load_flags: bool = False
    has_library: bool = False
    model_actions: ModelActions = ModelActions()
    explain_refusal: Callable[[ServerErrorBody, int, Asked], ServerError | None] | None = None

    @property
    def label(self) -> str:
        """The name people know it by."""
        return self.kind.label

    @property
    def window_by_request(self) -> bool:
        """Whether a request may ask for a context window of its own, for which the server loads the model anew."""
        return self.kind in BY_NAME["context_window"].wire
