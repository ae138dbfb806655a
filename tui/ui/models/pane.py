"""The Models tab: what the server has, which of it is in use, and what can be done with it. It takes keys, shows, and says what
is wanted; `tui.ui.models.controller` does it."""

from __future__ import annotations

import math
import time
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.strip import Strip
from textual.timer import Timer

from tui.chat.decision import Decision
from tui.chat.overflow import window_of
from tui.chat.state import WINDOW, ConnectionStatus
from tui.core.commands import BY_ID
from tui.core.model import Model
from tui.core.model_actions import ModelAction
from tui.core.model_management import RunningModel
from tui.core.text import human_size, human_time, human_tokens, safe_line, safe_name
from tui.models.catalogue import load_catalogue, offered_names
from tui.models.listing import SORTS, totals
from tui.models.pull import Pull, PullState
from tui.ui.chat.decision_prompt import DecisionPrompt
from tui.ui.chat.welcome import welcome
from tui.ui.messages import CommandWanted, ModelChosen
from tui.ui.models.messages import ModelCommandGiven, ModelRested, ModelsShown, ModelsStatus, PullCommandGiven
from tui.ui.models.prompt import ModelPrompt, Purpose
from tui.ui.models.side import LEAST_COLUMNS, ModelSide
from tui.ui.models.table import ModelTable
from tui.ui.start.panel import ways_on, ways_to_models
from tui.ui.state import ScreenState
from tui.ui.widgets.line import LineWidget
from tui.ui.widgets.line_list import LineList
from tui.ui.widgets.row import Part, choose, cut, cut_middle, fit, wrap_words

OFFERED = 5
"""Names of models that are offered while one is typed."""
COUNTDOWN_S = 30.0
"""How often the time until a model is unloaded is counted anew, while somebody looks."""
_NEEDS = {
    "model.load": ModelAction.LOAD,
    "model.unload": ModelAction.UNLOAD,
    "model.keep": ModelAction.KEEP,
    "model.pull": ModelAction.PULL,
    "model.delete": ModelAction.DELETE,
    "model.copy": ModelAction.COPY,
    "model.rename": ModelAction.COPY,
    "model.create": ModelAction.CREATE,
    "model.load_with": ModelAction.LOAD,
    "model.adapters": ModelAction.SCALE_ADAPTERS,
}
_GOES_ON = {
    PullState.PAUSED: "go on",
    PullState.FAILED: "try again",
    PullState.RETRYING: "try now",
}
"""What the key that pauses a download does with one that does not run."""
_MISSED_MOST = (ModelAction.PULL, ModelAction.LOAD, ModelAction.DELETE)
"""What the tab says of by itself where the server cannot do it."""


DetailLine = tuple[tuple[tuple[str, str], ...], ...]
"""Groups of (text, role) parts, of which a narrow screen shows the first ones; one alone is cut."""


class Details(LineWidget):
    """Lines about the model or download under the cursor, about all of them, and the keys."""

    def __init__(self) -> None:
        super().__init__(id="model-details")
        self._lines: tuple[DetailLine, ...] = ()

    def show(self, lines: tuple[DetailLine, ...]) -> None:
        """The lines, of which the first is a name."""
        if lines != self._lines:
            self._lines = lines
            self.refresh()

    def line_at(self, y: int, width: int) -> Strip:
        parts: list[Part] = [self.part(" ")]
        if y < len(self._lines):
            line = self._lines[y]
            if len(line) == 1:
                (text, role), *_ = line[0]
                shown = cut_middle(text, width - 2) if role == "second" else cut(text, width - 2)
                parts.append(self.part(shown, role))
            else:
                groups = [
                    (place, [self.part(text, role) for text, role in group])
                    for place, group in enumerate(line)
                ]
                parts += choose(groups, self.part("  "), width - 2)
        return fit(parts, width, self.base())


