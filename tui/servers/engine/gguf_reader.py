"""The values of a GGUF file one after the other, and its whole header: bounded, whatever the file says.

Nothing is allocated from a number that the file tells: what is longer than any model has is passed over, or refused. The
layout is that of the GGUF specification, versions 2 and 3: magic, version, number of tensors, number of key-value pairs,
the pairs, the tensors, and after padding their data.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO

from tui import files
from tui.core.model_header import MetadataValue, ModelHeader, TensorInfo
from tui.core.text import human_size, safe_line, safe_name
from tui.errors import FileError, MalformedFile

_TEXT_LIMIT = 1 << 20  # bytes of a key or a short text; longer ones are skipped
# What is passed over on the way to what is wanted. Real models have some 50 pairs and up to a million of texts, in 20 MB;
# more would keep the person waiting, and the engine would take gigabytes for it.
MOST_PAIRS = 10_000
_MOST_TEXTS = 2_000_000
_MOST_BYTES = 256 << 20
_MOST_TENSORS = 65_536
_MOST_AXES = 4  # GGML_MAX_DIMS
_MOST_VALUES = 1 << 50  # of one tensor: a petabyte
MOST_NUMBERS = 4096
"""Numbers of a list that is kept: one a layer, or a few."""
_PIECE = 1 << 16

_STRING, _ARRAY = 8, 9
_NUMBERS = {
    0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d",
}  # fmt: skip
_MAGIC = b"GGUF"


class EndOfData(Exception):
    """The file ended in the middle of its metadata."""


class GgufReader:
    """The values of a GGUF file one after the other. Every method raises EndOfData where the file has fewer bytes."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        self._texts_left = _MOST_TEXTS
        self._bytes_left = _MOST_BYTES
        self.length = 0
        """Of the list that was passed over last, how many values it has."""

    def _spend(self, texts: int, count: int) -> None:
        """Raises ValueError for a file with more in its metadata than a model has."""
        self._texts_left -= texts
        self._bytes_left -= count
        if self._texts_left < 0 or self._bytes_left < 0:
            raise ValueError("It has more in its metadata than any model has")

    def skip(self, count: int) -> None:
        """Pass over bytes."""
        end = self._file.tell() + count
        if end > self._size:
            raise EndOfData
        self._file.seek(end)

    def number(self, layout: str) -> int | float | bool:
        """One number, by its `struct` layout."""
        width = struct.calcsize(layout)
        data = self._file.read(width)
        if len(data) < width:
            raise EndOfData
        value: int | float | bool = struct.unpack(layout, data)[0]
        return value

    def count(self, layout: str = "<Q") -> int:
        """A length or a kind."""
        return int(self.number(layout))

    def text(self) -> str:
        """A string: its length in bytes, then UTF-8. One that is too long to be wanted is passed over."""
        length = self.count()
        if length > _TEXT_LIMIT:
            self.skip(length)
            return ""
        self._spend(1, length)
        data = self._file.read(length)
        if len(data) < length:
            raise EndOfData
        return data.decode("utf-8", "replace")

    def _skip_texts(self, count: int) -> None:
        """Pass over a list of strings, in pieces: a vocabulary has hundreds of thousands."""
        if count * 8 > self._size:
            raise EndOfData
        self._spend(count, 0)
        begin, piece, at = self._file.tell(), b"", 0
        for _ in range(count):
            if at + 8 > len(piece):
                begin += at
                self._file.seek(begin)
                piece, at = self._file.read(_PIECE), 0
                self._spend(0, len(piece))
                if len(piece) < 8:
                    raise EndOfData
            at += 8 + int.from_bytes(piece[at : at + 8], "little")
            if begin + at > self._size:
                raise EndOfData
        self._file.seek(begin + at)

    def value(self) -> MetadataValue | None:
        """The value of a pair; None for a list that is not kept, which is passed over, and whose length `length` then is.
        Raises ValueError for a kind that is none."""
        kind = self.count("<I")
        if kind in _NUMBERS:
            return self.number(_NUMBERS[kind])
        if kind == _STRING:
            return self.text()
        if kind != _ARRAY:
            raise ValueError(f"It has a value of the unknown kind {kind}")
        inner, self.length = self.count("<I"), self.count()
        if inner in _NUMBERS:
            return self._numbers(_NUMBERS[inner], self.length)
        if inner != _STRING:
            raise ValueError(f"It has an array of the unknown kind {inner}")
        self._skip_texts(self.length)
        return None

    def _numbers(self, layout: str, count: int) -> tuple[int | float | bool, ...] | None:
        width = struct.calcsize(layout)
        if count > MOST_NUMBERS:
            self.skip(count * width)
            return None
        data = self._file.read(count * width)
        if len(data) < count * width:
            raise EndOfData
        return struct.unpack(f"<{count}{layout[1:]}", data)

    def tensor(self) -> TensorInfo:
        """The description of one tensor. Raises ValueError for one that cannot be."""
        name, axes = self.text(), self.count("<I")
        if axes > _MOST_AXES:
            raise ValueError(f"It has a tensor with {axes:,} axes; {_MOST_AXES} are the most")
        shape = tuple(self.count() for _ in range(axes))
        info = TensorInfo(name, shape, self.count("<I"), self.count())
        if any(length > _MOST_VALUES for length in shape) or info.values > _MOST_VALUES:
            raise ValueError(f"It has a tensor of {' × '.join(map(str, shape))} values")
        return info

    @property
    def place(self) -> int:
        """How many bytes were read or passed over."""
        return self._file.tell()


