"""Measuring a model through the classes of every kind of server."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.dialects import DIALECTS, Dialect, ServerUnderTest, under_test
from tests.support.replay import as_json, stalling
from tui.chat.benchmark_run import BenchmarkRun, DepthLeftOut, Plan
from tui.core.benchmark import Measured, RateSource
from tui.core.endpoint import ServerKind
from tui.core.events import Progress
from tui.errors import LokalError, ModelMissing

PIECES = ("one ", "two ", "three ")
kinds = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.kind.value)


class Ticks:
    """A clock that goes on by a second each time that it is read."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def answering(tested: ServerUnderTest, **more: object) -> None:
    """Every question is answered, with counts of 512 tokens of prompt and 64 of answer."""
    dialect = tested.dialect
    end = dialect.end()
    if dialect.native:
        assert isinstance(end[0], dict)
        end = [{**end[0], "prompt_eval_count": 512, "eval_count": 64, **more}]
    else:
        assert isinstance(end[1], dict)
        end[1] = {**end[1], "usage": {"prompt_tokens": 512, "completion_tokens": 64}, **more}
    tested.answers(dialect.stream(*map(dialect.text, PIECES), *end))


def prompts(tested: ServerUnderTest) -> list[str]:
    """What was asked, oldest first."""
    asked = []
    for request in tested.replay.seen:
        if request.path == tested.dialect.path:
            messages = request.json()["messages"]
            assert isinstance(messages, list)
            asked.append(str(messages[0]["content"]))
    return asked


def running(tested: ServerUnderTest, plan: Plan) -> BenchmarkRun:
    return BenchmarkRun(tested.server, "m", plan, clock=Ticks())


@kinds
async def test_every_kind_is_measured_at_every_depth(dialect: Dialect) -> None:
    async with under_test(dialect) as tested:
        answering(tested)
        findings = await running(tested, Plan((1024, 4096), 2, 64)).work()
        asked = prompts(tested)
    assert [(speed.asked, speed.depth, speed.runs) for speed in findings.depths] == [
        (1024, 512, 2),
        (4096, 512, 2),
    ]
    assert findings.left_out == []
    assert len(asked) == 5  # one to warm up
    assert len({prompt[:12] for prompt in asked}) == 5, "no prompt begins like another"
    assert len(asked[0]) < len(asked[1]) < len(asked[3])
    assert len(asked[3]) == pytest.approx(4 * len(asked[1]), rel=0.2)
    # The clock of the test goes on by a second with each piece.
    assert findings.depths[0].answer_rate == Measured(63 / 2, RateSource.CLOCK)
    assert findings.depths[0].prompt_rate == Measured(512.0, RateSource.CLOCK)


async def test_llama_servers_own_rates_are_taken() -> None:
    async with under_test(Dialect(ServerKind.LLAMACPP)) as tested:
        own = {
            "prompt_n": 500,
            "cache_n": 12,
            "predicted_n": 64,
            "prompt_per_second": 250.0,
            "predicted_per_second": 90.0,
        }
        answering(tested, timings=own)
        (speed,) = (await running(tested, Plan((512,), 1, 64)).work()).depths
    assert speed.prompt_rate == Measured(250.0, RateSource.SERVER)
    assert speed.answer_rate == Measured(90.0, RateSource.SERVER)
    assert speed.cached == 12


async def test_ollama_says_how_long_loading_took() -> None:
    async with under_test(Dialect(ServerKind.OLLAMA)) as tested:
        answering(tested, load_duration=2_000_000_000, eval_duration=1_000_000_000)
        findings = await running(tested, Plan((512,), 1, 64)).work()
    assert findings.load_s == 2.0
    assert findings.depths[0].answer_rate == Measured(64.0, RateSource.SERVER)


async def test_what_does_not_fit_or_takes_too_long_is_left_out_and_said() -> None:
    async with under_test(Dialect(ServerKind.OLLAMA)) as tested:
        answering(tested)
        findings = await running(tested, Plan((512, 4096, 100_000), 1, 64)).work(window=4100)
        assert [speed.asked for speed in findings.depths] == [512]
        assert findings.left_out == [
            DepthLeftOut(4096, "the context window has 4,100 tokens"),
            DepthLeftOut(100_000, "the context window has 4,100 tokens"),
        ]
        slow = await running(tested, Plan((512, 100_000), 1, 64)).work()
        assert [one.depth for one in slow.left_out] == [100_000]
        assert "one run would take about 4 min; --depths 100000 measures it" in slow.left_out[0].why
        asked = await running(tested, Plan((512, 100_000), 1, 64, asked=True)).work()
        assert [speed.asked for speed in asked.depths] == [512, 100_000]


async def test_what_the_server_refuses_as_too_long_is_left_out() -> None:
    async with under_test(Dialect(ServerKind.LLAMACPP)) as tested:
        dialect = tested.dialect
        answering(tested)
        whole = tested.replay.replies[dialect.path][0]
        refusal = {
            "error": {
                "code": 400, "message": "the request exceeds the available context size, try increasing it",
                "type": "exceed_context_size_error", "n_prompt_tokens": 5000, "n_ctx": 4096,
            }
        }  # fmt: skip
        tested.answers(whole, whole, as_json(400, refusal))
        findings = await running(tested, Plan((512, 4096), 1, 64, asked=True)).work()
    assert [speed.asked for speed in findings.depths] == [512]
    assert [one.depth for one in findings.left_out] == [4096]
    assert findings.left_out[0].why.startswith("it does not fit")


@kinds
async def test_an_error_of_the_server_ends_it_with_what_there_is(dialect: Dialect) -> None:
    async with under_test(dialect) as tested:
        answering(tested)
        whole = tested.replay.replies[dialect.path][0]
        tested.answers(whole, whole, dialect.stream(dialect.error("out of memory")))
        run = running(tested, Plan((512,), 3, 64))
        with pytest.raises(LokalError):
            await run.work()
    assert [(speed.asked, speed.runs) for speed in run.findings.depths] == [(512, 1)]


async def test_a_model_that_says_nothing_cannot_be_measured() -> None:
    async with under_test(Dialect(ServerKind.OPENAI)) as tested:
        tested.answers(tested.dialect.stream(*tested.dialect.end()))
        with pytest.raises(ModelMissing):
            await running(tested, Plan((512,), 1, 64)).work()


async def test_cancelling_it_closes_the_connection_and_keeps_what_was_measured() -> None:
    async with under_test(Dialect(ServerKind.OLLAMA)) as tested:
        answering(tested)
        whole = tested.replay.replies[tested.dialect.path][0]
        tested.answers(whole, whole, stalling(tested.dialect.stream(tested.dialect.text("so"), ended=False)))
        heard = asyncio.Event()
        answers = 0

        def show(words: str, progress: Progress | None) -> None:
            nonlocal answers
            answers += words.endswith("answering")
            if answers == 3:
                heard.set()

        run = BenchmarkRun(tested.server, "m", Plan((512,), 2, 64), show=show, clock=Ticks())
        work = asyncio.create_task(run.work())
        await heard.wait()
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        await tested.replay.left.wait()
    assert [(speed.asked, speed.runs) for speed in run.findings.depths] == [(512, 1)]
