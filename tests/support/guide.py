"""The guide examined: its model in the real engine, asked what it was never trained on."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.llama import LlamaServer
from tui.core.endpoint import ServerKind
from tui.core.parameters import for_server
from tui.core.presets import SHIPPED, find
from tui.guide.model import CACHE_MIB, VALUES, checked_model
from tui.guide.training.augment import one_typo
from tui.guide.training.source import Source, Subject, normalise

TELLING = 10
"""Tokens of an answer after which no two subjects of the guide are alike in most cases; the rest need more."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the one before it if it leans on that, and the subject that it is about."""

    question: str
    subject: Subject
    before: str = ""


class Examiner:
    """Asks one engine over one connection."""

    def __init__(self, server: LlamaServer) -> None:
        self.server = server
        self._client = httpx.Client(
            base_url=server.endpoint.url, headers=server.headers, timeout=30, trust_env=False
        )

    def answer(
        self, question: str, before: str = "", *, preset: str = "technical", limit: int = 0, **more: object
    ) -> str:
        """The answer with a shipped preset, greedy unless `temperature` is said to be otherwise."""
        values = for_server(find(SHIPPED, preset).values, ServerKind.LLAMACPP).body
        turns = [{"role": "user", "content": question}]
        if before:
            turns = [{"role": "user", "content": before}, {"role": "assistant", "content": "So."}, *turns]
        body = {**values, "temperature": 0, "messages": turns, **more}
        if limit:
            body["max_tokens"] = limit
        reply = self._client.post("/v1/chat/completions", json=body)
        reply.raise_for_status()
        return str(reply.json()["choices"][0]["message"]["content"])

    def rendered(self, question: str, before: str = "") -> str:
        """What the model is given to read."""
        turns = [{"role": "user", "content": text} for text in (before, question) if text]
        reply = self._client.post("/apply-template", json={"messages": turns})
        return str(reply.json()["prompt"])

    def right(self, asked: Asked) -> bool:
        """Whether the answer is that of the subject, by how it begins."""
        begin = self.answer(asked.question, asked.before, limit=TELLING)
        return bool(begin) and asked.subject.plain_answer.startswith(begin)

    def close(self) -> None:
        """End the connection."""
        self._client.close()


@contextmanager
def examiner(logs: Path) -> Iterator[Examiner]:
    """The guide as lokal starts it."""
    server = LlamaServer(checked_model(), logs, VALUES, CACHE_MIB)
    one = Examiner(server)
    try:
        yield one
    finally:
        one.close()
        server.kill()


def held(source: Source, language: str, *, outside: bool) -> list[Asked]:
    """The held questions of a language: those in scope, or those out of it."""
    return [
        Asked(question, subject)
        for subject in source.subjects
        if subject.language == language and (subject.id == "outside") == outside
        for question in subject.held
    ]


def roundabout(source: Source, language: str) -> list[Asked]:
    """The questions in scope that share few words with those that were trained on."""
    subjects = [subject for subject in source.subjects if subject.language == language]
    return [Asked(question, subject) for subject in subjects for question in subject.roundabout]


def with_typos(asked: Sequence[Asked]) -> list[Asked]:
    """Each with a typing error in one word, always the same one."""
    chance = random.Random(20261122)
    return [Asked(one_typo(normalise(one.question), chance), one.subject) for one in asked]


def after_others(asked: Sequence[Asked]) -> list[Asked]:
    """Each after another one, which has nothing to do with it, always the same one."""
    chance = random.Random(20261122)
    return [Asked(one.question, one.subject, chance.choice(asked).question) for one in asked]


def leaning(source: Source, language: str) -> list[Asked]:
    """Held short questions after a held question on another thing."""
    follow = next(one for one in source.follows if one.language == language)
    by_id = {subject.id: subject for subject in source.subjects if subject.language == language}
    things = [thing for thing in source.things if thing.what in by_id]
    made: list[Asked] = []
    for place, thing in enumerate(things):
        what, value = by_id[thing.what], by_id.get(thing.value)
        other = things[(place + 1) % len(things)]
        made += [
            Asked(text.replace("{}", other.names[0]), by_id[other.what], what.held[0])
            for text in follow.held_also
        ]
        if value is not None:
            made += [Asked(text, value, what.held[0]) for text in follow.held_value]
            made += [Asked(text, what, value.held[0]) for text in follow.held_what]
    return made
