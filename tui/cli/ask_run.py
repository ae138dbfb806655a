"""One question on its way to a server, and its answer on the way to standard output."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from contextlib import aclosing, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tui.chat.requests import prepare
from tui.chat.state import ClientState, ConnectionStatus, ModelSettings, ServerState
from tui.chat.wording import progress_words
from tui.cli.ask_saving import SavedAnswer
from tui.cli.output import ProgressLine, say
from tui.cli.writer import OutputWriter
from tui.config.settings import Settings
from tui.core.conversation import Conversation
from tui.core.endings import remark
from tui.core.endpoint import Endpoint
from tui.core.events import Event, NotSent, Phase, Progress, ReasoningDelta, TextDelta, TextWasReasoning
from tui.core.generation import SILENT_S, Generation
from tui.core.message import NO_PARAMETERS, Message, Problem, Role, Status, Value, new_id
from tui.core.presets import Preset
from tui.core.request import ChatRequest
from tui.core.schema import Schema
from tui.core.text import safe_line
from tui.core.validation import check
from tui.errors import EngineError, Interrupted, LokalError, ModelMissing, SchemaMismatch, Unreachable
from tui.servers.connect import Connection, choose, named_server, require_model, why_not_model, with_names
from tui.servers.detect import environment_problem
from tui.servers.engine.child_process import PROMPT_CACHE_MIB

if TYPE_CHECKING:
    from tui.servers.engine.packaged_model import PackagedModel


@dataclass(frozen=True, slots=True)
class AskRequest:
    """What is asked of whom.

    `server` is an address, a name from the config, or empty for the best that answers; with a `gguf` it is the
    embedded engine, which writes its log into `logs`. `model` is empty where none was asked for. `chosen` are the
    parameters that the person asked for this time: it is told if a server does not take one of these. `piped` = a part
    of the text came through standard input. With a `schema` the answer is to be JSON. `key` is
    the API key for `server`. With `guide` the guide is asked in any case. `state` is lokal's folder for what it remembers.
    `preset_chosen` = the person has chosen the preset; `overrides` are the values that hold whatever the preset is.
    """

    text: str
    system: str
    preset: Preset
    values: Mapping[str, Value]
    chosen: frozenset[str]
    server: str
    model: str
    gguf: Path | None
    logs: Path
    settings: Settings
    piped: bool = False
    schema: Schema | None = None
    key: str = field(default="", repr=False)
    guide: bool = False
    state: Path = Path()
    preset_chosen: bool = True
    overrides: Mapping[str, Value] = field(default_factory=lambda: NO_PARAMETERS)

    @property
    def names_nobody(self) -> bool:
        """Whether anybody may answer: neither a server nor a model was named."""
        return not (self.server or self.model)

    @property
    def may_guide(self) -> bool:
        """Whether the guide may answer where no model does: not for text that was piped in, of which it knows nothing and
        whose reader would take its refusal for the result, nor for what is to be JSON."""
        return self.names_nobody and not (self.piped or self.schema)


class AskRun:
    """Asks once. What is known of the answer is there at any time, whatever ended the work."""

    def __init__(self, question: AskRequest, *, prints: bool, saved: SavedAnswer | None = None) -> None:
        """`prints` = the text goes to standard output as it comes; it is `saved` as it comes, if it is to be."""
        self.asked = Message(new_id(), None, Role.USER, question.text, time.time())
        self._question = question
        self._prints = prints
        self._saved = saved
        self._blank = Message(
            new_id(), self.asked.id, Role.ASSISTANT, "", time.time(), preset=question.preset.name
        )
        self._generation: Generation | None = None
        self._line = ProgressLine()

    @property
    def begun(self) -> bool:
        """Whether a model has been asked."""
        return self._generation is not None

    def answer(self, ending: BaseException | None = None) -> Message:
        """The answer as far as it is known; `ending` is why it was never begun."""
        problem = (
            Problem(ending.title, ending.detail, ending.hint) if isinstance(ending, LokalError) else None
        )
        if self._generation is not None:
            message = self._generation.as_message(self._blank)
            return replace(message, problem=problem) if isinstance(ending, SchemaMismatch) else message
        if problem is not None:
            return replace(self._blank, status=Status.FAILED, problem=problem)
        return replace(self._blank, status=Status.STOPPED)

    async def work(self) -> None:
        """Find the server, ask, print. Raises LokalError; cancelling it closes the connection at once."""
        question = self._question
        try:
            if question.gguf is not None:
                await self._ask_engine(question.gguf, question.values)
                return
            if question.guide:
                await self._ask_guide()
                return
            servers = question.settings.servers
            endpoint = named_server(question.server, servers, question.key) if question.server else None
            if endpoint is None and (wrong := environment_problem(os.environ)) is not None:
                say(str(wrong))
            if endpoint is not None:
                self._blank = replace(self._blank, server=endpoint.address)
            usual = question.model or question.settings.model
            try:
                connection = await choose(endpoint, servers, os.environ, usual, self._wait)
            except Unreachable as error:
                await self._ask_without_server(error)
            else:
                await self._ask(connection)
        finally:
            self._line.clear()

    def _wait(self, _: Endpoint) -> None:
        self._show(Progress(Phase.LOADING))

    async def _ask_without_server(self, nobody: Unreachable) -> None:
        """Let the model answer that was installed beside lokal, or else the guide. Where neither can, that no server answers
        is still what matters most, and is raised."""
        from tui.servers.engine import packaged_model
        from tui.servers.engine.engine import why_missing

        question = self._question
        if not question.names_nobody:
            raise nobody
        packaged = None
        try:
            packaged = await packaged_model.find(question.state)
        except EngineError as error:
            say(str(error))
        if packaged is None and not question.may_guide:
            raise nobody
        if (missing := why_missing()) is not None:
            who = packaged_model.CALLED if packaged is not None else "lokal's own guide"
            hint = f"{nobody.hint}. With the engine, {who} would answer: {missing.hint}"
            raise Unreachable(nobody.title, nobody.detail, hint)
        if packaged is not None:
            await self._ask_packaged(packaged)
            return
        say(
            "No model server answers: the guide does, a small model inside lokal that knows only lokal and local models"
        )
        await self._ask_guide()

    async def _ask_guide(self) -> None:
        from tui.guide.model import CACHE_MIB, CALLED, VALUES, checked_model

        await self._ask_engine(checked_model(), VALUES, CALLED, CACHE_MIB)

    async def _ask_packaged(self, model: PackagedModel) -> None:
        """Ask the small model, sampled as its card says unless the person has chosen a preset; say what it is, and who would
        answer better."""
        from tui.core.language import NAMES, about_lokal, other_language
        from tui.servers.engine.packaged_model import CALLED, PRESET

        question = self._question
        if not question.preset_chosen:
            preset = replace(PRESET, system=question.system)
            values = {**PRESET.values, **question.overrides}
            self._question = question = replace(question, preset=preset, values=values)
            self._blank = replace(self._blank, preset=preset.name)
        say(f"No model server answers: {CALLED} does, a very small model that knows some English")
        if about_lokal(question.text):
            say("Of lokal it knows nothing: lokal ask --guide asks the guide, which does")
        elif (language := other_language(question.text)) is not None:
            say(
                f"The question is in {NAMES.get(language, 'another language')}: a bigger model answers better"
                " (lokal --server, --gguf); lokal ask --guide knows lokal, in five languages"
            )
        await self._ask_engine(model.path, question.values, CALLED, check=model.check)

    async def _ask_engine(
        self,
        gguf: Path,
        values: Mapping[str, Value],
        name: str = "",
        cache_mib: int = PROMPT_CACHE_MIB,
        check: Callable[[], None] | None = None,
    ) -> None:
        from tui.servers.engine import embedded
        from tui.servers.engine.engine import Engine

        keys = self._question.settings.keys_of_servers
        engine = Engine(
            gguf,
            self._question.logs,
            values,
            name=name,
            cache_mib=cache_mib,
            keys=keys,
            on_warning=say,
        )
        try:
            await self._ask(await embedded.start(engine, self._show, check=check))
        finally:
            await engine.stop()

    async def _ask(self, connection: Connection) -> None:
        question, server = self._question, connection.server
        self._line.clear()
        self._blank = replace(self._blank, server=server.endpoint.address)
        try:
            usual = question.settings.model
            model = require_model(connection, question.model, usual)
            if not question.model and (told := why_not_model(connection, "", usual, model)):
                say(told)
            await self._read(connection, self._prepared(connection, model))
        except ModelMissing as error:
            raise with_names(error, connection.models) from error
        finally:
            await server.aclose()

    async def _read(self, connection: Connection, request: ChatRequest) -> None:
        """Take the answer in and print it."""
        generation = self._generation = Generation(time.monotonic())
        writer = OutputWriter()
        saved = self._saved
        written = saved.begun(self.asked, self._blank) if saved is not None else nullcontext()
        listening = asyncio.create_task(self._tell_silence(generation, writer))
        try:
            async with written, aclosing(connection.server.chat(request)) as events:
                async for event in events:
                    generation.apply(event, time.monotonic())
                    self._save(event)
                    if isinstance(event, NotSent):
                        self._line.clear()
                        say(f"Not sent to {connection.info.kind.label}: {'; '.join(event.what)}")
                    elif isinstance(event, TextDelta) and self._prints:
                        self._line.clear()
                        await writer.write(event.text)
                    elif not writer.began:
                        self._show(event)
                    elif isinstance(event, TextWasReasoning):
                        await writer.end_line()
                        say("What came so far was the model's reasoning; the answer follows")
        finally:
            listening.cancel()
            generation.stop(time.monotonic())  # of no effect on an answer that has ended
            self._line.clear()
            writer.end_line_if_room()
        if isinstance(generation.error, Interrupted):
            # Its own hint is for the screen, which can go on with the answer.
            title, detail = generation.error.title, generation.error.detail
            raise Interrupted(title, detail, "What came is printed; ask again for the whole", 200)
        if generation.error is not None:
            raise generation.error
        self._remark(self.answer())
        if self._question.schema is not None:
            hold(self.answer(), self._question.schema)

    def _save(self, event: Event) -> None:
        """What has come is written down while the rest comes."""
        if self._saved is None:
            return
        if isinstance(event, TextDelta):
            self._saved.advance(event.text, "")
        elif isinstance(event, ReasoningDelta):
            self._saved.advance("", event.text)
        elif isinstance(event, TextWasReasoning):
            self._saved.rewrite(self.answer())

    async def _tell_silence(self, generation: Generation, writer: OutputWriter) -> None:
        """Say of each minute in which nothing comes that nothing came, until the text begins."""
        while not writer.began:
            await asyncio.sleep(SILENT_S - (time.monotonic() - generation.heard_at) % SILENT_S)
            generation.note_time(time.monotonic())
            if generation.silent_minutes and not writer.began:
                self._line.show(f"no word from the server for {generation.silent_minutes} min")

    def _prepared(self, connection: Connection, model: str) -> ChatRequest:
        """What is sent, made as the screen makes it. What the person asked for this time and the server or its model does
        not take is told; what the answer is recorded with is in the blank from now on."""
        question = self._question
        preset = replace(question.preset, values=question.values, system=question.system)
        state = ClientState(
            ServerState(ConnectionStatus.CONNECTED, connection),
            ModelSettings(model, presets=(preset,), preset=preset),
        )
        blank = replace(self._blank, created_at=time.time())
        conversation = Conversation(new_id(), "", (self.asked,))
        prepared = prepare(
            state, connection, conversation, blank, resume=False, schema=question.schema, must_hold=True
        )
        for line in prepared.unsent_lines(connection.server.kind.label, question.chosen):
            say(line)
        self._blank = replace(prepared.answer, parameters={**prepared.answer.parameters, **prepared.at_start})
        return prepared.request

    def _show(self, event: Event) -> None:
        """What happens before the first word."""
        if isinstance(event, ReasoningDelta):
            self._line.show("thinking")
        if not isinstance(event, Progress):
            return
        if event.phase is Phase.WAITING:
            self._line.show(f"the server is busy and is asked again in {event.total - event.done} s")
            return
        self._line.show(progress_words(event.phase, event))

    def _remark(self, answer: Message) -> None:
        """What a person should know of an answer that is whole for the server but not for them."""
        if answer.finish_reason == "length" and answer.cut_at:
            say(f"The answer was cut at {answer.cut_at} tokens; --set max_tokens=N allows more")
        elif answer.finish_reason == "length":
            say("The answer was cut: the context window is full")
        if said := remark(answer.finish_reason):
            say(said)
        elif not answer.content.strip():
            say(
                "The model answered nothing"
                + (" but reasoning (--json shows it)" if answer.reasoning else "")
            )


def hold(answer: Message, schema: Schema) -> None:
    """Raise Misfit if the answer is not what it was to be; say what was not checked."""
    verdict, name = check(answer.content, schema), safe_line(schema.name, 60)
    if verdict.faults:
        what = f"does not fit {name}" if verdict.is_json else "is not JSON"
        places = f" in {len(verdict.faults)} places" if len(verdict.faults) > 1 else ""
        cut = "It was cut before its end; " if answer.finish_reason == "length" else ""
        why = f"{cut}{verdict.faults[0]}"
        raise SchemaMismatch(
            f"The answer {what}{places}",
            f"{why[:1].upper()}{why[1:]}",
            "Ask again, or ask a larger model",
            200,
        )
    if verdict.given_up:
        say(f"To check the answer against {name} would take too long")
    elif verdict.unchecked:
        say(f"Not checked: {', '.join(verdict.unchecked)}")
