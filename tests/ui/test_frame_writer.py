"""A running app's frames, through the writer and the stock way: both terminals show the same."""

from __future__ import annotations

import random
from typing import Any

import pytest
from textual.messages import TerminalSupportsSynchronizedOutput
from textual.pilot import Pilot
from textual.widgets import Input, RichLog, Static, TabbedContent

from tests.support.comparing import Ask, ComparingApp, redrawn, resize, run, sent_since, with_odd
from tui.ui.terminal.writer import FrameWriter


@pytest.fixture(autouse=True)
def terminal_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """One depth for all: Rich keeps in each style the sequence of the depth that it was first drawn in."""
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "LOKAL_FRAMES", "TMUX", "STY"):
        monkeypatch.delenv(name, raising=False)


WORDS = (
    "alpha",
    "beta",
    "чай",
    "зелёный",
    "zażółć",
    "Việt",
    "oʻzbek",
    "漢字",
    "한국어",
    "✅",
    "e\u0301",
    "🙂",
    "שלום",
)


def line(random_: random.Random) -> str:
    return " ".join(random_.choice(WORDS) for _ in range(random_.randint(1, 25)))


@pytest.mark.parametrize("seed", range(2))
async def test_random_use_looks_as_with_textual(seed: int) -> None:
    random_ = random.Random(seed)

    async def use(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, ComparingApp)
        log = app.query_one("#log", RichLog)
        for _ in range(30):
            match random_.randrange(11):
                case 0 | 1 | 2:
                    for _ in range(random_.randint(1, 4)):
                        log.write(line(random_))
                case 3:
                    log.scroll_relative(y=random_.randint(-9, 9), animate=False)
                case 4:
                    await pilot.press(
                        *random_.choices(["a", "ł", "ж", "tab", "down", "up", "backspace"], k=3)
                    )
                case 5:
                    app.query_one(TabbedContent).active = random_.choice(["log-tab", "wide-tab"])
                case 6:
                    app.query_one("#wide").scroll_relative(y=random_.randint(-5, 9), animate=False)
                case 7:
                    await resize(app, random_.randint(30, 100), random_.randint(10, 40))
                case 8:
                    floats = app.query("#float")
                    if floats:
                        floats.first().styles.offset = (random_.randint(0, 30), random_.randint(0, 9))
                    else:
                        await app.screen.mount(Static(line(random_), id="float"))
                case 9:
                    await app.push_screen(Ask())
                    await pilot.pause()
                    await pilot.press("x", "ж")
                    app.pop_screen()
                case 10:
                    app.theme = random_.choice(["textual-dark", "textual-light", "nord"])
            await pilot.pause()

    app = await run(use)
    assert not app.differences
    assert app.frame_writer == "delta"
    assert app.bytes_ours < app.bytes_stock


async def test_an_unusual_update_goes_the_stock_way_and_a_full_frame_follows() -> None:
    async def use(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, ComparingApp)
        odd = await with_odd(pilot)
        assert await redrawn(pilot, odd) == ""
        odd.control = True
        assert "odd" in await redrawn(pilot, odd)
        assert app.frame_writer == "delta"
        odd.control = False
        # Everything is sent, of rows that did not change too.
        assert "item 3" in await redrawn(pilot, odd)
        assert await redrawn(pilot, odd) == ""

    # With the terminal's own colours no filter of Textual's goes over the segments, which would drop controls.
    app = ComparingApp()
    app.theme = "ansi-dark"
    assert not (await run(use, app)).differences


async def test_an_error_in_the_writer_hands_the_screen_to_textual(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> str:
        raise ZeroDivisionError

    async def use(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, ComparingApp)
        odd = await with_odd(pilot)
        monkeypatch.setattr(FrameWriter, "patch", fail)
        sent = await redrawn(pilot, odd)
        assert sent.startswith("\x1b[m")
        assert "odd" in sent
        assert app.frame_writer == "stock"
        assert isinstance(app.frame_writer_failure, ZeroDivisionError)
        await pilot.press("a", "b")
        app.frame_writer_failure = None

    assert not (await run(use)).differences


async def test_the_stock_way_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOKAL_FRAMES", "stock")

    async def use(pilot: Pilot[Any]) -> None:
        app = pilot.app
        app.query_one(Input).focus()
        await pilot.press("a", "b", "c")

    app = await run(use)
    assert app.frame_writer == "stock"
    assert not app.differences
    assert app.bytes_ours == app.bytes_stock


async def test_suspending_gives_the_pen_back_and_resuming_sends_everything() -> None:
    async def use(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, ComparingApp)
        await pilot.press("a")
        assert not app.ours.pen_is_plain
        wire = app.wire
        wire.written.clear()
        mark = len(app.sent)
        with app.suspend():
            assert wire.written == ["\x1b[m"]
            app.ours.feed("\x1b[m\x1b[2Jsomebody else wrote here")
        await sent_since(pilot, mark, "item 3")
        app.differences.clear()
        await redrawn(pilot, app.query_one(Input))

    assert not (await run(use)).differences


async def test_coming_back_to_the_same_size_draws_everything() -> None:
    async def use(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, ComparingApp)
        mark = len(app.sent)
        app.ours.feed("\x1b[2J")
        await resize(app, 80, 24)
        await sent_since(pilot, mark, "item 3")
        app.differences.clear()
        await redrawn(pilot, app.query_one(Input))

    assert not (await run(use)).differences


async def test_a_frame_lost_while_it_is_made_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    patch = FrameWriter.patch

    async def use(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, ComparingApp)
        odd = await with_odd(pilot)

        def interrupted(writer: FrameWriter, *arguments: Any) -> str:
            # As if Ctrl+Z came between two steps: what was made fits a screen that is gone.
            monkeypatch.setattr(FrameWriter, "patch", patch)
            text = patch(writer, *arguments)
            app.forget_frame()
            return text

        monkeypatch.setattr(FrameWriter, "patch", interrupted)
        assert "item 3" in await redrawn(pilot, odd)

    assert not (await run(use)).differences


async def test_only_large_frames_are_synchronized() -> None:
    async def use(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, ComparingApp)
        app.can_synchronize()
        box = app.query_one(Input)
        box.value = "x"
        assert "2026" not in await redrawn(pilot, box)
        app.forget_frame()
        sent = await redrawn(pilot, box)
        assert sent.startswith("\x1b[?2026h")
        assert sent.endswith("\x1b[?2026l")

    assert not (await run(use)).differences


async def test_over_ssh_the_terminal_is_asked_and_its_answer_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.1 5 192.0.2.2 22")

    async def use(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, ComparingApp)
        app.can_synchronize()
        box = app.query_one(Input)
        for value in ("x", "xy", "xyz"):
            box.value = value
            await redrawn(pilot, box)
        assert app.terminal_is_asked
        app.pass_time(1.0)
        app.post_message(TerminalSupportsSynchronizedOutput())
        await pilot.pause()
        assert not app.terminal_is_asked
        assert app.pace.slow
        app.use_terminal_speed("fast")
        assert not app.pace.slow

    app = await run(use)
    assert "".join(app.sent).count("\x1b[?2026$p") == 1
