"""The transcript in a running app: following, keeping the reader's place, streaming, resizing, folding."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from rich.style import Style
from textual import on
from textual.app import App, ComposeResult
from textual.events import MouseScrollUp
from textual.geometry import Region
from textual.pilot import Pilot

from tui.core.block import LIMIT
from tui.core.blocks import Block
from tui.ui.transcript import cache
from tui.ui.transcript.entry import Entry, Heading, Notice, Tone
from tui.ui.transcript.markdown import block_lines
from tui.ui.transcript.palette import Palette
from tui.ui.transcript.prose import Line
from tui.ui.transcript.view import Transcript

YOU = Heading("you", Tone.PERSON)
MODEL = Heading("llama3.2:3b", Tone.MODEL, "technical")

ANSWER = """\
A **502** means that nginx got no answer. Причины, в таком порядке:

1. The upstream is still `starting`, see [the docs](https://nginx.org):

   ```python
   def check(url: str) -> bool:
       \"\"\"Whether it answers.\"\"\"
       return get(url).status == 200  # 中文 comment
   ```

2. Another port
   - nested **item** with quite some words, so that it is wrapped
   - another

> Quoted words, *and* some more of them, to fill more than a single line of it.

| Model | Size |
|---|--:|
| llama3.2:3b | 2.0 GB |
| 大模型 | 40 GB |

### End
Tiếng Việt có dấu: đây là một câu dài để kiểm tra việc ngắt dòng.
"""


class TranscriptApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[bool, int]] = []

    def compose(self) -> ComposeResult:
        yield Transcript()

    @on(Transcript.FollowChanged)
    def note(self, event: Transcript.FollowChanged) -> None:
        self.told.append((event.following, event.new_lines))


@asynccontextmanager
async def running(
    width: int = 80, height: int = 24
) -> AsyncIterator[tuple[Transcript, TranscriptApp, Pilot[None]]]:
    app = TranscriptApp()
    async with app.run_test(size=(width, height)) as pilot:
        transcript = app.query_one(Transcript)
        transcript.focus()
        yield transcript, app, pilot


def screen(transcript: Transcript) -> list[str]:
    """What is in sight; checks on the way that each line is as wide as the widget."""
    strips = [transcript.render_line(y) for y in range(transcript.size.height)]
    for strip in strips:
        assert sum(segment.cell_length for segment in strip) == transcript.size.width
        assert strip.cell_length == transcript.size.width
    return [strip.text.rstrip() for strip in strips]


def styled(transcript: Transcript) -> list[list[tuple[str, Style | None]]]:
    """What is in sight, character by character, so that equal looks compare equal however they are cut."""
    return [
        [(char, segment.style) for segment in transcript.render_line(y) for char in segment.text]
        for y in range(transcript.size.height)
    ]


def chat(count: int) -> list[Entry]:
    return [
        Entry(f"m{n}", YOU if n % 2 == 0 else MODEL, f"message {n}\n\nsecond line of {n}")
        for n in range(count)
    ]


def answer(text: str = "", **changes: object) -> Entry:
    entry = Entry("a", MODEL, text, streaming=True)
    return Entry(**{**{name: getattr(entry, name) for name in Entry.__slots__}, **changes})


async def test_a_short_chat_begins_at_the_top() -> None:
    async with running() as (transcript, _, _):
        transcript.show([Entry("q", YOU, "Why [b]?\n  so", markdown=False), Entry("a", MODEL, "**Because**")])
        lines = screen(transcript)
        assert lines[0].startswith("── you ──")
        assert lines[1:4] == ["Why [b]?", "  so", ""]
        assert lines[4].startswith("── llama3.2:3b · technical ──")
        assert lines[5] == "Because"
        assert lines[6:] == [""] * 18
        assert transcript.following


async def test_a_long_chat_opens_at_its_end() -> None:
    async with running() as (transcript, _, _):
        transcript.show(chat(10_000))
        assert screen(transcript)[-1] == "second line of 9999"
        transcript.to_start()
        assert screen(transcript)[1] == "message 0"
        assert not transcript.following


@pytest.mark.parametrize("step", [1, 2, 3, 7, 40, 1000])
@pytest.mark.parametrize("width", [24, 80, 120])
async def test_a_streamed_answer_looks_like_the_same_answer_shown_whole(step: int, width: int) -> None:
    async with running(width, 60) as (transcript, _, _):
        transcript.show([Entry("q", YOU, "?"), answer()])
        for start in range(0, len(ANSWER), step):
            transcript.extend("a", ANSWER[start : start + step])
            if start % 50 == 0:
                screen(transcript)
        transcript.finish("a", answer(ANSWER, streaming=False))
        grown = styled(transcript)
        transcript.show([Entry("q", YOU, "?"), answer(ANSWER, streaming=False)])
        assert styled(transcript) == grown
        assert transcript.plain_text("a") == ANSWER


async def test_the_end_is_followed_while_an_answer_comes_in() -> None:
    async with running(height=10) as (transcript, app, pilot):
        transcript.show([*chat(4), answer()])
        for n in range(30):
            transcript.extend("a", f"word{n}\n\n")
            assert f"word{n}" in "\n".join(screen(transcript)[-3:])
        await pilot.pause()
        assert transcript.following
        assert app.told == []


async def test_a_reader_who_scrolled_up_stays_where_he_is() -> None:
    async with running(height=10) as (transcript, app, pilot):
        transcript.show([*chat(20), answer("begun")])
        transcript.page_up()
        before = screen(transcript)
        assert not transcript.following
        for n in range(50):
            transcript.extend("a", f"\n\nparagraph {n}")
            assert screen(transcript) == before
        assert transcript.new_lines == 100
        transcript.finish(
            "a", answer(transcript.plain_text("a"), streaming=False, notice=Notice("stopped", Tone.MUTED))
        )
        assert screen(transcript) == before
        assert transcript.new_lines == 102
        await pilot.pause()
        assert app.told[0] == (False, 0)
        assert app.told[-1] == (False, 102)
        transcript.follow()
        await pilot.pause()
        assert screen(transcript)[-1] == "stopped"
        assert app.told[-1] == (True, 0)


async def test_scrolling_down_reads_the_new_lines_and_follows_again_at_the_end() -> None:
    async with running(height=10) as (transcript, _, _):
        transcript.show([*chat(20), answer("begun")])
        transcript.line_up()
        transcript.extend("a", "\n\nx" * 30)
        assert transcript.new_lines == 60
        seen = [transcript.new_lines]
        for _ in range(100):
            transcript.line_down()
            seen.append(transcript.new_lines)
            if transcript.following:
                break
        assert transcript.following
        assert seen == [60, *range(60, -1, -1)] or seen == list(range(60, -1, -1))
        assert screen(transcript)[-1].startswith("x")


async def test_paging_through_a_chat_shows_every_line() -> None:
    async with running(height=12) as (transcript, _, pilot):
        transcript.show(chat(30))
        seen: list[str] = []
        transcript.to_start()
        while not transcript.following:
            seen += screen(transcript)
            await pilot.press("pagedown")
        seen += screen(transcript)
        assert all(f"message {n}" in seen and f"second line of {n}" in seen for n in range(30))
        down = screen(transcript)
        await pilot.press("pageup")
        await pilot.press("pagedown")
        assert screen(transcript) == down


async def test_keys_and_wheel_scroll() -> None:
    async with running(height=10) as (transcript, _, pilot):
        transcript.show(chat(20))
        end = screen(transcript)
        await pilot.press("up")
        assert screen(transcript)[1:] == end[:-1]
        await pilot.press("down")
        assert screen(transcript) == end
        await pilot.press("home")
        assert screen(transcript)[1] == "message 0"
        await pilot.press("end")
        assert screen(transcript) == end
        transcript.post_message(MouseScrollUp(transcript, 5, 5, 0, 0, 0, False, False, False))
        await pilot.pause()
        assert screen(transcript)[3:] == end[:-3]


async def test_resizing_keeps_the_reading_position() -> None:
    words = [f"word{n}" for n in range(2000)]
    async with running(80, 20) as (transcript, _, pilot):
        transcript.show(
            [*chat(10), answer(" ".join(words)), *[Entry(f"e{n}", YOU, "after") for n in range(9)]]
        )
        transcript.to_start()
        for _ in range(5):
            transcript.page_down()
        first = screen(transcript)[0].split()[0]
        for width in (50, 33, 100, 24, 80):
            await pilot.resize_terminal(width, 20)
            assert first in screen(transcript)[0] + " " + screen(transcript)[1]
        assert not transcript.following


async def test_resizing_while_following_stays_at_the_end() -> None:
    async with running(80, 20) as (transcript, _, pilot):
        transcript.show([*chat(10), answer(ANSWER * 3, streaming=False)])
        for size in ((40, 10), (120, 40), (20, 6)):
            await pilot.resize_terminal(*size)
            assert "dòng." in " ".join(screen(transcript)[-2:])
            assert transcript.following


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 2), (9, 4), (300, 100)])
async def test_any_size_is_drawn(size: tuple[int, int]) -> None:
    async with running(*size) as (transcript, _, _):
        transcript.show([*chat(3), answer(ANSWER * 2, reasoning="Hm.\n" * 5, notice=Notice("n", Tone.ERROR))])
        screen(transcript)
        transcript.toggle_reasoning()
        transcript.page_up()
        assert len(screen(transcript)) == size[1]


async def test_another_palette_keeps_the_place_and_changes_the_styles() -> None:
    async with running(height=10) as (transcript, _, _):
        transcript.show([*chat(20), answer(ANSWER)])
        transcript.page_up()
        text, looks = screen(transcript), styled(transcript)
        plain = Palette.plain()
        roles = [
            "background", "foreground", "accent", "second", "muted", "rule", "warning", "error", "success", "heading",
            "strong_code", "link", "quote", "cursor_line", "selection", "keyword", "string", "number", "comment",
            "name", "type", "operator", "punctuation",
        ]  # fmt: skip
        transcript.set_palette(Palette({role: plain[role] + Style(overline=True) for role in roles}))
        assert screen(transcript) == text
        assert styled(transcript) != looks


async def test_reasoning_folds_and_unfolds() -> None:
    async with running() as (transcript, _, _):
        transcript.show([answer("The answer.", reasoning="First.\nSecond.\n", streaming=False)])
        assert screen(transcript)[1:3] == ["▸ thought for 2 lines · Ctrl+O shows it", "The answer."]
        transcript.set_reasoning_key("F7")
        assert transcript.toggle_reasoning()
        assert screen(transcript)[1:6] == [
            "▾ thought · F7 folds it",
            "│ First.",
            "│ Second.",
            "",
            "The answer.",
        ]
        assert not transcript.toggle_reasoning()
        assert screen(transcript)[2] == "The answer."


async def test_reasoning_that_comes_in_shows_its_newest_line() -> None:
    async with running(60) as (transcript, _, _):
        transcript.show([answer()])
        assert screen(transcript)[1] == "▌"
        transcript.extend("a", reasoning="Let me see")
        assert screen(transcript)[1:3] == ["▸ thinking … 1 line · Ctrl+O shows it", "  Let me see"]
        transcript.extend("a", reasoning=".\n\nIt could be " + "the upstream " * 10)
        lines = screen(transcript)
        assert lines[1] == "▸ thinking … 4 lines · Ctrl+O shows it"
        assert lines[2] == "  upstream the upstream the upstream"
        transcript.extend("a", "Because")
        assert screen(transcript)[1:4] == ["▸ thought for 4 lines · Ctrl+O shows it", "Because▌", ""]


async def test_folding_keeps_the_text_that_is_being_read() -> None:
    async with running(height=8) as (transcript, _, _):
        entries = [Entry(f"m{n}", MODEL, f"text {n}\n\nmore {n}", "thought\n" * 9) for n in range(10)]
        transcript.show(entries)
        transcript.page_up()
        while not screen(transcript)[0].startswith("text"):
            transcript.line_up()
        first = screen(transcript)[0]
        transcript.toggle_reasoning()
        assert screen(transcript)[0] in ("", first)
        assert first in screen(transcript)[:2]


async def test_a_replaced_entry_shows_its_new_state_at_the_same_place() -> None:
    async with running() as (transcript, _, _):
        transcript.show([answer("one"), Entry("b", YOU, "next")])
        transcript.replace(answer("one **two**", heading=Heading("other", Tone.MODEL), streaming=False))
        lines = screen(transcript)
        assert lines[0].startswith("── other ──")
        assert lines[1] == "one two"
        assert lines[4] == "next"
        transcript.replace(answer("different", streaming=False))
        assert screen(transcript)[1] == "different"


async def test_an_answer_goes_on_after_it_was_finished() -> None:
    async with running() as (transcript, _, _):
        transcript.show([answer("1. one\n2. tw", streaming=False, notice=Notice("stopped", Tone.MUTED))])
        assert screen(transcript)[1:5] == ["1. one", "2. tw", "", "stopped"]
        transcript.replace(answer("1. one\n2. tw"))
        transcript.extend("a", "o\n3. three")
        assert screen(transcript)[1:5] == ["1. one", "2. two", "3. three▌", ""]


async def test_an_entry_may_get_another_id_when_it_is_finished() -> None:
    async with running() as (transcript, _, _):
        transcript.show([answer("x")])
        transcript.finish("a", answer("x", id="b", streaming=False))
        assert not transcript.has("a")
        assert transcript.plain_text("b") == "x"


async def test_truncating_drops_what_follows() -> None:
    async with running(height=10) as (transcript, _, _):
        transcript.show(chat(20))
        transcript.page_up()
        transcript.truncate_after("m1")
        assert transcript.following
        assert screen(transcript)[6:] == ["message 1", "", "second line of 1", ""]
        assert not transcript.has("m2")
        transcript.add(Entry("m2", YOU, "new"))
        assert screen(transcript)[-1] == "new"
        transcript.truncate_after(None)
        assert screen(transcript) == [""] * 10


async def test_the_empty_state_is_shown_until_there_is_an_entry() -> None:
    async with running(40, 8) as (transcript, _, _):
        transcript.set_empty(
            [(("Model ", "muted"), ("llama", "second")), (), "a plain line that is longer than the screen"]
        )
        assert screen(transcript)[1:5] == [
            " Model llama",
            "",
            " a plain line that is longer than the",
            " screen",
        ]
        transcript.add(Entry("a", YOU, "hello"))
        assert screen(transcript)[1] == "hello"
        transcript.truncate_after(None)
        assert screen(transcript)[1] == " Model llama"


async def test_only_what_is_in_sight_is_ever_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    rendered: list[Block] = []

    def note(block: Block, *rest: Any, **options: Any) -> list[Line]:
        rendered.append(block)
        return block_lines(block, *rest, **options)

    monkeypatch.setattr(cache, "block_lines", note)
    async with running() as (transcript, _, pilot):
        transcript.show([*chat(10_000), answer("word " * 50_000)])
        assert len(rendered) < 30
        for step in (transcript.page_up, transcript.to_start, transcript.page_down, transcript.follow):
            rendered.clear()
            step()
            assert len(rendered) < 30
        await pilot.resize_terminal(60, 24)
        rendered.clear()
        for n in range(100):
            transcript.extend("a", f"more {n} ")
        assert len(rendered) <= 110
        assert sum(len(block.text) for block in rendered) <= 110 * 2 * LIMIT


async def test_only_changed_rows_are_repainted(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running() as (transcript, _, _):
        transcript.show([*chat(2), answer("First paragraph.\n\nSecond")])
        painted: list[Region] = []
        original: Callable[..., object] = transcript.refresh

        def note(*regions: Region, **options: bool) -> object:
            painted.extend(regions or (transcript.size.region,))
            return original(*regions, **options)

        monkeypatch.setattr(transcript, "refresh", note)
        transcript.extend("a", " goes on")
        assert [(region.y, region.height) for region in painted] == [(13, 1)]
        painted.clear()
        transcript.set_heading("a", Heading("llama3.2:3b", Tone.MODEL, "technical", "41 tok/s"))
        assert [(region.y, region.height) for region in painted] == [(10, 1)]
        painted.clear()
        transcript.set_heading("a", Heading("llama3.2:3b", Tone.MODEL, "technical", "41 tok/s"))
        transcript.extend("a")
        assert painted == []


async def test_an_answer_that_comes_while_nobody_looks_is_there_later() -> None:
    async with running() as (transcript, _, pilot):
        transcript.display = False
        await pilot.pause()
        transcript.show([answer()])
        for n in range(100):
            transcript.extend("a", f"line {n}\n\n")
        transcript.display = True
        await pilot.pause()
        assert screen(transcript)[-1] == "line 99"


async def test_markdown_and_highlighting_are_loaded_when_first_needed() -> None:
    import subprocess
    import sys

    code = "import sys, tui.ui.transcript.view; print('markdown_it' in sys.modules, 'pygments.lexers' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: ASYNC221  # a test may wait
    assert done.stdout.split() == ["False", "False"]
