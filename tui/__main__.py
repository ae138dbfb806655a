"""The program's start: the curtain first, everything else behind it. `python -m tui` is `lokal`."""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Run `lokal`; the exit status."""
    from tui import curtain
    from tui.stopwatch import Stopwatch

    if os.name == "posix" and not os.environ.get("HOME", "/").startswith("/"):
        del os.environ["HOME"]  # an empty one makes `~` the root folder, here and in what lokal starts
    # OpenSSL reads these by itself when it is loaded, and can fail or hang over what they name.
    for name in ("OPENSSL_CONF", "OPENSSL_MODULES", "OPENSSL_ENGINES"):
        os.environ.pop(name, None)
    watch = Stopwatch()
    watch.mark("the interpreter")
    held = curtain.raised(sys.argv[1:], os.environ)
    watch.mark("the first picture is painted")
    if held is not None:
        import gc

        gc.disable()  # until the app's first frame, which turns it on: what is made before that stays
    try:
        from tui.cli.main import main as run

        return run(curtain=held, watch=watch)
    finally:
        if held is not None:
            held.signals.ending()
            held.drop()


if __name__ == "__main__":
    raise SystemExit(main())
