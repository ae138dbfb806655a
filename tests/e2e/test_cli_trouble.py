"""Everything that can be wrong with a server, a file or the command line: a message that says what, why and what to
do, the right exit status, and never a traceback."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.test_cli_ask import like_recorded_ollama
from tests.support.app import OPENAI, answer, configure, model_server
from tests.support.command import files_below, lokal_command
from tests.support.replay import CannedResponse, as_json, chunked, ndjson, recorded, replay, reply, text
from tests.support.terminal import lokal
from tui.core.endpoint import Endpoint


def free_port() -> int:
    """A port of this machine where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# -- servers --------------------------------------------------------------------------------------------------------


async def test_nobody_listens() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    ended = await lokal_command("ask", "--server", url, "Q")
    said = ended.failed(3)
    assert url in said
    assert "refused" in said
    assert "Is it running" in said
    assert ended.out == b""
    as_json_ = await lokal_command("ask", "--json", "--server", url, "Q")
    as_json_.failed(3)
    assert as_json_.json()["server"] == url
    assert as_json_.json()["error"]["title"] == f"No server answers at {url}"
    assert as_json_.json()["finish_reason"] == "error"


async def test_nobody_listens_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{port}")
    ended = await lokal_command("ask", "--model", "no-such-model", "Q")
    if ended.status == 4:
        pytest.skip("a model server runs on this machine")
    said = ended.failed(3)
    assert f"({port}, 11434, 9931, 8080, 1234, 8000, 5000)" in said
    assert "ollama serve" in said
    assert "--gguf" in said


async def test_an_address_without_a_port() -> None:
    said = (await lokal_command("ask", "--server", "no-such-host.invalid", "Q")).failed(3)
    assert "The host name is not known" in said
    assert "http://no-such-host.invalid:11434" in said


async def test_some_other_web_server() -> None:
    page = reply(200, b"<!DOCTYPE html><html><title>Router</title></html>", "text/html")
    async with replay() as server:
        server.other = page
        assert "A web page answers at" in (await lokal_command("ask", "--server", server.url, "Q")).failed(3)


async def test_a_wrong_key(llama_server: Endpoint) -> None:
    command = "ask", "--server", llama_server.url, "Q"
    without = (await lokal_command(*command)).failed(4)
    assert "API key" in without
    assert "LOKAL_API_KEY" in without
    secret = "sk-very-secret"
    wrong = (await lokal_command(*command, environ={"LOKAL_API_KEY": secret})).failed(4)
    assert "does not accept" in wrong
    assert secret not in wrong


async def test_a_model_that_is_not_there(llama_server: Endpoint) -> None:
    async with replay() as server:
        like_recorded_ollama(server)
        server.on("/api/chat", recorded("ollama/chat-missing-model"))
        ended = await lokal_command("ask", "--json", "--server", server.url, "--model", "nope", "Q")
        said = ended.failed(4)
        assert "has no model “nope”" in said
        assert "chat:latest" in said
        assert "ollama pull nope" in said
        assert ended.json()["error"]["hint"] == "Get it with: ollama pull nope"
        asked = len(server.seen)
        server.on("/api/tags", recorded("ollama/tags-empty"))
        assert "ollama pull" in (await lokal_command("ask", "--server", server.url, "Q")).failed(4)
        assert "/api/chat" not in server.paths()[asked:]
    # llama.cpp would answer with whatever it has loaded.
    environ = {"LOKAL_API_KEY": llama_server.api_key}
    command = "ask", "--server", llama_server.url, "--model", "nope", "Q"
    assert "It has script" in (await lokal_command(*command, environ=environ)).failed(4)


async def test_a_model_that_still_loads_is_waited_for() -> None:
    single = "llama-server/single"
    async with replay() as server:
        server.on("/health", *[recorded(f"{single}/health-loading")] * 2, recorded(f"{single}/health"))
        server.on(
            "/v1/models", *[recorded(f"{single}/chat-while-loading")] * 2, recorded(f"{single}/v1-models")
        )
        server.on(OPENAI.path, OPENAI.stream(OPENAI.text("At last."), *OPENAI.end()))
        server.other = recorded(f"{single}/chat-while-loading")
        ended = await lokal_command("ask", "--server", server.url, "Q")
    assert (ended.status, ended.text, ended.err) == (0, "At last.\n", "")


async def test_a_full_queue() -> None:
    async with replay() as server:
        like_recorded_ollama(server)
        server.on("/api/chat", recorded("ollama/chat-server-busy"))
        assert "busy" in (await lokal_command("ask", "--server", server.url, "Q")).failed(4)


