"""The store: every message comes out as it went in, whatever is in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.core.message import Attachment, Message, Problem, Role, Status, Timings, Usage, new_id
from tui.store.cleaning import cleaned
from tui.store.store import Store

NOON = 1_790_000_000.0


@pytest.fixture(scope="module")
def memory() -> Iterator[Store]:
    opened = Store.in_memory()
    yield opened
    opened.close()


TEXT = st.text(st.characters(), max_size=40) | st.sampled_from(
    ["a\x00b", "😀", "\ud83d", "\ude00\ud83d", "Ў ợ ż\r\n"]
)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
COUNT = st.none() | st.integers(min_value=0, max_value=2**70)
SECONDS = st.none() | FINITE
VALUE = st.booleans() | st.integers() | FINITE | TEXT | st.lists(TEXT, max_size=3).map(tuple)
MESSAGES = st.builds(
    Message,
    id=st.builds(new_id),
    parent=st.none(),
    role=st.sampled_from(Role),
    content=TEXT,
    created_at=FINITE,
    reasoning=TEXT,
    status=st.sampled_from(Status),
    model=TEXT,
    server=TEXT,
    preset=TEXT,
    parameters=st.dictionaries(st.from_regex(r"[a-z_]{1,9}", fullmatch=True), VALUE, max_size=4),
    usage=st.builds(Usage, COUNT, COUNT, COUNT),
    timings=st.builds(Timings, SECONDS, SECONDS, SECONDS, SECONDS, SECONDS),
    finish_reason=TEXT,
    problem=st.none() | st.builds(Problem, TEXT, TEXT, TEXT),
    attachments=st.lists(st.builds(Attachment, TEXT, TEXT, st.binary(max_size=30)), max_size=3).map(tuple),
    edited=st.booleans(),
)


def whole(text: str) -> str:
    """`text` as far as UTF-16 can say it."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def expected(message: Message) -> Message:
    problem = message.problem
    return replace(
        message,
        content=whole(message.content),
        reasoning=whole(message.reasoning),
        model=whole(message.model),
        server=whole(message.server),
        preset=whole(message.preset),
        finish_reason=whole(message.finish_reason),
        parameters={
            name: whole(value)
            if isinstance(value, str)
            else tuple(whole(item) for item in value)
            if isinstance(value, tuple)
            else value
            for name, value in message.parameters.items()
        },
        problem=problem and Problem(whole(problem.title), whole(problem.detail), whole(problem.hint)),
        attachments=tuple(
            Attachment(whole(file.name), whole(file.media_type), file.data) for file in message.attachments
        ),
    )


def as_read(message: Message) -> Message:
    """What comes of an exported message when the export is read: safe texts, times and counts that can be."""
    created_at = min(max(message.created_at, 0.0), 253_402_214_400.0)
    usage, most = message.usage, 2**53
    prompt, completion, cached = (
        None if count is None or count > most else count
        for count in (usage.prompt, usage.completion, usage.cached)
    )
    return replace(cleaned(message), created_at=created_at, usage=Usage(prompt, completion, cached))


@settings(deadline=None, max_examples=150)
@given(first=MESSAGES, second=MESSAGES)
def test_a_message_comes_out_as_it_went_in(memory: Store, first: Message, second: Message) -> None:
    chat = new_id()
    memory.create_chat(chat, "", NOON)
    memory.add_message(chat, first)
    assert list(memory.load(chat)) == [expected(first)]

    memory.update_message(chat, replace(second, id=first.id))
    loaded = memory.load(chat)[first.id]
    assert loaded == expected(replace(second, id=first.id))
    assert {name: type(value) for name, value in loaded.parameters.items()} == {
        name: type(value) for name, value in second.parameters.items()
    }


@given(pieces=st.lists(st.tuples(TEXT, TEXT), max_size=6))
@settings(deadline=None, max_examples=50)
def test_checkpoints_are_appended_and_replaced_by_the_whole(
    memory: Store, pieces: list[tuple[str, str]]
) -> None:
    chat, first = new_id(), Message(new_id(), None, Role.USER, "?", NOON)
    streaming = Message(
        new_id(), first.id, Role.ASSISTANT, "so far: ", NOON + 1, reasoning="hm ", status=Status.STREAMING
    )
    memory.create_chat(chat, "", NOON)
    memory.add_message(chat, first)
    memory.add_message(chat, streaming)
    for content, reasoning in pieces:
        memory.checkpoint(streaming.id, content, reasoning)
    loaded = memory.load(chat)[streaming.id]
    assert loaded.content == "so far: " + "".join(whole(content) for content, _ in pieces)
    assert loaded.reasoning == "hm " + "".join(whole(reasoning) for _, reasoning in pieces)

    done = replace(streaming, content="all of it", status=Status.COMPLETE)
    memory.update_message(chat, done)
    memory.checkpoint(streaming.id, "late", "late")
    assert memory.load(chat)[streaming.id] == done

    memory.update_message(chat, replace(done, status=Status.STREAMING))
    assert memory.load(chat)[streaming.id].content == "all of it"
