"""The GGUF files on this machine: where they lie, which of them are models, and what belongs together.

Looked through are lokal's own folder, the Hugging Face cache, LM Studio's folders, Ollama's store, llama.cpp's old cache, and
the folders of the settings. Split files are one model, a projector belongs to the models beside it, and a file that is
there twice is told once. Everything blocks; nothing is followed out of these folders but links to files.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tui import files
from tui.core.folding import folded
from tui.core.model_header import ModelHeader
from tui.core.model_names import PART, is_model_name, quantization_in
from tui.core.text import safe_line, safe_name
from tui.errors import LokalError, UsageError
from tui.paths import Folders, home
from tui.servers.engine import gguf_file
from tui.servers.engine.gguf_reader import read_header
from tui.servers.kinds.ollama_storage import stored_models

LOKAL, HUGGING_FACE, LM_STUDIO, OLLAMA, LLAMA_CPP, OWN = (
    "lokal", "Hugging Face", "LM Studio", "Ollama", "llama.cpp", "folder",
)  # fmt: skip
MOST_ENTRIES = 50_000
MOST_DEPTH = 8
MOST_FILES = 2_000

_NO_MODEL_TYPES = frozenset({"adapter", "imatrix", "mmproj", "vocab"})


@dataclass(frozen=True, slots=True)
class ModelPlace:
    """A folder that is looked through, and whose it is."""

    owner: str
    folder: Path


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model on this machine. `size` is the bytes of all its `parts`, `changed_at` seconds since the epoch; `missing` is how
    many parts are not there. `copies` are other files that hold the same. `problem` is why it cannot be used. Of `header`
    only what stands before the vocabulary is known, None where nothing could be read."""

    name: str
    place: str
    parts: tuple[Path, ...]
    size: int
    changed_at: float
    header: ModelHeader | None = None
    missing: int = 0
    projector: Path | None = None
    copies: tuple[Path, ...] = ()
    problem: str = ""

    @property
    def path(self) -> Path:
        """The file to load: its first part."""
        return self.parts[0]

    @property
    def title(self) -> str:
        """What the model calls itself; empty where it does not."""
        return safe_line(self.header.text("general.name"), 120) if self.header is not None else ""

    @property
    def quantization(self) -> str:
        """As its file says, or else as its name does."""
        told = self.header.quantization if self.header is not None else ""
        return told or quantization_in(self.path.name)

    @property
    def parameters(self) -> str:
        """How many weights it has, as it says itself: `8B`."""
        return safe_line(self.header.text("general.size_label"), 20) if self.header is not None else ""

    @property
    def licence(self) -> str:
        """The name of its licence."""
        return safe_line(self.header.text("general.license"), 40) if self.header is not None else ""

    @property
    def context_trained(self) -> int:
        """Tokens that it was made for; 0 = not told."""
        return self.header.number("context_length") if self.header is not None else 0

    @property
    def usable(self) -> bool:
        """Whether it can be loaded, as far as that is known."""
        return not self.problem and not self.missing


@dataclass(frozen=True, slots=True)
class FoundModels:
    """What was found, the newest first, and what could not be looked at, in words."""

    files: tuple[ModelFile, ...] = ()
    problems: tuple[str, ...] = ()

    def matching(self, query: str) -> tuple[ModelFile, ...]:
        """Those that have every word of `query` in what is shown of them. Case and accents do not matter."""
        words = folded(query).split()
        return tuple(each for each in self.files if all(word in _searched(each) for word in words))


def _searched(file: ModelFile) -> str:
    kind = file.header.architecture if file.header is not None else ""
    return folded(
        " ".join(
            (file.name, file.title, file.place, file.quantization, file.parameters, kind, str(file.path))
        )
    )


# -- where ----------------------------------------------------------------------------------------------------------


def places(environ: Mapping[str, str], folders: Folders, more: str = "") -> tuple[ModelPlace, ...]:
    """The folders to look through; `more` are those of the settings, separated as in PATH."""
    try:
        own = home(environ)
    except UsageError:
        own = folders.data.parent
    found = [ModelPlace(LOKAL, folders.models)]
    found += [ModelPlace(OWN, Path(part).expanduser()) for part in more.split(os.pathsep) if part.strip()]
    found.append(ModelPlace(HUGGING_FACE, hub_cache(environ, own)))
    found += [ModelPlace(LM_STUDIO, own / part) for part in (".lmstudio/models", ".cache/lm-studio/models")]
    if store := environ.get("OLLAMA_MODELS", ""):
        found.append(ModelPlace(OLLAMA, Path(store)))
    else:
        found += [ModelPlace(OLLAMA, each / ".ollama/models") for each in (own, Path("/usr/share/ollama"))]
    named = environ.get("LLAMA_CACHE", "")
    found.append(ModelPlace(LLAMA_CPP, Path(named) if named else _cache(environ, own) / "llama.cpp"))
    return tuple(found)


def _cache(environ: Mapping[str, str], own: Path) -> Path:
    named = Path(environ.get("XDG_CACHE_HOME", ""))
    return named if named.is_absolute() else own / ".cache"


