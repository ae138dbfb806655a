"""Estimates of tokens, what is learnt from the server's counts, and what is left out to fit a window."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.context_trim import EVERYTHING, LEFT_OUT, SUMMARY, SUMMARY_HEAD, ContextTrim, view_of
from tui.core.conversation import Conversation
from tui.core.message import Attachment, Message, Role, Usage, Value
from tui.core.request import Turn, turns_of
from tui.core.summary import portions, summary_request, summary_tokens
from tui.core.token_budget import TokenBudget, answer_room, exchanges, oldest_to_drop
from tui.core.tokens import IMAGE_TOKENS, SAMPLED, Count, TokenSizeCache, estimate, quick_estimate

MODEL = "m"


def question(id: str, parent: str | None, text: str = "Why is the sky blue?", **more: object) -> Message:
    return replace(Message(id, parent, Role.USER, text, 10.0), **more)  # type: ignore[arg-type]  # fields by name


def answer(id: str, parent: str, text: str = "Because of scattering.", **more: object) -> Message:
    return replace(Message(id, parent, Role.ASSISTANT, text, 10.0, model=MODEL), **more)  # type: ignore[arg-type]  # fields by name


def talk(count: int, text: str = "word " * 40) -> tuple[Message, ...]:
    """So many questions, each but the last with its answer."""
    path: list[Message] = []
    for n in range(count):
        path.append(question(f"q{n}", path[-1].id if path else None, text))
        if n < count - 1:
            path.append(answer(f"a{n}", f"q{n}", text))
    return tuple(path)


# -- estimates ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "characters_per_token"),
    [
        ("The quick brown fox jumps over the lazy dog. " * 20, 4.0),
        ("Zażółć gęślą jaźń, a potem idź spać. " * 20, 2.2),
        ("Съешь ещё этих мягких французских булок. " * 20, 2.6),
        ("Tôi muốn học tiếng Việt mỗi ngày. " * 20, 2.5),
        ("我想每天学习中文。" * 40, 1.0),
        ("👍" * 40, 0.5),
    ],
)
def test_each_script_has_its_own_rate(text: str, characters_per_token: float) -> None:
    assert len(text) / estimate(text) == pytest.approx(characters_per_token, rel=0.25)


def test_nothing_takes_nothing() -> None:
    assert estimate("") == quick_estimate("") == 0


@given(st.text(), st.text())
def test_a_longer_text_takes_no_fewer(text: str, more: str) -> None:
    assert estimate(text) <= estimate(text + more)
    assert estimate(text) <= estimate(more + text)
    assert 0 <= estimate(text) <= 2 * len(text) + 1


@pytest.mark.parametrize("text", ["plain words, ", "слова и знаки, ", "中文和 Latin, "])
def test_a_very_long_text_is_estimated_from_samples(text: str) -> None:
    long = text * (3 * SAMPLED // len(text))
    assert quick_estimate(long) == pytest.approx(estimate(long), rel=0.05)
    assert quick_estimate(text) == estimate(text)


def test_attachments_count_and_reasoning_does_not() -> None:
    plain = question("q", None)
    files = (Attachment("a.png", "image/png", b"\x89"), Attachment("a.md", "text/markdown", b"x" * 400))
    sizes = TokenSizeCache()
    assert sizes.of(replace(plain, id="r", attachments=files)) == pytest.approx(
        sizes.of(plain) + IMAGE_TOKENS + 100, abs=10
    )
    thoughtful = answer("a", "q", reasoning="Hm. " * 500)
    assert sizes.of(thoughtful) == TokenSizeCache().of(replace(thoughtful, reasoning=""))
    longer = replace(thoughtful, content=thoughtful.content * 50)
    assert sizes.of(longer) > 10 * sizes.of(thoughtful), "an answer that came in further is estimated anew"


# -- what a prompt takes ------------------------------------------------------------------------------------------------


def test_what_the_server_counted_is_exact() -> None:
    path = (question("q", None), answer("a", "q", usage=Usage(30, 12)))
    assert TokenBudget(path, MODEL).prompt == Count(42, exact=True)
    asked = (*path, question("r", "a"))
    more = TokenBudget(asked, MODEL).prompt
    assert not more.exact
    assert 42 < more.tokens < 80


def test_the_counts_of_another_model_are_not_its_own() -> None:
    path = (question("q", None), answer("a", "q", usage=Usage(30, 12)))
    assert not TokenBudget(path, "other").prompt.exact


def test_reasoning_is_not_sent_back() -> None:
    spent = answer("a", "q", reasoning="Hm. " * 900, usage=Usage(30, 1000))
    budget = TokenBudget((question("q", None), spent), MODEL)
    assert budget.prompt.tokens < 60
    assert not budget.prompt.exact
    assert budget.used == Count(1030, exact=True), "but it is in the window"


def test_the_estimate_learns_from_what_was_counted() -> None:
    text = "word " * 100
    path = (
        question("q", None, text),
        answer("a", "q", text, usage=Usage(520, 500)),
        question("r", "a", text),
        answer("b", "r", text, usage=Usage(1540, 500)),
    )
    assert TokenBudget(path, MODEL).factor == pytest.approx(4, rel=0.1)
    assert TokenBudget((*path, question("s", "b", text)), MODEL).prompt.tokens == pytest.approx(
        2540, rel=0.05
    )
    assert TokenBudget(path, "other").factor == 1.0


def test_a_count_of_this_very_prompt_teaches_most() -> None:
    budget = TokenBudget(talk(3), MODEL)
    before = budget.prompt.tokens
    budget.counted(before * 3)
    assert budget.prompt == Count(before * 3, exact=True)
    assert budget.factor == pytest.approx(3, rel=0.01)


def test_an_answer_given_on_less_of_the_branch_is_not_believed() -> None:
    """What was counted then says nothing of the whole, and the other way round."""
    path = talk(20)
    partial = answer("z", path[-1].id, "Yes.", usage=Usage(80, 2), parameters={LEFT_OUT: "a17"})
    path = (*path, partial)
    assert TokenBudget(path, MODEL).prompt.tokens > 1000
    assert TokenBudget(path, MODEL, view=ContextTrim("a17")).prompt == Count(82, exact=True)
    assert not TokenBudget(path, MODEL, view=ContextTrim("a18")).prompt.exact
    assert not TokenBudget(path, MODEL, view=ContextTrim("a17", "A summary.")).prompt.exact
    assert TokenBudget(path, MODEL, view=ContextTrim("nowhere")).prompt.tokens > 1000


def test_what_was_learnt_elsewhere_holds_where_nothing_is_learnt() -> None:
    path = talk(1)
    plain = TokenBudget(path, MODEL).prompt.tokens
    assert TokenBudget(path, MODEL, factor=2.0).prompt.tokens == pytest.approx(2 * plain, abs=1)


# -- what fits ----------------------------------------------------------------------------------------------------------


def test_the_oldest_go_and_the_newest_question_stays() -> None:
    path = talk(6)
    budget = TokenBudget(path, MODEL, "Be brief.")
    assert budget.cut(10_000) is not None
    half = budget.prompt.tokens // 2
    cut = budget.cut(half)
    assert cut is not None
    assert [message.id for message in cut.dropped] == [m.id for m in path[: len(cut.dropped)]]
    assert 3 <= cut.questions <= 5
    assert cut.left <= half
    everything = budget.cut(80)
    assert everything is not None
    assert everything.dropped == path[:-1]
    assert budget.cut(30) is None, "the question alone is too long"


def test_an_answer_that_is_continued_stays_with_its_question() -> None:
    path = talk(4)[:-1]
    cut = TokenBudget(path, MODEL).cut(200)
    assert cut is not None
    assert path[-1] not in cut.dropped
    assert path[-2] not in cut.dropped


def test_what_comes_before_the_first_question_belongs_to_it() -> None:
    greeting = Message("g", None, Role.ASSISTANT, "Hello!", 0.0)
    groups = exchanges(
        (greeting, question("q", "g"), answer("a", "q"), question("r", "a"), question("s", "r"))
    )
    assert [[message.id for message in group] for group in groups] == [["g", "q", "a"], ["r"], ["s"]]


sizes_of_turns = st.lists(st.integers(0, 5000), min_size=1, max_size=40)


@given(sizes_of_turns, st.integers(0, 500), st.integers(0, 60_000))
def test_never_the_newest_and_only_if_it_must(sizes: list[int], fixed: int, limit: int) -> None:
    count = oldest_to_drop(sizes, fixed, limit)
    if count is None:
        assert fixed + sizes[-1] > limit
        return
    assert 0 <= count < len(sizes)
    assert fixed + sum(sizes[count:]) <= limit
    assert (count == 0) == (fixed + sum(sizes) <= limit)


@given(sizes_of_turns, st.integers(0, 500), st.integers(0, 60_000), st.integers(0, 60_000))
def test_more_room_never_leaves_out_more(sizes: list[int], fixed: int, limit: int, more: int) -> None:
    small, large = oldest_to_drop(sizes, fixed, limit), oldest_to_drop(sizes, fixed, limit + more)
    if small is not None:
        assert large is not None
        assert large <= small


@given(st.one_of(st.none(), st.integers(1, 100_000)), st.integers(16, 1_000_000))
def test_room_is_kept_for_the_answer(max_tokens: int | None, window: int) -> None:
    room = answer_room(max_tokens, window)
    assert 0 < room <= window // 2
    assert max_tokens is None or room <= max_tokens


def test_rooms() -> None:
    assert answer_room(512, 8192) == 256
    assert answer_room(4096, 8192) == 1024
    assert answer_room(100, 8192) == 100
    assert answer_room(None, 8192) == 256
    assert answer_room(4096, 512) == 256


# -- what the model sees ------------------------------------------------------------------------------------------------


def test_a_view_holds_for_the_branches_that_run_through_it() -> None:
    path = talk(3)
    view = ContextTrim("a0", "They greeted each other.")
    assert [message.id for message in view.seen(path)] == ["q1", "a1", "q2"]
    assert view.system(path, "Be brief.") == f"Be brief.\n\n{SUMMARY_HEAD}\nThey greeted each other."
    assert view.system(path, " ") == f"{SUMMARY_HEAD}\nThey greeted each other."
    other = (question("x", None), answer("y", "x"), question("z", "y"))
    assert view.seen(other) == other
    assert view.system(other, "Be brief.") == "Be brief."
    assert EVERYTHING.seen(path) == path
    assert ContextTrim("a0").system(path, "Be brief.") == "Be brief."


def test_the_turns_are_those_that_are_seen() -> None:
    path = talk(2, "word")
    view = ContextTrim("a0", "Short.")
    assert turns_of(path, "Be brief.", view) == (
        Turn(Role.SYSTEM, f"Be brief.\n\n{SUMMARY_HEAD}\nShort."),
        Turn(Role.USER, "word"),
    )
    assert Conversation("c").view == EVERYTHING


def test_an_answer_records_what_its_model_saw() -> None:
    path = talk(3)
    assert EVERYTHING.recorded(path) == ContextTrim("nowhere", "x").recorded(path) == {}
    assert ContextTrim("a0").recorded(path) == {LEFT_OUT: "a0"}
    view = ContextTrim("a0", "Short.")
    assert view.recorded(path) == {LEFT_OUT: "a0", SUMMARY: "Short."}
    assert view_of(answer("z", "q2", parameters=view.recorded(path))) == view
    assert view_of(answer("z", "q2", parameters={LEFT_OUT: 3, SUMMARY: ("a",)})) == EVERYTHING
    assert view_of(None) == view_of(path[1]) == EVERYTHING


# -- summaries ----------------------------------------------------------------------------------------------------------


@given(st.lists(st.text(max_size=3000), max_size=12), st.integers(50, 2000), st.floats(0.25, 8))
def test_portions_have_every_message_and_fit(texts: list[str], limit: int, factor: float) -> None:
    messages = [question(f"q{n}", None, text) for n, text in enumerate(texts)]
    found = portions(messages, limit, factor)
    assert [message for portion in found for message, _ in portion] == [
        m for m in messages if m.content.strip()
    ]
    for portion in found:
        assert portion
        assert len(portion) == 1 or sum(estimate(text) * factor for _, text in portion) <= limit + len(
            portion
        )


def test_a_text_that_fits_no_portion_loses_its_middle() -> None:
    (portion,) = portions([question("q", None, "start " + "x" * 9000 + " end")], 500)
    ((_, text),) = portion
    assert text.startswith("start x")
    assert text.endswith("x end")
    assert "[…]" in text
    assert estimate(text) <= 510


def test_the_question_for_a_summary() -> None:
    first, second = question("q", None, "Where is it?"), answer("a", "q", "Here.")
    parameters: dict[str, Value] = {
        "context_window": 4096,
        "stop": ("\n\n",),
        "temperature": 1.0,
        "max_tokens": 9,
    }
    asked = summary_request(
        "m", parameters, [(first, first.content), (second, second.content)], " Before. ", 300
    )
    assert asked.parameters == {"context_window": 4096, "temperature": 0.2, "max_tokens": 300}
    (turn,) = asked.turns
    assert turn.role is Role.USER
    assert turn.content.endswith("Before.\n\nPerson: Where is it?\n\nAssistant: Here.")
    assert "at most 200 words" in turn.content
    assert "already summarised" not in summary_request("m", {}, [], "", 300).turns[0].content


def test_how_long_a_summary_may_be() -> None:
    assert [summary_tokens(window) for window in (256, 2048, 8192)] == [64, 256, 512]
