"""Entries of the transcript that change: reasoning that folds, answers that go on, are replaced or dropped."""

from __future__ import annotations

from tests.support.transcript import MODEL, YOU, answer, chat, running, screen
from tui.ui.transcript.entry import Entry, EntryNotice, Heading, Tone


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
        transcript.show([answer("1. one\n2. tw", streaming=False, notice=EntryNotice("stopped", Tone.MUTED))])
        assert screen(transcript)[1:5] == ["1. one", "2. tw", "", "stopped"]
        transcript.replace(answer("1. one\n2. tw"))
        transcript.extend("a", "o\n3. three")
        assert screen(transcript)[1:5] == ["1. one", "2. two", "3. three▌", ""]


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
            lambda width: [
                (("Model  ", "muted"), ("llama", "second"), (" and what more can be said of it", "")),
                (),
                f"a plain line that is longer than {width} cells",
            ]
        )
        assert screen(transcript)[1:6] == [
            " Model  llama and what more can be said",
            "        of it",
            "",
            " a plain line that is longer than 38",
            " cells",
        ]
        transcript.add(Entry("a", YOU, "hello"))
        assert screen(transcript)[1] == "hello"
        transcript.truncate_after(None)
        assert screen(transcript)[1].startswith(" Model  llama")
