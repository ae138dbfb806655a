"""Reading chats from files, and taking them in: all or nothing, and never twice."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.test_store_roundtrip import MESSAGES, as_read, expected
from tui.core.conversation import Conversation
from tui.core.message import Attachment, Message, Problem, Role, Status, Usage
from tui.errors import FileError, MalformedFile, StoreError
from tui.store import importing
from tui.store.export import chat_as_json
from tui.store.importing import read_chats
from tui.store.rows import ChatSummary, WholeChat
from tui.store.store import Store

DATA = Path(__file__).parents[1] / "data" / "chats"
NOON = 1_790_000_000.125


@pytest.fixture
def store() -> Iterator[Store]:
    opened = Store.in_memory()
    yield opened
    opened.close()


def json_of(value: object) -> bytes:
    return json.dumps(value).encode()


# -- lokal's own ----------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=80)
@given(
    st.lists(st.tuples(MESSAGES, st.integers(0, 9)), min_size=1, max_size=6), st.integers(0, 9), st.booleans()
)
def test_what_lokal_exports_it_reads_exactly(
    drawn: list[tuple[Message, int]], opened_at: int, flag: bool
) -> None:
    messages: list[Message] = []
    for number, (message, above) in enumerate(drawn):
        parent = None if not messages or above == 0 else messages[above % len(messages)].id
        messages.append(replace(expected(message), id=f"m{number}", parent=parent))
    conversation = Conversation("c0ffee", "Zażółć\n", messages, messages[opened_at % len(messages)].id)
    summary = ChatSummary("c0ffee", "Zażółć\n", NOON, NOON + 1 / 3, len(messages), flag, not flag)
    (chat,) = read_chats(chat_as_json(conversation, summary).encode()).chats
    leaf = conversation.leaf
    read = [as_read(message) for message in messages]
    again = Conversation("c0ffee", "Zażółć", read, None if leaf is None else leaf.id)
    assert chat.conversation.fingerprint() == again.fingerprint()
    assert chat.summary == replace(summary, title="Zażółć")


def test_an_exported_chat_comes_back_into_the_store(store: Store) -> None:
    question = Message(
        "q", None, Role.USER, "Why?", NOON, attachments=(Attachment("a", "image/png", b"\0\xff"),)
    )
    answers = [Message(f"a{number}", "q", Role.ASSISTANT, f"{number}", NOON + 1) for number in range(3)]
    store.create_chat("one", "Trees", NOON)
    for message in (question, *answers):
        store.add_message("one", message)
    store.select("one", "a1")
    store.pin("one", True)
    before, summary = store.load("one").fingerprint(), store.find("one")
    text = chat_as_json(store.load("one"), store.find("one"))
    assert store.import_chats(read_chats(text.encode()).chats).skipped == ("one",)

    store.purge_chat("one")
    assert store.import_chats(read_chats(text.encode()).chats, now=NOON + 60).added == ("one",)
    assert store.load("one").fingerprint() == before
    assert store.find("one") == summary
    assert [hit.message_id for hit in store.search("why")] == ["q"]


def test_an_export_of_the_first_release_is_read_too() -> None:
    message = Message("q", None, Role.USER, "Why?", NOON)
    text = chat_as_json(Conversation("one", "Old", [message]), ChatSummary("one", "Old", NOON, NOON, 1))
    document = json.loads(text)
    for name in ("format", "version", "created_s", "updated_s", "pinned", "archived"):
        del document[name]
    del document["messages"][0]["created_s"]
    (chat,) = read_chats(json_of(document)).chats
    assert list(chat.conversation) == [message]


def test_a_taken_id_gives_a_copy_with_other_ids(store: Store) -> None:
    mine = Message("q", None, Role.USER, "mine", NOON)
    store.create_chat("one", "Mine", NOON)
    store.add_message("one", mine)
    messages = [
        replace(mine, content="theirs"),
        Message("a", "q", Role.ASSISTANT, "so", NOON, status=Status.STREAMING),
    ]
    other = WholeChat(
        Conversation("one", "Theirs", messages, "a"), ChatSummary("one", "Theirs", NOON, NOON, 2)
    )
    (id,) = store.import_chats([other]).added
    assert id != "one"
    question, answer = store.load(id).path()
    assert (question.content, answer.content, answer.status) == ("theirs", "so", Status.INTERRUPTED)
    assert question.id != "q"
    assert answer.parent == question.id
    assert list(store.load("one")) == [mine]
    assert store.find("one").title == "Mine"


def test_a_chat_that_went_on_is_not_imported_again_and_a_deleted_one_is(store: Store) -> None:
    (chat, _) = read_chats(DATA / "open-webui.json").chats
    (id,) = store.import_chats([chat]).added
    store.add_message(id, Message("more", None, Role.USER, "more", NOON))
    assert store.import_chats([chat, chat]).skipped == (id, id)
    store.delete_chat(id)
    (other,) = store.import_chats([chat]).added
    assert other != id
    assert len(store.load(other)) == len(chat.conversation)


def test_nothing_is_half_imported(store: Store) -> None:
    def interrupted() -> Iterator[WholeChat]:
        yield from read_chats(DATA / "oterm.txt").chats
        raise KeyboardInterrupt

    broken = WholeChat(Conversation("x"), ChatSummary("x", "", sys.float_info, 0.0, 1))  # type: ignore[arg-type]
    with pytest.raises(StoreError, match="Cannot import"):
        store.import_chats([*read_chats(DATA / "oterm.txt").chats, broken])
    with pytest.raises(KeyboardInterrupt):
        store.import_chats(interrupted())
    assert store.chats() == ()
    assert store.search("chmod") == ()


# -- others ---------------------------------------------------------------------------------------------------------


def test_open_webui() -> None:
    first, second = read_chats(DATA / "open-webui.json").chats
    assert (first.summary.title, first.summary.pinned, first.summary.archived) == ("Why 502", True, True)
    assert (first.summary.created_at, first.summary.updated_at) == (1730000000.0, 1730000012.0)
    question, answer, more, failed = first.conversation.path()
    assert (question.role, question.content) == (Role.USER, "Dlaczego 502? Zażółć!")
    assert question.attachments == (Attachment("image", "image/png", b"\x89PNG\r\n\x1a\n"),)
    assert (answer.model, answer.reasoning) == ("qwen3:8b", "The proxy got no answer.\nSo a < b.")
    assert answer.content == "The **upstream** is down.\n\n```sh\ncurl -i localhost\n```"
    assert answer.usage == Usage(12, 34)
    assert more.content == "And now?"
    assert (failed.status, failed.problem) == (
        Status.FAILED,
        Problem("The server reported an error", "model not found"),
    )
    branches = [first.conversation[id].content for id in first.conversation.siblings(answer.id)]
    assert branches == [answer.content, "The second answer."]
    assert [message.status for message in second.conversation] == [Status.COMPLETE, Status.INTERRUPTED]
    assert second.summary.title == "Older, without a wrapper"


def test_chatgpt() -> None:
    (chat,) = read_chats(DATA / "chatgpt.json").chats
    question, cut = chat.conversation.path()
    assert question.content == "[image]\n\nWhat is this tree?"
    assert (cut.content, cut.model, cut.status, cut.finish_reason) == (
        "A first try.",
        "gpt-4o",
        Status.STOPPED,
        "length",
    )
    thought, other = (chat.conversation[id] for id in chat.conversation.siblings(cut.id))
    assert other is cut
    assert (thought.content, thought.model) == ("It is a B-tree.", "gpt-5")
    assert thought.reasoning == "It has many keys a node."
    assert len(chat.conversation) == 3
    assert chat.summary.pinned
    assert chat.summary.updated_at == 1740000100.25
    assert not [message for message in chat.conversation if "secret" in message.content]


def test_chatgpt_in_an_object() -> None:
    document = json.loads((DATA / "chatgpt.json").read_bytes())
    assert len(read_chats(json_of({"conversations": document})).chats) == 1
    assert len(read_chats(json_of(document[0])).chats) == 1


def test_oterm() -> None:
    (chat,) = read_chats(DATA / "oterm.txt").chats
    question, answer, thanks = chat.conversation.path()
    assert (question.role, question.content) == (Role.USER, "What does\nchmod 640 mean?")
    assert answer.content == "The owner may **read**.\n\n---\n\nOthers may not."
    assert (thanks.content, chat.summary.title) == ("Thanks", "What does")
    older = "*me*\r\nhi\r\n\r\n---\r\n*ollama*\r\nhello\r\n\r\n---\r\n"
    assert [message.role for message in read_chats(older.encode()).chats[0].conversation] == [
        Role.USER,
        Role.ASSISTANT,
    ]


def test_a_file_that_is_read_twice_gives_the_same_ids(store: Store) -> None:
    for name in ("open-webui.json", "chatgpt.json", "oterm.txt"):
        first = store.import_chats(read_chats(DATA / name).chats)
        assert first.added
        assert store.import_chats(read_chats(DATA / name).chats).skipped == first.added
    assert all(len(chat.id) == 12 for chat in store.chats())


# -- what is wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "It is no JSON"),
        (b"hello", "line 1, column 1"),
        (b'[{"chat": ', "It is no JSON"),
        (b"\xff\xfe\x00", "is not UTF-8"),
        (b"PK\x03\x04rest", "ZIP"),
        (b"[" * 100_000, "nested too deeply"),
        (b"9" * 5000, "no export|digits"),
        (b"3", "no export"),
        (b"{}", "chat 1 is no chat"),
        (b'[{"mapping": {}}, 7]', "chat 2 is no chat"),
        (b"# Markdown\n", "It is no JSON"),
        (json_of({"format": "lokal chat", "version": 99}), "version 99"),
        (json_of({"format": "lokal chat", "version": 1, "id": 5}), "id is no text"),
    ],
)
def test_what_is_no_export(data: bytes, said: str) -> None:
    with pytest.raises(MalformedFile) as caught:
        read_chats(data, "f\x1b[31m.json")
    told = str(caught.value)
    assert any(each in told for each in said.split("|")), told
    assert "\x1b" not in told
    assert caught.value.hint


def changed(name: str, change: Callable[[Any], object]) -> bytes:
    document = json.loads((DATA / name).read_bytes())
    change(document[0])
    return json_of(document[:1])


def webui(chat: Any) -> Any:
    return chat["chat"]["history"]["messages"]


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("open-webui.json", lambda chat: webui(chat)["m-1"].update(parentId="m-4"), "own ancestor"),
        (
            "open-webui.json",
            lambda chat: webui(chat)["m-4"].update(parentId="gone"),
            "m-4 has a parent that is not there",
        ),
        ("open-webui.json", lambda chat: webui(chat)["m-4"].update(parentId=7), "m-4, parentId is no text"),
        ("open-webui.json", lambda chat: webui(chat)["m-2"].update(content=7), "m-2, content is no text"),
        ("open-webui.json", lambda chat: webui(chat).update(x=[]), "x is no object"),
        (
            "open-webui.json",
            lambda chat: chat["chat"]["history"].update(messages=[]),
            "messages is no object",
        ),
        ("chatgpt.json", lambda chat: chat["mapping"]["q"].update(parent="q"), "own ancestor"),
        ("chatgpt.json", lambda chat: chat["mapping"]["q"].update(parent="gone"), "not there"),
        ("chatgpt.json", lambda chat: chat["mapping"]["q"].update(message="hi"), "message is no object"),
        (
            "chatgpt.json",
            lambda chat: chat["mapping"]["a2"]["message"].update(content=None),
            "content is no object",
        ),
    ],
)
def test_what_makes_no_sense_is_named(name: str, change: Callable[[Any], object], said: str) -> None:
    with pytest.raises(MalformedFile, match="Cannot make sense") as caught:
        read_chats(changed(name, change))
    assert "chat 1" in caught.value.detail
    assert said in caught.value.detail


def test_a_chat_of_the_future_does_not_stay_first(store: Store) -> None:
    (chat,) = read_chats(DATA / "oterm.txt").chats
    ahead = WholeChat(chat.conversation, replace(chat.summary, created_at=9e9, updated_at=9e9))
    (id,) = store.import_chats([ahead], now=NOON).added
    assert store.find(id).updated_at == NOON
    store.create_chat("new", "New", NOON + 1)
    assert [each.id for each in store.chats()] == ["new", id]


def test_an_odd_chat_does_not_stop_the_others(store: Store) -> None:
    good = json.loads((DATA / "open-webui.json").read_bytes())
    odd: list[Any] = [
        copy.deepcopy(good[0]),
        7,
        {"title": " \x1b[31mBad\n", "mapping": {"u": {"message": "oops"}}},
    ]
    webui(odd[0])["m-2"].update(content=7)
    export = read_chats(json_of([odd[0], good[0], odd[1], odd[2], good[1]]))
    assert [chat.summary.title for chat in export.chats] == ["Why 502", "Older, without a wrapper"]
    assert [(each.title, each.reason.partition(".")[0]) for each in export.left_out] == [
        ("Why 502", "chat 1, chat, history, messages m-2, content is no text"),
        ("chat 3", "chat 3 is no chat that lokal knows"),
        ("Bad", "chat 4, mapping u, message is no object"),
    ]
    assert len(store.import_chats(export.chats).added) == 2
    with pytest.raises(MalformedFile, match="m-2, content is no text, and so on in 2 more"):
        read_chats(json_of(odd))


def test_the_model_of_a_chat_is_that_of_its_answers() -> None:
    document = json.loads((DATA / "chatgpt.json").read_bytes())
    for node in document[0]["mapping"].values():
        if node["message"] and node["message"].get("metadata", {}).get("model_slug") == "gpt-4o":
            del node["message"]["metadata"]["model_slug"]
    document[0]["default_model_slug"] = "gpt-5-thinking"
    (chat,) = read_chats(json_of(document)).chats
    models = {message.model for message in chat.conversation if message.role is Role.ASSISTANT}
    assert models == {"gpt-5-thinking", "gpt-5"}
    assert {message.model for message in chat.conversation if message.role is Role.USER} == {""}

    other = json.loads((DATA / "open-webui.json").read_bytes())[:1]
    del webui(other[0])["m-2"]["model"]
    for models_of, expected_model in ((["llama3:8b"], "llama3:8b"), (["a", "b"], ""), ("x", "")):
        other[0]["chat"]["models"] = models_of
        (chat,) = read_chats(json_of(other)).chats
        assert chat.conversation.path()[1].model == expected_model


TOOL = '<details type="tool_calls" done="true" name="web" arguments="&quot;{}&quot;" result="1 &gt; 0">\n<summary>Tool Executed</summary>\n</details>'
THOUGHT = '<details type="reasoning" done="true" duration="3">\n<summary>Thought for 3 seconds</summary>\n> a &lt; b\n> c\n</details>'
CODE = '<details type="code_interpreter" done="true" output="2">\n<summary>Analyzed</summary>\n```python\nprint(1 + 1)\n```\n</details>'


@pytest.mark.parametrize(
    ("content", "text", "reasoning"),
    [
        (f"{TOOL}\nHello", "Hello", ""),
        (f"{THOUGHT}\n{TOOL}\nHello", "Hello", "a < b\nc"),
        (f"{THOUGHT}\n{TOOL}\n\n{THOUGHT}\nHello", "Hello", "a < b\nc\n\na < b\nc"),
        (f"Let me look.\n\n{TOOL}\n{TOOL}\nIt is so.\n", "Let me look.\n\nIt is so.\n", ""),
        (f"I count:\n{CODE}\nTwo.", "I count:\n\n```python\nprint(1 + 1)\n```\n\nTwo.", ""),
        (TOOL, "", ""),
        (f"```html\n{TOOL}\n```\n{TOOL}\nthat", f"```html\n{TOOL}\n```\n\nthat", ""),
        ('<details type="tool_calls" done="false">\nno end', '<details type="tool_calls" done="false">\nno end', ""),
        (f"The tag {TOOL}", f"The tag {TOOL}", ""),
        ("<details>\n<summary>More</summary>\nmine\n</details>", "<details>\n<summary>More</summary>\nmine\n</details>", ""),
    ],
)  # fmt: skip
def test_what_open_webui_folds_away_is_no_text(content: str, text: str, reasoning: str) -> None:
    document = json.loads((DATA / "open-webui.json").read_bytes())[:1]
    webui(document[0])["m-2"].update(content=content)
    answer = read_chats(json_of(document)).chats[0].conversation.path()[1]
    assert (answer.content, answer.reasoning) == (text, reasoning)


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_whatever_is_changed_in_a_file_ends_in_chats_or_an_error(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["open-webui.json", "chatgpt.json", "lokal"]))
    if name == "lokal":
        (chat,) = read_chats(DATA / "oterm.txt").chats
        document: Any = [json.loads(chat_as_json(chat.conversation, chat.summary))]
    else:
        document = json.loads((DATA / name).read_bytes())
    document = copy.deepcopy(document)
    place: Any = document
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.integers(0, 5)) == 0:
            break
        place = place[key]
    place[key] = data.draw(
        st.sampled_from([None, 0, -1, 1e300, True, "x", "\ud800", [], {}, [1], {"a": None}, [[]]])
    )
    try:
        chats = read_chats(json_of(document)).chats
    except MalformedFile as error:
        assert error.detail  # noqa: PT017
        return
    memory = Store.in_memory()
    done = memory.import_chats(chats)
    for id in done.added:
        memory.load(id)
    memory.close()


def test_files_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(FileError) as caught:
            read_chats(path)
        assert caught.value.hint
    large = tmp_path / "large.json"
    with large.open("wb") as file:
        file.truncate(importing.LARGEST + 1)
    with pytest.raises(FileError, match="too large"):
        read_chats(large)
    monkeypatch.setattr(importing, "LARGEST", 10)
    with pytest.raises(FileError, match="too large"):
        read_chats(b"x" * 11)


def test_a_long_branch_is_read_and_kept(store: Store) -> None:
    messages = {
        str(number): {
            "parentId": str(number - 1) if number else None,
            "role": "user",
            "content": f"n{number}",
        }
        for number in range(5000)
    }
    (chat,) = read_chats(
        json_of([{"title": "Long", "history": {"currentId": "4999", "messages": messages}}])
    ).chats
    (id,) = store.import_chats([chat]).added
    assert len(store.load(id).path()) == 5000
    store.purge_chat(id)