def hub_cache(environ: Mapping[str, str], own: Path) -> Path:
    """The Hugging Face cache, as huggingface_hub finds it."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if environ.get(name, ""):
            return Path(environ[name]).expanduser()
    named = environ.get("HF_HOME", "")
    return (Path(named).expanduser() if named else _cache(environ, own) / "huggingface") / "hub"


# -- finding --------------------------------------------------------------------------------------------------------


def find_models(where: Sequence[ModelPlace]) -> FoundModels:
    """All models in these folders, the newest first."""
    problems: list[str] = []
    found: list[ModelFile] = []
    for place in where:
        try:
            found += _in_place(place)
        except PermissionError:
            whose = "" if place.owner == OWN else f"{place.owner}’s "
            problems.append(
                f"{whose}models in {safe_line(str(place.folder), 120)} cannot be read by this user"
            )
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            problems.append(f"{safe_line(str(place.folder), 120)}: {error.strerror or error}")
    newest = sorted(_told_once(found[:MOST_FILES]), key=lambda each: -each.changed_at)
    return FoundModels(tuple(newest), tuple(problems))


def _in_place(place: ModelPlace) -> list[ModelFile]:
    if place.owner == OLLAMA:
        return _of_ollama(place)
    by_folder: dict[Path, list[Path]] = {}
    for path in _gguf_files(place.folder):
        by_folder.setdefault(path.parent, []).append(path)
    return [each for beside in by_folder.values() for each in _grouped(place, beside)]


def _gguf_files(folder: Path) -> Iterator[Path]:
    """The files below `folder` whose names end in .gguf, links to files among them. Raises OSError for the folder itself."""
    os.scandir(folder).close()
    looked = 0
    for where, inner, names in os.walk(folder, followlinks=False):
        depth = len(Path(where).relative_to(folder).parts)
        inner[:] = (
            sorted(name for name in inner if name not in ("blobs", ".git")) if depth < MOST_DEPTH else []
        )
        for name in sorted(names):
            looked += 1
            if looked > MOST_ENTRIES:
                return
            if name.lower().endswith(".gguf"):
                yield Path(where, name)


def _grouped(place: ModelPlace, beside: Sequence[Path]) -> Iterator[ModelFile]:
    """The models among the files of one folder."""
    projector = next((path for path in beside if "mmproj" in path.name.lower()), None)
    split: dict[tuple[str, int], list[Path]] = {}
    for path in beside:
        if not is_model_name(path.name):
            continue
        part = PART.fullmatch(path.name)
        if part is not None:
            split.setdefault((part[1], int(part[3])), []).append(path)
        elif (model := _looked_at(place, path.name[: -len(".gguf")], (path,), 0)) is not None:
            yield replace(model, projector=projector)
    for (name, count), parts in split.items():
        model = _looked_at(place, name, tuple(sorted(parts)), max(0, count - len(parts)))
        if model is not None:
            yield replace(model, projector=projector)


def _looked_at(place: ModelPlace, name: str, parts: tuple[Path, ...], missing: int) -> ModelFile | None:
    """What a file says of itself; None for one that is no model, or is gone."""
    size, changed, header, problem = 0, 0.0, None, ""
    try:
        for part in parts:
            told = part.stat()
            size += told.st_size
            changed = max(changed, told.st_mtime)
        files.require_regular(parts[0])
        header = replace(read_header(parts[0], briefly=True), size=size)
    except FileNotFoundError:
        return None  # a link to a file that was deleted
    except (LokalError, OSError) as error:
        problem = (error.detail or error.title) if isinstance(error, LokalError) else _why(error)
    if header is not None and header.text("general.type") in _NO_MODEL_TYPES:
        return None
    if missing and not problem:
        problem = f"{missing} of {missing + len(parts)} parts are missing"
    return ModelFile(
        safe_name(name, 200), place.owner, parts, size, changed, header, missing, problem=problem
    )


def _why(error: OSError) -> str:
    return str(getattr(error, "what", "") or error.strerror or error)


def _of_ollama(place: ModelPlace) -> list[ModelFile]:
    """The models that the manifests name, each with the file of its weights."""
    found = []
    for name, weights, projector in stored_models(place.folder):
        model = _looked_at(place, name, (weights,), 0)
        if model is not None:
            found.append(replace(model, projector=projector))
    return found


def _told_once(found: Iterable[ModelFile]) -> list[ModelFile]:
    """Each model once: a link to one that was found before is left out, one with the same content is a copy of it."""
    seen: dict[Path, int] = {}
    kept: list[ModelFile] = []
    by_size: dict[int, list[int]] = {}
    prints: dict[Path, str] = {}
    for model in found:
        real = Path(os.path.realpath(model.path))
        if real in seen:
            continue
        same = next(
            (index for index in by_size.get(model.size, ()) if _alike(kept[index], model, prints)), None
        )
        if same is not None:
            kept[same] = replace(kept[same], copies=(*kept[same].copies, model.path))
            seen[real] = same
            continue
        seen[real] = len(kept)
        by_size.setdefault(model.size, []).append(len(kept))
        kept.append(model)
    return kept


def _alike(one: ModelFile, other: ModelFile, prints: dict[Path, str]) -> bool:
    if one.header is None or other.header is None or len(one.parts) != len(other.parts):
        return False
    first, second = _print_of(one.path, prints), _print_of(other.path, prints)
    return bool(first) and first == second


def _print_of(
    path: Path, prints: dict[Path, str], fingerprint: Callable[[Path], str] = gguf_file.fingerprint
) -> str:
    if path not in prints:
        try:
            prints[path] = fingerprint(path)
        except OSError:
            prints[path] = ""
    return prints[path]
