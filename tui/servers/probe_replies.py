"""The replies to the questions by which the kind of a server is recognised."""

from __future__ import annotations

from collections.abc import Mapping

from tui.servers.http.http_client import Reply
from tui.servers.json_object import JsonObject

MODELS = "/v1/models"
"""Asked of every server: nearly all kinds list their models there."""
VERSION = "/api/version"
"""Where Ollama says its version, and where Open WebUI says that it is none."""


class ProbeReplies:
    """What one server has replied, by path; a path is missing where no reply came in time. `url` is its address."""

    def __init__(self, url: str, replies: Mapping[str, Reply]) -> None:
        self.url = url
        self._replies = replies

    def reply(self, path: str) -> Reply | None:
        """The reply at `path`, whatever its status."""
        return self._replies.get(path)

    def fields(self, path: str) -> JsonObject:
        """The JSON object at `path`; empty for an error, and where there is none."""
        reply = self._replies.get(path)
        fields = reply.fields() if reply is not None and reply.status == 200 else JsonObject()
        return JsonObject() if "error" in fields else fields

    @property
    def models(self) -> tuple[JsonObject, ...] | None:
        """The entries of its list of models; None where there is no such list."""
        reply = self._replies.get(MODELS)
        fields = reply.fields() if reply is not None and reply.status == 200 else JsonObject()
        return fields.items("data") if isinstance(fields.values.get("data"), list) else None

    @property
    def owner(self) -> str:
        """Who owns the first model in the list, which some kinds write their own name into."""
        return self.models[0].text("owned_by") if self.models else ""

    @property
    def is_open_webui(self) -> bool:
        """Whether it is Open WebUI, no model server, which answers some of the questions that servers are asked."""
        version = self.fields(VERSION)
        return "deployment_id" in version or (
            bool(version) and self.fields("/health").values.get("status") is True
        )

    @property
    def needs_key(self) -> bool:
        """Whether the list of models is kept from whoever has no key."""
        reply = self._replies.get(MODELS)
        return reply is not None and reply.status in (401, 403) and not reply.challenge.startswith("basic")
