"""Which models lie on a machine that is made up of files: the caches of other programs, split files, copies, what is none."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.model_shapes import Meta, write_model
from tui.core.model_names import quantization_in
from tui.models.model_files import (
    HUGGING_FACE,
    LM_STUDIO,
    OLLAMA,
    OWN,
    FoundModels,
    ModelPlace,
    find_models,
    places,
)
from tui.paths import folders

DIGEST = "ab" * 32


def _model(
    path: Path, name: str = "Tiny", kind: str = "llama", changed: int = 0, general: str = "model"
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    told: dict[str, Meta] = {
        "general.name": name, "general.type": general, ".block_count": 1, ".context_length": 4096,
    }  # fmt: skip
    write_model(path, kind, told, {"token_embd.weight": ((32, 8), "F32")})
    if changed:
        os.utime(path, (changed, changed))
    return path


def _found(home: Path, environ: Mapping[str, str] | None = None, more: str = "") -> FoundModels:
    env = {"HOME": str(home), **(environ or {})}
    where = [
        place
        for place in places(env, folders(env), more)
        if home in place.folder.parents or place.folder == home or str(place.folder) in (more, *env.values())
    ]
    return find_models(where)


def test_the_newest_comes_first_and_the_owner_is_told(tmp_path: Path) -> None:
    _model(tmp_path / ".local/share/lokal/models/a.gguf", "A", changed=1_000)
    _model(tmp_path / ".lmstudio/models/org/repo/b-Q4_K_M.gguf", "B", changed=3_000)
    _model(tmp_path / ".cache/llama.cpp/c.gguf", "C", changed=2_000)
    found = _found(tmp_path)
    assert [(each.name, each.place, each.title) for each in found.files] == [
        ("b-Q4_K_M", "LM Studio", "B"),
        ("c", "llama.cpp", "C"),
        ("a", "lokal", "A"),
    ]
    assert found.files[0].quantization == "Q4_K_M"
    assert found.files[0].context_trained == 4096
    assert found.problems == ()


def test_the_hub_cache_links_to_what_it_has_once(tmp_path: Path) -> None:
    cache = tmp_path / ".cache/huggingface/hub/models--org--repo"
    blob = _model(cache / "blobs" / DIGEST)
    for commit in ("1" * 40, "2" * 40):
        link = cache / "snapshots" / commit / "m-Q8_0.gguf"
        link.parent.mkdir(parents=True)
        link.symlink_to(blob)
    gone = cache / "snapshots" / ("1" * 40) / "gone.gguf"
    gone.symlink_to(cache / "blobs" / "nothing")
    (cache / "snapshots" / "loop.gguf").symlink_to("loop.gguf")
    found = _found(tmp_path)
    assert [(each.name, each.place) for each in found.files if each.usable] == [("m-Q8_0", HUGGING_FACE)]
    assert found.files[0].copies == ()


@pytest.mark.parametrize("variable", ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME"])
def test_the_hub_cache_is_where_the_environment_says(tmp_path: Path, variable: str) -> None:
    env = {"HOME": "/nowhere", variable: str(tmp_path)}
    below = tmp_path / "hub" if variable == "HF_HOME" else tmp_path
    assert ModelPlace(HUGGING_FACE, below) in places(env, folders(env))


def test_a_split_model_is_one_and_a_part_that_lacks_is_told(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        _model(tmp_path / f".lmstudio/models/x/big-0000{number}-of-00003.gguf")
    _model(tmp_path / ".lmstudio/models/x/half-00001-of-00002.gguf", "Half")
    by_name = {each.name: each for each in _found(tmp_path).files}
    assert set(by_name) == {"big", "half"}
    assert len(by_name["big"].parts) == 3
    assert by_name["big"].size == 3 * by_name["big"].path.stat().st_size
    assert by_name["big"].path.name == "big-00001-of-00003.gguf"
    assert by_name["half"].problem == "1 of 2 parts are missing"
    assert not by_name["half"].usable


def test_a_projector_belongs_to_the_model_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / ".lmstudio/models/x/vision"
    _model(folder / "model.gguf")
    _model(folder / "mmproj-model-f16.gguf", kind="clip")
    _model(folder / "imatrix.gguf")
    _model(tmp_path / ".lmstudio/models/y/adapter.gguf", general="adapter")
    found = _found(tmp_path)
    assert [(each.name, each.projector) for each in found.files] == [
        ("model", folder / "mmproj-model-f16.gguf")
    ]


def test_the_same_file_in_two_places_is_told_once(tmp_path: Path) -> None:
    first = _model(tmp_path / ".local/share/lokal/models/m.gguf")
    copy = tmp_path / ".lmstudio/models/x/other-name.gguf"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(first.read_bytes())
    other = _model(tmp_path / ".lmstudio/models/x/same-size.gguf", "Tin2")
    assert other.stat().st_size == first.stat().st_size
    found = {each.name: each for each in _found(tmp_path).files}
    assert set(found) == {"m", "same-size"}
    assert found["m"].copies == (copy,)


def _ollama(store: Path, name: str, layers: object) -> Path:
    manifest = store / "manifests/registry.ollama.ai/library" / name / "latest"
    manifest.parent.mkdir(parents=True, exist_ok=True)
    manifest.write_text(layers if isinstance(layers, str) else json.dumps({"layers": layers}))
    return manifest


def _layer(kind: str, digest: str) -> dict[str, object]:
    return {"mediaType": f"application/vnd.ollama.image.{kind}", "digest": f"sha256:{digest}", "size": 1}


def test_ollamas_store_is_named_by_its_manifests(tmp_path: Path) -> None:
    store = tmp_path / ".ollama/models"
    _model(store / "blobs" / f"sha256-{DIGEST}", "Llama")
    _ollama(store, "llama3.2", [_layer("template", "cd" * 32), _layer("model", DIGEST)])
    _ollama(store, "broken", "{")
    _ollama(store, "escapes", [_layer("model", "../../../etc/passwd")])
    _ollama(store, "gone", [_layer("model", "ef" * 32)])
    found = _found(tmp_path)
    assert [(each.name, each.place, each.title) for each in found.files] == [
        ("llama3.2:latest", OLLAMA, "Llama")
    ]
    assert _found(tmp_path, {"OLLAMA_MODELS": str(store)}).files == found.files


def test_what_cannot_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: object) -> object:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("os.scandir", refuse)
    found = find_models([ModelPlace(OLLAMA, tmp_path), ModelPlace(OWN, tmp_path)])
    assert found.problems == (
        f"Ollama’s models in {tmp_path} cannot be read by this user",
        f"models in {tmp_path} cannot be read by this user",
    )


def test_what_is_no_model_is_told_and_the_rest_is_found(tmp_path: Path) -> None:
    folder = tmp_path / ".lmstudio/models"
    _model(folder / "good.gguf")
    (folder / "cut.gguf").write_bytes(b"GGUF\3")
    (folder / "page.gguf").write_bytes(b"<html>")
    os.mkfifo(folder / "pipe.gguf")
    (folder / "a\x1b[2Jb.gguf").write_bytes(b"")
    (folder / "again").symlink_to(folder)
    found = {each.name: each.problem for each in _found(tmp_path).files}
    assert set(found) == {"good", "cut", "page", "pipe", "ab"}
    assert found["good"] == ""
    assert all(problem for name, problem in found.items() if name != "good")
    assert "pipe" in found["pipe"]


def test_filtering_minds_no_case_and_no_accents(tmp_path: Path) -> None:
    _model(tmp_path / "more/bielik.gguf", "Gżegżółka")
    _model(tmp_path / "more/other.gguf", "Other")
    found = _found(tmp_path, more=str(tmp_path / "more"))
    assert [each.name for each in found.matching("GZEGZOLKA biel")] == ["bielik"]
    assert len(found.matching("")) == 2
    assert found.matching("nothing") == ()


@pytest.mark.parametrize(
    ("name", "quantization"),
    [
        ("Llama-3.2-3B-Instruct-Q4_K_M.gguf", "Q4_K_M"),
        ("llama-3.2.q8_0.gguf", "Q8_0"),
        ("x-UD-IQ2_XXS.gguf", "UD-IQ2_XXS"),
        ("gpt-oss-20b-mxfp4.gguf", "MXFP4"),
        ("model-bf16-00001-of-00002.gguf", "BF16"),
        ("qwen.gguf", ""),
    ],
)
def test_a_name_tells_the_quantization(name: str, quantization: str) -> None:
    assert quantization_in(name) == quantization


def test_all_programs_are_looked_at(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "LLAMA_CACHE": "/cache"}
    owners = [place.owner for place in places(env, folders(env), f"~/a{os.pathsep}/b")]
    assert owners == ["lokal", OWN, OWN, HUGGING_FACE, LM_STUDIO, LM_STUDIO, OLLAMA, OLLAMA, "llama.cpp"]
