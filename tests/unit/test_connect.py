"""Which server is taken, and which of its models."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial

import pytest

from tests.support.app import model_server
from tests.support.replay import Replay, as_json, held, recorded, replay, reply
from tui.core.endpoint import Endpoint, ServerKind
from tui.core.model import Model, ServerInfo
from tui.errors import ModelMissing, NotAModelServer, ServerError, Unreachable, UsageError
from tui.servers import connect, detect
from tui.servers.connect import (
    Connection,
    choose,
    get_to_know,
    named_server,
    pick_model,
    require_model,
    start_model,
    why_not_model,
    with_names,
)
from tui.servers.registry import server_for

CHATTY, LOADED = Model("small:1b"), Model("big:7b", loaded=True)
CLOUD = Model("huge:cloud", note="runs elsewhere", loaded=True)
EMBEDS = Model("embed:latest", aliases=("embed",), capabilities=("embedding",), loaded=True)


@pytest.mark.parametrize(
    ("models", "wished", "usual", "picked"),
    [
        ((CHATTY, LOADED), "", "", "big:7b"),
        ((CHATTY, LOADED), "", "small:1b", "small:1b"),
        ((CHATTY, LOADED), "", "gone", "big:7b"),
        ((CHATTY, LOADED), "other", "small:1b", "other"),
        ((CLOUD, EMBEDS, CHATTY), "", "", "small:1b"),
        ((EMBEDS,), "", "", "embed:latest"),
        ((EMBEDS, CHATTY), "embed", "", "embed:latest"),
        ((CHATTY,), "small", "", "small"),
        ((Model("canonical", aliases=("nick",)), CHATTY), "nick", "", "canonical"),
        ((), "", "usual", ""),
        ((), "wished", "", "wished"),
    ],
)
def test_the_model_to_start_with(models: tuple[Model, ...], wished: str, usual: str, picked: str) -> None:
    assert pick_model(models, wished, usual) == picked


def connection(kind: ServerKind, *models: Model, router: bool = False) -> Connection:
    """A connection to a server that is never asked."""
    endpoint = Endpoint("http://127.0.0.1:9", kind)
    return Connection(server_for(endpoint), ServerInfo(kind, endpoint.url, router=router), models)


def test_a_server_that_does_not_mind_the_name_is_not_asked_for_another_model() -> None:
    for kind in (ServerKind.LLAMACPP, ServerKind.LMSTUDIO, ServerKind.TEXTGEN):
        with pytest.raises(ModelMissing) as raised:
            require_model(connection(kind, CHATTY, LOADED), "other", "")
        assert raised.value.detail == "It has small:1b, big:7b"
        assert require_model(connection(kind, CHATTY), "small:1b", "") == "small:1b"
    assert require_model(connection(ServerKind.LLAMACPP, CHATTY, router=True), "other", "") == "other"
    assert require_model(connection(ServerKind.OLLAMA, CHATTY), "other", "") == "other"
    assert require_model(connection(ServerKind.LLAMACPP, CHATTY, LOADED), "", "small:1b") == "small:1b"


async def test_nothing_goes_on_asking_a_server_that_has_refused() -> None:
    single = "llama-server/single"
    async with replay() as server:
        server.on("/health", recorded(f"{single}/health-loading"))
        server.on("/props", held(recorded(f"{single}/props")))
        server.on("/v1/models", recorded(f"{single}/chat-while-loading"))
        with pytest.raises(ServerError, match="still loading"):
            await get_to_know(Endpoint(server.url, ServerKind.LLAMACPP))
        assert not [task for task in asyncio.all_tasks() if "Server" in repr(task.get_coro())]


def test_a_model_that_is_not_there_is_not_replaced_in_silence() -> None:
    ollama = connection(ServerKind.OLLAMA, CHATTY, LOADED)
    assert start_model(ollama, "nope", "small:1b") == ""
    assert why_not_model(ollama, "nope", "", "") == (
        "Ollama on this machine has no model “nope”. It has small:1b, big:7b. Choose one with /model"
    )
    assert start_model(ollama, "", "gone") == "big:7b"
    assert why_not_model(ollama, "", "gone\x1b", "big:7b").endswith(
        "has no model “gone”: big:7b answers instead"
    )
    for wished, usual in (("small:1b", ""), ("", "small:1b"), ("", "")):
        model = start_model(ollama, wished, usual)
        assert why_not_model(ollama, wished, usual, model) == ""
    other = connection(ServerKind.OPENAI, CHATTY)
    assert start_model(other, "unlisted", "") == "unlisted", "such a server may have what it does not list"
    assert why_not_model(other, "unlisted", "", "unlisted") == ""
    assert start_model(connection(ServerKind.VLLM), "unlisted", "") == "unlisted"


@pytest.mark.usefixtures("no_usual_ports")
async def test_two_servers_of_one_kind_are_told_apart() -> None:
    async with model_server(models=("a",)) as first, model_server(models=("b",)) as second:
        ports = [server.url.rpartition(":")[2] for server in (first, second)]
        configured = [Endpoint(first.url), Endpoint(second.url, name="big one")]
        found = await choose(None, configured, {}, "a")
        assert found.place == f"OpenAI-compatible server on this machine, port {ports[0]}"
        await found.server.aclose()
        named = await choose(configured[1], configured, {})
        assert named.place == "OpenAI-compatible server “big one” on this machine"
        await named.server.aclose()
        alone = await choose(Endpoint(first.url), [], {})
        assert alone.place == "OpenAI-compatible server on this machine"
        await alone.server.aclose()


@pytest.mark.usefixtures("no_usual_ports")
async def test_what_the_person_has_named_and_open_webui_are_told_where_nobody_answers() -> None:
    async with replay() as busy:
        busy.other = reply(502, b"", "")
        with pytest.raises(Unreachable, match="502 Bad Gateway") as raised:
            await choose(None, [Endpoint(busy.url)], {})
        assert "Asked: this machine" in raised.value.hint
        busy.on("/api/version", as_json(200, {"version": "0.6", "deployment_id": ""}))
        with pytest.raises(Unreachable, match="Open WebUI") as raised:
            await choose(None, [], {"OLLAMA_HOST": busy.url})
        assert f"{busy.url}/ollama" in raised.value.detail, "the screen has no room for a hint"


def test_a_server_without_models() -> None:
    with pytest.raises(ModelMissing) as raised:
        require_model(connection(ServerKind.OLLAMA), "", "usual")
    assert "ollama pull" in raised.value.hint
    assert require_model(connection(ServerKind.OPENAI), "", "") == ""


def test_an_error_names_some_of_the_models_there_are() -> None:
    error = ModelMissing("No", "why", "do", 404)
    assert with_names(error, ()) is error
    many = with_names(error, [Model(f"m{number}") for number in range(20)])
    assert many.detail == "It has m0, m1, m2, m3, m4, m5, m6, m7 and 12 more"
    assert (many.title, many.hint, many.status) == ("No", "do", 404)


def test_a_server_by_name_by_address_and_by_a_new_address() -> None:
    office = Endpoint("http://10.0.0.5:8080", api_key="secret", name="office")
    for text in ("office", "http://10.0.0.5:8080", "10.0.0.5:8080/v1/"):
        assert named_server(text, [office], "other") is office
    new = named_server("localhost:1234", [office], "other")
    assert (new.url, new.api_key, new.kind) == ("http://127.0.0.1:1234", "other", None)
    assert named_server("localhost:1234", [office]).api_key == ""
    asked = named_server("http://ann:pw@10.0.0.5:8080", [office])
    assert (asked.login, asked.api_key, asked.name) == ("ann:pw", "secret", "office")
    assert named_server("http://ann:pw@new:1", []).login == "ann:pw"
    with pytest.raises(UsageError):
        named_server("no address at all", [office], "other")


def test_a_key_goes_to_a_named_server_that_has_none() -> None:
    plain = Endpoint("http://10.0.0.6:8080", ServerKind.VLLM, name="plain")
    assert named_server("plain", [plain], "given") == replace(plain, api_key="given")
    assert named_server("plain", [plain]) is plain


@pytest.fixture
def no_usual_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only configured servers are looked at, so that one of this machine's own does not get in between, and they have
    all the time that a busy machine takes."""
    monkeypatch.setattr(detect, "usual_ports", tuple)
    monkeypatch.setattr(connect, "LOADING_EVERY_S", 0.01)
    monkeypatch.setattr(detect, "find", partial(detect.find, timeout=60))


