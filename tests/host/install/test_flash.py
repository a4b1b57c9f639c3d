"""Flashing through the real esptool to the mock boot ROM, both ends asserted."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path

import fake_firmware
import pytest
from command_line import Run, copepod
from mock_board import MockBoard

from host_tools.app import app_files
from host_tools.board import boards, littlefs_image
from host_tools.board.boards import Board
from host_tools.install import esptool_run

TOKEN = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFakeFak"
CONFIG = {
    "channels": {"telegram": {"token": TOKEN, "allow_from": ["42"]}},
    "wifi": {"ssid": "home", "password": "a secret of the house"},
}
BOARDS = [board for board in boards.all_boards().values() if board.flashable]
STEADY = (Path(__file__).parent / "boot_logs/steady.log").read_bytes().replace(b"\n", b"\r\n")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(CONFIG))
    return path


@pytest.fixture
def make_firmware(tmp_path: Path) -> Callable[..., Path]:
    def make(board: Board, **given: object) -> Path:
        path = tmp_path / f"{board.id}.bin"
        path.write_bytes(fake_firmware.firmware(board, **given))  # type: ignore[arg-type]
        return path

    return make


@pytest.fixture(scope="module")
def built_app() -> dict[str, bytes]:
    return app_files.app()


@pytest.fixture(autouse=True)
def build_once(built_app: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_files, "app", lambda: dict(built_app))


def flash(port: str, firmware: Path, config: Path, *more: object) -> Run:
    return copepod("flash", "--port", port, "--firmware", firmware, "--config", config, *more)


def one_line(run: Run) -> str:
    """The error of a run that must have failed in one clear line."""
    assert run.returncode == 1, run.stdout + run.stderr
    assert "Traceback" not in run.stderr
    assert len(run.stderr.strip().splitlines()) == 1, run.stderr
    assert run.stderr.startswith("copepod: ")
    assert TOKEN not in run.stdout + run.stderr
    assert CONFIG["wifi"]["password"] not in run.stdout + run.stderr
    return run.stderr.strip()


def expected_flash(
    firmware: Path, board: Board, config: Path, files: dict[str, bytes]
) -> bytearray:
    """What must lie in 4 MB of flash that were erased before."""
    flash = bytearray(b"\xff" * (4 << 20))
    data = firmware.read_bytes()
    flash[board.flash_offset : board.flash_offset + len(data)] = data
    whole = app_files.with_config(files, config.read_bytes())
    image = littlefs_image.build(whole, 0x200000)
    flash[0x200000 : 0x200000 + len(image)] = image
    return flash


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.chip)
def test_flash_holds_the_plan_byte_for_byte(
    board: Board,
    config: Path,
    make_firmware: Callable[..., Path],
    built_app: dict[str, bytes],
) -> None:
    firmware = make_firmware(board)
    with MockBoard(board.chip, console=STEADY) as mock:
        run = flash(mock.url, firmware, config)
        assert run.returncode == 0, run.stdout + run.stderr
        written = bytes(mock.flash.data)
    assert "Written and verified" in run.stdout
    assert "Steady" in run.stdout
    assert "63,488" in run.stdout
    assert "482913" in run.stdout  # the pairing code is what the owner needs next
    assert TOKEN not in run.stdout
    assert mock.listeners == 1
    assert written == expected_flash(firmware, board, config, built_app)
    note = littlefs_image.files(written[0x200000:], 0x200000).get(app_files.NOTE)
    assert note is not None
    assert set(app_files.parse_note(note)) == set(built_app)
    assert {"main.py", "bot.py", "copepod/__init__.mpy"} <= set(built_app)


def test_the_wrong_board_is_refused_before_anything_is_written(
    config: Path, make_firmware: Callable[..., Path]
) -> None:
    esp32 = boards.get("ESP32_GENERIC")
    with MockBoard("esp32c3") as mock:
        line = one_line(flash(mock.url, make_firmware(esp32), config, "--board", esp32.id))
        assert "ESP32_GENERIC_C3" in line
        line = one_line(flash(mock.url, make_firmware(esp32), config))
        assert "this firmware is for ESP32, the board is ESP32-C3; nothing was written" in line
        assert mock.flash.data == b"\xff" * (4 << 20)


def test_a_bad_file_leaves_the_board_as_it_was(config: Path, tmp_path: Path) -> None:
    """Cut off, damaged, for another offset, without room: one line, exit 1, not a byte written."""
    board = boards.get("c3")
    good = fake_firmware.firmware(board)
    cases = {
        "cut off": good[:-20_000],
        "checksum is wrong": good[:70_000] + b"?" + good[70_001:],
        "begins with 0xff": b"\xff" * 0x1000 + good,  # an image for offset 0 made for 0x1000
        "the partition is full": fake_firmware.firmware(board, table=fake_firmware.SMALL_TABLE),
    }
    firmware = tmp_path / "given.bin"
    with MockBoard(board.chip) as mock:
        for said, data in cases.items():
            firmware.write_bytes(data)
            run = flash(mock.url, firmware, config)
            assert said in one_line(run)
            assert "Written" not in run.stdout
        assert mock.flash.data == b"\xff" * (4 << 20)


def test_a_port_that_vanishes_half_way_is_no_success(
    config: Path, make_firmware: Callable[..., Path]
) -> None:
    board = boards.get("c3")
    with MockBoard(board.chip, cut_after=60_000, console=STEADY) as mock:
        run = flash(mock.url, make_firmware(board), config)
    line = one_line(run)
    assert "vanished" in line
    assert "half-written" in line
    assert "Written" not in run.stdout
    assert mock.listeners == 0


def test_flash_that_does_not_read_back_is_no_success(
    config: Path, make_firmware: Callable[..., Path]
) -> None:
    def damage(data: bytearray) -> None:
        data[0x3000:0x3004] = b"bad!"

    board = boards.get("c6")
    with MockBoard(board.chip, damage=damage) as mock:
        run = flash(mock.url, make_firmware(board), config)
    line = one_line(run)
    assert "does not read back" in line
    assert "half-written" in line
    assert "Written" not in run.stdout


def test_a_bad_start_is_explained(config: Path, make_firmware: Callable[..., Path]) -> None:
    board = boards.get("s3")
    log = (Path(__file__).parent / "boot_logs/wifi-password.log").read_bytes()
    with MockBoard(board.chip, console=log) as mock:
        run = flash(mock.url, make_firmware(board), config, "--listen", 8)
    line = one_line(run)
    assert "the firmware is written, but Wi-Fi 'home' refuses the password" in line
    assert "make provision" in line


def test_a_silent_port_says_to_hold_boot(
    config: Path, make_firmware: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(esptool_run, "CONNECT_ATTEMPTS", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"socket://127.0.0.1:{silent.getsockname()[1]}"
        line = one_line(flash(url, make_firmware(boards.get("c3")), config))
    assert "hold BOOT" in line


def test_no_such_port_and_nobody_listening(
    config: Path, make_firmware: Callable[..., Path]
) -> None:
    firmware = make_firmware(boards.get("c3"))
    assert "/dev/ttyNONE does not exist" in one_line(flash("/dev/ttyNONE", firmware, config))
    assert "cannot open" in one_line(flash("socket://127.0.0.1:1", firmware, config))


def test_a_board_that_is_left_alone_is_restarted(
    config: Path, make_firmware: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asking the chip puts it into its boot ROM; when nothing is written it must not stay there."""
    let_go: list[tuple[str, str]] = []
    monkeypatch.setattr(esptool_run, "let_go", lambda port, chip: let_go.append((port, chip)))
    with MockBoard("esp32c3") as mock:
        one_line(flash(mock.url, make_firmware(boards.get("c6")), config))
        assert let_go == [(mock.url, "esp32c3")]
    calls: list[list[str]] = []
    monkeypatch.undo()
    monkeypatch.setattr(esptool_run, "run", lambda arguments, port: calls.append(arguments))
    esptool_run.let_go("/dev/ttyUSB0", "esp32c3")
    assert calls[0][4:8] == ["--before", "default-reset", "--after", "hard-reset"]


