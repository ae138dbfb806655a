"""What encoding bytes seem to be in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.encodings import recoding_hint, seems_to_be

RUSSIAN = "Почему nginx отвечает 502 после выката? Ошибка в журнале: «Соединение сброшено».\n"
SHORT = "привет\n"
CAPITALS = "СРОЧНО: ОШИБКА ДОСТУПА\n"
POLISH = "Zażółć gęślą jaźń. Dlaczego serwer nie działa? Błąd połączenia.\n"
FRENCH = "Le serveur a été arrêté à cause d'une erreur; où est le fichier ?\n"
GERMAN = "Die Größe der Schlüssel ist für größere Dateien ungültig.\n"
CZECH = "Příliš žluťoučký kůň úpěl ďábelské ódy.\n"
UKRAINIAN = "Чому сервер не відповідає? Її журнал порожній.\n"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        *[(text, name) for text in (RUSSIAN, SHORT, CAPITALS) for name in ("cp1251", "koi8-r", "cp866")],
        *[(text, "iso-8859-5") for text in (SHORT, CAPITALS)],
        (UKRAINIAN, "cp1251"),
        (POLISH, "cp1250"),
        (POLISH, "iso-8859-2"),
        (CZECH, "cp1250"),
        (FRENCH, "cp1252"),
        (GERMAN, "cp1252"),
        *[(text, name) for text in (RUSSIAN, POLISH, "plain\n") for name in ("utf-16", "utf-32")],
        *[(text, name) for text in (RUSSIAN, POLISH, "plain\n") for name in ("utf-16-le", "utf-16-be")],
    ],
)
def test_what_people_have(text: str, encoding: str) -> None:
    data = text.encode(encoding, "ignore")
    assert seems_to_be(data) == encoding
    assert seems_to_be(b"x" * 200_000 + data) == encoding or "utf" in encoding
    assert encoding.upper() in recoding_hint(data)


def test_text_with_a_damaged_byte_is_still_utf8() -> None:
    data = (RUSSIAN * 3).encode() + b"\xff" + RUSSIAN.encode()
    assert seems_to_be(data) == "utf-8"
    assert "iconv -c" in recoding_hint(data)


@pytest.mark.parametrize(
    "data", [b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00>\x00", bytes(range(256)) * 9]
)
def test_what_is_no_text(data: bytes) -> None:
    assert seems_to_be(data) == ""
    assert "If it is text" in recoding_hint(data)


@given(st.binary(max_size=300))
def test_a_guess_can_be_tried(data: bytes) -> None:
    name = seems_to_be(data)
    assert isinstance(data.decode(name or "latin-1", "replace"), str)
