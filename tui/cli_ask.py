"""`lokal ask`: one question, the answer on standard output, nothing else there."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from contextlib import aclosing
from dataclasses import asdict, dataclass, replace

from tui.config.presets import load_presets
from tui.config.settings import Settings, load_settings
from tui.core.events import Failed, Phase, Progress, TextDelta
from tui.core.generation import Generation
from tui.core.message import Message, Role, Status, Value, new_id
from tui.core.parameters import for_server, parse_assignment
from tui.core.presets import Preset, find
from tui.core.request import ChatRequest, turns_of
from tui.core.text import human_size
from tui.errors import UsageError
from tui.paths import Folders, folders
from tui.servers.choice import Connection, choose, get_to_know, named_server, pick_model


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, with all that the command line and the files say."""

    text: str
    system: str
    preset: Preset
    values: dict[str, Value]
    settings: Settings
    places: Folders
    options: argparse.Namespace


def ask(options: argparse.Namespace) -> int:
    """Run `lokal ask`. Raises LokalError for everything that goes wrong; what came before is printed by then."""
    question = _question(options)
    try:
        answer = asyncio.run(_ask(question))
    except KeyboardInterrupt:
        return 130
    if options.save:
        _save(question, answer)
    return 0


def _question(options: argparse.Namespace) -> Question:
    places = folders()
    text = " ".join(options.prompt)
    if not sys.stdin.isatty():
        context = sys.stdin.buffer.read().decode("utf-8", "replace").strip("\n")
        text = "\n\n".join(part for part in (text, context) if part.strip())
    if not text.strip():
        raise UsageError("There is no question", "", 'Write it like: lokal ask "What is a systemd unit?"')
    overrides = dict(parse_assignment(assignment) for assignment in options.set)
    settings = load_settings(places.settings_file)
    presets = load_presets(places.presets)
    for problem in (*settings.problems, *presets.problems):
        say(str(problem))
    preset = find(presets.value, options.preset or settings.value.preset)
    merged: dict[str, Value | None] = {**preset.values, **overrides}
    values = {name: value for name, value in merged.items() if value is not None}
    system = preset.system if options.system is None else options.system
    return Question(text, system, preset, values, settings.value, places, options)


async def _ask(question: Question) -> Message:
    options = question.options
    if options.gguf is None:
        return await _answer(question, await _connect(question))
    from tui.servers.engine import Engine

    engine = Engine(options.gguf, question.places.logs, question.values)
    try:
        endpoint = await engine.start(_show_progress)
        return await _answer(question, await get_to_know(endpoint, embedded=True))
    finally:
        await engine.stop()


async def _connect(question: Question) -> Connection:
    settings, wanted = question.settings, question.options.server or question.settings.server
    endpoint = named_server(wanted, settings.servers, os.environ) if wanted else None
    return await choose(endpoint, settings.servers, os.environ)


async def _answer(question: Question, connection: Connection) -> Message:
    server = connection.server
    model = pick_model(connection.models, question.options.model, question.settings.model)
    outgoing = for_server(question.values, server.kind)
    if outgoing.unsupported and not connection.embedded:
        say(f"Not sent, {server.kind.label} does not take it: {', '.join(outgoing.unsupported)}")
    asked = Message(new_id(), None, Role.USER, question.text, time.time())
    blank = Message(
        new_id(),
        asked.id,
        Role.ASSISTANT,
        "",
        time.time(),
        status=Status.STREAMING,
        model=model,
        server=server.endpoint.url,
        preset=question.preset.name,
        parameters=outgoing.sent,
    )
    request = ChatRequest(model, turns_of([asked], question.system), question.values)
    generation = Generation(time.monotonic())
    printing = not question.options.json
    ends_line = True
    try:
        async with aclosing(server.chat(request)) as events:
            async for event in events:
                generation.apply(event, time.monotonic())
                if isinstance(event, TextDelta) and printing:
                    _clear_progress()
                    sys.stdout.write(event.text)
                    sys.stdout.flush()
                    ends_line = event.text.endswith("\n")
                elif isinstance(event, Progress):
                    _show_progress(event)
                elif isinstance(event, Failed):
                    break
    except asyncio.CancelledError:
        generation.stop(time.monotonic())
        raise
    finally:
        _clear_progress()
        if printing and not ends_line:
            sys.stdout.write("\n")
        sys.stdout.flush()
        await server.aclose()
    answer = generation.as_message(blank)
    if question.options.json:
        print(json.dumps(_as_object(answer), ensure_ascii=False, indent=2))
    if generation.error is not None:
        raise generation.error
    _remark(answer)
    return answer


def _remark(answer: Message) -> None:
    """What a person should know of an answer that is whole for the server but not for them."""
    if answer.finish_reason == "length":
        limit = answer.parameters.get("max_tokens")
        say(
            f"The answer was cut at {limit} tokens; --set max_tokens=… allows more"
            if limit
            else "The answer was cut"
        )
    if not answer.content.strip():
        say("The model answered nothing" + (" but reasoning (see --json)" if answer.reasoning else ""))


def _as_object(answer: Message) -> dict[str, object]:
    finish = answer.finish_reason or ("interrupted" if answer.status is Status.INTERRUPTED else "error")
    return {
        "text": answer.content,
        "reasoning": answer.reasoning,
        "model": answer.model,
        "server": answer.server,
        "preset": answer.preset,
        "parameters": dict(answer.parameters),
        "usage": asdict(answer.usage),
        "timings": asdict(answer.timings),
        "finish_reason": finish,
        "error": asdict(answer.problem) if answer.problem else None,
    }


def _save(question: Question, answer: Message) -> None:
    from tui.core.conversation import title_from
    from tui.store.store import Store

    store = Store.open(question.places.database)
    try:
        chat = new_id()
        asked = Message(str(answer.parent), None, Role.USER, question.text, answer.created_at)
        store.create_chat(chat, title_from(question.text), asked.created_at)
        store.add_message(chat, asked)
        store.add_message(chat, replace(answer, parent=asked.id))
    finally:
        store.close()
    say(f"Saved as chat {chat}")


# -- standard error -------------------------------------------------------------------------------------------------


def say(text: str) -> None:
    """A line for the person, out of the answer's way."""
    print(f"lokal: {text}", file=sys.stderr)


def _show_progress(progress: Progress) -> None:
    """One line that overwrites itself, only where somebody is looking."""
    if not sys.stderr.isatty():
        return
    words = "loading the model" if progress.phase is Phase.LOADING else "reading the prompt"
    if progress.fraction is not None:
        words += (
            f" {human_size(progress.done)} of {human_size(progress.total)}"
            if progress.unit == "bytes"
            else f" {progress.fraction * 100:.0f} %"
        )
    sys.stderr.write(f"\r\x1b[K{words} …")
    sys.stderr.flush()


def _clear_progress() -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()
