"""Small screens: what lokal says in the empty chat, and what it asks, is whole on them."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from tests.support.app_driver import NOBODY, AppDriver, running
from tests.support.fitting import ASKED, nearly_full
from tests.support.fitting_prompts import LONG
from tests.support.snapshot import check
from tui.chat.state import ConnectionStatus, ModelSettings, ServerState
from tui.core.endpoint import Endpoint, ServerKind
from tui.core.model import Model, ServerInfo
from tui.servers.connect import Connection
from tui.servers.registry import server_for
from tui.ui.chat.welcome import welcome
from tui.ui.start.panel import Line
from tui.ui.state import ScreenState

NARROW = 48
"""What 50 columns leave for the empty chat."""


def state_with(kind: ServerKind, *models: Model, version: str = "0.33.0") -> ScreenState:
    """A state with a server that is never asked."""
    endpoint = Endpoint("http://127.0.0.1:9", kind)
    connection = Connection(server_for(endpoint), ServerInfo(kind, endpoint.url, version), models)
    server = ServerState(ConnectionStatus.CONNECTED, connection)
    return ScreenState(server, ModelSettings(models[0].name if models else "", 8192))


def widths(lines: tuple[Line, ...]) -> list[int]:
    return [sum(cell_len(text) for text, _ in line) for line in lines]


@pytest.mark.parametrize(
    "state",
    [
        state_with(ServerKind.OLLAMA, Model("llama3.2:3b", parameters="3.2B", quantization="Q4_K_M", size=2 << 30)),
        state_with(ServerKind.LLAMACPP, Model("qwen"), version="b" * 24),
        state_with(ServerKind.OLLAMA),
        state_with(ServerKind.VLLM),
    ],
    ids=["model", "long version", "no model", "no model there"],
)  # fmt: skip
def test_no_line_of_the_empty_chat_is_wider_than_the_screen(state: ScreenState) -> None:
    narrow, wide = welcome(state, NARROW), welcome(state, 118)
    assert max(widths(narrow)) <= NARROW
    assert len(narrow) == len(wide)
    assert sum(widths(wide)) > sum(widths(narrow)), "where there is room more is said"


@pytest.mark.parametrize("size", [(50, 15), (80, 24)])
async def test_nobody_answers(size: tuple[int, int]) -> None:
    async with running(NOBODY, size=size) as driver:
        await driver.see(r"   look again \(F8\)")
        await driver.see("   start or name a server")
        await driver.see("Tab or ↓ chooses here")


async def test_the_empty_chat_follows_the_width() -> None:
    async with running(NOBODY, size=(50, 15)) as driver:
        await driver.see("Tab or ↓ chooses here\n")
        await driver.resize(80, 15)
        await driver.see("Tab or ↓ chooses here; what you type is a question\n")
        await driver.see("how to start Ollama or llama-server here")


async def test_the_choice_under_the_cursor_is_in_sight_on_a_very_low_screen() -> None:
    async with running(NOBODY) as driver:
        await driver.see("Tab or ↓ chooses here")
        await driver.press("tab", "down", "down", "down")
        await driver.see(" › 4 look again")
        for size in ((80, 6), (40, 5), (80, 24)):
            await driver.resize(*size)
            await driver.see(" › 4 look again")
        await driver.resize(80, 6)
        await driver.press("up", "up", "up")
        await driver.see(" › 1 ask the guide")


def said(driver: AppDriver) -> list[str]:
    """The rows of the question."""
    return driver.rows_of("decision")


async def test_a_question_of_lokal_is_whole_down_to_50_columns() -> None:
    async with nearly_full() as (driver, _):
        await driver.ask(LONG)
        await driver.see(ASKED)
        for size in ((50, 15), (50, 24), (80, 15), (64, 17)):
            await driver.resize(*size)
            rows = said(driver)
            assert "…" not in "".join(rows), size
            assert len(rows) <= size[1] * 0.6
            assert "do not ask" in " ".join(rows[-2:]), size
            assert "for the answer" in " ".join(row.strip() for row in rows)
        await driver.resize(50, 12)
        rows = said(driver)
        assert "do not ask" in " ".join(rows[-2:]), "none is out of sight"
        assert any(row.endswith("…") for row in rows), "what is cut says so"
        await driver.resize(50, 24)
        await check(driver, "fit-choice")