LOADS = "llama-server/single/chat-while-loading"


def loading(server: Replay, *, rounds: int) -> None:
    """A llama-server that has its model when it has been asked for its models that often."""
    server.on("/health", recorded("llama-server/single/health-loading"))
    server.on("/props", recorded("llama-server/single/props"))
    server.on("/v1/models", *[recorded(LOADS)] * rounds, recorded("llama-server/single/v1-models"))


@pytest.mark.parametrize("given", [True, False], ids=["named", "found"])
@pytest.mark.usefixtures("no_usual_ports")
async def test_a_server_that_loads_its_model_is_waited_for(given: bool) -> None:
    waited: list[Endpoint] = []
    async with replay() as server, model_server(models=()) as empty:
        loading(server, rounds=3)
        endpoint = Endpoint(server.url)
        configured = [Endpoint(empty.url), endpoint]
        found = await choose(endpoint if given else None, configured, {}, "", waited.append)
        await found.server.aclose()
    assert found.server.endpoint.url == server.url
    assert found.models
    assert [one.url for one in waited] == [server.url] * len(waited)
    assert waited


@pytest.mark.usefixtures("no_usual_ports")
async def test_one_that_has_a_model_is_taken_before_one_that_loads() -> None:
    async with replay() as server, model_server(models=("a",)) as ready:
        loading(server, rounds=99)
        found = await choose(None, [Endpoint(server.url), Endpoint(ready.url)], {})
        await found.server.aclose()
    assert found.server.endpoint.url == ready.url


