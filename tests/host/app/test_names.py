"""What names.py gives: another word for each name that is only the application's, and the same meaning."""

from __future__ import annotations

import ast
import builtins
import collections
import functools
import io
import keyword
import os
import re
import subprocess
import tokenize

import pytest

from host_tools.app import build, names
from host_tools.paths import FIRMWARE, ROOT
from host_tools.toolchain import locate

UNIX = [
    name
    for name in ("unix", "unix32", "unix64")
    if name in os.environ.get("TARGETS", "unix").replace(",", " ").split()
]

# Strings that MicroPython makes while it runs, by asking for an attribute of each word from stdin.
ASK = """
import micropython, sys
for word in sys.stdin.read().split():
    getattr(sys, word, None)
micropython.qstr_info(1)
"""


@pytest.fixture(scope="module")
def words() -> dict[str, str]:
    """What each name is called on a board."""
    return build.words()


@functools.cache
def application() -> dict[str, str]:
    """Every file of the application, joined, and the programs that measure it; no name is replaced yet."""
    return build.joined(build.sources("bench"))


def test_no_two_names_of_a_file_get_the_same_word(words: dict[str, str]) -> None:
    assert len(words) > 1000
    for path, text in application().items():
        found = names.said(text) & words.keys()
        assert len({words[name] for name in found}) == len(found), path


def test_only_names_that_one_file_knows_share_a_word(words: dict[str, str]) -> None:
    """Whoever is asked for a name from elsewhere, or by an object, has a word for itself."""
    asked: set[str] = set()
    held: set[str] = set()
    for text in application().values():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom):
                asked |= {alias.name for alias in node.names}
            elif isinstance(node, ast.Attribute):
                asked.add(node.attr)
            elif isinstance(node, ast.keyword) and node.arg:
                asked.add(node.arg)
            elif isinstance(node, ast.ClassDef):
                held |= {n.name for n in node.body if isinstance(n, ast.FunctionDef)}
    count = collections.Counter(words.values())
    shared = {name for name in words if count[words[name]] > 1}
    assert len(shared) > 300
    assert shared & (asked | held) == set()


@pytest.mark.parametrize("path", sorted(application()))
def test_a_file_means_the_same_in_its_words(words: dict[str, str], path: str) -> None:
    """Token by token it is the same, and no two names of it have become one, nor one two."""

    def tokens(source: str) -> list[tokenize.TokenInfo]:
        return list(tokenize.generate_tokens(io.StringIO(source).readline))

    text = application()[path]
    before, after = tokens(text), tokens(names.shorten(text, words))
    pairs = list(zip(before, after, strict=True))
    said = {(a.string, b.string) for a, b in pairs if a.type == tokenize.NAME}
    assert len({a for a, _ in said}) == len({b for _, b in said}) == len(said)
    assert [a.string for a in before if a.type != tokenize.NAME] == [
        b.string for b in after if b.type != tokenize.NAME
    ]


def test_a_program_beside_it_keeps_what_it_does_not_ask_for(words: dict[str, str]) -> None:
    shared = [name for name in sorted(words) if list(words.values()).count(words[name]) > 1]
    mine, asked, other = shared[:3]
    found = names.beside([f"import m\n{mine} = m.{asked}\n", f"from m import {other}\n"], words)
    assert mine not in found
    assert found[asked] == words[asked]
    assert found[other] == words[other]
    assert found["InboundMessage"] == words["InboundMessage"]  # which no other name shares


def test_what_the_build_writes_itself_is_found_by_its_name(words: dict[str, str]) -> None:
    # Else a board's clock would do that is before the day of its build: see net/clock.py.
    assert not {"DAY", "DER"} & set(words)
    imported = re.findall(
        r"from copepod\.net\.built import (\w+)", application()["copepod/net/clock.py"]
    )
    assert imported
    assert set(imported) <= set(
        re.findall(r"^(\w+) =", build.generated()["copepod/net/built.py"], re.MULTILINE)
    )


def test_no_name_that_a_bot_may_say_is_touched(words: dict[str, str]) -> None:
    said = re.findall(r"^\w[\w.]*$", (FIRMWARE / "api.txt").read_text(), re.MULTILINE)
    public = {part for line in said for part in line.split(".")}
    assert len(public) > 20
    assert {"on_command", "answer", "chat_id"} <= public
    assert public & words.keys() == set()


