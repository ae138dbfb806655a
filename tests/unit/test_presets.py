"""Presets on disk."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.config.names import check_name
from tui.config.presets import delete_preset, load_presets, make_presets, preset_file, save_preset
from tui.core.parameters import REGISTRY
from tui.core.presets import SHIPPED, Preset
from tui.errors import FileError, MalformedFile, UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "lokal" / "presets"


def names(folder: Path) -> list[str]:
    return [preset.name for preset in load_presets(folder).value]


def put(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_first_start_makes_the_folder(folder: Path) -> None:
    loaded = load_presets(folder)
    assert loaded.value == SHIPPED
    assert loaded.problems == ()
    assert not folder.parent.exists(), "reading makes nothing"
    make_presets(folder)
    assert sorted(path.name for path in folder.iterdir()) == [
        "chatbot.toml", "creative.toml", "technical.toml",
    ]  # fmt: skip
    assert [path.name for path in folder.parent.iterdir()] == ["presets"]
    assert load_presets(folder) == loaded
    assert tomllib.loads((folder / "technical.toml").read_text(encoding="utf-8")) == {
        "description": SHIPPED[0].description,
        "parameters": dict(SHIPPED[0].values),
    }
    assert stat.S_IMODE((folder / "technical.toml").stat().st_mode) == 0o600


def test_a_home_that_cannot_be_written_gives_the_shipped_ones_and_one_problem(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError) as caught:
        make_presets(tmp_path / "file" / "presets")
    assert "cannot be used" in caught.value.title
    assert "cannot be saved" in caught.value.hint
    assert load_presets(tmp_path / "file" / "presets").value == SHIPPED
    make_presets(tmp_path / "file")  # something is there: it is left alone
    loaded = load_presets(tmp_path / "file")
    assert loaded.value == SHIPPED
    assert [problem.title for problem in loaded.problems] == [
        f"The presets in {tmp_path / 'file'} cannot be used"
    ]


def test_shipped_ones_come_first_then_the_others_by_name(folder: Path) -> None:
    make_presets(folder)
    for name in ("zebra", "Aqua", "перевод"):
        save_preset(folder, Preset(name))
    assert names(folder) == ["technical", "creative", "chatbot", "Aqua", "zebra", "перевод"]


def test_a_deleted_preset_stays_deleted_unless_none_is_left(folder: Path) -> None:
    make_presets(folder)
    delete_preset(folder, "technical")
    assert names(folder) == ["creative", "chatbot"]
    delete_preset(folder, "creative")
    delete_preset(folder, "chatbot")
    assert load_presets(folder).value == SHIPPED
    assert list(folder.iterdir()) == []
    with pytest.raises(UsageError, match="There is no preset"):
        delete_preset(folder, "technical")


def test_a_malformed_file_costs_itself_and_a_shipped_name_keeps_its_values(folder: Path) -> None:
    make_presets(folder)
    broken = put(folder, "technical", "[parameters\n")
    put(folder, "mine", "description = \n")
    loaded = load_presets(folder)
    assert loaded.value == SHIPPED
    assert len(loaded.problems) == 2
    assert all(isinstance(problem, MalformedFile) for problem in loaded.problems)
    with pytest.raises(MalformedFile):
        save_preset(folder, SHIPPED[0])
    assert broken.read_text(encoding="utf-8") == "[parameters\n"


@pytest.mark.parametrize(
    ("line", "words", "hint"),
    [
        ("temperatur = 1", "There is no parameter “temperatur”", "Did you mean temperature?"),
        ("temperature = 5", "temperature cannot be 5", "default"),
        ('temperature = "hot"', "temperature cannot be 'hot'", "default"),
        ("temperature = true", "temperature cannot be True", "default"),
        ("seed = 1979-05-27", "seed cannot be", "default"),
        ("num_ctx = 4096\nctx_size = 1", "ctx_size is context_window, which is there already", "Keep one"),
    ],
)
def test_a_wrong_parameter_costs_only_itself(folder: Path, line: str, words: str, hint: str) -> None:
    path = put(folder, "mine", f"[parameters]\n{line}\ntop_k = 7\n")
    loaded = load_presets(folder)
    (preset,) = loaded.value
    assert preset.values["top_k"] == 7
    assert "temperature" not in preset.values
    (problem,) = loaded.problems
    assert isinstance(problem, FileError)
    assert problem.path == path
    assert words in problem.title
    assert hint in problem.hint


def test_wrong_keys_around_the_parameters(folder: Path) -> None:
    put(folder, "mine", "description = 5\nsystem = []\nparameters = 1\nsystm = 'x'\n")
    loaded = load_presets(folder)
    assert loaded.value == (Preset("mine"),)
    assert [problem.title.split(": ")[1] for problem in loaded.problems] == [
        "there is no key “systm”", "description cannot be 5", "system cannot be a list", "parameters cannot be 1",
    ]  # fmt: skip


def test_names_that_others_use_are_understood_and_written_canonically(folder: Path) -> None:
    put(folder, "mine", "[parameters]\nnum_ctx = 4096 # small\nrepetition_penalty = 1.3\nfuture = 1\n")
    loaded = load_presets(folder)
    (preset,) = loaded.value
    assert preset.values == {"context_window": 4096, "repeat_penalty": 1.3}
    save_preset(folder, preset.with_value("top_k", 5))
    assert tomllib.loads((folder / "mine.toml").read_text(encoding="utf-8"))["parameters"] == {
        "context_window": 4096, "repeat_penalty": 1.3, "future": 1, "top_k": 5,
    }  # fmt: skip


def test_saving_keeps_comments_and_unknown_keys(folder: Path) -> None:
    text = (
        "# for verse\ndescription = 'verse' # short\nfuture = 1\n\n"
        "[parameters]\ntemperature = 0.9 # wild\ntop_k = 50\n"
    )
    put(folder, "mine", text)
    (preset,) = load_presets(folder).value
    save_preset(folder, preset)
    assert preset_file(folder, "mine").read_text(encoding="utf-8") == text
    save_preset(folder, preset.with_value("temperature", 0.7).with_value("top_k", None))
    assert preset_file(folder, "mine").read_text(encoding="utf-8") == text.replace("0.9 #", "0.7 #").replace(
        "top_k = 50\n", ""
    )


def test_a_parameters_key_that_is_no_table_can_be_saved_over(folder: Path) -> None:
    put(folder, "mine", "parameters = 1\n")
    save_preset(folder, Preset("mine", MappingProxyType({"top_k": 5})))
    assert load_presets(folder).value == (Preset("mine", {"top_k": 5}),)


values = st.fixed_dictionaries(
    {},
    optional={
        parameter.name: (
            st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=3).map(tuple)
            if parameter.kind is tuple
            else st.sampled_from(parameter.choices)
            if parameter.choices
            else st.sampled_from(["0", "forever", "30m"])
            if parameter.normalise is not None
            else st.integers(int(parameter.lo), int(parameter.hi))
            if parameter.kind is int
            else st.floats(parameter.lo, parameter.hi)
        )
        for parameter in REGISTRY
    },
)
utf8 = st.text(st.characters(codec="utf-8"), max_size=40)


@settings(deadline=None)
@given(values, utf8, utf8, values)
def test_what_is_saved_is_read_back(
    tmp_path_factory: pytest.TempPathFactory,
    first: dict[str, float],
    description: str,
    system: str,
    second: dict[str, float],
) -> None:
    folder = tmp_path_factory.mktemp("presets")
    for chosen in (first, second):
        preset = Preset("mine", MappingProxyType(chosen), description, system)
        save_preset(folder, preset)
        loaded = load_presets(folder)
        assert loaded.value == (preset,)
        assert loaded.problems == ()
        system, description = description, system


@pytest.mark.parametrize(
    "name",
    ["", "..", ".hidden", "../up", "a/b", "a\\b", "c:d", "a\nb", "a\x1b[31m", " a", "a ", "a.", "-rf", "x" * 201, "п" * 101],
)  # fmt: skip
def test_a_name_cannot_leave_its_folder(folder: Path, name: str) -> None:
    for action in (
        lambda: save_preset(folder, Preset(name)),
        lambda: delete_preset(folder, name),
        lambda: preset_file(folder, name),
    ):
        with pytest.raises(UsageError) as caught:
            action()
        assert caught.value.title.isprintable()
    assert not folder.exists()


@pytest.mark.parametrize(
    "name", ["a", "перевод на польский", "tiếng việt", "o‘zbek", "gpt-4.1_b (2)", "日本語"]
)
def test_names_in_any_language(folder: Path, name: str) -> None:
    assert check_name(name) == name
    save_preset(folder, Preset(name))
    assert names(folder) == [name]


def test_what_is_no_preset_is_left_alone(folder: Path) -> None:
    for name in (".#technical", "#x#", ".hidden"):
        put(folder, name, "not toml")
    (folder / "notes.txt").write_text("x")
    put(folder, "mine", "")
    (folder / "folder.toml").mkdir()
    put(folder, "a ", "")
    loaded = load_presets(folder)
    assert loaded.value == (Preset("mine"),)
    assert len(loaded.problems) == 2
