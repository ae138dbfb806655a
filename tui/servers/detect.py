"""Finding servers and telling their kinds apart.

A kind is recognised only by something in a reply that no other kind says; that somebody answers with 200 proves nothing
(LM Studio answers 200 to every path).
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from tui.core.endpoint import Endpoint, ServerKind, parse_endpoint, parse_url
from tui.core.model import ServerInfo
from tui.errors import NotAModelServer, ServerError, Unreachable, UsageError
from tui.servers.errors import complaint_in, too_much
from tui.servers.http.http_client import HttpClient, Reply
from tui.servers.json_object import TooMuch, read_object
from tui.servers.kinds.ollama_host import ollama_endpoint, ollama_host_problem
from tui.servers.probe_replies import MODELS, VERSION, ProbeReplies
from tui.servers.registry import all_profiles

_ANY = ServerKind.OPENAI
"""What a server is taken for that lists its models and is of no kind that is known."""
MAX_PROBE, MAX_TOGETHER = 4_000_000, 8_000_000
"""Bytes of the reply to one question by which a kind is recognised, and of those to all of them."""
LISTENS_S = 2.0
"""How long another place is waited for to take a connection."""
SLICES = 10
"""Parts of the time for a server's replies, so that one in which this machine stood still costs only itself."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FoundServer:
    """A server that answered; its endpoint's kind is set."""

    endpoint: Endpoint
    info: ServerInfo


def usual_ports() -> tuple[int, ...]:
    """Where servers of all kinds listen by default."""
    return tuple(port for profile in all_profiles() for port in profile.ports)


def candidates(environ: Mapping[str, str], configured: Sequence[Endpoint]) -> tuple[Endpoint, ...]:
    """Where to look: the configured servers, then OLLAMA_HOST, then the usual ports of this machine; each once."""
    named = ollama_endpoint(environ.get("OLLAMA_HOST", ""))
    usual = [parse_endpoint(f"localhost:{port}") for port in usual_ports()]
    places: dict[tuple[str, str, int, str], Endpoint] = {}
    for endpoint in (*configured, *([named] if named is not None else []), *usual):
        places.setdefault(_place(endpoint.url), endpoint)
    return tuple(places.values())


def environment_problem(environ: Mapping[str, str]) -> UsageError | None:
    """What is wrong with a variable that names a server, for the person to be told; it stops nothing."""
    return ollama_host_problem(environ)


async def recognise(
    endpoint: Endpoint,
    timeout: float = 1.0,  # noqa: ASYNC109 - a limit for all probes together, and then what has come is judged
) -> ServerInfo:
    """Ask what answers at `endpoint`, in `timeout` seconds at the most; twice as long where something has answered that
    several kinds say, and a question that would tell them apart is still open.

    A kind that the endpoint has is taken as a wish: it decides only where the replies do not. Raises Unreachable,
    NotAModelServer, and AuthRequired if there is a server that says nothing at all without a key.
    """
    http = HttpClient(endpoint)
    await http.prepare()  # loading httpx is not to count as a server's silence
    from tui.servers.http.body import Allowance

    together = Allowance(MAX_TOGETHER)
    probes = {
        path: asyncio.create_task(http.get(path, 4 * timeout, MAX_PROBE, together)) for path in _probe_paths()
    }
    try:
        silent = await _listen(set(probes.values()), timeout)
        replies, problem = _heard(probes)
        if silent and may_be_several(endpoint, replies):
            await _listen(silent, timeout)
            replies, problem = _heard(probes)
    finally:
        for probe in probes.values():
            probe.cancel()
        await asyncio.wait(probes.values())
        for probe in probes.values():
            if not probe.cancelled():
                probe.exception()  # looked at, so that asyncio does not complain of it
        await http.aclose()
    if not replies:
        if isinstance(problem, Unreachable) and await _speaks_tls(endpoint):
            from tui.servers.http import transport

            raise transport.wants_https(endpoint)
        raise problem or Unreachable(
            f"No server answers at {endpoint.url}",
            f"No answer within {timeout:g} s",
            "Is it running, and is the address right?",
        )
    return _judge(endpoint, replies)


async def _speaks_tls(endpoint: Endpoint) -> bool:
    """Whether TLS is spoken where plain HTTP had no answer. Nothing but the greeting is sent, so that no certificate
    needs to be trusted."""
    parts = urlsplit(endpoint.url)
    if parts.scheme != "http" or endpoint.built_in:
        return False
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        async with asyncio.timeout(LISTENS_S):
            _, writer = await asyncio.open_connection(
                parts.hostname, parts.port or 80, ssl=context, server_hostname=parts.hostname
            )
    except (OSError, ValueError, TimeoutError):
        return False
    writer.transport.abort()
    return True


async def _listen(
    probes: set[asyncio.Task[Reply]],
    timeout: float,  # noqa: ASYNC109 - what has come by then counts
) -> set[asyncio.Task[Reply]]:
    """Those that are still silent after `timeout` seconds, counted in slices."""
    for _ in range(SLICES):
        if probes:
            _, probes = await asyncio.wait(probes, timeout=timeout / SLICES)
    return probes


def _heard(probes: Mapping[str, asyncio.Task[Reply]]) -> tuple[dict[str, Reply], ServerError | None]:
    """The replies that have come, by path, and the first failure. Raises what is no failure of a server."""
    replies: dict[str, Reply] = {}
    problem: ServerError | None = None
    for path, probe in probes.items():
        if not probe.done():
            continue
        if (error := probe.exception()) is None:
            replies[path] = probe.result()
        elif not isinstance(error, ServerError):
            raise error
        else:
            problem = problem or error
    return replies, problem


