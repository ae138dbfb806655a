"""The slash commands of plain mode: what each does in lines, and why those of the screen alone do nothing here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tui import files
from tui.chat import chat_files, structured_output
from tui.chat.chat_file_service import ChatFileService
from tui.chat.commands import CommandRegistry
from tui.chat.connections import as_known
from tui.chat.overflow import window_of
from tui.chat.parameter_words import assigned, taken
from tui.chat.preset_commands import PresetCommands
from tui.chat.reasons import why_not_change, why_not_continue, why_not_retry, why_not_stop
from tui.chat.session import ChatSession
from tui.chat.tasks import Work
from tui.chat.write_queue import WriteQueue
from tui.cli.plain_chat import WAY_OUT, PlainChat
from tui.config.preset_folder import PresetFolder
from tui.config.schema_file import schema_named
from tui.core import slash
from tui.core.commands import BY_SLASH, Command
from tui.core.figures import figures_of_all
from tui.core.message import Value
from tui.core.parameters import BY_NAME, REGISTRY, find
from tui.core.paste_folds import plain
from tui.core.presets import RESERVED
from tui.core.schema import ANY_JSON, Schema
from tui.core.text import human_tokens, local_minute, safe_block, safe_line, safe_name
from tui.core.titling import typed_title
from tui.errors import ChatsNotOpen, UsageError

if TYPE_CHECKING:
    from tui.store.store import Store

NOTHING = "-"
"""In the place of a text or a value: take away what there is."""
LISTED = 20
"""How many chats, hits or prompts are listed."""
HISTORY = Command(
    "history.list", "Earlier prompts", "List earlier prompts; a number takes that one", slash="history",
    argument="[NUMBER]",
)  # fmt: skip
"""On the screen the keys Up, Down and Ctrl+R do this; lines need a command for it."""

_SCREEN_ONLY = {
    "theme.use": "/theme works on the screen only: plain mode has no colours of its own",
    "copy": "/copy works on the screen only; /export writes the chat to a file",
    "ladder": "/ladder works on the screen only; /set and /retry give another answer",
    "compare": "/compare works on the screen only; /retry after /preset gives another answer",
    "undo": "/undo works on the screen only: nothing is deleted in plain mode",
    "tab.settings": "/settings works on the screen only; /set lists and changes what is sent, /preset the preset",
    "editor": "/editor works on the screen only; a line that ends with \\ goes on in the next, /attach takes a file",
    "suspend": "/suspend works on the screen only; Ctrl+Z does it here",
}


class PlainCommands:
    """One a run. `store` is None until the chats are open; `quit` ends lokal."""

    def __init__(
        self,
        chat: PlainChat,
        queue: WriteQueue,
        store: Callable[[], Store | None],
        history: list[str],
        quit: Callable[[], None],
        presets: Path,
        personas: Path,
    ) -> None:
        """`presets` and `personas` are the folders of these."""
        self._chat = chat
        self._queue = queue
        self._files = ChatFileService(queue, store)
        self._history = history
        self._presets = PresetCommands(PresetFolder(presets))
        self._personas = personas
        self.registry = CommandRegistry()
        add, controller = self.registry.add, chat.controller
        add("answer.stop", lambda _: chat.interrupt(), partial(why_not_stop, controller))
        add("answer.retry", lambda _: controller.retry(), partial(why_not_retry, controller))
        add("answer.continue", lambda _: controller.continue_answer(), partial(why_not_continue, controller))
        add("reasoning.toggle", lambda _: self._toggle_reasoning())
        add("guide.ask", self._guide)
        add("gguf.open", self._open_file)
        add("chats.open", lambda _: self._list_chats())
        add("search", self._search)
        add("attach", self._attach)
        add("preset.use", self._preset)
        add("prompt", self._prompt)
        add("advise", controller.advice.run)
        add("model.choose", self._model)
        add("tab.models", lambda _: self._model(""))
        add("server.use", self._server)
        add("system.set", self._system)
        add("persona.use", self._persona)
        add("parameter.set", self._set)
        add("chat.rename", self._rename)
        add("chat.title", lambda _: self._title())
        add("chat.branch", lambda _: self._branch(), partial(why_not_change, controller))
        add("chat.export", self._export)
        add("chat.import", self._import)
        add("schema", self._schema)
        add("stats", lambda _: self._stats())
        add("chat.new", lambda _: self._open_session(None))
        add("help", self._help)
        add("quit", lambda _: quit())
        for id, why in _SCREEN_ONLY.items():
            self.registry.refuse(id, why)

    def do(self, text: str) -> bool:
        """Do the slash command that `text` is; False = it is none. Raises LokalError."""
        words = text.split(None, 1)
        if words and words[0].lower() == f"/{HISTORY.slash}":
            self._list_history(words[1].strip() if len(words) > 1 else "")
            return True
        typed = slash.parse(text)
        if isinstance(typed, str):
            return False
        held = self._chat.controller.why_held
        if held and typed.argument and typed.command.id in ("system.set", "schema"):
            raise UsageError(held)
        self.registry.run(typed.command.id, typed.argument)
        return True

    async def _change_presets(self, argument: str) -> None:
        chat = self._chat
        change = await self._presets.run(argument, chat.state.settings)
        if change.settings is not None:
            chat.use(chat.state.with_settings(change.settings))
        chat.output.line(safe_block("\n".join(change.lines)))

    def _persona(self, argument: str) -> None:
        from tui.config.personas import load_persona, persona_names

        chat, session = self._chat, self._chat.session
        if session is None:
            raise UsageError("The chats are not open yet")
        if argument == NOTHING:
            self._system(NOTHING)
        elif not argument:
            names = persona_names(self._personas)
            self._offer(list(names), [partial(self._persona, name) for name in names])
        else:
            persona = load_persona(self._personas, argument)
            session.conversation.system = persona.system
            chat.show(
                f"{safe_name(persona.name, 40)}: {persona.words}, from the next answer on; /persona - ends it"
            )

    def _prompt(self, argument: str) -> None:
        chat, session = self._chat, self._chat.session
        if session is None:
            raise UsageError("The chats are not open yet")

        chat.tell("Asking the server for the prompt …", "muted")

        async def show() -> None:
            from tui.chat.prompt_preview import preview_next

            written, attached = argument or plain(chat.at_hand), chat.controller.outbox.attached
            preview = await preview_next(chat.state, session.conversation, written, attached)
            chat.output.line(safe_block("\n".join([*preview.notes, "", preview.prompt.text])))

        self._aside(show)

    # -- presets, models, servers -----------------------------------------------------------------------------------

    def _preset(self, argument: str) -> None:
        chat, state = self._chat, self._chat.state
        if argument and argument.split(None, 1)[0].lower() in RESERVED:
            self._aside(lambda: self._change_presets(argument))
            return
        if not argument:
            lines = [
                f"{'in use: ' if preset.name == state.preset.name else ''}{safe_name(preset.name, 40)}"
                + (f", {safe_line(preset.description, 200)}" if preset.description else "")
                for preset in state.presets
            ]
            self._offer(lines, [partial(self._preset, preset.name) for preset in state.presets])
            return
        name = slash.one_of(argument, [preset.name for preset in state.presets], "preset")
        preset = next(preset for preset in state.presets if preset.name == name)
        chat.use(state.with_settings(state.settings.chosen(preset)))
        running = bool(chat.controller.chat.doing)
        chat.show(f"The next answer uses {name}" if running else f"preset {name}")
        connection = state.connection
        if preset.model and connection is not None and preset.model != state.model:
            if connection.model(preset.model) is not None:
                self._model(preset.model)
            else:
                chat.tell(f"It names the model {preset.model}, which is not here", "warning")

    def _model(self, argument: str) -> None:
        chat, state = self._chat, self._chat.state
        if state.connection is None:
            raise UsageError("No server, so no models", "", "/server URL names one")
        names = [model.name for model in state.connection.models]
        if not argument:
            if not names:
                kind = state.connection.info.kind.label
                raise UsageError(f"{kind} lists no models", "", "/model NAME uses one anyway")
            lines = [f"{'in use: ' if name == state.model else ''}{safe_name(name, 80)}" for name in names]
            self._offer(lines, [partial(self._model, name) for name in names])
            return
        name = slash.one_of(argument, names, "model") if names else argument
        chat.use(state.with_settings(replace(state.settings, model=name, window=None)))
        chat.connections.read_window(chat.state)
        chat.show(f"model {safe_name(name, 80)}")

    def _server(self, argument: str) -> None:
        chat, connection = self._chat, self._chat.state.connection
        if not argument:
            chat.show(f"{connection.place} is in use" if connection else "No server is in use")
            others = connection.others if connection else ()
            urls = [other.url for other in others]
            self._offer([safe_line(url, 200) for url in urls], [partial(self._server, url) for url in urls])
            return
        endpoint = as_known(chat.state, chat.connections.endpoint_named(argument))
        chat.output.say(f"Asking {safe_line(endpoint.url, 200)}")
        chat.wait_for_server(leaves=False)
        chat.connections.use(chat.state, endpoint)

    def _guide(self, question: str) -> None:
        """From now on; or, with a question, this once, whatever else answers."""
        chat, connection = self._chat, self._chat.state.connection
        if question and (why_not := why_not_change(chat.controller)):
            raise UsageError(why_not)
        if connection is not None and question and not connection.guide:
            chat.ask_guide(question)
            return
        if connection is None or not connection.guide:
            chat.wait_for_server()
            chat.connections.start_guide()
        elif not question:
            raise UsageError("This is the guide already; it knows only lokal")
        if question:
            chat.controller.ask(question)

    def _open_file(self, argument: str) -> None:
        if not argument:
            raise UsageError("Open which file?", "", "/open FILE.gguf")
        path = chat_files.as_path(argument)
        self._chat.wait_for_server()
        self._chat.connections.start_gguf(path, self._chat.state)

    # -- parameters and the system prompt ---------------------------------------------------------------------------

    def _set(self, argument: str) -> None:
        chat, state = self._chat, self._chat.state
        if not argument:
            values = state.values()
            lines = [
                f"{name}={BY_NAME[name].format(value)}"
                + (", for this run" if name in state.overrides else "")
                for name, value in values.items()
            ]
            chat.show("\n".join(lines) or "Nothing is set: the server's defaults hold")
            return
        if argument == NOTHING:
            self._override({}, "What was set for this run is removed; the preset is used")
        elif "=" not in argument:
            self._explain_parameter(find(argument).name)
        else:
            self._override(*assigned(argument, state))

    def _override(self, overrides: dict[str, Value | None], words: str) -> None:
        state = self._chat.state
        self._chat.use(state.with_settings(replace(state.settings, overrides=overrides)))
        self._chat.show(words)

    def _explain_parameter(self, name: str) -> None:
        parameter, state = BY_NAME[name], self._chat.state
        value = state.values().get(name)
        rows = (
            ("now", "not sent: what the server does by itself" if value is None else parameter.format(value)),
            ("takes", parameter.bounds() + (f" ({parameter.unit})" if parameter.unit else "")),
            ("low", parameter.low_effect),
            ("high", parameter.high_effect),
            ("when", parameter.when_to_change),
            ("here", taken(parameter, state)),
        )
        told = [f"{name}: {parameter.help}", *(f"{what}: {text}" for what, text in rows if text)]
        self._chat.show("\n".join(told))

    def _system(self, argument: str) -> None:
        conversation, preset = self._session().conversation, self._chat.state.preset
        if not argument:
            own = conversation.system
            whose = "Of this chat; /system - removes it" if own else f"Of the preset {preset.name}"
            text = own or preset.system
            self._chat.show(
                f"{whose}:\n{text}" if text else "No system prompt. /system TEXT gives this chat one"
            )
        elif argument == NOTHING:
            had, conversation.system = conversation.system, ""
            self._chat.show("System prompt removed" if had else "This chat has no system prompt of its own")
        else:
            conversation.system = safe_block(argument)
            self._chat.show("System prompt of this chat from the next answer on; /system - removes it")

    def _schema(self, argument: str) -> None:
        session, ignored = self._session(), structured_output.ignored_by(self._chat.state.connection)

        def hold(schema: Schema | None) -> None:
            session.schema = schema
            self._chat.show(structured_output.state_of(schema, ignored))

        async def read() -> None:
            hold(await files.in_thread(partial(schema_named, argument.strip("\"'"))))

        if not argument:
            self._chat.show(structured_output.state_of(session.schema, ignored))
        elif argument == "off":
            hold(None)
        elif argument == ANY_JSON.name:
            hold(ANY_JSON)
        else:
            self._aside(read)

    def _toggle_reasoning(self) -> None:
        lines = self._chat.answer_lines
        lines.shows_reasoning = shown = not lines.shows_reasoning
        self._chat.show(
            "What a model thinks is shown as it comes" if shown else "What a model thinks is not shown"
        )

    # -- chats ------------------------------------------------------------------------------------------------------

    def _session(self) -> ChatSession:
        session = self._chat.session
        if session is None:
            raise ChatsNotOpen()
        return session

    def _open_session(self, session: ChatSession | None) -> None:
        """Open a chat, or a new one; a running answer is stopped and kept."""
        self._chat.controller.stop()
        new = session is None
        self._chat.controller.open(session or ChatSession(self._files.store, self._queue))
        if new:
            self._chat.show("A new chat")

    def _open_chat(self, chat_id: str) -> None:
        async def work() -> None:
            store = self._files.store
            await self._queue.wait(lambda: None)  # what was said last is to be in it
            conversation = await asyncio.to_thread(store.load, chat_id)
            self._open_session(ChatSession(store, self._queue, conversation))

        self._aside(work)

    def _list_chats(self) -> None:
        async def work() -> None:
            found = await asyncio.to_thread(self._files.store.chats, LISTED)
            lines = [f"{safe_name(one.title, 80)}, {local_minute(one.updated_at)}" for one in found]
            if not lines:
                self._chat.show("There are no chats yet")
            self._offer(lines, [partial(self._open_chat, one.id) for one in found])

        self._aside(work)

    def _search(self, argument: str) -> None:
        if not argument:
            raise UsageError("Search for what?", "", "/search WORDS")

        async def work() -> None:
            store = self._files.store
            await self._queue.wait(lambda: None)
            while await asyncio.to_thread(store.index_some):
                pass
            hits = await asyncio.to_thread(store.search, argument, LISTED)
            lines = [f"{safe_name(hit.title, 60)}: {safe_line(hit.snippet, 200)}" for hit in hits]
            if not lines:
                self._chat.show("Nothing was found")
            self._offer(lines, [partial(self._open_chat, hit.chat_id) for hit in hits])

        self._aside(work)

    def _rename(self, argument: str) -> None:
        title = typed_title(argument)
        self._session().rename(title)
        self._chat.show(f"This chat is now “{title}”")

    def _title(self) -> None:
        state = self._chat.state
        wish = self._files.title_wish(self._session(), state)

        async def work() -> None:
            from tui.chat.titles import ask_title

            words = self._files.give_title(wish, await ask_title(state, wish.turns), self._chat.session)
            if words:
                self._chat.show(words)

        self._chat.output.say(f"Asking {safe_name(state.model, 60) or 'the model'} for a title")
        self._aside(work)

    def _branch(self) -> None:
        session = self._session()
        leaf = session.conversation.leaf
        if leaf is None:
            raise UsageError("There is nothing to branch from yet")
        self._open_session(session.branch(leaf.id, time.time()))

    def _export(self, argument: str) -> None:
        session = self._session()
        forced, name = slash.is_forced(argument)

        async def work() -> None:
            try:
                self._chat.show(await self._files.export(session, name, overwrite=forced))
            except chat_files.TakenName as error:
                raise UsageError(error.title, "", "/export! overwrites it") from error

        self._aside(work)

    def _import(self, argument: str) -> None:
        async def work() -> None:
            words, _ = await self._files.import_file(argument)
            self._chat.show(words)

        self._aside(work)

    def _attach(self, argument: str) -> None:
        if not argument:
            raise UsageError("Attach which file?", "", "/attach FILE")
        self._chat.read_files(argument)

    def _stats(self) -> None:
        conversation = self._session().conversation
        figures, window = figures_of_all(conversation.path()), window_of(self._chat.state)
        rows = [
            ("messages", str(len(conversation.path()))),
            (
                "tokens in the context window",
                _tokens(figures.used) + (f" of {human_tokens(window)}" if window else ""),
            ),
            ("tokens in", _tokens(figures.prompt)),
            ("tokens out", _tokens(figures.completion)),
            ("speed", f"{figures.tokens_per_s:.1f} tokens a second" if figures.tokens_per_s else "not said"),
        ]
        self._chat.show("\n".join(f"{name}: {value}" for name, value in rows))

    # -- earlier prompts, help --------------------------------------------------------------------------------------

    def remember(self, marked: str) -> None:
        """A prompt that can be recalled."""
        if not self._history or self._history[-1] != marked:
            self._history.append(marked)

    def _list_history(self, argument: str) -> None:
        newest = list(reversed(self._history))[:LISTED]
        if not newest:
            raise UsageError("There is no earlier prompt yet")
        if argument:
            if not argument.isdecimal() or not 1 <= int(argument) <= len(newest):
                raise UsageError(f"/history takes a number from 1 to {len(newest)}")
            self._recall(newest[int(argument) - 1])
            return
        lines = [safe_line(plain(prompt), 200) for prompt in newest]
        self._offer(lines, [partial(self._recall, prompt) for prompt in newest])

    def _recall(self, marked: str) -> None:
        """The terminal edits its lines alone, so a recalled prompt is not edited: an empty line sends it."""
        if self._chat.at_hand:
            self.remember(self._chat.at_hand)
        self._chat.at_hand = marked
        self._chat.controller.outbox.touched()
        self._chat.show(plain(marked))
        self._chat.output.say("An empty line sends it")

    def _help(self, argument: str) -> None:
        name = argument.removeprefix("/").lower()
        if name in BY_NAME:
            self._explain_parameter(name)
            return
        if name:
            commands = [BY_SLASH[slash.one_of(name, list(BY_SLASH), "command")]]
        else:
            commands = [*BY_SLASH.values(), HISTORY]
        lines = []
        for command in commands:
            why = _SCREEN_ONLY.get(command.id, "")
            lines.append(f"{slash.usage(command)}: {why or command.help}")
        if not name:
            lines += [f"Ctrl+C stops an answer. {WAY_OUT}.", "A line that ends with \\ goes on in the next."]
            lines.append(f"/help NAME explains a parameter: {', '.join(each.name for each in REGISTRY)}")
        self._chat.show("\n".join(lines))

    # -- plumbing ---------------------------------------------------------------------------------------------------

    def _offer(self, lines: Sequence[str], takes: Sequence[Callable[[], object]]) -> None:
        """List, and let a number choose."""
        if lines:
            self._chat.show("\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1)))
            self._chat.ask_for_number(takes, "Which number? An empty line for none")

    def _aside(self, work: Work) -> None:
        self._chat.run_aside(work)


def _tokens(count: int | None) -> str:
    return "not said" if count is None else human_tokens(count)
