"""What the transcript leaves out: rendering what is not in sight, painting what did not change, loading too early."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.geometry import Region

from tests.support.transcript import answer, chat, running
from tui.core.block import LIMIT
from tui.core.blocks import Block
from tui.ui.transcript import cache
from tui.ui.transcript.entry import Heading, Tone
from tui.ui.transcript.markdown import block_lines
from tui.ui.transcript.prose import Line


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


async def test_markdown_and_highlighting_are_loaded_when_first_needed() -> None:
    import subprocess
    import sys

    code = "import sys, tui.ui.transcript.view; print('markdown_it' in sys.modules, 'pygments.lexers' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: ASYNC221  # a test may wait
    assert done.stdout.split() == ["False", "False"]
