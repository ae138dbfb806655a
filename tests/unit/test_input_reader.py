"""What the terminal sends, as events: keys of all terminals and layouts, pastes, lines without brackets, torn and broken
sequences. Nothing that arrives does harm."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from textual import constants, events, messages
from textual.message import Message

from tui.ui.terminal import reader as reading
from tui.ui.terminal.reader import IN_TEXT, InputReader
from tui.ui.terminal.sequences import LONGEST

PASTED = "первая строка\nzażółć 👍\x1b[31m\n[b]x[/b]"
LINE = "<line>"
"""How an Enter is shown here that is a part of several lines."""


class Terminal:
    """A reader, the time, and what came of what was sent."""

    def __init__(self, line_s: float = 0.0) -> None:
        self.now = self.since = 100.0
        self.found: list[Message] = []
        self.reader = InputReader(lambda: line_s, lambda: self.now)

    def send(self, data: bytes | str) -> None:
        self.found += self.reader.feed(data.encode() if isinstance(data, str) else data)
        self.since = self.now

    def wait(self, seconds: float) -> None:
        """Nothing comes for so long; the reader is told as the driver tells it."""
        until = self.now + seconds
        while (patience := self.reader.patience_s) is not None and self.since + patience <= until:
            self.now = self.since = self.since + patience
            self.found += self.reader.silence()
        self.now = until

    def heard(self) -> list[str]:
        """What came, in order: keys by name, with what they write if that is more, pastes in quotes, the rest by class."""
        found, self.found = self.found, []
        shown = []
        for event in found:
            if isinstance(event, events.Key):
                in_text = event.key in ("enter", "tab") and event.character == IN_TEXT
                shown.append(
                    LINE if in_text and event.key == "enter" else f"<{event.key}>" if in_text else event.key
                )
            elif isinstance(event, events.Paste):
                shown.append(repr(event.text))
            else:
                shown.append(type(event).__name__)
        return shown


def heard(*pieces: bytes | str) -> list[str]:
    """What comes of these pieces, close upon each other, and then a silence."""
    terminal = Terminal()
    for piece in pieces:
        terminal.send(piece)
    terminal.wait(10)
    return terminal.heard()


def written(sent: str) -> str | None:
    """What the one key that was sent writes."""
    terminal = Terminal()
    terminal.send(sent)
    terminal.wait(10)
    (event,) = terminal.found
    assert isinstance(event, events.Key)
    return event.character if event.is_printable else None


# -- keys -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ("\x1b1", "alt+1"),
        ("\x1b9", "alt+9"),
        ("\x1be", "alt+e"),
        ("\x1bE", "alt+shift+e"),
        ("\x1b[", "alt+["),
        ("\x1bO", "alt+shift+o"),
        ("\x1b]", "alt+]"),
        ("\x1b ", "alt+space"),
        ("\x1b\x7f", "alt+backspace"),
        ("\x1b\r", "alt+enter"),
        ("\x1b[13;2u", "shift+enter"),
        ("\x1b[27;2;13~", "shift+enter"),
        ("\x1b[27;3;13~", "alt+enter"),
        ("\x1b[27;5;13~", "ctrl+enter"),
        ("\x1b[27;5;116~", "ctrl+t"),
        ("\x1b[116;5u", "ctrl+t"),
        ("\x1b[116;6u", "ctrl+shift+t"),
        ("\x1b[105;5u", "tab"),
        ("\x1b[91;5u", "escape"),
        ("\x1b[27u", "escape"),
        ("\x1b[57414u", "enter"),
        ("\n", "ctrl+j"),
        ("\r", "enter"),
        ("\t", "tab"),
        ("\x1b[Z", "shift+tab"),
        ("\x7f", "backspace"),
        ("\x1d", "ctrl+]"),
        ("\x1f", "ctrl+_"),
        ("\x1b", "escape"),
        ("\x1bOS", "f4"),
        ("\x1b[[E", "f5"),
        ("\x1b[17~", "f6"),
        ("\x1b[1;5R", "ctrl+f3"),
        ("\x1b[5~", "pageup"),
        ("\x1b[3$", "shift+delete"),
        ("\x1b[A", "up"),
        ("\x1b[1;3A", "alt+up"),
        ("\x1b[1;5:2A", "ctrl+up"),
        ("\x1b[1;5H", "ctrl+home"),
        ("\x14", "ctrl+t"),
        ("\x00", "ctrl+space"),
        ("¡", "inverted_exclamation_mark"),
    ],
)
def test_one_key(sent: str, key: str) -> None:
    assert heard(sent) == [key]
    assert heard(*sent) == [key]


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ("\x1b[97;;97u", "a"),
        ("\x1b[97:65;2;65u", "A"),
        ("\x1b[97u", "a"),
        ("\x1b[97;2u", "A"),
        ("\x1b[97;65u", "A"),
        ("\x1b[49:33;2u", "!"),
        ("\x1b[32;2;32u", " "),
        ("\x1b[1077::116;;1077u", "е"),
        ("\x1b[1077::116u", "е"),
        ("\x1b[113::113;7;64u", "@"),
        ("\x1b[101::101;3;8364u", "€"),
        ("\x1b[57400;129;49u", "1"),
        ("\x1b[57400u", "1"),
        ("\x1bOp", "0"),
    ],
)
def test_a_key_that_writes(sent: str, text: str) -> None:
    """AltGr and Option write too, whatever modifiers they arrive with; text is never turned into that of another layout."""
    assert written(sent) == text


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ("\x1b[1077;5u", "ctrl+t"),
        ("\x1b[1077::116;5u", "ctrl+t"),
        ("\x1b[1077:1045:116;6u", "ctrl+shift+t"),
        ("\x1b[27;5;1077~", "ctrl+t"),
        ("\x1bу", "alt+e"),
        ("\x1bУ", "alt+shift+e"),
        ("\x1b[1091;3u", "alt+e"),
        ("\x1b[1091::101;3;1091u", "alt+e"),
        ("\x1b[1089::99;5u", "ctrl+c"),
        ("\x1bі", "alt+s"),
        ("\x1bτ", "alt+t"),
        ("\x1b[27;5;964~", "ctrl+t"),
        ("\x1b[1514;5u", "ctrl+,"),
        ("\x1b[1610;3u", "alt+d"),
        ("\x1b[4304::97;5u", "ctrl+a"),
        ("\x1b[246::59;5u", "ctrl+ö"),
        ("\x1b[113::97;5u", "ctrl+q"),
    ],
)
def test_a_chord_in_another_layout(sent: str, key: str) -> None:
    """Russian, Ukrainian, Greek, Hebrew, Arabic; what the terminal says of the Latin layout goes before; a Latin layout
    of another order stays as it is."""
    assert heard(sent) == [key]
    assert written(sent) is None


@pytest.mark.parametrize(
    "sent",
    [
        "\x1b[97;5:3u",
        "\x1b[1;1:3A",
        "\x1b[57441;2u",
        "\x1b[57358;65u",
        "\x1b[1114112u",
        "\x1b[99999999999999999999u",
        "\x1b[55296u",
        "\x1b[;u",
        "\x1b[u",
        "\x1b[1;99999u",
        "\x1b[97;;1114112u",
        "\x1b[97;;7u",
        "\x1b[133u",
        "\x1b[27;5;99999999~",
        "\x1b[27;5;~",
        "\x1b[201~",
        "\x1b[9999~",
        "\x1b[<0;3;4M",
        "\x1b[M !!",
        "\x1b[?1;2c",
        "\x1b[>0;276;0c",
        "\x1b[12;40R",
        "\x1b[8;24;80t",
        "\x1b[48;99999;99999;1;1t",
        "\x1b[48;0;0;0;0t",
        "\x1b[?2026;0$y",
        "\x1b[?97;5u",
        "\x1b[1:2:3:4:5u",
        "\x1b[[x",
        "\x1b]10;rgb:ffff/ffff/ffff\x1b\\",
        "\x1b]52;c;bG9rYWw=\x07",
        "\x1b]lA title\x1b\\",
        "\x1bP>|kitty(0.32)\x1b\\",
        "\x1bP1+r544e=787465726d\x1b\\",
        "\x1b_Gi=1;OK\x1b\\",
        "\x9b",
        "\u0085",
    ],
)
def test_what_is_no_key_is_dropped_whole(sent: str) -> None:
    assert heard(sent + "k") == ["k"]
    assert heard(*sent, "k") == ["k"]
    assert heard(sent) == []


@pytest.mark.parametrize(
    "cut", ["\x1b[1;5", "\x1b[<0;3", "\x1b]11;rgb:1c1c", "\x1bP1+r54", "\x1b_Gi=1", "\x1bO5"]
)
def test_what_is_cut_off_is_dropped_and_the_next_key_is_heard(cut: str) -> None:
    assert heard(cut) == []
    assert heard(cut + "\x1b[A") == ["up"]
    assert heard(cut, "\x03") == ["ctrl+c"]
    terminal = Terminal()
    terminal.send(cut)
    terminal.wait(3)
    terminal.send("k")
    assert terminal.heard() == ["k"]


def test_a_string_that_never_ends_is_given_up() -> None:
    """Typing goes on while it is waited for: the wait has an end, and so has what is kept."""
    terminal = Terminal()
    terminal.send("\x1b]11;")
    for _ in range(30):
        terminal.wait(0.1)
        terminal.send("k")
    assert terminal.heard()[-1:] == ["k"]
    terminal.send("\x1b[" + "1;" * (LONGEST + 1))
    terminal.send("1;" * LONGEST + "A")
    assert terminal.heard() == []
    terminal.send("k")
    assert terminal.heard() == ["k"]


def test_escape_is_held_back_for_one_short_silence_only() -> None:
    reader = InputReader()
    assert reader.feed(b"\x1b") == []
    assert reader.patience_s is not None
    assert reader.patience_s <= 0.1
    assert [event.key for event in reader.silence() if isinstance(event, events.Key)] == ["escape"]
    assert reader.patience_s is None


def test_keys_that_come_in_one_piece_are_each_itself() -> None:
    assert heard("\x1b\x1b") == ["escape", "escape"]
    assert heard("\x1b\x11") == ["escape", "ctrl+q"]
    assert heard("\x1b[A\r") == ["up", "enter"]
    assert heard("ab\x1b[D\x7f\x1bOPc") == ["a", "b", "left", "backspace", "f1", "c"]


def test_nothing_is_waited_for_while_nothing_comes() -> None:
    terminal = Terminal()
    for sent in ("k", "\r", "\x1b", "a\rb", "\x1b[200~x\x1b[201~", "\x1b[A", "ж"):
        terminal.send(sent)
        terminal.wait(10)
        assert terminal.reader.patience_s is None


# -- what the terminal says -----------------------------------------------------------------------------------------


def test_answers_to_questions_are_not_typed() -> None:
    terminal = Terminal()
    assert not terminal.reader.answered
    terminal.send("\x1b]11;rgb:1c1c/1c1c/1c1c\x1b\\\x1b[?62;22c")
    assert terminal.reader.background == (28, 28, 28)
    assert terminal.reader.answered
    assert terminal.heard() == []
    assert heard("a\x1b]11;rgb:1c1c/1c", "1c/1c1c\x1b", "\\b\x1b[?6", "2;22cc") == ["a", "b", "c"]


def test_what_the_terminal_says_of_itself() -> None:
    terminal = Terminal()
    terminal.send("\x1b[I\x1b[O\x1b[?2026;2$y\x1b[?2048;2$y\x1b[48;24;80;480;800t")
    focus, blur, sync, in_band, resize = terminal.found
    assert isinstance(focus, events.AppFocus)
    assert isinstance(blur, events.AppBlur)
    assert isinstance(sync, messages.TerminalSupportsSynchronizedOutput)
    assert isinstance(in_band, messages.InBandWindowResize)
    assert isinstance(resize, events.Resize)
    assert (resize.size.width, resize.size.height) == (80, 24)


# -- pastes ---------------------------------------------------------------------------------------------------------


def test_a_paste_is_one_event_between_keys() -> None:
    assert heard(f"a\x1b[200~{PASTED}\x1b[201~\r") == ["a", repr(PASTED), "enter"]
    assert heard("\x1b[200~\x1b[201~") == [repr("")]
    assert heard("\x1b[200~nul\x00byte\x1b[201~") == [repr("nulbyte")]
    assert heard("\x1b[200~\x1b[?62;22c\x1b", "[201~") == [repr("\x1b[?62;22c")]


@given(st.lists(st.integers(0, 60), max_size=8))
@example([3])
@example([1, 2, 4])
@example([48])
def test_a_paste_torn_at_any_byte_is_the_same(cuts: list[int]) -> None:
    """The marks that start a paste and end it, and letters of several bytes, may be cut by the line."""
    sent = b"\x1b[200~" + PASTED.encode() + b"\x1b[201~b"
    assert heard(*cut_up(sent, cuts)) == [repr(PASTED), "b"]


def cut_up(sent: bytes, cuts: list[int]) -> list[bytes]:
    """The pieces between these places."""
    places = sorted({min(cut, len(sent)) for cut in cuts})
    return [sent[a:b] for a, b in zip([0, *places], [*places, len(sent)], strict=True)]


def test_a_paste_of_megabytes_is_taken_in_one_piece() -> None:
    text = "строка текста\n" * 200_000
    sent = b"\x1b[200~" + text.encode() + b"\x1b[201~"
    assert heard(*(sent[start : start + 65536] for start in range(0, len(sent), 65536))) == [repr(text)]


def test_a_paste_whose_end_is_lost_ends_by_itself() -> None:
    terminal = Terminal()
    terminal.send("\x1b[200~some text")
    terminal.wait(1.9)
    terminal.send(", and more\x1b[20")
    terminal.wait(1.9)
    assert terminal.heard() == []
    terminal.wait(0.2)
    assert terminal.heard() == [repr("some text, and more")]
    terminal.send("k\x11")
    assert terminal.heard() == ["k", "ctrl+q"]


@pytest.mark.parametrize("key", ["\x03", "\x1b[99;5u", "\x1b[1089::99;5u", "\x1b[27;5;99~"])
def test_ctrl_c_ends_a_paste_at_once_and_does_nothing_else(key: str) -> None:
    terminal = Terminal()
    terminal.send("\x1b[200~some text")
    terminal.wait(0.5)
    terminal.send(key)
    assert terminal.heard() == [repr("some text")]
    terminal.send(key)
    assert terminal.heard() == ["ctrl+c"]


def test_ctrl_c_in_one_piece_with_the_paste_ends_it_soon() -> None:
    terminal = Terminal()
    terminal.send("\x1b[200~some text\x03")
    terminal.wait(0.2)
    assert terminal.heard() == [repr("some text")]


def test_a_pasted_ctrl_c_is_no_key() -> None:
    """What is pasted may hold anything: its next line must not be sent."""
    assert heard("\x1b[200~a\x03\rb\x1b[201~") == [repr("a\x03\rb")]
    assert heard("\x1b[200~a\x03", "\rb\x1b[201~") == [repr("a\x03\rb")]


def test_ctrl_q_leaves_an_open_paste_too() -> None:
    terminal = Terminal()
    terminal.send("\x1b[200~some text")
    terminal.send("\x11")
    assert terminal.heard() == [repr("some text"), "ctrl+q"]


def test_an_end_that_comes_late_ends_what_came_before_it() -> None:
    terminal = Terminal()
    terminal.send("\x1b[200~one\n")
    terminal.wait(3)
    terminal.send("two\rthree\r\x1b[201~k")
    assert terminal.heard() == [repr("one\n"), repr("two\rthree\r"), "k"]
    terminal.send("\x1b[200~x\x1b[201~")
    assert terminal.heard() == [repr("x")]


# -- several lines without brackets ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pieces", "keys"),
    [
        (["a\rb\rc\r"], ["a", LINE, "b", LINE, "c", LINE]),
        (["a\r", "b\r", "c"], ["a", LINE, "b", LINE, "c"]),
        (["a", "\r", "b"], ["a", LINE, "b"]),
        (["a\r\nb\r\n"], ["a", LINE, "b", LINE]),
        (["a\r", "\nb\r", "\n"], ["a", LINE, "b", LINE]),
        (["a\r\rb"], ["a", LINE, LINE, "b"]),
        (["a\r\r"], ["a", LINE, LINE]),
        (["\rb"], [LINE, "b"]),
        (["a\r\tb\r"], ["a", LINE, "<tab>", "b", LINE]),
        (["a\tb\rc"], ["a", "<tab>", "b", LINE, "c"]),
        (["a\r"], ["a", "enter"]),
        (["a\r\n"], ["a", "enter"]),
        (["a", "\r"], ["a", "enter"]),
        (["\r\r\r"], ["enter", "enter", "enter"]),
        (["a\nb\r"], ["a", "ctrl+j", "b", "enter"]),
        (["a\n\tb\n"], ["a", "ctrl+j", "<tab>", "b", "ctrl+j"]),
        (["a\t\n"], ["a", "tab", "ctrl+j"]),
        (["a\r\x1b[A"], ["a", "enter", "up"]),
        (["a\r\x11"], ["a", "enter", "ctrl+q"]),
        (
            ["a\r", "\x1b[?2026;2$y", "\x1b[I"],
            ["a", "TerminalSupportsSynchronizedOutput", "AppFocus", "enter"],
        ),
        (["\x1b[97u\x1b[13u\x1b[98u"], ["a", "enter", "b"]),
    ],
)
def test_an_enter_amid_text_is_a_line(pieces: list[str], keys: list[str]) -> None:
    assert heard(*pieces) == keys


def test_an_enter_counts_when_nothing_follows_it_for_30_ms() -> None:
    terminal = Terminal()
    terminal.send("a\r")
    terminal.wait(0.029)
    assert terminal.heard() == ["a"]
    terminal.wait(0.002)
    assert terminal.heard() == ["enter"]
    terminal.send("b\rc\r")
    terminal.wait(0.031)
    assert terminal.heard() == ["b", LINE, "c", LINE]
    terminal.send("\r")
    terminal.wait(0.031)
    assert terminal.heard() == ["enter"]
    terminal.send("a")
    terminal.wait(1)
    terminal.send("\r\r")
    terminal.wait(1)
    assert terminal.heard() == ["a", "enter", "enter"]


def test_over_a_slow_line_the_lines_may_come_further_apart() -> None:
    terminal = Terminal(line_s=0.4)
    terminal.send("a\rb")
    terminal.wait(0.2)
    terminal.send("c\r")
    terminal.wait(1)
    assert terminal.heard() == ["a", LINE, "b", "c", LINE]


# -- torn sequences -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pieces", "keys"),
    [
        (["\x1b[", "D"], ["left"]),
        (["\x1b[1;", "5D"], ["ctrl+left"]),
        (["\x1bO", "P"], ["f1"]),
        (["\x1b[20", "0~text\x1b[201~"], [repr("text")]),
        (["\x1b", "[D"], ["escape"]),
        (["\x1b", "[1;5D"], ["escape"]),
        (["\x1b", "[3~"], ["escape"]),
        (["\x1b", "OP"], ["escape"]),
        (["\x1b", "[D\x1b[D"], ["escape", "left"]),
        (["\x1b", "[97;5u"], ["escape"]),
        (["\x1b", "[200~a\rb\x1b[201~k"], ["escape", repr("a\rb"), "k"]),
        (["\x1b", "[?62;22c"], ["escape"]),
        (["\x1b", "]11;rgb:1c1c/1c1c/1c1c\x1b\\"], ["escape"]),
        (["\x1b", "[I"], ["escape", "AppFocus"]),
        (["\x1b", "hello"], ["escape", *"hello"]),
        (["\x1b", "[x"], ["escape", "left_square_bracket", "x"]),
        (
            ["\x1b", "[1](y"],
            ["escape", "left_square_bracket", "1", "right_square_bracket", "left_parenthesis", "y"],
        ),
        (["\x1b", "["], ["escape", "left_square_bracket"]),
        (["\x1b", "On"], ["escape"]),
        (["\x1b", "Only"], ["escape", *"Only"]),
    ],
)
def test_a_sequence_that_the_line_tore_apart(pieces: list[str], keys: list[str]) -> None:
    terminal = Terminal()
    for piece in pieces:
        terminal.send(piece)
        terminal.wait(0.3)
    terminal.wait(10)
    assert terminal.heard() == keys


def test_a_rest_torn_twice_is_dropped_too() -> None:
    terminal = Terminal()
    for piece in ("\x1b", "[", "D"):
        terminal.send(piece)
        terminal.wait(constants.ESCAPE_DELAY if piece == "\x1b" else 0.03)
    terminal.wait(1)
    assert terminal.heard() == ["escape"]


def test_how_long_the_rest_is_waited_for_is_what_the_line_needs() -> None:
    for line_s, dropped in ((0.0, False), (0.6, True)):
        terminal = Terminal(line_s)
        terminal.send("\x1b")
        terminal.wait(1.0)
        terminal.send("[D")
        terminal.wait(1.0)
        assert terminal.heard() == (["escape"] if dropped else ["escape", "left_square_bracket", "D"])


# -- bytes of all kinds ---------------------------------------------------------------------------------------------

_PIECES = [b"\x1b", b"[", b"O", b"]", b"P", b"_", b";", b":", b"1", b"9" * 9, b"u", b"~", b"A", b"$y", b"c", b"R", b"t",
           b"\x07", b"\\", b"\r", b"\n", b"\t", b"\x03", b"a", "ж".encode(), b"\xff", b"\x9b", b"200~", b"201~", b"M", b"<",
           b"27;5;", b"\x00", b"\x7f", "\u202e".encode(), "\U0010ffff".encode()]  # fmt: skip
_streams = st.one_of(st.binary(max_size=60), st.lists(st.sampled_from(_PIECES), max_size=25).map(b"".join))
_GARBAGE = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@given(
    _streams,
    st.lists(st.integers(0, 60), max_size=6),
    st.lists(st.sampled_from([0.0, 0.035, 0.3, 3.0]), max_size=7),
)
@example(b"\x1b[1;5:1A", [], [])
@example(b"\x1b[97;5:3u", [], [])
@example(b"\x1b[1089::99;5u", [], [])
@example(b"\x1b[1114112u", [], [])
def test_no_bytes_do_harm(data: bytes, cuts: list[int], pauses: list[float]) -> None:
    """Whatever comes, however it is cut and whenever, nothing raises, no control character is typed, and what comes later
    is heard."""
    terminal = Terminal()
    for at, piece in enumerate(cut_up(data, cuts)):
        terminal.send(piece)
        terminal.wait(pauses[at] if at < len(pauses) else 0)
    terminal.wait(10)
    for event in terminal.found:
        if isinstance(event, events.Key) and event.is_printable:
            assert event.character
            assert not _GARBAGE.search(event.character)
    terminal.found.clear()
    terminal.send(b"z")
    assert terminal.heard()[-1:] == ["z"]
    assert terminal.reader.patience_s is None


@given(st.lists(st.sampled_from(["\x1b[A", "\x1b[1;5D", "\x1bOP", "\x1b[97;5u", "\x1b[?62;22c", "k", "ж", "\x1b[Z", "\x03"]), max_size=8),
       st.lists(st.integers(0, 60), max_size=8))  # fmt: skip
def test_however_they_are_cut_the_keys_are_the_same(keys: list[str], cuts: list[int]) -> None:
    sent = "".join(keys).encode()
    assert heard(*cut_up(sent, cuts)) == heard(sent)


def test_broken_utf8_costs_only_itself() -> None:
    keys = heard(b"a\xff\xc3(b")
    assert keys[0] == "a"
    assert keys[-2:] == ["left_parenthesis", "b"]
    assert heard("ж".encode()[:1], "ж".encode()[1:] + b"!") == ["ж", "exclamation_mark"]


@pytest.mark.parametrize(
    "text",
    ["👩‍💻", "10\xa0kg", "1\u202f000", "\u3000", "\U0001fae8", "\ue0b0", "a\u0301\ufe0f", "\U000e0067"],
)
@pytest.mark.parametrize("protocol", [False, True])
def test_nothing_that_can_be_written_is_lost(text: str, protocol: bool) -> None:
    """Textual takes only what Python calls printable from a key: no no-break space, no joiner, no new emoji."""
    terminal = Terminal()
    terminal.send(f"\x1b[0;;{':'.join(str(ord(each)) for each in text)}u" if protocol else text)
    texts = []
    for event in terminal.found:
        assert isinstance(event, events.Paste) or (isinstance(event, events.Key) and event.is_printable)
        texts.append(event.text if isinstance(event, events.Paste) else event.character or "")
    assert "".join(texts) == text


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ("\x1b\x1b[A", "alt+up"),
        ("\x1b\x1bOA", "alt+up"),
        ("\x1b\x1b[3~", "alt+delete"),
        ("\x1b\x1b[a", "alt+shift+up"),
        ("\x1b\x1bOd", "alt+ctrl+left"),
    ],
)
def test_alt_as_terminals_tell_it_that_put_an_escape_before_the_key(sent: str, key: str) -> None:
    """PuTTY, rxvt, Terminal.app. Two keys where they come in two reads, or on a line that puts into one read what was pressed
    one after the other."""
    assert heard(sent) == [key]
    assert heard(f"k{sent}k") == ["k", key, "k"]
    assert heard(sent[0], sent[1:])[0] == "escape"
    slow = Terminal(line_s=0.2)
    slow.send(sent)
    assert slow.heard()[0] == "escape"


def test_the_times_are_those_that_the_readme_tells() -> None:
    assert reading.PASTE_S == 2.0
    assert reading.LINES_S == 0.03
