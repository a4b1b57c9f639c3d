"""Files: how they come in a request (multipart/form-data), what the server keeps of them, where they are fetched.

The parser is as strict as a client should be glad of: what Telegram's own would refuse, or take for something
else than it was meant, raises BadForm.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MAX_PHOTO_B = 10 << 20
MAX_UPLOAD_B = 50 << 20
MAX_DOWNLOAD_B = 20 << 20
MAX_CAPTION = 1024  # characters after parsing
MAX_PARTS = 64
MAX_PART_HEAD_B = 4096

_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=?-]{1,70}")
_DISPOSITION = re.compile(r'form-data((?:\s*;\s*[a-z*]+="(?:[^"\\\r\n]|\\.)*")+)', re.IGNORECASE)
_PARAMETER = re.compile(r';\s*([a-z*]+)="((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"RIFF", b"BM")
_MIMES = {".csv": "text/csv", ".jpg": "image/jpeg", ".png": "image/png", ".txt": "text/plain"}


class BadForm(ValueError):
    """The body is no multipart/form-data as its header has announced it."""


@dataclass
class Attached:
    """A file that is sent: by the bot, or to it."""

    name: str
    data: bytes = field(repr=False)
    mime: str = "application/octet-stream"

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.data)

    def is_picture(self) -> bool:
        """Whether it begins as one of the kinds of picture that Telegram makes a photo of."""
        return self.data.startswith(_PICTURES)


def mime_of(name: str) -> str:
    """What Telegram's apps call a file with this name."""
    return _MIMES.get(name[name.rfind(".") :].lower(), "application/octet-stream")


def boundary_of(content_type: str) -> str:
    """The boundary that a Content-Type header names."""
    for part in content_type.split(";")[1:]:
        key, _, value = part.strip().partition("=")
        if key.lower() == "boundary":
            value = value.strip('"')
            if _BOUNDARY.fullmatch(value):
                return value
            raise BadForm(f"boundary {value[:20]!r}")
    raise BadForm("no boundary in Content-Type")


def parse(body: bytes, content_type: str) -> dict[str, str | Attached]:
    """The fields of a multipart body, files as Attached."""
    edge = b"--" + boundary_of(content_type).encode()
    if not body.startswith(edge + b"\r\n"):
        raise BadForm("the body does not begin with its boundary")
    fields: dict[str, str | Attached] = {}
    at = len(edge) + 2
    while True:
        end = body.find(b"\r\n" + edge, at)
        if end < 0:
            raise BadForm("a part without an end")
        name, value = _part(body[at:end])
        if name in fields:
            raise BadForm(f"two parts are called {name!r}")
        if len(fields) == MAX_PARTS:
            raise BadForm(f"more than {MAX_PARTS} parts")
        fields[name] = value
        at = end + 2 + len(edge)
        if body[at : at + 2] == b"--":
            if body[at + 2 :] not in (b"", b"\r\n"):
                raise BadForm("there is more behind the last boundary")
            return fields
        if body[at : at + 2] != b"\r\n":
            raise BadForm("a boundary that goes on")
        at += 2


def _part(part: bytes) -> tuple[str, str | Attached]:
    head, blank, data = part.partition(b"\r\n\r\n")
    if not blank or len(head) > MAX_PART_HEAD_B:
        raise BadForm("a part without a head")
    headers: dict[str, str] = {}
    for line in head.split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if not colon or not name:
            raise BadForm(f"header line {line[:60]!r}")
        headers[name.strip().lower().decode("latin-1")] = _text(value).strip()
    found = _DISPOSITION.fullmatch(headers.get("content-disposition", ""))
    if not found:
        raise BadForm(f"Content-Disposition {headers.get('content-disposition')!r}")
    given = {key.lower(): value for key, value in _PARAMETER.findall(found[1])}
    if not given.get("name"):
        raise BadForm("a part without a name")
    if "filename" not in given:
        return given["name"], _text(data)
    name = given["filename"].rpartition("/")[2]
    return given["name"], Attached(name, data, headers.get("content-type") or mime_of(name))


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise BadForm("what is no file must be UTF-8") from None


@dataclass
class Kept:
    """A file on the server: `path` is what getFile tells."""

    file: Attached
    path: str
    unique_id: str


class Files:
    """Every file that one bot has seen, by file_id."""

    FOLDERS = {  # noqa: RUF012
        "photo": "photos",
        "document": "documents",
        "voice": "voice",
        "audio": "music",
        "video": "videos",
    }

    def __init__(self) -> None:
        self._kept: dict[str, Kept] = {}
        self.told: set[str] = set()  # paths that getFile has told

    def keep(self, file: Attached, kind: str) -> str:
        """Keep a file; returns its id, which is as long as Telegram's."""
        number = len(self._kept)
        letters = "AgACAgIAAxkBAAI" if kind == "photo" else "BQACAgIAAxkBAAI"
        file_id = f"{letters}{number:06d}{'Zx7-_Qw9' * 8}AAQ"
        ending = "" if "." not in file.name else file.name[file.name.rfind(".") :].lower()
        ending = ".jpg" if kind == "photo" else ".oga" if kind == "voice" else ending
        path = f"{self.FOLDERS[kind]}/file_{number}{ending}"
        self._kept[file_id] = Kept(file, path, f"AQAD{number:06d}Zx7-")
        return file_id

    def __getitem__(self, file_id: str) -> Kept:
        return self._kept[file_id]

    def __contains__(self, file_id: str) -> bool:
        return file_id in self._kept

    def at(self, path: str) -> Attached | None:
        """The file at a path that getFile has told."""
        if path not in self.told:
            return None
        return next((kept.file for kept in self._kept.values() if kept.path == path), None)

    def described(self, file: Attached, kind: str) -> dict[str, object]:
        """The member of a Message for a file of this kind, which is kept."""

        def one(file_id: str, **fields: object) -> dict[str, object]:
            kept = self[file_id]
            told = {"file_id": file_id, "file_unique_id": kept.unique_id}
            return told | fields | {"file_size": kept.file.size}

        if kind == "photo":
            small = Attached(file.name, file.data[:1253], "image/jpeg")
            ids = [self.keep(small, kind), self.keep(file, kind)]
            sizes = ((90, 67), (800, 600))
            pairs = zip(ids, sizes, strict=True)
            return {"photo": [one(id_, width=w, height=h) for id_, (w, h) in pairs]}
        named: dict[str, object] = {"mime_type": file.mime}
        if kind in ("document", "audio", "video"):
            named = {"file_name": file.name, **named}
        if kind in ("voice", "audio", "video"):
            named = {"duration": 3, **named}
        if kind == "video":
            named = {"width": 640, "height": 360, **named}
        return {kind: one(self.keep(file, kind), **named)}
