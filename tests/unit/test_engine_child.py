"""The job that the supervisor is given."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tui.core.parameters import REGISTRY, engine_flags
from tui.servers.engine.child_process import WHEEL_NUMBERS, WHEEL_SETTINGS, Job, environment

JOB = Job(
    "/usr/bin/llama-server", "/m/żaba.gguf", "żaba", "127.0.0.1", 4711, "geheim", ("--ctx-size", "4096")
)


def test_a_job_survives_the_pipe() -> None:
    assert vars(Job.from_line(JOB.to_line())) == vars(JOB)
    assert JOB.to_line().count(b"\n") == 1


def test_slots_are_saved_only_into_a_folder_that_was_named() -> None:
    assert "--slot-save-path" not in JOB.command()
    command = Job(**{**vars(JOB), "slot_folder": "/s"}).command()
    assert command[command.index("--slot-save-path") + 1] == "/s"


def test_the_key_is_in_the_environment_and_not_on_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLAMA_ARG_API_PREFIX", "/elsewhere")
    monkeypatch.setenv("LLAMA_ARG_FLASH_ATTN", "on")
    assert "geheim" not in " ".join(JOB.command())
    environment = JOB.environment()
    assert environment["LLAMA_API_KEY"] == "geheim"
    assert environment["LLAMA_ARG_FLASH_ATTN"] == "on"
    assert "LLAMA_ARG_API_PREFIX" not in environment


def test_the_wheel_takes_every_flag_that_a_parameter_has() -> None:
    flags = {flag for parameter in REGISTRY for flag in parameter.engine_flag.split()}
    assert flags == set(WHEEL_SETTINGS) - {"--threads-batch"}


def test_the_wheel_takes_every_word_that_such_a_parameter_has() -> None:
    xllamacpp = pytest.importorskip("xllamacpp")
    words = {word for parameter in REGISTRY if parameter.engine_flag for word in parameter.choices}
    assert words == set(WHEEL_NUMBERS)
    flash, types = xllamacpp.llama_flash_attn_type, xllamacpp.ggml_type
    for word, number in {
        "auto": flash.LLAMA_FLASH_ATTN_TYPE_AUTO, "off": flash.LLAMA_FLASH_ATTN_TYPE_DISABLED,
        "on": flash.LLAMA_FLASH_ATTN_TYPE_ENABLED, "f16": types.GGML_TYPE_F16, "q4_0": types.GGML_TYPE_Q4_0,
        "q8_0": types.GGML_TYPE_Q8_0,
    }.items():  # fmt: skip
        assert WHEEL_NUMBERS[word] == int(number)


def test_the_wheel_has_every_setting() -> None:
    xllamacpp = pytest.importorskip("xllamacpp")
    params = xllamacpp.CommonParams()
    for settings in WHEEL_SETTINGS.values():
        for setting in settings.split():
            target = params
            for name in setting.split("."):
                target = getattr(target, name)
            assert isinstance(target, int)


def test_waiting_threads_spin_shortly_unless_the_person_says_otherwise() -> None:
    made = environment({"PATH": "/bin"})
    assert made == {"PATH": "/bin", "GGML_NO_BACKTRACE": "1", "GOMP_SPINCOUNT": "1000"}
    assert environment({"GOMP_SPINCOUNT": "5"})["GOMP_SPINCOUNT"] == "5"
    assert "GOMP_SPINCOUNT" not in environment({"OMP_WAIT_POLICY": "active"})


def test_automatic_is_no_flag() -> None:
    assert engine_flags({"gpu_layers": -1, "threads": 0, "temperature": 1.0}) == []


def test_importing_the_engine_loads_neither_httpx_nor_llama_cpp() -> None:
    code = (
        "import sys, tui.servers.engine\n"
        "print(sorted({'httpx', 'xllamacpp', 'ollama', 'http.client', 'ctypes'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
