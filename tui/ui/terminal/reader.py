"""Bytes from a terminal to events, without a terminal: what comes and how long nothing came is all that is known here.

Esc counts at once, a paste of megabytes does not stall, a byte that is no UTF-8 does no harm, several lines are not taken
for several questions, and what nobody can read is dropped whole. Nothing that comes in raises.
"""

from __future__ import annotations

import codecs
import re
import time
from collections.abc import Callable

from textual import constants, events, messages
from textual._xterm_parser import IS_ITERM
from textual.message import Message

from tui.ui.terminal import key_reports, sequences
from tui.ui.terminal.probe import parse_background
from tui.ui.terminal.sequences import PASTE_END, PASTE_START, SequencePart

PASTE_S = 2.0
"""A paste of which nothing more came for so long has lost its end."""
LINES_S = 0.03
"""An Enter that is followed by text within this time was not pressed, but is one of several lines that came at once."""
TORN_S, TORN_MOST_S = 0.5, 2.0
"""How long the rest of a torn sequence is waited for, at the least and at the most, in seconds."""
IN_TEXT = "\n"
"""The `character` of an Enter or a Tab that came amid several lines of text: where text is written it is a part of it."""
_MOST_CELLS = 500_000
_QUIET_END = "\x03"

_MODE = re.compile(r"\x1b\[\?(\d{1,5});([0-4])\$y")
_SIZE = re.compile(r"\x1b\[48;(\d{1,4})(?::\d*)*;(\d{1,4})(?::\d*)*;(\d{1,6})(?::\d*)*;(\d{1,6})(?::\d*)*t")
_ATTRIBUTES = re.compile(r"\x1b\[\?[0-9;]*c")
_WITH_NUMBERS = re.compile(r"\x1b\[[0-?]+[ -/]?[A-Za-z~^@]")
_FOCUS: dict[str, type[Message]] = {"\x1b[I": events.AppFocus, "\x1b[O": events.AppBlur}


def _written(key: events.Key) -> Message:
    """The event of a key. Textual 8.2 takes only what Python calls printable from a key, and no no-break space, joiner or
    new emoji: these come as pastes."""
    character = key.character or ""
    if len(character) == 1 and not character.isprintable() and character > "\x7f":
        return events.Paste(character)
    return key


