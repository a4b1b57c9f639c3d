"""Modules leave their packages, and everybody still finds them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from host_tools import build
from host_tools.lift import lift

FILES = {
    "copepod/__init__.py": "",
    "copepod/bus.py": "STOP = 3\n",
    "copepod/net/__init__.py": "",
    "copepod/net/tide.py": "def turn():\n    return 'turned'\n",
    "copepod/net/bus.py": "STOP = 4\n",
    "copepod/net/old.py": "from copepod.bus import STOP\n",
    "copepod/gateway.py": (
        "import sys\n\n\ndef go():\n    from copepod.net import bus, tide\n"
        "    from copepod.net.tide import turn as other\n"
        "    found = 'copepod.net.tide' in sys.modules\n"
        "    return bus.STOP, tide.turn(), other(), found\n"
    ),
    "copepod/rooms/index": "+Boat: copepod.net.tide\n",
}


def test_the_lifted_program_does_the_same(tmp_path: Path) -> None:
    lifted = lift(FILES)
    assert "copepod/tide.py" in lifted
    assert "copepod/net/tide.py" not in lifted
    assert "copepod/net/bus.py" in lifted  # its name is taken above
    assert lifted["copepod/rooms/index"] == FILES["copepod/rooms/index"]
    found = []
    for name, files in (("before", FILES), ("after", lifted)):
        for path, text in files.items():
            target = tmp_path / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        code = "from copepod.gateway import go; print(go())"
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path / name,
            capture_output=True,
            text=True,
            check=True,
        )
        found.append(done.stdout)
    assert found[0] == found[1] == "(4, 'turned', 'turned', True)\n"


def test_a_board_loads_no_package_of_ours_but_the_platforms(tmp_path: Path) -> None:
    tree = build.build(tmp_path / "mpy")
    assert (tree / "copepod/tls.mpy").exists()
    assert not (tree / "copepod/net/tls.mpy").exists()
