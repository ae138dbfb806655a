"""What the guide knows: the questions and answers in `source/*.toml`, from which its model is trained.

    language = "en"          # of the whole file; English where it is left out
    [[subject]]
    id = "top_k.what"
    ask = ["What does top_k do?", ...]     # trained on
    held = ["what is the k in top k", ...] # never trained on: what the model is measured by
    roundabout = ["it picks silly words far down the list", ...]  # never trained on either, where there are any
    answer = "top_k {keeps|leaves} only the k likeliest tokens ..."

The `held` phrasings are other sentences of words that the trained ones have between them. Those that are `roundabout`
share few words with them: what a model that never saw any other text cannot know, measured apart.

In an answer `{a|b|c}` are ways of saying the same; the first is the one that exact settings choose. The subject
`outside` is the honest refusal. `follow.toml` has the short questions that lean on the one before.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tui.errors import MalformedFile

FOLDER = Path(__file__).with_name("source")
MODEL_FOLDER = Path(__file__).parent.parent
"""Where the model goes that ships with lokal."""
OUTSIDE = "outside"
FOLLOW_FILE = "follow.toml"
MAX_BYTES, MAX_WORD_BYTES = 160, 24
"""How much of a question and of a word the model reads, in bytes of UTF-8; what is longer is none that it knows."""

_BLANKS = '?!.,;:()[]{}<>|"`«»„”“…_-–—/\\=*#\n\t'
_NOTHING = "'’‘ʻʼ"
_CHOICE = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing the guide can tell, in one language. `answer` still has its alternatives."""

    id: str
    language: str
    ask: tuple[str, ...]
    held: tuple[str, ...]
    answer: str
    roundabout: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Unique among all languages: `top_k.what` in English, `top_k.what@pl` in another."""
        return self.id if self.language == "en" else f"{self.id}@{self.language}"

    @property
    def plain_answer(self) -> str:
        """What exact settings say: the first of each alternatives."""
        return _CHOICE.sub(lambda found: found[1].split("|")[0], self.answer)


@dataclass(frozen=True, slots=True)
class Follow:
    """Questions that lean on the one before, in one language.

    `what` and `value` ask of the thing that was asked about last; in `also`, `{}` stands for another thing, of which
    the same is asked. The `held_` ones are never trained on.
    """

    language: str
    what: tuple[str, ...]
    value: tuple[str, ...]
    also: tuple[str, ...]
    held_what: tuple[str, ...]
    held_value: tuple[str, ...]
    held_also: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Thing:
    """What follow-up questions name: its names in questions, and the ids of what it is and of which value to take."""

    names: tuple[str, ...]
    what: str
    value: str


@dataclass(frozen=True, slots=True)
class Source:
    """The whole source. `nouns` and `frames` (an `X` in each) make more questions that are out of scope."""

    subjects: tuple[Subject, ...]
    follows: tuple[Follow, ...]
    things: tuple[Thing, ...]
    nouns: tuple[str, ...]
    frames: tuple[str, ...]

    def subject(self, id: str, language: str = "en") -> Subject:
        """The subject with that id. Raises KeyError."""
        for subject in self.subjects:
            if subject.id == id and subject.language == language:
                return subject
        raise KeyError(f"{id}@{language}")


def load(folder: Path = FOLDER) -> Source:
    """Read the source. Raises MalformedFile."""
    subjects: list[Subject] = []
    follows: list[Follow] = []
    things: list[Thing] = []
    nouns: tuple[str, ...] = ()
    frames: tuple[str, ...] = ()
    for path in sorted(folder.glob("*.toml")):
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
            if path.name == FOLLOW_FILE:
                follows = [_follow(language, part) for language, part in table["follow"].items()]
                things = [
                    Thing(_texts(part["names"]), part["what"], part["value"]) for part in table["thing"]
                ]
                continue
            language = table.get("language", "en")
            nouns += _texts(table.get("nouns", ()))
            frames += _texts(table.get("frames", ()))
            subjects += [
                Subject(
                    part["id"],
                    language,
                    _texts(part["ask"]),
                    _texts(part["held"]),
                    part["answer"],
                    _texts(part.get("roundabout", ())),
                )
                for part in table["subject"]
            ]
        except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
            raise MalformedFile(
                path, f"{path.name} is not what the guide's source looks like", repr(error)
            ) from error
    return Source(tuple(subjects), tuple(follows), tuple(things), nouns, frames)


def source_hash(folder: Path = FOLDER) -> str:
    """SHA-256 of all that the model is trained on, in hexadecimal digits."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.toml")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return digest.hexdigest()


