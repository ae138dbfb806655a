"""`python -m tui` is `lokal`."""

from tui.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
