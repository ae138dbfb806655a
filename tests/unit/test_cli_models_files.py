"""`lokal models files` and `lokal models fit`: what is printed of files and of the models of a server."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.support.llama import needs_engine
from tests.support.model_shapes import ModelShape
from tests.support.replay import as_json, recorded, replay
from tui.chat.rate_record import RateRecord
from tui.cli.command_arguments import Models
from tui.cli.models_files import list_files
from tui.cli.models_fit import fit
from tui.config.settings import Settings
from tui.core.benchmark import Benchmark, BenchmarkSubject, Measured, RateSource, SpeedAtDepth
from tui.errors import FileError, MalformedFile, ModelMissing
from tui.paths import folders
from tui.servers.engine.machine import description

SHAPE = ModelShape("llama", 4, 512, 8, 2, 64, 1024, 1000)


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only model of a machine."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in [
        name for name in os.environ if name.startswith(("XDG_", "HF_", "HUGGING", "OLLAMA_", "LLAMA_"))
    ]:
        monkeypatch.delenv(name)
    path = folders().models / "tiny-Q8_0.gguf"
    path.parent.mkdir(parents=True)
    return SHAPE.write(path)


def test_files_are_listed(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert list_files(Models("files"), Settings(), folders()) == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["NAME", "PARAMS", "QUANT", "SIZE", "CONTEXT", "CHANGED", "WHERE", "FITS"]
    assert row.split()[:2] == ["tiny-Q8_0", "Q8_0"]
    assert "lokal  yes, on the" in row
    assert list_files(Models("files", ("nothing",)), Settings(), folders()) == 0
    assert "No GGUF file is like that" in capsys.readouterr().err


def test_files_for_a_program(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert list_files(Models("files", ("TINY",), json=True), Settings(), folders()) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["path"], told["size"], told["place"]) == (str(model), model.stat().st_size, "lokal")
    assert told["verdict"] in ("cpu", "gpu", "partly")


@needs_engine
@pytest.mark.parametrize("named", ["path", "name"])
def test_a_file_is_asked_of_the_engine(model: Path, named: str, capsys: pytest.CaptureFixture[str]) -> None:
    name = str(model) if named == "path" else "tiny-Q8_0"
    command = Models("fit", (name,), json=True, context=4096, cache_type="q8_0")
    assert fit(command, Settings(), folders()) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["exact"] is True
    assert told["kv_cache"] == pytest.approx(4 * 4096 * 2 * 136, abs=1 << 20)
    assert told["total"] == told["weights"] + told["kv_cache"] + told["compute"]
    assert (told["context"], told["cache_type"], told["layers"]) == (4096, "q8_0", 4)
    assert told["available"] > 0


def test_without_the_engine_it_is_estimated(
    model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.executable", "/nothing")
    assert fit(Models("fit", (str(model),)), Settings(), folders()) == 0
    out = capsys.readouterr().out
    assert "tiny-Q8_0.gguf: Q8_0, 4 layers, made for 128k tokens" in out
    assert "~" in out
    assert "fits: yes" in out


def test_what_is_no_file_is_said(model: Path) -> None:
    with pytest.raises(FileError, match=r"nothing\.gguf"):
        fit(Models("fit", ("nothing.gguf",)), Settings(), folders())
    model.write_bytes(model.read_bytes()[:500])
    with pytest.raises(MalformedFile, match="cut short"):
        fit(Models("fit", (str(model),)), Settings(), folders())


async def test_a_model_of_a_server(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tui.cli.models_fit import subject_of_server

    async with replay() as ollama:
        ollama.on("/api/version", recorded("ollama/version"))
        ollama.on("/api/tags", as_json(200, {"models": []}))
        ollama.on("/api/show", recorded("ollama/show-verbose"))
        command = Models("fit", ("chat",), server=ollama.url)
        subject = await subject_of_server(command, Settings())
        asked = [request.json() for request in ollama.seen if request.path == "/api/show"]
    assert asked[-1] == {"model": "chat", "verbose": True}
    assert (subject.header.architecture, subject.path, subject.here) == ("llama", None, True)
    assert len(subject.header.tensors) > 5


def test_a_name_that_nobody_has(model: Path) -> None:
    with pytest.raises(ModelMissing, match="no file on this machine is called"):
        fit(Models("fit", ("nothing",)), Settings(server="127.0.0.1:9"), folders())


def test_a_rate_that_was_measured_here_is_told(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = RateRecord(folders().rates)
    for at, rate in enumerate((9.0, 6.24)):
        depths = tuple(
            SpeedAtDepth(depth, depth, 1, 0.1, None, Measured(rate + extra, RateSource.SERVER))
            for depth, extra in ((0, 30.0), (4096, 0.0))
        )
        record.add(
            Benchmark(BenchmarkSubject(description(), "built-in", "1", "tiny-Q8_0"), float(at), depths)
        )
    assert fit(Models("fit", (str(model),), json=True), Settings(), folders()) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["tokens_per_s"] == 6.24
    assert told["words"].endswith(", about 6.2 tokens/s")
