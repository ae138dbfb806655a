"""What answers at an address where no model server was recognised: a proxy, a page for people, a server that is down. The
status, the page and the target of a redirect are said, for they tell what to do."""

from __future__ import annotations

import http
from collections.abc import Mapping

from tui.core.endpoint import Endpoint, ServerKind
from tui.core.text import safe_line
from tui.errors import NotAModelServer, Refused, ServerBusy, ServerError
from tui.servers.errors import (
    FOREIGN_HOST,
    Asked,
    ServerErrorBody,
    complaint_in,
    redirected,
    refused,
    refused_by_proxy,
    wants_key,
)
from tui.servers.http.http_client import Reply

OPEN_WEBUI = "Open WebUI"


def open_webui(endpoint: Endpoint) -> NotAModelServer:
    """The chat page is no model server, but there is one behind it."""
    return NotAModelServer(
        f"Open WebUI answers at {endpoint.url}: it is a chat page, no model server",
        "The models are in the server behind it, which is mostly an Ollama",
        f"Name that one, such as http://{_host(endpoint)}:11434; or go through Open WebUI: {endpoint.url}/ollama, with the "
        "API key from its Settings, Account, in LOKAL_API_KEY or as api_key in the config",
    )


def _host(endpoint: Endpoint) -> str:
    return endpoint.url.partition("://")[2].partition("/")[0].rpartition(":")[0] or "127.0.0.1"


def explain(endpoint: Endpoint, replies: Mapping[str, Reply], most_telling: tuple[str, ...]) -> ServerError:
    """Why nothing there is a model server. `most_telling` are the paths whose replies are looked at before the others'."""
    paths = [path for path in (*most_telling, *replies) if path in replies]
    told = [replies[path] for path in paths]
    for path in paths:
        if replies[path].status not in (404, 405) and not 200 <= replies[path].status < 300:
            return _refusal(endpoint, path, replies[path])
    pages = [complaint for complaint in map(_complaint, told) if complaint.web_page]
    if any(OPEN_WEBUI.lower() in page.text.lower() for page in pages):
        return open_webui(endpoint)
    if pages and len(pages) == len(told):
        return _page(endpoint, told[0], pages[0])
    status = f" (status {told[0].status} at {most_telling[0]})" if told and told[0].status >= 400 else ""
    named = next((reply.server for reply in told if reply.server), "")
    return NotAModelServer(
        f"What answers at {endpoint.url} is no model server that lokal knows",
        f"None of the addresses that model servers have was answered as they do{status}"
        + (f"; it calls itself {endpoint.masked(safe_line(named, 40))}" if named else ""),
        "Check the port, and the path if there is one; a server with OpenAI's API must answer /v1/models",
    )


def _complaint(reply: Reply) -> ServerErrorBody:
    return complaint_in(reply.body, reply.challenge)


def _page(endpoint: Endpoint, reply: Reply, page: ServerErrorBody) -> NotAModelServer:
    """The same page for people at every path: where one signs in to a proxy, or a site of another kind."""
    if reply.status < 400:
        error = refused(page, reply.status, Asked(endpoint, ServerKind.OPENAI))
        return NotAModelServer(error.title, error.detail, error.hint)
    said = endpoint.masked(page.text)
    return NotAModelServer(
        f"A web page answers at {endpoint.url}",
        f"Status {reply.status}{f': {said}' if said else ''}",
        "Check the port, and the path if there is one",
    )


def _refusal(endpoint: Endpoint, path: str, reply: Reply) -> ServerError:
    status, complaint = reply.status, _complaint(reply)
    if 300 <= status < 400:
        return redirected(endpoint, status, reply.location, path)
    text = endpoint.masked(complaint.text)
    if ("http request" in text.lower() and "https" in text.lower()) or "plain http" in text.lower():
        from tui.servers.http import transport

        return transport.wants_https(endpoint)
    if status in (401, 403, 407) and complaint.by_proxy:
        return refused_by_proxy(complaint, status, endpoint)
    if status == 403 and not reply.body:
        return Refused(
            f"What answers at {endpoint.url} refuses this address",
            "Status 403, and not a word; Ollama does so",
            f"If it is Ollama: {FOREIGN_HOST[0].lower()}{FOREIGN_HOST[1:]}",
            status,
        )
    if status in (401, 403):
        who = endpoint.kind.label if endpoint.kind is not None else f"What answers at {endpoint.url}"
        return wants_key(who, text, status, endpoint)
    phrase = http.HTTPStatus(status).phrase if status in _STATUSES else ""
    said = f"{status} {phrase}".strip()
    error = ServerBusy if status in (429, 503) else Refused
    return error(
        f"What answers at {endpoint.url} says {said}",
        "" if text.lower() in said.lower() else text,
        _WHAT_TO_DO.get(status, "The log of the server, or of the proxy before it, says more"),
        status,
    )


_STATUSES = frozenset(int(status) for status in http.HTTPStatus)
_BEHIND = (
    "A proxy answers, but not the model server behind it: is that running, and is the proxy sent to its port?"
)
_WHAT_TO_DO = {
    502: _BEHIND,
    504: _BEHIND,
    503: "The server is starting, too busy, or not there behind its proxy; try again in a moment",
    429: "It has had too many requests; try again in a moment",
}
