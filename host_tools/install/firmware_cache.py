"""Firmware files: from the cache, from a path, or downloaded, and the same bytes every time.

A download is resumed after a break, checked in every way that the file itself allows (size, magic,
chip, SHA-256 of each image in it), and only then moved to its name. Its hash is written to
boards/firmware.lock at first use; a file of that name with another hash is refused for ever after.
That first use rests on TLS alone, so it is told with the hash, and `copepod boards --lock` enters
files that somebody has checked in another way.
"""

from __future__ import annotations

import http.client
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from host_tools.board import boards, esp_image
from host_tools.board.boards import BOARDS, Board
from host_tools.board.esp_image import FirmwareFile
from host_tools.errors import UserError
from host_tools.paths import cache_folder

LOCK = BOARDS / "firmware.lock"
CHUNK = 1 << 16
TRIES = 4
TIMEOUT_S = 20.0
MAX_SIZE = 32 << 20
_PAUSE_S = 1.0

SCHEMES = ("https",)  # what anyone on the way can change is no firmware

Progress = Callable[[int, int], None]  # bytes so far, bytes in all (0: not known)


def get(
    board: Board,
    given: str | None = None,
    progress: Progress = lambda done, total: None,
    lock: Path = LOCK,
    tell: Callable[[str], None] = lambda text: None,
) -> FirmwareFile:
    """The checked firmware for a board: the `given` file or URL, else the board's own.

    `tell` gets what has to be known of a file that is used for the first time.
    UserError in one line; what does not pass is never used, and a bad download never kept.
    """
    if board.firmware is None:
        raise UserError(f"{board.id} has no stock firmware")
    url = board.firmware.url
    if given and "://" in given:
        url = given
        check_url(url)
    elif given:
        return _checked(Path(given), board)
    path = cache_folder("firmware") / url.rsplit("/", 1)[-1]
    why = "it was there already and nobody has said what it should be"
    if not path.exists():
        download(url, path, progress, check=lambda part: _checked(part, board, path.name))
        why = f"trusted because {urlsplit(url).hostname} sent it over TLS"
    firmware = _checked(path, board)
    if locked(firmware, lock):
        tell(
            f"first use of {path.name}: {why}, and from now on {lock.name} admits no other. "
            f"Compare its SHA-256 if you can: {firmware.sha256}"
        )
    return firmware


def enter(paths: list[Path], lock: Path = LOCK) -> list[FirmwareFile]:
    """Enter files that somebody has checked otherwise into the lock; UserError for a wrong one."""
    found = []
    for path in paths:
        chip_id = esp_image.chip_of(path)
        named = [b for b in boards.all_boards().values() if b.firmware and b.image_id == chip_id]
        if not named:
            raise UserError(f"{path}: no board of this tree has the chip {chip_id} of this image")
        firmware = _checked(path, named[0])
        wanted = [board.firmware.file_name for board in named if board.firmware]
        if path.name not in wanted:
            raise UserError(
                f"{path}: expected {' or '.join(wanted)}, the name of a board's firmware"
            )
        found.append(firmware)
    for firmware in found:
        locked(firmware, lock)
    return found


def _checked(path: Path, board: Board, name: str | None = None) -> FirmwareFile:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from error
    shown = path.with_name(name) if name else path
    return esp_image.check(shown, data, board.image_id, board.flash_offset)


def check_url(url: str) -> None:
    """UserError for an address from which no firmware is taken."""
    if url.partition("://")[0].lower() not in SCHEMES:
        raise UserError(f"{url}: firmware comes over https or from a file, nothing was downloaded")


