"""Following by page: on a slow link the screen is turned, not scrolled."""

from __future__ import annotations

from textual.app import App, ComposeResult

from tui.ui.transcript.view import Entry, Heading, Tone, Transcript

HEIGHT = 20


class Reading(App[None]):
    """A transcript and nothing else."""

    def compose(self) -> ComposeResult:
        yield Transcript()


def shown(transcript: Transcript) -> list[str]:
    return [transcript.render_line(y).text.rstrip() for y in range(HEIGHT)]


async def test_the_page_fills_from_above_and_is_then_turned() -> None:
    app = Reading()
    async with app.run_test(size=(60, HEIGHT)) as pilot:
        transcript = app.query_one(Transcript)
        transcript.set_paging(True)
        transcript.add(Entry("a", Heading("model", Tone.MODEL), streaming=True))
        turns = 0
        before = shown(transcript)
        for number in range(100):
            transcript.extend("a", f"- line {number}\n")
            await pilot.pause()
            now = shown(transcript)
            assert any(f"line {number}" in line for line in now)
            if number and now[0] != before[0]:
                turns += 1
                # A quarter of the old page is still in sight, the rest is free for what comes.
                kept = HEIGHT - before.index(now[0])
                assert 1 <= kept <= HEIGHT // 4
                assert now[:kept] == [row.removesuffix("▌") for row in before[-kept:]]
                assert now[-1] == ""
            before = now
        assert turns == 6
        assert transcript.following

        transcript.page_up()
        assert not transcript.following
        place = shown(transcript)
        transcript.extend("a", "- more\n" * 50)
        await pilot.pause()
        assert shown(transcript) == place
        transcript.follow()
        await pilot.pause()
        assert any("more" in line for line in shown(transcript))


async def test_back_on_a_fast_link_the_end_is_at_the_bottom() -> None:
    app = Reading()
    async with app.run_test(size=(60, HEIGHT)) as pilot:
        transcript = app.query_one(Transcript)
        transcript.set_paging(True)
        transcript.add(Entry("a", Heading("model", Tone.MODEL), streaming=True))
        transcript.extend("a", "".join(f"- line {number}\n" for number in range(30)))
        await pilot.pause()
        transcript.set_paging(False)
        transcript.extend("a", "- the last\n")
        await pilot.pause()
        assert "the last" in shown(transcript)[-1]
