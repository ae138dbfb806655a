"""Small JSON requests to one server, whose refusals become errors; shared by what chats with it and what manages its
models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tui.core.endpoint import Endpoint
from tui.errors import NotAModelServer
from tui.servers.errors import Asked, complaint_in, complaint_of, redirected, refused, too_much, with_time
from tui.servers.http.http_client import ASK_S, HttpClient, Reply, StreamingResponse
from tui.servers.json_object import JsonObject, TooMuch, read_object
from tui.servers.profile import ServerProfile


class JsonRequests:
    """Requests to the server at `endpoint`. All methods raise the ServerError that a refusal is."""

    def __init__(self, endpoint: Endpoint, profile: ServerProfile, http: HttpClient) -> None:
        self.endpoint = endpoint
        self.profile = profile
        self.http = http

    def asked(self, model: str = "") -> Asked:
        """Who is asked, and for which model."""
        return Asked(self.endpoint, self.profile.kind, model)

    async def get(self, path: str, model: str = "") -> JsonObject:
        """The JSON object at `path`."""
        return self.object(await self.http.get(path), model)

    async def ask(
        self, path: str, body: Mapping[str, object], model: str = "", timeout_s: float | None = ASK_S
    ) -> JsonObject:
        """The JSON object that `body` is answered with, within `timeout_s` in all (None = however long it takes)."""
        return self.object(await self.http.ask(path, body, timeout_s), model)

    async def do(
        self,
        path: str,
        body: Mapping[str, object] | Sequence[object] | None,
        model: str = "",
        timeout_s: float | None = ASK_S,
        method: str = "POST",
    ) -> None:
        """Let something be done whose reply says no more than that it was, and may be empty."""
        reply = await self.http.ask(path, body, timeout_s, method)
        if not 200 <= reply.status < 300:
            raise self._refusal(reply, model)
        fields = self._read(reply.body)
        if fields is not None and fields.values.get("error"):
            raise refused(complaint_of(fields), reply.status, self.asked(model))

    def object(self, reply: Reply, model: str = "") -> JsonObject:
        """The JSON object in a reply."""
        if reply.status != 200:
            raise self._refusal(reply, model)
        fields = self._read(reply.body)
        if fields is None:
            raise NotAModelServer(
                f"{self.endpoint.address} does not answer like {self.profile.label}",
                "Its reply is not JSON" if reply.body else "Its reply is empty",
                "Check the address and the kind of server in the config",
            )
        if fields.values.get("error"):
            raise refused(complaint_of(fields), reply.status, self.asked(model))
        return fields

    async def require_answer(self, incoming: StreamingResponse, model: str) -> None:
        """Raise for a stream that is none, but a refusal."""
        if 300 <= incoming.status < 400:
            raise redirected(self.endpoint, incoming.status, incoming.location)
        if incoming.status != 200:
            complaint = complaint_in(await incoming.whole(), incoming.challenge)
            raise with_time(refused(complaint, incoming.status, self.asked(model)), incoming.retry_after_s)

    def _refusal(self, reply: Reply, model: str) -> Exception:
        if 300 <= reply.status < 400:
            return redirected(self.endpoint, reply.status, reply.location)
        complaint = complaint_in(reply.body, reply.challenge)
        return with_time(refused(complaint, reply.status, self.asked(model)), reply.retry_after_s)

    def _read(self, body: bytes) -> JsonObject | None:
        try:
            return read_object(body)
        except TooMuch as error:
            raise too_much(self.endpoint, error) from error
