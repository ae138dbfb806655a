"""Framing, byte by byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.errors import BadReply
from tui.servers.http.framing import Framing, Lines, Ndjson, Parser, Sse, StreamFrame


def frames(parser: Parser, data: bytes, size: int) -> list[StreamFrame]:
    got: list[StreamFrame] = []
    for at in range(0, len(data), size):
        got += parser.feed(data[at : at + size])
    return got + parser.finish()


def test_ndjson_splits_at_line_feeds_only() -> None:
    data = '{"a":"x\u0085y\u2028z\x0b"}\r\n\n  \n{"b":1}'.encode()
    expected = [StreamFrame('{"a":"x\u0085y\u2028z\x0b"}'), StreamFrame('{"b":1}')]
    for size in range(1, len(data) + 1):
        assert frames(Ndjson(), data, size) == expected


def test_sse() -> None:
    data = (
        "\ufeff: hello\r\n\r\ndata:one\n\nevent: named\ndata: two\ndata:  three\nid: 7\nretry: 1\n\n"
        "event: lost\n\ndata: ż\u2028ó\r\n\r\nerror: {}\n\ndata\n\ndata: last"
    ).encode()
    expected = [
        StreamFrame("one"), StreamFrame("two\n three", "named"), StreamFrame("ż\u2028ó"), StreamFrame("{}", "error"), StreamFrame(""), StreamFrame("last")
    ]  # fmt: skip
    for size in range(1, len(data) + 1):
        assert frames(Sse(), data, size) == expected


def test_broken_utf8_is_replaced() -> None:
    assert frames(Ndjson(), b"a\xff\xfeb\n", 1) == [StreamFrame("a\ufffd\ufffdb")]


@given(st.lists(st.binary(max_size=20).map(lambda b: b.replace(b"\n", b"")), max_size=8), st.integers(1, 30))
def test_lines_are_what_they_were(lines: list[bytes], size: int) -> None:
    data = b"".join(line + b"\n" for line in lines)
    splitter = Lines()
    got = [line for at in range(0, len(data), size) for line in splitter.feed(data[at : at + size])]
    assert got == [line.removesuffix(b"\r") for line in lines]
    assert splitter.finish() == b""


@given(st.binary(max_size=300), st.integers(1, 50))
def test_the_cut_of_the_bytes_changes_nothing(data: bytes, size: int) -> None:
    assert frames(Sse(), data, size) == frames(Sse(), data, 1000)
    assert frames(Ndjson(), data, size) == frames(Ndjson(), data, 1000)


@pytest.mark.parametrize("make", [Ndjson, Sse])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_line_has_a_limit(make: type[Ndjson] | type[Sse], size: int) -> None:
    assert frames(make(100), b"data: " + b"x" * 94 + b"\n\n", size)
    with pytest.raises(BadReply):
        frames(make(100), b"data: " + b"x" * 95 + b"\n\n", size)


def test_many_data_lines_have_the_limit_together() -> None:
    with pytest.raises(BadReply):
        frames(Sse(100), b"data: xxxxxxxxx\n" * 20 + b"\n", 64)


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_many_blank_lines_say_no_more_than_one(size: int) -> None:
    for parser, line in ((Sse(), b"data: %s\n"), (Ndjson(), b"%s\n")):
        data = line % b"a" + b"\r\n\n" * 900 + b"\n" * 900 + line % b"b" + b"\r\n" * 900
        pieces = [data[at : at + size] for at in range(0, len(data), size)]
        frames = [frame.data for piece in pieces for frame in parser.feed(piece)]
        assert frames == ["a", "b"]


PAGE = "<html>\n<title>502</title>\n\n</html>"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("data: one\n\n", ["one"]),
        ("\r\n: ping\n\ndata: one\n\n", ["one"]),
        ("event: x\ndata: one\n\n", ["one"]),
        ('{"a":1}\n{"b":2}\n', ['{"a":1}', '{"b":2}']),
        ('\ufeff{"a":1}', ['{"a":1}']),
        ('{\n "a": 1\n}\n', ['{\n "a": 1\n}\n']),
        ('{"error": {\n "message": 1\n}}', ['{"error": {\n "message": 1\n}}']),
        (PAGE, [PAGE]),
        ('data: one\n\n{"a":1}\ndata: two\n\n', ["one", '{"a":1}', "two"]),
        ('data: one\n\n{\n "a": 1\n}\n\n', ["one", '{\n "a": 1\n}']),
        (f"data: one\n\n{PAGE}\ndata: two\n\n", ["one", PAGE.replace("\n\n", "\n"), "two"]),
        ("data: one\n\n<!-- a proxy was here -->\ndata: two\n\n", ["one", "two"]),
        ("", []),
        ("  \n\n", []),
    ],
)
def test_the_first_bytes_tell_the_framing(data: str, expected: list[str]) -> None:
    for size in range(1, len(data) + 2):
        assert [frame.data for frame in frames(Framing(Sse()), data.encode(), size)] == expected


@given(st.binary(max_size=300), st.integers(1, 50))
def test_the_cut_of_the_first_bytes_changes_nothing(data: bytes, size: int) -> None:
    for usual in (Sse, Ndjson):
        assert frames(Framing(usual()), data, size) == frames(Framing(usual()), data, 1000)


def test_a_page_and_a_document_have_a_limit() -> None:
    page = b"<html>" + b"x" * 300_000
    assert len(frames(Framing(Sse()), page, 4096)) == 1
    bare = b"data: one\n\n<html>\n" + b"<p>\n\n" * 100_000
    assert all(len(frame.data) < 110_000 for frame in frames(Framing(Sse()), bare, 4096))
    with pytest.raises(BadReply):
        frames(Framing(Ndjson(), 1000), b"{\n" + b'"a": 1,\n' * 1000, 100)
