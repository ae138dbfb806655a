"""Replay servers that answer as an Ollama or as a llama-server with several models, and what lokal has asked of them."""

from __future__ import annotations

from collections.abc import Mapping

from tests.support.replay import CannedResponse, Replay, as_json, ndjson, recorded

MODEL = "llama3.2:3b"


def like_router(server: Replay) -> Replay:
    """Let a replay server be the recorded llama-server that has several models, one of which could not be loaded."""
    server.on("/health", recorded("llama-server/router/health"))
    server.on("/props", recorded("llama-server/router/props-no-model"))
    window = {"default_generation_settings": {"n_ctx": 4096}}
    server.on("/props?model=bigram&autoload=false", as_json(200, window))
    server.on("/v1/models", recorded("llama-server/router/models-broken"))
    return server


def like_ollama(server: Replay, *models: tuple[str, str, int], thinks: bool = False) -> Replay:
    """Let a replay server be an Ollama with these (name, parameters, bytes); the first is in memory. None of them can
    think, or all."""
    listed = [
        {
            "name": name,
            "size": size,
            "details": {
                "family": "llama",
                "parameter_size": parameters,
                "quantization_level": "Q4_K_M",
                "context_length": 131072,
            },
            "capabilities": ["completion", "thinking"] if thinks else ["completion"],
        }
        for name, parameters, size in models or ((MODEL, "3.2B", 2_019_393_189),)
    ]
    first = listed[0]["name"]
    in_memory = [{"name": first, "model": first, "size": 2_500_000_000, "context_length": 8192}]
    server.on("/api/version", recorded("ollama/version"))
    server.on("/api/tags", as_json(200, {"models": listed}))
    server.on("/api/ps", as_json(200, {"models": in_memory}))
    return with_window(server, 8192)


def with_window(server: Replay, *tokens: int) -> Replay:
    """Let the models' own files say so, in the order in which they are asked for; a question that names no window has
    that, whatever a model is loaded with."""
    server.on("/api/show", *[as_json(200, {"parameters": f"num_ctx    {window}"}) for window in tokens])
    return server


def ollama_answer(
    text: str = "", *, thought: str = "", tokens: int = 412, reason: str = "stop", ended: bool = True
) -> CannedResponse:
    """An answer of Ollama in two pieces at the most, so that no rate of our own clock is shown, made at 41 tokens/s."""
    records: list[object] = []
    if thought:
        records.append({"message": {"role": "assistant", "content": "", "thinking": thought}, "done": False})
    if text:
        records.append({"message": {"role": "assistant", "content": text}, "done": False})
    if ended:
        end = {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": reason}
        figures = {"prompt_eval_count": 812, "eval_count": tokens, "eval_duration": tokens * 10**9 // 41}
        records.append({**end, **figures})
    return ndjson(records, ended=ended)


def chats(server: Replay) -> list[dict[str, object]]:
    """What lokal has asked in its chats, oldest first."""
    return [request.json() for request in server.seen if request.path == "/api/chat"]


def questions(server: Replay) -> list[str]:
    """The last turn of each chat request, oldest first."""
    asked = []
    for body in chats(server):
        messages = body["messages"]
        assert isinstance(messages, list)
        asked.append(str(messages[-1]["content"]))
    return asked


def options(body: Mapping[str, object]) -> dict[str, object]:
    """The parameters in a chat request to Ollama."""
    found = body.get("options", {})
    assert isinstance(found, dict)
    return found