BEGUN = [OPENAI.text("It be"), OPENAI.text("gan")]


@pytest.mark.parametrize(
    ("canned", "printed", "complaint"),
    [
        (OPENAI.stream(*BEGUN, ended=False), "It began\n", "What came is printed; ask again"),
        (OPENAI.stream(*BEGUN), "It began\n", "The answer broke off"),
        (replace(OPENAI.stream(*BEGUN, ended=False), reset=True), "It began\n", "The answer broke off"),
        (OPENAI.stream(*BEGUN, OPENAI.error("CUDA error: boom")), "It began\n", "CUDA error: boom"),
        (OPENAI.stream(*BEGUN, '{"choices": [', *OPENAI.end()), "It began\n", "not complete JSON"),
        (OPENAI.stream("nonsense", "{{{"), "", "The answer broke off"),
        (chunked([b"data: " + b"x" * 50_000_000], OPENAI.media_type), "", "lokal: "),
        (text(500, "it blew up"), "", "it blew up"),
        (CannedResponse(b"\x00\xff garbage"), "", "lokal: "),
        (CannedResponse(b""), "", "The answer broke off"),
        (reply(200, b"<html>login please</html>", "text/html"), "", "web page"),
        (as_json(404, {"detail": "Not Found"}), "", "does not serve this"),
    ],
    ids=[
        *("cut", "no end", "reset", "error", "half a record", "nonsense", "50 MB line", "500", "garbage"),
        *("nothing", "web page", "404"),
    ],
)  # fmt: skip
async def test_what_comes_is_printed_and_then_why_no_more(
    canned: CannedResponse, printed: str, complaint: str
) -> None:
    async with model_server(canned) as server:
        ended = await lokal_command("ask", "--server", server.url, "Q")
        said = ended.failed(3 if complaint == "web page" or canned.raw.startswith(b"\x00") else 4)
    assert ended.text == printed
    assert complaint in said


async def test_a_broken_answer_is_kept_as_it_is() -> None:
    async with model_server(OPENAI.stream(*BEGUN, ended=False)) as server:
        ended = await lokal_command("ask", "--save", "--json", "--server", server.url, "Q")
    assert ended.status == 4
    assert (ended.json()["text"], ended.json()["finish_reason"]) == ("It began", "interrupted")
    messages = (await lokal_command("chats", "show", ended.json()["chat"], "--json")).json()["messages"]
    assert [(message["status"], message["content"]) for message in messages] == [
        ("complete", "Q"),
        ("interrupted", "It began"),
    ]


# -- files ----------------------------------------------------------------------------------------------------------


async def test_a_malformed_config_is_told_and_left_alone() -> None:
    async with model_server(answer("Yes.")) as server:
        path = configure('theme = "dark"\nmodel = \n')
        ended = await lokal_command("ask", "--server", server.url, "Q")
        doctor = (await lokal_command("doctor", "--json")).json()
    assert (ended.status, ended.text) == (0, "Yes.\n")
    assert f"{path}: mistake in line 2, column 9" in ended.err
    assert path.read_text() == 'theme = "dark"\nmodel = \n'
    assert "line 2, column 9" in doctor["problems"][0]


async def test_wrong_settings_cost_only_themselves() -> None:
    async with model_server(answer("Yes.")) as server:
        configure(f'preset = "nope"\ntheme = "neon"\nserver = "{server.url}"\n[keys]\nfly = "f9"\n')
        ended = await lokal_command("ask", "--json", "Q")
        problems = (await lokal_command("doctor", "--json")).json()["problems"]
    assert ended.status == 0
    assert ended.json()["preset"] == "technical"
    assert "There is no preset “nope”" in ended.err
    for word in ("nope", "neon", "fly"):
        assert [problem for problem in problems if word in problem], word


async def test_a_malformed_preset(own_home: Path) -> None:
    presets = own_home / ".config/lokal/presets"
    presets.mkdir(parents=True)
    (presets / "mine.toml").write_text("[parameters]\ntemperature 1\n")
    (presets / "technical.toml").write_text("[parameters]\ntemperature = 9\n")
    listed = await lokal_command("presets", "list")
    assert listed.status == 0
    assert "mine.toml: mistake in line 2, column 13" in listed.err
    assert "temperature cannot be 9" in listed.err
    said = (await lokal_command("ask", "--preset", "mine", "Q")).failed(2)
    assert "There is no preset “mine” There are: technical" in said


