"""What a GGUF file says of itself before llama.cpp is asked: whether it is one, and what the engine needs to know.

The layout is that of the GGUF specification, versions 2 and 3: magic, version, number of tensors, number of key-value
pairs, then the pairs. Reading ends at the last key that is wanted, long before the vocabulary.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from tui import files
from tui.core.text import safe_line, safe_name
from tui.errors import FileError, MalformedFile
from tui.servers.engine.gguf_reader import MOST_PAIRS, EndOfData, GgufReader, require_version

_MAGIC = b"GGUF"
_SHORTEST = 24  # bytes of magic, version and the two counts
_PIECE = 1 << 16
_SAMPLES = 64  # 4 MiB in all

_OTHER_FILE = "Download the model again, or another file of it"
_DOWNLOAD_AGAIN = "Download the file again; this one is not complete"


@dataclass(frozen=True, slots=True)
class GgufFile:
    """A file that looks like a model. `size` is bytes, over all parts of a split model; `context_trained` tokens,
    None where it is not told."""

    path: Path
    size: int
    architecture: str = ""
    context_trained: int | None = None


def inspect(path: Path) -> GgufFile:
    """Look into the file at `path`, which may take a second. Raises FileError, saying what the file is if it is no model."""
    shown = safe_line(str(path))
    try:
        with files.open_file(path) as file:
            size = os.fstat(file.fileno()).st_size
            head = file.read(512)
            _check_head(path, head, size)
            file.seek(0)
            return replace(_read(path, file, size), size=_size_with_parts(path, size))
    except files.NotAFile as error:
        if error.is_folder:
            raise FileError(path, f"{shown} is a folder", "", "Name the .gguf file inside it") from error
        raise FileError(
            path, f"{shown} is not a file", error.what, "Save the model as a file, and name that"
        ) from error
    except FileNotFoundError as error:
        raise FileError(path, f"There is no file {shown}", "", "Check the path of the GGUF file") from error
    except OSError as error:
        raise FileError(
            path, f"Cannot read {shown}", error.strerror or str(error), "Check the rights of the file"
        ) from error


def fingerprint(path: Path) -> str:
    """What tells a model file from others, without reading gigabytes: the SHA-256 of its size and of pieces all over it, as
    hexadecimal digits. Raises OSError."""
    import hashlib

    with files.open_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        digest = hashlib.sha256(size.to_bytes(8, "big"))
        for place in range(_SAMPLES):
            file.seek(max(0, size - _PIECE) * place // (_SAMPLES - 1))
            digest.update(file.read(_PIECE))
    return digest.hexdigest()


def _check_head(path: Path, head: bytes, size: int) -> None:
    """Refuse what is no GGUF, by its first bytes."""
    if not head:
        raise MalformedFile(path, f"{_shown(path)} is empty", "", _DOWNLOAD_AGAIN)
    if head.startswith(_MAGIC):
        if size < _SHORTEST:
            raise MalformedFile(
                path, f"{_shown(path)} is cut short", f"It has only {size} bytes", _DOWNLOAD_AGAIN
            )
        return
    for looks, what, hint in _OTHERS:
        if looks(head):
            raise MalformedFile(path, f"{_shown(path)} is no GGUF file", f"It is {what}", hint)
    raise MalformedFile(
        path,
        f"{_shown(path)} is no GGUF file",
        f"It begins with {_in_words(head[: len(_MAGIC)])}, a GGUF file with “GGUF”",
        "Name a model in the GGUF format",
    )


def _in_words(start: bytes) -> str:
    """The first bytes of a file: as text where they are some, else as hexadecimal digits."""
    try:
        text = start.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    return f"“{text}”" if text.isprintable() and text.strip() else f"the bytes {start.hex(' ')}"


def _starts(*prefixes: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(prefixes)


def _is_safetensors(head: bytes) -> bool:
    # A little-endian length of the JSON header, then that header.
    return (
        len(head) > 9 and head[8:10] in (b'{"', b"{ ", b"{}") and int.from_bytes(head[:8], "little") < 1 << 30
    )


_CONVERT = "Look for the GGUF version of the model, or convert it with llama.cpp's convert_hf_to_gguf.py"
_OTHERS: tuple[tuple[Callable[[bytes], bool], str, str], ...] = (
    (
        _starts(b"version https://git-lfs"),
        "a Git LFS pointer: the note that stands for the model",
        "Fetch the model itself with `git lfs pull`",
    ),
    (
        lambda head: re.match(rb"(\xef\xbb\xbf)?\s*<(!doctype|html|head|!--)", head, re.IGNORECASE) is not None,
        "a web page: the download saved the page about the model",
        "Download it by its direct link; on Hugging Face that has /resolve/ in it, not /blob/",
    ),
    (_is_safetensors, "a safetensors file", _CONVERT),
    (_starts(b"lmgg", b"fmgg", b"tjgg", b"algg"), "a GGML file, the format before GGUF", _CONVERT),
    (_starts(b"PK\x03\x04"), "a zip archive, as PyTorch writes its models", _CONVERT),
    (_starts(b"\x80\x02", b"\x80\x03", b"\x80\x04"), "a Python pickle, as old PyTorch wrote its models", _CONVERT),
    (
        _starts(b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ", b"7z\xbc\xaf", b"BZh"),
        "a compressed archive",
        "Unpack it and name the .gguf file inside it",
    ),
    (_starts(b"\x7fELF", b"MZ"), "a program", "Name a model in the GGUF format"),
    (lambda head: not head.strip(b"\0"), "empty space that a download has reserved", _DOWNLOAD_AGAIN),
)  # fmt: skip


def _shown(path: Path) -> str:
    """The name of a file as it may be shown."""
    return safe_name(path.name, 80)


def _read(path: Path, file: BinaryIO, size: int) -> GgufFile:
    """Walk the key-value pairs until all that is wanted is known."""
    reader = GgufReader(file, size)
    known: dict[str, str | int] = {}
    try:
        reader.skip(len(_MAGIC))
        version = reader.count("<I")
        if version > 3 and version & 0xFFFF:  # newer than this reader; the engine may know it
            return GgufFile(path, size)
        require_version(version)
        reader.count()  # number of tensors
        pairs = reader.count()
        if pairs > MOST_PAIRS:
            raise ValueError(f"It says that its metadata has {pairs:,} entries; real models have some 50")
        for _ in range(pairs):
            key, value = reader.text(), reader.value()
            if key in ("general.architecture", "general.type") and isinstance(value, str):
                known[key] = safe_line(value, 60)
            elif key.endswith(".context_length") and isinstance(value, int):
                known.setdefault("context", value)
            if "context" in known and "general.architecture" in known:
                break
    except EndOfData as error:
        raise MalformedFile(
            path, f"{_shown(path)} is cut short", "It ends in the middle of its metadata", _DOWNLOAD_AGAIN
        ) from error
    except ValueError as error:
        raise MalformedFile(path, f"{_shown(path)} cannot be used", str(error), _OTHER_FILE) from error
    architecture, kind = str(known.get("general.architecture", "")), known.get("general.type", "model")
    if architecture == "clip" or kind in ("mmproj", "adapter", "imatrix"):
        what = {"adapter": "a LoRA adapter", "imatrix": "an importance matrix"}.get(
            str(kind), "an image projector"
        )
        raise FileError(
            path, f"{_shown(path)} is no model by itself", f"It is {what}", "Name the GGUF file of the model"
        )
    context = known.get("context")
    return GgufFile(path, size, architecture, context if isinstance(context, int) and context > 0 else None)


def _size_with_parts(path: Path, size: int) -> int:
    """Bytes of all parts of a model, as far as they are there."""
    parts = parts_of(path)
    return sum(part.stat().st_size for part in parts) if len(parts) > 1 else size


def parts_of(path: Path) -> tuple[Path, ...]:
    """The files of a model that is split into `-00001-of-00003.gguf` and so on, as far as they are there; of another one itself."""
    split = re.fullmatch(r"(.*-)\d{5}(-of-\d{5}\.gguf)", path.name)
    if split is None:
        return (path,)
    return tuple(
        sorted(path.parent.glob(f"{_literal(split[1])}[0-9][0-9][0-9][0-9][0-9]{_literal(split[2])}"))
    )


def _literal(text: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", text)
