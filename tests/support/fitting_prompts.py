"""Prompts of known length, and servers that count them or refuse them."""

from __future__ import annotations

from tests.support.replay import CannedResponse, as_json, ndjson

LONG = "Why is the sky blue, and why is it red in the evening? " * 60 + "So why?"
"""About 830 tokens by estimate."""
HUGE = LONG * 12


def counted(text: str, prompt: int, completion: int = 40, *, ended: bool = True) -> CannedResponse:
    """An answer of Ollama after a prompt of so many tokens."""
    records: list[object] = [{"message": {"role": "assistant", "content": text}, "done": False}]
    end = {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"}
    figures = {
        "prompt_eval_count": prompt,
        "eval_count": completion,
        "eval_duration": completion * 10**9 // 41,
    }
    return ndjson([*records, {**end, **figures}] if ended else records, ended=ended)


def refusal(prompt: int, window: int) -> CannedResponse:
    """Ollama's refusal of what does not fit, as it hands on that of its runner."""
    said = (
        '{"error":{"code":400,"message":"request exceeds the available context size","type":'
        f'"exceed_context_size_error","n_prompt_tokens":{prompt},"n_ctx":{window}}}}}'
    )
    return as_json(400, {"error": said})


def messages(body: dict[str, object]) -> list[tuple[str, str]]:
    """Roles and texts of a request."""
    found = body["messages"]
    assert isinstance(found, list)
    return [(message["role"], message["content"]) for message in found]
