"""The Models tab with few models and with very many, and what a download costs that reports a hundred times a second."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.bench.figure import Figure, median, ratio
from tests.bench.stage import Place, Stage

FEW, MANY = 10, 10_000
REPORTS_A_SECOND = 100
WATCHED_S = 8.0
_LIST = "PARAMS.*model-00000:7b "
_F3 = "\x1bOR"
_TOTAL = 50_000_000_000


@contextmanager
def _ollama(count: int) -> Iterator[str]:
    """The address of a server like Ollama with so many models, whose downloads never end."""
    models = [
        {
            "name": f"model-{number:05}:7b",
            "size": 4_000_000_000 + number,
            "details": {"family": "llama", "parameter_size": "7B", "quantization_level": "Q4_K_M"},
            "capabilities": ["completion"],
        }
        for number in range(count)
    ]
    replies = {
        "/api/version": {"version": "0.33.0"},
        "/api/tags": {"models": models},
        "/api/ps": {"models": []},
        "/api/show": {"error": "not found"},
    }
    bodies = {path: json.dumps(reply).encode() for path, reply in replies.items()}
    stopped = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        """One request a connection."""

        def log_message(self, *_: object) -> None:
            """Nothing is said."""

        def do_GET(self) -> None:
            """What there is."""
            self._answer(bodies.get(self.path))

        def do_POST(self) -> None:
            """A download, or what else is asked."""
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path != "/api/pull":
                self._answer(bodies.get(self.path), 404 if self.path == "/api/show" else 200)
                return
            self.send_response(200)
            self.send_header("Content-Type", "application/x-ndjson")
            self.end_headers()
            completed = 0
            while not stopped.wait(1 / REPORTS_A_SECOND):
                completed += 1_000_000
                report = {
                    "status": "pulling ab",
                    "digest": "sha256:ab",
                    "total": _TOTAL,
                    "completed": completed,
                }
                try:
                    self.wfile.write(json.dumps(report).encode() + b"\n")
                except OSError:
                    return

        def _answer(self, body: bytes | None, status: int = 200) -> None:
            with contextlib.suppress(OSError):  # nobody waits for it any more
                self.send_response(status if body is not None else 404)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(body or b"{}")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        stopped.set()
        server.shutdown()
        server.server_close()


def models(stage: Stage) -> list[Figure]:
    """The tab with the list fetched, and a download."""
    opened: dict[int, list[float]] = {FEW: [], MANY: []}
    with _ollama(FEW) as few, _ollama(MANY) as many:
        for run in range(stage.runs + 1):
            for count, url in ((FEW, few), (MANY, many)):
                seconds = _opened(stage, url)
                if run:
                    opened[count].append(seconds)
        shares, rates, still = _downloading(stage, few)
    return [
        ratio("models", f"F3 to the painted list, {MANY} models / {FEW}", opened[MANY], opened[FEW], 1.3),
        median("models", f"F3 to the painted list, {MANY} models", [s * 1000 for s in opened[MANY]], "ms"),
        median("models", f"a download that reports {REPORTS_A_SECOND} times a second: share of a core", shares, "%", 6),
        median("models", "the same: written to the terminal", rates, "bytes/s", 300),
        Figure("models", "written in 5 s while nothing changes in the tab", still, "bytes", 0),
    ]  # fmt: skip


def _opened(stage: Stage, url: str) -> float:
    """From the key to the list, which was asked for once before."""
    with stage.lokal(home=stage.home(Place(url)), columns=80, rows=24) as lokal:
        lokal.seen("Connected")
        lokal.quiet(1.0)
        lokal.send(_F3)
        lokal.seen(_LIST)
        lokal.quiet(1.0)
        lokal.send("\x1b")
        lokal.seen("Connected")
        lokal.quiet(0.5)
        sent_at = lokal.send(_F3)
        return lokal.seen(_LIST) - sent_at


def _downloading(stage: Stage, url: str) -> tuple[list[float], list[float], float]:
    shares, rates = [], []
    with stage.lokal(home=stage.home(Place(url)), columns=80, rows=24) as lokal:
        lokal.seen("Connected")
        lokal.send(_F3)
        lokal.seen("Q4_K_M")
        lokal.quiet(2.0)
        mark = lokal.chunks
        time.sleep(5.0)
        still = float(sum(len(chunk.data) for chunk in lokal.since(mark)))
        lokal.send("p")
        lokal.seen("Download:")
        lokal.send("large:70b\r")
        lokal.seen(r"\d+%")
        for _ in range(2 if stage.quick else 3):
            mark, cpu_s, began = lokal.chunks, lokal.cpu_s(), time.perf_counter()
            time.sleep(WATCHED_S)
            seconds = time.perf_counter() - began
            shares.append((lokal.cpu_s() - cpu_s) / seconds * 100)
            rates.append(sum(len(chunk.data) for chunk in lokal.since(mark)) / seconds)
    return shares, rates, still
