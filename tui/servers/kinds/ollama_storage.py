"""What Ollama's models take on the disk, from its manifests, where these can be read.

`manifests/HOST/NAMESPACE/NAME/TAG` beside the folder `blobs` is a JSON document that names the files of a model, each with
its digest and size. Models share files: what a deletion frees are those that no other manifest names.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tui import files
from tui.core.model_management import DeletionEffect
from tui.core.text import safe_line
from tui.servers.json_object import JsonObject, parse_object

MOST_MANIFESTS = 20_000
MOST_BYTES = 1 << 20
_HOST, _NAMESPACE = "registry.ollama.ai", "library"


def freed_bytes(blobs: Path, models: Sequence[str]) -> DeletionEffect | None:
    """What deleting `models` frees, by their full names in lower case. None where not all manifests can be read. It blocks."""
    try:
        manifests = dict(_manifests(blobs.parent / "manifests"))
    except OSError:
        return None
    going = {name: files_of for name, files_of in manifests.items() if name in set(models)}
    if len(going) < len(set(models)) or len(manifests) >= MOST_MANIFESTS:
        return None
    staying = {name: files_of for name, files_of in manifests.items() if name not in going}
    kept = {digest for files_of in staying.values() for digest in files_of}
    all_going = {digest: size for files_of in going.values() for digest, size in files_of.items()}
    frees = sum(size for digest, size in all_going.items() if digest not in kept)
    largest = {max(files_of, key=files_of.__getitem__) for files_of in going.values() if files_of}
    shared = [safe_line(name) for name, files_of in staying.items() if largest & files_of.keys()]
    return DeletionEffect(frees, tuple(sorted(shared)))


def _manifests(folder: Path) -> Iterator[tuple[str, Mapping[str, int]]]:
    """The full name of each model and the sizes of its files by their digests. Raises OSError."""
    for name, layers in _manifest_layers(folder):
        yield (
            name,
            {layer.text("digest"): layer.count("size") or 0 for layer in layers if layer.text("digest")},
        )


def _manifest_layers(folder: Path, *, tolerant: bool = False) -> Iterator[tuple[str, tuple[JsonObject, ...]]]:
    """The full name of each model and its files. Raises OSError; a `tolerant` one passes over a file that cannot be read."""

    def stop(error: OSError) -> None:
        raise error

    count = 0
    for place, _, names in os.walk(folder, onerror=stop):
        *_, host, namespace, model = ("", "", "", *Path(place).relative_to(folder).parts)
        for tag in names:
            if count == MOST_MANIFESTS or not host:
                return
            count += 1
            try:
                told = parse_object(files.read_bytes(Path(place) / tag, MOST_BYTES)) or JsonObject()
            except OSError:
                if tolerant:
                    continue
                raise
            # As Ollama shortens names: the usual host is left out, and then the usual namespace.
            parts = [host, namespace, model] if host != _HOST else [namespace, model]
            parts = [model] if parts == [_NAMESPACE, model] else parts
            yield f"{'/'.join(parts)}:{tag}".lower(), (told.inner("config"), *told.items("layers"))


def stored_models(store: Path) -> list[tuple[str, Path, Path | None]]:
    """The name of each model in the folder `store` of Ollama, the file of its weights, and that of its projector. What is no
    manifest is passed over. It blocks. Raises OSError where the manifests cannot be read."""
    os.scandir(store / "blobs").close()
    found = []
    for name, layers in _manifest_layers(store / "manifests", tolerant=True):
        by_kind = {layer.text("mediaType").rpartition(".")[2]: layer.text("digest") for layer in layers}
        weights, projector = (_blob(store, by_kind.get(kind, "")) for kind in ("model", "projector"))
        if weights is not None:
            found.append((name, weights, projector))
    return found


def _blob(store: Path, digest: str) -> Path | None:
    """The file with this digest; None for what is none."""
    kind, _, number = digest.partition(":")
    is_one = kind == "sha256" and len(number) == 64 and all(each in "0123456789abcdef" for each in number)
    return store / "blobs" / f"sha256-{number}" if is_one else None
