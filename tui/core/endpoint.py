"""Where a model server is, and of which kind."""

from __future__ import annotations

import base64
import ipaddress
import re
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import SplitResult, unquote, urlsplit

from tui.core.secrets import credential_in, masked, without_login
from tui.core.text import safe_line
from tui.errors import UsageError


class ServerKind(StrEnum):
    """The kinds of server that lokal tells apart: the name in the config, and the one people know it by (`label`)."""

    OLLAMA = "ollama", "Ollama"
    LLAMACPP = "llamacpp", "llama.cpp"
    LMSTUDIO = "lmstudio", "LM Studio"
    VLLM = "vllm", "vLLM"
    TEXTGEN = "textgen", "text-generation-webui"
    OPENAI = "openai", "OpenAI-compatible server"  # any other with /v1/chat/completions

    label: str

    def __new__(cls, name: str, label: str = "") -> ServerKind:
        kind = str.__new__(cls, name)
        kind._value_ = name
        kind.label = label
        return kind


BUILT_IN = "built-in llama.cpp"
"""What the built-in engine is called where other servers have an address."""

_OPEN_HEADERS = frozenset(
    {"host", "accept", "accept-language", "user-agent", "content-type", "origin", "referer"}
)
"""Headers in lower case whose values are no secrets, and may be words that a server needs to say."""

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_OCTETS = frozenset(str(number) for number in range(256))


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address. `url` has a scheme, no name and password, no trailing slash and no `/v1`; `kind` None = to be
    recognised. Where nothing at `url` is a model server, `other_urls` are asked one after the other.

    What shows who asks: `headers` go as they are, and win over the `api_key`, which wins over the `login`, a name and a
    password as `name:password`. `ca_file` is a file of certificates that are trusted beside the usual ones.

    The built-in engine is reached through the Unix socket at the path `socket`, or, where there are none, at a port of
    `url` on which nobody but the process with the id `process` may listen.
    """

    url: str
    kind: ServerKind | None = None
    api_key: str = field(default="", repr=False)
    name: str = ""
    socket: str = field(default="", repr=False)
    process: int = 0
    login: str = field(default="", repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    ca_file: str = field(default="", repr=False)
    other_urls: tuple[str, ...] = field(default=(), compare=False)

    @property
    def basic(self) -> str:
        """The login as HTTP's Basic authentication sends it, after its first word (RFC 7617); empty if there is none."""
        sent = self.login if ":" in self.login or not self.login else f"{self.login}:"
        return base64.b64encode(sent.encode("utf-8", "replace")).decode()

    @property
    def secrets(self) -> tuple[str, ...]:
        """What is sent to this server and may stand nowhere else."""
        name, _, password = self.login.partition(":")
        sent = [self.api_key.strip(), self.basic, password or name]
        for header, value in self.headers:
            if header.lower() not in _OPEN_HEADERS:
                sent += credential_in(value)
        return tuple(dict.fromkeys(filter(None, sent)))

    def masked(self, text: str) -> str:
        """`text` without the secrets. Call it before the text is cut."""
        for secret in self.secrets:
            text = masked(text, secret)
        return text

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
    """The base URL that a person's `text` means, without what `parse_endpoint` finds beside it. Raises UsageError."""
    return parse_endpoint(text, default_port).url


def parse_endpoint(text: str, default_port: int | None = None) -> Endpoint:
    """The address that a person's `text` means.

    `host`, `host:port`, `:port`, a port by itself, an IPv6 address with and without brackets, and full URLs are taken,
    each also with `name:password@` before it. `/v1` and slashes at the end go. 0.0.0.0, :: and * (what a server binds to)
    become loopback. http to `localhost` becomes 127.0.0.1, where servers listen, with ::1 among the other URLs; under https
    it stays, for it is the name in the certificate. An address of something that a server serves, such as /api/chat, has
    those of the server among its other URLs: it may be a real prefix as well. Raises UsageError.
    """
    value = text.strip().strip("\"'").rstrip("/")
    wrong = UsageError(
        f"“{safe_line(without_login(text), 80)}” is no server address",
        "In a name or a password / is written %2F, # is %23 and ? is %3F" if "@" in text else "",
        "Write it like http://127.0.0.1:11434 or 192.168.1.5:8080",
    )
    if value.isascii() and value.isdecimal() and 0 < int(value[:6]) < 65536:
        value = f":{value}"
    explicit = "://" in value
    try:
        parts = _split(value if explicit else f"http://{value}")
        host, port = parts.hostname, parts.port
        login = unquote(parts.netloc.rpartition("@")[0], errors="strict")
    except ValueError as error:
        raise wrong from error
    nothing = host in ("http", "https") and not explicit  # a scheme whose slashes were taken for the end
    if (
        parts.scheme not in ("http", "https")
        or not host
        or nothing
        or host.isdecimal()
        or any(c.isspace() or not c.isprintable() for c in value)
        or not all(c.isprintable() for c in login)
    ):
        raise wrong
    if port is None and not explicit:
        port = default_port
    here = host == "localhost" and parts.scheme == "http"
    host = {"0.0.0.0": "127.0.0.1", "*": "127.0.0.1", "::": "::1"}.get(host, "127.0.0.1" if here else host)
    path = _without_v1(parts.path)
    shown = f"[{host}]" if ":" in host else host
    urls = [f"{parts.scheme}://{shown}{_at(port)}{each}" for each in (path, *_shorter(path))]
    if here:
        urls += [f"http://[::1]{_at(port)}{each}" for each in (path, *_shorter(path))]
    return Endpoint(urls[0], login=login, other_urls=tuple(urls[1:]))


def _at(port: int | None) -> str:
    return f":{port}" if port is not None else ""


def _split(url: str) -> SplitResult:
    """The parts of a URL whose host may be left out, or be an IPv6 address without brackets. Raises ValueError."""
    scheme, _, rest = url.partition("://")
    before, slash, path = rest.partition("/")
    login, at, host = before.rpartition("@")
    if host.count(":") > 1 and not host.startswith("["):
        host = _bracketed(host)
    elif host.startswith(":"):
        host = f"localhost{host}"
    return urlsplit(f"{scheme}://{login}{at}{host}{slash}{path}")


def _bracketed(host: str) -> str:
    """An IPv6 address as URLs have it. What stands after `::` and `::1` is a port (`ss` prints `:::8080`)."""
    own = re.fullmatch(r"(::1?):(\d+)", host)
    if own is not None:
        return f"[{own[1]}]:{own[2]}"
    return f"[{ipaddress.IPv6Address(host)}]"


def _without_v1(path: str) -> str:
    path = path.rstrip("/")
    while path.endswith("/v1"):
        path = path.removesuffix("/v1").rstrip("/")
    return path


_SERVED = re.compile(
    r"/(?:api|v1)(?=/|$)|/(?:chat/completions|completions?|models|health|props|index\.html)$"
)
"""Where what servers serve begins in a path: Ollama's and LM Studio's `/api`, OpenAI's `/v1`, single pages."""


def _shorter(path: str) -> list[str]:
    """The paths at which the server may be if `path` is something that it serves, the longest first."""
    places = [_without_v1(path[: match.start()]) for match in _SERVED.finditer(path)]
    return [place for place in dict.fromkeys(reversed(places)) if place != path]
