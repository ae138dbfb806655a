"""What lokal says of a file before it asks llama.cpp."""

from __future__ import annotations

import json
import os
import struct
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tui.errors import FileError, MalformedFile
from tui.servers.engine.gguf_file import inspect


def _text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def _gguf(*pairs: tuple[str, int, bytes], version: int = 3) -> bytes:
    """A GGUF file without tensors: pairs of key, kind and encoded value."""
    head = b"GGUF" + struct.pack("<IQQ", version, 0, len(pairs))
    return head + b"".join(_text(key) + struct.pack("<I", kind) + value for key, kind, value in pairs)


WHOLE = _gguf(
    ("general.architecture", 8, _text("qwen3")),
    ("general.size_label", 8, _text("x" * 300)),
    ("tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, 3) + _text("a") + _text("b") + _text("źdźbło")),
    ("tokenizer.ggml.scores", 9, struct.pack("<IQ", 6, 3) + bytes(12)),
    ("qwen3.context_length", 4, struct.pack("<I", 40960)),
)


def _write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_context_and_architecture_are_read(tmp_path: Path) -> None:
    found = inspect(_write(tmp_path / "m.gguf", WHOLE))
    assert (found.architecture, found.context_trained, found.size) == ("qwen3", 40960, len(WHOLE))


def test_a_newer_version_is_left_to_the_engine(tmp_path: Path) -> None:
    found = inspect(_write(tmp_path / "m.gguf", b"GGUF" + struct.pack("<I", 9) + bytes(64)))
    assert found.context_trained is None


@given(st.integers(min_value=0, max_value=len(WHOLE) - 1))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_cut_anywhere_in_the_metadata_is_said_so(tmp_path: Path, length: int) -> None:
    path = _write(tmp_path / "m.gguf", WHOLE[:length])
    with pytest.raises(MalformedFile) as caught:
        inspect(path)
    assert caught.value.hint


@given(st.binary(max_size=200))
@example(struct.pack("<IQQ", 3, 0, 2**63) + _text("k") + struct.pack("<IIQ", 9, 0, 2**62))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nonsense_after_the_magic_never_surprises(tmp_path: Path, data: bytes) -> None:
    path = _write(tmp_path / "m.gguf", b"GGUF" + data)
    error: FileError | None = None
    try:
        assert inspect(path).path == path
    except FileError as raised:
        error = raised
    assert error is None or (error.title and error.hint)


def _zip() -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        # A date of its own: the bytes name a test, which both test processes must call the same.
        archive.writestr(zipfile.ZipInfo("archive/data.pkl", (2026, 1, 1, 0, 0, 0)), b"x")
    return buffer.getvalue()


def _safetensors() -> bytes:
    header = json.dumps({"a": {"dtype": "F16", "shape": [1], "data_offsets": [0, 2]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(2)


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (_safetensors(), "safetensors"),
        (_zip(), "zip archive"),
        (b"\n<!DOCTYPE html>\n<html>", "web page"),
        (b"<html lang=en>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "Git LFS pointer"),
        (b"tjgg\x03\x00\x00\x00", "GGML"),
        (b"\x80\x02\x8a\nl\xfc", "pickle"),
        (b"\x1f\x8b\x08\x00", "archive"),
        (bytes(4096), "a download has reserved"),
        (b"127.0.0.1 localhost", "It begins with “127.”, a GGUF file with “GGUF”"),
        ("привет".encode(), "It begins with “пр”, "),
        (b"\x1b[2Jm", "It begins with the bytes 1b 5b 32 4a, "),
        (b"\xff\xfea\0", "It begins with the bytes ff fe 61 00, "),
        (b"    x", "It begins with the bytes 20 20 20 20, "),
    ],
)
def test_what_is_no_gguf_is_named(tmp_path: Path, data: bytes, detail: str) -> None:
    with pytest.raises(MalformedFile) as caught:
        inspect(_write(tmp_path / "model.gguf", data))
    assert "model.gguf" in caught.value.title
    assert detail in caught.value.detail
    assert caught.value.hint


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (b"GGUF" + struct.pack("<I", 1) + bytes(64), "version 1"),
        (b"GGUF" + struct.pack(">I", 3) + bytes(64), "big-endian"),
    ],
)
def test_versions_that_llama_cpp_does_not_read(tmp_path: Path, data: bytes, detail: str) -> None:
    with pytest.raises(MalformedFile) as caught:
        inspect(_write(tmp_path / "m.gguf", data))
    assert detail in caught.value.detail


@pytest.mark.parametrize(
    ("pair", "detail"),
    [
        (("general.type", 8, _text("adapter")), "LoRA"),
        (("general.type", 8, _text("mmproj")), "image projector"),
    ],
)
def test_a_part_of_a_model_is_no_model(tmp_path: Path, pair: tuple[str, int, bytes], detail: str) -> None:
    path = _write(tmp_path / "m.gguf", _gguf(("general.architecture", 8, _text("clip")), pair))
    with pytest.raises(FileError) as caught:
        inspect(path)
    assert detail in caught.value.detail


def test_the_size_of_a_split_model_is_that_of_all_parts(tmp_path: Path) -> None:
    for part in (1, 2, 3):
        _write(tmp_path / f"big[1]-0000{part}-of-00003.gguf", WHOLE)
    _write(tmp_path / "big1-00001-of-00003.gguf", WHOLE)
    assert inspect(tmp_path / "big[1]-00001-of-00003.gguf").size == 3 * len(WHOLE)


def test_missing_folder_and_unreadable(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="There is no file"):
        inspect(tmp_path / "none.gguf")
    with pytest.raises(FileError, match="is a folder"):
        inspect(tmp_path)
    locked = _write(tmp_path / "locked.gguf", WHOLE)
    locked.chmod(0)
    if not os.access(locked, os.R_OK):  # root reads everything
        with pytest.raises(FileError, match="Cannot read"):
            inspect(locked)


def test_a_hostile_name_is_shown_without_escape_sequences(tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        inspect(_write(tmp_path / "a\x1b[2Jb.gguf", b"hello"))
    assert "\x1b" not in str(caught.value)
