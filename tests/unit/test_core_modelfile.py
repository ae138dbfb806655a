"""Modelfiles: read as Ollama reads them, written so that they are read back as they were."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.replay import body_of
from tui.core.modelfile import Modelfile, ModelfileError, decode_modelfile, format_modelfile, parse_modelfile
from tui.errors import LokalError
from tui.servers.json_object import parse_object

WHOLE = '''# a remark
from llama3.2:3b
PARAMETER temperature 0.4
parameter num_ctx 8192
PARAMETER stop "<|im_end|>"
PARAMETER stop # no remark
TEMPLATE """{{ range .Messages }}
{{ .Content }} "x"
{{ end }}"""
SYSTEM "You are
a teacher"
ADAPTER ./lora.gguf
MESSAGE user What is HTTP?
MESSAGE assistant """A "protocol"."""
LICENSE MIT
LICENSE """Apache
2.0"""
RENDERER qwen3
PARSER qwen3
REQUIRES 0.14.0
DRAFT ./draft.gguf
'''


def test_all_instructions() -> None:
    assert parse_modelfile(WHOLE) == Modelfile(
        "llama3.2:3b",
        (("temperature", 0.4), ("num_ctx", 8192), ("stop", "<|im_end|>"), ("stop", "# no remark")),
        '{{ range .Messages }}\n{{ .Content }} "x"\n{{ end }}',
        "You are\na teacher",
        ("./lora.gguf",),
        ("MIT", "Apache\n2.0"),
        (("user", "What is HTTP?"), ("assistant", 'A "protocol".')),
        "0.14.0",
        "./draft.gguf",
        "qwen3",
        "qwen3",
    )
    assert parse_modelfile(format_modelfile(parse_modelfile(WHOLE))) == parse_modelfile(WHOLE)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "there is no FROM"),
        ("SYSTEM x\n\nTEMPLATE y", 3, "there is no FROM"),
        ("FROM a\nTEMPLAT x", 2, "no instruction “TEMPLAT”. Did you mean TEMPLATE?"),
        ("FROM a\nPARAMETER temprature 1", 2, "no parameter “temprature”. Did you mean temperature?"),
        ("FROM a\nPARAMETER top_k many", 2, "top_k cannot be “many”. It takes a number"),
        ("FROM a\nPARAMETER use_mmap yes", 2, "It takes true or false"),
        ("FROM a\n\nMESSAGE robot hello", 3, "“robot” cannot speak"),
        ('FROM a\nSYSTEM """x\ny', 2, 'begins with """ has no end'),
        ('FROM a\nSYSTEM "x\ny" z', 3, 'after the " that ends a text'),
        ("FROM", 1, "FROM says nothing"),
        ("FROM a\n\x1b[31mX y", 2, "no instruction"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(ModelfileError) as caught:
        parse_modelfile(text)
    assert caught.value.line == line
    assert str(caught.value).startswith(f"Line {line} of the Modelfile: ")
    assert words in str(caught.value)


def test_what_ollama_no_longer_has_is_left_out() -> None:
    found = parse_modelfile("FROM a\nPARAMETER mirostat 2\nPARAMETER top_k 3")
    assert (found.parameters, found.outdated) == ((("top_k", 3),), ("mirostat",))


def test_what_it_writes_itself_is_read() -> None:
    told = parse_object(body_of("ollama/show-licence-parameters"))
    assert told is not None
    found = parse_modelfile(told.text("modelfile"))
    assert found.source.endswith("535")
    assert found.template == told.text("template")
    assert found.parameters == (("stop", "<|im_end|>"), ("temperature", 0.7), ("top_k", 40))
    assert found.licenses == (told.text("license"),)


def test_encodings() -> None:
    assert decode_modelfile("FROM a\nSYSTEM ж".encode("utf-16")) == "FROM a\nSYSTEM ж"
    assert decode_modelfile(b"\xef\xbb\xbfFROM a") == "FROM a"
    with pytest.raises(LokalError, match="neither UTF-8"):
        decode_modelfile("FROM ж".encode("cp1251"))


def test_characters_that_cannot_be_printed_are_left_out() -> None:
    assert parse_modelfile("FROM a\r\nSYSTEM x\u00a0y\u200dz").system == "xyz"


texts = st.text(st.sampled_from('ab "\n#{}ж'), max_size=12)


@settings(deadline=None)
@given(
    texts,
    texts,
    st.lists(texts, max_size=3),
    st.lists(st.tuples(st.sampled_from(["user", "assistant"]), texts)),
)
def test_what_is_written_is_read_back(
    template: str, system: str, stops: list[str], messages: list[tuple[str, str]]
) -> None:
    meant = Modelfile(
        "a", tuple(("stop", stop) for stop in stops), template, system, messages=tuple(messages)
    )
    try:
        text = format_modelfile(meant)
    except LokalError:
        assert any(
            '"""' in said or said.endswith('"')
            for said in (template, system, *stops, *(said for _, said in messages))
        )
        return
    assert parse_modelfile(text) == meant
