"""Text that is piped in or stands on the command line."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.preloaded import ROOT
from tui.cli.input import argument_text, text_of
from tui.errors import UsageError

RUSSIAN = "Ошибка: соединение сброшено"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\xef\xbb\xbfplain\r\n", "plain"),
        (b"\x1b[1;31merror\x1b[0m\n\x1b]0;title\x07two\x1b(B", "error\ntwo"),
        (b"N\x08NA\x08AM\x08ME\x08E _\x08x\n", "NAME x"),
        (b" 10%\r 20%\r100%\n", " 10%\n 20%\n100%"),
        (b"a\0b c\0", "a\nb c"),
        ("\u200fשלום \u202bא\u202c".encode(), "\u200fשלום \u202bא\u202c"),
        ("zażółć".encode()[:-1], "zażół"),
    ],
)
def test_what_a_model_gets_of_it(data: bytes, text: str) -> None:
    assert text_of(data, None) == text


def test_a_character_that_was_cut_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert text_of("ab\u0107".encode()[:-1], None) == "ab"
    assert "was cut in the middle" in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["cp1251", "CP1251", "windows-1251", "koi8-r", "utf-16", "utf-8"])
def test_an_encoding_that_is_named_is_used(encoding: str) -> None:
    assert text_of(f"\x1b[1m{RUSSIAN}\n".encode(encoding), encoding) == RUSSIAN


@pytest.mark.parametrize(
    ("data", "encoding", "words"),
    [
        (RUSSIAN.encode("cp1251"), None, "Byte 1 is 0xce; it seems to be cp1251. Try: lokal ask --encoding cp1251"),
        ("plain\n".encode("utf-16-le"), None, "it seems to be utf-16-le"),
        ((RUSSIAN * 9).encode() + b"\xff \n", None, "damaged UTF-8.*iconv -c"),
        (bytes(range(256)) * 8, None, "It is not UTF-8 text"),
        (RUSSIAN.encode("cp1251"), "utf-8", "The text is not utf-8. Byte 1 is ce. It seems to be cp1251"),
        (b"x", "no such", "There is no encoding “no such”"),
        (b"x", "hex", "There is no encoding “hex”"),
        (b"x", "\u0131\x1b[1m", "There is no encoding “ı”"),
    ],
)  # fmt: skip
def test_what_is_not_text_in_it_is_refused(data: bytes, encoding: str | None, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        text_of(data, encoding)


def test_a_question_in_another_encoding() -> None:
    text = os.fsdecode(RUSSIAN.encode("cp1251"))
    with pytest.raises(UsageError, match="seems to be cp1251"):
        argument_text(text, None)
    assert argument_text(text, "cp1251") == RUSSIAN
    assert argument_text("Почему?", "cp1251") == "Почему?"


def test_there_is_an_end_to_what_may_be_piped_in() -> None:
    done = subprocess.run(
        ["bash", "-c", f'"{sys.executable}" -m tui ask --server 127.0.0.1:9 x < <(tr "\\0" x < /dev/zero)'],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Too much was piped in\n       17 MB is the most" in done.stderr
