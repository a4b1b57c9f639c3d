"""The C of the bare-metal board that can run here: the virtqueue and the C heap, sanitized."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from host_tools.paths import ROOT

SOURCES = ROOT / "boards" / "VIRT_RV32" / "src"
FLAGS = ["-std=gnu99", "-g", "-O1", "-Wall", "-Wextra", "-Wshadow", "-Werror"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


@pytest.mark.parametrize("name", ["virtqueue", "c_heap"])
def test_hosted(name: str, tmp_path: Path) -> None:
    program = tmp_path / name
    files = [str(SOURCES / f"{name}.c"), str(ROOT / "tests/host/targets/c" / f"{name}_test.c")]
    command = ["gcc", *FLAGS, *SANITIZERS, f"-I{SOURCES}", "-o", str(program), *files]
    built = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert built.returncode == 0, built.stderr
    run = subprocess.run([program], capture_output=True, text=True, timeout=20, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout == f"{name}: ok\n"
