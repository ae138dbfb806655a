"""What a command line means."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tui import early_frame
from tui.cli.arguments import Screen, Target
from tui.cli.command_arguments import Ask, Bench, Chats, Command, Doctor, Models, Presets
from tui.cli.main import status_of
from tui.cli.parser import COMMANDS, parse
from tui.errors import (
    AuthRequired,
    EngineError,
    FileError,
    Interrupted,
    LokalError,
    NotAModelServer,
    StoreError,
    Unreachable,
    UsageError,
)


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        ("", Screen(Target())),
        (
            "--server h:1 --model m --preset p --set a=1 --set b=2",
            Screen(Target("h:1", "m", "p", ("a=1", "b=2"))),
        ),
        ("--gguf /m.gguf --resume", Screen(Target(gguf=Path("/m.gguf")), "last")),
        ("--resume abc", Screen(Target(), "abc")),
        ("--resume --model m", Screen(Target(model="m"), "last")),
        ("ask hello", Ask(Target(), "hello")),
        ("ask two words", Ask(Target(), "two words")),
        ("ask why --model m is this", Ask(Target(model="m"), "why is this")),
        (
            "ask --system S --save --json --server=u -- -x --json",
            Ask(Target("u"), "-x --json", "S", True, True),
        ),
        ("ask '-5 + 3?'", Ask(Target(), "-5 + 3?")),
        ("ask -5", Ask(Target(), "-5")),
        ("ask -", Ask(Target(), "-")),
        ("ask --system ''", Ask(Target(), "", "")),
        ("--server u --set a=1 ask --set b=2 hi", Ask(Target("u", assignments=("a=1", "b=2")), "hi")),
        ("--server u --preset p ask --server v hi", Ask(Target("v", preset="p"), "hi")),
        ("doctor", Doctor()),
        ("doctor --json", Doctor(json=True)),
        ("presets list", Presets()),
        ("presets show technical --json", Presets("technical", json=True, action="show")),
        (
            "presets new bard --from creative --set top_k=5 --system Hi",
            Presets(
                "bard", action="new", other="creative", assignments=("top_k=5",), texts=(("system", "Hi"),)
            ),
        ),
        ("presets rm bard --yes", Presets("bard", action="rm", yes=True)),
        ("models list", Models("list")),
        ("--server h:1 models list --json --sort size", Models("list", server="h:1", json=True, sort="size")),
        ("models ps --server h:1", Models("ps", server="h:1")),
        ("models show m --json", Models("show", ("m",), json=True)),
        (
            "models load m --context 8192 --keep-alive 90m",
            Models("load", ("m",), context=8192, keep_alive="1h30m"),
        ),
        (
            "models load m --arg loader=Transformers --arg cpu=true --arg n=3",
            Models("load", ("m",), arguments=(("loader", "Transformers"), ("cpu", True), ("n", 3))),
        ),
        ("models unload --all", Models("unload")),
        ("models pull a hf.co/b/c:Q4_K_M", Models("pull", ("a", "hf.co/b/c:Q4_K_M"))),
        ("models pull", Models("pull")),
        ("models update --json", Models("update", json=True)),
        ("models rm a b --yes", Models("rm", ("a", "b"), yes=True)),
        ("models cp a b", Models("cp", ("a", "b"))),
        (
            "models create a --file M --quantize q8_0",
            Models("create", ("a",), file=Path("M"), quantize="q8_0"),
        ),
        (
            "models create a --from b --preset technical --system S",
            Models("create", ("a",), source="b", preset="technical", system="S"),
        ),
        ("chats list --json", Chats("list", json=True)),
        ("chats show abc", Chats("show", "abc")),
        ("chats export last", Chats("export", "last")),
        ("chats export abc --format json", Chats("export", "abc", format="json")),
        ("chats list --archived", Chats("list", archived=True)),
        (
            "chats search bad '\"a b\"' --json --limit 5",
            Chats("search", json=True, words='bad "a b"', limit=5),
        ),
        ("chats search x", Chats("search", words="x")),
        ("chats rename abc New title", Chats("rename", "abc", words="New title")),
        ("chats rm a b --yes", Chats("rm", ids=("a", "b"), yes=True)),
        ("chats import a.json b.txt", Chats("import", files=(Path("a.json"), Path("b.txt")))),
    ],
)
def test_meaning(line: str, meaning: Command) -> None:
    assert parse(shlex.split(line)) == meaning


@pytest.mark.parametrize(
    ("line", "title", "hint"),
    [
        ("--serevr x", "lokal has no option --serevr", "Did you mean --server?"),
        ("--zzz=1", "lokal has no option --zzz", "See: lokal --help"),
        ("--save", "lokal takes no --save", "See: lokal --help"),
        ("ask -q hi", "lokal ask has no option -q", "See: lokal ask --help"),
        ("--serv x", "lokal has no option --serv", "Did you mean --server?"),
        ("--model", "--model needs a value", "See: lokal --help"),
        ("ask --model", "--model needs a value", "See: lokal ask --help"),
        ("--model ''", "--model needs a value that is not empty", "See: lokal --help"),
        ("hello", "There is no command “hello”", 'To ask a question: lokal ask "hello"'),
        ("chat", "There is no command “chat”", "Did you mean lokal chats?"),
        ("presets", "lokal presets needs ACTION", "See: lokal presets --help"),
        ("presets lst", "lokal presets cannot be “lst”", "See: lokal presets --help"),
        ("chats show", "lokal chats show needs ID", "See: lokal chats show --help"),
        ("chats search", "lokal chats search needs TEXT", "See: lokal chats search --help"),
        ("chats rm --yes", "lokal chats rm needs ID", "See: lokal chats rm --help"),
        (
            "chats search x --limit 0",
            "--limit needs a number from 1 to 10000",
            "See: lokal chats search --help",
        ),
        ("chats list extra", "lokal chats has no use for “extra”", "See: lokal chats --help"),
        ("--resume x ask hi", "lokal ask takes no --resume", "It belongs to lokal without a command"),
        ("--preset p chats list", "lokal chats takes no --preset", "See: lokal chats --help"),
        ("--model m models list", "lokal models takes no --model", "See: lokal models --help"),
        ("models", "lokal models needs ACTION", "See: lokal models --help"),
        (
            "models unload",
            "lokal models unload needs a NAME, or --all",
            "“lokal models ps” shows what is in memory",
        ),
        (
            "models load m --context many",
            "--context needs a number of tokens from 1 to 16777216",
            "See: lokal models load --help",
        ),
        (
            "models load m --keep-alive soon",
            "--keep-alive needs a time such as 30m or 1h30m, 0 for not at all, or forever",
            "See: lokal models load --help",
        ),
        (
            "models create m",
            "lokal models create needs either --file or --from",
            "Like: lokal models create teacher --from llama3.2:3b",
        ),
        ("models create m --file F --system S", "--file says it all", "Leave one of them out"),
        ("models rm", "lokal models rm needs NAME", "See: lokal models rm --help"),
        ("--gguf a --server b", "--gguf and --server exclude each other", "Leave one of them out"),
        ("--model a ask --gguf b", "--gguf and --model exclude each other", "Leave one of them out"),
    ],
)
def test_what_is_wrong(line: str, title: str, hint: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse(shlex.split(line))
    assert (raised.value.title, raised.value.hint) == (title, hint)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UsageError("x"), 2),
        (FileError(Path("x"), "x"), 2),
        (Unreachable("x"), 3),
        (NotAModelServer("x"), 3),
        (EngineError("x"), 3),
        (AuthRequired("x"), 4),
        (Interrupted("x"), 4),
        (StoreError("x"), 1),
        (LokalError("x"), 1),
    ],
)
def test_exit_statuses(error: LokalError, status: int) -> None:
    assert status_of(error) == status


def test_no_command_shows_the_early_frame_of_the_screen() -> None:
    assert set(COMMANDS) <= early_frame.NOT_FOR


def test_a_measurement_and_its_depths() -> None:
    assert parse(["bench"]) == Bench(Target())
    told = parse(
        shlex.split("--model m bench --depths 4096,128,128 --runs 5 --tokens 32 --set threads=1 --json")
    )
    assert told == Bench(Target(model="m", assignments=("threads=1",)), (128, 4096), 5, 32, json=True)
