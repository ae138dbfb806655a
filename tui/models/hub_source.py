"""Hugging Face as a source of the queue of downloads: files go to lokal's own folder, `ORG/REPO/FILE` below it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tui.core.model_actions import ModelAction, none_but
from tui.core.model_management import ModelDetails, PullLayer, PullProgress
from tui.core.model_names import (
    HubFile,
    HubModel,
    HubReference,
    choose_model,
    models_among,
    parse_hub_reference,
)
from tui.core.text import safe_name
from tui.errors import ModelMissing, Refused, UsageError
from tui.models.model_files import hub_cache
from tui.models.pull import FROM
from tui.paths import Folders, home
from tui.servers.hub.hub_access import hub_endpoint
from tui.servers.hub.hub_client import HubClient
from tui.servers.hub.hub_download import CHECKING, Throttle, bytes_there, download

HUB_ACTIONS = none_but(
    "Hugging Face only gives files", ModelAction.PULL, ModelAction.CANCEL_PULL, ModelAction.PAUSE_PULL
)
_NAMED = 12


@dataclass(frozen=True, slots=True)
class HubRepository:
    """What a repository has at a commit: all its models, and the one that is meant."""

    reference: HubReference
    commit: str
    models: tuple[HubModel, ...]
    chosen: HubModel


async def look_at(client: HubClient, reference: HubReference) -> HubRepository:
    """Ask the hub. Raises ModelMissing for a repository without GGUF files, or without the one that is meant; ServerError."""
    commit = await client.commit_of(reference)
    models = models_among(await client.files(reference, commit))
    if not models:
        raise ModelMissing(
            f"{reference.repository} has no GGUF file", "", f"Look for a repository called {reference.repository.partition('/')[2]}-GGUF"
        )  # fmt: skip
    chosen = choose_model(models, reference)
    if chosen is None:
        has = ", ".join(
            dict.fromkeys(safe_name(model.quantization or model.name, 40) for model in models[:_NAMED])
        )
        wanted = safe_name(reference.file or reference.quantization, 60)
        raise ModelMissing(f"{reference.repository} has no {wanted}", "", f"It has {has}")
    return HubRepository(reference, commit, models, chosen)


class HubSource:
    """Downloads from the hub into `folder`; what is in the `cache` of Hugging Face's own tools is not downloaded again."""

    def __init__(
        self, client: HubClient, folder: Path, cache: Path | None = None, rate: int | None = None
    ) -> None:
        """`rate` = at most so many bytes a second."""
        self._client = client
        self._folder = folder
        self._cache = cache
        self._throttle = Throttle(rate)

    async def pull(self, model: str) -> AsyncGenerator[PullProgress, None]:
        """Download what `model` names, part by part. Closing the generator pauses it. Raises LokalError."""
        reference = parse_hub_reference(model)
        yield PullProgress(f"asking {self._client.host}")
        found = await look_at(self._client, reference)
        files = found.chosen.files
        if self._is_cached(found):
            yield PullProgress("in the Hugging Face cache already", done=True)
            return
        there = {file.path: bytes_there(self._target(found, file), file) for file in files}
        if all(self._is_whole(found, file) for file in files):
            yield PullProgress(f"there already: {self._target(found, files[0])}", done=True)
            return
        yield _progress("", files, there)
        for file in files:
            coming = download(
                self._client, reference, found.commit, file, self._target(found, file), self._throttle
            )
            async with aclosing(coming):
                async for status, count in coming:
                    there[file.path] = count
                    host = f"{FROM}{status}" if status and status != CHECKING else status
                    yield _progress(host, files, there, file.path)
        yield _progress(f"downloaded to {self._target(found, files[0])}", files, there, done=True)

    async def details(self, model: str) -> ModelDetails:
        """Nothing is compared with what was there. Raises Refused."""
        raise Refused(
            "Nothing is told of a file before it is downloaded",
            "",
            f"Look at the page of {safe_name(model, 80)}",
        )

    async def storage_folder(self) -> Path | None:
        """The folder, or what there is of the way to it."""
        return next((each for each in (self._folder, *self._folder.parents) if each.is_dir()), None)

    async def cancel_pull(self, model: str) -> None:
        """Nothing goes on by itself."""

    def _target(self, found: HubRepository, file: HubFile) -> Path:
        return self._folder / found.reference.repository / file.path

    def _is_whole(self, found: HubRepository, file: HubFile) -> bool:
        try:
            return self._target(found, file).stat().st_size == file.size
        except OSError:
            return False

    def _is_cached(self, found: HubRepository) -> bool:
        """Whether the cache has all files, of this commit or another one that has the same content."""
        if self._cache is None:
            return False
        blobs = self._cache / f"models--{found.reference.repository.replace('/', '--')}" / "blobs"
        for file in found.chosen.files:
            try:
                if not file.sha256 or (blobs / file.sha256).stat().st_size != file.size:
                    return False
            except OSError:
                return False
        return True


def _progress(
    status: str,
    files: tuple[HubFile, ...],
    there: Mapping[str, int],
    current: str = "",
    *,
    done: bool = False,
) -> PullProgress:
    layers = tuple(PullLayer(file.path, there[file.path], file.size) for file in files)
    return PullProgress(status, layers, current, done)


class HubConnector:
    """Makes the source when a download begins. `rate` = at most so many bytes a second."""

    def __init__(self, environ: Mapping[str, str], folders: Folders, rate: int | None = None) -> None:
        self._environ = environ
        self._folders = folders
        self._rate = rate

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[HubSource]:
        """The source, for as long as a download lasts. Raises UsageError where the hub may not be asked."""
        client = HubClient(hub_endpoint(self._environ))
        try:
            yield HubSource(client, self._folders.models, _cache_of(self._environ), self._rate)
        finally:
            await client.aclose()


def _cache_of(environ: Mapping[str, str]) -> Path | None:
    try:
        return hub_cache(environ, home(environ))
    except UsageError:
        return None
