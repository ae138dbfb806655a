"""The parameter registry: the one place that knows a parameter. TOML keys, the form, `--set`, validation, the fields
sent to each server and the table in the documentation all come from here.

Fields and ranges per server were taken from the servers' own sources: Ollama 0.33 (`options`), llama-server b11549,
vLLM 0.33, text-generation-webui and LM Studio's documentation.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tui.core import keep_alive
from tui.core.endpoint import ServerKind
from tui.core.limits import Allowed, first, not_zero, within_window
from tui.core.message import Value
from tui.core.model import Model
from tui.core.parameter import Parameter, WireFields, WireMapping, nest, unless_unlimited, wire_path
from tui.core.text import safe_name
from tui.errors import UsageError

OLLAMA, LLAMACPP, LMSTUDIO = ServerKind.OLLAMA, ServerKind.LLAMACPP, ServerKind.LMSTUDIO
VLLM, TEXTGEN, OPENAI = ServerKind.VLLM, ServerKind.TEXTGEN, ServerKind.OPENAI

_SAMPLING, _REPETITION, _LENGTH, _THINKING, _LOADING = (
    "Sampling",
    "Repetition",
    "Length",
    "Thinking",
    "Loading the model",
)


def _everywhere(name: str) -> dict[ServerKind, WireMapping]:
    return {
        kind: wire_path(f"options.{name}" if kind is OLLAMA else name)
        for kind in (OLLAMA, LLAMACPP, LMSTUDIO, VLLM, TEXTGEN, OPENAI)
    }


def _llama_like(name: str, *, textgen: str | None = None) -> dict[ServerKind, WireMapping]:
    return {LLAMACPP: wire_path(name), TEXTGEN: wire_path(textgen or name)}


def _without(wires: dict[ServerKind, WireMapping], *kinds: ServerKind) -> dict[ServerKind, WireMapping]:
    return {kind: wire for kind, wire in wires.items() if kind not in kinds}


def _think_ollama(value: Value) -> WireFields:
    return {"think": {"off": False, "on": True}.get(str(value), value)}


def _keep_alive(value: Value) -> WireFields:
    return {"keep_alive": keep_alive.as_field(str(value))}


def _think_template(value: Value) -> WireFields:
    if value in ("on", "off"):
        return {"chat_template_kwargs.enable_thinking": value == "on"}
    return {"chat_template_kwargs.enable_thinking": True, "reasoning_effort": value}


def _think_textgen(value: Value) -> WireFields:
    if value in ("on", "off"):
        return {"enable_thinking": value == "on"}
    return {"enable_thinking": True, "reasoning_effort": value}


REGISTRY: tuple[Parameter, ...] = (
    Parameter(
        "temperature", float, "temperature", "how random the choice of the next token is", _SAMPLING,
        lo=0, hi=2, step=0.05, usual=(0, 1.5),
        low_effect="predictable, nearly the same answer each time", high_effect="varied and inventive, with more mistakes",
        when_to_change="0.3–0.5 for facts and summaries, 0.7–1.0 for verse, ideas and dialogue",
        wire=_everywhere("temperature"),
    ),
    Parameter(
        "top_p", float, "top_p (nucleus)", "keeps only the most probable tokens whose chances add up to p", _SAMPLING,
        lo=0.01, hi=1, step=0.05, usual=(0, 1),
        low_effect="strict, only the likeliest words", high_effect="less obvious words are allowed too",
        when_to_change="0.7–0.9 for technical text, 0.9–1.0 for fiction", wire=_everywhere("top_p"),
    ),
    Parameter(
        "top_k", int, "top_k", "how many candidates remain for the next token", _SAMPLING,
        lo=0, hi=1000, step=5, usual=(0, 100), low_effect="strict; 0 switches it off", high_effect="variety, more risk of error",
        when_to_change="about 20 if the model makes too many mistakes, about 50 if its answers are too much alike",
        wire=_without(_everywhere("top_k"), OPENAI), off=0,
    ),
    Parameter(
        "min_p", float, "min_p", "drops tokens less likely than this share of the likeliest one", _SAMPLING,
        lo=0, hi=1, step=0.01, usual=(0, 0.3), low_effect="0 switches it off", high_effect="only tokens close to the likeliest remain",
        when_to_change="0.05–0.1 keeps a high temperature sensible", wire=_without(_everywhere("min_p"), OPENAI),
    ),
    Parameter(
        "typical_p", float, "typical_p", "keeps tokens about as surprising as the text is on average", _SAMPLING,
        lo=0, hi=1, step=0.05, usual=(0, 1), low_effect="more even text", high_effect="1 switches it off",
        when_to_change="seldom; top_p or min_p does most of it",
        wire={
            OLLAMA: wire_path("options.typical_p"), LLAMACPP: wire_path("typical_p"),
            TEXTGEN: wire_path("typical_p", limit=not_zero("typical_p", "no token at all")),
        },
    ),
    Parameter(
        "top_n_sigma", float, "top_n_sigma", "keeps tokens within so many standard deviations of the best score", _SAMPLING,
        lo=-1, hi=10, step=0.1, usual=(-1, 4), low_effect="strict; -1 or 0 switches it off", high_effect="more candidates",
        when_to_change="1.0 for high temperatures", wire=_llama_like("top_n_sigma"),
    ),
    Parameter(
        "xtc_probability", float, "XTC probability", "how often the likeliest tokens are passed over for a rarer one",
        _SAMPLING, lo=0, hi=1, step=0.05, usual=(0, 1), low_effect="0 switches it off", high_effect="unusual turns of phrase",
        when_to_change="0.3–0.5 for stories", wire=_llama_like("xtc_probability"),
    ),
    Parameter(
        "xtc_threshold", float, "XTC threshold", "how likely a token must be to be passed over", _SAMPLING,
        lo=0, hi=1, step=0.05, usual=(0, 0.5), low_effect="more tokens are passed over", high_effect="above 0.5 it has no effect",
        when_to_change="0.1 with XTC probability", wire=_llama_like("xtc_threshold"),
    ),
    Parameter(
        "dynatemp_range", float, "dynamic temperature", "how far the temperature moves with the model's certainty",
        _SAMPLING, lo=0, hi=2, step=0.05, usual=(0, 1), low_effect="0 switches it off", high_effect="bolder where it is unsure",
        when_to_change="with a temperature around 1", wire={LLAMACPP: wire_path("dynatemp_range")},
    ),
    Parameter(
        "mirostat", int, "mirostat", "steers the surprise of the text instead of top_k and top_p", _SAMPLING,
        lo=0, hi=2, step=1, usual=(0, 2), low_effect="0 switches it off", high_effect="2 is the newer method",
        when_to_change="long texts that get dull or wild", wire=_llama_like("mirostat", textgen="mirostat_mode"),
    ),
    Parameter(
        "mirostat_tau", float, "mirostat tau", "the surprise that mirostat aims at", _SAMPLING,
        lo=0, hi=20, step=0.5, usual=(0, 10), low_effect="focused", high_effect="diverse", when_to_change="5 is usual",
        wire=_llama_like("mirostat_tau"),
    ),
    Parameter(
        "mirostat_eta", float, "mirostat eta", "how fast mirostat corrects itself", _SAMPLING,
        lo=0, hi=1, step=0.05, usual=(0, 1), low_effect="slowly", high_effect="at once", when_to_change="0.1 is usual",
        wire=_llama_like("mirostat_eta"),
    ),
    Parameter(
        "seed", int, "seed", "the start of the random numbers: the same seed gives the same answer again", _SAMPLING,
        lo=-1, hi=2**32 - 1, step=1, low_effect="-1 draws a new one each time", high_effect="",
        when_to_change="to compare parameters with nothing else changed", wire=_everywhere("seed"),
    ),
    Parameter(
        "repeat_penalty", float, "repeat_penalty", "makes tokens that came lately less likely", _REPETITION,
        lo=0.01, hi=5, step=0.05, usual=(1, 2), low_effect="1 switches it off; 1.1–1.3 is usual",
        high_effect="1.5–2.0 breaks loops, but damages names and code",
        when_to_change="raise it to 1.5–2.0 when the same phrases come back",
        wire={
            OLLAMA: wire_path("options.repeat_penalty"), LLAMACPP: wire_path("repeat_penalty"), LMSTUDIO: wire_path("repeat_penalty"),
            VLLM: wire_path("repetition_penalty"), TEXTGEN: wire_path("repetition_penalty"),
        },
    ),
    Parameter(
        "repeat_last_n", int, "repeat window", "how many tokens back repeat_penalty looks", _REPETITION,
        lo=0, hi=1_000_000, step=16, usual=(0, 512), low_effect="0 switches it off", high_effect="phrases from far back count too",
        when_to_change="raise it if paragraphs come back", unit="tokens",
        wire={
            OLLAMA: wire_path("options.repeat_last_n"), LLAMACPP: wire_path("repeat_last_n"),
            TEXTGEN: wire_path("repetition_penalty_range", limit=not_zero("repeat_last_n", "the whole context")),
        },
    ),
    Parameter(
        "presence_penalty", float, "presence_penalty", "makes every token that was used once less likely", _REPETITION,
        lo=-2, hi=2, step=0.1, usual=(-2, 2), low_effect="stays with its subject", high_effect="moves on to new subjects",
        when_to_change="0.5–1.0 if it keeps to one idea", wire=_everywhere("presence_penalty"),
    ),
    Parameter(
        "frequency_penalty", float, "frequency_penalty", "makes a token less likely the more often it was used",
        _REPETITION, lo=-2, hi=2, step=0.1, usual=(-2, 2), low_effect="repetition is welcome", high_effect="each word comes less and less",
        when_to_change="0.3–0.8 if single words come back", wire=_everywhere("frequency_penalty"),
    ),
    Parameter(
        "dry_multiplier", float, "DRY", "punishes whole phrases that come again, not single words", _REPETITION,
        lo=0, hi=5, step=0.1, usual=(0, 2), low_effect="0 switches it off", high_effect="no phrase comes twice",
        when_to_change="0.8 where repeat_penalty spoils the style", wire=_llama_like("dry_multiplier"),
    ),
    Parameter(
        "dry_base", float, "DRY base", "how fast DRY grows with the length of the phrase", _REPETITION,
        lo=1, hi=4, step=0.05, usual=(1, 3), low_effect="gently", high_effect="steeply", when_to_change="1.75 is usual",
        wire=_llama_like("dry_base"),
    ),
    Parameter(
        "dry_allowed_length", int, "DRY allowed length", "the longest phrase that may come again freely", _REPETITION,
        lo=1, hi=100, step=1, usual=(1, 20), low_effect="short ones are punished too", high_effect="only long ones are",
        when_to_change="2 is usual", unit="tokens", wire=_llama_like("dry_allowed_length"),
    ),
    Parameter(
        "max_tokens", int, "max_tokens", "how many tokens an answer may have at the most", _LENGTH,
        lo=1, hi=1_000_000, step=128, first=1024, usual=(0, 4096), low_effect="128 cuts answers off in mid-word",
        high_effect="2048 takes long, and may be too much text; -1: no limit",
        when_to_change="256–512 for short answers, 1024–2048 for long texts", unit="tokens",
        wire={
            OLLAMA: wire_path("options.num_predict"), LLAMACPP: wire_path("max_tokens"), LMSTUDIO: wire_path("max_tokens"),
            VLLM: unless_unlimited("max_tokens", within_window(equal=True)),
            TEXTGEN: unless_unlimited("max_tokens", within_window(equal=False)),
            OPENAI: unless_unlimited("max_tokens"),
        },
        unlimited=True,
    ),
    Parameter(
        "stop", tuple, "stop sequences", "the answer ends where one of these texts would come", _LENGTH,
        when_to_change="to end at a blank line (\\n\\n) or before the next question",
        wire={**_everywhere("stop"), VLLM: wire_path("stop", limit=first(4))},
    ),
    Parameter(
        "think", str, "thinking", "whether a reasoning model thinks before it answers, and how hard", _THINKING,
        choices=("off", "on", "low", "medium", "high"), low_effect="off: answers at once", high_effect="high: better at hard questions, slow",
        when_to_change="off for chat, on or high for mathematics and code",
        wire={
            OLLAMA: WireMapping(_think_ollama), LLAMACPP: WireMapping(_think_template), VLLM: WireMapping(_think_template),
            TEXTGEN: WireMapping(_think_textgen),
        },
    ),
    Parameter(
        "thinking_budget", int, "thinking budget", "how many tokens the model may think", _THINKING,
        lo=-1, hi=1_000_000, step=128, usual=(0, 4096), low_effect="0: not at all", high_effect="-1: as long as it likes",
        when_to_change="if it thinks without end", unit="tokens",
        wire={LLAMACPP: wire_path("reasoning_budget_tokens"), VLLM: wire_path("thinking_token_budget")},
    ),
    Parameter(
        "context_window", int, "context window", "how much of the conversation the model sees", _LOADING,
        lo=16, hi=16_777_216, step=1024, first=4096, usual=(0, 32768), low_effect="2048–4096: enough for models of 7B and less, little memory",
        high_effect="8192 and more: long texts, needs more memory", when_to_change="8192 is worth a try from 13B on", unit="tokens",
        wire={OLLAMA: wire_path("options.num_ctx", reloads=True)}, engine_flag="--ctx-size",
    ),
    Parameter(
        "batch_size", int, "batch size", "how many tokens of the prompt are read in one pass", _LOADING,
        lo=1, hi=65536, step=64, first=512, usual=(0, 2048), low_effect="slower, steady on weak machines", high_effect="faster, more graphics memory",
        when_to_change="leave it at the default unless there is trouble", unit="tokens",
        wire={OLLAMA: wire_path("options.num_batch", reloads=True)}, engine_flag="--batch-size",
    ),
    Parameter(
        "gpu_layers", int, "GPU layers (offload)", "how many layers of the model run on the graphics card", _LOADING,
        lo=-1, hi=1000, step=1, usual=(-1, 100), low_effect="0: processor only, slow, runs anywhere; -1: automatic",
        high_effect="all of them: fast, needs a strong card", when_to_change="lower it if the card runs out of memory",
        wire={OLLAMA: wire_path("options.num_gpu", reloads=True)}, engine_flag="--n-gpu-layers", automatic=-1,
    ),
    Parameter(
        "threads", int, "threads", "how many processor threads compute", _LOADING,
        lo=0, hi=1024, step=1, usual=(0, 64), low_effect="leaves the machine to others; 0: automatic",
        high_effect="more than real cores is slower", when_to_change="the number of real cores is best",
        wire={OLLAMA: wire_path("options.num_thread", reloads=True)}, engine_flag="--threads", automatic=0,
    ),
    Parameter(
        "flash_attention", str, "flash attention", "attention computed in pieces that need little memory", _LOADING,
        choices=("auto", "on", "off"), low_effect="off: a long context is slower and takes more memory",
        high_effect="on: fails where the model or the card cannot; auto: wherever it can be used",
        when_to_change="off if answers turn to nonsense on an old graphics card", engine_flag="--flash-attn", automatic="auto",
    ),
    Parameter(
        "cache_type", str, "KV cache type", "how exactly what was read of the conversation is kept", _LOADING,
        choices=("f16", "q8_0", "q4_0"), low_effect="q4_0: a quarter of the memory, and answers may suffer",
        high_effect="f16: exact; q8_0: half the memory, hardly a difference",
        when_to_change="q8_0 if a long context does not fit; needs flash attention", engine_flag="--cache-type-k --cache-type-v",
    ),
    Parameter(
        "keep_alive", str, "keep in memory", "how long the model stays in memory after an answer", _LOADING,
        low_effect="0: frees the memory at once, so that each question waits for the model to load",
        high_effect="forever: never loaded again, its memory is taken until somebody unloads it",
        when_to_change="30m where questions come seldom and loading takes long; 0 where memory is short",
        wire={OLLAMA: WireMapping(_keep_alive)}, normalise=keep_alive.normal_time, form=keep_alive.FORM, examples=keep_alive.EXAMPLES,
    ),
)  # fmt: skip

BY_NAME: Mapping[str, Parameter] = {parameter.name: parameter for parameter in REGISTRY}
PRIMARY = ("temperature", "top_p", "top_k", "max_tokens", "repeat_penalty", "context_window")
"""What the form shows first: the parameters that people turn most."""


def find(name: str) -> Parameter:
    """The parameter of that name. Raises UsageError, naming the closest one."""
    key = name.strip().lower().replace("-", "_")
    known = BY_NAME.get(_ALIASES.get(key, key))
    if known is None:
        import difflib

        close = difflib.get_close_matches(key, [*BY_NAME, *_ALIASES], n=1)
        hint = (
            f"Did you mean {_ALIASES.get(close[0], close[0])}?" if close else "Known: " + ", ".join(BY_NAME)
        )
        raise UsageError(f"There is no parameter “{name}”", "", hint)
    return known


_ALIASES = {
    "num_ctx": "context_window", "ctx_size": "context_window", "n_ctx": "context_window",
    "num_predict": "max_tokens", "n_predict": "max_tokens", "max_length": "max_tokens",
    "repetition_penalty": "repeat_penalty", "num_gpu": "gpu_layers", "n_gpu_layers": "gpu_layers",
    "num_batch": "batch_size", "num_thread": "threads", "temp": "temperature",
    "flash_attn": "flash_attention", "kv_cache_type": "cache_type", "cache_type_k": "cache_type",
}  # fmt: skip


def parse_assignment(text: str) -> tuple[str, Value | None]:
    """`name=value` from the command line or a slash command; no value = the server's default. Raises UsageError."""
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"“{text}” sets nothing", "", "Write it like temperature=0.4")
    parameter = find(name)
    return parameter.name, parameter.parse(value)


