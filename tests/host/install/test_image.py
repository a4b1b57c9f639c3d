"""The image for offset 0 and its file system, mounted and started from by MicroPython itself."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import fake_firmware
import pytest
from command_line import copepod

from host_tools.app import app_files
from host_tools.board import boards, littlefs_image
from host_tools.simulator import Simulator

TOKEN = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFakeFak"
MICROPYTHON = Path(sys.executable).with_name("micropython")

# A flash chip in RAM: what MicroPython's flashbdev is on a board. The image lies at its start and
# noise behind it, as after years of other use.
MOUNT = """
import os, sys, vfs
class Flash:
    def __init__(self, path, size):
        self.data = bytearray(b"\\x5a" * size)
        with open(path, "rb") as f:
            f.readinto(self.data)
    def readblocks(self, block, buffer, offset=0):
        at = block * 4096 + offset
        buffer[:] = memoryview(self.data)[at:at + len(buffer)]
    def writeblocks(self, block, buffer, offset=0):
        at = block * 4096 + offset
        self.data[at:at + len(buffer)] = buffer
    def ioctl(self, what, argument):
        if what == 4:
            return len(self.data) // 4096
        if what == 5:
            return 4096
        if what == 6:
            self.data[argument * 4096:(argument + 1) * 4096] = b"\\xff" * 4096
            return 0
flash = Flash(PATH, SIZE)
vfs.umount("/")
vfs.mount(vfs.VfsLfs2(flash), "/")
sys.path[:] = ["", ".frozen", "/lib"]
"""


def micropython(script: str, image: Path, size: int, timeout: float = 20) -> str:
    run = subprocess.run(
        [
            MICROPYTHON,
            "-X",
            "heapsize=32M",
            "-c",
            f"PATH, SIZE = {str(image)!r}, {size}\n{script}",
        ],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-500:] + run.stderr[-500:]
    return run.stdout


def config_for(sim: Simulator) -> dict[str, object]:
    return {
        "channels": {
            "telegram": {
                "token": sim.token,
                "allow_from": ["*"],
                "base_url": sim.base_url,
                "poll_timeout_s": 1,
            }
        },
        "tls": {"ca": "roots.der"},
        "telemetry": {"interval_s": 1},
    }


def test_the_app_starts_from_the_image_and_answers(tmp_path: Path) -> None:
    """Mounted by VfsLfs2 over used flash; the config in it is the one given; the bot answers."""
    size = 0x200000
    image = tmp_path / "vfs.bin"
    with Simulator() as sim:
        config = json.dumps(config_for(sim)).encode()
        files = app_files.with_config(app_files.app(), config)
        files["roots.der"] = sim.ca_der
        image.write_bytes(littlefs_image.build(files, size))
        sim.push_text("are you there?")
        start = MOUNT + "from copepod.startup import run\nrun('/config.json')\n"
        process = subprocess.Popen(
            [
                MICROPYTHON,
                "-X",
                "heapsize=8M",
                "-c",
                f"PATH, SIZE = {str(image)!r}, {size}\n{start}",
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        try:
            assert sim.wait(lambda: sim.sent, 20), (
                process.kill() or process.communicate()[0][-800:]
            )
        finally:
            process.terminate()
            process.communicate(timeout=5)
        assert sim.sent[0].text == "are you there?"


def test_the_file_system_is_writable_and_holds_the_files(tmp_path: Path) -> None:
    files = {
        "main.py": b"x = 1\n",
        "copepod/deep/er.mpy": bytes(range(256)) * 40,
        "config.json": b"{}",
    }
    for size in (0x20000, 0x200000, 0xE00000):
        image = tmp_path / "vfs.bin"
        image.write_bytes(littlefs_image.build(files, size))
        assert image.stat().st_size < 0x20000
        out = micropython(
            MOUNT
            + "print(os.statvfs('/')[2] * 4096)\n"
            + "print(open('copepod/deep/er.mpy', 'rb').read() == bytes(range(256)) * 40)\n"
            + "with open('config.json.new', 'w') as f: f.write('[1]' * 500)\n"
            + "os.rename('config.json.new', 'config.json')\n"
            + "vfs.umount('/'); vfs.mount(vfs.VfsLfs2(flash), '/')\n"
            + "print(len(open('config.json').read()), sorted(os.listdir()))\n",
            image,
            size,
        )
        names = ["config.json", "copepod", "main.py"]
        assert out.splitlines() == [str(size), "True", f"1500 {names}"]


def test_a_wrong_size_does_not_mount(tmp_path: Path) -> None:
    """Why the image is made for the partition's exact size."""
    image = tmp_path / "vfs.bin"
    image.write_bytes(littlefs_image.build({"main.py": b""}, 0x100000))
    with pytest.raises(AssertionError, match="OSError"):
        micropython(MOUNT, image, 0x200000)


@pytest.fixture
def firmware(tmp_path: Path) -> Path:
    path = tmp_path / "esp32.bin"
    path.write_bytes(fake_firmware.firmware(boards.get("esp32")))
    return path


def test_one_file_for_offset_0_and_a_manifest(tmp_path: Path, firmware: Path) -> None:
    out = tmp_path / "out"
    run = copepod("image", "--board", "esp32", "--firmware", firmware, "--output", out)
    assert run.returncode == 0, run.stderr
    data = (out / "ESP32_GENERIC.bin").read_bytes()
    whole = firmware.read_bytes()
    assert data[:0x1000] == b"\xff" * 0x1000
    assert data[0x1000 : 0x1000 + len(whole)] == whole
    assert data[0x1000 + len(whole) : 0x200000].strip(b"\xff") == b""
    assert littlefs_image.files(data[0x200000:], 0x200000).get("main.py") is not None
    assert littlefs_image.files(data[0x200000:], 0x200000).get("config.json") is None
    assert "No config inside" in run.stdout
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["builds"] == [
        {"chipFamily": "ESP32", "parts": [{"path": "ESP32_GENERIC.bin", "offset": 0}]}
    ]
    assert manifest["new_install_prompt_erase"] is True


def test_an_image_with_secrets_is_private_and_says_so(tmp_path: Path, firmware: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"channels": {"telegram": {"token": TOKEN}}}))
    out = tmp_path / "out"
    old = os.umask(0)
    try:
        arguments = ["--firmware", firmware, "--output", out, "--config", config]
        run = copepod("image", "--board", "esp32", *arguments, "--parts")
    finally:
        os.umask(old)
    assert run.returncode == 0, run.stderr
    assert "do not publish" in run.stdout
    assert (out / "firmware.bin").read_bytes() == firmware.read_bytes()
    vfs = out / "vfs.bin"
    assert stat.S_IMODE(vfs.stat().st_mode) == 0o600
    assert littlefs_image.files(vfs.read_bytes(), 0x200000)["config.json"] == config.read_bytes()
    assert TOKEN not in run.stdout


def test_a_config_that_the_board_would_refuse_is_refused(tmp_path: Path, firmware: Path) -> None:
    config = tmp_path / "config.json"
    for text, said in (
        ("{", "not valid JSON"),
        ("{}", "channels.telegram.token: missing"),
        ('{"channels": {"telegram": {"token": "1:x"}}}', "characters of another form"),
    ):
        config.write_text(text)
        run = copepod("image", "--board", "esp32", "--firmware", firmware, "--config", config)
        assert run.returncode == 1
        assert said in run.stderr
        assert len(run.stderr.splitlines()) == 1
