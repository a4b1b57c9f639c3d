"""The pages of docs/ are true: every test they name exists, every link leads somewhere."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from host_tools.paths import ROOT

PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
NAMED = re.compile(r"\[`([\w-]+)`\]\(([^)]+)\)")


def without_code(text: str) -> str:
    """A page without its examples."""
    return re.sub(r"(?ms)^ *(```|~~~).*?^ *\1 *$|^(?: {4}|\t).*?$", "", text)


def defined_in(path: Path) -> set[str]:
    """The tests that a file defines."""
    tree = ast.parse(path.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(without_code(re.sub(r"`[^`\n]*`", "``", page.read_text()))):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_every_promise_is_held_by_tests_that_exist() -> None:
    page = ROOT / "docs/reliability.md"
    rows = [row for row in page.read_text().splitlines() if row.startswith("| ")]
    promises = [row for row in rows if not row.startswith(("| promised", "| ---"))]
    assert len(promises) > 50
    for row in promises:
        shown = NAMED.findall(row.rsplit("|", 2)[1])
        assert shown, row
        for name, target in shown:
            path = page.parent / target
            if path.suffix == ".toml":
                assert (path.stem, path.exists()) == (name, True), row
            else:
                assert name in defined_in(path), f"{name} is not in {target}"
