"""The prompt history: private, shared by several lokals, forgiving."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.config.history import PromptHistory
from tui.core.paste_folds import safe_marked
from tui.errors import FileError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "history.jsonl"


def test_prompts_come_back_oldest_first(path: Path) -> None:
    history = PromptHistory(path, 10)
    assert history.load() == ()
    for text in ("one", "two\nlines", "привет", "привет", "  ", "one"):
        history.add(text)
    assert PromptHistory(path, 10).load() == ("one", "two\nlines", "привет", "one")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "привет" in path.read_text(encoding="utf-8")


def test_a_prompt_that_was_the_last_is_not_added_again_after_a_restart(path: Path) -> None:
    PromptHistory(path, 10).add("same")
    history = PromptHistory(path, 10)
    history.load()
    history.add("same")
    assert path.read_bytes().count(b"\n") == 1


@settings(deadline=None)
@given(texts=st.lists(st.text(st.characters(exclude_categories=[])).map(safe_marked), max_size=10))
def test_any_text_comes_back(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    path = tmp_path_factory.mktemp("h") / "history.jsonl"
    history = PromptHistory(path, 100)
    expected: list[str] = []
    for text in texts:
        history.add(text)
        if text.strip() and expected[-1:] != [text]:
            expected.append(text)
    assert history.load() == tuple(expected)


def test_what_would_act_on_a_terminal_does_not_come_out_of_it(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(json.dumps("a\x1b]52;c;eA==\x07b\u202e \x02piece\x1b[31m\x03") + "\n")
    assert PromptHistory(path, 10).load() == ("ab \x02piece\x03",)


def test_corrupt_lines_are_skipped_and_a_cut_one_does_not_spoil_the_next(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b'"one"\nnot json\n5\n""\n"\xff"\n\n"two"\n"cut sh')
    history = PromptHistory(path, 10)
    assert history.load() == ("one", "two")
    history.add("three")
    assert history.load() == ("one", "two", "three")


def test_the_newest_are_kept_and_the_file_is_shortened_at_twice_its_size(path: Path) -> None:
    history = PromptHistory(path, 5)
    for number in range(10):
        history.add(f"prompt {number}")
    newest = tuple(f"prompt {number}" for number in range(5, 10))
    assert history.load() == newest
    assert path.read_bytes().count(b"\n") == 10
    history.add("prompt 10")
    assert history.load() == (*newest[1:], "prompt 10")
    assert path.read_bytes().count(b"\n") == 5
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_size_zero_keeps_nothing(path: Path) -> None:
    history = PromptHistory(path, 0)
    history.add("secret")
    assert history.load() == ()
    assert not path.exists()


def test_a_place_that_cannot_be_used_is_an_error_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    history = PromptHistory(tmp_path / "file" / "history.jsonl", 5)
    with pytest.raises(FileError, match="Cannot write the prompt history"):
        history.add("x")
    with pytest.raises(FileError, match="Cannot read the prompt history"):
        PromptHistory(tmp_path, 5).load()


WRITER = """
import sys
from pathlib import Path
from tui.config.history import PromptHistory
name, path = sys.argv[1], Path(sys.argv[2])
history = PromptHistory(path, 400)
for number in range(100):
    history.add(f"{name} {number} " + "x" * 3000)
    PromptHistory(path, 60).load() if name == "trimmer" and number % 25 == 24 else None
"""


def test_two_lokals_lose_nothing_of_each_other(path: Path) -> None:
    runs = [
        subprocess.Popen([sys.executable, "-c", WRITER, name, str(path)], cwd=ROOT) for name in ("a", "b")
    ]
    assert [run.wait(60) for run in runs] == [0, 0]
    prompts = PromptHistory(path, 400).load()
    for name in ("a", "b"):
        own = [prompt for prompt in prompts if prompt.startswith(f"{name} ")]
        assert [prompt.split()[1] for prompt in own] == [str(number) for number in range(100)]


def test_shortening_while_another_adds_keeps_whole_and_newest_lines(path: Path) -> None:
    runs = [
        subprocess.Popen([sys.executable, "-c", WRITER, name, str(path)], cwd=ROOT)
        for name in ("a", "trimmer")
    ]
    assert [run.wait(60) for run in runs] == [0, 0]
    assert all(line.startswith(b'"') and line.endswith(b'x"') for line in path.read_bytes().splitlines())
    prompts = PromptHistory(path, 400).load()
    for name in ("a", "trimmer"):
        numbers = [int(prompt.split()[1]) for prompt in prompts if prompt.startswith(f"{name} ")]
        assert numbers == list(range(100 - len(numbers), 100))
    assert max(int(prompt.split()[1]) for prompt in prompts) == 99
