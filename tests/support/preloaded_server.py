"""The process behind `tests.support.preloaded`: it has loaded lokal, and becomes one in a child for each that is asked for.

It is run by its path, with the descriptor of a socket. What comes there is a `Start` as JSON, with four descriptors: the
three standard streams, and one for the process id of the new lokal and later its wait status, a line each.
"""

from __future__ import annotations

import fcntl
import gc
import importlib
import io
import json
import os
import runpy
import signal
import socket
import sys
import termios
from typing import Any

LOADED = (
    *("tui.cli.main", "tui.cli.output", "tui.cli.parser", "tui.ui.run", "tui.ui.app", "tui.servers.connect"),
    *("tui.servers.engine.embedded", "tui.servers.http.http_client", "tui.store.store", "tui.early_frame"),
    *("textual.app", "textual.drivers.linux_driver", "httpx", "sqlite3", "ssl"),
)
LARGEST = 1 << 20


def main(descriptor: int) -> None:
    """Serve until whoever started this is gone; in a child, return so that it goes on as lokal."""
    for name in LOADED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # the children share it
    channel = socket.socket(fileno=descriptor)
    while True:
        said, given, _, _ = socket.recv_fds(channel, LARGEST, 4)
        if not said:
            os._exit(0)
        if waiter := os.fork():
            for one in given:
                os.close(one)
            os.waitpid(waiter, 0)
            continue
        channel.close()
        if _is_lokal(given):
            _become(json.loads(said))
            return


def _is_lokal(given: list[int]) -> bool:
    """Whether this process is the new lokal, with the streams that it was given. Another one waits for its end, as a
    grandchild of the server: that takes no notice of it."""
    *streams, told = given
    if os.fork():
        os._exit(0)
    if child := os.fork():
        for one in streams:
            os.close(one)
        os.write(told, b"%d\n" % child)
        os.write(told, b"%d\n" % os.waitpid(child, 0)[1])
        os._exit(0)
    os.close(told)
    for number, one in enumerate(streams):
        os.dup2(one, number)
    for one in streams:
        if one > 2:
            os.close(one)
    return True


def _become(start: dict[str, Any]) -> None:
    """Make this process what `python -m tui` would find itself to be."""
    if start["terminal"]:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(start["folder"])
    os.environ.clear()
    os.environ.update(start["environ"])
    sys.argv[1:] = start["arguments"]
    for folder in reversed(os.environ.get("PYTHONPATH", "").split(os.pathsep)):
        if folder not in sys.path:
            sys.path.insert(0, folder)
            if os.path.exists(own := os.path.join(folder, "sitecustomize.py")):  # noqa: PTH110, PTH118
                runpy.run_path(own)
    for name, number, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        before: io.TextIOWrapper = getattr(sys, name)
        stream = io.TextIOWrapper(
            open(number, f"{mode}b", closefd=False),  # noqa: SIM115 - the process's own until its end
            before.encoding,
            before.errors,
            newline=None if mode == "r" else "\n",
            line_buffering=name == "stderr" or os.isatty(number),
        )
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


if __name__ == "__main__":
    main(int(sys.argv[1]))
    runpy.run_module("tui", run_name="__main__", alter_sys=True)
