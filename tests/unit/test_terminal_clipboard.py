"""Which way a text goes to a clipboard, with real programs that write down what they were given."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tui.ui.terminal import clipboard
from tui.ui.terminal.clipboard import MOST_BASE64, SURE_BYTES, Delivery, deliver, local_command, osc52

Program = Callable[[str, str], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "bin"
    made.mkdir()
    return made


@pytest.fixture
def program(folder: Path) -> Program:
    """Makes a program of that name which runs a shell script."""

    def make(name: str, script: str) -> None:
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    return make


def environ(folder: Path, **more: str) -> Mapping[str, str]:
    return {"PATH": f"{folder}:/bin:/usr/bin", "TERM": "xterm-256color", **more}


def kept(folder: Path) -> str:
    return (folder / "kept").read_text(encoding="utf-8")


def test_osc_52_is_what_xterm_says() -> None:
    assert osc52("zażółć\n".encode()) == "\x1b]52;c;emHFvMOzxYLEhwo=\x07"


def test_tmux_is_given_both_ways() -> None:
    plain = osc52(b"text")
    assert osc52(b"text", "tmux") == f"{plain}\x1bPtmux;\x1b{plain}\x1b\\"


def test_screen_is_given_pieces_that_it_lets_through() -> None:
    data = bytes(range(256)) * 20
    sequence = osc52(data, "screen")
    pieces = re.findall(r"\x1bP(.*?)\x1b\\", sequence, re.DOTALL)
    assert all(len(f"\x1bP{piece}\x1b\\") <= 768 for piece in pieces)
    assert len(pieces) > 5
    assert "".join(f"\x1bP{piece}\x1b\\" for piece in pieces) == sequence
    whole = "".join(pieces)
    assert base64.b64decode(whole.removeprefix("\x1b]52;c;").removesuffix("\x07")) == data


@pytest.mark.parametrize(
    ("variables", "name", "arguments"),
    [
        ({"WAYLAND_DISPLAY": "wayland-0"}, "wl-copy", "--type text/plain;charset=utf-8"),
        ({"DISPLAY": ":0"}, "xclip", "-selection clipboard -in"),
        ({"DISPLAY": ":0"}, "xsel", "--clipboard --input"),
    ],
)
def test_where_the_person_sits_at_this_machine_its_own_clipboard_is_taken(
    folder: Path, program: Program, variables: dict[str, str], name: str, arguments: str
) -> None:
    program(name, f'cat > {folder}/kept; echo "$*" > {folder}/arguments')
    done = deliver("ўзбек 👍\n\tx", environ(folder, **variables))
    assert done == Delivery(10, 18, name)
    assert kept(folder) == "ўзбек 👍\n\tx"
    assert (folder / "arguments").read_text() == arguments + "\n"
    assert done.is_sure
    assert str(done) == f"10 characters to the clipboard ({name})"


def test_a_program_that_stays_to_keep_the_text_is_not_waited_for(folder: Path, program: Program) -> None:
    program("xclip", f"cat > {folder}/kept; (sleep 20) & exit 0")
    assert deliver("x", environ(folder, DISPLAY=":0")).tool == "xclip"


@pytest.mark.parametrize("variable", ["SSH_CONNECTION", "SSH_TTY"])
def test_over_ssh_the_clipboard_is_the_terminals(folder: Path, program: Program, variable: str) -> None:
    program("xclip", f"cat > {folder}/kept")
    done = deliver("x", environ(folder, DISPLAY=":0", **{variable: "1"}))
    assert done == Delivery(1, 1, sequence="\x1b]52;c;eA==\x07")
    assert not (folder / "kept").exists()
    assert not done.is_sure
    assert str(done) == "1 character by OSC 52; the terminal may ignore it"


def test_without_a_display_or_a_program_there_is_no_local_clipboard(folder: Path, program: Program) -> None:
    program("xclip", "true")
    assert local_command(environ(folder)) is None
    assert local_command(environ(folder, WAYLAND_DISPLAY="w")) is None
    assert local_command(environ(folder, DISPLAY=":0")) is not None


def test_on_a_mac_and_under_windows_their_own_program_is_taken(folder: Path, program: Program) -> None:
    program("pbcopy", "true")
    program("clip.exe", f"cat > {folder}/kept")
    assert local_command(environ(folder), "darwin") == (f"{folder}/pbcopy",)
    done = deliver("ż", environ(folder, WSL_DISTRO_NAME="Debian"))
    assert done.tool == "clip"
    assert (folder / "kept").read_bytes() == "ż".encode("utf-16-le")


@pytest.mark.parametrize("script", ["exit 1", "exec 0<&-; exit 3", "sleep 30"])
def test_a_program_that_fails_or_hangs_is_said_and_the_terminal_is_asked(
    folder: Path, program: Program, script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clipboard, "TOOL_TIME_S", 0.2)
    program("xclip", script)
    done = deliver("x" * 100_000, environ(folder, DISPLAY=":0"))
    assert done.failed == "xclip"
    assert done.sequence.startswith("\x1b]52;c;eHh4")
    assert "xclip failed" in str(done)


def test_in_tmux_its_own_command_is_the_surest(folder: Path, program: Program) -> None:
    program("tmux", f'cat > {folder}/kept; echo "$*" > {folder}/arguments')
    done = deliver("text", environ(folder, TMUX="/tmp/tmux-0/default,1,0", SSH_TTY="/dev/pts/1"))
    assert (done.tool, done.sequence) == ("tmux", "")
    assert (folder / "arguments").read_text() == "load-buffer -w -\n"
    assert str(done) == "4 characters to tmux; the terminal may ignore it"
    assert not done.is_sure


def test_an_old_tmux_and_one_elsewhere_are_given_the_sequences(folder: Path, program: Program) -> None:
    program("tmux", "exit 1")
    done = deliver("text", environ(folder, TMUX="/tmp/tmux-0/default,1,0"))
    assert done.sequence == osc52(b"text", "tmux")
    assert "tmux load-buffer failed" in str(done)
    assert deliver("text", environ(folder, TERM="tmux-256color")).sequence == osc52(b"text", "tmux")
    assert deliver("text", environ(folder, STY="1.pts")).sequence == osc52(b"text", "screen")


def test_what_a_terminal_would_act_on_is_left_out_and_counted(folder: Path) -> None:
    done = deliver("a\x1b[201~b\r\n\x07c\u202e\ud83d", environ(folder))
    assert base64.b64decode(done.sequence[7:-1]).decode() == "ab\nc\ufffd"
    assert done.dropped == 8
    assert str(done).endswith("8 control characters left out")


def test_more_than_terminals_take_is_said(folder: Path) -> None:
    assert "than many terminals take" not in str(deliver("x" * SURE_BYTES, environ(folder)))
    done = deliver("x" * (SURE_BYTES + 1), environ(folder))
    assert str(done) == "74,995 characters by OSC 52: 75 kB is more than many terminals take"
    assert len(base64.b64decode(done.sequence[7:-1])) == SURE_BYTES + 1


def test_what_is_too_large_for_a_terminal_is_not_sent(folder: Path, program: Program) -> None:
    most = MOST_BASE64 // 4 * 3
    assert len(deliver("x" * most, environ(folder)).sequence) == MOST_BASE64 + len("\x1b]52;c;\x07")
    done = deliver("x" * (most + 1), environ(folder))
    assert (done.sequence, done.is_too_large, done.is_sure) == ("", True, False)
    assert str(done) == "Not copied: 750 kB is too large for OSC 52"
    program("xclip", f"cat > {folder}/kept")
    assert not deliver("x" * (most + 1), environ(folder, DISPLAY=":0")).is_too_large
