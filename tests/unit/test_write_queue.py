"""Writing off the screen's thread: in order, kept until it can be written, and said where it cannot."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager

import pytest

from tui.chat.write_queue import WriteQueue
from tui.errors import ChatGone, LokalError, StoreError, StoreUnavailable

AGES_S = 60.0
FULL = StoreUnavailable("Cannot save the message", "chats.db: The disk is full", "Make room on the disk")


class Disk:
    """What was written, in order; while it is `full` every write fails."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.full: StoreError | None = None

    def write(self, what: str) -> Callable[[], None]:
        def write() -> None:
            if self.full is not None:
                raise self.full
            self.written.append(what)

        return write


class Heard:
    """What a persistence has told."""

    def __init__(self) -> None:
        self.problems: list[LokalError] = []
        self.caught_up = threading.Event()


@contextmanager
def opened(retry_s: float = AGES_S) -> Iterator[tuple[WriteQueue, Heard]]:
    heard = Heard()
    persistence = WriteQueue(heard.problems.append, heard.caught_up.set, retry_s)
    yield persistence, heard
    persistence.close()


def waited(event: threading.Event) -> None:
    event.wait(AGES_S)


def refuse(error: Exception) -> None:
    raise error


async def test_who_reads_waits_for_what_was_queued_but_not_for_ever() -> None:
    persistence = WriteQueue(refuse)
    written: list[str] = []
    release = threading.Event()

    def write() -> None:
        release.wait(AGES_S)
        written.append("it")

    await persistence.catch_up(AGES_S)  # nothing is queued
    stuck = persistence.submit(write)
    await persistence.catch_up(0.01)
    assert written == []
    assert not stuck.cancelled(), "who stops waiting takes the write not away"
    release.set()
    await persistence.catch_up(AGES_S)
    assert written == ["it"]
    persistence.close()


def test_what_cannot_be_written_waits_and_is_written_in_order() -> None:
    disk = Disk()
    with opened() as (persistence, heard):
        assert persistence.keep(disk.write("a"), "chat").result(AGES_S)
        disk.full = FULL
        durable = [persistence.keep(disk.write(what), "chat") for what in "bcd"]
        assert [future.result(AGES_S) for future in durable] == [False] * 3, "nobody waits for a full disk"
        assert persistence.owners() == ("chat",)
        assert persistence.problem is FULL
        assert [error.detail for error in heard.problems] == [FULL.detail], "the cause is said, and once"
        assert "kept in memory" in heard.problems[0].hint
        assert not heard.caught_up.is_set()
        disk.full = None
        late = persistence.keep(disk.write("e"), "chat")
        assert not late.result(AGES_S), "it is not on the disk before what was said before it"
        persistence.retry()
        assert heard.caught_up.wait(AGES_S)
        assert disk.written == list("abcde")
        assert not persistence.owners()
        disk.full = FULL
        persistence.keep(disk.write("f"), "chat").result(AGES_S)
        assert len(heard.problems) == 2, "another time is said again"
        disk.full = None
    assert disk.written == list("abcdef"), "the last try is made at the end"


def test_a_problem_that_somebody_else_tells_is_not_told_again() -> None:
    disk = Disk()
    disk.full = StoreUnavailable("The disk is full", "", "Make room")
    with opened() as (queue, heard):
        queue.problem_is_told(disk.full)
        queue.keep(disk.write("first"), "chat")
        queue.flush(AGES_S)
        assert heard.problems == []
        assert queue.problem is disk.full
        disk.full = StoreUnavailable("The disk is full", "in another way", "Make room")
        queue.retry()
        queue.keep(disk.write("second"), "chat")
        queue.flush(AGES_S)
        disk.full = None
        queue.retry()
        waited(heard.caught_up)
    assert [problem.detail for problem in heard.problems] == ["in another way"]
    assert disk.written == ["first", "second"]


def test_it_is_tried_again_without_being_asked() -> None:
    disk = Disk()
    disk.full = FULL
    with opened(retry_s=0.001) as (persistence, heard):
        persistence.keep(disk.write("a"), "chat").result(AGES_S)
        disk.full = None
        assert heard.caught_up.wait(AGES_S)
    assert disk.written == ["a"]


def test_what_is_not_kept_is_tried_once_and_does_not_wait() -> None:
    disk, other = Disk(), Disk()
    disk.full = FULL
    with opened() as (persistence, heard):
        persistence.keep(disk.write("a"), "chat")
        assert not persistence.submit(disk.write("setting")).result(AGES_S)
        assert persistence.submit(other.write("another file")).result(AGES_S)
        assert len(heard.problems) == 2
        disk.full = None
    assert (disk.written, other.written) == (["a"], ["another file"])


def test_what_can_never_be_written_does_not_hold_up_the_rest() -> None:
    disk = Disk()
    gone = ChatGone("one", "The chat is gone")
    with opened() as (persistence, heard):
        disk.full = FULL
        persistence.keep(lambda: refuse(gone), "chat")
        persistence.keep(disk.write("a"), "chat")
        persistence.keep(lambda: refuse(gone), "chat")
        persistence.keep(lambda: refuse(ZeroDivisionError("a mistake")), "chat")
        persistence.keep(disk.write("b"), "chat").result(AGES_S)
        disk.full = None
        persistence.retry()
        assert heard.caught_up.wait(AGES_S)
        assert disk.written == ["a", "b"]
    titles = [error.title for error in heard.problems]
    assert titles == ["The chat is gone", FULL.title, "The chat is gone", "lokal could not write"]


def test_of_what_takes_the_same_place_the_newest_is_written() -> None:
    disk = Disk()
    disk.full = FULL
    with opened() as (persistence, _):
        persistence.keep(disk.write("first"), "chat")
        for number in range(100):
            persistence.keep(disk.write(f"draft {number}"), "chat", "draft")
            persistence.keep(disk.write(f"draft {number} of another"), "other", "draft")
        persistence.keep(disk.write("last"), "chat").result(AGES_S)
        disk.full = None
    assert disk.written == ["first", "draft 99", "draft 99 of another", "last"]


def test_what_is_still_unwritten_at_the_end_is_known() -> None:
    disk = Disk()
    disk.full = FULL
    with opened() as (persistence, _):
        persistence.keep(disk.write("a"), "one")
        persistence.keep(disk.write("b"), "two")
    assert persistence.owners() == ("one", "two")
    assert disk.written == []


@pytest.mark.parametrize("kept", [False, True])
def test_a_cancelled_wait_takes_only_what_is_not_kept_with_it(kept: bool) -> None:
    disk, release = Disk(), threading.Event()
    with opened() as (persistence, _):
        persistence.submit(lambda: waited(release))
        mine: Future[bool] = Future()
        future = (
            persistence.keep(disk.write("a"), "chat", durable=mine)
            if kept
            else persistence.submit(disk.write("a"))
        )
        assert future.cancel()
        release.set()
        assert persistence.submit(disk.write("b")).result(AGES_S), "the thread goes on"
    assert disk.written == (["a", "b"] if kept else ["b"])
