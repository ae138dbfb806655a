"""The transcript in a running app: opening, streaming, following, keeping the reader's place, resizing."""

from __future__ import annotations

import pytest
from rich.style import Style
from textual.events import MouseScrollUp

from tests.support.transcript import ANSWER, MODEL, YOU, answer, chat, running, screen, styled
from tui.ui.transcript.entry import Entry, EntryNotice, Tone
from tui.ui.transcript.palette import RolePalette


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
        transcript.replace(answer(ANSWER, streaming=False))
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
        transcript.replace(
            answer(transcript.plain_text("a"), streaming=False, notice=EntryNotice("stopped", Tone.MUTED)),
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
        transcript.show(
            [*chat(3), answer(ANSWER * 2, reasoning="Hm.\n" * 5, notice=EntryNotice("n", Tone.ERROR))]
        )
        screen(transcript)
        transcript.toggle_reasoning()
        transcript.page_up()
        assert len(screen(transcript)) == size[1]


async def test_another_palette_keeps_the_place_and_changes_the_styles() -> None:
    async with running(height=10) as (transcript, _, _):
        transcript.show([*chat(20), answer(ANSWER)])
        transcript.page_up()
        text, looks = screen(transcript), styled(transcript)
        plain = RolePalette.plain()
        roles = [
            "background", "foreground", "accent", "second", "muted", "rule", "warning", "error", "success", "heading",
            "strong_code", "link", "quote", "cursor_line", "selection", "keyword", "string", "number", "comment",
            "name", "type", "operator", "punctuation",
        ]  # fmt: skip
        transcript.set_palette(RolePalette({role: plain[role] + Style(overline=True) for role in roles}))
        assert screen(transcript) == text
        assert styled(transcript) != looks


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
