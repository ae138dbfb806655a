"""`lokal ask` against real and recorded servers: what it prints, sends, keeps, and writes nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.app import CHAT, MODEL, OPENAI, answer, bodies, configure, model_server, turns
from tests.support.command import files_below, lokal_command
from tests.support.replay import Replay, as_json, recorded, replay, sse
from tests.support.sample import MARKDOWN, THOUGHT
from tui.core.endpoint import Endpoint

WHOLE = "--set", "max_tokens=4000"


def key_of(endpoint: Endpoint) -> dict[str, str]:
    """The environment that lets lokal talk to the real server."""
    return {"LOKAL_API_KEY": endpoint.api_key}


async def test_the_answer_and_nothing_else_is_on_standard_output(
    llama_server: Endpoint, own_home: Path
) -> None:
    ended = await lokal_command(
        "ask", "--server", llama_server.url, *WHOLE, "Как прочитать файл?", environ=key_of(llama_server)
    )
    assert (ended.status, ended.text, ended.err) == (0, MARKDOWN, "")
    assert files_below(own_home) == []


async def test_json_says_how_the_answer_was_made(llama_server: Endpoint, own_home: Path) -> None:
    ended = await lokal_command(
        *("ask", "--json", "--server", llama_server.url, "--preset", "creative", "--set", "top_k=7"),
        *("--set", "max_tokens=20", "--set", "repeat_penalty=", "Hi"),
        environ=key_of(llama_server),
    )
    assert ended.status == 0
    assert "cut at 20 tokens" in ended.err
    said = ended.json()
    assert list(said)[:9] == [
        *("text", "reasoning", "model", "server", "preset", "parameters", "usage", "timings", "finish_reason")
    ]
    assert MARKDOWN.startswith(said["text"])
    assert (said["model"], said["server"], said["preset"]) == ("script", llama_server.url, "creative")
    assert said["parameters"] == {"temperature": 0.85, "top_p": 0.95, "top_k": 7, "max_tokens": 20}
    assert (said["usage"]["completion"], said["finish_reason"]) == (20, "length")
    assert said["timings"]["total_s"] >= said["timings"]["first_token_s"] > 0
    assert (said["error"], said["chat"]) == (None, None)
    assert files_below(own_home) == []


async def test_what_is_piped_in_follows_the_question() -> None:
    async with model_server(answer("Fine.")) as server:
        piped = "zażółć\r\n\x1b[31mline\x1b[0m two\n\u200fאב\n\n".encode()
        first = await lokal_command("ask", "--server", server.url, "Explain", "this:", stdin=piped)
        await lokal_command("ask", "--server", server.url, stdin=b"Only this")
        await lokal_command("ask", "--server", server.url, "-", stdin=b"Only that")
        await lokal_command("ask", "--server", server.url, "No context", stdin=b"\n \n")
    assert (first.status, first.text) == (0, "Fine.\n")
    assert [turns(body) for body in bodies(server)] == [
        [("user", "Explain this:\n\nzażółć\nline two\n\u200fאב")],
        [("user", "Only this")],
        [("user", "Only that")],
        [("user", "No context")],
    ]


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r", "utf-16", "utf-16-le"])
async def test_text_that_is_not_utf8_is_refused_with_the_way_to_say_so(encoding: str) -> None:
    piped = "Ошибка: соединение сброшено\n".encode(encoding)
    async with model_server(answer("Fine.")) as server:
        ask = "ask", "--server", server.url
        refused = (await lokal_command(*ask, "Why?", stdin=piped)).failed(2)
        assert f"it seems to be {encoding} Try: lokal ask --encoding {encoding} …" in refused
        assert bodies(server) == []
        assert (await lokal_command(*ask, "--encoding", encoding, "Why?", stdin=piped)).text == "Fine.\n"
    assert [turns(body) for body in bodies(server)] == [
        [("user", "Why?\n\nОшибка: соединение сброшено")],
    ]


async def test_a_question_out_of_nothing_is_wrong_usage() -> None:
    assert "There is no question" in (await lokal_command("ask")).failed(2)
    assert "There is no question" in (await lokal_command("ask", "  ", stdin=b"\n")).failed(2)


async def test_the_system_prompt(own_home: Path) -> None:
    presets = own_home / ".config/lokal/presets"
    presets.mkdir(parents=True)
    (presets / "terse.toml").write_text('system = "Be terse."\n[parameters]\ntemperature = 0.1\n')
    ask = "ask", "--preset", "terse"
    async with model_server(answer("Yes.")) as server:
        await lokal_command(*ask, "--server", server.url, "Q")
        await lokal_command(*ask, "--server", server.url, "--system", "Be kind.", "Q")
        await lokal_command(*ask, "--server", server.url, "--system", "", "Q")
    systems = [[text for role, text in turns(body) if role == "system"] for body in bodies(server)]
    assert systems == [["Be terse."], ["Be kind."], []]
    assert {body["temperature"] for body in bodies(server)} == {0.1}


async def test_a_server_that_is_named_is_the_only_one_asked() -> None:
    async with model_server(answer("Here.")) as named, model_server(answer("There.")) as other:
        configure(f'[[servers]]\nurl = "{other.url}"\nname = "other"\n')
        by_url = await lokal_command("ask", "--server", named.url, "Q")
        assert other.seen == []
        before = len(named.seen)
        by_name = await lokal_command("--server", "other", "ask", "Q")
        assert len(named.seen) == before
    assert (by_url.text, by_name.text) == ("Here.\n", "There.\n")


async def test_without_a_server_the_one_that_has_the_model_answers() -> None:
    async with (
        model_server(answer("Wrong one."), models=("small",)) as first,
        model_server(answer("Right one."), models=("small", "large")) as second,
    ):
        configure(f'[[servers]]\nurl = "{first.url}"\n[[servers]]\nurl = "{second.url}"\n')
        ended = await lokal_command("ask", "--model", "large", "Q")
    assert (ended.status, ended.text) == (0, "Right one.\n")
    assert bodies(second)[0]["model"] == "large"


async def test_what_the_server_does_not_take_is_told() -> None:
    async with model_server(answer("Yes.")) as server:
        ended = await lokal_command("ask", "--json", "--server", server.url, "--set", "mirostat=2", "Q")
        preset = await lokal_command("ask", "--server", server.url, "--preset", "creative", "Q")
        usual = await lokal_command("ask", "--server", server.url, "Q")
    assert "Not sent" in ended.err
    assert "does not take it: top_k, repeat_penalty" in preset.err
    assert usual.err == ""
    assert "mirostat" in ended.err
    assert "mirostat" not in ended.json()["parameters"]
    assert "mirostat" not in bodies(server)[0]


async def test_what_the_model_cannot_is_not_sent_and_told() -> None:
    async with replay() as server:
        like_recorded_ollama(server)
        server.on("/api/chat", recorded("ollama/chat-stream"))
        asked = ("ask", "--server", server.url, "--set", "think=on", "--model")
        ended = await lokal_command(*asked, "chat", "Hi")
        assert (ended.status, ended.err) == (0, "lokal: Not sent, chat:latest has no thinking mode: think\n")
        assert "think" not in server.last("/api/chat").json()
        ended = await lokal_command(*asked, "think", "Hi")
        assert (ended.status, ended.err) == (0, "")
        assert server.last("/api/chat").json()["think"] is True


@pytest.mark.parametrize(
    ("piece", "said"),
    [
        ({"finish_reason": "content_filter"}, "A content filter of the server ended the answer"),
        ({}, "The server did not say whether the answer is whole"),
    ],
)
async def test_how_an_answer_ended_is_said(piece: dict[str, object], said: str) -> None:
    chunk = {"choices": [{"index": 0, "delta": {"content": "Half"}, **piece}]}
    async with model_server(sse([chunk, "[DONE]"])) as server:
        ended = await lokal_command("ask", "--server", server.url, "Hi")
    assert (ended.status, ended.text.strip(), ended.err) == (0, "Half", f"lokal: {said}\n")


async def test_a_kept_answer_is_a_chat(own_home: Path) -> None:
    async with model_server(answer("Blue", ".")) as server:
        ended = await lokal_command("ask", "--save", "--server", server.url, "What colour?\nSay one.")
        as_json_ = await lokal_command("ask", "--save", "--json", "--server", server.url, "Another")
    assert (ended.text, ended.status) == ("Blue.\n", 0)
    id = ended.err.split()[-1]
    listed = (await lokal_command("chats", "list", "--json")).json()
    assert [chat["title"] for chat in listed] == ["Another", "What colour?"]
    assert listed[0]["id"] == as_json_.json()["chat"]
    assert set(listed[1]) == {
        *("id", "title", "created_at", "updated_at", "message_count", "pinned", "archived")
    }
    assert (listed[1]["id"], listed[1]["message_count"]) == (id, 2)
    shown = (await lokal_command("chats", "show", id[:8], "--json")).json()
    question, reply = shown["messages"]
    assert (question["role"], question["parent"], question["content"]) == (
        "user",
        None,
        "What colour?\nSay one.",
    )
    assert (reply["role"], reply["parent"], reply["content"]) == ("assistant", question["id"], "Blue.")
    assert (reply["status"], reply["model"], reply["server"]) == ("complete", MODEL, server.url)
    assert reply["preset"] == "technical"
    assert reply["parameters"]["temperature"] == 0.4
    assert reply["timings"]["total_s"] > 0


async def test_ten_megabytes_arrive_whole() -> None:
    piece = "Зажги 👍 line\n" * 50
    count = 10_000_000 // len(piece.encode()) + 1
    async with model_server(answer(*[piece] * count)) as server:
        ended = await lokal_command("ask", "--server", server.url, "Q")
    assert ended.status == 0
    assert len(ended.out) > 10_000_000
    assert ended.text == piece * count


@pytest.mark.parametrize(
    "environ",
    [
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"PYTHONIOENCODING": "ascii:strict"},
    ],
)
async def test_a_pipe_gets_utf8_whatever_the_locale(environ: dict[str, str]) -> None:
    async with model_server(answer("Javob: goʻzal — ", "đúng 👍")) as server:
        plain = await lokal_command("ask", "--server", server.url, "Q", environ=environ)
        said = await lokal_command("ask", "--json", "--server", server.url, "Q", environ=environ)
    assert (plain.status, plain.text) == (0, "Javob: goʻzal — đúng 👍\n")
    assert said.json()["text"] == "Javob: goʻzal — đúng 👍"


async def test_nothing_from_a_server_reaches_the_terminal_as_a_control() -> None:
    evil = "\x1b]0;owned\x07\x1b[2J\x9b31mred\x00\u202egnp.exe end"
    async with model_server(answer(evil), models=(f"m{evil}",)) as server:
        plain = await lokal_command("ask", "--server", server.url, "Q")
        said = await lokal_command("ask", "--save", "--json", "--server", server.url, "Q")
        server.on(CHAT, as_json(400, {"error": {"message": f"no {evil}"}}))
        refused = await lokal_command("ask", "--server", server.url, "Q")
        shown = await lokal_command("chats", "show", "last")
        found = await lokal_command("doctor", environ={"OLLAMA_HOST": server.url})
    assert plain.text == "redgnp.exe end\n"
    for ended in (plain, said, refused, shown, found):
        everything = ended.text + ended.err
        assert not [letter for letter in everything if letter != "\n" and not letter.isprintable()]
        assert "owned" not in everything
    assert refused.status == 4


async def test_ollama_as_recorded() -> None:
    async with replay() as server:
        like_recorded_ollama(server)
        server.on("/api/chat", recorded("ollama/chat-thinking"))
        said = (await lokal_command("ask", "--json", "--model", "chat", "--server", server.url, "Hi")).json()
    assert (said["model"], said["finish_reason"]) == ("chat:latest", "stop")
    assert said["reasoning"]
    assert said["text"]


def like_recorded_ollama(server: Replay) -> None:
    """Let it answer as the recorded Ollama does when it is asked what it is and has."""
    server.on("/api/version", recorded("ollama/version")).on("/api/tags", recorded("ollama/tags"))
    server.on("/api/ps", recorded("ollama/ps"))


async def test_reasoning_is_not_part_of_the_answer() -> None:
    stream = OPENAI.stream(OPENAI.thought("Hm, let me see."), OPENAI.text("Four."), *OPENAI.end())
    only = OPENAI.stream(OPENAI.thought("Hm."), *OPENAI.end())
    async with model_server(stream) as server:
        plain = await lokal_command("ask", "--server", server.url, "2+2?")
        said = (await lokal_command("ask", "--json", "--server", server.url, "2+2?")).json()
        server.on(CHAT, only)
        empty = await lokal_command("ask", "--server", server.url, "2+2?")
    assert plain.text == "Four.\n"
    assert (said["text"], said["reasoning"]) == ("Four.", "Hm, let me see.")
    assert (empty.status, empty.text) == (0, "")
    assert "nothing but reasoning" in empty.err


@pytest.mark.usefixtures("engine_installed")
async def test_a_gguf_file_without_any_server(thinking_gguf: Path, own_home: Path) -> None:
    command = "ask", "--json", "--gguf", str(thinking_gguf), *WHOLE, "--set", "context_window=2048", "Hi"
    ended = await lokal_command(*command)
    assert (ended.status, ended.err) == (0, "")
    said = ended.json()
    assert (said["text"].strip(), said["reasoning"].strip()) == (MARKDOWN.strip(), THOUGHT.strip())
    assert (said["model"], said["parameters"]["context_window"]) == ("thinking", 2048)
    assert said["server"] == "built-in llama.cpp"
    assert all(name.startswith(".local/state/lokal/logs/") for name in files_below(own_home))


async def test_a_persona_is_the_system_prompt() -> None:
    async with model_server(answer("Arr.")) as server:
        done = await lokal_command("ask", "--persona", "pirate", "Hello?", "--server", server.url)
        assert (done.status, done.text) == (0, "Arr.\n")
        (body,) = bodies(server)
        assert "[Instruction] Answer as a good-humoured pirate" in str(body)
        both = await lokal_command(
            "ask", "--persona", "pirate", "--system", "x", "Hello?", "--server", server.url
        )
        assert both.status == 2
        assert "cannot both be" in both.err
