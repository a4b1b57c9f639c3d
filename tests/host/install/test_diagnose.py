"""Diagnosis: one replayed boot log for everything that can be wrong, and one that is right."""

from __future__ import annotations

import ast
import time
from pathlib import Path

import pytest

from host_tools.install import diagnose
from host_tools.install.diagnose import Diagnoser
from host_tools.paths import ROOT

LOGS = Path(__file__).parent / "boot_logs"
NAMES = sorted(path.stem for path in LOGS.glob("*.log"))
# found only once listening has gone on in vain; all others are certain from the log alone
IN_VAIN = {"no-output", "garbage", "not-steady", "traceback"}


class Replay:
    """A source that plays a log in odd pieces and then stays silent or ends."""

    name = "replay"
    connected = True

    def __init__(self, data: bytes, *, ends: bool = True) -> None:
        self._data = data
        self._ends = ends

    def read(self, timeout_s: float) -> bytes:
        piece, self._data = self._data[:37], self._data[37:]
        if not piece:
            if self._ends:
                raise EOFError
            time.sleep(timeout_s)
        return piece

    def close(self) -> None:
        pass


def heard(name: str) -> Diagnoser:
    return diagnose.listen(Replay((LOGS / f"{name}.log").read_bytes()), 10)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "steady"])
def test_every_log_is_diagnosed(name: str) -> None:
    found = heard(name)
    assert found.steady is None
    assert found.best().id == name
    certain = found.certain()
    assert (certain.id if certain else None) == (None if name in IN_VAIN else name)
    line = str(found.best())
    assert "\n" not in line
    assert "{" not in line
    assert len(found.best().remedy) > 10


def test_every_rule_has_a_log() -> None:
    assert {rule.id for rule in diagnose.RULES} <= set(NAMES)


FIRMWARE = ROOT / "firmware/copepod"


def texts(file: str, *names: str) -> list[str]:
    """The texts in some tables of a device file."""
    found = []
    for node in ast.parse((FIRMWARE / file).read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in names:
            value = node.value
            rows = value.values if isinstance(value, ast.Dict) else [value]
            if isinstance(value, ast.Tuple):
                rows = [row.elts[1] for row in value.elts if isinstance(row, ast.Tuple)]
            found += [row.value for row in rows if isinstance(row, ast.Constant)]
    assert found
    return found


@pytest.mark.parametrize(
    "text", texts("net/explain.py", "_REASONS", "_CODES", "_MEMORY", "_CLOCK")
)
def test_whatever_the_device_says_of_its_connection_is_diagnosed(text: str) -> None:
    found = Diagnoser()
    for _ in range(5):
        found.feed(f"9000 copepod: telegram: {text}, trying again in 2 s")
    certain = found.certain()
    assert certain is not None
    wanted = {
        "certificate": "certificate", "handshake": "certificate", "speak TLS": "certificate",
        "memory": "tls-memory", "buffers": "tls-memory", "name": "dns", "clock": "clock",
    }  # fmt: skip
    expected = next((rule for sign, rule in wanted.items() if sign in text), "unreachable")
    assert certain.id == ("clock" if "clock" in text else expected)


@pytest.mark.parametrize("text", texts("net/wifi.py", "_REMEDIES"))
def test_whatever_the_device_says_of_wifi_is_diagnosed(text: str) -> None:
    found = Diagnoser()
    for number in range(5):
        found.feed(f"9000 copepod: wifi: not connected to home: {text}, try {number + 1}")
    certain = found.certain()
    assert certain is not None
    assert certain.id.startswith("wifi-")
    assert (certain.id == "wifi-password") == ("wrong wifi.password" in text)


def test_a_good_start_is_steady_and_says_how_to_pair() -> None:
    found = heard("steady")
    assert found.steady is not None
    assert found.steady["idf_big"] == 63488
    assert found.first_frame is not None
    assert found.first_frame.phase == "baseline"
    assert any("482913" in note for note in found.notes)
    assert "the bot is @lamp_bot" in found.notes


def test_one_refused_try_is_not_yet_a_diagnosis() -> None:
    """Wi-Fi that fails once and then connects is no failure."""
    log = (LOGS / "wifi-password.log").read_text().splitlines()
    first = next(line for line in log if "not connected" in line)
    steady = (LOGS / "steady.log").read_text().splitlines()
    found = diagnose.listen(
        Replay("\n".join([*steady[:16], first, *steady[16:], ""]).encode()), 10
    )
    assert found.steady is not None


def test_what_was_caught_is_named() -> None:
    assert "'home'" in str(heard("wifi-password").best())
    assert "channels.telegram.token" in str(heard("config").best())
    assert "invalid pin" in str(heard("safe-mode").best())
    assert "Load access fault" in str(heard("panic").best())
    assert "2048k" in str(heard("flash-size").best())


def test_silence_ends_after_the_time_given() -> None:
    began = time.monotonic()
    found = diagnose.listen(Replay(b"", ends=False), 0.5)
    assert 0.4 < time.monotonic() - began < 2
    assert found.best().id == "no-output"


def test_noise_is_neither_text_nor_an_error() -> None:
    found = Diagnoser()
    for line in diagnose.LineSplitter().feed(bytes(range(256)) * 500):
        found.feed(line)
    assert found.best().id == "garbage"