@pytest.mark.usefixtures("no_usual_ports")
async def test_one_that_ends_while_it_loads_is_given_up() -> None:
    async with replay() as server, model_server(models=()) as empty:
        loading(server, rounds=2)
        server.replies["/v1/models"][-1] = as_json(500, {"error": {"message": "out of memory"}})
        found = await choose(None, [Endpoint(server.url), Endpoint(empty.url)], {})
        await found.server.aclose()
        assert found.server.endpoint.url == empty.url
        server.on("/v1/models", recorded(LOADS), as_json(500, {"error": {"message": "out of memory"}}))
        with pytest.raises(ServerError, match="cannot do this"):
            await choose(None, [Endpoint(server.url)], {})


@pytest.mark.usefixtures("no_usual_ports")
async def test_the_best_of_several_servers() -> None:
    async with model_server(models=()) as empty, model_server(models=("a",)) as first, \
            model_server(models=("a", "b")) as second:  # fmt: skip
        configured = [Endpoint(server.url) for server in (empty, first, second)]
        for model, best in (("", first), ("a", first), ("b", second), ("c", first)):
            found = await choose(None, configured, {}, model)
            assert found.server.endpoint.url == best.url
            assert [other.url for other in found.others] == [endpoint.url for endpoint in configured]
            assert found.info.kind is ServerKind.OPENAI
            await found.server.aclose()
        alone = await choose(None, configured[:1], {}, "b")
        assert alone.server.endpoint.url == empty.url
        await alone.server.aclose()


@pytest.mark.usefixtures("no_usual_ports")
async def test_a_server_that_refuses_gives_way_to_one_that_does_not() -> None:
    async with replay() as locked, model_server(models=("a",)) as open_one:
        locked.on("/version", as_json(200, {"version": "0.9"}, {"Server": "uvicorn"}))
        locked.on("/v1/models", as_json(401, {"error": "Unauthorized"}))
        found = await choose(None, [Endpoint(locked.url), Endpoint(open_one.url)], {})
        assert found.server.endpoint.url == open_one.url
        await found.server.aclose()


@pytest.mark.usefixtures("no_usual_ports")
async def test_nobody_anywhere() -> None:
    with pytest.raises(Unreachable) as raised:
        await choose(None, [Endpoint("http://127.0.0.1:9")], {})
    assert raised.value.detail == "Asked: this machine (9)"


async def test_the_server_that_was_asked_for_and_no_other() -> None:
    async with model_server(models=("a",)) as wanted, model_server(models=("b",)) as other:
        found = await choose(Endpoint(wanted.url), [Endpoint(other.url)], {}, "b")
        assert [model.name for model in found.models] == ["a"]
        assert other.seen == []
        await found.server.aclose()


async def test_an_address_without_a_port_is_asked_for_one() -> None:
    office = Endpoint("http://10.0.0.5:8080", name="office")
    with pytest.raises((Unreachable, NotAModelServer)) as raised:
        await choose(Endpoint("http://127.0.0.1"), [office], {})
    assert raised.value.hint == (
        "Say the port too, such as http://127.0.0.1:11434, or a name from the config: office"
    )
