"""The parameter registry: what each parameter takes, and what each kind of server is sent."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.core.endpoint import ServerKind
from tui.core.message import Value
from tui.core.model import Model
from tui.core.parameter import Parameter, nest
from tui.core.parameters import (
    BY_NAME,
    PRIMARY,
    REGISTRY,
    beyond,
    engine_flags,
    find,
    for_server,
    parse_assignment,
    split_assignments,
    unloadable,
    without,
)
from tui.errors import UsageError

# The fields of each server, from the servers' own sources: Ollama, llama-server, LM Studio (/v1), vLLM,
# text-generation-webui, and the OpenAI API that any other server is taken to speak. "-" = not taken.
WIRE = {
    #                     Ollama                llama-server          LM Studio            vLLM                  textgen                     OpenAI
    "temperature":       ("options.temperature", "temperature", "temperature", "temperature", "temperature", "temperature"),
    "top_p":             ("options.top_p", "top_p", "top_p", "top_p", "top_p", "top_p"),
    "top_k":             ("options.top_k", "top_k", "top_k", "top_k", "top_k", "-"),
    "min_p":             ("options.min_p", "min_p", "min_p", "min_p", "min_p", "-"),
    "typical_p":         ("options.typical_p", "typical_p", "-", "-", "typical_p", "-"),
    "top_n_sigma":       ("-", "top_n_sigma", "-", "-", "top_n_sigma", "-"),
    "xtc_probability":   ("-", "xtc_probability", "-", "-", "xtc_probability", "-"),
    "xtc_threshold":     ("-", "xtc_threshold", "-", "-", "xtc_threshold", "-"),
    "dynatemp_range":    ("-", "dynatemp_range", "-", "-", "-", "-"),
    "mirostat":          ("-", "mirostat", "-", "-", "mirostat_mode", "-"),
    "mirostat_tau":      ("-", "mirostat_tau", "-", "-", "mirostat_tau", "-"),
    "mirostat_eta":      ("-", "mirostat_eta", "-", "-", "mirostat_eta", "-"),
    "seed":              ("options.seed", "seed", "seed", "seed", "seed", "seed"),
    "repeat_penalty":    ("options.repeat_penalty", "repeat_penalty", "repeat_penalty", "repetition_penalty", "repetition_penalty", "-"),
    "repeat_last_n":     ("options.repeat_last_n", "repeat_last_n", "-", "-", "repetition_penalty_range", "-"),
    "presence_penalty":  ("options.presence_penalty", "presence_penalty", "presence_penalty", "presence_penalty", "presence_penalty", "presence_penalty"),
    "frequency_penalty": ("options.frequency_penalty", "frequency_penalty", "frequency_penalty", "frequency_penalty", "frequency_penalty", "frequency_penalty"),
    "dry_multiplier":    ("-", "dry_multiplier", "-", "-", "dry_multiplier", "-"),
    "dry_base":          ("-", "dry_base", "-", "-", "dry_base", "-"),
    "dry_allowed_length": ("-", "dry_allowed_length", "-", "-", "dry_allowed_length", "-"),
    "max_tokens":        ("options.num_predict", "max_tokens", "max_tokens", "max_tokens", "max_tokens", "max_tokens"),
    "stop":              ("options.stop", "stop", "stop", "stop", "stop", "stop"),
    "thinking_budget":   ("-", "reasoning_budget_tokens", "-", "thinking_token_budget", "-", "-"),
    "context_window":    ("options.num_ctx", "-", "-", "-", "-", "-"),
    "batch_size":        ("options.num_batch", "-", "-", "-", "-", "-"),
    "gpu_layers":        ("options.num_gpu", "-", "-", "-", "-", "-"),
    "threads":           ("options.num_thread", "-", "-", "-", "-", "-"),
    "keep_alive":        ("keep_alive", "-", "-", "-", "-", "-"),
    "flash_attention":   ("-", "-", "-", "-", "-", "-"),
    "cache_type":        ("-", "-", "-", "-", "-", "-"),
}  # fmt: skip
KINDS = (
    ServerKind.OLLAMA, ServerKind.LLAMACPP, ServerKind.LMSTUDIO, ServerKind.VLLM, ServerKind.TEXTGEN,
    ServerKind.OPENAI,
)  # fmt: skip


def sample(parameter: Parameter) -> Value:
    if parameter.kind is tuple:
        return ("END",)
    if parameter.choices:
        return parameter.choices[0]
    if parameter.normalise is not None:
        return "30m"
    return parameter.check(max(1, parameter.lo))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [parameter.name for parameter in REGISTRY if parameter.name != "think"])
def test_each_parameter_goes_where_the_server_takes_it(name: str, kind: ServerKind) -> None:
    field = WIRE[name][KINDS.index(kind)]
    value = sample(BY_NAME[name])
    outgoing = for_server({name: value}, kind)
    if field == "-":
        assert outgoing.body == {}
        assert outgoing.sent == {}
        assert outgoing.unsupported == (name,)
    else:
        assert outgoing.body == nest({field: list(value) if isinstance(value, tuple) else value})
        assert outgoing.sent == {name: value}
        assert outgoing.unsupported == ()


@pytest.mark.parametrize(
    ("kind", "level", "body"),
    [
        (ServerKind.OLLAMA, "off", {"think": False}),
        (ServerKind.OLLAMA, "on", {"think": True}),
        (ServerKind.OLLAMA, "high", {"think": "high"}),
        (ServerKind.LLAMACPP, "off", {"chat_template_kwargs": {"enable_thinking": False}}),
        (
            ServerKind.LLAMACPP,
            "low",
            {"chat_template_kwargs": {"enable_thinking": True}, "reasoning_effort": "low"},
        ),
        (ServerKind.VLLM, "on", {"chat_template_kwargs": {"enable_thinking": True}}),
        (ServerKind.TEXTGEN, "off", {"enable_thinking": False}),
        (ServerKind.TEXTGEN, "medium", {"enable_thinking": True, "reasoning_effort": "medium"}),
        (ServerKind.OPENAI, "on", {}),
    ],
)
def test_thinking_is_said_in_each_servers_own_way(
    kind: ServerKind, level: str, body: dict[str, object]
) -> None:
    assert for_server({"think": level}, kind).body == body


@pytest.mark.parametrize(("value", "sent"), [("30m", "30m"), ("0", 0), ("forever", -1)])
def test_ollama_is_told_how_long_to_keep_the_model(value: str, sent: object) -> None:
    assert for_server({"keep_alive": value}, ServerKind.OLLAMA).body == {"keep_alive": sent}


def test_only_what_is_set_is_sent() -> None:
    for kind in ServerKind:
        assert for_server({}, kind).body == {}


def test_options_of_ollama_stand_together() -> None:
    outgoing = for_server({"temperature": 0.4, "max_tokens": 512, "think": "off"}, ServerKind.OLLAMA)
    assert outgoing.body == {"options": {"temperature": 0.4, "num_predict": 512}, "think": False}


@pytest.mark.parametrize("name", ["context_window", "batch_size", "gpu_layers", "threads"])
def test_what_makes_ollama_load_the_model_anew_is_marked(name: str) -> None:
    assert BY_NAME[name].wire[ServerKind.OLLAMA].reloads
    assert not BY_NAME["temperature"].wire[ServerKind.OLLAMA].reloads


def test_engine_flags_leave_out_what_is_automatic() -> None:
    values: dict[str, Value] = {
        "context_window": 8192, "batch_size": 512, "gpu_layers": -1, "threads": 0, "temperature": 0.4,
    }  # fmt: skip
    assert engine_flags(values) == ["--ctx-size", "8192", "--batch-size", "512"]
    assert engine_flags({"gpu_layers": 0, "threads": 4}) == ["--n-gpu-layers", "0", "--threads", "4"]
    assert engine_flags({"flash_attention": "auto"}) == []


def test_the_type_of_the_cache_is_that_of_keys_and_values() -> None:
    flags = engine_flags({"flash_attention": "on", "cache_type": "q8_0"})
    assert flags == ["--flash-attn", "on", "--cache-type-k", "q8_0", "--cache-type-v", "q8_0"]


@pytest.mark.parametrize("cache_type", ["q8_0", "q4_0"])
def test_a_quantized_cache_needs_flash_attention(cache_type: str) -> None:
    assert unloadable({"cache_type": cache_type, "flash_attention": "off"}) == (
        f"a KV cache of {cache_type} needs flash attention, which is off"
    )
    assert unloadable({"cache_type": cache_type}) == unloadable({"flash_attention": "off"}) == ""
    assert unloadable({"cache_type": cache_type, "flash_attention": "on"}) == ""


@pytest.mark.parametrize("parameter", REGISTRY, ids=lambda parameter: parameter.name)
def test_each_declaration_is_whole(parameter: Parameter) -> None:
    assert parameter.help
    assert parameter.when_to_change
    assert parameter.group
    assert parameter.lo <= parameter.hi
    assert parameter.step > 0
    if parameter.usual is not None:
        assert parameter.lo <= parameter.usual[1] <= parameter.hi
        assert parameter.usual[0] < parameter.usual[1]
    if parameter.kind in (int, float):
        for bound in (parameter.lo, parameter.hi):
            assert math.isfinite(bound), "a slip of the finger must not reach a server"
            assert parameter.check(bound) == bound


def test_the_first_parameters_exist() -> None:
    assert set(PRIMARY) <= set(BY_NAME)
    assert len(BY_NAME) == len(REGISTRY)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("temperature", "temperature"), ("Top-P", "top_p"), ("num_ctx", "context_window"), ("temp", "temperature"),
        ("num_predict", "max_tokens"), ("repetition_penalty", "repeat_penalty"),
    ],
)  # fmt: skip
def test_a_parameter_is_found_by_the_names_people_know(typed: str, name: str) -> None:
    assert find(typed).name == name


def test_an_unknown_parameter_names_the_closest() -> None:
    with pytest.raises(UsageError) as caught:
        find("temperatur")
    assert caught.value.hint == "Did you mean temperature?"
    with pytest.raises(UsageError) as caught:
        find("zzz")
    assert "temperature" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("temperature", "0.4", 0.4), ("temperature", "0,4", 0.4), ("temperature", "1", 1.0), ("top_k", "40", 40),
        ("max_tokens", "1 024", 1024), ("max_tokens", "1_024", 1024), ("think", "high", "high"),
        ("stop", "END", ("END",)), ("stop", "a, b", ("a", "b")), ("stop", "\\n\\n", ("\n\n",)),
        ("stop", "a\\, b", ("a, b",)), ("temperature", "", None), ("temperature", "default", None),
        ("stop", "default", None), ("stop", "None", None), ("stop", " , ", None), ("stop", "C:\\dir", ("C:\\dir",)),
        ("keep_alive", "30m", "30m"), ("keep_alive", " 90 min ", "1h30m"), ("keep_alive", "2d", "48h"), ("keep_alive", "90", "1m30s"),
        ("keep_alive", "0s", "0"), ("keep_alive", "0", "0"), ("keep_alive", "-1", "forever"), ("keep_alive", "Forever", "forever"),
        ("keep_alive", "999999999999d", "forever"), ("keep_alive", "default", None),
    ],
)  # fmt: skip
def test_typed_text_becomes_a_value(name: str, text: str, value: Value | None) -> None:
    assert BY_NAME[name].parse(text) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("temperature", "hot"), ("temperature", "2.1"), ("temperature", "-1"), ("temperature", "nan"),
        ("temperature", "inf"), ("top_k", "0.5"), ("top_k", "1001"), ("think", "maybe"), ("max_tokens", "0"),
        ("keep_alive", "soon"), ("keep_alive", "5x"), ("keep_alive", "-5m"), ("keep_alive", "m"), ("keep_alive", "5m later"),
    ],
)  # fmt: skip
def test_a_wrong_text_says_what_is_allowed(name: str, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        BY_NAME[name].parse(text)
    assert name in caught.value.title
    assert BY_NAME[name].bounds() in caught.value.detail


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", True), ("temperature", "0.4"), ("temperature", math.nan), ("temperature", 10**400),
        ("top_k", 1.5), ("top_k", math.inf), ("top_k", None), ("stop", [""]), ("stop", [1]), ("think", True),
        ("keep_alive", True), ("keep_alive", 1.5), ("keep_alive", ["5m"]),
    ],
)  # fmt: skip
def test_a_value_of_a_wrong_kind_is_refused(name: str, value: object) -> None:
    with pytest.raises(UsageError):
        BY_NAME[name].check(value)


def test_a_value_is_held_in_the_parameters_own_kind() -> None:
    assert type(BY_NAME["top_k"].check(40.0)) is int
    assert type(BY_NAME["temperature"].check(1)) is float
    assert BY_NAME["stop"].check("END") == ("END",)
    assert (BY_NAME["keep_alive"].check(1800), BY_NAME["keep_alive"].check(-1)) == ("30m", "forever")


@settings(deadline=None)
@given(st.sampled_from(REGISTRY), st.data())
def test_what_is_shown_can_be_typed_back(parameter: Parameter, data: st.DataObject) -> None:
    value: Value
    if parameter.kind is tuple:
        value = tuple(data.draw(st.lists(st.text("ab ,\\\n\t;ns", min_size=1), min_size=1, max_size=4)))
    elif parameter.choices:
        value = data.draw(st.sampled_from(parameter.choices))
    elif parameter.normalise is not None:
        value = data.draw(st.sampled_from(["0", "forever", "30s", "1h30m", "48h"]))
    elif parameter.kind is int:
        value = data.draw(st.integers(int(parameter.lo), int(parameter.hi)))
    else:
        value = round(data.draw(st.floats(parameter.lo, parameter.hi)), 2)
        value = min(max(value, parameter.lo), parameter.hi)
    assert parameter.parse(parameter.format(value)) == value
    assert parameter.parse(parameter.format(None)) is None


def test_assignments_from_the_command_line() -> None:
    assert parse_assignment("temp=0.4") == ("temperature", 0.4)
    assert parse_assignment("top_k=") == ("top_k", None)
    assert parse_assignment("stop=a=b") == ("stop", ("a=b",))
    with pytest.raises(UsageError):
        parse_assignment("temperature")


def test_a_path_through_a_value_is_a_mistake_of_the_registry() -> None:
    assert nest({"a.b": 1, "a.c": 2, "d": 3}) == {"a": {"b": 1, "c": 2}, "d": 3}
    with pytest.raises(TypeError):
        nest({"a": 1, "a.b": 2})


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (ServerKind.OLLAMA, {"options": {"num_predict": -1}}),
        (ServerKind.LLAMACPP, {"max_tokens": -1}),
        (ServerKind.LMSTUDIO, {"max_tokens": -1}),
        (ServerKind.VLLM, {}),
        (ServerKind.TEXTGEN, {}),
        (ServerKind.OPENAI, {}),
    ],
)
def test_no_limit_is_spelt_as_each_server_takes_it(kind: ServerKind, body: dict[str, object]) -> None:
    name, value = parse_assignment("num_predict=-1")
    assert (name, value) == ("max_tokens", -1)
    outgoing = for_server({"max_tokens": -1}, kind)
    assert (outgoing.body, outgoing.sent, outgoing.unsupported) == (body, {"max_tokens": -1}, ())


def test_no_limit_in_words() -> None:
    limit = BY_NAME["max_tokens"]
    assert [limit.parse(text) for text in ("-1", "unlimited", "No limit")] == [-1, -1, -1]
    assert limit.check(-1) == -1
    assert limit.format(-1) == "no limit"
    for wrong in ("0", "-2"):
        with pytest.raises(UsageError, match="or -1: no limit"):
            limit.parse(wrong)
    assert BY_NAME["top_k"].parse("-1") == 0


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('["a","b"]', ("a", "b")),
        ('[ "a b, c", "\\n" ]', ("a b, c", "\n")),
        ('["żółć"]', ("żółć",)),
        ("[]", None),
        ('[""]', None),
        ("[1]", ("[1]",)),
        ("[INST], [/INST]", ("[INST]", "[/INST]")),
        ("[[END]]", ("[[END]]",)),
    ],
)
def test_stop_sequences_as_a_list(text: str, value: Value | None) -> None:
    stop = BY_NAME["stop"]
    assert stop.parse(text) == value
    assert stop.parse(stop.format(value)) == value


@pytest.mark.parametrize("text", ['["a"', '["a",', '["a" "b"]', '["a"] top_k=4'])
def test_a_list_that_is_not_whole_is_no_stop_sequence(text: str) -> None:
    with pytest.raises(UsageError, match=r'as a list: \["a", "b"\]'):
        BY_NAME["stop"].parse(text)


@pytest.mark.parametrize("value", [('["a"]',), ("[]", "b"), ('[ "',)])
def test_a_stop_sequence_that_looks_like_a_list_stays_one(value: tuple[str, ...]) -> None:
    stop = BY_NAME["stop"]
    assert stop.parse(stop.format(value)) == value


def test_several_assignments_in_a_line() -> None:
    assert split_assignments('stop=["a=1", "b]"] top_k=4') == ['stop=["a=1", "b]"]', "top_k=4"]
    assert split_assignments("temp=1 top_k=2") == ["temp=1", "top_k=2"]
    assert split_assignments("stop=a b") == ["stop=a b"]


@pytest.mark.parametrize(("thinks", "names"), [(True, ()), (None, ()), (False, ("think", "thinking_budget"))])
def test_what_a_model_says_it_cannot(thinks: bool | None, names: tuple[str, ...]) -> None:
    values: dict[str, Value] = {"thinking_budget": 5, "temperature": 0.3, "think": "high"}
    unable = beyond(values, Model("m", thinks=thinks))
    assert unable == names
    assert set(without(values, unable)) == set(values) - set(names)
    assert beyond(values, None) == ()
