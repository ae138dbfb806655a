"""A loopback server that says a recorded answer of llama-server again, at a rate: one token a write, on time.

    python -m tests.bench.paced RECORDING TOKENS_PER_S TOKENS

It writes its URL to standard output. It is a process of its own, so that nobody's work delays its tokens.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

MODEL = "paced"
WINDOW = 16_384


@dataclass(frozen=True, slots=True)
class Recording:
    """The events of an answer as they came, each with its `data: ` and its blank line."""

    before: tuple[str, ...]
    tokens: tuple[str, ...]
    after: tuple[str, ...]

    @classmethod
    def of(cls, events: list[str]) -> Recording:
        """Tell the tokens from what comes before and after them."""
        places = [place for place, event in enumerate(events) if content(event)]
        first, last = places[0], places[-1]
        return cls(tuple(events[:first]), tuple(events[first : last + 1]), tuple(events[last + 1 :]))

    def cut(self, tokens: int) -> Recording:
        """The same answer with no more than so many tokens."""
        return Recording(self.before, self.tokens[:tokens], self.after)

    def text(self) -> str:
        """What the answer says."""
        return "".join(content(event) for event in self.tokens)

    def save(self, path: Path) -> None:
        """Write it to a file."""
        path.write_text(json.dumps([self.before, self.tokens, self.after]), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Recording:
        """Read it from a file."""
        before, tokens, after = json.loads(path.read_text(encoding="utf-8"))
        return cls(tuple(before), tuple(tokens), tuple(after))


def content(event: str) -> str:
    """The text in an event; empty for those that have none."""
    if not event.startswith("data: {"):
        return ""
    choices = json.loads(event[6:]).get("choices")
    text = choices[0]["delta"].get("content") if choices else None
    return text if isinstance(text, str) else ""


class PacedServer(ThreadingHTTPServer):
    """Says `recording` to whoever asks. `asked` are the bodies of the questions."""

    daemon_threads = True

    def __init__(self, recording: Recording, tokens_per_s: float) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.recording = recording
        self.tokens_per_s = tokens_per_s
        self.asked: list[bytes] = []

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away are no errors."""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 0
    disable_nagle_algorithm = True

    def version_string(self) -> str:
        return "llama.cpp"

    def log_message(self, format: str, *args: object) -> None:
        return

    def do_GET(self) -> None:
        answers: dict[str, object] = {
            "/health": {"status": "ok"},
            "/props": {"default_generation_settings": {"n_ctx": WINDOW}, "build_info": "b0"},
            "/v1/models": {"object": "list", "data": [{"id": MODEL}]},
        }
        answer = answers.get(self.path)
        body = json.dumps(answer or {"error": {"code": 404, "message": "File Not Found"}}).encode()
        self.send_response(200 if answer else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        assert isinstance(self.server, PacedServer)
        self.server.asked.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        recording, step = self.server.recording, 1 / self.server.tokens_per_s
        try:
            for event in recording.before:
                self._chunk(event)
            begun_at = time.perf_counter()
            for number, event in enumerate(recording.tokens):
                time.sleep(max(0.0, begun_at + number * step - time.perf_counter()))
                self._chunk(event)
            for event in recording.after:
                self._chunk(event)
            self.wfile.write(b"0\r\n\r\n")
        except ConnectionError:
            self.close_connection = True

    def _chunk(self, event: str) -> None:
        data = event.encode()
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))


def main() -> None:
    """Serve until killed."""
    recording = Recording.load(Path(sys.argv[1])).cut(int(sys.argv[3]))
    server = PacedServer(recording, float(sys.argv[2]))
    print(server.url, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
