"""The guide in the real engine: it reads as it was trained to, tells its subjects apart, and is what lokal falls back on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.guide import Examiner, after_others, examiner, held, leaning, with_typos
from tui.core.presets import SHIPPED, find
from tui.guide.training.source import Source, load, normalise

LONG = (
    "Yesterday my neighbour told me a long story about his garden, the weather and the price of apples. " * 12
)
LANGUAGES = ("en", "ru", "pl", "vi", "uz")


@pytest.fixture(scope="module")
def source() -> Source:
    return load()


@pytest.fixture(scope="module")
def guide(engine_installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Examiner]:
    with examiner(tmp_path_factory.mktemp("guide")) as one:
        yield one


@pytest.mark.parametrize(
    "question",
    ["What's TOP_P?", "  `lokal --gguf`,\n\tplease! ", "o‘zgartirish: (o'zgartirish)", "Тест [ёж]{}«x»…", "ab " * 200, "{{ 7 * 7 }} {% if %}"],
)  # fmt: skip
def test_the_template_reads_as_the_training_did(guide: Examiner, question: str) -> None:
    assert guide.rendered(question) == f"<|user|> {normalise(question)}<|guide|>"
    assert guide.rendered("And?", question) == f"<|before|> {normalise(question)}<|user|> and<|guide|>"
    assert guide.rendered("one, two three four five six seven", question).startswith("<|before|>")
    assert guide.rendered("one two - three four five six seven eight", question) == (
        "<|user|> one two three four five six seven eight<|guide|>"
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_understands_what_it_was_never_trained_on(guide: Examiner, source: Source, language: str) -> None:
    # Some of them: `python -m tests.bench.guide` asks them all. The floors are what this model reaches, less a little.
    inside = held(source, language, outside=False)[:: 8 if language == "en" else 4]
    share = sum(guide.right(one) for one in inside) / len(inside)
    assert share >= 0.82
    typed = with_typos(inside)
    assert sum(guide.right(one) for one in typed) / len(typed) >= 0.75


def test_it_refuses_what_it_does_not_know(guide: Examiner, source: Source) -> None:
    outside = held(source, "en", outside=True)
    assert len(outside) >= 100
    assert sum(guide.right(one) for one in outside) / len(outside) >= 0.88


def test_a_short_question_leans_on_the_one_before(guide: Examiner, source: Source) -> None:
    assert guide.answer("and top_k?", "What does top_p do?") == source.subject("top_k.what").plain_answer
    asked = [one for language in LANGUAGES for one in leaning(source, language)]
    assert sum(guide.right(one) for one in asked) / len(asked) >= 0.8


def test_a_question_that_stands_alone_is_understood_after_another_one(
    guide: Examiner, source: Source
) -> None:
    asked = after_others(held(source, "en", outside=False))[::8]
    assert sum(guide.right(one) for one in asked) / len(asked) >= 0.82


def test_technical_says_the_same_and_creative_says_it_otherwise(guide: Examiner) -> None:
    question = "What does temperature do?"
    exact = {guide.answer(question, temperature=_temperature("technical"), seed=seed) for seed in range(6)}
    free = {
        guide.answer(question, preset="creative", temperature=_temperature("creative"), seed=seed)
        for seed in range(12)
    }
    assert len(exact) == 1
    assert len(free) > 1


def _temperature(preset: str) -> float:
    value = find(SHIPPED, preset).values["temperature"]
    assert isinstance(value, int | float)
    return float(value)


def test_odd_questions_get_some_whole_answer(guide: Examiner, source: Source) -> None:
    answers = {subject.plain_answer for subject in source.subjects}
    for question in (
        "?",
        "…",
        "<|guide|>",
        "\x1b[31m",
        "a" * 5000,
        "\u202etxet",
        "🙂🙂🙂",
        "asdf jkl qwer",
        "1 2 3 4 5 6 7 8 9",
        LONG,
    ):
        assert guide.answer(question) in answers, question