@pytest.mark.timeout(150)  # six calls of esptool, and the ROM loader reads slowly
def test_app_only_and_keep_config(
    config: Path, make_firmware: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The firmware stays, the config comes from the board's own file system."""
    board = boards.get("c3")
    firmware = make_firmware(board, table=fake_firmware.SMALL_TABLE)
    monkeypatch.setattr(app_files, "app", lambda: {"main.py": b"first = 1\n"})
    with MockBoard(board.chip, console=STEADY) as mock:
        first = flash(mock.url, firmware, config, "--listen", 0)
        assert first.returncode == 0, first.stderr
        before = bytes(mock.flash.data)
        config.unlink()  # so what is found afterwards can only be from the board
        monkeypatch.setattr(app_files, "app", lambda: {"main.py": b"second = 2\n"})
        kept = copepod(
            "flash", "--port", mock.url, "--app-only", "--keep-config", "--no-stub", "--listen", 0
        )
        assert kept.returncode == 0, kept.stderr
        after = bytes(mock.flash.data)
    assert after[:0x200000] == before[:0x200000]
    vfs = after[0x200000:0x208000]
    assert littlefs_image.files(vfs, 0x8000).get("config.json") == json.dumps(CONFIG).encode()
    assert littlefs_image.files(vfs, 0x8000).get("main.py") == b"second = 2\n"


def test_erase_leaves_nothing_from_before(
    config: Path, make_firmware: Callable[..., Path]
) -> None:
    board = boards.get("c3")
    with MockBoard(board.chip) as mock:
        mock.flash.data[0x300000:0x300010] = b"left from before"
        run = flash(mock.url, make_firmware(board), config, "--listen", 0, "--erase")
        assert run.returncode == 0, run.stderr
        assert mock.flash.data[0x300000:] == b"\xff" * 0x100000


def test_dry_run_writes_nothing_and_shows_the_commands(
    config: Path, make_firmware: Callable[..., Path]
) -> None:
    firmware = make_firmware(boards.get("esp32"))
    run = copepod(
        "flash",
        "--dry-run",
        "--board",
        "ESP32_GENERIC",
        "--firmware",
        firmware,
        "--config",
        config,
    )
    assert run.returncode == 0, run.stderr
    assert "Nothing was written" in run.stdout
    assert "esptool --chip esp32 --port PORT" in run.stdout
    assert "0x1000 firmware.bin 0x200000 vfs.bin" in run.stdout
    assert "mpremote connect PORT" in run.stdout
    assert TOKEN not in run.stdout


def test_a_dry_run_needs_no_config(make_firmware: Callable[..., Path], tmp_path: Path) -> None:
    """What would be done can be seen before anything was asked or bought."""
    firmware, config = make_firmware(boards.get("esp32")), tmp_path / "none.json"
    flags = ["--dry-run", "--board", "ESP32_GENERIC", "--firmware", firmware, "--config", config]
    run = copepod("flash", *flags)
    assert run.returncode == 0, run.stderr
    assert "none.json is not there yet: `make provision` asks for it" in run.stdout
    assert "Nothing was written" in run.stdout


def test_secrets_do_not_stay_in_temporary_files(
    config: Path,
    make_firmware: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    board = boards.get("c3")
    with MockBoard(board.chip) as mock:
        run = flash(mock.url, make_firmware(board), config, "--listen", 0)
        assert run.returncode == 0, run.stderr
        assert TOKEN.encode() in mock.flash.data
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_no_network_says_where_to_put_the_file(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COPEPOD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    line = one_line(copepod("flash", "--dry-run", "--board", "c3", "--config", config))
    assert str(tmp_path / "cache/firmware/ESP32_GENERIC_C3-20260824-v1.29.0.bin") in line
    assert "FIRMWARE=" in line


def test_without_a_config_or_a_board_the_next_step_is_named(tmp_path: Path) -> None:
    none = tmp_path / "none.json"
    assert "make provision" in one_line(copepod("flash", "--config", none))
    assert "no board 'moon'" in one_line(copepod("flash", "--config", none, "--board", "moon"))
    for command in ("flash", "image", "deploy"):
        assert "make machine" in one_line(copepod(command, "--board", "VIRT_RV32"))
    assert "make deploy" in one_line(copepod("flash", "--board", "LINUX_RISCV64"))


def test_a_firmware_with_the_app_inside_gets_no_second_one(
    config: Path, make_firmware: Callable[..., Path]
) -> None:
    """As files it would be found first and cost the RAM that freezing saves."""
    firmware = make_firmware(boards.get("c3"), frozen=True)
    run = copepod(
        "flash", "--dry-run", "--board", "c3", "--firmware", firmware, "--config", config
    )
    assert "with the app inside" in run.stdout
    out = config.parent / "out"
    flags = ["--firmware", firmware, "--config", config, "--parts", "--output", out]
    assert copepod("image", "--board", "c3", *flags).returncode == 0
    fs = littlefs_image.mount((out / "vfs.bin").read_bytes(), 0x200000)
    assert sorted(fs.listdir("/")) == ["bot.py", "config.json", "deployed.json"]