def test_no_word_given_is_used_by_the_application(words: dict[str, str]) -> None:
    used = set().union(*map(names.said, application().values()))
    assert set(words.values()) & used == set()
    assert set(words.values()) & {*keyword.kwlist, *dir(builtins)} == set()


def test_no_name_is_given_that_is_asked_for_by_a_string(words: dict[str, str]) -> None:
    for path, text in application().items():
        strings = {
            node.value
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        if path.startswith(names.ASSISTANT):  # its strings are JSON's keys, but for these calls'
            asked = re.findall(r"\b[gs]etattr\(|(?<=hasattr\().*?\)", text)
            known = ('"send"', '"Pin"', '"SoftI2C"', '"read_uv"')
            assert all(any(name in call for name in known) for call in asked)
            continue
        if path.startswith("bench/") and "getattr(" not in text:
            continue
        assert strings & words.keys() == set(), path


def test_what_the_host_calls_on_a_board_keeps_its_name(words: dict[str, str]) -> None:
    programs = "|".join(path.stem for path in (FIRMWARE / "bench").glob("*.py"))
    host = "".join(path.read_text() for path in (ROOT / "host_tools").rglob("*.py"))
    called = set(re.findall(rf"import ({programs})\\n\1\.(\w+)\(", host))
    called = {function for _, function in called}
    assert called == {"install"}
    assert called & words.keys() == set()


def test_constants_stay_constants(words: dict[str, str]) -> None:
    constants = {
        target.id
        for text in application().values()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Assign) and ast.unparse(node.value).startswith("const(")
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    private = {name for name in constants if name.startswith("_")}
    assert private
    assert private & words.keys() == set()
    # One that a module is asked for must not become one that the compiler forgets.
    hidden = {name for name in constants & words.keys() if words[name].startswith("_")}
    assert "FAR" in hidden
    assert "SEND_MESSAGE" not in hidden
    for text in application().values():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom):
                assert not hidden & {alias.name for alias in node.names}
            elif isinstance(node, ast.Attribute):
                assert node.attr not in hidden


def test_a_source_means_the_same_and_its_lines_stay(words: dict[str, str]) -> None:
    for path, text in application().items():
        short = names.shorten(text, words)
        back = {words[name]: name for name in names.said(text) & words.keys()}
        assert short.count("\n") == text.count("\n"), path
        assert names.shorten(short, back) == text, path


def test_strings_and_comments_are_left_alone() -> None:
    text = 'alpha = "alpha"  # alpha\nbeta.alpha(alpha=1)\n'
    assert names.shorten(text, {"alpha": "x"}) == 'x = "alpha"  # alpha\nbeta.x(x=1)\n'


def test_a_map_of_a_small_application() -> None:
    files = {
        "copepod/one.py": (
            "from micropython import const\n_FAST = const(1)\nSLOW = const(2)\n\n\n"
            "class OddError(Exception):\n    pass\n\n\n"
            "ASKED = const(3)\n\n\n"
            "def calculate(first, named=None):\n    local = first\n    return local\n\n\n"
            "def public():\n    return calculate(SLOW, named='spoken')\n\n\n"
            "def spoken():\n    return one.ASKED\n"
        )
    }
    given = names.plan(files, ["public"], tuple(files))
    assert given.keys() == {"calculate", "SLOW", "ASKED", "first"}
    assert given["SLOW"] == "_SLOW"
    assert not given["ASKED"].startswith("_")


@pytest.mark.parametrize("target", UNIX)
def test_every_word_that_is_everywhere_is_in_flash(target: str) -> None:
    """A string that is not would be printed: MicroPython had to make it."""
    run = subprocess.run(
        [*locate.runner(target), str(locate.interpreter(target)), "-c", ASK],
        input=" ".join([*names.EVERYWHERE, "surely_not_in_flash"]),
        capture_output=True,
        text=True,
        check=True,
    )
    made = set(re.findall(r"^Q\((.*)\)$", run.stdout, re.MULTILINE))
    assert "surely_not_in_flash" in made
    assert made & set(names.EVERYWHERE) == set()
