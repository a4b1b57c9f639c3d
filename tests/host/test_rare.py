"""What few texts need is loaded when a text needs it, and gives the same answer as ever."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from host_tools import build

ROOT = build.ROOT
MICROPYTHON = Path(sys.executable).with_name("micropython")
SCRIPT = """
from copepod.text.markdown import Formatter

def html(text):
    out = []
    formatter = Formatter()
    data = text.encode()
    taken = 0
    while not formatter.done():
        taken += formatter.feed(data, taken)
        if taken == len(data):
            formatter.finish()
        while formatter.ready():
            formatter.write(lambda b, s, e: out.append(bytes(b[s:e])))
            formatter.drop()
    return b"".join(out).decode()

import sys
print(repr(html(%r)))
print(sorted([name for name in sys.modules if "rare" in name]))
"""
TEXTS = {
    "tide **drifts** over `read()` & ~~back~~ to the _reef_": [],
    "a [link](https://example.org/x(y)) and <https://example.org>\n": ["links"],
    "# Head\n\n- one\n  1. two\n\n> quote\n\n```py\ncode\n```\n": ["blocks"],
    "| a | b |\n|---|---|\n| 1 | 2 |\n": ["tables"],
}


def run(tree: Path, text: str) -> tuple[str, str]:
    done = subprocess.run(
        [MICROPYTHON, "-X", "heapsize=1M", "-c", SCRIPT % text],
        env=os.environ | {"MICROPYPATH": f"{tree}:.frozen"},
        capture_output=True,
        text=True,
        check=True,
    )
    html, modules = done.stdout.strip().splitlines()
    return html, modules


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build.build(tmp_path_factory.mktemp("rare") / "mpy")


@pytest.mark.parametrize(("text", "groups"), TEXTS.items())
def test_the_same_html_from_what_is_loaded(tree: Path, text: str, groups: list[str]) -> None:
    html, modules = run(tree, text)
    assert html == run(ROOT / "firmware", text)[0]
    for group in groups:
        assert f"copepod.rare_{group}" in modules
    if not groups:
        assert modules == "[]"