def parse_header(file: BinaryIO, size: int, *, briefly: bool = False) -> ModelHeader:
    """The header at the beginning of `file`, of which `size` bytes are there. With `briefly` reading ends before the vocabulary,
    and there are no tensors. Raises EndOfData where the bytes end before it does, ValueError with the reason for what is no header."""
    reader = GgufReader(file, size)
    if file.read(len(_MAGIC)) != _MAGIC:
        if size < len(_MAGIC):
            raise EndOfData
        raise ValueError("It does not begin with “GGUF”")
    require_version(version := reader.count("<I"))
    if version > 3:
        raise ValueError(f"It is of GGUF version {version}, which is newer than this lokal")
    tensors, pairs = reader.count(), reader.count()
    if pairs > MOST_PAIRS:
        raise ValueError(f"It says that its metadata has {pairs:,} entries; real models have some 50")
    if tensors > _MOST_TENSORS:
        raise ValueError(f"It says that it has {tensors:,} tensors; real models have some hundreds")
    metadata: dict[str, MetadataValue] = {}
    lengths: dict[str, int] = {}
    for _ in range(pairs):
        key = reader.text()
        if briefly and key.startswith("tokenizer.") and "general.architecture" in metadata:
            return ModelHeader(metadata, lengths=lengths, size=size)
        value = reader.value()
        if value is None:
            lengths[key] = reader.length
        else:
            metadata[key] = value
    if briefly:
        return ModelHeader(metadata, lengths=lengths, size=size)
    infos = tuple(reader.tensor() for _ in range(tensors))
    told = metadata.get("general.alignment", 32)
    padding = told if isinstance(told, int) and 0 < told <= 1 << 20 else 32
    return ModelHeader(metadata, infos, lengths, size, -(-reader.place // padding) * padding)


def require_version(version: int) -> None:
    """Raise ValueError for a version that llama.cpp does not read; a newer one passes."""
    if version & 0xFFFF == 0:
        raise ValueError("It is for a big-endian machine")
    if version == 1:
        raise ValueError("It is of GGUF version 1, which llama.cpp no longer reads")


def read_header(path: Path, *, briefly: bool = False) -> ModelHeader:
    """The header of the file at `path`, which may take a second. With `briefly` only what stands before the vocabulary. Raises
    FileError, MalformedFile for a file that is none, is cut short, or changes meanwhile."""
    name = safe_name(path.name, 80)
    try:
        with files.open_file(path) as file:
            before = os.fstat(file.fileno())
            header = parse_header(file, before.st_size, briefly=briefly)
            after = os.fstat(file.fileno())
    except EndOfData as error:
        raise MalformedFile(
            path, f"{name} is cut short", "It ends in the middle of its header", _AGAIN
        ) from error
    except ValueError as error:
        raise MalformedFile(path, f"{name} cannot be used", str(error), _OTHER) from error
    except OSError as error:
        what = getattr(error, "what", "") or error.strerror or str(error)
        raise FileError(
            path, f"Cannot read {safe_line(str(path))}", what, "Check the path and the rights of the file"
        ) from error
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise FileError(
            path, f"{name} is being written just now", "", "Wait until the program that writes it is done"
        )
    end = header.data_at + max((tensor.offset + tensor.size for tensor in header.tensors), default=0)
    if header.tensors and end > before.st_size:
        detail = f"It has {human_size(before.st_size)} of {human_size(end)}"
        raise MalformedFile(path, f"{name} is cut short", detail, _AGAIN)
    return header


_AGAIN = "Download the file again; this one is not complete"
_OTHER = "Download the model again, or another file of it"
