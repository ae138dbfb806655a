"""What the model is shown: questions with the subject that they are about, and answers. Never a held question."""

from __future__ import annotations

import random
import re
from collections import defaultdict

import numpy as np

from tui.guide.training.augment import odd, one_typo, vary, without_marks
from tui.guide.training.source import OUTSIDE, Source, Subject, normalise, pieces_of
from tui.guide.training.vocabulary import END, TokenVocabulary

MAIN_SHARE = 0.86
"""How often the first of some alternatives is said: above the top_p of exact settings, below that of free ones."""

ODD_SHARE = 0.06
"""How many of the questions out of scope are no questions at all."""
LONG_SHARE = 0.1
"""How many of the questions are said in two ways at once, one after the other."""

_NUMBER = re.compile(r"\d+")
OUTSIDE_SHARE = 0.26


class Lessons:
    """An endless supply of samples, the same for the same seed."""

    def __init__(self, source: Source, vocabulary: TokenVocabulary, seed: int) -> None:
        self._source = source
        self._words = vocabulary
        self._chance = random.Random(seed)
        self._inside = [subject for subject in source.subjects if subject.id != OUTSIDE]
        self._outside = {subject.language: subject for subject in source.subjects if subject.id == OUTSIDE}
        self._by_key = {subject.key: subject for subject in source.subjects}
        self._order: list[tuple[Subject, str]] = []
        self._queue: list[Subject] = []
        self._follows = {follow.language: follow for follow in source.follows}
        self._languages = sorted(set(self._follows) & set(self._outside))
        self._things: dict[str, list[tuple[tuple[str, ...], Subject, Subject | None]]] = defaultdict(list)
        for language in self._languages:
            at = "" if language == "en" else f"@{language}"
            for thing in source.things:
                what = self._by_key.get(thing.what + at)
                if what is not None:
                    self._things[language].append((thing.names, what, self._by_key.get(thing.value + at)))

    def question(self) -> tuple[str, Subject]:
        """One question, varied, normalised, and its subject."""
        chance = self._chance
        if chance.random() < OUTSIDE_SHARE:
            language = "en" if chance.random() < 0.55 else chance.choice(self._languages)
            subject = self._outside[language]
            if language == "en" and chance.random() < ODD_SHARE:
                return self._odd(), subject
            if language == "en" and chance.random() < 0.4:
                frame, noun = chance.choice(self._source.frames), chance.choice(self._source.nouns)
                text = " ".join(noun if word.strip("?.,!") == "X" else word for word in frame.split())
            else:
                text = chance.choice(subject.ask)
                if chance.random() < 0.5:
                    text = _NUMBER.sub(lambda found: str(chance.randrange(10 ** min(4, len(found[0])))), text)
            return vary(text, language, chance), subject
        if not self._order:
            self._order = [(subject, ask) for subject in self._inside for ask in subject.ask]
            # English has five times the subjects to tell apart.
            self._order += [one for one in self._order if one[0].language == "en"]
            chance.shuffle(self._order)
        subject, ask = self._order.pop()
        return vary(ask, subject.language, chance), subject

    def leaning(self) -> tuple[str, str, Subject]:
        """A question, the one before it, and the subject: what it leans on, or itself where it stands alone."""
        chance = self._chance
        if chance.random() < 0.35:
            question, subject = self.question()
            if chance.random() < 3 * LONG_SHARE:
                question = f"{question} {self._asked(subject)}"
            return question, self.question()[0], subject
        language = "en" if chance.random() < 0.6 else chance.choice(self._languages)
        follow, things = self._follows[language], self._things[language]
        _, what, value = chance.choice(things)
        now = chance.random()
        if now < 0.4:
            other_names, other_what, other_value = chance.choice(things)
            of_value = value is not None and other_value is not None and chance.random() < 0.5
            first, second = (value, other_value) if of_value else (what, other_what)
            assert first is not None
            assert second is not None
            text = chance.choice(follow.also).replace("{}", chance.choice(other_names))
            return self._short(text, language), self._asked(first), second
        if now < 0.7 and value is not None:
            return (
                self._short(chance.choice(follow.value), language),
                self._asked(chance.choice((what, what, value))),
                value,
            )
        earlier = what if value is None or chance.random() < 0.5 else value
        return self._short(chance.choice(follow.what), language), self._asked(earlier), what

    def _odd(self) -> str:
        ask = self._outside["en"].ask
        return odd(self._chance, [self._chance.choice(ask) for _ in range(self._chance.randint(2, 6))])

    def _asked(self, subject: Subject) -> str:
        return vary(self._chance.choice(subject.ask), subject.language, self._chance)

    def _short(self, text: str, language: str) -> str:
        text = normalise(text)
        if self._chance.random() < 0.8:
            text = text.lower()
        if language in ("pl", "vi") and self._chance.random() < 0.35:
            text = without_marks(text)
        return one_typo(text, self._chance) if self._chance.random() < 0.15 else text

    def topics(self, count: int, length: int, *, leaning: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Prompts [count, length], the place of each one's last token [count], and the subject's token [count]."""
        tokens = np.zeros((count, length), dtype=np.int32)
        ends, subjects = np.zeros(count, dtype=np.int32), np.zeros(count, dtype=np.int32)
        row = 0
        while row < count:
            if leaning:
                question, before, subject = self.leaning()
            else:
                (question, subject), before = self.question(), ""
            ids = self._words.prompt(question, before, frayed=self._chance.random() < 0.35)
            if len(ids) > length:
                continue
            tokens[row, : len(ids)] = ids
            ends[row] = len(ids) - 1
            subjects[row] = self._words.id(f"<|{subject.key}|>")
            row += 1
        return tokens, ends, subjects

    def answers(
        self, count: int, length: int, subjects: list[Subject] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Whole exchanges [count, length] and, 1 where a token of the answer is to be foretold, [count, length]."""
        tokens = np.zeros((count, length), dtype=np.int32)
        wanted = np.zeros((count, length), dtype=np.float32)
        chance = self._chance
        for row in range(count):
            subject = subjects[row] if subjects else self._next_answer()
            before = vary(*self._any_question(), chance) if chance.random() < 0.25 else ""
            question = self._asked(subject)
            is_long = subjects is None and chance.random() < 2 * LONG_SHARE
            if is_long:
                # What long prompts are about is learned here too: those of `topics` are short.
                if chance.random() < 0.5:
                    subject, question = self._outside["en"], self._odd()
                else:
                    question = f"{question} {self._asked(subject)}"
            ids = self._words.prompt(question, before)
            answer, weights = self._said(subject.answer)
            start = len(ids) - is_long
            ids = [*ids, self._words.id(f"<|{subject.key}|>"), *answer, self._words.id(END)]
            if len(ids) > length:  # a long question before a long answer: the answer matters here
                ids = ids[len(ids) - length :]
                start = length - len(answer) - 2
            tokens[row, : len(ids)] = ids
            wanted[row, start : len(ids) - 1] = 1
            at = (
                len(ids) - 2 - len(answer)
            )  # the place of the subject's token, which foretells the first of the answer
            wanted[row, at : at + len(answer)] = weights
        return tokens, wanted

    def _next_answer(self) -> Subject:
        if not self._queue:
            self._queue = list(self._source.subjects)
            self._chance.shuffle(self._queue)
        return self._queue.pop()

    def _any_question(self) -> tuple[str, str]:
        subject = self._chance.choice(self._inside)
        return self._chance.choice(subject.ask), subject.language

    def _said(self, answer: str) -> tuple[list[int], list[float]]:
        """One way of saying the answer, and how much each of its tokens weighs.

        The alternatives are said equally often, so that each is learned; where one parts from another it weighs what
        makes the first one `MAIN_SHARE` likely.
        """
        choices = list(pieces_of(answer))
        said = [choice[0] for choice in choices]
        rivals: list[tuple[int, str, float]] = []
        for place, choice in enumerate(choices):
            if len(choice) == 1:
                continue
            others = choice[1:]
            if self._chance.random() < 1 / len(choice):
                rivals.append((place, self._chance.choice(others), MAIN_SHARE * len(choice)))
            else:
                said[place] = self._chance.choice(others)
                rivals.append((place, choice[0], (1 - MAIN_SHARE) * len(choice) / len(others)))
        tokens = self._words.encode("".join(said))
        weights = [1.0] * len(tokens)
        for place, rival, weight in rivals:
            other = self._words.encode("".join([*said[:place], rival, *said[place + 1 :]]))
            parting = (at for at, pair in enumerate(zip(tokens, other, strict=False)) if pair[0] != pair[1])
            weights[next(parting, 0)] = weight
        return tokens, weights


def held_questions(source: Source) -> list[tuple[str, Subject]]:
    """What the model is measured by."""
    return [(question, subject) for subject in source.subjects for question in subject.held]
