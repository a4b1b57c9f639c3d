"""The linker: one module does what many did, and the many can still be imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from host_tools import build
from host_tools.link import LinkError
from host_tools.link import link as link_all

APPLICATION = {
    "copepod/__init__.py": "",
    "copepod/early.py": "count = [0]\n",
    "copepod/tool.py": (
        "import sys\nfrom copepod.early import count\n\n_name = 'tool'\n\n\n"
        "def use():\n    count[0] += 1\n    return _name, sys.maxsize > 0\n"
    ),
    "copepod/net/__init__.py": "",
    "copepod/net/wire.py": (
        "from micropython import const\nfrom .. import tool\n\nFAST = const(3)\n_name = 'wire'\n\n\n"
        "class Wire:\n    speed = FAST\n\n    def use(self, use=None):\n"
        "        return [_name, tool.use(), use]\n"
    ),
    "copepod/late.py": "from copepod.net.wire import Wire\n\n\ndef late():\n    return Wire().use()\n",
    "copepod/gateway.py": (
        "from copepod import tool\nfrom copepod.net.wire import FAST, Wire\n\n_name = 'gateway'\n\n\n"
        "def run():\n    from copepod.late import late\n\n"
        "    tool_list = [tool.use() for tool_count in range(1)]\n"
        "    return _name, FAST, Wire().use(5), late(), tool_list\n"
    ),
}
MAIN = "from copepod.early import count\n"


def link(sources: dict[str, str], **more: tuple[str, ...]) -> dict[str, str]:
    return link_all(sources, bundles={"copepod.gateway": "copepod.gateway"}, **more)


def linked_tree(folder: Path, sources: dict[str, str]) -> Path:
    for path, text in sources.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    (folder / "micropython.py").write_text("def const(value):\n    return value\n")
    return folder


def run(folder: Path, code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_the_bundle_does_what_the_modules_did(tmp_path: Path) -> None:
    code = "from copepod import gateway; print(gateway.run())"
    plain = run(linked_tree(tmp_path / "plain", APPLICATION), code)
    linked = link(APPLICATION, before=(MAIN,))
    assert run(linked_tree(tmp_path / "linked", linked), code) == plain
    assert plain.count("tool") == 3


def test_what_main_needs_stays_apart_and_the_rest_becomes_stubs(tmp_path: Path) -> None:
    linked = link(APPLICATION, before=(MAIN,))
    assert linked["copepod/early.py"] == APPLICATION["copepod/early.py"]
    assert linked["copepod/late.py"].startswith("from copepod.gateway import Wire\n")  # no stub
    assert linked["copepod/net/wire.py"] == "from copepod.gateway import Wire\n"
    folder = linked_tree(tmp_path, linked)
    same = "from copepod.net.wire import Wire; from copepod import gateway; print(Wire is gateway.Wire)"
    assert run(folder, same) == "True"
    shared = "from copepod import gateway, early; gateway.run(); print(early.count[0])"
    assert run(folder, shared) == "3"


def test_public_names_that_nobody_uses_become_private() -> None:
    linked = link(APPLICATION, before=(MAIN,), others=("from copepod.tool import use\n",))
    assert "_FAST = const(3)" in linked["copepod/gateway.py"]
    assert linked["copepod/tool.py"] == "from copepod.gateway import tool_use as use\n"


def test_a_bundled_module_is_imported_at_the_top() -> None:
    sources = dict(APPLICATION)
    sources["copepod/gateway.py"] += "\n\ndef slow():\n    from copepod.net.wire import Wire\n"
    with pytest.raises(LinkError, match=r"copepod/gateway.py:\d+: import Wire at the top"):
        link(sources, before=(MAIN,))


def test_two_bundles_share_what_the_first_holds(tmp_path: Path) -> None:
    code = "from copepod import gateway; print(gateway.run())"
    plain = run(linked_tree(tmp_path / "plain", APPLICATION), code)
    bundles = {"copepod.net.wire": "copepod.wire", "copepod.gateway": "copepod.gateway"}
    linked = link_all(APPLICATION, before=(MAIN,), bundles=bundles)
    assert "from copepod.wire import Wire" in linked["copepod/gateway.py"]
    assert "_wire_FAST = const(3)" in linked["copepod/gateway.py"]
    assert linked["copepod/late.py"].startswith("from copepod.wire import Wire\n")
    assert run(linked_tree(tmp_path / "linked", linked), code) == plain


def test_a_module_is_no_value() -> None:
    sources = dict(APPLICATION)
    sources["copepod/gateway.py"] += "\nspare = tool\n"
    with pytest.raises(LinkError, match="tool used as a value"):
        link(sources, before=(MAIN,))


def test_the_board_gets_three_large_modules_and_safe_mode_does_not_need_it(tmp_path: Path) -> None:
    tree = build.build(tmp_path / "mpy")
    sizes = {path.stem: path.stat().st_size for path in (tree / "copepod").rglob("*.mpy")}
    for bundle in ("gateway", "telegram_bundle", "text_bundle"):
        assert sizes[bundle] > 10 * sizes["bus"]
    assert sizes["log"] < 1000
    platform = tree / "copepod" / "platform"
    assert all(path.stat().st_size < 3000 for path in platform.glob("*.mpy"))
