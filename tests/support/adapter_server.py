"""A real llama.cpp server whose model has a LoRA adapter: `python -m tests.support.adapter_server FOLDER` makes both files in
FOLDER, writes its address to standard output, and ends when standard input does."""

from __future__ import annotations

import sys
from pathlib import Path

import xllamacpp

from tests.support import bigram


def main(folder: Path) -> None:
    """Serve until nobody is there any more."""
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(
        bigram.build(folder / "toy.gguf", "Well, well. " * 20, context=1024, name="toy")
    )
    adapter = xllamacpp.CommonAdapterLoraInfo()
    adapter.path, adapter.scale = str(bigram.build_adapter(folder / "style.gguf", folder / "toy.gguf")), 1.0
    parameters.lora_adapters = [adapter]
    parameters.n_ctx, parameters.port, parameters.warmup = 1024, 0, False
    server = xllamacpp.Server(parameters)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
