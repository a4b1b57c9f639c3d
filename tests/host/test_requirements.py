"""What is installed for whom: two locks, made of pyproject.toml, and make targets that install what they need."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from command_line import copepod

from host_tools import cli
from host_tools.paths import ROOT

RUNNING, DEVELOPING = "requirements.lock", "requirements-dev.lock"
PINNED = re.compile(r"(?m)^([a-z][a-z0-9-]*)==(\S+) \\\n    --hash=sha256:")
OURS = {"host_tools", "copepod"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def pinned(lock: str) -> dict[str, str]:
    """Names and versions; every line that is not a hash or a comment pins one."""
    text = (ROOT / lock).read_text()
    found = dict(PINNED.findall(text))
    assert len(re.findall(r"(?m)^[^#\s]", text)) == len(found), f"{lock}: something has no hash"
    return found


def named(requirements: list[str]) -> set[str]:
    return {re.split(r"[^\w-]", text)[0].lower().replace("_", "-") for text in requirements}


def imported() -> set[str]:
    """The packages that host_tools imports, anywhere in its files; modules for MicroPython aside."""
    found: set[str] = set()
    for path in (ROOT / "host_tools").rglob("*.py"):
        if "pretend/modules" in path.as_posix():
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - OURS


def test_the_locks_have_what_pyproject_names() -> None:
    running, developing = pinned(RUNNING), pinned(DEVELOPING)
    assert named(PROJECT["dependencies"]) <= set(running)
    assert named(PROJECT["optional-dependencies"]["dev"]) <= set(developing)
    assert running.items() <= developing.items(), "two versions of one package: make lock"
    assert "setuptools" in running, "what installs this project itself"


def test_what_only_development_needs_is_not_in_the_first_lock() -> None:
    dev = named(PROJECT["optional-dependencies"]["dev"])
    assert dev & set(pinned(RUNNING)) == {"markdown-it-py"}  # rich has it
    assert not dev & named(PROJECT["dependencies"])


def test_every_import_is_of_a_package_that_is_named() -> None:
    providers = metadata.packages_distributions()
    of = {name: named(providers.get(name, [name])) for name in imported()}
    running, dev = (named(PROJECT["dependencies"]), named(PROJECT["optional-dependencies"]["dev"]))
    assert [name for name, packages in of.items() if not packages & (running | dev)] == []
    assert sorted(name for name, packages in of.items() if packages & dev) == list(cli.DEVELOPING)


@pytest.mark.parametrize("name", cli.DEVELOPING)
def test_a_package_for_development_that_is_missing_is_one_line(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def command(*_: object, **__: object) -> None:
        raise ModuleNotFoundError(f"No module named '{name}'", name=name)

    monkeypatch.setattr(cli.cli, "main", command)
    assert copepod("report") == (1, "", f"copepod: {name} is missing: `make dev`\n")


def test_another_module_that_is_missing_is_a_fault_of_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(cli.COMMANDS, "report", "host_tools.no_such_module:command")
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        copepod("report")


PROGRAM = '#!/bin/sh\necho "$(basename "$0") $*" >> "$LOG"\n'
PROGRAMS = ("pip", "copepod", "pytest", "ruff", "basedpyright", "pip-compile")


class Checkout:
    """The Makefile beside both locks, with programs in .venv that only note that they were run."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder / "log"
        for name in ("Makefile", "pyproject.toml", RUNNING, DEVELOPING, "requirements-stubs.lock"):
            (folder / name).write_bytes((ROOT / name).read_bytes())
        (folder / ".venv/bin").mkdir(parents=True)
        (folder / "firmware/typings").mkdir(parents=True)
        for name in PROGRAMS:
            (folder / ".venv/bin" / name).write_text(PROGRAM)
            (folder / ".venv/bin" / name).chmod(0o755)

    def make(self, *words: str) -> list[str]:
        """The locks that pip installed for it, in that order."""
        self.log.write_text("")
        kept = {k: v for k, v in os.environ.items() if k not in ("BOT", "ARGS", "TARGETS")}
        for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES"):
            kept.pop(name, None)
        run = subprocess.run(
            ["make", f"PYTHON={sys.executable}", *words],
            cwd=self.folder,
            env=kept | {"LOG": str(self.log)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stdout + run.stderr
        called = re.findall(r"(?m)^pip install .*", self.log.read_text())
        files = [re.search(r"--require-hashes -r (\S+)", line) for line in called]
        assert sum(found is None for found in files) == ("requirements.lock" in str(called)), (
            called
        )
        return [found[1] for found in files if found]

    def edit(self, name: str) -> None:
        """As though an editor had saved it after all that make has made."""
        later = 1 + max(path.stat().st_mtime_ns for path in self.folder.rglob("*"))
        os.utime(self.folder / name, ns=(later, later))


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


@pytest.mark.parametrize(
    "words",
    [
        *(["build"], ["run"], ["live"], ["bench"], ["flash"], ["image"], ["deploy"], ["monitor"]),
        *(
            ["doctor"],
            ["boards"],
            ["provision"],
            ["new"],
            ["toolchain"],
            ["firmware"],
            ["machine"],
        ),
        *(["venv"], ["monitor", "ARGS=--record run.jsonl"], ["test", "BOT=bot.py"]),
    ],
    ids=" ".join,
)
def test_who_writes_a_bot_waits_for_the_first_lock_only(
    checkout: Checkout, words: list[str]
) -> None:
    assert checkout.make(*words) == [RUNNING]
    assert checkout.make(*words) == []


@pytest.mark.parametrize(
    "words",
    [["dev"], ["fuzz"], ["report"], ["audit"], ["lock"], ["monitor", "ARGS=--plot memory.svg"]],
    ids=" ".join,
)
def test_who_works_on_the_project_has_both(checkout: Checkout, words: list[str]) -> None:
    assert checkout.make(*words) == [RUNNING, DEVELOPING]
    assert checkout.make(*words) == []


@pytest.mark.parametrize("target", ["test", "lint"])
def test_the_stubs_are_the_tests_and_the_linters(checkout: Checkout, target: str) -> None:
    assert sorted(checkout.make(target)) == sorted(
        [RUNNING, DEVELOPING, "requirements-stubs.lock"]
    )
    assert checkout.make(target) == []


def test_a_lock_that_changes_is_installed_where_it_is_needed(checkout: Checkout) -> None:
    checkout.make("dev")
    checkout.edit(DEVELOPING)
    assert checkout.make("run") == []
    assert checkout.make("dev") == [DEVELOPING]
    checkout.edit(RUNNING)
    assert checkout.make("run") == [RUNNING]
    assert checkout.make("dev") == [DEVELOPING], (
        "what the first lock brought may be of another version"
    )
    assert checkout.make("dev") == checkout.make("run") == []
    checkout.edit("pyproject.toml")
    assert checkout.make("run") == [RUNNING]
