"""Personas: what a file says, and what is wrong with it, by its line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tui.config.personas import load_persona, persona_names, shipped_names
from tui.core.persona import MOST_BYTES, Persona, PersonaError, parse_persona
from tui.errors import FileError, LokalError, UsageError

COURSE = "[Instruction] Answer in the style of Shakespeare.\n[Q] How are you?\n[A] O noble friend,\nmy days do sing!\n\n[q] И как погода?\n[a] В дымке."
READ = Persona(
    "bard",
    "Answer in the style of Shakespeare.",
    (("How are you?", "O noble friend,\nmy days do sing!"), ("И как погода?", "В дымке.")),
)


@pytest.mark.parametrize(
    "encode", [str.encode, lambda text: b"\xef\xbb\xbf" + text.encode(), lambda text: text.encode("utf-16")]
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_form_of_the_course(encode, end: str) -> None:  # type: ignore[no-untyped-def]
    assert parse_persona(encode(COURSE.replace("\n", end)), "bard.txt") == READ


def test_its_system_prompt_is_the_same_persona_again() -> None:
    assert parse_persona(READ.system.encode(), "bard") == READ
    assert Persona("x", "Be brief.").system == "Be brief."
    assert "2 examples, some " in READ.words


@pytest.mark.parametrize(
    ("line", "examples"),
    [
        ('{"question": "a", "answer": "b"}', (("a", "b"),)),
        ('{"Q": "a", "A": "b"}', (("a", "b"),)),
        ('{"instruction": "Be brief.", "input": "a", "output": "b"}', (("a", "b"),)),
        ('{"instruction": "a", "input": "", "output": "b"}', (("a", "b"),)),
        ('{"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}', (("a", "b"),)),
        ('[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]', (("a", "b"),)),
    ],
)  # fmt: skip
def test_lines_of_json(line: str, examples: tuple[tuple[str, str], ...]) -> None:
    persona = parse_persona(f"{line}\n\n{line}\n".encode(), "x.jsonl")
    assert persona.examples == examples * 2
    assert persona.instruction == ("Be brief." if "Be brief" in line else "")


def test_any_other_text_is_an_instruction() -> None:
    assert parse_persona(b"Be brief.\n", "brief.md") == Persona("brief", "Be brief.")
    assert parse_persona(b"[Instruction] Only that.", "x") == Persona("x", "Only that.")
    assert parse_persona(b"[Q] a\n[A] b", "x") == Persona("x", "", (("a", "b"),))


@pytest.mark.parametrize(
    ("name", "data", "line", "says"),
    [
        ("x.txt", b"", 0, "empty"),
        ("x.txt", b" \n\n", 0, "empty"),
        ("x.txt", b"\xff\x00\x01\x02", 0, "no text"),
        ("x.txt", b"a\0b", 0, "no text"),
        ("x.txt", b"[Q] a\n[Q] b\n[A] c", 1, "no answer"),
        ("x.txt", b"[Instruction] a\n[Q] b", 2, "no answer"),
        ("x.txt", b"[Instruction] a\n\n[A] b", 3, "no question"),
        ("x.txt", b"[Q] a\n[A] b\n[A] c", 3, "no question"),
        ("x.txt", b"[Q] \n[A] b", 1, "is empty"),
        ("x.txt", b"[Q] a\n[A] b\n" * 502, 1003, "more than 500"),
        ("x.txt", b"a" * (MOST_BYTES + 1), 0, "at most 1 MB"),
        ("x.jsonl", b'{"q": "a", "a": "b"}\n{', 2, "no JSON"),
        ("x.jsonl", b"3", 1, "no object"),
        ("x.jsonl", b'{"text": "a"}', 1, "no question"),
        ("x.jsonl", b'{"messages": [{"role": "user"}]}', 1, "no role"),
        ("x.jsonl", b"[" * 100_000, 1, "no JSON"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(name: str, data: bytes, line: int, says: str) -> None:
    with pytest.raises(PersonaError) as caught:
        parse_persona(data, name)
    assert says in str(caught.value)
    assert caught.value.line == line


def test_those_that_ship_are_ten_in_five_languages(tmp_path: Path) -> None:
    names = shipped_names()
    assert len(names) == 10
    assert {name.rpartition("-")[2] for name in names} >= {"ru", "pl", "vi", "uz"}
    for name in names:
        persona = load_persona(tmp_path, name)
        assert persona.instruction
        assert len(persona.examples) >= 2


def test_ones_own_come_first_and_any_file_can_be_named(tmp_path: Path) -> None:
    folder = tmp_path / "personas"
    folder.mkdir()
    (folder / "pirate.txt").write_text("Be a quiet pirate.")
    (folder / ".hidden.txt").write_text("x")
    (tmp_path / "other.md").write_text("Be brief.")
    assert persona_names(folder)[0] == "pirate"
    assert persona_names(folder).count("pirate") == 1
    assert load_persona(folder, "pirate").system == "Be a quiet pirate."
    assert load_persona(folder, "expl").name == "explain-simply"
    assert load_persona(folder, str(tmp_path / "other.md")) == Persona("other", "Be brief.")
    for wrong, error in (("nobody", UsageError), ("./nobody.txt", FileError), ("../../etc", LokalError)):
        with pytest.raises(error):
            load_persona(folder, wrong)
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(FileError):
        load_persona(folder, str(tmp_path / "pipe.txt"))