class _SameSchemes(urllib.request.HTTPRedirectHandler):
    """Follows only to where a download may come from."""

    def redirect_request(
        self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: Any
    ) -> Any:
        check_url(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def locked(firmware: FirmwareFile, lock: Path = LOCK) -> bool:
    """Write a file's hash to the lock at first use, then True; UserError if it knows another."""
    entries = read_lock(lock)
    name = firmware.path.name
    known = entries.get(name)
    if known is None:
        entries[name] = {"sha256": firmware.sha256, "size": len(firmware.data)}
        write_lock(lock, entries)
        return True
    if known.get("sha256") != firmware.sha256:
        raise UserError(
            f"{firmware.path}: its SHA-256 is {firmware.sha256[:16]}…, {lock.name} says "
            f"{str(known.get('sha256'))[:16]}…; nothing was written. Delete the file to download "
            "it again"
        )
    return False


def read_lock(lock: Path) -> dict[str, dict[str, object]]:
    """The lock's entries by file name."""
    if not lock.exists():
        return {}
    try:
        return tomllib.loads(lock.read_text())
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{lock}: {error}") from error


def write_lock(lock: Path, entries: dict[str, dict[str, object]]) -> None:
    """Write the lock, keeping the comment lines at its head."""
    head = ""
    if lock.exists():
        lines = lock.read_text().splitlines(keepends=True)
        head = "".join(line for line in lines if line.startswith("#"))
    rows = [
        f'\n["{name}"]\nsha256 = "{entry["sha256"]}"\nsize = {entry["size"]}\n'
        for name, entry in sorted(entries.items())
    ]
    fresh = lock.with_suffix(".new")
    fresh.write_text(head + "".join(rows))
    fresh.replace(lock)


def download(
    url: str,
    path: Path,
    progress: Progress = lambda done, total: None,
    check: Callable[[Path], object] = lambda path: None,
) -> None:
    """Fetch `url` to `path`; a part that is already there is continued.

    UserError when the network is absent (with the place for a file got otherwise), when the
    server refuses, or when `check` does.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    last: Exception | None = None
    for attempt in range(TRIES):
        if attempt:
            time.sleep(_PAUSE_S * attempt)
        have = _size(part)
        try:
            _fetch(url, part, progress)
        except urllib.error.HTTPError as error:
            last = error
            if error.code == 416:  # the part is as long as the file, or longer: begin anew
                part.unlink(missing_ok=True)
            elif error.code < 500:
                raise UserError(f"{url}: {error.code} {error.reason}; {by_hand(path)}") from None
        except (OSError, http.client.HTTPException) as error:
            last = error
            if not _size(part) > have and not isinstance(error, TimeoutError):
                break  # nothing came at all: there is no network, or no such server
        else:
            try:
                check(part)
            except UserError:
                part.unlink(missing_ok=True)  # what is wrong is not worth continuing
                raise
            part.replace(path)
            return
    reason = getattr(last, "reason", None) or last
    raise UserError(f"cannot download {url} ({reason}); {by_hand(path)}")


def by_hand(path: Path) -> str:
    """Where to put a file that was got in another way."""
    return f"get {path.name} by other means and put it at {path}, or use FIRMWARE=file.bin"


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _fetch(url: str, part: Path, progress: Progress) -> None:
    """One attempt: from where `part` ends. OSError if it stops before the end."""
    have = _size(part)
    request = urllib.request.Request(url, headers={"User-Agent": "copepod"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    opener = urllib.request.build_opener(_SameSchemes)
    with opener.open(request, timeout=TIMEOUT_S) as answer:
        if have and answer.status != 206:
            have = 0  # the server begins anew
        length = int(answer.headers.get("Content-Length") or 0)
        total = have + length if length else 0
        if total > MAX_SIZE:
            raise UserError(f"{url}: {total} bytes are no firmware")
        with part.open("ab" if have else "wb") as file:
            while True:
                chunk = answer.read(CHUNK)
                if not chunk:
                    break
                file.write(chunk)
                have += len(chunk)
                progress(have, total)
                if have > MAX_SIZE:
                    raise UserError(f"{url}: more than {MAX_SIZE} bytes are no firmware")
    if total and have < total:
        raise ConnectionError(f"the connection broke after {have} of {total} bytes")
