"""A running app's frames, through the writer and the stock way: both terminals show the same."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from rich.console import RenderableType
from rich.segment import ControlType, Segment
from rich.style import Style
from textual._compositor import CompositorUpdate, LayoutUpdate
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.drivers.headless_driver import HeadlessDriver
from textual.events import Resize
from textual.geometry import Size
from textual.messages import TerminalSupportsSynchronizedOutput
from textual.pilot import Pilot
from textual.screen import ModalScreen, Screen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import (
    Footer,
    Header,
    Input,
    Label,
    ListItem,
    ListView,
    RichLog,
    Static,
    TabbedContent,
    TabPane,
)

from tests.support.emulator import Terminal, difference
from tui.ui.terminal.hook import DeltaApp
from tui.ui.terminal.writer import FrameWriter

Scenario = Callable[[Pilot[Any]], Awaitable[None]]


class WireDriver(HeadlessDriver):
    """A driver whose terminal is a list of what was written."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.written: list[str] = []

    @property
    def is_headless(self) -> bool:
        return False

    @property
    def can_suspend(self) -> bool:
        return True

    def write(self, data: str) -> None:
        self.written.append(data)


class ComparingApp(DeltaApp[None]):
    """Shows each frame on two terminals, one the stock way, and compares them after each."""

    CSS = """
    #side { width: 22; }
    #float { layer: over; offset: 9 3; width: 30; height: 5; border: round red; background: $surface 60%; }
    Screen { layers: base over; }
    Ask { align: center middle; background: $background 60%; }
    Ask Input { width: 40; }
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(driver_class=WireDriver, **options)
        self.stock = Terminal(1, 1)
        self.ours = Terminal(1, 1)
        self.bytes_stock = 0
        self.bytes_ours = 0
        self.frames_compared = 0
        self.sent: list[str] = []
        self.differences: list[str] = []

    def compose(self) -> ComposeResult:
        yield Header()
        with TabbedContent():
            with TabPane("Log", id="log-tab"), Horizontal():
                yield ListView(*[ListItem(Label(f"item {n}")) for n in range(30)], id="side")
                yield RichLog(id="log", wrap=True)
            with TabPane("Wide", id="wide-tab"), VerticalScroll(id="wide"):
                for n in range(40):
                    yield Static(
                        f"{n} 漢字かな交じり文 한국어 [b]Việt[/b] чай [on blue]zażółć[/] שלום ✅ 🙂 end",
                        classes="line",
                    )
        yield Input(placeholder="say something")
        yield Footer()

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        driver = self._driver
        if (
            not isinstance(driver, WireDriver)
            or not self._writes_now()
            or not isinstance(renderable, CompositorUpdate)
        ):
            super()._display(screen, renderable)
            return
        if isinstance(renderable, LayoutUpdate) and renderable.region.size != (
            len(self.stock.cells()[0]),
            len(self.stock.cells()),
        ):
            width, height = renderable.region.size
            self.stock, self.ours = Terminal(width, height), Terminal(width, height)
        x, y = self.screen.outer_size.clamp_offset(self.cursor_position)
        stock = renderable.render_segments(self.console) + f"\x1b[{y + 1};{x + 1}H"
        driver.written.clear()
        super()._display(screen, renderable)
        self.stock.feed(stock)
        self.ours.feed("".join(driver.written))
        self.bytes_stock += len(stock.encode())
        self.bytes_ours += sum(len(text.encode()) for text in driver.written)
        self.frames_compared += 1
        self.sent += driver.written
        if found := difference(self.stock.cells(), self.ours.cells()):
            self.differences.append(f"frame {self.frames_compared} ({type(renderable).__name__}): {found}")
        if self.ours.cursor != (x, y):
            self.differences.append(
                f"frame {self.frames_compared}: cursor at {self.ours.cursor}, wanted {(x, y)}"
            )


class Ask(ModalScreen[None]):
    def compose(self) -> ComposeResult:
        yield Input(placeholder="漢字")


@pytest.fixture(autouse=True)
def terminal_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """One depth for all: Rich keeps in each style the sequence of the depth that it was first drawn in."""
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "LOKAL_FRAMES", "TMUX", "STY"):
        monkeypatch.delenv(name, raising=False)


async def run(
    scenario: Scenario, app: ComparingApp | None = None, size: tuple[int, int] = (80, 24)
) -> ComparingApp:
    app = app or ComparingApp()
    done = False

    async def drive(pilot: Pilot[Any]) -> None:
        nonlocal done
        await pilot.pause()
        await scenario(pilot)
        await pilot.pause()
        done = True
        app.exit()

    await asyncio.wait_for(app.run_async(headless=False, size=size, auto_pilot=drive), 60)
    assert done
    assert app.frames_compared > 3
    assert app.frame_writer_failure is None
    return app


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


async def resize(app: ComparingApp, width: int, height: int) -> None:
    size = Size(width, height)
    app.post_message(Resize(size, size))


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


class Odd(Widget):
    """A widget that can turn against the frame writer."""

    DEFAULT_CSS = "Odd { height: 1; dock: top; }"
    control = False

    def render_line(self, y: int) -> Strip:
        del y
        style = self.rich_style + Style(color="#102030")
        # A bell as a control segment, as widgets that draw by escape sequences have them.
        control = [(ControlType.BELL,)] if self.control else None
        return Strip([Segment("odd".ljust(self.size.width), style, control)], self.size.width)


async def with_odd(pilot: Pilot[Any]) -> Odd:
    odd = Odd()
    await pilot.app.screen.mount(odd)
    await pilot.pause()
    return odd


async def sent_since(pilot: Pilot[Any], mark: int, wanted: str) -> str:
    """All that was sent since `mark` writes had been sent, as soon as `wanted` is among it."""
    app = pilot.app
    assert isinstance(app, ComparingApp)
    for _ in range(300):
        if wanted in (text := "".join(app.sent[mark:])):
            return text
        await pilot.pause()
    raise AssertionError(f"{wanted!r} was not sent")


async def redrawn(pilot: Pilot[Any], widget: Widget) -> str:
    """What is sent for a widget's next drawing, and for others that come with it."""
    app = pilot.app
    assert isinstance(app, ComparingApp)
    mark, frames = len(app.sent), app.frames_compared
    widget.refresh()
    for _ in range(300):
        await pilot.pause()
        if app.frames_compared > frames:
            return "".join(app.sent[mark:])
    raise AssertionError("no frame came")


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
        pilot.app.query_one(Input).focus()
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
        driver = app._driver
        assert isinstance(driver, WireDriver)
        driver.written.clear()
        mark = len(app.sent)
        with app.suspend():
            assert driver.written == ["\x1b[m"]
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
        app._sync_available = True
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
        app._sync_available = True
        box = app.query_one(Input)
        for value in ("x", "xy", "xyz"):
            box.value = value
            await redrawn(pilot, box)
        assert app._pinged_at is not None
        app._pinged_at -= 1.0
        app.post_message(TerminalSupportsSynchronizedOutput())
        await pilot.pause()
        assert app._pinged_at is None
        assert app.pace.slow
        app.use_link_speed("fast")
        assert not app.pace.slow

    app = await run(use)
    assert "".join(app.sent).count("\x1b[?2026$p") == 1
