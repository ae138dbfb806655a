"""What may be loaded by when: help is there at once, and the first frame does not wait for what comes after it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.preloaded import ROOT

HEAVY = ("textual", "rich", "httpx", "ollama", "pygments", "markdown_it", "xllamacpp", "sqlite3", "asyncio")
BEHIND_THE_FIRST_FRAME = tuple(name for name in HEAVY if name not in ("textual", "rich", "asyncio"))

FIRST_FRAME = """
import asyncio, sys
from types import MappingProxyType
from tui.config.startup import StartOptions, load_configuration
from tui.paths import folders
from tui.ui import compat
from tui.ui.app import LokalApp
import tui.ui.run

loaded = []

def look(app: LokalApp) -> None:
    loaded.extend(sys.modules)
    app.exit()

LokalApp._after_first_frame = look

async def main() -> None:
    places = folders()
    config = load_configuration(places)
    compat.teach_keys()
    app = LokalApp(StartOptions(places), config, next(iter(config.themes)))
    async with app.run_test(size=(80, 24)) as pilot:
        while not loaded:
            await pilot.pause()

asyncio.run(main())
print(*loaded)
"""


def loaded_by(code: str) -> set[str]:
    """The modules that a new interpreter has loaded when `code` has run; it may print them itself, on its last line."""
    if "print(" not in code:
        code += "\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "code",
    [
        "import tui.cli.main",
        "import tui.__main__, tui.early_frame",
        "from tui.cli.main import main\nassert main(['--version']) == 0",
        "from tui.cli.main import main\nassert main(['--help']) == 0",
        "from tui.cli.main import main\nassert main(['ask', '--help']) == 0",
        "from tui.cli.main import main\nassert main(['--nonsense']) == 2",
        "from tui.cli.main import main\nassert main(['presets', 'list']) == 0",
    ],
)
def test_the_command_line_loads_next_to_nothing(code: str) -> None:
    loaded = loaded_by(code)
    assert "tui.cli.main" in loaded or "tui.__main__" in loaded
    assert sorted(loaded & set(HEAVY)) == []


@pytest.mark.parametrize(
    "code", ["import tui.ui.run", "import tui.ui.app", "import tui.servers.connect", "import tui.cli.ask"]
)
def test_importing_is_cheap(code: str) -> None:
    assert sorted(loaded_by(code) & set(BEHIND_THE_FIRST_FRAME)) == []


def test_what_the_first_frame_waits_for() -> None:
    loaded = loaded_by(FIRST_FRAME)
    assert "textual.app" in loaded
    late = ("tui.models", "tui.servers.model_manager", "tui.core.modelfile")
    assert [name for name in loaded if name.startswith(late)] == []
    assert sorted(loaded & set(BEHIND_THE_FIRST_FRAME)) == []
