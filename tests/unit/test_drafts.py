"""When a draft is written down."""

from __future__ import annotations

import asyncio

from tui.ui.chat.drafts import DraftKeeper


async def test_only_what_changed_is_written_and_only_when_it_is_known_what_was_there() -> None:
    saved: list[str] = []
    text = ""
    keeper = DraftKeeper(lambda: text, saved.append)
    keeper.keep()
    assert saved == [], "the draft on the disk is not read yet"
    keeper.start("old")
    text = "old"
    keeper.keep()
    assert saved == []
    text = "old and new"
    keeper.keep()
    text = " \n"
    keeper.keep()
    keeper.keep()
    assert saved == ["old and new", ""], "blanks are no draft"
    keeper.renew()
    keeper.keep()
    assert saved == ["old and new", "", ""]
    keeper.pause()
    text = "of another chat"
    keeper.keep()
    assert len(saved) == 3


async def test_it_is_written_by_itself_after_the_last_key() -> None:
    written = asyncio.Event()
    saved: list[str] = []

    def save(text: str) -> None:
        saved.append(text)
        written.set()

    keeper = DraftKeeper(lambda: "typed", save)
    keeper.start("")
    for _ in range(5):
        keeper.touched()
    await asyncio.wait_for(written.wait(), 15)
    assert saved == ["typed"]
