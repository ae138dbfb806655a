"""What the guide is taught: enough of it, nothing that lokal does not have, and the model knows this very text."""

from __future__ import annotations

import difflib
import re
import shlex
from pathlib import Path

import pytest

from tui.cli import parser
from tui.core.commands import BY_SLASH, COMMANDS, key_name
from tui.core.parameters import REGISTRY
from tui.errors import EngineError, MalformedFile
from tui.guide import model
from tui.guide.training.source import OUTSIDE, Source, Subject, load, normalise, pieces_of, source_hash

KEY = re.compile(r"\b(?:(?:Ctrl|Alt|Shift)\+(?:\w+|[^\s\w])|F\d{1,2}|Esc|Enter|PgUp|PgDn|Home|Tab|Space)\b")
CODE = re.compile(r"`([^`]*)`")
# Keys of the text field itself and of terminals, which no command has.
OTHER_KEYS = frozenset(
    {
        "Alt+Enter",
        "Shift+Enter",
        "Ctrl+W",
        "Ctrl+U",
        "Ctrl+Shift+V",
        "Ctrl+Shift",
        "Ctrl+Shift+C",
        "Tab",
        "Alt+Up",
        "Shift+C",  # where a sentence has to tell it from c; elsewhere the key is written C
    }
)


@pytest.fixture(scope="module")
def source() -> Source:
    return load()


def subjects(source: Source, language: str) -> list[Subject]:
    return [subject for subject in source.subjects if subject.language == language]


def every_wording(subject: Subject) -> list[str]:
    """The answer with each alternative in turn, the others as they are first."""
    choices = list(pieces_of(subject.answer))
    return [
        "".join(said if at == place else other[0] for at, other in enumerate(choices))
        for place, choice in enumerate(choices)
        for said in choice
    ]


def test_there_is_enough_of_it(source: Source) -> None:
    english = subjects(source, "en")
    assert len(english) >= 150
    assert all(len(subject.ask) + len(subject.held) >= 8 for subject in source.subjects)
    told = " ".join(subject.answer for subject in english).lower()
    untold = {one.name for one in REGISTRY if one.name not in told and one.name.replace("_", " ") not in told}
    assert untold <= {"flash_attention", "cache_type"}  # its answer on the KV cache does not name them
    for language in ("ru", "pl", "vi", "uz"):
        ids = {subject.id for subject in subjects(source, language)}
        assert len(ids) >= 40
        assert ids <= {subject.id for subject in english}
    outside = source.subject(OUTSIDE)
    assert len(outside.held) >= 100


def test_a_fifth_of_the_phrasings_is_held_back_and_is_no_copy_of_a_trained_one(source: Source) -> None:
    for subject in source.subjects:
        if subject.id != OUTSIDE:
            share = len(subject.held) / (len(subject.held) + len(subject.ask))
            assert share >= 0.195, f"{subject.key}: {share:.0%}"
        asked = [normalise(question).lower() for question in subject.ask]
        for question in subject.held:
            mine = normalise(question).lower()
            close = difflib.get_close_matches(mine, asked, n=1, cutoff=0.87)
            assert not close, f"{subject.key}: {question!r} is nearly {close[0]!r}"


def test_a_phrasing_belongs_to_one_subject(source: Source) -> None:
    owner: dict[str, str] = {}
    for subject in source.subjects:
        for question in (*subject.ask, *subject.held, *subject.roundabout):
            text = normalise(question).lower()
            assert text, f"{subject.key} has an empty phrasing"
            assert owner.setdefault(text, subject.key) == subject.key, text
        trained = {normalise(question).lower() for question in subject.ask}
        assert not trained & {
            normalise(question).lower() for question in (*subject.held, *subject.roundabout)
        }


def test_no_answer_names_a_key_that_lokal_does_not_have(source: Source) -> None:
    keys = {key_name(command.key) for command in COMMANDS if command.key} | OTHER_KEYS
    for subject in source.subjects:
        for text in every_wording(subject):
            assert set(KEY.findall(text)) <= keys, f"{subject.key}: {text}"