class ModelsPane(Vertical):
    """The list, and what is known of the model under the cursor; where there is no model, the ways to one."""

    OWN_COMMANDS: ClassVar = frozenset({"models.leave", "model.pull", "model.files"})
    """The commands whose keys it reads itself, while it has the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "refresh_models", id="model.refresh", show=False),
        Binding("p", "ask_pull", id="model.pull", show=False),
        Binding("o", "show_files", id="model.files", show=False),
        Binding("escape", "leave", id="models.leave", show=False),
    ]

    def __init__(self, state: ScreenState) -> None:
        super().__init__(id="models")
        self._state = state
        self._status = ModelsStatus()
        self._countdown: Timer | None = None
        self._to_delete: tuple[str, ...] = ()

    def compose(self) -> ComposeResult:
        with Horizontal(id="model-list"):
            yield ModelTable(self._state)
            yield ModelSide(
                lambda model: self.post_message(ModelRested(model)), lambda: self._state.key("model.details")
            )
        yield Details()
        yield ModelPrompt()
        yield DecisionPrompt("models-choice", self._state.keys)

    def on_mount(self) -> None:
        """Fill the list."""
        self._fill()
        self.post_message(ModelsShown())

    @property
    def table(self) -> ModelTable:
        """The list."""
        return self.query_one(ModelTable)

    @property
    def side(self) -> ModelSide:
        """What is told of the model under the cursor, on a wide screen."""
        return self.query_one(ModelSide)

    @property
    def prompt(self) -> ModelPrompt:
        """The line in which something is typed."""
        return self.query_one(ModelPrompt)

    @property
    def choice(self) -> DecisionPrompt:
        """The ways on, where there is no model."""
        return self.query_one(DecisionPrompt)

    def set_state(self, state: ScreenState) -> None:
        """Show the state's server."""
        is_new = state.connection is not self._state.connection
        self._state = state
        if self.is_mounted:
            if is_new:
                self.side.leave()
            self._fill()

    def show_status(self, status: ModelsStatus) -> None:
        """Show what goes on with models."""
        self._status = status
        if self.is_mounted:
            self._fill()

    def on_show(self) -> None:
        """The time until models are unloaded is counted while somebody looks."""
        self._countdown = self.set_interval(COUNTDOWN_S, self._describe)
        self._follow()

    def on_resize(self) -> None:
        """There is room for the details beside the list, or no longer."""
        self._follow()

    def on_hide(self) -> None:
        """Nobody looks."""
        if self._countdown is not None:
            self._countdown.stop()
            self._countdown = None
        self.side.leave()

    def _follow(self) -> None:
        """Describe the model under the cursor beside the list, where there is room and somebody looks."""
        side, model = self.side, self.table.current
        side.display = self.size.width >= LEAST_COLUMNS and model is not None and not self.choice.display
        if side.display and self._countdown is not None:
            side.follow(model)
        else:
            side.leave()

    # -- keys -------------------------------------------------------------------------------------------------------

    @on(LineList.Moved)
    def _handle_model_table_moved(self) -> None:
        """Another line is to be described."""
        self._describe()

    def action_refresh_models(self) -> None:
        """Ask again."""
        self.post_message(CommandWanted("model.refresh"))

    def action_leave(self) -> None:
        """Show all models again, or go back to the chat."""
        if self.table.marked:
            self.table.unmark()
            self._describe()
        elif self.table.query_text:
            self.table.order_by(self.table.sort, "")
            self._describe()
        else:
            self.post_message(CommandWanted("tab.chat"))

    def action_show_files(self) -> None:
        """Show the model files of this machine."""
        self.post_message(CommandWanted("gguf.open"))

    def action_ask_pull(self) -> None:
        """Ask which model is to be downloaded."""
        by_server = self._state.connection is not None and self._status.actions.can(ModelAction.PULL)
        hint = f"{'NAME or ' if by_server else ''}hf:ORG/REPO:QUANT · Esc"
        self.prompt.ask(Purpose.PULL, "Download:", hint)
        self.query_one(Details).display = True
        self._describe()

    @on(ModelTable.Pressed)
    def _take_key(self, event: ModelTable.Pressed) -> None:
        event.stop()
        model, pull, id = self.table.current, self.table.current_pull, event.id
        match id:
            case "model.use":
                if model is not None:
                    self.post_message(ModelChosen(model.name))
            case "model.filter":
                self.prompt.ask(
                    Purpose.FILTER, "Filter:", "Enter keeps · Esc shows all", text=self.table.query_text
                )
            case "model.sort":
                orders = ("", *SORTS)
                at = orders.index(self.table.sort)
                self.table.order_by(orders[(at + 1) % len(orders)], self.table.query_text)
                self._describe()
            case "model.unload_all" | "model.update":
                self.post_message(ModelCommandGiven(id))
            case "model.mark":
                self.table.mark()
                self._describe()
            case "model.delete" if self.table.marked or model is not None:
                marked = tuple(each.name for each in self.table.shown if each.name in self.table.marked)
                names = marked or ((model.name,) if model is not None else ())
                self.post_message(ModelCommandGiven(id, names[0] if names else "", models=names))
            case "model.rename" if model is not None and self._status.actions.can(ModelAction.COPY):
                label = f"Rename {safe_name(model.name, 40)} to:"
                self.prompt.ask(Purpose.RENAME, label, "Enter renames · Esc", model.name, model.name)
            case "model.load_with" if model is not None and self._status.actions.can(ModelAction.LOAD):
                label = f"Load {cut_middle(safe_name(model.name), 30)} with:"
                self.prompt.ask(Purpose.LOAD, label, "WINDOW TIME, as 8192 30m · Esc", model.name)
            case "model.create" if model is not None and self._status.actions.can(ModelAction.CREATE):
                self.prompt.ask(Purpose.CREATE, "New model:", "NAME [q4_K_M] · Esc", model.name)
            case "model.copy" if model is not None and self._status.actions.can(ModelAction.COPY):
                label = f"Copy {safe_name(model.name, 40)} as:"
                self.prompt.ask(Purpose.COPY, label, "Enter copies · Esc", model.name, model.name)
            case _ if id.startswith("pull."):
                if pull is not None:
                    self.post_message(PullCommandGiven(id, pull.id))
            case _ if model is not None:
                self.post_message(ModelCommandGiven(id, model.name))

    def ask_scales(self, model: str, names: str, text: str) -> None:
        """Ask how strongly the adapters of these names are applied; `text` is how they are."""
        self.prompt.ask(
            Purpose.ADAPTERS, f"Scale of {cut(names, 36)}:", "0 is off · Enter · Esc", model, text
        )

    def confirm_creation(self, name: str, typed: str, summary: str, *, replaces: bool = False) -> None:
        """Ask whether a model is to be made of what was written; `typed` named it. With `replaces` one of that name is lost."""
        shown = cut_middle(safe_name(name), 30)
        label = f"Replace the model {shown} by one {summary}?" if replaces else f"Make {shown} {summary}?"
        hint = f"Enter {'replaces' if replaces else 'makes'} it · other keys keep the text"
        self.prompt.confirm(Purpose.CONFIRM_CREATE, label, hint, typed, "enter")

    def confirm_deletion(self, models: tuple[str, ...], effect: str, typed: str = "") -> None:
        """Ask whether models are to be deleted, of which `effect` says what that frees. With `typed` that name has to be
        written to say so."""
        self._to_delete = models
        model = models[0]
        what = cut_middle(safe_name(model), 30) if len(models) == 1 else f"{len(models)} models"
        if typed:
            label = f"Delete {what}? {effect} Type {cut_middle(safe_name(typed), 30)}:"
            self.prompt.ask(Purpose.DELETE_BY_NAME, label, "", typed)
            return
        key = self._state.keys.get("model.delete", "")
        hint = f"{self._state.key('model.delete')} deletes · other keys keep it"
        self.prompt.confirm(
            Purpose.DELETE,
            f"Delete {what}? {effect}",
            hint,
            model,
            key or "enter",
        )

    @on(ModelPrompt.Typed)
    def _filter(self, event: ModelPrompt.Typed) -> None:
        event.stop()
        if self.prompt.purpose is Purpose.FILTER:
            self.table.order_by(self.table.sort, event.text)
        else:
            self._describe()

    @on(ModelPrompt.Walked)
    def _walk(self, event: ModelPrompt.Walked) -> None:
        event.stop()
        steps = {"up": -1, "down": 1}
        if event.key in steps:
            self.table.action_move(steps[event.key])
        else:
            self.table.action_page(-1 if event.key == "pageup" else 1)

    @on(ModelPrompt.Ended)
    def _end_prompt(self, event: ModelPrompt.Ended) -> None:
        event.stop()
        self.prompt.close()
        self.query_one(Details).display = not self.choice.display
        self.screen.set_focus(self.choice if self.choice.display else self.table)
        match event.purpose:
            case Purpose.FILTER:
                self.table.order_by(self.table.sort, event.text or "")
            case Purpose.PULL if event.text:
                self.post_message(ModelCommandGiven("model.pull", argument=event.text))
            case Purpose.COPY if event.text and event.text != event.model:
                self.post_message(ModelCommandGiven("model.copy", event.model, event.text))
            case Purpose.RENAME if event.text and event.text != event.model:
                self.post_message(ModelCommandGiven("model.rename", event.model, event.text))
            case Purpose.LOAD if event.text is not None:
                self.post_message(ModelCommandGiven("model.load_with", event.model, event.text))
            case Purpose.ADAPTERS if event.text:
                self.post_message(ModelCommandGiven("model.adapters", event.model, event.text))
            case Purpose.CREATE if event.text:
                self.post_message(ModelCommandGiven("model.create", event.model, event.text))
            case Purpose.CONFIRM_CREATE if event.text is not None:
                self.post_message(ModelCommandGiven("model.create", argument=event.model, sure=True))
            case Purpose.DELETE if event.text is not None:
                self._delete_for_sure()
            case Purpose.DELETE_BY_NAME if event.text == event.model:
                self._delete_for_sure()
            case Purpose.DELETE_BY_NAME if event.text:
                self.post_message(ModelCommandGiven("model.delete"))  # another name: nothing is deleted
            case _:
                pass
        self._describe()

    def _delete_for_sure(self) -> None:
        names, self._to_delete = self._to_delete, ()
        self.table.unmark()
        self.post_message(
            ModelCommandGiven("model.delete", names[0] if names else "", sure=True, models=names)
        )

    # -- what is shown ----------------------------------------------------------------------------------------------

    def _fill(self) -> None:
        table, choice, focused = self.table, self.choice, self.screen.focused
        table.show_status(self._status)
        table.show_models(self._models(), self._state.model)
        table.show_message(self._waiting())
        dilemma = None if self._status.pulls else self._ways_on()
        choice.show(dilemma)
        table.display = self.query_one("#model-list").display = dilemma is None
        self.query_one(Details).display = dilemma is None or self.prompt.purpose is Purpose.PULL
        if focused in (table, choice):
            self.screen.set_focus(table if dilemma is None else choice)
        self._describe()

    def _models(self) -> tuple[Model, ...]:
        """All that the server has, as far as it is known."""
        if self._state.connection is None:
            return ()
        return self._state.connection.models if self._status.models is None else self._status.models

    def _describe(self) -> None:
        asks_name = self.prompt.purpose is Purpose.PULL
        self.query_one(Details).show(self._offered() if asks_name else self._lines())
        self._follow()

    def _offered(self) -> tuple[DetailLine, ...]:
        """Names that complete what is typed, the first of which Tab takes."""
        pulls = [pull.model for pull in reversed(self._status.pulls)]
        connection = self._state.connection
        has_library = connection is not None and connection.server.profile.has_library
        names = offered_names(self.prompt.text, pulls, load_catalogue() if has_library else ())
        self.prompt.offered = names[0].name if names else ""
        return tuple(
            (
                (
                    (
                        f"{'Tab ' if not at else ' ' * 4}{each.name:<18}  {each.help}",
                        "muted" if at else "foreground",
                    ),
                ),
            )
            for at, each in enumerate(names[:OFFERED])
        )

    def _waiting(self) -> tuple[tuple[str, str], ...]:
        """What is said while a server is looked for, or its model is loaded."""
        if self._state.status not in (ConnectionStatus.SEARCHING, ConnectionStatus.STARTING):
            return ()
        lines = welcome(self._state, self.size.width)
        return tuple(("".join(text for text, _ in line), "foreground") for line in lines[:1])

    def _ways_on(self) -> Decision | None:
        """What can be done where there is no model; None where there are some, or it is not known yet."""
        state, connection = self._state, self._state.connection
        if connection is None:
            return ways_on(state, writing=False) if state.status is ConnectionStatus.NONE else None
        if connection.models:
            return None
        command = connection.server.profile.hints.model_command
        here = state.key("model.pull") if self._status.actions.can(ModelAction.PULL) else ""
        gets = f"{command} gets one{f', or {here} here' if here else ''}" if command else "Load one there"
        return ways_to_models(connection.place, gets)

    def _lines(self) -> tuple[DetailLine, ...]:
        model, pull = self.table.current, self.table.current_pull
        if pull is not None:
            name, role = safe_name(pull.model), _pull_role(pull)
            keys = self._keys(
                ("pull.pause", "pull.cancel", "pull.earlier", "pull.later"), _GOES_ON.get(pull.state, "")
            )
            told = wrap_words(_about_pull(pull), max(10, self.size.width - 2)) if pull.problem else []
            if len(told) > 1:  # why it failed is worth more than what all models take
                reasons = [(((line, role),),) for line in (told[0], " ".join(told[1:]))]
                return ((((name, "second"),),), *reasons, keys)
            about = (_about_pull(pull), role)
        elif model is not None:
            running = next((each for each in self._status.running if each.name == model.name), None)
            name = safe_name(model.name)
            about = (
                (safe_line(model.note, 300), "error")
                if model.note
                else (self._about(model, running), "muted")
            )
            keys = self._keys(self._model_keys(model))
        else:
            return ()
        alone = (((name, "second"),),), ((about,),), (((self._totals(), "muted"),),)
        return (*alone, keys, (((self._missing(), "muted"),),))

    def _about(self, model: Model, running: RunningModel | None) -> str:
        """What is known of a model, and that the next question loads it anew where its window is another one."""
        about, next_window = _about(model, running), self._next_window(model)
        if model.loaded and model.context_loaded and next_window not in (None, model.context_loaded):
            return f"a question asks for {human_tokens(next_window or 0)}, and reloads it · {about}"
        return about

    def _next_window(self, model: Model) -> int | None:
        """The context window of the next question to a model, where a question decides; None where it is not known."""
        state = self._state
        if state.connection is None or not state.connection.server.profile.window_by_request:
            return None
        if model.name == state.model:
            return window_of(state)
        asked = state.values().get(WINDOW)
        return min(asked, model.context_trained or asked) if isinstance(asked, int) else None

    def _totals(self) -> str:
        """What all models take that the list shows, and how it is ordered."""
        table = self.table
        if table.marked:
            size = sum(model.size or 0 for model in table.shown if model.name in table.marked)
            return f"{len(table.marked)} marked" + (f" · {human_size(size)} on the disk" if size else "")
        parts = [totals(table.shown, " · ")]
        if self._status.running and "in memory" not in parts[0]:
            taken = sum(each.memory or 0 for each in self._status.running)
            parts += [f"{human_size(taken)} in memory"] if taken else []
        if table.sort:
            parts.append(f"by {'what is loaded' if table.sort == 'loaded' else table.sort}")
        if table.query_text:
            parts.append(f"with “{table.query_text}”")
        return " · ".join(parts)

    def _model_keys(self, model: Model) -> tuple[str, ...]:
        memory = "model.unload" if model.loaded else "model.load"
        if self.table.marked:
            return "model.delete", "model.mark", "models.leave"
        return (
            memory, "model.pull", "model.delete", "model.details", "model.filter", "model.sort", "model.create", "model.copy",
            "model.mark", "model.rename", "model.keep", "model.unload_all", "model.adapters",
        )  # fmt: skip

    def _keys(self, ids: tuple[str, ...], first: str = "") -> DetailLine:
        """The keys of what can be done now, the likeliest first; `first` is what that one does now, if not what it always does."""
        can = self._status.actions.can
        words = {id: BY_ID[id].short or BY_ID[id].title.lower() for id in ids}
        words[ids[0]] = first or words[ids[0]]
        return tuple(
            ((self._state.key(id), "key"), (f" {words[id]}", "muted"))
            for id in ids
            if self._state.key(id) and (id not in _NEEDS or can(_NEEDS[id]))
        )

    def _missing(self) -> str:
        """What this kind of server cannot do, and why; empty where it can do what is wanted most."""
        actions, connection = self._status.actions, self._state.connection
        missing = next((action for action in _MISSED_MOST if not actions.can(action)), None)
        if missing is None or connection is None:
            return ""
        return f"{connection.server.profile.label} cannot {missing}: {actions.why_not(missing)}"


