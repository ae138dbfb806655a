"""The header of a GGUF file as lokal reads it itself: as llama.cpp's own writer wrote it, and whatever else a file may hold."""

from __future__ import annotations

import os
import struct
import tracemalloc
from io import BytesIO
from pathlib import Path

import gguf
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tui.core.model_header import BLOCKS
from tui.errors import FileError, MalformedFile
from tui.servers.engine.gguf_reader import EndOfData, parse_header, read_header


def _text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def _head(tensors: int, pairs: int, version: int = 3) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, pairs)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A file by llama.cpp's own writer."""
    path = tmp_path / "model.gguf"
    writer = gguf.GGUFWriter(path, "gemma3")
    writer.add_name("Tiny źdźbło")
    writer.add_block_count(3)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_K_M)
    writer.add_head_count_kv([4, 2, 1])
    writer.add_sliding_window_pattern([True, True, False])
    writer.add_token_list(["a", "b", "c"])
    writer.add_token_scores([0.0] * 5000)
    writer.add_chat_template("{{ messages }}")
    writer.add_tensor("token_embd.weight", np.zeros((7, 32), dtype=np.float32))
    rows = np.zeros((4, 2 * 34), dtype=np.uint8)
    writer.add_tensor("blk.0.ffn_up.weight", rows, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_what_the_writer_wrote_is_read(written: Path) -> None:
    header = read_header(written)
    assert (header.architecture, header.text("general.name")) == ("gemma3", "Tiny źdźbło")
    assert (header.number("block_count"), header.quantization) == (3, "Q4_K_M")
    assert header.by_layer("attention.head_count_kv", 4) == (4, 2, 1, 1)
    assert header.metadata["gemma3.attention.sliding_window_pattern"] == (True, True, False)
    assert header.text("tokenizer.chat_template") == "{{ messages }}"
    assert header.lengths == {"tokenizer.ggml.tokens": 3, "tokenizer.ggml.scores": 5000}


def test_tensors_have_the_size_that_they_take(written: Path) -> None:
    header = read_header(written)
    by_name = {tensor.name: tensor for tensor in header.tensors}
    assert by_name["token_embd.weight"].shape == (32, 7)
    assert by_name["token_embd.weight"].size == 32 * 7 * 4
    assert by_name["blk.0.ffn_up.weight"].size == 4 * 2 * 34
    assert header.parameters == 32 * 7 + 4 * 64
    last = max(header.tensors, key=lambda tensor: tensor.offset)
    assert header.data_at + last.offset + last.size <= written.stat().st_size


def test_a_brief_look_ends_before_the_vocabulary(written: Path) -> None:
    header = read_header(written, briefly=True)
    assert header.text("general.name") == "Tiny źdźbło"
    assert header.lengths == {}
    assert header.tensors == ()


def test_the_blocks_are_those_of_llama_cpp() -> None:
    theirs = gguf.GGML_QUANT_SIZES
    for number, (name, values, size) in BLOCKS.items():
        kind = gguf.GGMLQuantizationType(number)
        assert (kind.name, *theirs[kind]) == (name, values, size)


def test_a_file_that_ends_in_its_data_is_cut_short(written: Path) -> None:
    os.truncate(written, written.stat().st_size - 200)
    with pytest.raises(MalformedFile, match="cut short") as caught:
        read_header(written)
    assert " of " in caught.value.detail


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (_head(0, 1_000_000), "1,000,000 entries"),
        (_head(0, 2**63), "entries"),
        (_head(1_000_000, 0), "1,000,000 tensors"),
        (_head(1, 0) + _text("t") + struct.pack("<I", 9), "9 axes"),
        (_head(1, 0) + _text("t") + struct.pack("<IQQIQ", 2, 2**63, 2**63, 0, 0), "values"),
        (_head(0, 1) + _text("k") + struct.pack("<I", 77), "unknown kind 77"),
        (_head(0, 1) + _text("k") + struct.pack("<IIQ", 9, 9, 1), "unknown kind 9"),
        (_head(0, 0, version=4), "newer"),
        (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "big-endian"),
        (_head(0, 0, version=1), "version 1"),
        (b"GGML" + bytes(40), "does not begin"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_no_model_has_is_refused(tmp_path: Path, data: bytes, detail: str) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(data)
    with pytest.raises(MalformedFile) as caught:
        read_header(path)
    assert detail in caught.value.detail
    assert caught.value.hint


@pytest.mark.parametrize(
    "pair",
    [
        struct.pack("<Q", 2**62),
        _text("k") + struct.pack("<IQ", 8, 2**62),
        _text("k") + struct.pack("<IIQ", 9, 8, 2**60),
        _text("k") + struct.pack("<IIQ", 9, 10, 2**62),
        _text("k") + struct.pack("<IIQ", 9, 10, 4096),
    ],
)
def test_nothing_is_allocated_from_a_number_in_the_file(pair: bytes) -> None:
    data = _head(0, 1) + pair
    tracemalloc.start()
    try:
        with pytest.raises(EndOfData):
            parse_header(BytesIO(data), len(data))
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


@given(st.binary(max_size=300))
@example(struct.pack("<IQQ", 3, 2, 0) + _text("t") + struct.pack("<IQIQ", 1, 0, 12, 2**63))
@example(struct.pack("<IQQ", 3, 0, 1) + _text("general.alignment") + struct.pack("<II", 4, 0))
def test_nonsense_never_surprises(data: bytes) -> None:
    raised: Exception | None = None
    try:
        header = parse_header(BytesIO(b"GGUF" + data), 4 + len(data))
    except (EndOfData, ValueError) as error:
        raised = error
    else:
        assert header.parameters >= 0
        assert isinstance(header.quantization, str)
        assert len(header.by_layer("attention.head_count_kv", 5)) == 5
    assert raised is None or isinstance(raised, EndOfData | ValueError)


@given(st.data())
def test_a_changed_byte_never_surprises(data: st.DataObject) -> None:
    whole = (
        _head(1, 3) + _text("general.architecture") + struct.pack("<I", 8) + _text("llama")
        + _text("llama.block_count") + struct.pack("<II", 4, 2)
        + _text("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, 2) + _text("a") + _text("bc")
        + _text("token_embd.weight") + struct.pack("<IQQIQ", 2, 32, 4, 8, 0)
    )  # fmt: skip
    changed = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    raised: Exception | None = None
    try:
        assert parse_header(BytesIO(changed), len(changed)).data_at >= 0
    except (EndOfData, ValueError) as error:
        raised = error
    assert raised is None or isinstance(raised, EndOfData | ValueError)


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _folder(path: Path) -> None:
    path.mkdir()


def _unreadable(path: Path) -> None:
    path.write_bytes(_head(0, 0))
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("the superuser reads all")


def _nothing(_: Path) -> None:
    return


@pytest.mark.parametrize("make", [_fifo, _loop, _folder, _unreadable, _nothing])
def test_what_is_no_file_is_said_and_never_waited_for(tmp_path: Path, make: object) -> None:
    path = tmp_path / "model.gguf"
    assert callable(make)
    make(path)
    with pytest.raises(FileError) as caught:
        read_header(path)
    assert "model.gguf" in caught.value.title
    assert caught.value.detail
    assert caught.value.hint


class _Growing(BytesIO):
    """A file to which another program writes while it is read."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.read_bytes())
        self._path = path

    def read(self, size: int | None = -1, /) -> bytes:
        with self._path.open("ab") as more:
            more.write(b"\0")
        return super().read(size)

    def fileno(self) -> int:
        return os.open(self._path, os.O_RDONLY)


def test_a_file_that_changes_meanwhile_is_said_so(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.files.open_file", _Growing)
    with pytest.raises(FileError, match="being written"):
        read_header(written)