@pytest.fixture
def read_only_home(own_home: Path) -> Iterator[Path]:
    """A home whose rights allow no writing."""
    if os.name != "posix" or os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    own_home.chmod(0o500)
    yield own_home
    own_home.chmod(0o700)


async def test_a_home_that_can_only_be_read(read_only_home: Path) -> None:
    await _in_a_home_without_room(read_only_home)


async def test_a_home_where_nothing_can_be_made(own_home: Path) -> None:
    """Files stand where lokal's folders would be, which stops root too."""
    for name in (".config", ".local"):
        (own_home / name).write_text("in the way")
    await _in_a_home_without_room(own_home)


async def _in_a_home_without_room(own_home: Path) -> None:
    before = files_below(own_home)
    async with model_server(answer("Yes.")) as server:
        plain = await lokal_command("ask", "--server", server.url, "Q")
        kept = await lokal_command("ask", "--save", "--json", "--server", server.url, "Q")
    assert (plain.status, plain.text) == (0, "Yes.\n")
    assert kept.json()["text"] == "Yes."
    assert "Cannot open the chats" in kept.failed(1)
    assert (await lokal_command("presets", "list")).status == 0
    assert (await lokal_command("chats", "list", "--json")).json() == []
    doctor = await lokal_command("doctor", "--json")
    assert doctor.status == 0
    assert not any(folder["writable"] for folder in doctor.json()["folders"])
    assert "CANNOT BE WRITTEN" in (await lokal_command("doctor")).text
    assert files_below(own_home) == before


@pytest.mark.parametrize("command", [("ask", "Q"), ()])
async def test_a_gguf_file_that_is_none(command: tuple[str, ...], tmp_path: Path) -> None:
    page = tmp_path / "page.gguf"
    page.write_text("<!DOCTYPE html><html>blob</html>")
    for path, complaint in (
        (tmp_path / "none.gguf", "There is no file"),
        (page, "is no GGUF file It is a web page"),
        (tmp_path, "is a folder"),
    ):
        assert complaint in (await lokal_command(*command, "--gguf", str(path))).failed(2)


# -- the command line -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--nonsense", "no option --nonsense"),
        ("ask --modle m Q", "Did you mean --model?"),
        ("dokter", "Did you mean lokal doctor?"),
        ("ask --set temprature=1 Q", "Did you mean temperature?"),
        ("ask --set temperature=hot Q", "It takes a number from 0 to 2"),
        ("--set temperature=3", "temperature cannot be"),
        ("--preset nope", "There are: technical, creative, chatbot"),
        ("ask --preset nope Q", "There are: technical, creative, chatbot"),
        ("presets show nope", "There are: technical, creative, chatbot"),
        ("chats show nope", "There is no chat"),
        ("--server http://", "is no server address"),
        ("ask --server ftp://x Q", "is no server address"),
        ("ask --gguf a --server b Q", "exclude each other"),
        ("--server http://127.0.0.1:9 doctor", "takes no --server"),
        ("", "lokal needs a terminal"),
        ("--resume", "lokal needs a terminal"),
    ],
)
async def test_wrong_usage(arguments: str, words: str) -> None:
    assert words in (await lokal_command(*arguments.split())).failed(2)


async def test_wrong_usage_on_a_terminal_is_left_to_be_read() -> None:
    for arguments in (["--gguf", "nonsense"], ["--preset", "nope"], ["--nonsense"]):
        async with lokal(*arguments) as terminal:
            assert await terminal.ended() == 2
            raw = terminal.raw.decode()
        assert "lokal: " in raw.rpartition("\x1b[?1049l")[2]
        assert "Traceback" not in raw


async def test_what_the_environment_holds_for_others_breaks_nothing(tmp_path: Path) -> None:
    endless = tmp_path / "pipe"
    os.mkfifo(endless)
    environ = {
        "OPENSSL_CONF": str(endless),
        "ALL_PROXY": "socks5://127.0.0.1:1080",
        "no_proxy": "localhost,fe80::/10",
        "SSL_CERT_FILE": "/nowhere",
        "OLLAMA_API_KEY": "ключ",
        "OLLAMA_HOST": '"http://[::1"',
    }
    async with replay() as server:
        like_recorded_ollama(server)
        server.on("/api/chat", ndjson([{"message": {"content": "Yes."}, "done": True}]))
        configure(f'[[servers]]\nurl = "{server.url}"\n')
        ended = await lokal_command("ask", "Q", environ=environ)
    assert (ended.status, ended.text) == (0, "Yes.\n")
    assert "OLLAMA_HOST is no address" in ended.err
    assert "Traceback" not in ended.err
