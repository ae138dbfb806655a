"""Earlier prompts, step by step and by their words."""

from __future__ import annotations

from tui.chat.prompt_history import HistoryNavigator, HistorySearch
from tui.core.paste_folds import END, START


def _with(*prompts: str) -> HistoryNavigator:
    recall = HistoryNavigator()
    recall.load(prompts)
    return recall


def test_the_newest_is_found_first_and_each_prompt_once() -> None:
    recall = _with("nginx one", "other", "nginx two", "other", "nginx one")
    recall.start_search("draft")
    assert recall.search("NGI") == "nginx one"
    assert recall.found == HistorySearch("NGI", 1, 2)
    assert recall.older() == "nginx two"
    assert recall.older() == "nginx two", "there is no older one"
    assert recall.older(-1) == "nginx one"
    assert recall.end_search(take=True) == "nginx one"
    assert recall.found is None
    assert recall.step(1, "nginx one") == "draft", "what was written comes after the newest"


def test_more_letters_find_less_and_fewer_find_more() -> None:
    recall = _with("ab", "abc", "x")
    recall.start_search("draft")
    assert recall.search("a") == "abc"
    assert recall.search("ab") == "abc"
    assert recall.search("abd") == "draft"
    assert recall.found == HistorySearch("abd")
    assert recall.older() == "draft"
    assert recall.search("ab") == "abc"
    assert recall.found == HistorySearch("ab", 1, 2)
    assert recall.search("") == "draft"
    assert recall.end_search(take=False) == "draft"
    assert recall.step(1, "draft") is None


def test_taking_nothing_gives_back_what_was_written() -> None:
    recall = _with("ab")
    recall.start_search("draft")
    recall.search("zzz")
    assert recall.end_search(take=True) == "draft"


def test_a_pasted_piece_is_searched_too() -> None:
    recall = _with(f"look {START}Zażółć\n{END}", "x")
    recall.start_search("")
    assert recall.search("zazolc") == f"look {START}Zażółć\n{END}"


def test_what_is_kept_of_the_draft() -> None:
    recall = _with("old", "new")
    assert recall.draft("mine") == "mine"
    recall.step(-1, "mine")
    assert recall.draft("new") == "mine", "an earlier prompt is no draft"
    assert recall.draft("new and changed") == "mine\n\nnew and changed"
    assert recall.step(-1, "new and changed") == "old"
    assert recall.draft("old") == "mine\n\nnew and changed"
    assert recall.step(1, "old") == "new and changed"
    assert recall.step(1, "new and changed") == "mine"
    assert recall.draft("mine") == "mine\n\nnew and changed"
    assert recall.step(-1, "mine") == "new and changed"
    recall.start_search("new")
    assert recall.draft(recall.search("ol")) == "mine"


def test_a_prompt_that_was_sent_before_the_others_were_read_is_the_newest() -> None:
    recall = HistoryNavigator()
    recall.remember("early")
    recall.load(["a", "b"])
    assert recall.step(-1, "") == "early"
    assert recall.step(-1, "early") == "b"


def test_what_is_made_of_an_earlier_prompt_stays_in_its_place_until_something_is_sent() -> None:
    recall = _with("old", "new")
    assert recall.step(-1, "mine") == "new"
    assert recall.step(-1, "new, changed") == "old"
    assert recall.step(1, "old") == "new, changed"
    recall.start_search("new, changed again")
    assert recall.search("old") == "old"
    assert recall.end_search(take=True) == "old"
    assert recall.step(1, "old") == "new, changed again"
    assert recall.step(1, "new") == "mine", "changed back is not changed"
    assert recall.draft("mine") == "mine"
    assert recall.step(-1, "mine") == "new"
    assert recall.step(-1, "changed") == "old"
    assert recall.sent() == "mine", "what was put aside is there again"
    recall.remember("old")
    assert recall.step(-1, "mine") == "old"
    assert recall.step(-1, "old") == "changed", "what is not sent stays"
    assert recall.sent() == "mine"
    recall.remember("changed")
    assert recall.step(-1, "mine") == "changed"
    assert recall.step(-1, "changed") == "old"
    assert recall.step(-1, " ") == "new"
    assert recall.step(1, "new") == "old", "nothing is no change"


def test_prompts_that_are_read_late_leave_what_is_written() -> None:
    recall = HistoryNavigator()
    recall.remember("early")
    assert recall.step(-1, "mine") == "early"
    recall.load(["a", "early", "b"])
    assert recall.draft("early, changed") == "mine\n\nearly, changed"
    assert recall.step(-1, "early, changed") == "a"
    assert recall.step(1, "a") == "early, changed"
    assert recall.step(1, "early, changed") == "b"
    assert recall.step(1, "b") == "mine"


def test_what_was_made_of_a_prompt_is_what_is_found() -> None:
    recall = _with("nginx one", "other")
    recall.step(-1, "")
    recall.step(-1, "other")
    recall.step(1, "apache")
    recall.start_search("other")
    assert recall.search("nginx") == "other"
    assert recall.search("apa") == "apache"


def test_another_chat_knows_nothing_of_what_was_written_in_the_one_before() -> None:
    recall = _with("old", "new")
    recall.step(-1, "mine")
    recall.step(-1, "changed")
    recall.rest()
    assert recall.draft("") == ""
    assert recall.step(-1, "other") == "new"
    assert recall.step(1, "new") == "other"


def test_what_was_being_written_lies_under_a_command_until_that_is_sent() -> None:
    recall = _with("one")
    recall.lay_under("a draft", "/rename ")
    assert recall.draft("/rename ") == "a draft", "what lokal wrote is nothing to keep"
    assert recall.draft("/rename x") == "a draft\n\n/rename x"
    assert recall.take_up("/rename x") is None
    assert recall.step(-1, "/rename x") == "one"
    assert recall.sent() == "/rename x", "an earlier prompt is sent in between"
    assert recall.sent() == "a draft"
    assert recall.sent() == ""


def test_what_was_being_written_comes_back_when_the_command_is_given_up() -> None:
    recall = _with("one")
    recall.lay_under("a draft", "/rename ")
    recall.lay_under("/rename ", "/import ")
    recall.lay_under("/import x", "/preset ")
    assert recall.take_up("/preset") == "a draft\n\n/import x"
    assert recall.take_up("") is None
