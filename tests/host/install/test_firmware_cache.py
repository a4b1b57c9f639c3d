"""Downloads: resumed, restarted, verified, locked; a wrong file is never used."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fake_firmware
import pytest
from command_line import copepod

from host_tools.board import boards
from host_tools.board.boards import Board
from host_tools.errors import UserError
from host_tools.install import firmware_cache

BOARD = boards.get("c3")
GOOD = fake_firmware.firmware(BOARD)
NAME = "ESP32_GENERIC_C3-20260824-v1.29.0.bin"


class Server:
    """Serves one file, with the ways in which a download can go wrong."""

    def __init__(self) -> None:
        self.data = GOOD
        self.cuts: list[int] = []  # each answer breaks after so many bytes
        self.status: list[int] = []  # each answer is this error
        self.ranges = True
        self.moved_to = ""
        self.requests: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer._get(self)

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/{NAME}"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.02,))
        self.thread.start()

    def _get(self, request: BaseHTTPRequestHandler) -> None:
        asked = request.headers.get("Range", "")
        self.requests.append(asked)
        if self.status:
            request.send_error(self.status.pop(0))
            return
        if self.moved_to:
            request.send_response(302)
            request.send_header("Location", self.moved_to)
            request.end_headers()
            return
        start = int(asked[6:-1]) if asked and self.ranges else 0
        if start >= len(self.data):
            request.send_error(416)
            return
        body = self.data[start:]
        request.send_response(206 if start else 200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if self.cuts:
            body = body[: self.cuts.pop(0)]
        request.wfile.write(body)
        request.wfile.flush()

    def close(self) -> None:
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(firmware_cache, "_PAUSE_S", 0.01)
    monkeypatch.setattr(firmware_cache, "SCHEMES", ("https", "http"))  # this server has no TLS
    server = Server()
    yield server
    server.close()


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COPEPOD_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "firmware.lock"
    path.write_text("# a word about this file\n")
    return path


def cached(tmp_path: Path) -> Path:
    return tmp_path / "cache/firmware" / NAME


def get(server: Server, lock: Path, board: Board = BOARD) -> firmware_cache.FirmwareFile:
    return firmware_cache.get(board, server.url, lock=lock)


def test_downloaded_once_and_locked(server: Server, lock: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    found = firmware_cache.get(BOARD, server.url, lambda *p: seen.append(p), lock)
    assert found.data == GOOD
    assert cached(tmp_path).read_bytes() == GOOD
    assert seen[-1] == (len(GOOD), len(GOOD))
    assert firmware_cache.read_lock(lock) == {NAME: {"sha256": found.sha256, "size": len(GOOD)}}
    assert lock.read_text().startswith("# a word about this file\n")
    get(server, lock)
    assert len(server.requests) == 1


def test_another_file_of_that_name_is_refused(server: Server, lock: Path, tmp_path: Path) -> None:
    get(server, lock)
    other = fake_firmware.firmware(BOARD, app_size=50_000)
    cached(tmp_path).write_bytes(other)
    with pytest.raises(UserError, match="firmware.lock says"):
        get(server, lock)
    cached(tmp_path).unlink()
    server.data = other
    with pytest.raises(UserError, match="nothing was written"):
        get(server, lock)


def test_a_break_is_resumed(server: Server, lock: Path) -> None:
    server.cuts = [50_000, 40_000]
    assert get(server, lock).data == GOOD
    assert server.requests == ["", "bytes=50000-", "bytes=90000-"]


def test_a_server_without_ranges_begins_anew(server: Server, lock: Path) -> None:
    server.cuts, server.ranges = [50_000], False
    assert get(server, lock).data == GOOD
    assert server.requests == ["", "bytes=50000-"]


def test_a_part_that_is_too_long_is_thrown_away(
    server: Server, lock: Path, tmp_path: Path
) -> None:
    part = cached(tmp_path).with_name(NAME + ".part")
    part.parent.mkdir(parents=True)
    part.write_bytes(GOOD + b"more")
    assert get(server, lock).data == GOOD


def test_a_busy_server_is_asked_again(server: Server, lock: Path) -> None:
    server.status = [503, 502]
    assert get(server, lock).data == GOOD


def test_breaks_without_end(server: Server, lock: Path, tmp_path: Path) -> None:
    server.cuts = [10_000] * 9
    with pytest.raises(UserError, match="cannot download") as caught:
        get(server, lock)
    assert str(cached(tmp_path)) in str(caught.value)
    assert not cached(tmp_path).exists()
    server.cuts = []
    assert get(server, lock).data == GOOD  # and what had come by then was not in vain
    assert server.requests[-1] == "bytes=40000-"


def test_not_there(server: Server, lock: Path, tmp_path: Path) -> None:
    server.status = [404]
    with pytest.raises(UserError, match=r"404 Not Found; get .* put it at"):
        get(server, lock)
    assert not list(tmp_path.rglob("*.bin*"))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (GOOD[:-40], "cut off"),
        (b"<html>no such page</html>" * 2000, "no ESP firmware"),
        (GOOD[:70_000] + b"damage" + GOOD[70_006:], "checksum"),
        (fake_firmware.firmware(boards.get("s3")), "this firmware is for ESP32-S3"),
    ],
)
def test_what_is_wrong_is_not_kept(
    server: Server, lock: Path, tmp_path: Path, data: bytes, said: str
) -> None:
    server.data = data
    with pytest.raises(UserError, match=said):
        get(server, lock)
    assert not list((tmp_path / "cache").rglob("*.bin*"))
    assert firmware_cache.read_lock(lock) == {}


def test_a_file_of_ones_own_is_checked_but_not_locked(lock: Path, tmp_path: Path) -> None:
    own = tmp_path / "firmware.bin"
    own.write_bytes(GOOD)
    assert firmware_cache.get(BOARD, str(own), lock=lock).data == GOOD
    assert firmware_cache.read_lock(lock) == {}
    own.write_bytes(GOOD[:-1])
    with pytest.raises(UserError, match=r"firmware\.bin"):
        firmware_cache.get(BOARD, str(own), lock=lock)


def test_the_first_use_says_what_it_trusts(server: Server, lock: Path) -> None:
    """Nobody has vouched for the first download but the server: its hash is shown, to compare."""
    told: list[str] = []
    found = firmware_cache.get(BOARD, server.url, lock=lock, tell=told.append)
    (text,) = told
    assert found.sha256 in text
    assert "127.0.0.1 sent it over TLS" in text
    firmware_cache.get(BOARD, server.url, lock=lock, tell=told.append)
    assert len(told) == 1


@pytest.mark.parametrize(
    "url", ["http://micropython.org/x.bin", "ftp://x/y.bin", "HTTP://x/y.bin"]
)
def test_only_https_brings_firmware(lock: Path, tmp_path: Path, url: str) -> None:
    with pytest.raises(UserError, match="over https or from a file"):
        firmware_cache.get(BOARD, url, lock=lock)
    assert not (tmp_path / "cache").exists()
    run = copepod("flash", "--dry-run", "--board", BOARD.id, "--firmware", url)
    assert run.returncode == 1
    assert "over https or from a file" in run.stderr


def test_a_redirect_leads_nowhere_else(
    server: Server, lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.moved_to = "ftp://elsewhere.example/x.bin"
    with pytest.raises(UserError, match="over https or from a file"):
        get(server, lock)


def test_files_that_somebody_has_checked_are_entered(
    server: Server, lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(firmware_cache, "LOCK", lock)
    folder = tmp_path / "checked"
    folder.mkdir()
    names = {}
    for board in (BOARD, boards.get("s3")):
        names[board.id] = board.firmware.file_name
        (folder / names[board.id]).write_bytes(fake_firmware.firmware(board))
    run = copepod("boards", "--lock", *folder.iterdir())
    assert run.returncode == 0, run.stderr
    entries = firmware_cache.read_lock(lock)
    assert set(entries) == set(names.values())
    assert all(str(entry["sha256"]) in run.stdout for entry in entries.values())
    server.data = fake_firmware.firmware(BOARD, app_size=50_000)  # not what was checked
    with pytest.raises(UserError, match="firmware.lock says"):
        get(server, lock)
    before = lock.read_text()
    for name, data, said in (
        ("other.bin", GOOD, "the name of a board's firmware"),
        (names[BOARD.id], server.data, "firmware.lock says"),
        (names[BOARD.id], GOOD[:-40], "cut off"),
        ("none.bin", None, "No such file"),
    ):
        path = tmp_path / name
        if data is not None:
            path.write_bytes(data)
        run = copepod("boards", "--lock", path)
        assert run.returncode == 1
        assert said in run.stderr
        assert lock.read_text() == before
    assert "name the firmware files" in copepod("boards", "--lock").stderr
