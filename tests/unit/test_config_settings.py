"""The settings file: read leniently, written sparingly, never overwritten when it is malformed."""

from __future__ import annotations

import stat
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import pytest

from tui.config import example
from tui.config.keys import parse_key
from tui.config.settings import Settings, load_settings, set_value, setting_info
from tui.core.commands import COMMANDS
from tui.core.endpoint import Endpoint, ServerKind
from tui.errors import FileError, MalformedFile, UsageError

ROOT = Path(__file__).parents[2]
FULL = """\
# mine
theme = "lokal-dark" # at night
preset = "creative"
server = "workstation"
model = "llama3.2:3b"
terminal_speed = "slow"
show_reasoning = true
history_size = 50
wallpaper = "no such thing"

[[servers]]
url = "192.168.1.5:8080/"
name = "workstation"
kind = "llamacpp"
api_key_env = "KEY"
comment = "kept"

[keys]
answer.retry = "F11"
"theme.next" = "^y"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lokal" / "config.toml"


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_missing_file_gives_the_defaults_and_is_not_made(path: Path) -> None:
    loaded = load_settings(path)
    assert loaded.value == Settings()
    assert loaded.problems == ()
    assert not path.exists()


def test_everything_can_be_set(path: Path) -> None:
    loaded = load_settings(written(path, FULL), {"KEY": "hunter2"})
    assert loaded.value == Settings(
        theme="lokal-dark",
        preset="creative",
        server="workstation",
        model="llama3.2:3b",
        terminal_speed="slow",
        show_reasoning=True,
        history_size=50,
        servers=(Endpoint("http://192.168.1.5:8080", ServerKind.LLAMACPP, "hunter2", "workstation"),),
        keys={"answer.retry": "f11", "theme.next": "ctrl+y"},
    )
    assert ["wallpaper" in problem.title or "comment" in problem.title for problem in loaded.problems] == [
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("line", "field", "words"),
    [
        ('terminal_speed = "sometimes"', "terminal_speed", "one of auto, fast, slow"),
        ("theme = 5", "theme", "text in quotes"),
        ('show_reasoning = "yes"', "show_reasoning", "true or false"),
        ("history_size = -1", "history_size", "from 0 to 100000"),
        ("history_size = true", "history_size", "a whole number"),
        ('server = "not an address"', "server", "an address or the name"),
        ("servers = 5", "servers", "[[servers]]"),
        ("keys = 5", "keys", "[keys]"),
    ],
)
def test_a_wrong_value_costs_only_its_key(path: Path, line: str, field: str, words: str) -> None:
    loaded = load_settings(written(path, f'model = "m"\n{line}\n'))
    assert loaded.value == Settings(model="m")
    (problem,) = loaded.problems
    assert isinstance(problem, FileError)
    assert problem.path == path
    assert f"{path}: {field} cannot be" in problem.title
    assert words in problem.detail


def test_an_unknown_key_names_the_closest(path: Path) -> None:
    loaded = load_settings(written(path, 'them = "x"\nmodel = "m"\n'))
    assert loaded.value == Settings(model="m")
    assert [problem.hint for problem in loaded.problems] == ["Did you mean theme?"]


@pytest.mark.parametrize(
    ("text", "speed", "words"),
    [
        ('link = "slow"', "slow", ["link is called terminal_speed now. Its value is used"]),
        ('link = "slow"\nterminal_speed = "fast"', "fast", ["link is called terminal_speed now. terminal_speed counts"]),
        ('link = "often"', "auto", ["link is called terminal_speed now", "terminal_speed cannot be"]),
    ],
)  # fmt: skip
def test_the_earlier_name_of_a_setting_is_read_with_a_notice(
    path: Path, text: str, speed: str, words: list[str]
) -> None:
    loaded = load_settings(written(path, f"{text}\n"))
    assert loaded.value == Settings(terminal_speed=speed)
    for problem, said in zip(loaded.problems, words, strict=True):
        assert f"{path}: {said}" in str(problem)


@pytest.mark.parametrize("data", [b'theme = "x\n', b"theme = '\xff'\n"])
def test_a_malformed_file_costs_itself_and_is_never_written(path: Path, data: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(data)
    loaded = load_settings(path)
    assert loaded.value == Settings()
    assert isinstance(loaded.problems[0], MalformedFile)
    with pytest.raises(MalformedFile):
        set_value(path, "theme", "terminal")
    assert path.read_bytes() == data


def test_a_folder_in_its_place_is_a_problem_not_a_crash(path: Path) -> None:
    path.mkdir(parents=True)
    loaded = load_settings(path)
    assert loaded.value == Settings()
    assert "Cannot read" in loaded.problems[0].title
    with pytest.raises(FileError):
        set_value(path, "theme", "terminal")


def test_saving_changes_only_what_differs(path: Path) -> None:
    written(path, FULL)
    set_value(path, "theme", "lokal-dark")
    assert path.read_text(encoding="utf-8") == FULL
    set_value(path, "theme", "terminal")
    set_value(path, "show_reasoning", False)
    assert path.read_text(encoding="utf-8") == FULL.replace('"lokal-dark" #', '"terminal" #').replace(
        "reasoning = true", "reasoning = false"
    )


def test_a_new_file_is_the_owners_only_and_an_old_one_keeps_its_mode(path: Path) -> None:
    set_value(path, "theme", "terminal")
    assert path.read_text(encoding="utf-8") == 'theme = "terminal"\n'
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    set_value(path, "theme", "lokal-light")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert load_settings(path).value == Settings(theme="lokal-light")


@pytest.mark.parametrize(
    ("entry", "servers", "words"),
    [
        ('name = "x"', (), "servers[1].url cannot be left out"),
        ('url = "not an address"', (), "servers[1].url cannot be"),
        ('url = "host:1"\nkind = "olama"', (Endpoint("http://host:1"),), "servers[1].kind cannot be"),
        (
            'url = "host:1"\napi_key_env = "GONE"',
            (Endpoint("http://host:1"),),
            "names GONE, which is not set",
        ),
        ('url = "host:1"\napi_key = 5', (Endpoint("http://host:1"),), "api_key is no text"),
        ('url = "host:1"\nkey = "x"', (Endpoint("http://host:1"),), "servers[1].key"),
    ],
)
def test_a_mistake_in_a_server(path: Path, entry: str, servers: tuple[Endpoint, ...], words: str) -> None:
    loaded = load_settings(written(path, f"[[servers]]\n{entry}\n"), {})
    path.chmod(0o600)
    assert loaded.value.servers == servers
    assert any(words in problem.title for problem in loaded.problems)


def test_a_key_that_others_can_read_is_told_and_never_shown(path: Path) -> None:
    written(path, '[[servers]]\nurl = "host:1"\napi_key = "hunter2"\nkind = 7\n').chmod(0o644)
    loaded = load_settings(path)
    assert loaded.value.servers[0].api_key == "hunter2"
    assert any("others can read" in problem.title for problem in loaded.problems)
    assert "hunter2" not in " ".join(map(str, loaded.problems)) + repr(loaded)
    path.chmod(0o600)
    assert len(load_settings(path).problems) == 1


@pytest.mark.parametrize(
    ("lines", "keys", "words"),
    [
        ('answer.stp = "f7"', {}, "there is no command “keys.answer.stp”"),
        ('"help" = "ctrl+"', {}, "keys.help cannot be the text “ctrl+”"),
        ("help = 5", {}, "keys.help cannot be 5"),
        ('help = "f9"', {}, "F9 belongs to “theme.next” already"),
        ('quit = ""\nhelp = "F12"', {"quit": "", "help": "f12"}, ""),
        ('help = "f9"\n"theme.next" = "f1"', {"help": "f9", "theme.next": "f1"}, ""),
    ],
)
def test_keys(path: Path, lines: str, keys: dict[str, str], words: str) -> None:
    loaded = load_settings(written(path, f"[keys]\n{lines}\n"))
    assert loaded.value.keys == keys
    assert words in " ".join(map(str, loaded.problems))
    assert bool(loaded.problems) is bool(words)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("ctrl+t", "ctrl+t"), ("Ctrl+T", "ctrl+t"), ("^T", "ctrl+t"), ("C-t", "ctrl+t"), ("Alt-1", "alt+1"),
        ("M-x", "alt+x"), ("shift+ctrl+Up", "ctrl+shift+up"), ("Esc", "escape"), ("PgUp", "pageup"), ("F12", "f12"),
        ("r", "r"), ("R", "R"), ("?", "?"), ("+", "+"), ("ctrl++", "ctrl++"), ("-", "-"), ("", ""), (" f7 ", "f7"),
        ("ctrl+i", "tab"), ("ctrl+m", "enter"), ("ctrl+", None), ("hyper+x", None), ("foo", None), ("f99", None),
        ("ctrl+ctrl+x", None), ("ctrl x", None), ("Ctrl+Е", "ctrl+t"), ("alt-у", "alt+e"), ("ctrl+alt+x", "alt+ctrl+x"),
        ("с", "c"), ("ctrl+ö", "ctrl+ö"),
    ],
)  # fmt: skip
def test_keys_as_people_write_them(text: str, key: str | None) -> None:
    assert parse_key(text) == key


def test_every_default_key_is_one_that_can_be_written() -> None:
    for command in COMMANDS:
        assert parse_key(command.key) == command.key


@pytest.mark.parametrize(
    ("name", "value"), [("them", "x"), ("servers", "x"), ("terminal_speed", "often"), ("theme", 5)]
)
def test_setting_something_that_there_is_not(path: Path, name: str, value: str | int) -> None:
    with pytest.raises(UsageError):
        set_value(path, name, value)
    assert not path.exists()


def test_every_setting_is_declared_with_its_help() -> None:
    for declared in fields(Settings):
        assert setting_info(declared.name).help.endswith(".")
    with pytest.raises(UsageError, match="theme"):
        setting_info("them")


def test_the_example_file_is_what_the_declarations_say() -> None:
    assert (ROOT / "config.example.toml").read_text(encoding="utf-8") == example.render()
    printed = subprocess.run(
        [sys.executable, "-m", "tui.config.example"], cwd=ROOT, capture_output=True, check=True
    ).stdout
    assert printed.decode() == example.render()


def test_the_example_file_is_the_defaults_and_can_be_switched_on(path: Path) -> None:
    loaded = load_settings(written(path, example.render()))
    assert loaded.value == Settings()
    assert loaded.problems == ()
    lines = example.render().splitlines()
    on = [line[1:] if line.startswith("#") and not line.startswith("# ") else line for line in lines]
    loaded = load_settings(written(path, "\n".join(on)), {"WORKSTATION_API_KEY": "k", "TEAM_TOKEN": "t"})
    assert loaded.problems == ()
    assert replace(loaded.value, servers=(), keys={}) == Settings()
    assert loaded.value.keys == {command.id: command.key for command in COMMANDS}
    assert loaded.value.servers == (
        Endpoint(
            "http://192.168.1.5:8080",
            ServerKind.LLAMACPP,
            "k",
            "workstation",
            headers=(("X-Team-Token", "t"),),
            ca_file=str(path.parent / "workstation.pem"),
        ),
    )


def test_saving_into_a_copy_of_the_example_puts_values_where_they_are_explained(path: Path) -> None:
    written(path, example.render())
    set_value(path, "theme", "terminal")
    set_value(path, "model", "m")
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[lines.index('#theme = "auto"') + 1] == 'theme = "terminal"'
    assert lines[lines.index('#model = ""') + 1] == 'model = "m"'
    assert len(lines) == len(example.render().splitlines()) + 2