def test_no_answer_names_a_command_that_lokal_does_not_have(source: Source) -> None:
    named: set[str] = set()
    for subject in source.subjects:
        for text in every_wording(subject):
            assert text.count("`") % 2 == 0, f"{subject.key}: {text}"
            for code in CODE.findall(text):
                if code.startswith("/") and code[1:2].isalpha() and "/" not in code[1:]:
                    assert code[1:].split()[0] in BY_SLASH, f"{subject.key}: {code}"
                elif code.startswith("lokal ") and code not in named:
                    named.add(code)
                    words = shlex.split(code.split(" < ")[0].split(" > ")[0].split(" | ")[0])[1:]
                    if words != ["--version"]:  # which ends the process
                        parser.parse([word.replace("FILE", "model.gguf") for word in _with_values(words)])
                elif re.fullmatch(r"--[a-z-]+", code):
                    assert code in _FLAGS, f"{subject.key}: {code}"
    assert len(named) > 20


_FLAGS = frozenset(
    {"--server", "--model", "--preset", "--set", "--gguf", "--resume", "--json", "--save", "--system", "--version",
     "--profile-start", "--help", "--format", "--yes", "--schema", "--encoding"}
    # of llama-server, vLLM and text-generation-webui
    | {"--ctx-size", "--max-model-len", "--api", "--port", "--host", "--n-gpu-layers", "--threads", "--batch-size"}
)  # fmt: skip


def _with_values(words: list[str]) -> list[str]:
    """A flag that is named alone gets something to stand for its value."""
    bare = {"--model", "--server", "--preset", "--system", "--gguf"}
    filled = [*words, "x.gguf"] if words and words[-1] in bare else words
    filled = [*filled, "top_k=40"] if words and words[-1] == "--set" else filled
    return (
        [*filled, "question"]
        if filled[:1] == ["ask"] and not any(" " in word or word.isalpha() for word in filled[1:])
        else filled
    )


def test_the_model_was_trained_on_this_very_source() -> None:
    manifest = model.read_manifest()
    assert manifest.source == source_hash(), "the source has changed: python -m tui.guide.training.train"
    gguf = model.checked_model()
    assert gguf.stat().st_size == manifest.size <= 6_000_000
    assert manifest.source.encode() in gguf.read_bytes()[:1_000_000], (
        "the model does not carry its source's hash"
    )


@pytest.mark.parametrize("damage", ["missing", "cut", "changed", "manifest"])
def test_a_damaged_model_is_recognised(tmp_path: Path, damage: str) -> None:
    content = (model.FOLDER / model.MODEL_NAME).read_bytes()
    manifest = (model.FOLDER / model.MANIFEST_NAME).read_text()
    if damage != "missing":
        changed = {"cut": content[:-1], "changed": content[:-1] + bytes([content[-1] ^ 1])}.get(
            damage, content
        )
        (tmp_path / model.MODEL_NAME).write_bytes(changed)
    (tmp_path / model.MANIFEST_NAME).write_text("sha256 = 3" if damage == "manifest" else manifest)
    with pytest.raises(EngineError) as caught:
        model.checked_model(tmp_path)
    assert "pip install" in caught.value.hint


def test_a_malformed_source_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('[[subject]]\nid = "x"\nask = "one"\nheld = []\nanswer = ""\n')
    with pytest.raises(MalformedFile, match=r"a\.toml"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("What's TOP_P?", "whats top p"),
        ("  `lokal --gguf`,\n\tplease! ", "lokal gguf please"),
        ("Что делает температура?", "Что делает температура"),
        ("o‘zgartirish / o'zgartirish", "ozgartirish ozgartirish"),
        ("", ""),
        ("a" * 500, "a" * 24),
        ("ab " * 100, " ".join(["ab"] * 53) + " a"),
    ],
)
def test_normalise(typed: str, read: str) -> None:
    assert normalise(typed) == read
