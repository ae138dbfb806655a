"""The Settings tab: values by step and by typing, wrong ones, defaults, choices, the file, marks, what is really sent."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from tests.support.app import configure
from tests.support.app_driver import AppDriver, running
from tests.support.canned_servers import MODEL, chats, like_ollama, ollama_answer, options
from tests.support.replay import Replay, as_json, replay
from tui.core.parameters import REGISTRY
from tui.ui.settings.form import LABEL_WIDTH, NAME_WIDTH, label_width, rows, slider_width
from tui.ui.settings.slider import slider


@asynccontextmanager
async def settings(preset: str = "", *, thinks: bool = False) -> AsyncIterator[tuple[AppDriver, Replay]]:
    """A connected lokal with its Settings open."""
    async with replay() as server:
        like_ollama(server, thinks=thinks).on("/api/chat", ollama_answer("Yes."))
        async with running(server.url, preset=preset) as driver:
            await driver.see("Connected")
            await driver.press("f4")
            await driver.see("›temperature ")
            yield driver, server


async def go_to(driver: AppDriver, name: str) -> None:
    """Move the cursor down to a parameter."""
    for _ in rows():
        if driver.parameter_under_cursor.name == name:
            return
        await driver.press("down")
    raise AssertionError(f"the form has no {name}")


async def asked(driver: AppDriver, server: Replay) -> dict[str, object]:
    """The parameters of a question that is asked now."""
    count = len(chats(server))
    await driver.press("f2")
    await driver.see("›")
    await driver.ask("Well?")
    await driver.until(lambda: len(chats(server)) > count, "it was asked")
    await driver.until(lambda: not driver.activity, "the answer is there")
    return options(chats(server)[-1])


def preset_file(name: str) -> Path:
    return Path(os.environ["XDG_CONFIG_HOME"]) / "lokal" / "presets" / f"{name}.toml"


def on_disk(name: str) -> dict[str, object]:
    found = tomllib.loads(preset_file(name).read_text(encoding="utf-8"))["parameters"]
    assert isinstance(found, dict)
    return found


async def test_steps_by_arrow_go_into_the_next_request() -> None:
    async with settings() as (driver, server):
        await driver.press("right", "right")
        await driver.see(r"temperature +0\.5 ")
        await driver.press("down", "left")
        await driver.see(r"top_p +0\.75 ")
        await driver.see("changed: ")
        await driver.see(r"technical\* · temp 0\.5 ")
        sent = await asked(driver, server)
        assert (sent["temperature"], sent["top_p"], sent["top_k"]) == (0.5, 0.75, 30)


async def test_steps_stop_at_the_bounds() -> None:
    async with settings() as (driver, _):
        await driver.press(*["left"] * 10)
        await driver.see(r"temperature +0 ")
        await driver.press("right")
        await driver.see(r"temperature +0\.05 ")


async def test_typing_a_value() -> None:
    async with settings() as (driver, server):
        await driver.press("0", ",", "7", "3")
        await driver.see("temperature +0,73▏")
        await driver.press("backspace", "enter")
        await driver.see(r"temperature +0\.7 ")
        await driver.see("outside 0.3–0.5")
        await driver.press("down", "down", "enter")
        await driver.see("top_k +30▏")
        await driver.press("backspace", "backspace", "4", "4", "down")
        await driver.see("top_k +44 ")
        sent = await asked(driver, server)
        assert (sent["temperature"], sent["top_k"]) == (0.7, 44)


async def test_the_cursor_is_always_in_sight() -> None:
    async with settings() as (driver, _):
        for keys, first in (
            (["end"], False),
            (["home"], True),
            (["pagedown", "pagedown"], False),
            (["pageup", "pageup", "pageup"], True),
            (["end", "pageup", "end"], False),
        ):
            await driver.press(*keys)
            driver.row(f"›{re.escape(driver.parameter_under_cursor.name)}")
            assert (driver.parameter_under_cursor is rows()[0].parameter) is first, keys
        assert driver.parameter_under_cursor is rows()[-1].parameter
        for size in ((50, 15), (120, 40), (80, 24), (60, 12)):
            await driver.resize(*size)
            current = driver.parameter_under_cursor
            await driver.see(f"›{re.escape(current.title if size[0] >= 120 else current.name)} ")


async def test_a_wrong_value_is_said_and_stays_to_be_mended() -> None:
    async with settings() as (driver, server):
        await driver.press("7", "enter")
        await driver.see("temperature cannot be 7.*It takes a number from 0 to 2")
        await driver.press("down")
        assert driver.parameter_under_cursor.name == "temperature", "the wrong value is not left behind"
        await driver.press("x", "right")
        await driver.see("temperature +7x▏")
        await driver.press("backspace", "backspace", "1", "enter")
        await driver.see(r"temperature +1 ")
        await driver.see_no_more("cannot be")
        await driver.press("9", "enter")
        await driver.see("cannot be")
        await driver.press("escape")
        await driver.see(r"temperature +1 ")
        await driver.see_no_more("cannot be")
        assert driver.tab == "settings", "only what was typed is taken back"
        await driver.press("escape")
        assert driver.tab == "chat"
        assert (await asked(driver, server))["temperature"] == 1


async def test_the_servers_default_is_not_sent() -> None:
    async with settings() as (driver, server):
        await driver.press("x")
        await driver.see("temperature +default ▕───━━")
        assert "temperature" not in await asked(driver, server)
        await driver.press("f4")
        await driver.see("›temperature ")
        await driver.press("right")
        await driver.see(r"temperature +0\.4 +▕.*●.*band")


async def test_what_the_model_cannot_is_said() -> None:
    async with settings() as (driver, server):
        await go_to(driver, "think")
        await driver.press("right", "right")
        await driver.see("think +on +model cannot")
        await asked(driver, server)
        assert "think" not in chats(server)[-1]


async def test_choices() -> None:
    async with settings(thinks=True) as (driver, server):
        await go_to(driver, "think")
        for value in ("off", "on", "low", "medium", "high", "default", "off"):
            await driver.press("right")
            await driver.see(f"think +{value}")
        await driver.press("left", "left")
        await driver.see("think +high")
        await asked(driver, server)
        assert chats(server)[-1]["think"] == "high"


async def test_stop_sequences() -> None:
    async with settings() as (driver, server):
        await go_to(driver, "stop")
        await driver.press("enter")
        await driver.write(r"\n\n,END,x")
        await driver.press("enter")
        await driver.see(r"stop +\\n\\n, END, x")
        assert (await asked(driver, server))["stop"] == ["\n\n", "END", "x"]


async def test_saving() -> None:
    async with settings() as (driver, _):
        preset_file("technical").write_text(
            "# mine\n" + preset_file("technical").read_text(encoding="utf-8"), encoding="utf-8"
        )
        await driver.press("1", ".", "5", "enter", "down", "x")
        await driver.see(r"Ctrl\+S save")
        await driver.press("ctrl+s")
        await driver.see(r"Saved ~/\.config/lokal/presets/technical\.toml")
        await driver.see_no_more("changed: ")
        await driver.see_no_more(r"technical\*")
        values = on_disk("technical")
        assert values["temperature"] == 1.5
        assert "top_p" not in values
        assert preset_file("technical").read_text(encoding="utf-8").startswith("# mine\n")
    async with settings() as (driver, _):
        await driver.see(r"temperature +1\.5 ")
        await driver.see("top_p +default")


async def test_a_value_that_is_heard_of_late_does_not_bring_its_preset_back() -> None:
    async with settings() as (driver, _):
        before = driver.preset
        changed = replace(before, values={**before.values, "temperature": 0.9})
        await driver.press("ctrl+t")
        await driver.until(lambda: driver.preset.name == "creative", "the next preset is in use")
        driver.edit_preset(changed)
        await driver.settle()
        assert changed in driver.presets, "the value is not lost"
        assert driver.preset.name == "creative"


async def test_undoing_all_changes() -> None:
    async with settings() as (driver, _):
        await driver.press("right", "down", "right")
        await driver.see("changed: ")
        await driver.press("ctrl+z")
        await driver.see(r"temperature +0\.4 ")
        await driver.see(r"top_p +0\.8 ")
        await driver.see_no_more("changed: ")
        await driver.press("ctrl+z")
        await driver.see("technical is as it is saved: there is nothing to undo")
        assert on_disk("technical")["temperature"] == 0.4


async def test_a_file_that_cannot_be_written_is_said() -> None:
    async with settings() as (driver, _):
        preset_file("technical").write_text("temperature = = 1\n", encoding="utf-8")
        await driver.press("right", "ctrl+s")
        await driver.see("technical.toml")
        await driver.see("changed: ")
        assert preset_file("technical").read_text(encoding="utf-8") == "temperature = = 1\n"


async def test_presets_are_switched_by_key_and_keep_their_changes() -> None:
    async with settings() as (driver, server):
        await driver.press("right")
        await driver.see(r"temperature +0\.45 ")
        await driver.press("ctrl+t")
        await driver.see(r"›creative")
        await driver.see(r"temperature +0\.85 .*band 0\.7–1")
        await driver.press("alt+3")
        await driver.see(r"›chatbot")
        await driver.press("alt+1")
        await driver.see(r"temperature +0\.45 ")
        await driver.see("changed: ")
        await driver.press("alt+2")
        assert (await asked(driver, server))["temperature"] == 0.85


async def test_a_wrong_value_does_not_follow_to_another_preset() -> None:
    async with settings() as (driver, _):
        await driver.press("9", "enter")
        await driver.see("cannot be")
        await driver.press("ctrl+t")
        await driver.see(r"temperature +0\.85 ")
        await driver.see_no_more("cannot be")


async def test_marks_say_in_words_and_in_style_what_is_outside_a_band() -> None:
    async with settings() as (driver, _):
        inside = driver.style_of("band 0.3–0.5")
        await driver.press("1", "enter")
        await driver.see("outside 0.3–0.5")
        assert driver.style_of("outside 0.3") != inside
        await driver.press("0", ".", "3", "enter")
        await driver.see("band 0.3–0.5")
        assert driver.style_of("band 0.3–0.5") == inside, "the ends of a band belong to it"


async def test_what_a_server_does_not_take_is_said_here_and_when_it_is_asked() -> None:
    async with settings() as (driver, server):
        await go_to(driver, "dry_multiplier")
        await driver.press("1", "enter")
        await driver.see("dry_multiplier +1 .*not for Ollama")
        sent = await asked(driver, server)
        assert "dry_multiplier" not in sent
        await driver.see("Not sent, Ollama does not take it: dry_multiplier")


def _explains(driver: AppDriver, text: str) -> bool:
    return text[:40] in " ".join(driver.text().split())


async def test_every_parameter_is_in_the_form_and_explained() -> None:
    async with settings() as (driver, _):
        await driver.resize(120, 40)
        seen = set()
        for _ in REGISTRY:
            parameter = driver.parameter_under_cursor
            seen.add(parameter.name)
            await driver.until(partial(_explains, driver, parameter.help), f"{parameter.name} is explained")
            driver.row(f"›{re.escape(parameter.title)}")
            await driver.press("down")
        assert seen == {parameter.name for parameter in REGISTRY}


async def test_other_keys_are_shown_and_used() -> None:
    configure(
        '[keys]\n"parameter.more" = "f5"\n"parameter.unset" = "z"\n"preset.save" = "f11"\n"preset.next" = "ctrl+b"\n'
    )
    async with settings() as (driver, _):
        await driver.see(r"Ctrl\+B next")
        await driver.see("z default")
        await driver.press("f5")
        await driver.see(r"temperature +0\.45 ")
        await driver.see("F11 save")
        await driver.press("z")
        await driver.see("temperature +default")
        await driver.press("right", "x", "ctrl+s")  # given away, so that they do nothing
        await driver.see("temperature +default")
        assert on_disk("technical")["temperature"] == 0.4
        await driver.press("f11")
        await driver.see(r"Saved ~/\.config/lokal/presets/technical\.toml")
        assert "temperature" not in on_disk("technical")
        await driver.press("ctrl+b")
        await driver.see("›creative")


def test_a_slider_has_its_knob_and_band_where_they_belong() -> None:
    def drawn(value: float | None, band: tuple[float, float] | None) -> str:
        return "".join(text for text, _ in slider(value, (0, 1), band, 13))

    assert drawn(0, None) == "▕●──────────▏"
    assert drawn(1, None) == "▕──────────●▏"
    assert drawn(None, (0.2, 0.4)) == "▕──━━━──────▏"
    assert drawn(7, (0.5, 0.6)) == "▕─────━━───●▏", "a value beyond the track is at its end"
    assert slider(0.9, (0, 1), (0, 0.5), 13)[10] == ("●", "warning")
    assert slider(0.5, (0, 1), (0, 0.5), 13)[6] == ("●", "accent")


def test_a_slider_takes_what_room_there_is() -> None:
    assert slider_width(63) == 16
    assert slider_width(50) == 0
    assert slider_width(200) == 41


async def test_stepping_a_context_window_begins_with_the_one_in_use() -> None:
    async with settings() as (driver, server):
        await go_to(driver, "context_window")
        await driver.press("right")
        assert driver.preset.values["context_window"] == 8192
        await driver.press("right")
        assert driver.preset.values["context_window"] == 9216
        await driver.press("x")
        server.on("/api/show", as_json(404, {"error": "model not found"}))
        driver.search_servers()
        await driver.until(lambda: driver.connection is not None, "it is connected again")
        await driver.until(
            lambda: driver.settings.window is None, "nobody tells the window of the next question"
        )
        await driver.press("left")
        assert driver.preset.values["context_window"] == 8192, "the model is loaded with that"
        await go_to(driver, "batch_size")
        await driver.press("right")
        assert driver.preset.values["batch_size"] == 512


async def test_the_window_that_is_shown_is_that_of_the_next_question() -> None:
    async with replay() as server:
        like_ollama(server).on("/api/chat", ollama_answer("Yes."))
        server.on("/api/show", as_json(200, {"parameters": ""}))
        async with running(server.url) as driver:
            await driver.see("Connected")
            await driver.until(lambda: "/api/show" in server.paths(), "the window was asked for")
            assert "8k" not in driver.text(), "another program has loaded it so"
            loaded = {"name": MODEL, "model": MODEL, "context_length": 4096}
            server.on("/api/ps", as_json(200, {"models": [loaded]}))
            await driver.ask("Well?")
            await driver.see("ctx .* of 4k")


def test_labels_stand_beside_the_names_where_both_have_room_with_a_slider() -> None:
    assert label_width(103) == LABEL_WIDTH
    assert slider_width(103 - label_width(103)) >= 15
    assert label_width(63) == 0
    assert max(len(each.name) for each in REGISTRY) < NAME_WIDTH, "no name is ever cut"
    assert max(len(each.title) for each in REGISTRY) < LABEL_WIDTH


async def test_each_label_has_beside_it_the_name_that_set_takes() -> None:
    async with settings() as (driver, _):
        await driver.resize(120, 40)
        await driver.see("context window +context_window +")
        await driver.see("repeat window +repeat_last_n +")
        await driver.resize(80, 24)
        await driver.press(*["down"] * 5)
        await driver.see("›context_window .*reloads the model")
        await driver.see("\n context window, /set context_window: how much")
