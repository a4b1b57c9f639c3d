"""esptool as a program: called, watched, and its failures said in one line with the remedy."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from host_tools.board.flash_plan import is_url
from host_tools.errors import UserError

HOLD_BOOT = "hold BOOT, press RESET (or plug it in again), let go of BOOT, and try again"
HALF_WRITTEN = "the board holds a half-written image now, so run `make flash` again"

# what esptool's output says -> what to tell the user; the first that is found
FAILURES = (
    (r"This chip is (\S+), not (\S+?)\.", "the chip is {0}, not {1}: leave BOARD= unset"),
    (r"Permission denied", "no permission for {port}: `copepod doctor` says how to get it"),
    (
        r"Could not open .*busy or doesn't exist",
        "cannot open {port}: it does not exist, or another program (a monitor?) has it open",
    ),
    (r"MD5 of file does not match|[Vv]erification failed", "what was written does not read back"),
    (r"will not fit in (\d+) bytes of flash", "it does not fit into the flash of {0} bytes"),
    (
        r"No serial data received|Failed to connect|Invalid head of packet|Wrong boot mode",
        "the chip's boot ROM does not answer on {port}: " + HOLD_BOOT,
    ),
    (
        r"serial exception error occurred|[Dd]isconnected|Errno 5|Errno 6|Errno 104|ClearCommError"
        r"|stopped responding|[Tt]imed out|stream stopped",
        "the port {port} vanished",
    ),
)
_PROGRESS = re.compile(r"^(Writing at|Reading from) .*?(\d+\.\d)%")
_CHIP = re.compile(r"^(?:Detecting chip type\.\.\.|Connected to) (ESP32[\w-]*)", re.MULTILINE)
_SIZE = re.compile(r"Detected flash size: (\d+)(KB|MB)")
_MAC = re.compile(r"^MAC:\s+([0-9a-f:]{17})", re.MULTILINE)
_TYPE = re.compile(r"^Chip type:\s+(.*)", re.MULTILINE)


@dataclass(frozen=True)
class Probe:
    """What the chip says about itself."""

    chip: str  # esptool's name: esp32c3
    description: str  # ESP32-C3 (QFN32) (revision v0.4)
    flash_size: int
    mac: str


CONNECT_ATTEMPTS = 5  # about a second each


def reset_arguments(port: str, *, after: bool) -> list[str]:
    """How to reset: by the lines of a port that has them."""
    if is_url(port):
        return ["--before", "no-reset", "--after", "no-reset"]
    return ["--before", "default-reset", "--after", "hard-reset" if after else "no-reset"]


def run(
    arguments: list[str],
    port: str,
    on_progress: Callable[[str, float], None] = lambda what, percent: None,
) -> str:
    """Call esptool; its output. UserError in one line if it fails."""
    command = [sys.executable, "-m", "esptool", *arguments]
    lines: list[str] = []
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            errors="replace",
        )
        assert process.stdout is not None
        try:
            for line in process.stdout:
                lines.append(line)
                match = _PROGRESS.match(line)
                if match:
                    on_progress(match[1], float(match[2]))
            status = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
        finally:
            process.stdout.close()
        errors.seek(0)
        text = errors.read()
    output = "".join(lines)
    if status:
        raise UserError(explain(output + text, port))
    return output


def explain(output: str, port: str) -> str:
    """One line for a failed call."""
    tail = output[output.rfind("ERROR:") :] if "ERROR:" in output else output
    for pattern, text in FAILURES:
        match = re.search(pattern, tail)
        if match:
            said = text.format(*match.groups(), port=port)
            break
    else:
        lines = [line.strip() for line in tail.splitlines() if line.strip()]
        said = "esptool: " + (lines[0] if lines else "no word of what went wrong")
    if re.search(r"^Writing at|^Flash will be erased", output, re.MULTILINE):
        said += f"; {HALF_WRITTEN}"
    return said


def probe(port: str) -> Probe:
    """Which chip is there, and how much flash it has."""
    attempts = ["--connect-attempts", str(CONNECT_ATTEMPTS)]
    output = run(
        [*attempts, "--port", port, *reset_arguments(port, after=False), "flash-id"], port
    )
    chips, size = _CHIP.findall(output), _SIZE.search(output)
    if not chips:
        raise UserError(f"{port}: esptool connected but named no chip")
    if size is None:
        raise UserError(f"{port}: the flash chip's size can't be read: try another cable")
    kind, mac = _TYPE.search(output), _MAC.search(output)
    return Probe(
        chips[-1].lower().replace("-", ""),
        kind[1].strip() if kind else chips[-1],
        int(size[1]) << (10 if size[2] == "KB" else 20),
        mac[1] if mac else "",
    )


def let_go(port: str, chip: str) -> None:
    """Restart the chip into what it had, after looking at it and writing nothing."""
    if is_url(port):
        return
    resets = reset_arguments(port, after=True)
    with contextlib.suppress(UserError):
        run(["--chip", chip, "--port", port, *resets, "read-mac"], port)


def read_flash(
    port: str,
    chip: str,
    offset: int,
    size: int,
    *,
    stub: bool = True,
    on_progress: Callable[[str, float], None] = lambda what, percent: None,
) -> bytes:
    """Bytes out of the board's flash. The chip stays in its boot ROM."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "flash.bin"
        path.touch(mode=0o600)
        arguments = ["--chip", chip, "--port", port, *reset_arguments(port, after=False)]
        arguments += [] if stub else ["--no-stub"]
        arguments += ["read-flash", f"{offset:#x}", f"{size:#x}", str(path)]
        run(arguments, port, on_progress)
        data = path.read_bytes()
    if len(data) != size:
        raise UserError(f"{port}: {len(data)} of {size} bytes could be read")
    return data