def split_assignments(text: str) -> list[str]:
    """Several `name=value` with blanks between them; a text that is not several is the only one, blanks and all."""
    parts = _ASSIGNMENT.findall(text)
    return parts if len(parts) > 1 and all("=" in part[1:] for part in parts) else [text]


# A JSON list may have blanks in it: stop=["a", "b"].
_ASSIGNMENT = re.compile(r'[\w-]+=\[(?:"(?:\\.|[^"\\])*"|[^\]"])*\]|\S+')


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What goes to one server: `body` are its JSON fields, `sent` the same in canonical names, `unsupported` the
    names of those that this kind of server does not take and that are therefore not sent. `left_out` says in words what of
    the others it does not take."""

    body: Mapping[str, object]
    sent: Mapping[str, Value]
    unsupported: tuple[str, ...]
    left_out: tuple[str, ...] = ()


def for_server(values: Mapping[str, Value], kind: ServerKind, window: int | None = None) -> Outgoing:
    """Translate canonical `values` for a kind of server, whose context window in tokens is `window`, if it is known."""
    fields: dict[str, object] = {}
    sent: dict[str, Value] = {}
    unsupported, left_out = [], []
    for parameter, value in _known(values):
        wire = parameter.wire.get(kind)
        if wire is None:
            unsupported.append(parameter.name)
            continue
        allowed = wire.limit(value, window) if wire.limit is not None else Allowed(value)
        if allowed.left_out:
            left_out.append(allowed.left_out)
        if allowed.value is not None:
            fields.update(wire.encode(allowed.value))
            sent[parameter.name] = allowed.value
    return Outgoing(nest(fields), sent, tuple(unsupported), tuple(left_out))


def modelfile_options(values: Mapping[str, Value]) -> Mapping[str, Any]:
    """The values as the parameters of a Modelfile, which are the options of an Ollama; those it does not take are left out."""
    options = for_server(values, OLLAMA).body.get("options")
    return options if isinstance(options, dict) else {}


def beyond(values: Collection[str], model: Model | None) -> tuple[str, ...]:
    """The names of those parameters that `model` says it cannot: they are not sent, for a server that is asked for more
    than its model can refuses the question."""
    if model is None or model.thinks is not False:
        return ()
    return tuple(
        parameter.name for parameter in REGISTRY if parameter.group == _THINKING and parameter.name in values
    )


def beyond_words(names: Iterable[str], model: str) -> str:
    """How it is said that these parameters were not sent."""
    return f"Not sent, {safe_name(model, 60)} has no thinking mode: {', '.join(names)}"


def without(values: Mapping[str, Value], names: Iterable[str]) -> dict[str, Value]:
    """The `values` but those of these names."""
    left_out = frozenset(names)
    return {name: value for name, value in values.items() if name not in left_out}


def engine_flags(values: Mapping[str, Value]) -> list[str]:
    """The llama-server flags for what can only be set when the embedded engine loads a model."""
    flags = []
    for parameter, value in _known(values):
        if parameter.automatic is None or value != parameter.automatic:
            for flag in parameter.engine_flag.split():
                flags += [flag, str(value)]
    return flags


def unloadable(values: Mapping[str, Value]) -> str:
    """Why llama.cpp would load no model with these values; empty where it may: the values of a quantized cache are only
    read by flash attention."""
    cache_type = values.get("cache_type", CACHE_TYPE)
    if cache_type == CACHE_TYPE or values.get("flash_attention") != "off":
        return ""
    return f"a KV cache of {cache_type} needs flash attention, which is off"


CACHE_TYPE = "f16"
"""What the KV cache is kept as where nothing is set."""


def _known(values: Mapping[str, Value]) -> Iterator[tuple[Parameter, Value]]:
    return ((parameter, values[parameter.name]) for parameter in REGISTRY if parameter.name in values)
