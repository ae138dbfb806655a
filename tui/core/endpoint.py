"""Where a model server is, and of which kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from tui.core.secrets import without_login
from tui.core.text import safe_line
from tui.errors import UsageError


class ServerKind(StrEnum):
    """The kinds of server that lokal tells apart."""

    OLLAMA = "ollama"
    LLAMACPP = "llamacpp"
    LMSTUDIO = "lmstudio"
    VLLM = "vllm"
    TEXTGEN = "textgen"
    OPENAI = "openai"  # any other server with /v1/chat/completions

    @property
    def label(self) -> str:
        """The name people know it by."""
        return _LABELS[self]


_LABELS = {
    ServerKind.OLLAMA: "Ollama",
    ServerKind.LLAMACPP: "llama.cpp",
    ServerKind.LMSTUDIO: "LM Studio",
    ServerKind.VLLM: "vLLM",
    ServerKind.TEXTGEN: "text-generation-webui",
    ServerKind.OPENAI: "OpenAI-compatible server",
}

BUILT_IN = "built-in llama.cpp"
"""What the built-in engine is called where other servers have an address."""

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_OCTETS = frozenset(str(number) for number in range(256))


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address. `url` has a scheme, no trailing slash and no `/v1`; `kind` None = to be recognised.

    The built-in engine is reached through the Unix socket at the path `socket`, or, where there are none, at a port of
    `url` on which nobody but the process with the id `process` may listen.
    """

    url: str
    kind: ServerKind | None = None
    api_key: str = field(default="", repr=False)
    name: str = ""
    socket: str = field(default="", repr=False)
    process: int = 0

    @property
    def built_in(self) -> bool:
        """Whether it is the engine that lokal itself has started."""
        return bool(self.socket) or self.process != 0

    @property
    def address(self) -> str:
        """The address as it is shown and recorded. The built-in engine's own is another one at each start, and nobody
        else can use it."""
        return BUILT_IN if self.built_in else self.url

    @property
    def on_this_machine(self) -> bool:
        """Whether the address is a loopback one, so that nothing leaves the machine."""
        host = urlsplit(self.url).hostname or ""
        return host in LOOPBACK or (host.startswith("127.") and _is_ipv4(host))

    @property
    def place(self) -> str:
        """Where the server is, in words for the top line."""
        return "this machine" if self.on_this_machine else urlsplit(self.url).netloc.rpartition("@")[2]


def _is_ipv4(host: str) -> bool:
    """Whether `host` is an IPv4 address and no name that looks like the start of one."""
    parts = host.split(".")
    return len(parts) == 4 and all(part in _OCTETS for part in parts)


def parse_url(text: str, default_port: int | None = None) -> str:
    """The base URL that a person's `text` means.

    `host`, `host:port`, `:port` and full URLs are taken; `/v1` and slashes at the end go; 0.0.0.0 and :: (addresses a
    server binds to) become loopback, `localhost` becomes 127.0.0.1, where servers listen. Raises UsageError.
    """
    value = text.strip().strip("\"'").rstrip("/")
    if value.startswith(":"):
        value = f"127.0.0.1{value}"
    explicit = "://" in value
    wrong = UsageError(
        f"“{safe_line(without_login(text), 80)}” is no server address",
        "",
        "Write it like http://127.0.0.1:11434 or 192.168.1.5:8080",
    )
    try:
        parts = urlsplit(value if explicit else f"http://{value}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise wrong from error
    nothing = host in ("http", "https") and not explicit  # a scheme whose slashes were taken for the end
    if (
        parts.scheme not in ("http", "https")
        or not host
        or nothing
        or any(c.isspace() or not c.isprintable() for c in value)
    ):
        raise wrong
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "localhost": "127.0.0.1"}.get(host, host)
    if port is None and not explicit:
        port = default_port
    shown = f"[{host}]" if ":" in host else host
    path = parts.path.rstrip("/")
    while path.endswith("/v1"):
        path = path.removesuffix("/v1").rstrip("/")
    return f"{parts.scheme}://{shown}{f':{port}' if port is not None else ''}{path}"
