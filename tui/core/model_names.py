"""What the names of model files and of repositories tell: quantization, parts, and what is no model at all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import unquote, urlsplit

from tui.core.text import safe_name
from tui.errors import UsageError

PART = re.compile(r"(.*)-(\d{5})-of-(\d{5})\.gguf", re.IGNORECASE)
"""The name of a part of a split model: what comes before, its number, and how many there are."""
# Of such names no file is a model, see llama.cpp's download.cpp.
_NO_MODEL = re.compile(r"mmproj|imatrix|^(?:mtp|eagle3|dflash|dspark)-", re.IGNORECASE)
_QUANTIZATION = re.compile(
    r"(?:^|[-._])((?:UD-)?(?:I?Q\d(?:_[A-Z0-9]+)*|TQ\d_\d|B?F16|F32|MXFP4(?:_MOE)?|NVFP4))(?=[-.]|$)",
    re.IGNORECASE,
)
_USUAL = ("Q4_K_M", "Q8_0")
"""What is taken of a repository where nothing is named, as llama.cpp does."""
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9_][\w.-]{0,95}", re.ASCII)
_HOSTS = frozenset({"huggingface.co", "www.huggingface.co", "hf.co"})
HUB_PREFIX = "hf:"
_FORM = "Write hf:org/repo or hf:org/repo:Q4_K_M, or the address of its page on huggingface.co"

QUANTIZATION_HELP: Mapping[str, str] = MappingProxyType(
    {
        "Q2": "very small, makes many mistakes", "Q3": "small, noticeably worse",
        "Q4": "half the size of q8 and nearly as good: what most people take",
        "Q5": "a little better than q4, a fifth larger", "Q6": "hardly to be told from q8", "Q8": "as good as the original",
        "F16": "the original, four times the size of q4", "BF16": "the original, four times the size of q4",
        "F32": "the original, eight times the size of q4",
    }
)  # fmt: skip
"""What a quantization means, by its first letters."""


def quantization_in(name: str) -> str:
    """The quantization that the name of a file tells, in capitals: `Q4_K_M`; empty where it tells none."""
    found = [match[1] for match in _QUANTIZATION.finditer(name)]
    return found[-1].upper() if found else ""


def quantization_help(quantization: str) -> str:
    """What a quantization means, in a few words; empty for one that is not known."""
    name = quantization.upper().removeprefix("UD-").removeprefix("I").removeprefix("T")
    return next((words for start, words in QUANTIZATION_HELP.items() if name.startswith(start)), "")


def is_model_name(path: str) -> bool:
    """Whether a file of that name may be a model, and is no projector, matrix or head that drafts for one."""
    name = path.rpartition("/")[2]
    return name.lower().endswith(".gguf") and _NO_MODEL.search(name) is None


@dataclass(frozen=True, slots=True)
class HubReference:
    """What a person wants of Hugging Face: a repository, and of it a quantization or one file; empty = the usual one."""

    repository: str
    quantization: str = ""
    file: str = ""
    revision: str = "main"

    @property
    def name(self) -> str:
        """As it is written on the command line."""
        what = self.file or self.quantization
        return f"{HUB_PREFIX}{self.repository}{':' if what else ''}{what}"


def is_hub_name(text: str) -> bool:
    """Whether a text names something on Hugging Face that lokal downloads itself."""
    return text.startswith(HUB_PREFIX) or (
        text.startswith(("https://", "http://")) and (urlsplit(text).hostname or "") in _HOSTS
    )


def parse_hub_reference(text: str) -> HubReference:
    """What `hf:org/repo:QUANT`, or the address of a page or file on huggingface.co, means. Raises UsageError."""
    shown = safe_name(text, 100)
    if text.startswith(HUB_PREFIX):
        rest, _, what = text.removeprefix(HUB_PREFIX).partition(":")
        found = HubReference(rest, what)
        if what.lower().endswith(".gguf"):
            found = HubReference(rest, file=what)
    else:
        try:
            parts = [unquote(part) for part in urlsplit(text).path.split("/") if part]
        except ValueError:
            parts = []
        found = HubReference("/".join(parts[:2]))
        if len(parts) > 4 and parts[2] in ("blob", "resolve", "raw"):
            found = HubReference(found.repository, file="/".join(parts[4:]), revision=parts[3])
        elif len(parts) > 2 and parts[2] not in ("tree", "discussions", "blob", "resolve"):
            raise UsageError(f"“{shown}” is no model on Hugging Face", "", _FORM)
    wrong = (
        _REPOSITORY.fullmatch(found.repository) is None
        or ".." in found.repository
        or (found.quantization and re.fullmatch(r"[\w.-]{1,40}", found.quantization) is None)
        or (found.file and not is_inside(found.file))
        or re.fullmatch(r"[\w.-]{1,100}", found.revision) is None
    )
    if wrong:
        raise UsageError(f"“{shown}” is no model on Hugging Face", "", _FORM)
    if found.file and not found.file.lower().endswith(".gguf"):
        raise UsageError(f"“{shown}” is no GGUF file", "", "lokal downloads files that end in .gguf")
    return found


def is_inside(path: str) -> bool:
    """Whether a path that somebody else tells stays in the folder that it is put under, and can be shown."""
    parts = path.split("/")
    return (
        0 < len(path) <= 500
        and path.isprintable()
        and "\\" not in path
        and ":" not in path
        and all(part not in ("", ".", "..") and not part.startswith(".") for part in parts)
    )


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a repository: its path there, its bytes, and its SHA-256 in hexadecimal digits, empty where not told."""

    path: str
    size: int
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class HubModel:
    """A model of a repository: one file, or the parts of one, in their order."""

    quantization: str
    files: tuple[HubFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(file.size for file in self.files)

    @property
    def name(self) -> str:
        """The name of its file, without the number of a part."""
        path = self.files[0].path
        split = PART.fullmatch(path)
        return split[1] if split is not None else path.removesuffix(".gguf")


def models_among(files: Iterable[HubFile]) -> tuple[HubModel, ...]:
    """The models in a repository, the smallest first; split ones only with all their parts."""
    split: dict[tuple[str, int], list[HubFile]] = {}
    found: list[HubModel] = []
    for file in files:
        if not is_model_name(file.path) or not is_inside(file.path):
            continue
        part = PART.fullmatch(file.path)
        if part is None:
            found.append(HubModel(quantization_in(file.path), (file,)))
        else:
            split.setdefault((part[1], int(part[3])), []).append(file)
    for (name, count), parts in split.items():
        if len(parts) == count:
            found.append(
                HubModel(quantization_in(f"{name}.gguf"), tuple(sorted(parts, key=lambda each: each.path)))
            )
    return tuple(sorted(found, key=lambda model: (model.size, model.name)))


def choose_model(models: Sequence[HubModel], wanted: HubReference) -> HubModel | None:
    """The model that is meant: the file that is named, the quantization, or else the usual one; None where there is none."""
    if wanted.file:
        return next(
            (
                model
                for model in models
                if wanted.file in [*(file.path for file in model.files), f"{model.name}.gguf"]
            ),
            None,
        )
    for quantization in (wanted.quantization,) if wanted.quantization else _USUAL:
        named = re.compile(rf"(?:^|[-._/]){re.escape(quantization)}[.-]", re.IGNORECASE)
        found = [model for model in models if named.search(f"{model.name}.")]
        if found:
            return min(found, key=lambda model: (len(model.name), model.name))
    return None if wanted.quantization or not models else models[0]
