"""The type check: firmware/ against the ESP32 port's stubs, host_tools against CPython's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from host_tools.paths import ROOT

TYPINGS = ROOT / "firmware/typings"
CHECKER = Path(sys.executable).with_name("basedpyright")


def check(project: Path) -> tuple[list[str], int]:
    """Check `project`, a folder with a config: its errors, a line each, and how many files."""
    run = subprocess.run(
        [str(CHECKER), "-p", str(project), "--outputjson"],
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
        cwd=ROOT,
    )
    try:
        report = json.loads(run.stdout)
    except ValueError:
        pytest.fail(f"basedpyright did not run: {run.stdout}{run.stderr}")
    errors = [
        f"{found['file']}:{found['range']['start']['line'] + 1}:"
        f" {found['message'].splitlines()[0]} ({found.get('rule')})"
        for found in report["generalDiagnostics"]
        if found["severity"] == "error"
    ]
    return errors, report["summary"]["filesAnalyzed"]


@pytest.fixture(autouse=True)
def stubs():
    """The stubs have to be there: `make test` fetches them."""
    if not (TYPINGS / "machine.pyi").exists():
        pytest.fail("firmware/typings is empty: run `make stubs`")


@pytest.mark.timeout(180)
def test_firmware():
    errors, files = check(ROOT / "firmware")
    assert not errors, "\n".join(errors)
    assert files > len(list((ROOT / "firmware/copepod").rglob("*.py")))


@pytest.mark.timeout(180)
def test_host_tools():
    errors, files = check(ROOT)
    assert not errors, "\n".join(errors)
    assert files > len(list((ROOT / "host_tools").glob("*.py")))


@pytest.mark.timeout(180)
def test_the_check_knows_the_board(tmp_path: Path):
    # What is wrong on an ESP32 is found, what is right only there is not.
    config = json.loads(
        "".join(
            line
            for line in (ROOT / "firmware/pyrightconfig.json").read_text().splitlines()
            if not line.strip().startswith("//")
        )
    )
    config["stubPath"] = config["typeshedPath"] = str(TYPINGS)
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(config))
    (tmp_path / "right.py").write_text(
        "import esp32, machine, network, time\n"
        "machine.RTC().memory(b'x')\n"
        "network.WLAN(network.WLAN.IF_STA).config(pm=network.WLAN.PM_NONE)\n"
        "for total, free, largest, least in esp32.idf_heap_info(esp32.HEAP_DATA):\n"
        "    print(free, time.ticks_ms())\n"
    )
    wrong = (
        "import machine, network, time\n"
        "machine.RTC().memori(b'x')\n"
        "network.WLAN(network.WLAN.IF_STATION)\n"
        "time.perf_counter()\n"
    )
    (tmp_path / "wrong.py").write_text(wrong)
    errors, files = check(tmp_path)
    assert files == 2
    assert [int(error.split(":")[1]) for error in errors] == [2, 3, 4], errors
    assert all("wrong.py" in error for error in errors), errors
