"""Names that do not fit are cut where they are alike: in the middle."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from tui.chat.chat_files import name_from
from tui.core.text import safe_name
from tui.store.store import ChatSummary
from tui.ui.chat_list.rows import chat_line
from tui.ui.transcript.entry import Heading, Tone
from tui.ui.transcript.heading import heading_line
from tui.ui.transcript.palette import RolePalette
from tui.ui.widgets.row import cut_middle

PALETTE = RolePalette.plain()
PATH = "/srv/models/bartowski/Qwen2.5-Coder-14B-Instruct-GGUF/Qwen2.5-Coder-14B-Instruct-"


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("short", 10, "short"),
        ("How do I make a branch (2)", 20, "How do I m…ranch (2)"),
        ("one two three four", 11, "one t…four"),
        ("abcdefghij", 7, "abcdef…"),
        ("abcdefghij", 0, ""),
        ("中文排版好看吗请问", 9, "中文…请问"),
        ("e\u0301" * 20, 9, "e\u0301" * 4 + "…" + "e\u0301" * 4),
    ],
)
def test_a_name_is_cut_in_the_middle(text: str, width: int, shown: str) -> None:
    assert cut_middle(text, width) == shown
    assert cell_len(cut_middle(text, width)) <= width


@pytest.mark.parametrize("width", range(24, 90, 6))
def test_models_that_differ_at_their_ends_look_different(width: int) -> None:
    names = [f"{PATH}{quantization}.gguf" for quantization in ("Q4_K_M", "Q8_0")]
    shown = [cut_middle(safe_name(name), width) for name in names]
    assert shown[0] != shown[1]
    lines = [
        heading_line(Heading(safe_name(name, 60), Tone.MODEL, "technical"), width, PALETTE) for name in names
    ]
    assert lines[0] != lines[1]


def test_a_name_of_any_length_keeps_both_ends() -> None:
    name = safe_name("begin " + "x" * 1_000_000 + "\x1b[31m end", 60)
    assert len(name) <= 60
    assert name.startswith("begin x")
    assert name.endswith("x end")
    assert safe_name("a" * 60, 60) == "a" * 60
    assert safe_name("abc", 1) == "…"


@pytest.mark.parametrize("width", [28, 40, 60, 80])
def test_branches_are_told_apart_in_the_list(width: int) -> None:
    title = "What is the best way to configure nginx as a reverse proxy with TLS and websockets on Debian"
    chats = [
        ChatSummary(id="a", title=f"{title} ({number})", created_at=0.0, updated_at=0.0, message_count=2)
        for number in (2, 3)
    ]
    lines = [
        "".join(text for text, _ in chat_line(chat, width, 0.0, PALETTE, is_open=False)) for chat in chats
    ]
    assert "(2)" in lines[0]
    assert "(3)" in lines[1]
    assert all(cell_len(line) == width for line in lines)


def test_the_file_of_a_branch_has_its_number() -> None:
    assert name_from("long words " * 20 + "(12)").endswith("-12.md")
    assert len(name_from("long words " * 20 + "(12)")) <= 63
    assert name_from("Title (2)") == "Title-2.md"