def _about(model: Model, running: RunningModel | None) -> str:
    """What is known of a model that its line does not say."""
    about = [safe_line(model.family, 30), ", ".join(model.capabilities)]
    memory = running.memory if running is not None and running.memory is not None else model.memory
    if memory:
        graphics = (
            f", {human_size(running.vram)} of it on the GPU" if running is not None and running.vram else ""
        )
        about.append(f"{human_size(memory)} of memory{graphics}")
    if running is not None and running.expires_at is not None:
        about.append(_until(running.expires_at))
    if model.context_trained:
        about.append(f"made for {human_tokens(model.context_trained)} tokens of context")
    return " · ".join(part for part in about if part)


def _until(expires_at: float) -> str:
    if math.isinf(expires_at):
        return "until it is unloaded"
    left = expires_at - time.time()
    return f"{human_time(left)} to go" if left > 0 else "about to go"


def _about_pull(pull: Pull) -> str:
    problem = pull.problem
    if problem is not None:
        return ". ".join(part for part in (problem.title, problem.detail, problem.hint) if part)
    if pull.changes:
        details = [f"{each.name} {each.before} → {each.after}" for each in pull.changes.fields if each.after]
        return " · ".join([pull.result, *details])
    if pull.state is PullState.DONE:
        return pull.result
    layers = len(pull.progress.layers)
    parts = [
        str(pull.state),
        pull.sizes,
        safe_line(pull.progress.status, 60),
        f"{layers} files" if layers > 1 else "",
    ]
    return " · ".join(part for part in parts if part)


def _pull_role(pull: Pull) -> str:
    return "error" if pull.state is PullState.FAILED else "warning" if pull.problem is not None else "muted"
