"""The page with the model files of this machine: what is listed and found, what one would take, and opening one."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.app_driver import running
from tests.support.hub import REPOSITORY, hub
from tests.support.model_shapes import ModelShape
from tests.support.snapshot import check_all
from tui.core.memory_fit import GraphicsCard, MachineMemory
from tui.models.model_files import LM_STUDIO, ModelPlace, find_models
from tui.paths import folders
from tui.ui.start.files_page import FileChoice, ModelFilesPage

SHAPE = ModelShape("llama", 32, 4096, 32, 8, 128, 14336, 128256, "Q4_K")
GIB = 1 << 30


@pytest.fixture
def store(own_home: Path) -> Path:
    """Three models of LM Studio."""
    folder = own_home / ".lmstudio/models/x"
    folder.mkdir(parents=True)
    for at, (name, title, shape) in enumerate(
        (
            ("Llama-3.1-8B-Instruct-Q4_K_M", "Llama 3.1 8B", SHAPE),
            ("bielik-Q4_0", "Bielik źdźbło", replace(SHAPE, layers=4)),
            ("huge-Q4_K_M", "Huge", replace(SHAPE, layers=200)),
        )
    ):
        told = {"general.name": title, "general.size_label": "8B", "general.license": "apache-2.0"}
        path = replace(shape, metadata=told).write(folder / f"{name}.gguf")
        os.utime(path, (1_700_000_000 - at * 86_400,) * 2)
    return folder


def _page(store: Path, machine: MachineMemory | None) -> ModelFilesPage:
    return ModelFilesPage("", lambda _: (find_models([ModelPlace(LM_STUDIO, store)]), machine))


def _replace_with_pages(store: Path) -> None:
    for path in store.iterdir():
        path.write_bytes(b"<html>")


RAM = MachineMemory(32 * GIB, 16 * GIB)


async def test_the_page(store: Path) -> None:
    async with running() as driver:
        driver.show_page(_page(store, RAM))
        await driver.see("fits: yes")
        await check_all(driver, "model-files")


async def test_the_number_moves_with_the_context_and_the_cache_type(store: Path) -> None:
    async with running() as driver:
        driver.show_page(
            _page(store, MachineMemory(8 * GIB, 7 * GIB, (GraphicsCard("card", 4 * GIB, 4 * GIB),)))
        )
        await driver.see("8k tokens, f16")
        await driver.see("of 32 layers on the GPU")
        for _ in range(4):
            await driver.press("right")
        await driver.see("128k tokens, f16")
        await driver.see("does not fit: ")
        await driver.press("right")
        await driver.press("t")
        await driver.see("128k tokens, q8_0")
        await driver.press("t")
        await driver.see("fits: ")
        for _ in range(9):
            await driver.press("left")
        await driver.see("2k tokens, q4_0")


async def test_filtering_and_leaving(store: Path) -> None:
    async with running() as driver:
        driver.show_page(_page(store, None))
        await driver.see("3 files")
        await driver.see("another machine")
        await driver.write("/ZDZBLO")
        await driver.see("1 of 3 files")
        assert "Llama-3.1" not in driver.text()
        await driver.press("escape")
        await driver.see("Llama-3.1")
        await driver.write("/nothing like it\r")
        await driver.see("No file is like that")
        await driver.press("escape")
        await driver.see("3 files")
        await driver.press("escape")
        assert not driver.pages


async def test_a_file_that_cannot_be_used_says_why(store: Path) -> None:
    _replace_with_pages(store)
    async with running() as driver:
        driver.show_page(_page(store, RAM))
        await driver.see("GGUF")
        await driver.see("does not begin with")


async def test_what_was_chosen_is_opened_with_the_settings_that_were_looked_at(
    own_home: Path, script_gguf: Path
) -> None:
    folder = own_home / ".lmstudio/models"
    folder.mkdir(parents=True)
    shutil.copy(script_gguf, folder / "script.gguf")
    async with running() as driver:
        await driver.see("No server answers")
        driver.run_command("gguf.open")
        await driver.see("Model files on this machine")
        await driver.see("fits: yes")
        await driver.press("left")
        await driver.see("4k tokens")
        await driver.press("enter")
        await driver.see("script")
        await driver.until(
            lambda: driver.settings.overrides.get("context_window") == 4096, "the window is 4,096"
        )
        await driver.see("of 4k")


async def test_without_any_file_a_path_is_asked_for(own_home: Path) -> None:
    async with running() as driver:
        driver.run_command("gguf.open")
        await driver.see("Open a model file")


async def test_a_path_can_be_typed_instead(store: Path) -> None:
    chosen: list[FileChoice | None] = []
    async with running() as driver:
        driver.show_page(_page(store, RAM), chosen.append)
        await driver.see("3 files")
        await driver.press("p")
        assert chosen == [FileChoice()]


async def test_the_models_tab_has_a_key_for_it(own_home: Path) -> None:
    async with running() as driver:
        await driver.press("f3")
        await driver.see("No .*server answers")
        await driver.press("o")
        await driver.see("Open a model file")


async def test_a_repository_shows_what_it_has(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    data = (
        replace(SHAPE, layers=1, vocabulary=1000, width=256, heads=4, kv_heads=2, head=64, forward=512)
        .write(tmp_path / "m.gguf")
        .read_bytes()
    )
    files = {"m-Q4_K_M.gguf": data, "m-Q8_0.gguf": data + bytes(800_000), "m-Q2_K.gguf": data[:-90_000]}
    async with hub(files) as there, running() as driver:
        monkeypatch.setenv("HF_ENDPOINT", there.url)
        monkeypatch.setattr("tui.servers.engine.machine_memory.machine_memory", lambda *_: RAM)
        await driver.see("No .*server answers")
        await driver.press("f3")
        await driver.press("p")
        await driver.see("Download:")
        await driver.paste(f"hf:{REPOSITORY}")
        await driver.press("enter")
        await driver.see("licence  apache-2.0: any use")
        await driver.see("Q4_K_M: half the size of q8")
        await check_all(driver, "hub-offer")
        await driver.press("down")
        await driver.see("Q8_0: as good as the original")
        await driver.press("enter")
        await driver.see("downloaded to")
    assert (folders().models / REPOSITORY / "m-Q8_0.gguf").read_bytes() == files["m-Q8_0.gguf"]
