"""What a server says when it refuses, in any of the shapes that servers use, and which error of ours that is."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from tui.core.endpoint import Endpoint, ServerKind
from tui.core.secrets import without_login
from tui.core.text import human_time, safe_line, safe_name
from tui.errors import (
    AuthRequired,
    BadReply,
    ContextOverflow,
    ModelMissing,
    NotAModelServer,
    Refused,
    ServerBusy,
    ServerError,
    StillLoading,
    TryLater,
)
from tui.servers.json_object import JsonObject, TooMuch, parse_object
from tui.servers.registry import profile_of

MAX_TEXT = 500  # characters of a server's message that are shown


@dataclass(frozen=True, slots=True)
class ServerErrorBody:
    """What a server complains of. `text` is one safe line, empty if it gave no reason; `type` is its own word for the
    kind of error and `code` the HTTP status that it names in the body, 0 for none. Token counts are 0 if not told.
    `challenge` is the scheme by which a 401 wants to be told who asks."""

    text: str = ""
    type: str = ""
    code: int = 0
    prompt_tokens: int = 0
    window_tokens: int = 0
    web_page: bool = False
    challenge: str = ""

    @property
    def by_proxy(self) -> bool:
        """Whether no model server says so, but what stands before it: a web page, or what browsers are asked with."""
        return self.web_page or self.challenge not in ("", "bearer")

    def is_about_key(self, status: int) -> bool:
        """Whether it wants to be told who asks, or does not believe what it was told."""
        return (
            status in (401, 403)
            or self.type == "authentication_error"
            or self.text.lower() in ("unauthorized", "invalid api key")
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """Who was asked and for which model, so that a hint can name them."""

    endpoint: Endpoint
    kind: ServerKind
    model: str = ""


def complaint_in(body: str | bytes, challenge: str = "") -> ServerErrorBody:
    """The complaint that the body of an error reply holds: JSON of any known shape, a web page, plain text, nothing;
    `challenge` is the scheme that came with it."""
    return replace(_complaint_in(body), challenge=challenge)


def _complaint_in(body: str | bytes) -> ServerErrorBody:
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    fields = parse_object(text)
    if fields is not None:
        return complaint_of(fields)
    if re.match(r"\s*<(!doctype|html|\?xml|head|body)", text[:500], re.IGNORECASE):
        title = re.search(r"<(title|h1)[^>]*>([^<]*)", text[:20_000], re.IGNORECASE)
        return ServerErrorBody(safe_line(title.group(2), MAX_TEXT) if title else "", web_page=True)
    return ServerErrorBody(safe_line(text, MAX_TEXT))


_WORDS = ("message", "msg", "error_msg", "error_message", "errmsg")
_SIGNS = ("code", "type", "status", "success", "error_code", "errcode", "statusCode", "status_code", "name")
"""What stands beside the words of a complaint that is not called one."""


def complaint_within(fields: JsonObject) -> ServerErrorBody | None:
    """The complaint that a record of an answer is, or has beside what else it says; None if it has none."""
    values = fields.values
    if values.get("error"):
        return complaint_of(fields)
    if values.get("choices") or isinstance(values.get("message"), dict):
        return None
    named = fields.text("object") == "error" or fields.text("type") == "error"
    worded = any(fields.text(word) for word in _WORDS) and any(sign in values for sign in _SIGNS)
    if named or worded or values.get("errors") or isinstance(values.get("detail"), str | list | dict):
        return complaint_of(fields)
    return None


def complaint_of(fields: JsonObject, depth: int = 0) -> ServerErrorBody:
    """The complaint in an object: `error` as text, as an object or as JSON in a string; `detail` as text, as an object
    or as a list of faults (FastAPI); `errors` as a list; `message` by itself (old vLLM), or by another name."""
    inner = (
        fields.inner("error") or fields.inner("detail") or next(iter(fields.items("errors")), JsonObject())
    )
    if inner and depth < 4:
        return complaint_of(inner, depth + 1)
    text = fields.text("error") or next(iter(fields.texts("errors")), fields.text("errors"))
    nested = parse_object(text) if text.lstrip().startswith("{") else None
    if nested and depth < 4:
        return complaint_of(nested, depth + 1)
    words = next((said for word in _WORDS if (said := fields.text(word))), "")
    text = words or text or fields.text("detail") or _faults(fields.items("detail"))
    nested = parse_object(text) if text.lstrip().startswith("{") else None
    if nested and depth < 4 and any(key in nested for key in ("error", "message", "detail")):
        return complaint_of(nested, depth + 1)
    if link := fields.text("signin_url"):
        text = f"{text}: {link}"
    return ServerErrorBody(
        safe_line(text, MAX_TEXT),
        safe_line(fields.text("type"), 80),
        fields.count("code") or fields.count("error_code") or fields.count("status") or 0,
        fields.count("n_prompt_tokens") or 0,
        fields.count("n_ctx") or 0,
    )


def _faults(faults: tuple[JsonObject, ...]) -> str:
    return "; ".join(
        f"{'.'.join(fault.texts('loc')[-1:])}: {fault.text('msg')}".removeprefix(": ") for fault in faults[:3]
    )


def refused(complaint: ServerErrorBody, status: int, asked: Asked) -> ServerError:
    """The error that a refusal is. `status` is the HTTP status, 200 for a complaint inside a stream."""
    # What a server complains of may hold the key that it was sent.
    complaint = replace(complaint, text=asked.endpoint.masked(complaint.text))
    known = _known(complaint, status, asked)
    if known is not None:
        return known
    who, text = asked.kind.label, complaint.text
    if complaint.web_page:
        title = f"A web page answers at {asked.endpoint.address}"
        hint = "There may be a proxy in between; check the address and whether the server behind it runs"
        if status < 400:
            return NotAModelServer(
                title, text, f"If it is where one signs in to a proxy, {_HEADERS}; else check the address"
            )
        return Refused(title, f"Status {status}: {text}" if text else f"Status {status}", hint, status)
    code = status if status >= 400 else complaint.code
    said = text or f"It gave no reason (status {code or status})"
    lower = text.lower()
    for words, advice in _ADVICE:
        if all(word in lower for word in words):
            return Refused(f"{who} cannot do this", said, advice, status)
    if status >= 500 or (status < 400 and code not in range(400, 500)):
        return Refused(f"{who} failed", said, f"The log of {who} says more", status)
    return Refused(
        f"{who} refused the request", f"{said} (status {code})" if code and text else said, "", status
    )


def too_much(endpoint: Endpoint, error: TooMuch) -> BadReply:
    """The error for JSON that is not read."""
    hint = "Is this address really a model server?"
    return BadReply(f"What {endpoint.address} answers cannot be read", str(error), hint, 200)


def with_time(error: ServerError, retry_after_s: float | None) -> ServerError:
    """The error of a server that said when it wants to be asked again, in seconds; None = it did not."""
    if retry_after_s is None or not isinstance(error, Refused) or error.status not in (429, 503):
        return error
    if isinstance(error, TryLater):
        error.retry_after_s = retry_after_s
    error.hint = f"It wants to be asked again in {human_time(retry_after_s)}"
    return error


_SCHEMA = "It cannot hold answers to this schema: use a simpler one, or none (/schema off)"
_ADVICE: tuple[tuple[tuple[str, ...], str], ...] = (
    (("does not support thinking",), "This model has no thinking mode: set think to the server's default"),
    (("does not support tools",), "Choose a model that can use tools"),
    (("multimodal",), "This model cannot see: choose one with vision, or send the question without the picture"),
    (
        ("image input is not supported",),
        "This model cannot see: choose one with vision, or start llama-server with its --mmproj file",
    ),
    (("prefill is incompatible",), "This version continues no answer of a thinking model: set think to off"),
    (("failed to parse grammar",), _SCHEMA), (("json schema conversion failed",), _SCHEMA),
    (("invalid json schema",), _SCHEMA), (("invalid grammar",), _SCHEMA),
    (("more system memory",), "Choose a smaller model or a smaller context window, or unload another model"),
    (("out of memory",), "Choose a smaller model or a smaller context window, or unload another model"),
    (("process has terminated",), "The model could not be loaded: its file may be damaged or of an unknown kind"),
    (("failed to load",), "The model could not be loaded: the server's log says why"),
    (("model is not loaded",), "Load it on the server, or start llama-server without --no-models-autoload"),
    (("no models loaded",), "Load a model in LM Studio, or with: lms load"),
    (("unexpected endpoint",), "The server has no such route: check the address and the kind of server in the config"),
)  # fmt: skip


def _known(complaint: ServerErrorBody, status: int, asked: Asked) -> ServerError | None:
    """The refusals that have an error of their own."""
    text, lower = complaint.text, complaint.text.lower()
    profile, url = profile_of(asked.kind), asked.endpoint.address
    code = status if status >= 400 else complaint.code
    if profile.explain_refusal is not None and (own := profile.explain_refusal(complaint, status, asked)):
        return own
    if code in (401, 403, 407) and complaint.by_proxy:
        return refused_by_proxy(complaint, code, asked.endpoint)
    if complaint.is_about_key(code):
        return wants_key(profile.label, text, status, asked.endpoint)
    if _is_overflow(complaint):
        return _overflow(complaint, status, asked)
    if code == 503 and "loading" in lower:
        return StillLoading(
            f"{profile.label} is still loading the model", text, "Try again in a moment", status
        )
    if code == 429 or (code == 503 and not complaint.web_page) or "server busy" in lower:
        return ServerBusy(
            f"{profile.label} is busy", text, "Its queue is full; try again in a moment", status
        )
    if _is_missing(complaint, code):
        name = safe_name(asked.model, 120)
        return ModelMissing(
            f"{profile.label} has no model “{name}”",
            text,
            profile.hints.missing_model.format(model=name),
            status,
        )
    if code in (404, 405):
        return Refused(
            f"{profile.label} does not serve this at {url}",
            text,
            "Check the address and the kind of server in the config; an old version may not have it yet",
            status,
        )
    return None


FOREIGN_HOST = (
    "It takes no requests for this host name: use its IP address, or let the proxy send Host: localhost; in the config, "
    'headers = { Host = "localhost" } under [[servers]] does so too'
)
"""What to do where Ollama says 403 and nothing else: it listens on this machine only, and the name is not its own."""
_HEADERS = "put what it wants into headers of this server, under [[servers]] in the config"


def refused_by_proxy(complaint: ServerErrorBody, status: int, endpoint: Endpoint) -> AuthRequired:
    """What stands before the server lets nobody in without a name and a password, or at all."""
    said = f"Status {status}" + (f": {endpoint.masked(complaint.text)}" if complaint.text else "")
    known = bool(endpoint.login) and not endpoint.api_key and not endpoint.headers
    if status == 403:
        title, hint = (
            f"A proxy at {endpoint.address} does not let lokal in",
            f"If it wants a token, {_HEADERS}",
        )
    elif known:
        title = f"A proxy at {endpoint.address} does not accept the name and the password"
        hint = "Correct them before the host; / in them is written %2F, # is %23, ? is %3F"
    else:
        title = f"A proxy at {endpoint.address} wants to know who asks"
        hint = f"Write a name and a password before the host, as in http://name:password@host, or {_HEADERS}"
    return AuthRequired(title, said, hint, status)


def wants_key(who: str, text: str, status: int, endpoint: Endpoint) -> AuthRequired:
    """The server is not content with what it was sent to tell who asks, or with nothing."""
    where = (
        "in the config, api_key of this server under [[servers]]; with --server, the variable LOKAL_API_KEY"
    )
    if endpoint.api_key:
        return AuthRequired(f"{who} does not accept the API key", text, f"Correct it {where}", status)
    if endpoint.login:
        hint = f"Correct them before the host, or, if it wants an API key, put that {where}"
        return AuthRequired(f"{who} does not accept the name and the password", text, hint, status)
    return AuthRequired(f"{who} wants an API key", text, f"Put it {where}", status)


def _is_missing(complaint: ServerErrorBody, code: int) -> bool:
    lower = complaint.text.lower()
    if code not in (0, 400, 404) or "model" not in lower:
        return False
    return "not found" in lower or "does not exist" in lower or "is not found" in lower


_WINDOW = re.compile(r"context (?:size|length|window)\D{0,40}?(\d+)")
_PROMPTS = tuple(
    re.compile(rf"{words}(at least |more than |over )?(\d+)")
    for words in (r"request \(", "contains ", r"total of ", "prompt has ", "the first ", "has ", "requested ")
)
"""Where servers say how long the prompt is, the surest words first: vLLM's name the room for the answer too."""


