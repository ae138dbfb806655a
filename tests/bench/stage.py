"""What the benchmarks run on: a home folder, a real llama-server with a small model, an answer of it on record, and the
servers that say that answer again at a rate. Everything is made when it is first asked for."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

from tests.bench.paced import PacedServer, Recording
from tests.bench.watched import Watched
from tests.support import bigram
from tests.support.llama import LlamaServer
from tests.support.sample import MARKDOWN

ROOT = Path(__file__).resolve().parents[2]
TOKENS = 4000
SLOW_TOKENS = 600
FAST_RATE, SLOW_RATE = 800, 30
QUESTION = "Go on"
SEED = 7
_DROPPED = (
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONUNBUFFERED",
    "PYTHONPROFILEIMPORTTIME",
    "NO_COLOR",
    "TMUX",
    "STY",
    "ESCDELAY",
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer comes from."""

    url: str
    api_key: str = ""


class Stage:
    """Owns every process and folder; all are gone when the block ends. `runs` is how often a figure is taken."""

    def __init__(self, runs: int, *, quick: bool = False) -> None:
        self.runs = runs
        self.quick = quick
        self.folder = Path(tempfile.mkdtemp(prefix="lokal-bench-"))
        self._ends = contextlib.ExitStack()
        self._ends.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self._homes = 0

    def __enter__(self) -> Stage:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.close()

    # -- programs ---------------------------------------------------------------------------------------------------

    def home(self, place: Place | None = None) -> Path:
        """A new home folder whose settings name the server."""
        self._homes += 1
        home = self.folder / f"home{self._homes}"
        settings = home / ".config/lokal/config.toml"
        settings.parent.mkdir(parents=True)
        if place is not None:
            settings.write_text(
                f'server = "here"\n\n[[servers]]\nname = "here"\nurl = "{place.url}"\napi_key = "{place.api_key}"\n',
                encoding="utf-8",
            )
            settings.chmod(0o600)
        return home

    def environ(self, home: Path) -> dict[str, str]:
        """A person's environment: bytecode is kept, the terminal has all colours, and nothing else is set."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in _DROPPED and not name.startswith(("LOKAL_", "XDG_", "SSH_", "COVERAGE", "TEXTUAL"))
        }
        own = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
        return {**kept, **own, "HOME": str(home), "PYTHONPATH": str(ROOT)}

    def lokal(self, *arguments: str, home: Path, columns: int = 120, rows: int = 40) -> Watched:
        """lokal in a terminal."""
        return Watched(self.command(*arguments), self.environ(home), columns, rows)

    def command(self, *arguments: str) -> list[str]:
        """The command line of `lokal ...`."""
        return [sys.executable, "-m", "tui", *arguments]

    def answering(self, place: Place, tokens: int = TOKENS) -> Watched:
        """lokal, connected, with parameters under which the answer is the one on record."""
        set_to = [f"--set={name}={value}" for name, value in (("max_tokens", tokens), ("seed", SEED))]
        watched = self.lokal(*set_to, home=self.home(place))
        watched.seen("Connected")
        watched.quiet(1.0)
        return watched

    def bare(self) -> Watched:
        """The smallest Textual app."""
        return Watched([sys.executable, "-m", "tests.bench.bare"], self.environ(self.home()))

    def stock(self, place: Place) -> Watched:
        """The usual Textual app, ready to ask."""
        environ = {**self.environ(self.home()), "LOKAL_API_KEY": place.api_key}
        body = self.folder / "body.json"
        body.write_text(self.body)
        watched = Watched([sys.executable, "-m", "tests.bench.stock", place.url, str(body)], environ)
        watched.seen("Ask")
        watched.quiet(1.0)
        return watched

    def run(self, *arguments: str, home: Path) -> float:
        """`lokal ...` without a terminal; the seconds from exec to exit."""
        started_at = time.perf_counter()
        subprocess.run(
            self.command(*arguments),
            env=self.environ(home),
            cwd=home,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        return time.perf_counter() - started_at

    # -- servers ----------------------------------------------------------------------------------------------------

    @cached_property
    def llama(self) -> Place:
        """A real llama-server whose model says Markdown without end."""
        # The text many times over: the end is one word in forty texts, and 4,000 tokens are five of them.
        gguf = bigram.build(self.folder / "bench.gguf", MARKDOWN * 40, context=16_384, name="bench")
        server = LlamaServer(gguf, self.folder / "logs", {"num_ctx": 16_384})
        self._ends.callback(server.kill)
        return Place(server.endpoint.url, server.endpoint.api_key)

    @cached_property
    def body(self) -> str:
        """What lokal itself asks: it is started once on a server that listens and says one word."""
        end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
        events = [
            _event({"choices": [{"index": 0, "delta": {"content": "Well."}}]}),
            _event(end),
            "data: [DONE]\n\n",
        ]
        server = PacedServer(Recording.of(events), FAST_RATE)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with self.answering(Place(server.url)) as watched:
            watched.send(QUESTION + "\r")
            watched.seen("Well")
        server.shutdown()
        return server.asked[-1].decode()

    @cached_property
    def recording(self) -> Recording:
        """The answer to that question, as llama-server gave it."""
        recording = Recording.of(_events(self.llama, self.body))
        recording.save(self.folder / "recording.json")
        assert len(recording.tokens) > TOKENS * 0.9, f"only {len(recording.tokens)} tokens"
        return recording

    @cached_property
    def fast(self) -> Place:
        """The recorded answer at 800 tokens a second."""
        return self._paced(FAST_RATE, TOKENS)

    @cached_property
    def slow(self) -> Place:
        """The beginning of it at 30 tokens a second."""
        return self._paced(SLOW_RATE, SLOW_TOKENS)

    def _paced(self, tokens_per_s: int, tokens: int) -> Place:
        assert self.recording
        process = subprocess.Popen(
            [
                sys.executable, "-m", "tests.bench.paced",
                str(self.folder / "recording.json"), str(tokens_per_s), str(tokens),
            ],
            stdout=subprocess.PIPE,
            env=self.environ(self.folder),
            text=True,
        )  # fmt: skip
        self._ends.callback(process.wait)
        self._ends.callback(process.kill)
        assert process.stdout is not None
        return Place(process.stdout.readline().strip())

    def curl_s(self, place: Place) -> float:
        """The seconds that curl takes for the whole answer, by its own clock."""
        done = subprocess.run(
            [
                "curl", "-sN", "-o", os.devnull, "-w", "%{time_total}", "-H", "Content-Type: application/json",
                "-H", f"Authorization: Bearer {place.api_key}", "--data-binary", "@-",
                f"{place.url}/v1/chat/completions",
            ],
            input=self.body,
            capture_output=True,
            check=True,
            text=True,
        )  # fmt: skip
        return float(done.stdout)


def _event(value: object) -> str:
    return f"data: {json.dumps(value)}\n\n"


def _events(place: Place, body: str) -> list[str]:
    """The server-sent events of one answer."""
    parts = urlsplit(place.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=600)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {place.api_key}"}
    connection.request("POST", "/v1/chat/completions", body.encode(), headers)
    answer = connection.getresponse().read().decode()
    connection.close()
    return [event + "\n\n" for event in answer.split("\n\n") if event]