def normalise(question: str) -> str:
    """A question as the model reads it: small ASCII letters, no punctuation, single blanks. `TEMPLATE` does the same."""
    text = question.encode()[:MAX_BYTES].decode(errors="ignore")
    text = "".join(mark.lower() if mark.isascii() else mark for mark in text)
    for mark in _NOTHING:
        text = text.replace(mark, "")
    for mark in _BLANKS:
        text = text.replace(mark, " ")
    return " ".join(_cut(word, MAX_WORD_BYTES) for word in text.split(" ") if word)


def _cut(text: str, size: int) -> str:
    return text.encode()[:size].decode(errors="ignore")


def _marks(marks: str) -> str:
    escaped = {"\\": r"\\", "\n": r"\n", "\t": r"\t", "'": r"\'"}
    return "[" + ", ".join(f"'{escaped.get(mark, mark)}'" for mark in marks) + "]"


LEANING_WORDS = 7
"""The most words of a question that may lean on the one before it: a longer one says itself what it is about."""
TEMPLATE = f"""\
{{%- macro plain(content) -%}}
{{%- set clean = namespace(text=(content | string)[:{MAX_BYTES}] | lower) -%}}
{{%- for mark in {_marks(_NOTHING)} -%}}{{%- set clean.text = clean.text.replace(mark, '') -%}}{{%- endfor -%}}
{{%- for mark in {_marks(_BLANKS)} -%}}{{%- set clean.text = clean.text.replace(mark, ' ') -%}}{{%- endfor -%}}
{{%- for word in clean.text.split(' ') -%}}{{%- if word -%}}{{{{- ' ' + word[:{MAX_WORD_BYTES}] -}}}}{{%- endif -%}}{{%- endfor -%}}
{{%- endmacro -%}}
{{%- set asked = namespace(last='', before='') -%}}
{{%- for message in messages -%}}
{{%- if message.role == 'user' -%}}
{{%- set asked.before = asked.last -%}}
{{%- set asked.last = message.content -%}}
{{%- endif -%}}
{{%- endfor -%}}
{{%- if asked.before and plain(asked.last).split(' ') | length <= {LEANING_WORDS + 1} -%}}
{{{{- '<|before|>' + plain(asked.before) -}}}}
{{%- endif -%}}
{{{{- '<|user|>' + plain(asked.last) + '<|guide|>' -}}}}
"""
"""The chat template: the last question, and the one before it for what leans on it, which is short. Nothing else is
read."""


def pieces_of(answer: str) -> Iterator[tuple[str, ...]]:
    """An answer as a row of choices; what has no alternatives is a choice of one."""
    place = 0
    for found in _CHOICE.finditer(answer):
        if found.start() > place:
            yield (answer[place : found.start()],)
        yield tuple(found[1].split("|"))
        place = found.end()
    if place < len(answer):
        yield (answer[place:],)


def _texts(value: Sequence[object]) -> tuple[str, ...]:
    if isinstance(value, str) or not all(isinstance(text, str) for text in value):
        raise TypeError("a list of strings is wanted")
    return tuple(str(text) for text in value)


def _follow(language: str, part: dict[str, list[str]]) -> Follow:
    held = [_texts(part["held_" + name]) for name in ("what", "value", "also")]
    return Follow(
        language, _texts(part["what"]), _texts(part["value"]), _texts(part["also"]), held[0], held[1], held[2]
    )
