"""What can go wrong, said so that a person can act on it.

LokalError                title, detail, hint
├── UsageError            the command line, a preset, theme or parameter name
│   └── ChatsNotOpen      ... came before the chats were open
├── FileError             a file cannot be read, parsed or written
│   ├── MalformedFile     ... with the line and column
│   └── Rescued           ... but holds what a person wrote, which is nowhere else
├── StoreError            the chat database
│   ├── StoreUnavailable  ... cannot be used now, but may be later: a full disk, a lock
│   │   └── StoreDamaged  ... holds what lokal did not write
│   ├── MessageGone       ... has this message no longer
│   └── ChatGone          ... has this chat no longer
├── EngineError           the embedded llama.cpp engine
└── ServerError           anything that concerns a model server
    ├── Unreachable       nobody answers at this address
    ├── NotAModelServer   somebody answers, but not a model server
    └── Refused           the server answered with an error (status)
        ├── AuthRequired  401 or 403: an API key is needed or wrong
        ├── ModelMissing  the server does not have this model
        ├── TryLater      it takes no requests now
        │   ├── StillLoading  503 while the model loads
        │   └── ServerBusy    503 or 429: the queue is full
        ├── ContextOverflow  the prompt is longer than the context window
        ├── SchemaMismatch the answer is not JSON, or not of its schema
        ├── BadReply      bytes that are not the protocol
        └── Interrupted   the answer ended without its end
"""

from __future__ import annotations

from pathlib import Path


class LokalError(Exception):
    """An error with a title (what), a detail (why) and a hint (what to do).

    Each part is plain text: a path, a name or an argument in it may hold anything, so what would act on a terminal is
    taken out of it here. `str()` joins them into one line.
    """

    def __init__(self, title: str, detail: str = "", hint: str = "") -> None:
        title, detail, hint = _plain(title), _plain(detail), _plain(hint)
        super().__init__(title, detail, hint)
        self.title = title
        self.detail = detail
        self.hint = hint

    def __str__(self) -> str:
        return sentences(self.title, self.detail, self.hint)


def sentences(*parts: str) -> str:
    """The parts that say something, in one line; as everywhere in a notice there is no full stop at its end."""
    *before, last = [part for part in parts if part] or [""]
    ended = [part if part.endswith((".", "!", "?", ":", "…")) else f"{part}." for part in before]
    return " ".join([*ended, last if last.endswith("..") else last.removesuffix(".")])


# All controls but tab and line feed, the marks that turn text around (Unicode UAX #9), and halves of surrogate pairs, as
# a file's name has them for bytes that are no UTF-8.
_ACTING = "[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
_HALVES = "[\ud800-\udfff]"


# Control sequences and strings (ECMA-48 5.4, 5.6) as a whole, so that no `[2J` stays of one.
_SEQUENCE = "\x1b\\[[0-?]*[ -/]*[@-~]|\x1b[\\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\\\)?|\x1b[ -/]*[0-~]"


def _plain(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    import re

    return re.sub(_HALVES, "\ufffd", re.sub(_ACTING, "", re.sub(_SEQUENCE, "", text)))


class UsageError(LokalError):
    """The person asked for something that does not exist or does not fit."""


class ChatsNotOpen(UsageError):
    """A command came in the moment before the chats are open; it can be done once they are."""

    def __init__(self) -> None:
        super().__init__("The chats are not open yet", "", "Try again in a moment")


class FileError(LokalError):
    """A file could not be read or written; `path` names it."""

    def __init__(self, path: Path, title: str, detail: str = "", hint: str = "") -> None:
        super().__init__(title, detail, hint)
        self.path = path


class MalformedFile(FileError):
    """A file was read but could not be understood; line and column count from 1, 0 = unknown."""

    def __init__(
        self, path: Path, title: str, detail: str = "", hint: str = "", line: int = 0, column: int = 0
    ) -> None:
        super().__init__(path, title, detail, hint)
        self.line = line
        self.column = column


class Rescued(FileError):
    """What a person wrote could not be taken over; it is in the file `path`, and nowhere else."""


class StoreError(LokalError):
    """The chat database could not be opened, read or written."""


class StoreUnavailable(StoreError):
    """It could not be done now, but may be later: nothing is wrong with what was to be written."""


class StoreDamaged(StoreUnavailable):
    """The database holds what lokal did not write."""


class MessageGone(StoreError):
    """A message is not in its chat, or was deleted, here or in another lokal."""


class ChatGone(StoreError):
    """A chat is not there, or was deleted, here or in another lokal; `chat_id` names it."""

    def __init__(self, chat_id: str, title: str, detail: str = "", hint: str = "") -> None:
        super().__init__(title, detail, hint)
        self.chat_id = chat_id


class EngineError(LokalError):
    """The embedded engine could not start or died."""


class ServerError(LokalError):
    """Anything that concerns a model server."""


class Unreachable(ServerError):
    """Nobody answers at this address."""


class NotAModelServer(ServerError):
    """Somebody answers at this address, but no model server that lokal knows."""


class Refused(ServerError):
    """The server answered with an error; `status` is the HTTP status, 200 for one inside a stream."""

    def __init__(self, title: str, detail: str = "", hint: str = "", status: int = 0) -> None:
        super().__init__(title, detail, hint)
        self.status = status


class AuthRequired(Refused):
    """An API key is needed, or the one given is wrong."""


class ModelMissing(Refused):
    """The server does not have this model."""


class TryLater(Refused):
    """The server takes no requests now; `retry_after_s` are the seconds after which it wants to be asked again, None
    where it did not say."""

    retry_after_s: float | None = None


class StillLoading(TryLater):
    """The server is loading a model and takes no requests yet."""


class ServerBusy(TryLater):
    """The server's queue is full."""


class ContextOverflow(Refused):
    """The prompt is longer than the context window (both in tokens; 0 = the server did not say). With `at_least` the
    server stopped counting the prompt there."""

    def __init__(
        self,
        title: str,
        detail: str = "",
        hint: str = "",
        status: int = 0,
        prompt_tokens: int = 0,
        window_tokens: int = 0,
        *,
        at_least: bool = False,
    ) -> None:
        super().__init__(title, detail, hint, status)
        self.at_least = at_least
        self.prompt_tokens = prompt_tokens
        self.window_tokens = window_tokens


class SchemaMismatch(Refused):
    """The answer is complete, but not what the schema that it was asked for says."""


class BadReply(Refused):
    """The server sent bytes that are not the protocol it speaks."""


class Interrupted(Refused):
    """The answer ended without the server saying that it was complete."""
