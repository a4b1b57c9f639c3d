"""The linker: one file does what many modules did, as they were written, and says what it can't join."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from host_tools.app import build
from host_tools.app.link import link
from host_tools.app.tree import app_tree
from host_tools.errors import UserError

APPLICATION = {
    "copepod/__init__.py": "",
    "copepod/early.py": "count = [0]\n",
    "copepod/tool.py": (
        '"""A tool."""\nimport sys\nfrom copepod.early import count\n\n_name = "tool"  # kept\n\n\n'
        "def use():\n    count[0] += 1\n    return _name, sys.maxsize > 0\n"
    ),
    "copepod/net/__init__.py": "",
    "copepod/net/wire.py": (
        "from micropython import const\nfrom .. import tool\n\nFAST = const(3)\n_wire = 'wire'\n\n\n"
        "class Wire:\n    speed = FAST\n\n    def use(self, use=None):\n"
        "        return [_wire, tool.use(), use]\n"
    ),
    "copepod/late.py": (
        "from copepod import tool\nfrom copepod.net.wire import (\n    FAST,\n    Wire as Cable,\n)\n\n\n"
        "def late():\n    from copepod.net import wire\n\n"
        "    return Cable().use(), tool.use(), FAST, wire.Wire is Cable\n"
    ),
    "copepod/rare.py": "def rare():\n    return 'rare'\n",
    "copepod/gateway.py": (
        "from copepod import tool\nfrom copepod.net.wire import FAST, Wire as Line\n\n"
        "if FAST > 5:\n    from copepod.rare import rare\nelse:\n    def rare():\n        return 'no'\n\n\n"
        "def run():\n    from copepod.late import late\n\n"
        "    tool_list = [tool.use() for tool_count in range(1)]\n"
        "    return tool._name, FAST, Line().use(5), late(), tool_list, rare()\n"
    ),
}
EARLY = ("copepod/early.",)
RUN = "from copepod import gateway; print(gateway.run())"


def run(folder: Path, sources: dict[str, str], code: str = RUN) -> str:
    for path, text in sources.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    command = [Path(sys.executable).with_name("micropython"), "-c", code]
    environment = {"MICROPYPATH": f"{folder}:.frozen"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("entries", [["copepod.gateway"], ["copepod.net.wire", "copepod.gateway"]])
def test_the_joined_files_do_what_the_modules_did(tmp_path: Path, entries: list[str]) -> None:
    plain = run(tmp_path / "plain", APPLICATION)
    linked = link(APPLICATION, entries, EARLY)
    assert run(tmp_path / "linked", linked) == plain
    assert plain.count("tool") == 5
    assert "copepod/tool.py" not in linked


def test_what_stands_apart_or_below_an_if_keeps_its_file() -> None:
    linked = link(APPLICATION, ["copepod.gateway"], EARLY)
    for path in ("copepod/early.py", "copepod/rare.py", "copepod/net/__init__.py"):
        assert linked[path] == APPLICATION[path]


def test_nothing_but_imports_is_touched_and_lines_stay_in_place() -> None:
    linked = link(APPLICATION, ["copepod.gateway"], EARLY)
    assert APPLICATION["copepod/tool.py"] in linked["copepod/gateway.py"]
    late, was = linked["copepod/late.py"].split("\n"), APPLICATION["copepod/late.py"].split("\n")
    assert late[0] == "from copepod import gateway as tool"
    assert late[1] == "FAST = const(3); from copepod.gateway import Wire as Cable"
    assert late[2:5] == ["", "", ""]
    assert late[5:8] == was[5:8]
    assert late[8] == "    from copepod import gateway as wire"
    assert late[9:] == was[9:]


def test_public_modules_can_be_imported_before_and_after(tmp_path: Path) -> None:
    linked = link(APPLICATION, ["copepod.gateway"], EARLY, ["copepod.tool", "copepod.net.wire"])
    first = "from copepod.tool import use; from copepod import gateway; print(use is gateway.use)"
    assert run(tmp_path, linked, first) == "True"
    same = "from copepod import gateway; from copepod.net import wire; print(wire is gateway)"
    assert run(tmp_path, linked, same) == "True"
    assert run(tmp_path, linked, "from copepod.net import wire; print(wire.FAST)") == "3"


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("_name = 'gateway'", "_name"),
        ("_wire = const(1)", "_wire"),
        ("from time import time as use", "use"),
        ("from micropython import opt_level as const", "const"),
        ("def help():\n    pass", "help"),
        ("class Wire:\n    pass", "Wire"),
    ],
)
def test_one_name_for_two_things_is_an_error_that_names_both_files(line: str, name: str) -> None:
    sources = dict(APPLICATION)
    sources["copepod/gateway.py"] += f"\n\n{line}\n"
    with pytest.raises(
        UserError, match=rf"(copepod/\S+|builtins) and copepod/gateway.py .* {name} "
    ):
        link(sources, ["copepod.gateway"], EARLY)


def test_one_name_for_one_thing_is_none() -> None:
    sources = dict(APPLICATION)
    sources["copepod/gateway.py"] += "\nimport sys\nfrom copepod.tool import use\n"
    link(sources, ["copepod.gateway"], EARLY)


def test_what_does_not_compile_is_named_as_it_stands_in_the_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = dict(APPLICATION)
    sources["copepod/gateway.py"] += "\n\ndef slow(FAST):\n    FAST = 4\n"
    monkeypatch.setattr(build, "application", lambda _: link(sources, ["copepod.gateway"], EARLY))
    last = sources["copepod/gateway.py"].count("\n")
    with pytest.raises(
        UserError, match=rf"^copepod/gateway.py:({last - 1}|{last}): SyntaxError: "
    ):
        build.write(tmp_path)


def test_what_is_no_python_is_one_line() -> None:
    with pytest.raises(UserError, match=r"^bench/broken.py:2: "):
        build.application({"bench/broken.py": "\nif:\n"})


def test_safe_mode_does_not_load_what_is_joined() -> None:
    tree = app_tree()
    sizes = {path.stem: path.stat().st_size for path in (tree / "copepod").rglob("*.mpy")}
    assert sizes["gateway"] > 10000
    assert sizes["log"] < 1000
    # Nor does startup.py before it has taken room for TLS, with what it needs by then.
    code = "import sys; from copepod import boot, startup; from copepod.net import link, tls; "
    code += "print([name for name in sys.modules if 'gateway' in name or 'telegram' in name])"
    command = [Path(sys.executable).with_name("micropython"), "-c", code]
    environment = {"MICROPYPATH": f"{tree}:.frozen"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