class InputReader:
    """One for each time that the terminal is taken. `feed` it what was read, call `silence` when nothing more came for
    `patience_s`; `background` is the terminal's colour, once it has told."""

    def __init__(
        self, line_s: Callable[[], float] = lambda: 0.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`line_s` says how long the line needs there and back, in seconds, as far as that was measured."""
        self.background: tuple[int, int, int] | None = None
        self.answered = False
        """Whether the terminal answered the question that every terminal answers (DA1)."""
        self._line_s, self._clock = line_s, clock
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._paste: list[str] | None = None
        self._lost_end = False  # a paste was ended without its end, which may still come
        self._held = ""  # an unfinished sequence
        self._held_since = 0.0
        self._escape_at: float | None = None  # when an Esc was taken for itself, whose rest may still come
        self._rest = ""  # what may be the beginning of that rest
        self._enters = ""  # the Enters at the end of what came
        self._wrote = False  # whether there was text right before them
        self._several = False  # whether several lines are coming in

    @property
    def patience_s(self) -> float | None:
        """How long nothing must come until `silence` is to be called; None = there is nothing to wait for."""
        if self._paste is not None:
            return constants.ESCAPE_DELAY if self._ends_quietly() else PASTE_S
        if self._held == "\x1b" or len(self._rest) == 1:
            return constants.ESCAPE_DELAY
        if self._rest:
            return self._torn_s()
        if self._held:
            return self._torn_s() if len(self._held) == 2 else TORN_MOST_S
        if self._enters:
            return LINES_S
        return max(LINES_S, min(self._line_s(), TORN_S)) if self._several else None

    def feed(self, data: bytes) -> list[Message]:
        """The events that `data` completes."""
        found: list[Message] = []
        text = self._decode(data)
        if not text:
            return found
        if self._paste is not None and self._ended_by_key(text, found):
            return found
        if self._escape_at is not None and not self._held and self._paste is None:
            text = self._without_rest(text, found)
        if len(self._held) > 1 and self._clock() - self._held_since > TORN_MOST_S:
            self._held = ""
        while text:
            text = self._pasted(text, found) if self._paste is not None else self._typed(text, found)
        if not self._enters:
            self._wrote = False
        return found

    def silence(self) -> list[Message]:
        """Nothing came for `patience_s`."""
        found: list[Message] = []
        held, self._held = self._held, ""
        if self._paste is not None:
            self._end_paste(found)
        elif self._rest:
            rest, self._rest = self._rest, ""
            self._escape_at = None
            self._typed(rest, found)
        elif held == "\x1b":
            self._press(events.Key("escape", "\x1b"), found)
            self._escape_at = self._clock()
        elif held and (keys := key_reports.report(held)):
            for key in keys:
                self._press(key, found)
        elif len(held) == 2:
            self._press(key_reports.with_alt(held[1]), found)
        else:
            self._flush(found)
        return found

    # -- keys -------------------------------------------------------------------------------------------------------

    def _typed(self, text: str, found: list[Message]) -> str:
        """Take what was typed, until a paste begins; what is behind its beginning."""
        waited = bool(self._held)
        text, self._held = self._held + text, ""
        if self._lost_end:
            before, end, after = text.partition(PASTE_END)
            if end and PASTE_START not in before:
                self._lost_end = False
                found.append(events.Paste(before.replace("\0", "")))
                return after
        at = 0
        while at < len(text):
            part = sequences.first(text, at)
            if part is None:
                self._flush(found)
                self._held = sequences.shortened(text[at:])
                if not (waited and at == 0):
                    self._held_since = self._clock()
                return ""
            begins = at
            at += len(part.text)
            if (
                part.kind == "escape"
                and not (waited and begins == 0)
                and (key := self._told_by_escape(text, at))
            ):
                at += len(key[0])
                self._press(key[1], found)
                continue
            if part.kind == "paste":
                self._flush(found)
                self._paste, self._lost_end = [], False
                return text[at:]
            self._take(part, found)
        return ""

    def _take(self, part: SequencePart, found: list[Message]) -> None:
        match part.kind:
            case "text":
                self._write(part.text, found)
            case "control":
                self._press(key_reports.control(part.text), found)
            case "escape":
                self._press(events.Key("escape", "\x1b"), found)
            case "alt":
                if part.text[1] < " " and part.text[1] not in "\r\n\t\b":
                    # No key sends both in one: Esc was pressed first, and the line was slow.
                    self._press(events.Key("escape", "\x1b"), found)
                self._press(key_reports.with_alt(part.text[1]), found)
            case "string":
                self.background = parse_background(part.text.encode()) or self.background
            case "csi" | "ss3":
                told = self._told(part.text)
                self.answered = self.answered or _ATTRIBUTES.fullmatch(part.text) is not None
                found += [] if told is None else [told]
                for key in () if told is not None else key_reports.report(part.text) or ():
                    self._press(key, found)
            case _:
                pass

    def _told_by_escape(self, text: str, at: int) -> tuple[str, events.Key] | None:
        """The sequence at `at`, which an ESC in the same read is before, and its key with Alt. On a slow line Esc was
        pressed first: two keys."""
        part = sequences.first(text, at) if self._line_s() < constants.ESCAPE_DELAY else None
        keys = key_reports.report(part.text) if part is not None and part.kind in ("csi", "ss3") else None
        key = key_reports.with_escape(keys[0]) if keys else None
        return (part.text, key) if part is not None and key is not None else None

    @staticmethod
    def _told(sequence: str) -> Message | None:
        """What a terminal says of itself; None if it is not that."""
        if sequence in _FOCUS:
            return _FOCUS[sequence]()
        if (mode := _MODE.fullmatch(sequence)) is not None:
            number, state = mode[1], int(mode[2])
            if number == "2026" and state:
                return messages.TerminalSupportsSynchronizedOutput()
            if number == "2048" and constants.SMOOTH_SCROLL and not IS_ITERM:  # as Textual 8.2 does
                return messages.InBandWindowResize.from_setting_parameter(state)
        elif (size := _SIZE.fullmatch(sequence)) is not None:
            rows, columns, height, width = (int(number) for number in size.groups())
            if 0 < rows * columns <= _MOST_CELLS:
                return events.Resize.from_dimensions((columns, rows), (width, height))
        return None

    def _press(self, key: events.Key | None, found: list[Message]) -> None:
        if key is not None:
            self._flush(found)
            found.append(_written(key))

    # -- text, and Enters in it -------------------------------------------------------------------------------------

    def _write(self, text: str, found: list[Message]) -> None:
        """Take text with its tabs and line ends. The Enters at its end wait: what comes next says what they are."""
        joined = (self._enters + text).replace("\r\n", "\r")
        head = joined.rstrip("\r")
        self._enters = joined[len(head) :]
        self._several = self._several or "\r" in head
        self._wrote = self._wrote or bool(head)
        in_lines = self._several or "\n" in head.rstrip("\n")
        for character in head:
            if character == "\r":
                found.append(events.Key("enter", IN_TEXT))
            elif character == "\t":
                found.append(events.Key("tab", IN_TEXT if in_lines else "\t"))
            elif (
                key := key_reports.control(character) if character < " " else key_reports.typed(character)
            ) is not None:
                found.append(_written(key))

    def _flush(self, found: list[Message]) -> None:
        """No text comes behind the Enters."""
        in_text = self._several or (self._wrote and len(self._enters) > 1)
        found += [events.Key("enter", IN_TEXT if in_text else "\r") for _ in self._enters]
        self._enters, self._wrote, self._several = "", False, False

    # -- pastes -----------------------------------------------------------------------------------------------------

    def _pasted(self, text: str, found: list[Message]) -> str:
        """Take what is pasted; what is behind its end."""
        assert self._paste is not None  # `feed` asked
        # The end may be torn apart between two reads, so it is looked for in what is kept of the last one too.
        held = self._paste.pop() if self._paste else ""
        before, end, after = (held + text).partition(PASTE_END)
        if not end:
            keep = len(PASTE_END) - 1
            self._paste += [before[:-keep], before[-keep:]] if len(before) > keep else [before]
            return ""
        self._paste.append(before)
        found.append(events.Paste("".join(self._paste).replace("\0", "")))
        self._paste = None
        return after

    def _ends_quietly(self) -> bool:
        """Whether the last that came of a paste is Ctrl+C. One that is pasted has something behind it."""
        return bool(self._paste) and self._paste is not None and self._paste[-1].endswith(_QUIET_END)

    def _ended_by_key(self, text: str, found: list[Message]) -> bool:
        """End the paste if all that came is Ctrl+C, which does nothing else then, or Ctrl+Q, which does its work too."""
        part = sequences.first(text) if len(text) < 32 else None
        if part is None or part.text != text:
            return False
        keys = (key_reports.control(text),) if part.kind == "control" else key_reports.report(text) or ()
        names = [key.key for key in keys if key is not None]
        if names not in (["ctrl+c"], ["ctrl+q"]):
            return False
        self._end_paste(found)
        found += [events.Key(name, None) for name in names if name == "ctrl+q"]
        return True

    def _end_paste(self, found: list[Message]) -> None:
        """The end of the paste was lost; the text is not."""
        pasted = "".join(self._paste or ()).removesuffix(_QUIET_END)
        torn = next(
            (size for size in range(len(PASTE_END) - 1, 0, -1) if pasted.endswith(PASTE_END[:size])), 0
        )
        pasted = pasted[: len(pasted) - torn].replace("\0", "")
        self._paste, self._lost_end = None, True
        if pasted:
            found.append(events.Paste(pasted))

    # -- sequences that the line tore apart -------------------------------------------------------------------------

    def _torn_s(self) -> float:
        return min(TORN_MOST_S, max(TORN_S, 2 * self._line_s()))

    def _without_rest(self, text: str, found: list[Message]) -> str:
        """What is left of the first text after an Esc that was taken for itself. A known sequence that comes in one read
        and lacks only its ESC was torn apart: it is dropped, but a paste that begins so is a paste."""
        since, self._escape_at = self._escape_at or 0.0, None
        text, self._rest = self._rest + text, ""
        if self._clock() - since > self._torn_s():
            return text
        whole = f"\x1b{text}"
        part = sequences.first(whole)
        if part is None:
            self._rest, self._escape_at = text, since
            return ""
        if part.kind == "paste":
            return self._typed(whole, found)
        behind = whole[len(part.text) :]
        is_known = part.kind == "string" or (
            part.kind in ("csi", "ss3")
            and (
                _WITH_NUMBERS.fullmatch(part.text) is not None
                or self._told(part.text)
                or key_reports.report(part.text)
            )
        )
        if not is_known or (behind and not behind.startswith("\x1b")):
            return text
        if part.kind == "string" or self._told(part.text) is not None or part.text.startswith("\x1b[?"):
            self._take(part, found)  # the terminal's own word counts all the same
        return behind
