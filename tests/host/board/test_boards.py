"""Board files, ESP-IDF definitions, and deploying to a Linux board through a stand-in for ssh."""

from __future__ import annotations

import io
import json
import os
import re
import stat
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest
from command_line import copepod

from host_tools.app import app_files
from host_tools.board import boards, partitions
from host_tools.board.boards import BOARDS
from host_tools.errors import UserError
from host_tools.install import deploy_linux
from host_tools.paths import ROOT
from host_tools.toolchain import locate

ESP32 = [board for board in boards.all_boards().values() if board.flashable]
TOKEN = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFakeFak"


def test_every_board_file_is_whole() -> None:
    assert {board.chip for board in ESP32} == {"esp32", "esp32s3", "esp32c3", "esp32c6"}
    for board in ESP32:
        assert board.firmware is not None
        assert board.firmware.file_name.startswith(board.id + "-")
        assert board.firmware.url.startswith("https://")
        assert board.firmware.version in board.firmware.url
        assert board.led is not None
        assert board.button is not None
        assert len(board.safe_pins) >= 8
        assert board.price
        assert all(len(usb) == 9 for usb in board.usb_ids)
    assert boards.get("esp32").flash_offset == 0x1000
    assert {boards.get(name).flash_offset for name in ("s3", "c3", "c6")} == {0}


def test_chip_data_agrees_with_esptool() -> None:
    from esptool.targets import CHIP_DEFS

    for board in ESP32:
        chip = CHIP_DEFS[board.chip]
        assert board.image_id == chip.IMAGE_CHIP_ID
        assert board.flash_offset == chip.BOOTLOADER_FLASH_OFFSET


def test_the_list_and_one_board() -> None:
    run = copepod("boards")
    assert run.returncode == 0
    for board in boards.all_boards():
        assert board in run.stdout
    run = copepod("boards", "c3")
    for wanted in ("esp32c3", "about $3", "leave alone", "40 kB"):
        assert wanted in run.stdout
    run = copepod("boards", "c9")
    assert run.returncode == 1
    assert "no board 'c9'; there are ESP32_GENERIC" in run.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('id = "X"\nname = "x"', "kind is missing"),
        ('id = "Y"\nname = "x"\nkind = "esp32"', "the folder is 'X'"),
        ('id = "X"\nname = "x"\nkind = "esp32"', "needs name and image_id"),
        ("id = ", "Invalid value"),
    ],
)
def test_what_is_wrong_in_a_board_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "X/board.toml"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(UserError, match=said) as caught:
        boards.load(path)
    assert "board.toml" in str(caught.value)


def test_every_chip_has_a_definition_for_esp_idf() -> None:
    for board in ESP32:
        cmake = (board.folder / "mpconfigboard.cmake").read_text()
        assert f"include(boards/{board.id}/mpconfigboard.cmake)" in cmake
        assert "/../esp32/copepod.cmake)" in cmake
        assert (
            '#include "../esp32/mpconfigcopepod.h"'
            in (board.folder / "mpconfigboard.h").read_text()
        )
        manifest = (board.folder / "manifest.py").read_text()
        assert 'include("../manifest.py")' in manifest  # the one that the other builds freeze
    assert (BOARDS / "manifest.py").exists()
    assert (BOARDS / "esp32/copepod.cmake").exists()


def test_the_workflow_builds_an_image_for_every_chip() -> None:
    text = (ROOT / ".github/workflows/firmware.yml").read_text()
    named = re.search(r"board: \[(.+)\]", text)
    assert named
    assert set(named[1].split(", ")) == {board.id for board in ESP32}


def test_the_partition_table_for_esp_idf_fits() -> None:
    table = []
    kinds = {"app": 0, "data": 1}
    for line in (BOARDS / "esp32/partitions.csv").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            name, kind, _, offset, size = [part.strip() for part in line.split(",")[:5]]
            table.append(partitions.Partition(name, kinds[kind], 0, int(offset, 0), int(size, 0)))
    for before, after in zip(table, table[1:], strict=False):
        assert before.end <= after.offset
    assert all(part.offset % 0x10000 == 0 for part in table if part.type == 0)
    assert table[-1].end == 4 << 20
    found = partitions.filesystem(table, 4 << 20)
    assert (found.label, found.size) == ("vfs", 0x1D0000)
    assert partitions.parse(partitions.to_bytes(table)) == table


