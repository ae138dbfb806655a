"""Train the guide: `python -m tui.guide.training.train`. Writes tui/guide/lokal-guide.gguf and
tui/guide/guide.toml, which are all that the product needs.

About 70 minutes on two cores that do nothing else. After a change of the source `--grow` goes on from the file there is,
in about ten; the one that ships came about so. Steps that `--minutes` cuts short leave a worse model: the learning rate
falls with them, to the last one. The seeds are fixed; another processor or another version of JAX may
round differently, so that a file is not the same to the byte.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from tui.guide.training import network
from tui.guide.training import source as guide_source
from tui.guide.training.augment import one_typo
from tui.guide.training.lessons import Lessons, held_questions
from tui.guide.training.network import Shape, Weights
from tui.guide.training.source import Source, normalise
from tui.guide.training.vocabulary import TokenVocabulary
from tui.guide.training.write import write_model

SEED = 20261122
PIECES = 3072
QUESTIONS, QUESTION_LENGTH = 192, 16
LEANING, LEANING_LENGTH = 32, 36
ANSWERS, ANSWER_LENGTH = 10, 160
DROPOUT = 0.1
STEADY = 0.02
"""The weight of (log Z)^2: it keeps the score of a sure token near 0, where a repeat penalty has nothing to multiply."""
DOUBT = 0.6
"""In nats: a wrong answer does more harm than a refusal that was not needed."""


def _topic_loss(weights: Weights, shape: Shape, batch: Any, key: Any, dropout: float) -> tuple[Any, Any]:
    tokens, ends, subjects = batch
    last = network.states(weights, tokens, shape, key, dropout, ends)
    scores = network.logits(weights, last)
    whole = jax.nn.logsumexp(scores, axis=-1)
    right = jnp.take_along_axis(scores, subjects[:, None], axis=-1)[:, 0]
    return jnp.mean(whole - right) + STEADY * jnp.mean(whole**2), jnp.mean(scores.argmax(-1) == subjects)


def _answer_loss(weights: Weights, shape: Shape, batch: Any, key: Any) -> tuple[Any, Any]:
    tokens, wanted = batch
    scores = network.logits(weights, network.states(weights, tokens, shape, key, 0.02))[:, :-1]
    whole = jax.nn.logsumexp(scores, axis=-1)
    right = jnp.take_along_axis(scores, tokens[:, 1:, None], axis=-1)[..., 0]
    use = wanted[:, :-1]
    count = jnp.sum(use)
    loss = jnp.sum(use * (whole - right)) / count
    return loss + STEADY * jnp.sum(use * whole**2) / count, loss


def train(
    source: Source,
    minutes: float,
    steps: int,
    rate: float,
    shape: Shape,
    words: TokenVocabulary,
    weights: Weights,
    keep: Callable[[Weights], object],
) -> Weights:
    """The weights after `steps` steps, or fewer if the `minutes` are over, from the ones given; `rate` is the highest
    learning rate. `keep` gets what is learned so far every thousand steps."""
    lessons = Lessons(source, words, SEED)
    schedule = optax.warmup_cosine_decay_schedule(rate / 25, rate, min(150, steps // 4), steps, rate / 125)
    decayed = jax.tree.map(lambda weight: weight.ndim > 1, weights)
    optimizer = optax.chain(
        optax.clip_by_global_norm(1.0), optax.adamw(schedule, b2=0.98, weight_decay=0.05, mask=decayed)
    )
    state = optimizer.init(weights)
    average = weights

    def _step(weights: Weights, state: Any, average: Weights, batches: Any, key: Any) -> Any:
        def loss(weights: Weights) -> Any:
            one, two, three = jax.random.split(key, 3)
            topic, hit = _topic_loss(weights, shape, batches[0], one, DROPOUT)
            lean, lean_hit = _topic_loss(weights, shape, batches[1], two, DROPOUT)
            answer, plain = _answer_loss(weights, shape, batches[2], three)
            return topic + 0.5 * lean + 2.0 * answer, (topic, hit, lean_hit, plain)

        (_, told), slope = jax.value_and_grad(loss, has_aux=True)(weights)
        updates, state = optimizer.update(slope, state, weights)
        weights = optax.apply_updates(weights, updates)
        average = jax.tree.map(lambda old, new: 0.995 * old + 0.005 * new, average, weights)
        return weights, state, average, told

    step = jax.jit(_step)
    key = jax.random.PRNGKey(SEED)
    start = time.monotonic()
    for number in range(1, steps + 1):
        key, part = jax.random.split(key)
        batches = (
            lessons.topics(QUESTIONS, QUESTION_LENGTH, leaning=False),
            lessons.topics(LEANING, LEANING_LENGTH, leaning=True),
            lessons.answers(ANSWERS, ANSWER_LENGTH),
        )
        weights, state, average, told = step(weights, state, average, _spread(batches), part)
        if number % 100 == 0 or number == steps:
            topic, hit, lean, answer = (float(value) for value in told)
            spent = time.monotonic() - start
            print(
                f"step {number:5}  {spent:6.0f} s  topic {topic:.3f} ({hit:.0%}, leaning {lean:.0%})  answer {answer:.4f}"
                + (f"  held {held_right(source, average, shape, words):.1%}" if number % 500 == 0 else ""),
                flush=True,
            )
            if number % 1000 == 0:
                keep(average)
            if spent > minutes * 60:
                break
    return average


def _spread(batches: Any) -> Any:
    """The batches over all devices; on a processor a device is a core, see `main`."""
    mesh = jax.sharding.Mesh(np.array(jax.devices()), ("batch",))
    return jax.device_put(batches, jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("batch")))


def _last_states(weights: Weights, shape: Shape, prompts: list[list[int]]) -> np.ndarray:
    """What the model makes of each prompt, [prompts, D]."""
    longest = 64
    out = []
    run = jax.jit(lambda weights, tokens, ends: network.states(weights, tokens, shape, ends=ends))
    for start in range(0, len(prompts), 256):
        part = prompts[start : start + 256]
        tokens = np.zeros((256, longest), dtype=np.int32)
        ends = np.zeros(256, dtype=np.int32)
        for row, ids in enumerate(part):
            ids = ids[-longest:]
            tokens[row, : len(ids)] = ids
            ends[row] = len(ids) - 1
        out.append(np.asarray(run(weights, tokens, ends))[: len(part)])
    return np.concatenate(out)


def doubting(source: Source, weights: Weights, shape: Shape, words: TokenVocabulary) -> Weights:
    """The same model, a little more ready to say that it does not know: the score of each refusal is `DOUBT` higher
    behind the prompt of a usual question."""
    lessons = Lessons(source, words, SEED + 1)
    prompts = [words.prompt(lessons.question()[0]) for _ in range(4096)]
    usual = _last_states(weights, shape, prompts).mean(axis=0)
    rows = np.array(weights["output.weight"])
    for subject in source.subjects:
        if subject.id == guide_source.OUTSIDE:
            rows[words.id(f"<|{subject.key}|>")] += DOUBT * usual / (usual @ usual)
    return {**weights, "output.weight": jnp.asarray(rows)}


def held_right(
    source: Source, weights: Weights, shape: Shape, words: TokenVocabulary, report: bool = False
) -> float:
    """The share of the held questions whose subject the model names; with `report`, each language's and the misses."""
    held = held_questions(source)
    right = {}
    for kind in ("as written", "with a typing error"):
        chance = random.Random(7)
        texts = [normalise(question) for question, _ in held]
        if kind != "as written":
            texts = [one_typo(text, chance) for text in texts]
        last = _last_states(weights, shape, [words.prompt(text) for text in texts])
        named = np.asarray(network.logits(weights, last).argmax(-1))
        hits = [
            words.tokens[token] == f"<|{subject.key}|>"
            for token, (_, subject) in zip(named, held, strict=True)
        ]
        right[kind] = float(np.mean(hits))
        if report:
            print(kind)
            for language in sorted({subject.language for _, subject in held}):
                for out in (False, True):
                    part = [
                        hit
                        for hit, (_, subject) in zip(hits, held, strict=True)
                        if subject.language == language and (subject.id == guide_source.OUTSIDE) == out
                    ]
                    if part:
                        print(
                            f"  {language} {'outside' if out else 'inside '} {np.mean(part):.1%} of {len(part)}"
                        )
            if kind == "as written":
                for token, hit, (question, subject) in zip(named, hits, held, strict=True):
                    if not hit:
                        print(f"  MISS {subject.key:28} {words.tokens[token]:30} {question}")
        if not report:
            break
    return right["as written"]


