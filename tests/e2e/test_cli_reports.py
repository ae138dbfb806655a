"""`lokal doctor`, `presets`, `chats`, `--help` and `--version`, as a person and as a program read them."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from tests.e2e.test_cli_ask import like_recorded_ollama
from tests.support.app import MODEL, answer, becomes_llamacpp, configure, model_server
from tests.support.command import files_below, lokal_command, started
from tests.support.replay import replay, text
from tests.support.terminal import lokal
from tui import __version__
from tui.core.message import Attachment, Message, Problem, Role, Status
from tui.store.store import Store

COMMANDS = [
    "", "ask", "bench", "doctor", "presets", "presets list", "presets show", "chats", "chats list", "chats show", "chats export",
    "chats search", "chats rename", "chats rm", "chats import", "models",
    *(f"models {action}" for action in ("list", "show", "ps", "load", "unload", "pull", "update", "rm", "cp", "create")),
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
async def test_help_reads_well_in_eighty_columns(command: str) -> None:
    for environ in ({"COLUMNS": "80"}, {"COLUMNS": "200"}, {"LC_ALL": "C", "COLUMNS": "80"}):
        ended = await lokal_command(*command.split(), "--help", environ=environ)
        assert (ended.status, ended.err) == (0, "")
        assert ended.text.startswith(f"usage: lokal {command}".rstrip())
        assert max(map(len, ended.text.splitlines())) <= 78
        assert not [line for line in ended.text.splitlines() if line != line.rstrip() and line.strip()]


async def test_help_names_all_that_there_is() -> None:
    top = (await lokal_command("--help")).text
    for word in (
        *("--server", "--model", "--preset", "--set", "--gguf", "--resume"),
        *("ask", "bench", "doctor", "presets", "chats", "models"),
    ):
        assert word in top
    ask = (await lokal_command("ask", "--help")).text
    for word in ("--system", "--save", "--json", "130", "temperature", "context_window"):
        assert word in ask


async def test_the_version_and_both_ways_to_start() -> None:
    assert (await lokal_command("--version")).text == f"lokal {__version__}\n"
    code = "import sys; from tui.__main__ import main; sys.exit(main())"
    async with started(code, "--version", python="-c") as process:
        out, _ = await process.communicate()
    assert (out.decode(), process.returncode) == (f"lokal {__version__}\n", 0)


# -- doctor ---------------------------------------------------------------------------------------------------------


async def test_doctor_as_json(own_home: Path) -> None:
    async with replay() as ollama, model_server(models=("a", "b")) as llamacpp, replay() as web:
        like_recorded_ollama(ollama)
        becomes_llamacpp(llamacpp)
        web.other = text(200, "It works!")
        configure(f'[[servers]]\nurl = "{llamacpp.url}"\n[[servers]]\nurl = "{web.url}"\n')
        ended = await lokal_command("doctor", "--json", environ={"OLLAMA_HOST": ollama.url})
        before = files_below(own_home)
    assert (ended.status, ended.err) == (0, "")
    report = ended.json()
    assert report["lokal"] == __version__
    found = {server["url"]: server for server in report["servers"]}
    assert found[llamacpp.url] | {"version": ""} == {
        "url": llamacpp.url, "kind": "llamacpp", "version": "", "models": ["a", "b"], "problem": "",
    }  # fmt: skip
    assert (found[ollama.url]["kind"], found[ollama.url]["version"]) == ("ollama", "0.33.0")
    assert "chat:latest" in found[ollama.url]["models"]
    silent = {place["url"]: place for place in report["not_found"]}
    assert silent[web.url]["expected"]
    assert silent[web.url]["listens"]
    assert {folder["name"]: folder["path"] for folder in report["folders"]} == {
        "config": str(own_home / ".config/lokal"),
        "data": str(own_home / ".local/share/lokal"),
        "state": str(own_home / ".local/state/lokal"),
    }
    assert {"term", "colours", "unicode", "multiplexer", "ssh", "columns", "lines"} <= set(report["terminal"])
    assert report["problems"] == []
    assert before == [".config/lokal/config.toml"]


async def test_doctor_for_a_person() -> None:
    async with model_server() as server, lokal(
        "doctor", environ={"OLLAMA_HOST": server.url, "TMUX": "/tmp/tmux,1,0"}, rows=50
    ) as terminal:  # fmt: skip
        assert await terminal.ended() == 0
        shown = terminal.raw.decode().replace("\r\n", "\n")
    assert f"OpenAI-compatible server at {server.url}\n      1 model: {MODEL}\n" in shown
    assert "80 columns, 50 lines" in shown
    assert "truecolor" in shown
    assert "tmux" in shown
    assert "(not made yet)" in shown


async def test_doctor_prints_nothing_that_acts_on_a_terminal(own_home: Path) -> None:
    bad = "\x1b[31m\u202e\x9b31m"
    toml = "\\u001b[31m\\u202e\\u009b31m"
    configure(
        f'server = "http://127.0.0.1:9/{toml}"\npreset = "{toml}"\ntheme = "{toml}"\n"k{toml}" = 1\n'
        f'[keys]\n"{toml}" = "x"\nquit = "{toml}"\n[[servers]]\nname = "{toml}"\nurl = "http://127.0.0.1:9"\n'
        f'api_key_env = "{toml}"\n'
    )
    for kind in ("presets", "themes"):
        folder = own_home / ".config/lokal" / kind
        folder.mkdir()
        (folder / f"a{bad}.toml").write_text(f"x{bad}")
    for format in ([], ["--json"]):
        environ = {"XDG_DATA_HOME": f"{own_home}/{bad}", "TERM": bad, "OLLAMA_HOST": f"127.0.0.1:9/{bad}"}
        ended = await lokal_command("doctor", *format, environ=environ)
        assert ended.status == 0
        shown = ended.text + ended.err
        assert re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown) == []
        assert "Problems" in shown or '"problems": [\n' in shown


async def test_doctor_names_a_server_that_is_expected_and_silent() -> None:
    configure('server = "http://127.0.0.1:9"\n')
    ended = await lokal_command("doctor")
    assert ended.status == 0
    assert "No server answers at http://127.0.0.1:9" in ended.text


# -- presets --------------------------------------------------------------------------------------------------------


async def test_presets(own_home: Path) -> None:
    listed = await lokal_command("presets", "list")
    assert [line.split()[0] for line in listed.text.splitlines()] == ["technical", "creative", "chatbot"]
    assert files_below(own_home) == []
    presets = (await lokal_command("presets", "list", "--json")).json()
    assert [preset["name"] for preset in presets] == ["technical", "creative", "chatbot"]
    one = (await lokal_command("presets", "show", "technical", "--json")).json()
    assert one == presets[0]
    assert one["parameters"]["temperature"] == 0.4
    assert one["bands"]["temperature"] == [0.3, 0.5]
    shown = (await lokal_command("presets", "show", "technical")).text
    assert "temperature       0.4      0.3–0.5" in shown
    assert max(map(len, shown.splitlines())) <= 78


async def test_a_preset_of_ones_own(own_home: Path) -> None:
    presets = own_home / ".config/lokal/presets"
    presets.mkdir(parents=True)
    (presets / "żart.toml").write_text(
        'description = "a joke"\nsystem = "Be funny.\\nBe brief."\n[parameters]\nstop = ["\\n", "END"]\n',
        encoding="utf-8",
    )
    listed = await lokal_command("presets", "list")
    assert listed.text == "żart  a joke\n"
    shown = await lokal_command("presets", "show", "żart")
    assert "  Be funny.\n  Be brief.\n" in shown.text
    assert "stop" in shown.text
    assert (await lokal_command("presets", "show", "żart", "--json")).json()["parameters"] == {
        "stop": ["\n", "END"]
    }


# -- chats ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def chat(own_home: Path) -> str:
    """A chat with two branches, a broken answer, reasoning, an attachment, and controls in what the person pasted."""
    store = Store.open(own_home / ".local/share/lokal/chats.db")
    store.create_chat("abc123", "Wąż i żółw", 1_700_000_000.0)
    for message in (
        Message("q", None, Role.USER, "Ask\x1b[31m me", 1.0, attachments=(Attachment("a.txt", "text/plain", b"hi"),)),
        Message("a1", "q", Role.ASSISTANT, "First", 2.0, model="m", preset="technical"),
        Message(
            "a2", "q", Role.ASSISTANT, "Half", 3.0, reasoning="hm", status=Status.INTERRUPTED, model="m",
            server="http://s", preset="creative", parameters={"top_k": 7}, problem=Problem("It broke off"),
        ),
    ):  # fmt: skip
        store.add_message("abc123", message)
    store.close()
    return "abc123"


async def test_chats_list(chat: str) -> None:
    (listed,) = (await lokal_command("chats", "list", "--json")).json()
    assert (listed["id"], listed["title"], listed["message_count"]) == (chat, "Wąż i żółw", 3)
    assert listed["created_at"] == "2023-11-14T22:13:20.000Z"
    lines = (await lokal_command("chats", "list")).text.splitlines()
    assert lines[0].split() == ["ID", "LAST", "USED", "MESSAGES", "TITLE"]
    assert lines[1].split()[0] == chat
    assert lines[1].endswith("3  Wąż i żółw")


async def test_no_chats_at_all(own_home: Path) -> None:
    ended = await lokal_command("chats", "list")
    assert (ended.status, ended.text, ended.err) == (0, "", "lokal: There are no chats yet\n")
    assert (await lokal_command("chats", "list", "--json")).text == "[]\n"
    assert "There is no chat yet" in (await lokal_command("chats", "show", "last")).failed(2)
    assert files_below(own_home) == []


async def test_chats_show(chat: str) -> None:
    shown = (await lokal_command("chats", "show", "abc", "--json")).json()
    assert (shown["id"], shown["title"]) == (chat, "Wąż i żółw")
    question, reply = shown["messages"]
    wanted = (
        "id", "parent", "role", "content", "reasoning", "status", "model", "server", "preset", "parameters", "timings",
    )  # fmt: skip
    assert set(wanted) <= set(question)
    assert [reply[name] for name in wanted[:-1]] == [
        "a2", "q", "assistant", "Half", "hm", "interrupted", "m", "http://s", "creative", {"top_k": 7},
    ]  # fmt: skip
    assert question["content"] == "Ask\x1b[31m me"
    for_a_person = (await lokal_command("chats", "show", "last")).text
    assert for_a_person == "── you\nAsk me\n\n── m · creative (interrupted)\nHalf\n[It broke off]\n"
    assert "There is no chat “zzz”" in (await lokal_command("chats", "show", "zzz")).failed(2)


async def test_chats_export(chat: str) -> None:
    markdown = (await lokal_command("chats", "export", chat)).text
    assert markdown.startswith("# Wąż i żółw\n")
    assert "Half" in markdown
    assert "First" not in markdown
    whole = json.loads((await lokal_command("chats", "export", chat, "--format", "json")).text)
    assert [message["id"] for message in whole["messages"]] == ["q", "a1", "a2"]
    async with lokal("chats", "export", chat) as terminal:
        assert await terminal.ended() == 0
        assert b"\x1b[31m" not in terminal.raw


async def test_a_chat_that_was_asked_for_can_be_opened_again() -> None:
    if sys.platform == "win32":
        pytest.skip("needs a pseudo-terminal")
    async with model_server(answer("Blue.")) as server:
        kept = await lokal_command("ask", "--save", "--server", server.url, "What colour?")
        async with lokal("--server", server.url, "--resume", kept.err.split()[-1]) as terminal:
            await terminal.wait_for("What colour\\?")
            await terminal.wait_for("Blue\\.")
            await terminal.quit()
