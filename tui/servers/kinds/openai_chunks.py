"""The chunks of `/v1/chat/completions`, as llama-server, LM Studio, vLLM, text-generation-webui and others send them,
and the messages that go there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tui.core.events import Event, Phase, Progress
from tui.core.message import Timings, Usage
from tui.core.request import Turn
from tui.errors import ServerError
from tui.servers.answer import Answer, tool_call
from tui.servers.attachments import data_url, pictures_of, text_of
from tui.servers.errors import Asked, complaint_of
from tui.servers.json_object import JsonObject

MAX_TOOL_CALLS = 1000


def messages_of(turns: Sequence[Turn]) -> list[dict[str, object]]:
    """The turns as JSON; with a picture the content is a list of parts."""
    return [{"role": turn.role.value, "content": _content(turn)} for turn in turns]


def _content(turn: Turn) -> object:
    pictures = pictures_of(turn)
    if not pictures:
        return text_of(turn)
    parts: list[dict[str, object]] = [{"type": "text", "text": text_of(turn)}]
    parts += [{"type": "image_url", "image_url": {"url": data_url(picture)}} for picture in pictures]
    return parts


@dataclass(slots=True, eq=False, repr=False)
class _Call:
    """A tool call whose arguments still come in."""

    id: str
    name: str
    arguments: list[str]


class OpenAIAnswer(Answer):
    """Reads chunks. An answer is whole when there was a finish_reason, or text and `[DONE]`, which some servers send
    without one."""

    def __init__(self, asked: Asked, *, resumed: bool = False) -> None:
        super().__init__(asked, resumed=resumed)
        self._calls: dict[int, _Call] = {}

    def record(self, fields: JsonObject) -> list[Event]:
        events: list[Event] = []
        if progress := fields.inner("prompt_progress"):
            events.append(_progress(progress))
        for choice in fields.items("choices"):
            if (choice.count("index") or 0) == 0:
                events += self._choice(choice)
        self._count(fields)
        return events

    def finish(self, broken: ServerError | None = None) -> list[Event]:
        self.tool_calls += [
            tool_call(call.id, call.name, "".join(call.arguments)) for _, call in sorted(self._calls.items())
        ]
        self._calls.clear()
        return super().finish(broken)

    def _choice(self, choice: JsonObject) -> list[Event]:
        # A server that ignored `stream` sends `message`; old text-generation-webui sends both, and then it repeats.
        whole = not isinstance(choice.values.get("delta"), dict)
        delta = choice.inner("message" if whole else "delta")
        events = self.message(delta)
        for position, fragment in enumerate(delta.items("tool_calls")):
            self._take_fragment(fragment, position)
        if function := delta.inner("function_call"):  # OpenAI's of old
            self._take_fragment(JsonObject({"function": function.values}), 0)
        if reason := choice.text("finish_reason"):
            self.finish_reason = reason
        if choice.values.get("error"):
            self.fail(complaint_of(choice))
        return events

    def _take_fragment(self, fragment: JsonObject, position: int) -> None:
        """Identifier and name come with the first fragment of a call; some servers repeat them, or send them empty."""
        index = fragment.count("index")
        function = fragment.inner("function")
        call = self._calls.get(position if index is None else index)
        if call is None:
            if len(self._calls) >= MAX_TOOL_CALLS:
                return
            call = self._calls[position if index is None else index] = _Call("", "", [])
        call.id = call.id or fragment.text("id")
        call.name = call.name or function.text("name")
        arguments = function.as_json("arguments")
        if arguments and self.spend(len(arguments)):
            call.arguments.append(arguments)

    def _count(self, fields: JsonObject) -> None:
        if usage := fields.inner("usage"):
            self.usage = Usage(
                usage.count("prompt_tokens")
                or None,  # no prompt has none: text-generation-webui says 0 for unknown
                usage.count("completion_tokens"),
                usage.inner("prompt_tokens_details").count("cached_tokens"),
            )
        if timings := fields.inner("timings"):
            self._count_llama(timings)
        if metrics := fields.inner("metrics"):  # vLLM with --enable-per-request-metrics
            self.timings = replace(self.timings, tokens_per_s=metrics.number("tokens_per_second") or None)
        if stats := fields.inner("stats"):  # LM Studio
            self.timings = replace(self.timings, tokens_per_s=stats.number("tokens_per_second") or None)

    def _count_llama(self, timings: JsonObject) -> None:
        """llama-server splits the prompt into cached and read tokens, and counts in milliseconds. The rate of a
        prompt that came from the cache, and of an answer of one token, says nothing."""
        cached, read, written = (
            timings.count("cache_n"),
            timings.count("prompt_n"),
            timings.count("predicted_n"),
        )
        if self.usage.prompt is None and read is not None:
            self.usage = Usage((cached or 0) + read, written, cached)
        elif self.usage.cached is None:
            self.usage = replace(self.usage, cached=cached)
        milliseconds = (timings.number("prompt_ms") or 0) + (timings.number("predicted_ms") or 0)
        self.timings = Timings(
            total_s=milliseconds / 1000 or None,
            prompt_tokens_per_s=timings.number("prompt_per_second") if (read or 0) > 1 else None,
            tokens_per_s=timings.number("predicted_per_second") if (written or 0) > 1 else None,
        )


def _progress(progress: JsonObject) -> Progress:
    """How far the prompt has been read, without what the cache held already."""
    cached = progress.count("cache") or 0
    done = (progress.count("processed") or 0) - cached
    total = (progress.count("total") or 0) - cached
    return Progress(Phase.PREFILL, max(0, done), max(0, total), "tokens")