def grown(path: Path, weights: Weights, words: TokenVocabulary) -> Weights:
    """The weights of a model that was written before, for a source that has changed a little since: what is said of a
    token stays with it, and a token that is new begins as in `weights`."""
    import gguf

    reader = gguf.GGUFReader(path)
    field = reader.fields["tokenizer.ggml.tokens"]
    places = {bytes(field.parts[at]).decode(): place for place, at in enumerate(field.data)}
    result = dict(weights)
    for tensor in reader.tensors:
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        if tensor.name in ("token_embd.weight", "output.weight"):
            rows = np.array(weights[tensor.name])
            for row, token in enumerate(words.tokens):
                if token in places:
                    rows[row] = values[places[token]]
            values = rows
        result[tensor.name] = jnp.asarray(values, dtype=jnp.float32)
    return result


def main() -> int:
    """The whole way from the source to the file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, help="7800; with --grow 600")
    parser.add_argument("--minutes", type=float, default=88)
    parser.add_argument("--rate", type=float, help="the highest learning rate: 2.5e-3; with --grow 6e-4")
    parser.add_argument(
        "--grow", type=Path, metavar="GGUF", help="go on from the guide as it was, after a small change"
    )
    parser.add_argument(
        "--blend",
        type=float,
        default=1.0,
        metavar="SHARE",
        help="the share of what is new in what is written, with --grow",
    )
    parser.add_argument("--out", type=Path, default=guide_source.MODEL_FOLDER)
    options = parser.parse_args()
    source = guide_source.load()
    words = TokenVocabulary(source, PIECES)
    shape = Shape(len(words.tokens))
    print(
        f"{len(source.subjects)} answers, {sum(len(s.ask) for s in source.subjects)} questions, {len(words.tokens)} tokens"
    )
    weights = network.fresh(shape, SEED)
    if options.grow:
        weights = grown(options.grow, weights, words)
    before, share = weights, options.blend
    steps = options.steps or (600 if options.grow else 7800)
    rate = options.rate or (6e-4 if options.grow else 2.5e-3)

    def write(weights: Weights) -> Path:
        return write_model(options.out, source, words, shape, weights)

    weights = train(source, options.minutes, steps, rate, shape, words, weights, write)
    weights = {name: share * weights[name] + (1 - share) * before[name] for name in weights}
    weights = doubting(source, weights, shape, words)
    held_right(source, weights, shape, words, report=True)
    path = write(weights)
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
