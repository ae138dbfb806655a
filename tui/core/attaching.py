"""What may go with a question: UTF-8 text, and pictures of the kinds that models take, told by their content.

What a file is called proves nothing; its first bytes do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from tui.core.message import Attachment
from tui.core.model import Model
from tui.core.text import count_of, human_size, safe_name
from tui.errors import FileError, LokalError, UsageError

TEXT_LIMIT = 1_000_000
PICTURE_LIMIT = 20_000_000
"""The most bytes of a text and of a picture."""
HEAD_BYTES = 64
"""How much of a file tells what it is."""
SHOWN_MODELS = 5

# The first bytes of what people try to attach: PNG (RFC 2083 3.1), JPEG (ITU T.81 B.1.1.3), GIF89a 17, and others that
# are no text either, to say by name what they are.
_PICTURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
_OTHERS = (
    (b"%PDF-", "a PDF document", "Take its text out first: pdftotext FILE"),
    (b"PK\x03\x04", "a ZIP archive or an office document", "Attach the text in it"),
    (b"\x1f\x8b", "compressed with gzip", "Unpack it first: gunzip FILE"),
    (b"\xfd7zXZ\x00", "compressed with xz", "Unpack it first: unxz FILE"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "Unpack it first: unzstd FILE"),
    (b"\x7fELF", "a program", "Attach a text or a picture"),
    (b"SQLite format 3\x00", "an SQLite database", "Attach what a query prints"),
    (b"GGUF", "a model", "Open it as one: lokal --gguf FILE"),
    (b"BM", "a BMP picture", "Turn it into PNG first"),
    (b"II*\x00", "a TIFF picture", "Turn it into PNG first"),
    (b"MM\x00*", "a TIFF picture", "Turn it into PNG first"),
)


def picture_type(head: bytes) -> str:
    """The media type of the picture that starts so; empty for anything else."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in _PICTURES if head.startswith(start)), "")


def is_picture(file: Attachment) -> bool:
    """Whether a model has to see the attachment, rather than read it."""
    return file.media_type.startswith("image/")


def check_size(path: Path, head: bytes, size: int) -> None:
    """Raise FileError for a file that is too large for what it is."""
    kind = picture_type(head)
    limit = PICTURE_LIMIT if kind else TEXT_LIMIT
    if size <= limit:
        return
    _refuse_others(path, head)
    what = "a picture" if kind else "a text"
    hint = "Make it smaller" if kind else "Cut out what matters, with head, tail or grep"
    raise not_attached(path, f"it has {human_size(size)}; {what} may have {human_size(limit)}", hint)


def attachment_from(path: Path, data: bytes) -> Attachment:
    """The attachment that the file `path` with these bytes makes. Raises FileError for what no model can take."""
    from tui.core.encodings import recoding_hint, seems_to_be

    name = safe_name(path.name, 120) or "file"
    check_size(path, data[:HEAD_BYTES], len(data))
    if kind := picture_type(data):
        return Attachment(name, kind, data)
    _refuse_others(path, data[:HEAD_BYTES])
    if not data:
        raise not_attached(path, "it is empty", "Is it the right file?")
    if b"\0" in data and not seems_to_be(data):
        raise not_attached(
            path, "it is not text, nor a PNG, JPEG, WebP or GIF picture", "Attach one of these"
        )
    try:
        if b"\0" in data:  # UTF-16 of English is UTF-8 by its bytes
            raise UnicodeDecodeError("utf-8", data, data.index(b"\0"), len(data), "a zero")
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        where = f"byte {error.start:,} is {data[error.start]:#04x}"
        raise not_attached(
            path,
            f"it is not text in UTF-8 ({where}), nor a PNG, JPEG, WebP or GIF picture",
            recoding_hint(data),
        ) from error
    return Attachment(name, "text/plain", data)


def _refuse_others(path: Path, head: bytes) -> None:
    for start, what, hint in _OTHERS:
        if head.startswith(start) and (len(start) > 2 or b"\0" in head):
            raise not_attached(path, f"it is {what}", hint)


def not_attached(path: Path, why: str, hint: str) -> FileError:
    """A file that cannot go with a question: `Could not attach “notes”: it is a folder`."""
    return FileError(path, f"Could not attach “{shown_name(path)}”: {why[:1].lower()}{why[1:]}", hint=hint)


def shown_name(path: Path) -> str:
    """A file as a message names it, which has one line for all it says."""
    return safe_name(path.name or str(path), 60)


def size_of(file: Attachment) -> str:
    """How much an attachment is, in words: `1.2 MB` of a picture, `320 lines` of a text."""
    if is_picture(file):
        return human_size(len(file.data))
    lines = file.data.count(b"\n") + (not file.data.endswith(b"\n"))
    return count_of(lines, "line")


def in_line(files: Sequence[Attachment]) -> str:
    """The attachments in one line: `photo.png 1.2 MB · report.txt 320 lines`."""
    return " · ".join(f"{safe_name(file.name, 40)} {size_of(file)}" for file in files)


def under(text: str, files: Sequence[Attachment]) -> str:
    """A question as it is shown: its attachments, one a line, under its text."""
    lines = [
        f"[{'image' if is_picture(file) else 'file'} {safe_name(file.name, 80)}, {size_of(file)}]"
        for file in files
    ]
    return "\n".join([text, *lines] if text else lines)


def refusal(files: Iterable[Attachment], model: str, models: Sequence[Model]) -> LokalError | None:
    """Why these files cannot go to `model`, one of the server's `models`; None if they can, or if the server does not
    say what its models can do."""
    pictures = [file for file in files if is_picture(file)]
    chosen = next((other for other in models if model in (other.name, *other.aliases)), None)
    if not pictures or chosen is None or not chosen.capabilities or "vision" in chosen.capabilities:
        return None
    able = [
        safe_name(other.name, 60) for other in models if "vision" in other.capabilities and not other.note
    ]
    more = f" and {len(able) - SHOWN_MODELS} more" if len(able) > SHOWN_MODELS else ""
    hint = f"These can: {', '.join(able[:SHOWN_MODELS])}{more}" if able else "No model of this server can"
    return UsageError(f"{safe_name(model, 60)} cannot look at images, says the server", "", hint)
