"""An answer in lines: who speaks, what comes of it by whole words, and what it does until it begins."""

from __future__ import annotations

import time

from tui.chat.answer_stream import AnswerStream
from tui.chat.wording import phase_words
from tui.cli.plain_output import PlainOutput, WholeWords
from tui.core.events import Phase
from tui.core.message import Message
from tui.core.model import GUIDE
from tui.core.text import safe_name

STATUS_EVERY_S = 10.0
"""How often it is said what a model does that has not begun to answer."""


class AnswerLines:
    """One a run; it writes one answer after the other."""

    def __init__(self, output: PlainOutput) -> None:
        self._output = output
        self._words = WholeWords()
        self._speaks = False
        self._thinks = False
        self._status = ("", 0.0)
        self.shows_reasoning = False
        """Whether what a model thinks is written too."""

    def start(self) -> None:
        """An answer is asked for; who speaks is said with its first word."""
        self._words, self._speaks, self._thinks = WholeWords(), False, False
        self._status = ("", time.monotonic())

    def advance(self, stream: AnswerStream) -> None:
        """Write what is new of it."""
        text, reasoning = stream.take()
        if stream.rewritten:
            stream.rewritten = False
            text = stream.generation.content
            if self._speaks:
                self._output.write(self._words.finish())
                self._output.line("(What was written so far is what the model thought.)")
                self._speaks, self._thinks = False, True
        if reasoning:
            self._think(stream.message, reasoning)
        if text:
            self._speak(stream.message)
            self._output.write(self._words.add(text))
        elif not (self._speaks or self._thinks or stream.generation.finished):
            self._say_status(stream)

    def finish(self) -> None:
        """It has ended, in whatever way."""
        self._output.write(self._words.finish())
        self._output.end_line()

    def _think(self, message: Message, text: str) -> None:
        if not self._thinks:
            self._thinks = True
            who = safe_name(message.model, 60) or "the model"
            if self.shows_reasoning:
                self._output.heading(f"{who} thinks:")
            else:
                self._output.say(f"{who} is thinking; /reasoning shows it")
        if self.shows_reasoning:
            self._output.write(self._words.add(text))

    def _speak(self, message: Message) -> None:
        if not self._speaks:
            self._speaks = True
            self._output.write(self._words.finish())
            self._output.heading(speaker(message, " goes on" if message.content else ""))

    def _say_status(self, stream: AnswerStream) -> None:
        """That a model is loaded or a server is busy is said at once, how far the prompt is read now and then."""
        generation, now = stream.generation, time.monotonic()
        words, (said, at) = phase_words(generation), self._status
        first = words.partition(" ")[0]
        urgent = generation.phase in (Phase.LOADING, Phase.WAITING) and first != said
        if words and (urgent or now - at >= STATUS_EVERY_S):
            self._status = (first, now)
            self._output.say(words)


def speaker(message: Message, going_on: str = "") -> str:
    """`qwen2.5:7b, preset technical:`."""
    if message.model == GUIDE:
        return f"guide, which knows only lokal{going_on}:"
    who, preset = safe_name(message.model, 60) or "model", safe_name(message.preset, 40)
    return f"{who}{f', preset {preset}' if preset else ''}{going_on}:"
