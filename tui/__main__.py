"""The program's start: the early frame first, everything else after it. `python -m tui` is `lokal`."""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Run `lokal`; the exit status."""
    from tui import early_frame
    from tui.startup_profile import StartupProfile

    if os.name == "posix" and not os.environ.get("HOME", "/").startswith("/"):
        del os.environ["HOME"]  # an empty one makes `~` the root folder, here and in what lokal starts
    # OpenSSL reads these by itself when it is loaded, and can fail or hang over what they name.
    for name in ("OPENSSL_CONF", "OPENSSL_MODULES", "OPENSSL_ENGINES"):
        os.environ.pop(name, None)
    profile = StartupProfile()
    profile.mark("the interpreter")
    shown = early_frame.show_early_frame(sys.argv[1:], os.environ)
    profile.mark("the early frame is shown")
    if any(word.startswith("--gguf") for word in sys.argv[1:]):
        from tui.servers.engine.supervisor import begin_early

        begin_early(sys.argv[1:], os.environ)
    if shown is not None:
        import gc

        gc.disable()  # until the app's first frame, which turns it on: what is made before that stays
    try:
        from tui.cli.main import main as run

        return run(early_frame=shown, profile=profile)
    finally:
        if shown is not None:
            shown.signals.ending()
            shown.restore_terminal()


if __name__ == "__main__":
    raise SystemExit(main())
