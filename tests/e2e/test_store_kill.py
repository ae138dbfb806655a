"""Several real processes on one database: killed in mid-stream, writing at once, opening at once."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tui.core.message import Status
from tui.store.store import Store

ROOT = Path(__file__).resolve().parents[2]

STREAMER = """
import sys
from pathlib import Path
from tui.core.message import Message, Role, Status
from tui.store.store import Store

store = Store.open(Path(sys.argv[1]))
store.create_chat("chat", "Long answer", 1.0)
store.add_message("chat", Message("q", None, Role.USER, "Count!", 2.0))
store.add_message("chat", Message("a", "q", Role.ASSISTANT, "", 3.0, status=Status.STREAMING, model="m"))
number = 0
while True:
    store.checkpoint("a", f"{number} ", f"({number})")
    print(number, flush=True)
    if number == 25:
        sys.stdin.readline()
    number += 1
"""

WRITER = """
import sys
from pathlib import Path
from tui.core.message import Message, Role, new_id
from tui.store.store import Store

store = Store.open(Path(sys.argv[1]))
mine = new_id()
store.create_chat(mine, sys.argv[2], 1.0)
print("ready", flush=True)
sys.stdin.readline()
for number in range(40):
    store.add_message(mine, Message(new_id(), None, Role.USER, f"{sys.argv[2]} {number}", 2.0))
    store.add_message("shared", Message(new_id(), None, Role.USER, f"{sys.argv[2]} {number}", 2.0))
store.close()
"""

OPENER = """
import sys
from pathlib import Path
from tui.core.message import new_id
from tui.store.store import Store

print("ready", flush=True)
sys.stdin.readline()
store = Store.open(Path(sys.argv[1]))
store.create_chat(new_id(), "", 1.0)
store.close()
"""


@contextlib.contextmanager
def running(script: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A Python process that is gone when the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=60)


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lokal" / "chats.db"


def test_what_came_before_a_kill_is_kept(path: Path) -> None:
    with running(STREAMER, str(path)) as writer:
        while line_of(writer) != "25":
            assert writer.poll() is None
        alive = Store.open(path)
        assert alive.recover() == ()
        assert alive.load("chat")["a"].status is Status.STREAMING
        assert alive.load("chat")["a"].content.startswith("0 1 2 ")
        alive.close()
        assert writer.stdin is not None
        writer.stdin.write("go on\n")
        writer.stdin.flush()
        while line_of(writer) != "50":
            assert writer.poll() is None
        writer.kill()
        assert writer.stdout is not None
        rest = writer.stdout.read().split()  # of what `line_of` has in its buffer, too
        writer.wait(60)
    acknowledged = int(rest[-1]) if rest else 50

    store = Store.open(path)
    assert len(list((path.parent / "locks").glob("*.lock"))) == 2  # the dead one's and this one's
    assert store.load("chat")["a"].status is Status.INTERRUPTED, (
        "whoever reads it now is told that nobody writes it"
    )
    assert store.recover() == ("chat",)
    assert len(list((path.parent / "locks").glob("*.lock"))) == 1
    message = store.load("chat")["a"]
    assert message.status is Status.INTERRUPTED
    assert message.resumable
    numbers = [int(number) for number in message.content.split()]
    assert numbers == list(range(len(numbers)))
    assert numbers[-1] in (acknowledged, acknowledged + 1)  # one may have been saved but not told yet
    assert message.reasoning == "".join(f"({number})" for number in numbers)
    assert [m.id for m in store.load("chat").path()] == ["q", "a"]
    assert store.recover() == ()
    store.close()


def test_two_lokals_write_at_once(path: Path) -> None:
    store = Store.open(path)
    store.create_chat("shared", "Shared", 1.0)
    with running(WRITER, str(path), "left") as left, running(WRITER, str(path), "right") as right:
        for writer in (left, right):
            assert line_of(writer) == "ready"
        for writer in (left, right):
            assert writer.stdin is not None
            writer.stdin.write("go\n")
            writer.stdin.flush()
        for writer in (left, right):
            writer.communicate(timeout=60)
            assert writer.returncode == 0
    counts = {chat.title: chat.message_count for chat in store.chats()}
    assert counts == {"Shared": 80, "left": 40, "right": 40}
    contents = [message.content for message in store.load("shared")]
    for name in ("left", "right"):
        mine = [content for content in contents if content.startswith(name)]
        assert mine == [f"{name} {number}" for number in range(40)]
    store.close()


def test_many_lokals_create_the_database_at_once(path: Path) -> None:
    with contextlib.ExitStack() as stack:
        openers = [stack.enter_context(running(OPENER, str(path))) for _ in range(5)]
        for opener in openers:
            assert line_of(opener) == "ready"
        for opener in openers:
            assert opener.stdin is not None
            opener.stdin.write("go\n")
            opener.stdin.flush()
        for opener in openers:
            opener.communicate(timeout=60)
            assert opener.returncode == 0
    store = Store.open(path)
    assert len(store.chats()) == 5
    store.close()
