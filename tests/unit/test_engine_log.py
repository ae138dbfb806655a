"""The engine's log files, and finding in them why the engine failed."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from tui.errors import FileError
from tui.servers.engine import engine_log

_GIVES_UP = """\
0.00.006.171 E llama_model_load_from_file_impl: failed to load model
0.00.006.173 E cmn  common_init_: failed to load model '/tmp/m.gguf'
0.00.006.175 E srv    load_model: failed to load model, '/tmp/m.gguf'
0.00.006.179 I srv    operator(): operator(): cleaning up before exit...
0.00.006.609 E srv          init: exiting due to model loading error
error: failed to start the server: Failed to init server, please check the input params.
"""


@pytest.mark.parametrize(
    ("log", "line"),
    [
        (
            "0.00.005.285 I srv    load_model: loading model '/tmp/m.gguf'\n"
            "0.00.005.781 E llama_model_load: error loading model: tensor 'output.weight' data is not within the file"
            " bounds, model is corrupted or incomplete\n" + _GIVES_UP,
            "tensor 'output.weight' data is not within the file bounds, model is corrupted or incomplete",
        ),
        (
            "0.00.004.807 E llama_model_load: error loading model: unknown model architecture: 'llamx'\n"
            + _GIVES_UP,
            "unknown model architecture: 'llamx'",
        ),
        (
            "0.00.005.805 E gguf_init_from_reader: failed to read key-value pairs\n"
            "0.00.005.833 E llama_model_load: error loading model: llama_model_loader: failed to load model from /m\n"
            + _GIVES_UP,
            "failed to read key-value pairs",
        ),
        (
            "ggml_backend_cuda_buffer_type_alloc_buffer: allocating 4095.06 MiB on device 0: cudaMalloc failed: out"
            " of memory\nllama_init_from_model: failed to initialize the context: failed to allocate buffer for kv"
            " cache\n" + _GIVES_UP,
            "failed to initialize the context: failed to allocate buffer for kv cache",
        ),
        (
            "0.00.004.167 E srv         start: couldn't bind HTTP server socket, hostname: 127.0.0.1, port: 60899\n"
            + _GIVES_UP,
            "couldn't bind HTTP server socket, hostname: 127.0.0.1, port: 60899",
        ),
        (
            "/usr/bin/llama-server: error while loading shared libraries: libggml.so: cannot open shared object file\n",
            "/usr/bin/llama-server: error while loading shared libraries: libggml.so: cannot open shared object file",
        ),
        (
            "/src/ggml.c:12: GGML_ASSERT(a == b) failed\n#1  0x1 in ggml_print_backtrace ()\n#2  0x2 in ggml_abort ()\n",
            "/src/ggml.c:12: GGML_ASSERT(a == b) failed",
        ),
        (_GIVES_UP.replace("error: failed to start the server: ", ""), "Failed to init server"),
        ("one\ntwo \x1b[31mred\n\n", "two red"),
        ("", ""),
    ],
)
def test_the_line_that_tells(tmp_path: Path, log: str, line: str) -> None:
    path = tmp_path / "engine.log"
    path.write_text(log)
    assert engine_log.telling_line(path).startswith(line)


def test_no_log_tells_nothing(tmp_path: Path) -> None:
    assert engine_log.telling_line(tmp_path / "none.log") == ""


def test_logs_are_private_and_only_the_last_five_stay(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "logs"
    made = []
    for _ in range(8):
        path, handle = engine_log.create(folder)
        os.close(handle)
        made.append(path)
    assert sorted(folder.iterdir()) == made[-engine_log.KEPT :]
    assert made[-1].stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_where_the_home_cannot_be_written_the_log_goes_to_a_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    path, handle = engine_log.create(tmp_path / "file" / "logs")
    os.close(handle)
    assert path.is_relative_to(tmp_path / "temporary")
    assert path.parent.stat().st_mode & 0o777 == 0o700

    monkeypatch.setattr(tempfile, "mkdtemp", lambda prefix: str(tmp_path / "file" / prefix))
    with pytest.raises(FileError) as caught:
        engine_log.create(tmp_path / "file" / "logs")
    assert caught.value.hint
