"""Downloads from a hub that answers as Hugging Face does, and does what hubs and lines do wrong."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from pathlib import Path

import pytest

from tests.support.hub import COMMIT, REPOSITORY, Hub, hub
from tests.support.model_shapes import ModelShape
from tui.core.endpoint import Endpoint
from tui.core.model_management import PullProgress
from tui.core.model_names import (
    HubFile,
    HubReference,
    choose_model,
    is_hub_name,
    is_inside,
    models_among,
    parse_hub_reference,
    quantization_help,
)
from tui.errors import (
    AuthRequired,
    BadReply,
    FileError,
    Interrupted,
    LokalError,
    MalformedFile,
    ModelMissing,
    Refused,
    TryLater,
    UsageError,
)
from tui.models.hub_source import HubSource, look_at
from tui.models.pull import HUB, Pull, PullState
from tui.models.pull_queue import PullQueue
from tui.models.pull_servers import PullServers
from tui.servers.hub.hub_access import hub_endpoint, hub_token
from tui.servers.hub.hub_client import HubClient
from tui.servers.hub.hub_download import part_of

TOKEN = "hf_secret"
NAME = "tiny-Q4_K_M.gguf"
DATA = random.Random(18).randbytes(100_000)
WANTED = f"hf:{REPOSITORY}"


@pytest.fixture
async def running() -> AsyncIterator[Hub]:
    async with hub(
        {NAME: DATA, "tiny-Q8_0.gguf": DATA * 2, "README.md": b"# Tiny", "mmproj-f16.gguf": b"x"}
    ) as made:
        yield made


async def _pull(hub: Hub, folder: Path, name: str = WANTED, **more: object) -> list[PullProgress]:
    client = HubClient(Endpoint(hub.url, api_key=TOKEN))
    try:
        source = HubSource(client, folder, **more)  # type: ignore[arg-type]
        async with aclosing(source.pull(name)) as progress:
            return [each async for each in progress]
    finally:
        await client.aclose()


def _target(folder: Path, name: str = NAME) -> Path:
    return folder / REPOSITORY / name


def _parts(folder: Path) -> list[Path]:
    return list(folder.rglob(".*.part"))


# -- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("hf:org/repo", HubReference("org/repo")),
        ("hf:org/repo:q5_k_m", HubReference("org/repo", "q5_k_m")),
        ("hf:org/repo:sub/m-Q4_0.gguf", HubReference("org/repo", file="sub/m-Q4_0.gguf")),
        ("https://huggingface.co/org/repo", HubReference("org/repo")),
        ("https://hf.co/org/repo/tree/main", HubReference("org/repo")),
        ("https://huggingface.co/org/repo/blob/main/m%20x.gguf", HubReference("org/repo", file="m x.gguf")),
        ("https://huggingface.co/org/repo/resolve/v1/m.gguf?download=true", HubReference("org/repo", file="m.gguf", revision="v1")),
    ],
)  # fmt: skip
def test_names_of_the_hub(text: str, reference: HubReference) -> None:
    assert is_hub_name(text)
    assert parse_hub_reference(text) == reference


@pytest.mark.parametrize(
    "text",
    [
        "hf:", "hf:repo", "hf:../repo", "hf:org/..", "hf:a/b/c", "hf:org/re po", "hf:org/repo:../x.gguf", "hf:org/repo:a b",
        "hf:org/repo:/etc/x.gguf", "hf:org/repo:x\\y.gguf", "https://huggingface.co/", "https://huggingface.co/datasets/a/b",
        "https://huggingface.co/org/repo/blob/main/x.safetensors", "hf:org/repo:a/.hidden/x.gguf", "hf:o\x1brg/repo",
    ],
)  # fmt: skip
def test_what_is_no_name_of_the_hub(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_hub_reference(text)
    assert caught.value.hint or caught.value.detail


def test_no_path_of_a_repository_leaves_its_folder() -> None:
    assert is_inside("a/b-Q4_0.gguf")
    for path in (
        "../a.gguf",
        "/a.gguf",
        "a/../../b.gguf",
        "a//b.gguf",
        "C:\\a.gguf",
        "a/\x1b[2J.gguf",
        ".part.gguf",
        "",
    ):
        assert not is_inside(path)
        assert models_among([HubFile(path, 5)]) == ()


FILES = [
    HubFile("m-Q8_0.gguf", 80), HubFile("m-Q4_K_M.gguf", 40), HubFile("m-Q4_K_S.gguf", 38), HubFile("mmproj-m-f16.gguf", 9),
    HubFile("m-imatrix.gguf", 2), HubFile("BF16/m-BF16-00002-of-00002.gguf", 90), HubFile("BF16/m-BF16-00001-of-00002.gguf", 90),
    HubFile("F32/m-F32-00001-of-00003.gguf", 5), HubFile("README.md", 1),
]  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "paths"),
    [
        (HubReference("o/r"), ["m-Q4_K_M.gguf"]),
        (HubReference("o/r", "q8_0"), ["m-Q8_0.gguf"]),
        (HubReference("o/r", "Q4_K"), None),
        (HubReference("o/r", "bf16"), ["BF16/m-BF16-00001-of-00002.gguf", "BF16/m-BF16-00002-of-00002.gguf"]),
        (HubReference("o/r", "F32"), None),
        (HubReference("o/r", file="m-Q4_K_S.gguf"), ["m-Q4_K_S.gguf"]),
        (HubReference("o/r", file="m-Q4_K_X.gguf"), None),
    ],
)
def test_the_quantization_that_is_meant(wanted: HubReference, paths: list[str] | None) -> None:
    chosen = choose_model(models_among(FILES), wanted)
    assert (None if chosen is None else [file.path for file in chosen.files]) == paths


def test_without_the_usual_ones_the_smallest_is_taken() -> None:
    chosen = choose_model(
        models_among([HubFile("a-F16.gguf", 9), HubFile("a-Q2_K.gguf", 3)]), HubReference("o/r")
    )
    assert chosen is not None
    assert (chosen.quantization, quantization_help(chosen.quantization)) == (
        "Q2_K",
        "very small, makes many mistakes",
    )
    assert quantization_help("IQ4_XS") == quantization_help("q4_K_M") != ""


# -- a download -----------------------------------------------------------------------------------------------------


async def test_a_file_is_downloaded_checked_and_named(running: Hub, tmp_path: Path) -> None:
    progress = await _pull(running, tmp_path)
    assert _target(tmp_path).read_bytes() == DATA
    assert progress[-1].done
    assert str(_target(tmp_path)) in progress[-1].status
    assert progress[-1].completed == progress[-1].total == len(DATA)
    assert any(each.status == f"from {running.files_url.removeprefix('http://')}" for each in progress)
    assert _parts(tmp_path) == []
    assert (await _pull(running, tmp_path))[-1].status.startswith("there already")
    assert len(running.asked("files")) == 1


async def test_the_token_goes_to_the_hub_and_to_no_other_host(running: Hub, tmp_path: Path) -> None:
    await _pull(running, tmp_path)
    assert all(request.headers["authorization"] == f"Bearer {TOKEN}" for request in running.asked("hub"))
    assert running.asked("files")
    assert all("authorization" not in request.headers for request in running.asked("files"))
    assert all(TOKEN not in str(request) for request in running.asked("files"))


@pytest.mark.parametrize(
    "location",
    ["http://192.0.2.1/x", "ftp://127.0.0.1/x", "file:///etc/passwd", "https://me@host/x", "http://["],
)
async def test_only_https_is_followed_elsewhere(running: Hub, tmp_path: Path, location: str) -> None:
    running.faults.location = location
    with pytest.raises(BadReply, match="not followed"):
        await _pull(running, tmp_path)
    assert running.asked("files") == []


async def test_a_circle_of_redirects_ends(running: Hub, tmp_path: Path) -> None:
    running.faults.location = f"{running.url}/{REPOSITORY}/resolve/{COMMIT}/{NAME}"
    with pytest.raises(BadReply, match="without an end"):
        await _pull(running, tmp_path)


async def test_what_broke_off_goes_on_where_it_was(running: Hub, tmp_path: Path) -> None:
    running.faults.cut = [40_000]
    with pytest.raises(Interrupted):
        await _pull(running, tmp_path)
    assert [path.stat().st_size for path in _parts(tmp_path)] == [40_000]
    assert not _target(tmp_path).exists()
    await _pull(running, tmp_path)
    assert running.asked("files")[-1].headers["range"] == "bytes=40000-"
    assert _target(tmp_path).read_bytes() == DATA


async def test_a_host_without_ranges_is_begun_anew(running: Hub, tmp_path: Path) -> None:
    running.faults.cut, running.faults.ranges = [40_000], False
    with pytest.raises(Interrupted):
        await _pull(running, tmp_path)
    await _pull(running, tmp_path)
    assert _target(tmp_path).read_bytes() == DATA


async def test_another_piece_than_was_asked_for_is_not_taken(running: Hub, tmp_path: Path) -> None:
    running.faults.cut = [40_000]
    with pytest.raises(Interrupted):
        await _pull(running, tmp_path)
    running.faults.shifted = 7
    with pytest.raises(Interrupted, match="another piece"):
        await _pull(running, tmp_path)
    running.faults.shifted = 0
    await _pull(running, tmp_path)
    assert _target(tmp_path).read_bytes() == DATA


async def test_more_than_the_file_has_is_not_taken(running: Hub, tmp_path: Path) -> None:
    running.faults.surplus = 10
    with pytest.raises(Interrupted, match="more than the file has"):
        await _pull(running, tmp_path)
    assert not _target(tmp_path).exists()


async def test_a_wrong_hash_leaves_nothing(running: Hub, tmp_path: Path) -> None:
    running.faults.damaged = True
    with pytest.raises(Refused, match="damaged"):
        await _pull(running, tmp_path)
    assert not _target(tmp_path).exists()
    assert _parts(tmp_path) == []


async def test_a_file_that_changed_between_two_requests(running: Hub, tmp_path: Path) -> None:
    running.faults.linked_sha256 = "ab" * 32
    with pytest.raises(Interrupted, match="changed"):
        await _pull(running, tmp_path)


@pytest.mark.parametrize(
    ("status", "code", "retry", "error", "said"),
    [
        (401, "GatedRepo", "", AuthRequired, "accept its terms"),
        (403, "GatedRepo", "", AuthRequired, "accept its terms"),
        (401, "RepoNotFound", "", ModelMissing, "There is no org/tiny-GGUF"),
        (404, "EntryNotFound", "", ModelMissing, "has no file"),
        (404, "", "", ModelMissing, "There is no"),
        (403, "", "", AuthRequired, "Check HF_TOKEN"),
        (429, "", "7", TryLater, "fewer requests"),
        (503, "", "", TryLater, "trouble"),
        (418, "", "", BadReply, "418"),
    ],
)
async def test_refusals_of_the_hub(
    running: Hub, tmp_path: Path, status: int, code: str, retry: str, error: type[LokalError], said: str
) -> None:
    running.faults.statuses = [(status, code, retry)]
    with pytest.raises(error) as caught:
        await _pull(running, tmp_path)
    assert said in str(caught.value)
    assert caught.value.hint
    if isinstance(caught.value, TryLater):
        assert caught.value.retry_after_s == (7.0 if retry else None)


async def test_a_repository_without_what_is_meant(running: Hub, tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="Q4_K_M, Q8_0"):
        await _pull(running, tmp_path, f"{WANTED}:Q3_K_L")
    with pytest.raises(ModelMissing, match="There is no org/other"):
        await _pull(running, tmp_path, "hf:org/other")
    running.files = {"model.safetensors": b"x"}
    with pytest.raises(ModelMissing, match="no GGUF file"):
        await _pull(running, tmp_path)


async def test_a_split_model_in_a_folder_over_several_pages(running: Hub, tmp_path: Path) -> None:
    running.files = {
        f"Q8_0/big-Q8_0-0000{number}-of-00003.gguf": DATA[: number * 1000] for number in (1, 2, 3)
    }
    running.faults.pages = 3
    progress = await _pull(running, tmp_path)
    assert progress[-1].total == 6000
    for name, data in running.files.items():
        assert _target(tmp_path, name).read_bytes() == data


async def test_what_the_hub_cache_has_is_not_downloaded(running: Hub, tmp_path: Path) -> None:
    blob = tmp_path / "cache" / "models--org--tiny-GGUF" / "blobs" / running.sha256(NAME)
    blob.parent.mkdir(parents=True)
    blob.write_bytes(DATA)
    progress = await _pull(running, tmp_path / "models", cache=tmp_path / "cache")
    assert (progress[-1].status, progress[-1].done) == ("in the Hugging Face cache already", True)
    assert running.asked("files") == []


async def test_two_processes_never_write_one_file(running: Hub, tmp_path: Path) -> None:
    running.faults.stall_at = 20_000
    first = asyncio.create_task(_pull(running, tmp_path))
    await running.stalled.wait()
    with pytest.raises(Refused, match="Another lokal"):
        await _pull(running, tmp_path)
    first.cancel()
    await asyncio.wait({first})
    running.faults.stall_at = None
    await _pull(running, tmp_path)
    assert _target(tmp_path).read_bytes() == DATA


async def test_a_full_disk_keeps_what_came(
    running: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, left = os.write, [99_000]

    def write(handle: int, data: object) -> int:
        assert isinstance(data, memoryview)
        if left[0] < len(data):
            raise OSError(28, "No space left on device")
        left[0] -= len(data)
        return real(handle, data)

    monkeypatch.setattr("tui.servers.hub.hub_download.os.write", write)
    with pytest.raises(FileError, match="disk is full"):
        await _pull(running, tmp_path)
    monkeypatch.undo()
    assert _parts(tmp_path)[0].stat().st_size > 50_000
    await _pull(running, tmp_path)
    assert _target(tmp_path).read_bytes() == DATA


async def test_a_limited_rate_is_waited_for(
    running: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr("tui.servers.hub.hub_download.asyncio.sleep", sleep)
    await _pull(running, tmp_path, rate=50_000)
    assert max(slept) == pytest.approx(2.0, abs=0.3)  # nobody slept meanwhile, so that it adds up


async def test_the_header_is_read_without_the_file(running: Hub, tmp_path: Path) -> None:
    shape = ModelShape("llama", 2, 256, 4, 2, 64, 512, 100_000)
    running.files = {NAME: shape.write(tmp_path / "m.gguf").read_bytes(), "x-Q8_0.gguf": b"no model" * 9}
    client = HubClient(Endpoint(running.url))
    wanted = HubReference(REPOSITORY)
    found = await look_at(client, wanted)
    header = await client.header(wanted, found.commit, found.chosen.files[0])
    assert (header.number("block_count"), header.size) == (2, len(running.files[NAME]))
    assert sum(tensor.size for tensor in header.tensors) > 20_000_000
    assert running.sent <= 1 << 20
    with pytest.raises(MalformedFile):
        await client.header(wanted, found.commit, HubFile("x-Q8_0.gguf", 72))
    assert await client.licence_of(wanted) == "apache-2.0"
    await client.aclose()


# -- in the queue ---------------------------------------------------------------------------------------------------


async def test_the_queue_tries_again_and_looks_at_the_disk_first(running: Hub, tmp_path: Path) -> None:
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def connect() -> AsyncIterator[HubSource]:
        client = HubClient(Endpoint(running.url))
        yield HubSource(client, tmp_path / "models")
        await client.aclose()

    running.faults.cut = [1_000, 30_000, 5_000]
    running.faults.statuses = [(429, "", "")]
    told: list[Pull] = []
    free = [10]
    queue = PullQueue(
        PullServers((), lambda: None, connect).connect,
        told.append,
        pauses_s=(0.0,) * 4,
        free=lambda _: free[0],
    )
    pull = queue.add(HUB, None, WANTED)
    await queue.run(until_done=True)
    paused = queue.find(pull.id)
    assert paused is not None
    assert (paused.state, paused.problem and paused.problem.title) == (
        PullState.PAUSED,
        "There is not enough room",
    )
    assert not (tmp_path / "models").exists()
    free[0] = 10**9
    queue.resume(pull.id)
    await queue.run(until_done=True)
    done = queue.find(pull.id)
    assert done is not None
    assert done.state is PullState.DONE, done.problem
    assert done.result == f"downloaded to {_target(tmp_path / 'models')}"
    assert _target(tmp_path / "models").read_bytes() == DATA


# -- where the hub is, and who asks -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "url", "token"),
    [
        ({}, "https://huggingface.co", ""),
        ({"HF_TOKEN": " abc\n"}, "https://huggingface.co", "abc"),
        (
            {"HF_ENDPOINT": "https://mirror.example/hf/", "HF_TOKEN": "abc"},
            "https://mirror.example/hf",
            "abc",
        ),
        ({"HF_ENDPOINT": "http://mirror.example", "HF_TOKEN": "abc"}, "http://mirror.example", ""),
        ({"HF_ENDPOINT": "http://127.0.0.1:80", "HF_TOKEN": "abc"}, "http://127.0.0.1:80", "abc"),
    ],
)
def test_where_the_hub_is(environ: Mapping[str, str], url: str, token: str, tmp_path: Path) -> None:
    endpoint = hub_endpoint({"HOME": str(tmp_path), **environ})
    assert (endpoint.url, endpoint.api_key) == (url, token)


@pytest.mark.parametrize(
    "environ", [{"HF_ENDPOINT": "nonsense"}, {"HF_ENDPOINT": "https://a:b@c"}, {"HF_HUB_OFFLINE": "1"}]
)
def test_where_no_hub_may_be_asked(environ: Mapping[str, str]) -> None:
    with pytest.raises(UsageError):
        hub_endpoint(environ)


def test_the_token_is_kept_where_other_tools_keep_it(tmp_path: Path) -> None:
    usual = tmp_path / ".cache/huggingface/token"
    usual.parent.mkdir(parents=True)
    usual.write_text("usual\n")
    other = tmp_path / "other"
    other.write_text("other")
    home = {"HOME": str(tmp_path)}
    assert hub_token(home) == "usual"
    assert hub_token({**home, "HF_TOKEN_PATH": str(other)}) == "other"
    (tmp_path / "hf").mkdir()
    assert hub_token({**home, "HF_HOME": str(tmp_path / "hf")}) == ""
    usual.write_text("two words\n")
    assert hub_token(home) == ""


def test_a_changed_file_has_another_part(tmp_path: Path) -> None:
    parts = {part_of(tmp_path / "m.gguf", HubFile("m.gguf", 5, digest * 32)) for digest in ("ab", "cd")}
    assert len(parts) == 2