def may_be_several(endpoint: Endpoint, replies: Mapping[str, Reply]) -> bool:
    """Whether something answers, and what it said leaves open what it is. An Ollama that is taken for a plain server of
    OpenAI's API would cut prompts in silence."""
    if not replies or endpoint.kind is _ANY:
        return False
    try:
        return _judge(endpoint, replies).kind is _ANY
    except ServerError:
        return True


async def reach(
    endpoint: Endpoint,
    timeout: float = 1.0,  # noqa: ASYNC109 - handed on to `recognise`
) -> FoundServer:
    """What `recognise` finds at the endpoint's address or, where that is nothing, at the first of its other URLs where
    there is something. Raises the error that says most: one of a server before that of a silent place."""
    errors: list[ServerError] = []
    for url in (endpoint.url, *endpoint.other_urls):
        place = replace(endpoint, url=url)
        if errors and not await _may_answer(place):
            continue
        try:
            info = await recognise(place, timeout)
        except ServerError as error:
            errors.append(error)
        else:
            return FoundServer(replace(place, kind=info.kind, other_urls=()), info)
    raise min(errors, key=_silence)


def _silence(error: ServerError) -> int:
    """How little an error says of a server, 0 = that there is one."""
    return 2 if isinstance(error, Unreachable) else 1 if isinstance(error, NotAModelServer) else 0


async def _may_answer(place: Endpoint) -> bool:
    """Whether it is worth asking at another place, which costs more than to see whether anybody listens there."""
    parts = urlsplit(place.url)
    with contextlib.suppress(OSError, ValueError, TimeoutError):
        async with asyncio.timeout(LISTENS_S):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
        writer.close()
        return True
    return False


async def find(
    endpoints: Sequence[Endpoint],
    timeout: float = 1.0,  # noqa: ASYNC109 - handed on to `recognise`
    problems: list[ServerError] | None = None,
) -> tuple[FoundServer, ...]:
    """The servers among `endpoints`, in their order, all asked at once, each as long as `recognise` does. What else
    answers, and is to be known of, goes to the `problems`."""
    outcomes = await asyncio.gather(*(_try(endpoint, timeout) for endpoint in endpoints))
    places: dict[tuple[str, str, int, str], FoundServer] = {}
    for outcome in outcomes:
        if isinstance(outcome, FoundServer):
            places.setdefault(_place(outcome.endpoint.url), outcome)
        elif problems is not None and not isinstance(outcome, Unreachable):
            problems.append(outcome)
    return tuple(places.values())


async def _is_empty(endpoint: Endpoint) -> bool:
    """Whether it is certain that nobody listens there. Most places are on this machine and empty, and while lokal has no
    server they are asked again: seven HTTP requests to each take some milliseconds, to look for a listener a tenth of one.
    """
    with contextlib.suppress(ValueError):
        if endpoint.on_this_machine and not endpoint.built_in:
            urls = (endpoint.url, *endpoint.other_urls)
            return not any([await _may_answer(replace(endpoint, url=url)) for url in urls])
    return False


async def _try(endpoint: Endpoint, timeout_s: float) -> FoundServer | ServerError:
    if await _is_empty(endpoint):
        return Unreachable(f"No server answers at {endpoint.url}")
    try:
        return await reach(endpoint, timeout_s)
    except ServerError as error:
        return error


def _probe_paths() -> tuple[str, ...]:
    """What every address is asked; each once."""
    paths = [path for profile in all_profiles() for path in profile.recognition.probes]
    return tuple(dict.fromkeys([*paths, MODELS]))


def _judge(endpoint: Endpoint, replies: Mapping[str, Reply]) -> ServerInfo:
    """What the replies prove. Raises NotAModelServer, AuthRequired."""
    came = ProbeReplies(endpoint.url, replies)
    if endpoint.kind is _ANY and came.models is not None:
        return ServerInfo(_ANY, endpoint.url)
    if came.is_open_webui:
        from tui.servers.unrecognised import open_webui

        raise open_webui(endpoint)
    for profile in all_profiles():
        recognise = profile.recognition.recognise
        if recognise is not None and (info := recognise(came)) is not None:
            return info
    if came.models is not None:
        return ServerInfo(_owned_by(came.owner) or endpoint.kind or _ANY, endpoint.url)
    models = replies.get(MODELS)
    if (
        came.needs_key
        and endpoint.kind is not None
        and not complaint_in(models.body if models else b"").web_page
    ):
        return ServerInfo(endpoint.kind, endpoint.url)
    for reply in replies.values():
        try:
            read_object(reply.body)
        except TooMuch as error:
            raise too_much(endpoint, error) from error
    from tui.servers.unrecognised import explain

    versions = replies.get(VERSION)
    most_telling = (VERSION, MODELS) if versions and versions.status in (401, 403) else (MODELS, VERSION)
    raise explain(endpoint, replies, most_telling)


def _owned_by(owner: str) -> ServerKind | None:
    """The kind that writes this name into its list of models."""
    return next(
        (profile.kind for profile in all_profiles() if owner and profile.recognition.owner == owner), None
    )


def _place(url: str) -> tuple[str, str, int, str]:
    """What makes two URLs the same place."""
    try:
        parts = urlsplit(parse_url(url))
        port = parts.port
    except (UsageError, ValueError):
        return ("", url, 0, "")
    return (
        parts.scheme,
        parts.hostname or "",
        port or (443 if parts.scheme == "https" else 80),
        parts.path.rstrip("/"),
    )
