"""What all tests share: a home folder of their own, tiny models, and real llama.cpp servers that run them."""

from __future__ import annotations

import gc
import importlib.util
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import is_hypothesis_test, settings

from tests.support import bigram
from tests.support.listener import Listener
from tests.support.llama import LlamaServer
from tests.support.sample import MARKDOWN, THOUGHT
from tui.core.endpoint import Endpoint
from tui.core.message import Value
from tui.servers.engine import packaged_model

# A shell has both ignored in what it runs in the background, and so would have each lokal that a test starts.
for number in (signal.SIGINT, *((signal.SIGQUIT,) if os.name == "posix" else ())):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if number is signal.SIGINT else signal.SIG_DFL)

settings.register_profile("lokal", deadline=None)  # a machine may stand still for a moment; that is no fault
settings.load_profile("lokal")

MEASURED = ("tests/unit/", "tests/contract/")
"""The tests that have to cover the code, by examples that somebody wrote."""
READING = ("test_texts.py", "test_house_rules.py", "test_tests_ask_in_public.py", "test_guide_source.py")
"""Those that read sources, and run little of them."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Pause coverage for all other tests: it doubles what they take, and that a whole screen was drawn, or random input
    went through, says little of what is asserted."""
    for item in items:
        by_chance = is_hypothesis_test(getattr(item, "obj", None))
        if by_chance or not item.nodeid.startswith(MEASURED) or item.path.name in READING:
            item.add_marker("no_cover")


def pytest_collection_finish() -> None:
    """Let the garbage collector leave alone what stays until the end, else it goes through all of it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test sees the real home folder, the user's servers or a proxy; the folder is empty at first."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for variable, folder in (
        ("XDG_CONFIG_HOME", ".config"),
        ("XDG_DATA_HOME", ".local/share"),
        ("XDG_STATE_HOME", ".local/state"),
        ("XDG_CACHE_HOME", ".cache"),
    ):
        monkeypatch.setenv(variable, str(home / folder))
    for variable in os.environ:
        name = variable.upper()
        if name.startswith(("LOKAL_", "OLLAMA_", "LLAMA_", "HF_", "HUGGING")) or name.endswith("_PROXY"):
            monkeypatch.delenv(variable)
    return home


@pytest.fixture
def listener() -> Iterator[Listener]:
    """Another program on a port."""
    one = Listener()
    yield one
    one.close()


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """An empty folder of this user alone whose path is short enough for sockets in it, which `tmp_path` is not."""
    folder = Path(tempfile.mkdtemp(prefix="lk-", dir="/tmp")).resolve()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the models, all made anew for each run."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def bigram_gguf(models: Path) -> Path:
    """A model that answers in Markdown that resembles the sample, different each time unless the seed is fixed."""
    return bigram.build(models / "bigram.gguf", MARKDOWN)


@pytest.fixture(scope="session")
def script_gguf(models: Path) -> Path:
    """A model that always answers `tests.support.sample.MARKDOWN`."""
    return bigram.build_script(models / "script.gguf", MARKDOWN)


@pytest.fixture(scope="session")
def thinking_gguf(models: Path) -> Path:
    """A model that thinks `THOUGHT` and then answers `MARKDOWN`, both of `tests.support.sample`."""
    return bigram.build_script(models / "thinking.gguf", MARKDOWN, thought=THOUGHT, name="thinking")


@pytest.fixture(scope="session")
def endless_gguf(models: Path) -> Path:
    """A model that answers the sample over and over until it is stopped or 131,072 tokens are full."""
    return bigram.build_script(
        models / "endless.gguf", MARKDOWN, context=131_072, name="endless", endless=True
    )


@pytest.fixture(scope="session")
def engine_installed() -> None:
    """Skips the test where llama.cpp is not there."""
    if shutil.which("llama-server") is None and importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("needs llama.cpp: pip install 'lokal[engine]'")


@pytest.fixture(scope="session")
def packaged_gguf() -> Path:
    """The real chat model, SmolLM2-135M, for which a test needs a package: it fails where that is not installed."""
    path = packaged_model.located()
    if path is None:
        pytest.fail(f"needs SmolLM2-135M: {packaged_model.INSTALL}")
    return path


@pytest.fixture(scope="session")
def llama_server(
    engine_installed: None, script_gguf: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Endpoint]:
    """A llama.cpp server with `script_gguf`, shared by all tests: leave it alive. Its endpoint has the key."""
    server = LlamaServer(script_gguf, tmp_path_factory.mktemp("logs"))
    yield server.endpoint
    server.kill()


StartServer = Callable[..., LlamaServer]


@pytest.fixture
def start_llama(engine_installed: None, tmp_path: Path) -> Iterator[StartServer]:
    """`start_llama(gguf, context_window=512)` starts a server that the test may kill and start again."""
    started: list[LlamaServer] = []

    def start(gguf: Path, **values: Value) -> LlamaServer:
        server = LlamaServer(gguf, tmp_path / "logs", values)
        started.append(server)
        return server

    yield start
    for server in started:
        server.kill()
