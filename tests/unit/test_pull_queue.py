"""The queue of downloads: order, pausing, going on after a broken connection and after a restart, what a download changed."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.replay import CannedResponse, Replay, as_json, ndjson, recorded, replay, stalling
from tui.core.endpoint import Endpoint, ServerKind
from tui.core.model_management import ModelDetails, PullLayer, PullProgress
from tui.errors import LokalError, Refused, UsageError
from tui.models.changes import changes_between
from tui.models.pull import Pull, PullState, RateMeter
from tui.models.pull_file import PullFile
from tui.models.pull_queue import PullQueue, words_of
from tui.models.pull_servers import PullServers
from tui.servers.model_manager import ModelManager
from tui.servers.registry import server_for

OLLAMA = ServerKind.OLLAMA
SUCCESS = ndjson([{"status": "pulling manifest"}, {"status": "success"}])
BEGUN = {"status": "pulling aa", "digest": "sha256:aa", "total": 1000, "completed": 400}
BROKEN = ndjson([BEGUN], ended=False)
REFUSED = as_json(400, {"error": "invalid model name"})


@dataclass
class Bench:
    """A queue over a replay server that is an Ollama."""

    server: Replay
    queue: PullQueue
    told: list[Pull] = field(default_factory=list)
    problems: list[LokalError] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, model: str, *, update: bool = False) -> Pull:
        return self.queue.add(self.server.url, OLLAMA, model, update=update)

    def states(self) -> list[tuple[str, PullState]]:
        return [(pull.model, pull.state) for pull in self.queue.pulls]

    def pulled(self) -> list[str]:
        """The models that were asked for, in order."""
        return [str(request.json()["model"]) for request in self.server.seen if request.path == "/api/pull"]

    async def until(self, id: str, state: PullState) -> Pull:
        """Wait until a download is in a state, with what it then is."""
        while (pull := self.queue.find(id)) is None or pull.state is not state:
            self.changed.clear()
            await self.changed.wait()
        return pull


@asynccontextmanager
async def bench(
    *pulls: CannedResponse,
    file: PullFile | None = None,
    pauses_s: Sequence[float] = (0.0, 0.0),
    free: int = 10**12,
) -> AsyncIterator[Bench]:
    async with replay() as server:
        server.on("/api/pull", *pulls)

        servers = PullServers((), lambda: None)

        def hear(pull: Pull) -> None:
            made.told.append(pull)
            made.changed.set()

        problems: list[LokalError] = []
        queue = PullQueue(
            servers.connect, hear, file, on_problem=problems.append, pauses_s=pauses_s, free=lambda _: free
        )
        made = Bench(server, queue, problems=problems)
        yield made


@asynccontextmanager
async def running(queue: PullQueue) -> AsyncIterator[None]:
    work = asyncio.create_task(queue.run())
    try:
        yield
    finally:
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work


async def test_one_after_the_other_in_an_order_that_can_be_changed() -> None:
    async with bench(SUCCESS) as made:
        for name in "abc":
            made.add(name)
        assert made.add("a").id == made.queue.pulls[0].id, "once is enough"
        made.queue.move(made.queue.pulls[2].id, -5)
        made.queue.move(made.queue.pulls[1].id, 1)
        await made.queue.run(until_done=True)
        assert made.pulled() == ["c", "b", "a"]
        assert {pull.result for pull in made.queue.pulls} == {"downloaded"}
        made.queue.forget_finished()
        assert made.queue.pulls == ()


async def test_progress_rate_and_what_is_left() -> None:
    layers = [{**BEGUN, "completed": done} for done in (100, 400, 700, 1000)]
    async with bench(ndjson([*layers, {"status": "success"}])) as made:
        made.add("a")
        await made.queue.run(until_done=True)
        first = next(pull for pull in made.told if pull.progress.total)
        assert (first.share, first.sizes) == (0.1, "100 B of 1 kB")
        assert words_of(first) == "a: downloading, 100 B of 1 kB"
        assert len([pull for pull in made.told if pull.state is PullState.RUNNING]) <= 3, "news at intervals"
        assert made.queue.pulls[0].progress.completed == 1000


def test_the_rate_is_that_of_the_last_seconds() -> None:
    meter = RateMeter()
    for second in range(10):
        meter.add(float(second), second * 1000)
    for second in range(10, 30):
        meter.add(float(second), 10_000 + second)
    assert meter.rate == pytest.approx(1.0)
    meter.add(30.0, 0)
    assert meter.rate is None, "it was begun anew"
    meter.add(31.0, 50)
    assert meter.rate == 50


async def test_a_broken_connection_is_tried_again() -> None:
    async with bench(BROKEN, BROKEN, SUCCESS) as made:
        made.add("a")
        await made.queue.run(until_done=True)
        assert made.pulled() == ["a", "a", "a"]
        retried = [pull for pull in made.told if pull.state is PullState.RETRYING]
        assert [pull.attempts for pull in retried] == [1, 2], "the second brought nothing"
        assert retried[0].problem is not None
        assert retried[0].problem.title == "The download broke off"


async def test_it_is_not_tried_for_ever() -> None:
    async with bench(BROKEN) as made:
        made.add("a")
        await made.queue.run(until_done=True)
        assert made.pulled() == ["a"] * 3, "as often as there are pauses, after one that brought something"
        assert made.states() == [("a", PullState.FAILED)]
        made.server.on("/api/pull", SUCCESS)
        made.queue.resume(made.queue.pulls[0].id)
        await made.queue.run(until_done=True)
        assert made.states() == [("a", PullState.DONE)]


async def test_while_one_waits_for_its_next_attempt_the_others_come() -> None:
    async with bench(BROKEN, SUCCESS, pauses_s=(3600.0,)) as made:
        first, second = made.add("a"), made.add("b")
        async with running(made.queue):
            await made.until(second.id, PullState.DONE)
            assert made.states() == [("a", PullState.RETRYING), ("b", PullState.DONE)]
            made.queue.resume(first.id)
            await made.until(first.id, PullState.DONE)


async def test_what_the_server_refuses_is_not_tried_again() -> None:
    async with bench(REFUSED, SUCCESS) as made:
        made.add("a b")
        made.add("c")
        await made.queue.run(until_done=True)
        assert made.states() == [("a b", PullState.FAILED), ("c", PullState.DONE)]
        problem = made.queue.pulls[0].problem
        assert problem is not None
        assert "invalid model name" in problem.detail


async def test_pause_resume_and_stop() -> None:
    async with bench(stalling(BROKEN), SUCCESS) as made:
        first, second = made.add("a"), made.add("b")
        async with running(made.queue):
            await made.server.arrival("/api/pull").wait()
            made.queue.pause(first.id)
            await made.server.left.wait()
            await made.until(second.id, PullState.DONE)
            assert made.states()[0] == ("a", PullState.PAUSED)
            made.queue.resume(first.id)
            await made.until(first.id, PullState.DONE)
        assert made.pulled() == ["a", "b", "a"]
        with pytest.raises(UsageError):
            made.queue.resume("nosuch")


async def test_one_that_is_stopped_is_forgotten() -> None:
    async with bench(stalling(BROKEN), SUCCESS) as made:
        first, second = made.add("a"), made.add("b")
        async with running(made.queue):
            await made.server.arrival("/api/pull").wait()
            made.queue.cancel(first.id)
            await made.server.left.wait()
            await made.until(second.id, PullState.DONE)
        assert made.states() == [("b", PullState.DONE)]
        assert PullState.CANCELLED in [pull.state for pull in made.told if pull.id == first.id]


async def test_a_server_that_cannot_pause_says_so() -> None:
    async with bench(SUCCESS) as made:
        pull = made.queue.add("http://127.0.0.1:1", ServerKind.LMSTUDIO, "a")
        made.queue.pause(pull.id)  # it has not begun
        assert made.queue.pulls[0].state is PullState.PAUSED
        assert made.queue.resume(pull.id).state is PullState.WAITING
        begun = asyncio.Event()

        @asynccontextmanager
        async def never(_: Pull) -> AsyncIterator[ModelManager]:
            begun.set()
            await asyncio.Event().wait()
            raise AssertionError
            yield

        queue = PullQueue(never, lambda _: None)
        pull = queue.add("http://127.0.0.1:1", ServerKind.LMSTUDIO, "a")
        async with running(queue):
            await begun.wait()
            with pytest.raises(Refused, match="LM Studio cannot pause a download"):
                queue.pause(pull.id)


async def test_the_disk_is_looked_at_as_soon_as_a_size_is_known(tmp_path: Path) -> None:
    blob = tmp_path / "blobs" / f"sha256-{'a' * 64}"
    blob.parent.mkdir()
    blob.touch()
    async with bench(stalling(BROKEN), SUCCESS, free=599) as made:
        made.server.on("/api/tags", as_json(200, {"models": [{"name": "x"}]}))
        made.server.on("/api/show", as_json(200, {"modelfile": f"FROM {blob}"}))
        pull = made.add("a")
        async with running(made.queue):
            paused = await made.until(pull.id, PullState.PAUSED)
            assert paused.problem is not None
            assert paused.problem.detail == f"600 B are to come, 599 B are free in {blob.parent}"
            made.queue.resume(pull.id)
            await made.until(pull.id, PullState.DONE)


# -- what was there before ------------------------------------------------------------------------------------------


def described(server: Replay, *digests: str) -> None:
    lists = [as_json(200, {"models": [{"name": "a:latest", "digest": digest}]}) for digest in digests]
    server.on("/api/tags", *lists)


async def test_an_up_to_date_model() -> None:
    async with bench(recorded("ollama/pull-again-up-to-date")) as made:
        described(made.server, "d1")
        made.server.on("/api/show", as_json(200, {"template": "x"}))
        made.add("a", update=True)
        await made.queue.run(until_done=True)
        assert made.queue.pulls[0].result == "up to date"


async def test_what_a_download_changed_is_said() -> None:
    async with bench(recorded("ollama/pull")) as made:
        # Asked before the download, for the folder of the models, and after it.
        described(made.server, "d1", "d1", "d2")
        shows = [{"template": "x\ny", "license": "MIT"}] * 2 + [{"template": "x\nz", "license": "MIT"}]
        made.server.on("/api/show", *(as_json(200, show) for show in shows))
        made.add("a")
        await made.queue.run(until_done=True)
        done = made.queue.pulls[0]
        assert done.result == "changed: template"
        assert done.changes is not None
        assert done.changes.fields[0].diff == ("@@ -1,2 +1,2 @@", " x", "-y", "+z")


async def test_a_model_that_was_made_here_stays_as_it_is() -> None:
    async with bench(recorded("ollama/pull-missing")) as made:
        made.add("mine", update=True)
        made.add("nosuch")
        await made.queue.run(until_done=True)
        assert [pull.state for pull in made.queue.pulls] == [PullState.DONE, PullState.FAILED]
        assert made.queue.pulls[0].result.endswith("it was made here, and stays as it is")


def test_all_that_can_change() -> None:
    one = ModelDetails(
        "a", digest="1", weights=("w1",), quantization="Q4_0", size=1000, settings=(("top_k", "1"),)
    )
    other = ModelDetails("a", digest="2", weights=("w2",), quantization="Q4_K_M", size=2000, license="MIT")
    changes = changes_between(one, other)
    assert changes.words == "changed: weights, quantization, settings, licence"
    assert (changes.fields[0].before, changes.fields[0].after) == ("1 kB", "2 kB")
    assert not changes_between(one, ModelDetails("a", digest="1"))
    assert (
        changes_between(ModelDetails("a", digest="1"), ModelDetails("a", digest="2")).words
        == "changed: description"
    )
    long = "\n".join(map(str, range(5000)))
    assert changes_between(ModelDetails("a"), ModelDetails("a", license=long)).fields[0].diff == ()


# -- on the disk ----------------------------------------------------------------------------------------------------


async def test_it_goes_on_after_a_restart(tmp_path: Path) -> None:
    folder = tmp_path / "pulls"
    async with bench(stalling(BROKEN), file=PullFile(folder)) as made:
        first, second, third = made.add("a"), made.add("b"), made.add("c")
        made.queue.pause(third.id)
        async with running(made.queue):
            await made.server.arrival("/api/pull").wait()
        await made.queue.aclose()
        assert stat.S_IMODE((folder / "queue.json").stat().st_mode) == 0o600
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700

    async with bench(SUCCESS, file=PullFile(folder)) as made:
        found = await made.queue.restore()
        assert [(pull.id, pull.model, pull.state) for pull in found] == [
            (first.id, "a", PullState.WAITING), (second.id, "b", PullState.WAITING), (third.id, "c", PullState.PAUSED),
        ]  # fmt: skip
        for pull in found:
            made.queue.cancel(pull.id)
        await made.queue.aclose()
    assert json.loads((folder / "queue.json").read_bytes())["pulls"] == []


def test_what_another_lokal_downloads_is_its_own(tmp_path: Path) -> None:
    here, there = PullFile(tmp_path), PullFile(tmp_path)
    pull = Pull("1", "http://127.0.0.1:1", OLLAMA, "a")
    there.save([pull])
    assert here.adopt() == ()
    assert here.others() == (pull,)
    here.save([Pull("2", "http://127.0.0.1:2", OLLAMA, "b")])
    there.release()
    assert here.adopt("http://127.0.0.1:2") == ()
    assert here.adopt("http://127.0.0.1:1") == (pull,)
    assert here.others() == ()
    here.save([])
    assert PullFile(tmp_path).adopt() == ()


def test_nothing_is_made_to_look(tmp_path: Path) -> None:
    file = PullFile(tmp_path / "pulls")
    assert (file.adopt(), file.others()) == ((), ())
    file.save([])
    assert not (tmp_path / "pulls").exists()


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b'{"form": 2, "pulls": []}', b"\xff\x00", b'{"form": 1, "pulls": ' + b"[" * 100_000, b"x" * 2_000_000]
)  # fmt: skip
def test_a_broken_file_is_set_aside(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "queue.json").write_bytes(content)
    file = PullFile(tmp_path)
    assert file.adopt() == ()
    assert file.set_aside == tmp_path / "queue.broken"
    assert file.set_aside.read_bytes() == content
    file.save([Pull("1", "http://127.0.0.1:1", OLLAMA, "a")])
    file.release()
    assert len(PullFile(tmp_path).adopt()) == 1


async def test_a_broken_file_is_said(tmp_path: Path) -> None:
    await asyncio.to_thread((tmp_path / "queue.json").write_bytes, b"{")
    async with bench(SUCCESS, file=PullFile(tmp_path)) as made:
        assert await made.queue.restore() == ()
        made.add("a")
        await made.queue.run(until_done=True)
        await made.queue.aclose()
        (problem,) = made.problems
        assert str(problem).startswith("The list of downloads could not be read. It is kept as ")


async def test_what_was_cut_off_goes_on_in_the_same_lokal_too() -> None:
    async with bench(stalling(BROKEN), SUCCESS) as made:
        pull = made.add("a")
        async with running(made.queue):
            await made.until(pull.id, PullState.RUNNING)
            await made.server.arrival("/api/pull").wait()
        assert made.states() == [("a", PullState.WAITING)]
        await made.queue.run(until_done=True)
        assert made.states() == [("a", PullState.DONE)]


def test_odd_entries_are_left_out(tmp_path: Path) -> None:
    good = {
        "id": "1",
        "server": "http://a",
        "kind": "ollama",
        "model": "m\x1b[2J",
        "state": "paused",
        "owner": "x",
    }
    odd: list[object] = [
        1,
        {},
        {**good, "kind": "other"},
        {**good, "state": "done"},
        {**good, "model": ""},
        {**good, "problem": [1]},
    ]
    (tmp_path / "queue.json").write_text(json.dumps({"form": 1, "pulls": [*odd, good] * 200}))
    found = PullFile(tmp_path).adopt()
    assert 0 < len(found) <= 500
    assert {(pull.model, pull.state, pull.problem) for pull in found} == {("m", PullState.PAUSED, None)}


async def test_where_it_cannot_be_kept_it_goes_on_and_is_said(tmp_path: Path) -> None:
    (tmp_path / "pulls").write_text("a file in its place")
    async with bench(SUCCESS, file=PullFile(tmp_path / "pulls")) as made:
        made.add("a")
        await made.queue.run(until_done=True)
        await made.queue.aclose()
        assert made.states() == [("a", PullState.DONE)]
        assert "Cannot keep the downloads" in str(made.problems[0])


async def test_a_download_goes_through_the_server_in_use_or_one_with_the_key_of_the_config() -> None:
    async with replay() as server:
        server.on("/api/show", as_json(200, {})).on("/api/tags", as_json(200, {"models": []}))
        used = server_for(Endpoint(server.url, OLLAMA))
        pull = Pull("1", server.url, OLLAMA, "a")
        async with PullServers((), lambda: used).connect(pull) as manager:
            assert manager is used.model_manager
        await used.aclose()
        configured = Endpoint(server.url, None, "sesame")
        async with PullServers((configured,), lambda: None).connect(pull) as manager:
            await manager.details("a")
        assert server.seen[-1].headers["authorization"] == "Bearer sesame"


def test_a_layer_without_a_size() -> None:
    assert Pull("1", "u", OLLAMA, "a").share is None
    assert Pull("1", "u", OLLAMA, "a", progress=PullProgress(layers=(PullLayer("", 1, 4),))).share == 0.25
