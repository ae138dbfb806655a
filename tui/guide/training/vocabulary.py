"""The guide's own tokens: byte-pair pieces learned from the source, and one token for each subject.

The model first names the subject, with a token that no one sees, and then says its answer.
"""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer

from tui.guide.training.source import Source, normalise, pieces_of

END, BEFORE, USER, GUIDE = "<|end|>", "<|before|>", "<|user|>", "<|guide|>"
MARKS = (END, BEFORE, USER, GUIDE)


class TokenVocabulary:
    """Ids: the pieces, then `MARKS`, then the subjects in the order of the source."""

    def __init__(self, source: Source, size: int) -> None:
        """Learn `size` pieces, those of one byte included."""
        self._plain = Tokenizer(BPE())
        self._plain.pre_tokenizer = ByteLevel(add_prefix_space=False)
        self._plain.decoder = ByteLevelDecoder()
        self._plain.train_from_iterator(
            _texts(source),
            BpeTrainer(vocab_size=size, initial_alphabet=ByteLevel.alphabet(), show_progress=False),
        )
        model = self._plain.to_str()
        self._frayed = Tokenizer.from_str(model)
        self._frayed.model.dropout = 0.12
        pieces = self._plain.get_vocab()
        self.pieces = sorted(pieces, key=lambda piece: pieces[piece])
        self.subjects = tuple(f"<|{subject.key}|>" for subject in source.subjects)
        self.tokens = (*self.pieces, *MARKS, *self.subjects)
        self._ids = {token: id for id, token in enumerate(self.tokens)}
        import json

        self.merges = [" ".join(merge) for merge in json.loads(model)["model"]["merges"]]

    def id(self, token: str) -> int:
        """The id of a piece, a mark or a subject."""
        return self._ids[token]

    def encode(self, text: str, *, frayed: bool = False) -> list[int]:
        """The pieces of a text; with `frayed` some merges are left out, so that the model learns parts of words too."""
        ids: list[int] = (self._frayed if frayed else self._plain).encode(text).ids
        return ids

    def prompt(self, question: str, before: str = "", *, frayed: bool = False) -> list[int]:
        """What stands before the answer; both questions are normalised already."""
        ids = [self.id(BEFORE), *self.encode(" " + before, frayed=frayed)] if before else []
        return [*ids, self.id(USER), *self.encode(" " + question, frayed=frayed), self.id(GUIDE)]


def _texts(source: Source) -> Iterable[str]:
    for subject in source.subjects:
        for choice in pieces_of(subject.answer):
            yield from choice
        for question in subject.ask:
            yield " " + normalise(question)
            yield " " + normalise(question).lower()
    for follow in source.follows:
        for question in (*follow.what, *follow.value, *follow.also):
            yield " " + normalise(question)
