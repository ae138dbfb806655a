"""What is on the terminal between Enter and the app: painted at once, nothing typed is lost, always put right again."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from tests.support.app import answer, bodies, model_server, turns
from tests.support.preloaded import ROOT
from tests.support.terminal import DEADLINE_S, lokal
from tui import early_frame, frame_file
from tui.ui.next_start import FRAMES

SHOW = "import os, sys; from tui import early_frame; shown = early_frame.show_early_frame(sys.argv[1:], os.environ); "


class Pty:
    """A pseudo-terminal whose settings can be looked at from outside."""

    def __init__(self, columns: int = 80, rows: int = 24) -> None:
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        self.written = b""

    def run(self, code: str, *arguments: str, **environ: str) -> subprocess.Popen[bytes]:
        """Python `code` on this terminal."""
        variables = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT), **environ}
        return subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            stdin=self.slave, stdout=self.slave, stderr=self.slave, env=variables, start_new_session=True,
        )  # fmt: skip

    def read_until(self, wanted: bytes, deadline_s: float = 60) -> bytes:
        """Everything written so far, once `wanted` is in it."""
        end = time.monotonic() + deadline_s
        while wanted not in self.written and time.monotonic() < end:
            if select.select([self.master], [], [], 0.1)[0]:
                self.written += os.read(self.master, 65536)
        assert wanted in self.written, self.written
        return self.written

    @property
    def restored(self) -> bool:
        """Whether the terminal is as it was."""
        return termios.tcgetattr(self.slave) == self.before


def test_it_imports_next_to_nothing() -> None:
    code = (
        "import sys; before = set(sys.modules); import tui.early_frame; "
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}; print(sorted(new))"
    )
    ran = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    heavy = {"textual", "rich", "argparse", "pathlib", "dataclasses", "re", "asyncio", "tomllib", "json"}
    assert heavy.isdisjoint(eval(ran.stdout))


def test_the_first_time_it_paints_the_outline_for_this_size() -> None:
    terminal = Pty(100, 30)
    process = terminal.run(SHOW + "shown.ask_background(); input()")
    written = terminal.read_until(early_frame.ASK_BACKGROUND).decode()
    assert written.startswith("\x1b[?1049h")
    assert "Chat" in written
    assert "─" * 100 in written
    assert "\x1b[29;1H› " in written
    assert not terminal.restored
    process.kill()
    process.wait()


def test_it_paints_the_frame_of_last_time(own_home: Path) -> None:
    size = (90, 25)
    environ = {
        "TERM": "xterm-256color",
        "HOME": os.environ["HOME"],
        "XDG_STATE_HOME": os.environ["XDG_STATE_HOME"],
    }
    kept = Path(frame_file.frame_file(environ, *size))
    kept.parent.mkdir(parents=True)
    kept.write_text(frame_file.to_text([[("1", "the frame of last time")]]), encoding="utf-8")
    terminal = Pty(*size)
    process = terminal.run(SHOW + "shown.ask_background(); input()", COLORTERM="", NO_COLOR="")
    written = terminal.read_until(early_frame.ASK_BACKGROUND)
    assert b"\x1b[1;1H\x1b[0;1mthe frame of last time\x1b[m" in written
    process.kill()
    process.wait()


@pytest.mark.parametrize(
    "way",
    [
        "shown.restore_terminal()", "shown.restore_terminal(); shown.restore_terminal()",
        *(f"os.kill(os.getpid(), {number}); import time; time.sleep(60)" for number in (1, 2, 3, 10, 15)),
        "[os.kill(os.getpid(), 2) for _ in range(50)]; import time; time.sleep(60)",
    ],
)  # fmt: skip
def test_the_terminal_is_put_right(way: str) -> None:
    terminal = Pty()
    terminal.run(SHOW + way).wait()
    right_again = b"\x1b[?1049l\x1b[?25h"
    assert terminal.read_until(right_again).endswith(right_again)
    assert terminal.restored


def test_what_the_terminal_has_still_to_say_is_not_left_for_the_shell() -> None:
    terminal = Pty()
    process = terminal.run(
        SHOW
        + "shown.ask_background(); shown.restore_terminal(); print('the shell has', repr(sys.stdin.readline()))"
    )
    terminal.read_until(early_frame.ASK_LAST)
    os.write(
        terminal.master, b"\x1b]11;rgb:0000/0000/0000\x1b\\\x1b[?62;22c" + early_frame.LAST_ANSWER + b"ls\n"
    )
    terminal.read_until(b"the shell has 'ls\\n'")
    assert process.wait() == 0
    assert terminal.restored


def test_a_terminal_that_says_nothing_is_not_waited_for_long() -> None:
    outer, inner = os.pipe()
    assert not early_frame.take_answers(outer, 0.01)
    os.write(inner, b"\x1b[0\x1b[0nrest")
    assert early_frame.take_answers(outer, DEADLINE_S)
    assert os.read(outer, 100) == b"rest"
    os.close(inner)
    assert not early_frame.take_answers(outer, DEADLINE_S), "it is gone"
    os.close(outer)


def test_a_crash_on_the_way_is_said_on_a_terminal_that_is_right_again() -> None:
    terminal = Pty()
    broken = "import sys; sys.modules['textual'] = None; sys.argv[1:] = []; from tui.__main__ import main; sys.exit(main())"
    process = terminal.run(broken)
    written = terminal.read_until(b"Error")
    assert process.wait() != 0
    assert written.index(b"\x1b[?1049l") < written.index(b"Error")
    assert terminal.restored


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--preset", "nosuch"), b"There is no preset"),
        (("--gguf", "/nonexistent.gguf"), b"nonexistent.gguf"),
        (("--wrong",), b"--wrong"),
        (("--set", "top_k=abc"), b"top_k"),
        (("--server", "::bad::"), b"no server address"),
    ],
)
def test_what_is_wrong_with_the_command_line_stays_on_the_screen(
    arguments: tuple[str, ...], said: bytes
) -> None:
    terminal = Pty()
    os.write(terminal.master, b"the next command\n")
    process = terminal.run("import sys; from tui.__main__ import main; sys.exit(main())", *arguments)
    written = terminal.read_until(said)
    assert process.wait() == 2
    assert written.index(b"\x1b[?1049l") < written.index(said)
    assert terminal.restored
    assert re.search(rb"\x1b\][^8]|\x1b\[[?>0-9]*(?:[cnu]|\$p)", written) is None, (
        "the terminal is asked nothing"
    )
    assert os.read(terminal.slave, 100) == b"the next command\n"


@pytest.mark.parametrize(
    ("arguments", "environ", "size"),
    [
        (("ask", "hello"), {}, (80, 24)),
        (("--help",), {}, (80, 24)),
        ((), {"TERM": "dumb"}, (80, 24)),
        ((), {}, (19, 24)),
        ((), {}, (80, 5)),
    ],
)
def test_where_there_is_nothing_to_paint(
    arguments: tuple[str, ...], environ: dict[str, str], size: tuple[int, int]
) -> None:
    terminal = Pty(*size)
    terminal.run(SHOW + "print('shown', shown)", *arguments, **environ).wait()
    assert b"\x1b[?1049h" not in terminal.read_until(b"shown None")
    assert terminal.restored


async def test_what_is_typed_before_the_app_is_there_is_asked() -> None:
    async with (
        model_server(answer("Fine.")) as server,
        lokal("--server", server.url, preload=False) as terminal,
    ):
        terminal.send("typed at once, Enter too\r")
        await terminal.wait_for("Fine\\.")
        await terminal.quit()
        assert turns(bodies(server)[0]) == [("user", "typed at once, Enter too")]


async def test_the_first_frame_is_kept_for_the_next_start() -> None:
    async with model_server(answer("Fine.")) as server:
        async with lokal("--server", server.url, preload=False) as terminal:
            await terminal.wait_for("replay-3b")
            await terminal.quit()
        frames = list((Path(os.environ["XDG_STATE_HOME"]) / "lokal" / "frames").iterdir())
        assert [frame.name.endswith("-80x24") for frame in frames] == [True]
        assert "Looking for a model server" in frames[0].read_text(encoding="utf-8")
        async with lokal("--server", server.url, preload=False) as terminal:
            await terminal.wait_for("replay-3b")
            await terminal.quit()


async def test_of_the_frames_of_many_windows_the_newest_are_kept() -> None:
    folder = Path(os.environ["XDG_STATE_HOME"]) / "lokal" / "frames"
    folder.mkdir(parents=True)
    for number in range(40):
        frame = folder / f"xterm-{100 + number}x50"
        frame.write_text("a frame", encoding="utf-8")
        os.utime(frame, (1_700_000_000 + number, 1_700_000_000 + number))
    async with (
        model_server(answer("Fine.")) as server,
        lokal("--server", server.url, preload=False) as terminal,
    ):
        await terminal.wait_for("replay-3b")
        await terminal.quit()
    left = {frame.name for frame in folder.iterdir()}
    assert len(left) == FRAMES
    assert {f"xterm-{100 + number}x50" for number in range(9)}.isdisjoint(left)
    assert any(name.endswith("-80x24") for name in left)
