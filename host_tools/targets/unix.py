"""The Unix port's builds: the wheel, and those that `copepod toolchain` makes."""

from __future__ import annotations

from pathlib import Path

from host_tools.targets.process import ProcessTarget
from host_tools.toolchain import locate


def _target(name: str, word_bits: int, heap: str) -> ProcessTarget:
    def path(frozen: bool) -> Path:
        return locate.interpreter(name, frozen=frozen)

    def runner() -> list[str]:
        return locate.runner(name)

    return ProcessTarget(name, word_bits, path, runner=runner, default_heap=heap)


# Roomy heaps: the smallest that must be enough are asserted from tests/budgets.toml.
UNIX = _target("unix", 64, "192k")  # runs inside a CPython process: no figures of RSS from it
UNIX32 = _target("unix32", 32, "128k")
UNIX64 = _target("unix64", 64, "192k")
RISCV64 = _target("riscv64", 64, "192k")
