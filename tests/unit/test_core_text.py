"""Text of others is made safe; numbers are shown short."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tui.core.text import count_of, cut_at_word, human_size, human_tokens, safe_block, safe_line

# Any character, and more often than by chance those that make up escape sequences.
hostile = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("\x1b\x9b\x9d\x90\x07\\[]0;mHJ?\r\n\t\x85\u2028\u202e\u2066\x7f\x00 "),
        st.characters(categories=["Cs"]),
    ),
    max_size=60,
)


@settings(deadline=None)
@given(hostile)
@example("\x1b\x1b[m[31mred")
@example("\x1b]8;;http://x\x07")
def test_no_control_character_survives(text: str) -> None:
    safe = safe_block(text)
    assert all(unicodedata.category(each) not in ("Cc", "Cs") or each in "\n\t" for each in safe)
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u2028\u2029]", safe)
    safe.encode("utf-8")


@settings(deadline=None)
@given(hostile)
def test_making_safe_twice_changes_nothing(text: str) -> None:
    assert safe_block(safe_block(text)) == safe_block(text)
    assert safe_line(safe_line(text)) == safe_line(text)


@settings(deadline=None)
@given(hostile, st.integers(1, 40))
def test_a_line_is_one_line_within_its_limit(text: str, limit: int) -> None:
    line = safe_line(text, limit)
    assert len(line) <= limit
    assert line == line.strip()
    assert not re.search(r"[\n\t]", line)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain", "plain"),
        ("a\tb\nc", "a\tb\nc"),
        ("a\r\nb\rc\x0bd\x85e\u2028f", "a\nb\nc\nd\ne\nf"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]52;c;c2VjcmV0\x07ok", "ok"),
        ("\x1b]0;title\x1b\\ok", "ok"),
        ("\x9b2Jok", "ok"),
        ("\x1bPq#0\x1b\\ok", "ok"),
        ("\x1b]never ended\nthe next line stays", "\nthe next line stays"),
        ("abc\u202edef", "abcdef"),
        ("half \ud83d pair", "half \ufffd pair"),
        (
            "Xin chào, tiếng Việt, o‘zbekcha, żółć, привет 👩‍💻",
            "Xin chào, tiếng Việt, o‘zbekcha, żółć, привет 👩‍💻",
        ),
    ],
)
def test_known_cases(text: str, safe: str) -> None:
    assert safe_block(text) == safe


def test_a_long_line_ends_in_an_ellipsis() -> None:
    assert safe_line("word " * 100, 20) == "word word word word…"
    assert safe_line(" a \n\t b ") == "a b"
    assert safe_line("\x1b" * 10_000_000, 20) == ""


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 B"), (999, "999 B"), (1000, "1 kB"), (999_499, "999 kB"), (999_999, "1.0 MB"), (2_019_393_189, "2.0 GB"),
        (99_970_000, "100 MB"), (123_400_000, "123 MB"), (999_999_999, "1.0 GB"), (47_000_000_000_000, "47.0 TB"),
    ],
)  # fmt: skip
def test_sizes(count: int, shown: str) -> None:
    assert human_size(count) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0"), (950, "950"), (1200, "1.2k"), (2048, "2k"), (8192, "8k"), (131_072, "128k"), (131_000, "131k"),
        (99_990, "100k"), (999_999, "1.0M"), (1_048_576, "1.0M"), (10_000_000, "10.0M"),
    ],
)  # fmt: skip
def test_token_counts(count: int, shown: str) -> None:
    assert human_tokens(count) == shown


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0 messages"), (1, "1 message"), (2, "2 messages"), (1204, "1,204 messages")],
)
def test_so_many_of_something(number: int, words: str) -> None:
    assert count_of(number, "message") == words


@pytest.mark.parametrize(
    ("line", "cut"),
    [
        ("short enough", "short enough"),
        ("a line, that goes on for long", "a line, that goes…"),
        ("a short line: and theotherword", "a short line: and…"),
        ("one ofextremelylongwords", "one ofextremelylon…"),
    ],
)
def test_a_line_is_cut_after_a_word(line: str, cut: str) -> None:
    limit = 19
    assert cut_at_word(line, limit) == cut
    assert len(cut) <= limit
