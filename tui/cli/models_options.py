"""What `lokal models` takes on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from tui.cli import help as help_texts
from tui.cli.command_arguments import Models
from tui.errors import UsageError

MOST_TOKENS = 16_777_216
ACTIONS = (
    "list",
    "show",
    "ps",
    "load",
    "unload",
    "pull",
    "update",
    "rm",
    "cp",
    "create",
    "files",
    "fit",
    "modelfile",
    "catalog",
)


class _Subparsers(Protocol):
    """What `add_subparsers` gives, whose own type is private."""

    def add_parser(self, name: str, **more: Any) -> argparse.ArgumentParser: ...


def add_models(models: argparse.ArgumentParser, filled: Callable[[str], str]) -> None:
    """The actions and their options; `filled` is the type of a text that is not empty."""
    actions: _Subparsers = models.add_subparsers(dest="action", metavar="ACTION", required=True)
    name = "as “lokal models list” names it"

    def action(verb: str, help: str, description: str = "", *, json: bool = False) -> argparse.ArgumentParser:
        parser = actions.add_parser(verb, help=help, description=description or None)
        parser.add_argument(
            "--server", dest="server_here", type=filled, metavar="URL", help="the server: an address, or its name in the config"
        )  # fmt: skip
        if json:
            parser.add_argument("--json", action="store_true", help="print JSON")
        return parser

    listed = action("list", "the models that the server has", json=True)
    listed.add_argument(
        "--sort", choices=("name", "size", "changed", "loaded"), help="the order; else the server's own"
    )
    show = action("show", "all that the server tells of a model", json=True)
    show.add_argument("names", nargs=1, metavar="NAME", help=name)
    action("ps", "the models in memory, and until when", json=True)
    load = action("load", "load a model into memory")
    load.add_argument("names", nargs=1, metavar="NAME", help=name)
    load.add_argument("--context", type=_tokens, metavar="N", help="with a context window of so many tokens")
    load.add_argument("--keep-alive", type=_time, metavar="TIME", help="how long it stays: 30m, 0, forever")
    load.add_argument(
        "--arg", dest="arguments", action="append", type=_argument, metavar="NAME=VALUE",
        help="of a text-generation-webui loader, such as loader=llama.cpp; repeatable",
    )  # fmt: skip
    unload = action("unload", "free the memory of a model")
    unload.add_argument("names", nargs="*", metavar="NAME", help=name)
    unload.add_argument("--all", action="store_true", help="of all models")
    pull = action("pull", "let the server download models", help_texts.MODELS_PULL, json=True)
    pull.add_argument(
        "names",
        nargs="*",
        type=filled,
        metavar="NAME",
        help="llama3.2:3b, or hf:org/repo:QUANT, which lokal downloads itself",
    )
    pull.add_argument(
        "--limit",
        dest="rate",
        type=_rate,
        metavar="RATE",
        help="at most so many bytes a second from Hugging Face: 2M, 500k",
    )
    update = action("update", "download what is new of models", help_texts.MODELS_UPDATE, json=True)
    update.add_argument(
        "names", nargs="*", type=filled, metavar="NAME", help=f"{name}; all, if none is named"
    )
    delete = action("rm", "delete models; asks first", help_texts.MODELS_RM)
    delete.add_argument("names", nargs="+", type=filled, metavar="NAME", help=name)
    delete.add_argument("--yes", action="store_true", help="do not ask")
    copy = action("cp", "give a model a second name")
    copy.add_argument("names", nargs=1, type=filled, metavar="NAME", help=name)
    copy.add_argument("new", type=filled, metavar="NEW", help="its second name")
    create = action("create", "make a model", help_texts.MODELS_CREATE)
    create.add_argument("names", nargs=1, type=filled, metavar="NAME", help="the new model")
    create.add_argument("--file", type=Path, metavar="FILE", help="its Modelfile")
    create.add_argument(
        "--from",
        dest="source",
        type=filled,
        metavar="MODEL",
        help="without a Modelfile: a model or a GGUF file",
    )
    create.add_argument(
        "--preset",
        dest="with_preset",
        type=filled,
        metavar="P",
        help="with the values and the system prompt of a preset",
    )
    create.add_argument("--system", metavar="TEXT", help="with this system prompt")
    create.add_argument("--quantize", type=filled, metavar="Q", help="make it smaller: q8_0, q4_K_M, q4_K_S")
    found = action("files", "the GGUF files on this machine", help_texts.MODELS_FILES, json=True)
    found.add_argument(
        "names", nargs="*", metavar="WORD", help="only those that have these words in their names"
    )
    fit = action("fit", "whether a model would run here", help_texts.MODELS_FIT, json=True)
    fit.add_argument("names", nargs=1, type=filled, metavar="MODEL", help="a name, or a GGUF file")
    fit.add_argument("--context", type=_tokens, metavar="N", help="with a context window of so many tokens")
    fit.add_argument(
        "--cache-type", choices=("f16", "q8_0", "q4_0"), metavar="T", help="the KV cache in f16, q8_0 or q4_0"
    )
    modelfile = action("modelfile", "write a Modelfile, or take one apart", help_texts.MODELS_MODELFILE)
    modelfile.add_argument(
        "--from", dest="source", type=filled, metavar="MODEL", help="write one for this model"
    )
    modelfile.add_argument(
        "--preset",
        dest="with_preset",
        type=filled,
        metavar="P",
        help="with the values and the system prompt of a preset",
    )
    modelfile.add_argument("--system", metavar="TEXT", help="with this system prompt")
    modelfile.add_argument(
        "--examples",
        type=Path,
        metavar="FILE",
        help="with examples: [Instruction], then [Q] and [A] in turns",
    )
    modelfile.add_argument("--file", type=Path, metavar="FILE", help="take this Modelfile apart")
    modelfile.add_argument(
        "--save", dest="save_as", type=filled, metavar="NAME", help="... into a preset of this name"
    )
    modelfile.add_argument("--yes", action="store_true", help="also where there is such a preset")
    catalog = action("catalog", "models that are known by name", help_texts.MODELS_CATALOG, json=True)
    catalog.add_argument("names", nargs="*", metavar="WORD", help="only those that have these words")
    catalog.add_argument(
        "--for",
        dest="need",
        type=filled,
        metavar="NEED",
        help="code, Polish, long documents, small laptop, learning",
    )
    catalog.add_argument(
        "--licence", type=filled, metavar="WORD", help="only under such a licence: apache, mit, commercial"
    )
    catalog.add_argument("--fits", action="store_true", help="only what this machine has the memory for")


def models_command(said: Mapping[str, Any], server: str | None) -> Models:
    """What the parsed options ask for. Raises UsageError."""
    action, names = said["action"], tuple(said.get("names") or ())
    if action == "cp":
        names = (*names, said["new"])
    if action == "unload" and bool(names) is said["all"]:
        raise UsageError(
            "lokal models unload needs a NAME, or --all", "", "“lokal models ps” shows what is in memory"
        )
    if action == "create" and (said["file"] is None) is (said["source"] is None):
        raise UsageError(
            "lokal models create needs either --file or --from",
            "",
            "Like: lokal models create teacher --from llama3.2:3b",
        )
    if (
        action == "create"
        and said["file"] is not None
        and (said["with_preset"] or said["system"] is not None)
    ):
        raise UsageError(
            "--file says it all", "--preset and --system belong to --from", "Leave one of them out"
        )
    if action == "modelfile" and (said["file"] is None) is (said["source"] is None):
        raise UsageError(
            "lokal models modelfile needs either --from or --file", "",
            "Like: lokal models modelfile --from llama3.2:3b --preset technical > Modelfile",
        )  # fmt: skip
    if action == "modelfile" and (said["file"] is None) is not (said["save_as"] is None):
        raise UsageError(
            "--file and --save belong together",
            "",
            "Like: lokal models modelfile --file Modelfile --save teacher",
        )
    given = (
        "sort",
        "context",
        "keep_alive",
        "yes",
        "file",
        "source",
        "system",
        "quantize",
        "json",
        "cache_type",
        "rate",
        "examples",
        "save_as",
        "need",
        "licence",
        "fits",
    )
    more = {key: said[key] for key in given if said.get(key) is not None}
    if said.get("arguments"):
        more["arguments"] = tuple(said["arguments"])
    return Models(action, names, server, preset=said.get("with_preset"), **more)


def _tokens(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= MOST_TOKENS):
        raise argparse.ArgumentTypeError(f"needs a number of tokens from 1 to {MOST_TOKENS}")
    return int(text)


def _rate(text: str) -> int:
    number, unit = text[:-1], text[-1:].lower()
    factor = {"k": 1_000, "m": 1_000_000, "g": 1_000_000_000}.get(unit)
    if factor is None:
        number, factor = text, 1
    try:
        rate = int(float(number) * factor)
    except (ValueError, OverflowError):
        rate = 0
    if not 1000 <= rate <= 10**12:
        raise argparse.ArgumentTypeError("needs bytes a second, at least 1k: 2M, 500k")
    return rate


def _argument(text: str) -> tuple[str, str | int | float | bool]:
    """A name and its value: a number, true, false, or a text."""
    import json

    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise argparse.ArgumentTypeError("needs NAME=VALUE")
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return name.strip(), value
    return name.strip(), found if isinstance(found, str | int | float | bool) else value


def _time(text: str) -> str:
    from tui.core.keep_alive import FORM, normal_time

    time = normal_time(text)
    if time is None:
        raise argparse.ArgumentTypeError(f"needs {FORM}")
    return time
