"""When a draft is written down."""

from __future__ import annotations

import asyncio

from tui.chat.draft_autosave import DraftAutosave
from tui.core.draft import Draft
from tui.core.message import Attachment


async def test_only_what_changed_is_written_and_only_when_it_is_known_what_was_there() -> None:
    saved: list[Draft] = []
    draft = Draft()
    autosave = DraftAutosave(lambda: draft, saved.append)
    autosave.keep()
    assert saved == [], "the draft on the disk is not read yet"
    autosave.start(Draft("old"))
    draft = Draft("old")
    autosave.keep()
    assert saved == []
    draft = Draft("old and new")
    autosave.keep()
    draft = with_file = Draft("old and new", (Attachment("a.txt", "text/plain", b"x"),))
    autosave.keep()
    autosave.keep()
    assert saved == [Draft("old and new"), with_file], "a file is something new too"
    autosave.renew()
    autosave.keep()
    assert saved == [Draft("old and new"), with_file, with_file]
    autosave.pause()
    draft = Draft("of another chat")
    autosave.keep()
    assert len(saved) == 3


async def test_it_is_written_by_itself_after_the_last_key() -> None:
    written = asyncio.Event()
    saved: list[Draft] = []

    def save(draft: Draft) -> None:
        saved.append(draft)
        written.set()

    autosave = DraftAutosave(lambda: Draft("typed"), save)
    autosave.start(Draft())
    for _ in range(5):
        autosave.touched()
    await asyncio.wait_for(written.wait(), 60)
    assert saved == [Draft("typed")]
