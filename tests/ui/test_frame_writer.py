"""A running app's frames, through the writer and the stock way: both terminals show the same."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from rich.console import RenderableType
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.drivers.headless_driver import HeadlessDriver
from textual.events import Resize
from textual.geometry import Offset, Size
from textual.messages import TerminalSupportsSynchronizedOutput
from textual.pilot import Pilot
from textual.screen import ModalScreen, Screen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Footer, Header, Input, Label, ListItem, ListView, RichLog, Static, TabbedContent, TabPane

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
        self.differences: list[str] = []

    def compose(self) -> ComposeResult:
        yield Header()
        with TabbedContent():
            with TabPane("Log", id="log-tab"), Horizontal():
                yield ListView(*[ListItem(Label(f"item {n}")) for n in range(30)], id="side")
                yield RichLog(id="log", wrap=True)
            with TabPane("Wide", id="wide-tab"), VerticalScroll(id="wide"):
                for n in range(40):
                    yield Static(f"{n} 漢字かな交じり文 한국어 [b]Việt[/b] чай [on blue]zażółć[/] שלום ✅ 🙂 end", classes="line")
        yield Input(placeholder="say something")
        yield Footer()

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        driver = self._driver
        if not isinstance(driver, WireDriver) or not self._writes_now() or not isinstance(renderable, CompositorUpdate):
            super()._display(screen, renderable)
            return
        if isinstance(renderable, LayoutUpdate) and renderable.region.size != (len(self.stock.cells()[0]), len(self.stock.cells())):
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
        if found := difference(self.stock.cells(), self.ours.cells()):
            self.differences.append(f"frame {self.frames_compared} ({type(renderable).__name__}): {found}")
        if self.ours.cursor != (x, y):
            self.differences.append(f"frame {self.frames_compared}: cursor at {self.ours.cursor}, wanted {(x, y)}")


class Ask(ModalScreen[None]):
    BINDINGS = [("escape", "dismiss", "Close")]

    def compose(self) -> ComposeResult:
        yield Input(placeholder="漢字")


@pytest.fixture(autouse=True)
def terminal_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """One depth for all: Rich keeps in each style the sequence of the depth that it was first drawn in."""
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "LOKAL_FRAMES", "TMUX", "STY"):
        monkeypatch.delenv(name, raising=False)


async def run(scenario: Scenario, app: ComparingApp | None = None, size: tuple[int, int] = (80, 24)) -> ComparingApp:
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


WORDS = "alpha beta gamma delta чай зелёный zażółć gęślą Việt Nam oʻzbek 漢字 한국어 ✅ e\u0301 🙂 שלום".split()


def line(random_: random.Random) -> str:
    return " ".join(random_.choice(WORDS) for _ in range(random_.randint(1, 25)))


async def resize(app: ComparingApp, width: int, height: int) -> None:
    size = Size(width, height)
    app.post_message(Resize(size, size))


@pytest.mark.parametrize("seed", range(3))
async def test_random_use_looks_as_with_textual(seed: int) -> None:
    random_ = random.Random(seed)

    async def use(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, ComparingApp)
        log = app.query_one("#log", RichLog)
        for _ in range(45):
            match random_.randrange(11):
                case 0 | 1 | 2:
                    for _ in range(random_.randint(1, 4)):
                        log.write(line(random_))
                case 3:
                    log.scroll_relative(y=random_.randint(-9, 9), animate=False)
                case 4:
                    await pilot.press(*random_.choices(["a", "ł", "ж", "tab", "down", "up", "backspace"], k=3))
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