def _is_overflow(complaint: ServerErrorBody) -> bool:
    lower = complaint.text.lower()
    return (
        complaint.type == "exceed_context_size_error"
        or "prompt is too long" in lower
        or (
            "context" in lower
            and any(word in lower for word in ("length", "size", "window"))
            and any(word in lower for word in ("exceed", "maximum", "overflow", "longer", "reached"))
        )
    )


def _overflow(complaint: ServerErrorBody, status: int, asked: Asked) -> ContextOverflow:
    lower = complaint.text.lower()
    window = _WINDOW.search(lower)
    prompt = next((found for pattern in _PROMPTS if (found := pattern.search(lower))), None)
    at_least = prompt is not None and bool(prompt.group(1)) and not complaint.prompt_tokens
    complaint = replace(
        complaint,
        window_tokens=complaint.window_tokens or (int(window.group(1)[:12]) if window else 0),
        prompt_tokens=complaint.prompt_tokens or (int(prompt.group(2)[:12]) if prompt else 0),
    )
    detail = complaint.text
    if complaint.window_tokens and complaint.prompt_tokens > complaint.window_tokens:
        count = f"at least {complaint.prompt_tokens}" if at_least else str(complaint.prompt_tokens)
        detail = f"It has {count} tokens, the window {complaint.window_tokens}"
    return ContextOverflow(
        "The conversation does not fit into the context window",
        detail,
        f"Start a new chat, shorten the question, or enlarge the window: {profile_of(asked.kind).hints.enlarge_window}",
        status,
        complaint.prompt_tokens,
        complaint.window_tokens,
        at_least=at_least,
    )


def redirected(endpoint: Endpoint, status: int, location: str, path: str = "") -> BadReply:
    """The server sends on to another address; `path` is what was asked for. What follows the path there may be a secret of
    the proxy."""
    target = without_login(location.partition("?")[0].partition("#")[0])
    moved = bool(path) and target.endswith(path) and "://" in target
    target = endpoint.masked(safe_line(target.removesuffix(path) if moved else target, 200))
    return BadReply(
        f"{endpoint.address} sends on to {target or 'another address'}",
        f"Status {status}. A redirect is not followed, so that questions and keys go only where they were meant to go",
        f"Use that address: {target}"
        if moved
        else f"Use the address where the server really is; if it is where one signs in, {_HEADERS}",
        status,
    )