# a Linux board ----------------------------------------------------------------------------


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A board that is a folder: ssh runs its command here, with the folder as its root."""
    programs, root = tmp_path / "bin", tmp_path / "board"
    programs.mkdir()
    (root / "etc/init.d").mkdir(parents=True)
    ssh = programs / "ssh"
    ssh.write_text(
        f"#!{sys.executable}\n"
        "import os, subprocess, sys\n"
        f"root = {str(root)!r}\n"
        "if os.environ.get('SSH_FAILS'): sys.exit('Permission denied (publickey).')\n"
        "script = sys.argv[-1].replace('/opt', root + '/opt').replace('/etc', root + '/etc')\n"
        "script = script.replace('/run/systemd', root + '/run/systemd')\n"
        "data = sys.stdin.buffer.read()\n"
        "if os.environ.get('SSH_BREAKS'): data = data[:int(os.environ['SSH_BREAKS'])]\n"
        "sys.exit(subprocess.run(['sh', '-c', 'sh -c ' + script], input=data).returncode)\n"
    )
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    binary = tmp_path / "micropython"
    binary.write_bytes(b"\x7fELF, or so")
    monkeypatch.setattr(locate, "interpreter", lambda name, frozen=False: binary)
    service = "#!/bin/sh\necho $1 >> " + str(root / "log") + "\n"
    board = boards.get("LINUX_RISCV64")
    made = tmp_path / "boardfiles"
    made.mkdir()
    (made / "S99copepod").write_text(service)
    (made / "copepod.service").write_text((board.folder / "copepod.service").read_text())
    monkeypatch.setattr(
        boards, "get", lambda name: board.__class__(**{**board.__dict__, "folder": made})
    )
    return root


def deploy(config: Path, *more: object) -> object:
    return copepod("deploy", "--board", "LINUX_RISCV64", "--config", config, *more)


def test_deploying_to_a_linux_board(host: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"channels": {"telegram": {"token": TOKEN}}}))
    run = deploy(config, "--host", "root@board")
    assert run.returncode == 0, run.stderr
    placed = host / "opt/copepod"
    assert (placed / "micropython").read_bytes() == b"\x7fELF, or so"
    assert os.access(placed / "micropython", os.X_OK)
    app = app_files.app()
    for path, data in app.items():
        assert (placed / "app" / path).read_bytes() == data
    assert stat.S_IMODE((placed / "config.json").stat().st_mode) == 0o600
    assert (host / "log").read_text() == "restart\n"
    assert sorted(p.name for p in placed.iterdir()) == ["app", "config.json", "micropython"]
    assert TOKEN not in run.stdout
    # again without a config here: the one there stays, with who was paired since
    (placed / "config.json").write_text("paired")
    config.unlink()
    run = deploy(config, "--host", "root@board")
    assert run.returncode == 0, run.stderr
    assert (placed / "config.json").read_text() == "paired"


def test_a_bot_that_was_sent_to_a_linux_board(host: Path, tmp_path: Path) -> None:
    config = tmp_path / "none.json"
    assert "bot.py" not in deploy(config, "--host", "root@board").stdout
    placed = host / "opt/copepod"
    for path in (placed / "bot.py", placed / app_files.TRIED):
        path.parent.mkdir(exist_ok=True)
        path.write_text("# sent")
        run = deploy(config, "--host", "root@board")
        assert "bot.py was changed on the board: what is there stays" in run.stdout, run.stderr
        assert "it was sent to the bot; --replace removes it" in run.stdout
        assert path.read_text() == "# sent"
        run = deploy(config, "--host", "root@board", "--replace")
        assert "was changed" not in run.stdout, run.stderr
        assert not path.exists()


def archive_boundary(config: Path) -> int:
    """Where a file in the middle of the archive begins."""
    archive = deploy_linux.package(
        boards.get("LINUX_RISCV64"), locate.interpreter("riscv64"), app_files.app(), None
    )
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return opened.getmembers()[10].offset


def test_a_transfer_that_breaks_leaves_the_old_app(
    host: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "none.json"
    assert deploy(config, "--host", "root@board").returncode == 0
    before = sorted(p.name for p in (host / "opt/copepod/app").rglob("*"))
    # in the middle of a file, and between two of them, which tar takes for the end
    for size in (1000, 512 * 7, 512 * 2 * 20 + 100, archive_boundary(config)):
        monkeypatch.setenv("SSH_BREAKS", str(size))
        run = deploy(config, "--host", "root@board")
        assert run.returncode == 1
        assert "what was there before is still in place" in run.stderr
        assert sorted(p.name for p in (host / "opt/copepod/app").rglob("*")) == before
        assert (host / "log").read_text() == "restart\n"
    monkeypatch.delenv("SSH_BREAKS")
    assert deploy(config, "--host", "root@board").returncode == 0


def test_ssh_that_fails_and_no_host(
    host: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "none.json"
    monkeypatch.setenv("SSH_FAILS", "1")
    monkeypatch.setattr(locate, "interpreter", None)  # nothing is built for a machine that is away
    run = deploy(config, "--host", "root@board")
    assert run.returncode == 1
    assert "Permission denied (publickey)" in run.stderr
    assert "BOARD_HOST" in deploy(config).stderr


def test_the_service_files_say_the_same() -> None:
    board = boards.get("LINUX_RISCV64")
    for name in (board.linux["service"], board.linux["init"]):
        text = (board.folder / name).read_text()
        assert f"heapsize={board.linux['heap']}" in text
        assert "-m copepod --config" in text
    assert board.linux["binary"] in (board.folder / board.linux["service"]).read_text()
    assert "copepod-installed" in deploy_linux.script(board)


def test_busybox_starts_a_gateway_again_that_wants_to_be(tmp_path: Path) -> None:
    """One that tries a bot.py, or gives it up, ends with 75; any other end is one, and a stop ends both."""
    board = boards.get("LINUX_RISCV64")
    text = (board.folder / board.linux["init"]).read_text()
    script = tmp_path / "S99copepod"
    script.write_text(text.replace("DIR=/opt/copepod\n", f"DIR={tmp_path}\n"))
    program = tmp_path / "micropython"
    program.write_text("#!/bin/sh\necho run >> log\n[ $(wc -l < log) -eq 3 ] || exit 75\nexit 1\n")
    program.chmod(0o755)
    assert subprocess.run(["sh", script, "run"], timeout=20, check=False).returncode == 1
    assert (tmp_path / "log").read_text() == "run\n" * 3

    program.write_text("#!/bin/sh\necho $$ > pid.new; mv pid.new pid\nexec sleep 60\n")
    runs = subprocess.Popen(["sh", script, "run"])
    deadline = time.monotonic() + 20
    while not (tmp_path / "pid").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    runs.terminate()
    runs.wait(20)
    while Path("/proc", (tmp_path / "pid").read_text().strip()).exists():
        assert time.monotonic() < deadline, "the gateway goes on"
        time.sleep(0.01)
