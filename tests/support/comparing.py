"""An app that compares two terminals after each frame: one is written to by the frame writer, one the stock way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from rich.console import RenderableType
from rich.segment import ControlType, Segment
from rich.style import Style
from textual._compositor import CompositorUpdate, LayoutUpdate
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.drivers.headless_driver import HeadlessDriver
from textual.events import Resize
from textual.geometry import Size
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

    @property
    def wire(self) -> WireDriver:
        """The terminal that the frames are written to."""
        driver = self._driver
        assert isinstance(driver, WireDriver)
        return driver

    def can_synchronize(self) -> None:
        """The terminal has said that it can take a frame as one."""
        self._sync_available = True

    @property
    def terminal_is_asked(self) -> bool:
        """Whether the terminal was asked something by which the line's delay is measured, and has not answered."""
        return self._pinged_at is not None

    def pass_time(self, seconds: float) -> None:
        """The terminal takes so long to answer."""
        assert self._pinged_at is not None
        self._pinged_at -= seconds

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


async def resize(app: ComparingApp, width: int, height: int) -> None:
    size = Size(width, height)
    app.post_message(Resize(size, size))


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
    app = pilot.app
    await app.screen.mount(odd)
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
