"""What may go with a question, told by its content, and what is said of what may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.core.attaching import PICTURE_LIMIT, TEXT_LIMIT, attachment_from, check_size, in_line, refusal, under
from tui.core.message import Attachment
from tui.core.model import Model
from tui.errors import FileError

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 1_200_000
SEEING, BLIND = (
    Model("see", capabilities=("completion", "vision")),
    Model("blind", capabilities=("completion",)),
)


def text_or_size(value: object) -> str:
    """What a case is called: content of megabytes as a name would take seconds to hand about."""
    return value if isinstance(value, str) else f"{len(value)} bytes"  # type: ignore[arg-type]  # str or bytes


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a.txt", PNG, "image/png"),
        ("a", b"\xff\xd8\xff\xe0" + b"\0" * 9, "image/jpeg"),
        ("a.png", b"GIF89a\0\0", "image/gif"),
        ("a", b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
        ("a.jpg", b"plain text", "text/plain"),
        ("a.md", "zażółć\n".encode(), "text/plain"),
        ("a", b"BMW is a car", "text/plain"),
    ],
    ids=text_or_size,
)
def test_the_content_decides_not_the_name(name: str, data: bytes, kind: str) -> None:
    assert attachment_from(Path(name), data) == Attachment(name, kind, data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"%PDF-1.7\n", "a PDF document.*pdftotext"),
        (b"PK\x03\x04" + b"\0" * 9, "a ZIP archive"),
        (b"\x7fELF\x02", "a program"),
        (b"GGUF\x03\0\0\0", "a model.*--gguf"),
        (b"BM\x36\0\0\0", "a BMP picture"),
        (b"\xff\xfea\0", "utf-16: iconv -f UTF-16"),
        (b"text\0text", "not text"),
        (b"caf\xe9 noir", r"not text in UTF-8 \(byte 3 is 0xe9\).*iconv"),
        (b"x" * (TEXT_LIMIT + 1), "1.0 MB; a text may have 1.0 MB|may have 1.0 MB"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * PICTURE_LIMIT, "a picture may have 20.0 MB"),
        (b"%PDF-1.7" + b"x" * TEXT_LIMIT, "a PDF document"),
    ],
    ids=text_or_size,
)
def test_what_is_refused_and_why(data: bytes, words: str) -> None:
    with pytest.raises(FileError, match=words):
        attachment_from(Path("file"), data)


def test_a_file_is_refused_by_its_size_before_it_is_read() -> None:
    with pytest.raises(FileError, match=r"it has 200 MB; a text may have 1.0 MB. Cut out what matters"):
        check_size(Path("access.log"), b"127.0.0.1 - - ", 200_000_000)


def test_names_from_elsewhere_are_safe_to_show() -> None:
    file = attachment_from(Path("a\x1b[31m\n\u202eb.txt"), b"x")
    assert file.name == "a b.txt"
    assert under("Why?", (file,)) == "Why?\n[file a b.txt, 1 line]"


def test_how_much_goes_along() -> None:
    files = (
        Attachment("photo.png", "image/png", PNG),
        Attachment("report.txt", "text/plain", b"row\n" * 320),
    )
    assert in_line(files) == "photo.png 1.2 MB · report.txt 320 lines"
    assert under("", files) == "[image photo.png, 1.2 MB]\n[file report.txt, 320 lines]"
    assert under("Why?", ()) == "Why?"


def test_a_picture_for_a_model_that_cannot_see() -> None:
    picture, text = Attachment("a.png", "image/png", PNG), Attachment("a", "text/plain", b"x")
    refused = refusal((text, picture), "blind", (BLIND, SEEING))
    assert refused is not None
    assert str(refused) == "blind cannot look at images, says the server. These can: see"
    alone = refusal((picture,), "blind", (BLIND,))
    assert alone is not None
    assert alone.hint == "No model of this server can"
    assert refusal((text,), "blind", (BLIND,)) is None
    assert refusal((picture,), "see", (BLIND, SEEING)) is None
    assert refusal((picture,), "silent", (Model("silent"),)) is None, "the server does not say"
    assert refusal((picture,), "unknown", (BLIND,)) is None
    many = refusal(
        (picture,), "blind", (BLIND, *(Model(f"m{n}", capabilities=("vision",)) for n in range(7)))
    )
    assert many is not None
    assert many.hint.endswith("m4 and 2 more")
