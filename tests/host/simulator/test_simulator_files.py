"""Files in the simulator: how they may come, what is refused with which words, and how they are fetched."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from host_tools.simulator import Simulator
from host_tools.simulator.files import MAX_DOWNLOAD_B, MAX_PHOTO_B, BadForm, parse
from host_tools.simulator.keyboard import act
from host_tools.simulator.updates import USER

JPEG = b"\xff\xd8\xff" + bytes(2000)
KIND = "multipart/form-data; boundary=xyz"


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator(tls=False) as made:
        made.know(USER)
        yield made


def form(**fields: Any) -> bytes:
    """A multipart body; a tuple is (file name, bytes)."""
    body = b""
    for name, value in fields.items():
        body += b'--xyz\r\nContent-Disposition: form-data; name="%s"' % name.encode()
        if isinstance(value, tuple):
            body += b'; filename="%s"\r\n\r\n%s\r\n' % (value[0].encode(), value[1])
        else:
            body += b"\r\n\r\n%s\r\n" % str(value).encode()
    return body + b"--xyz--\r\n"


def call(sim: Simulator, method: str, body: bytes, kind: str = KIND) -> tuple[int, Any]:
    """One call on a connection of its own: the status and the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", sim.port, timeout=10)
    try:
        connection.request("POST", f"/bot{sim.token}/{method}", body, {"Content-Type": kind})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def fetch(sim: Simulator, path: str, token: str | None = None) -> tuple[int, bytes]:
    """GET of a file."""
    connection = http.client.HTTPConnection("127.0.0.1", sim.port, timeout=10)
    try:
        connection.request("GET", f"/file/bot{token or sim.token}/{path}")
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_a_photo_with_a_caption(sim: Simulator) -> None:
    fields = {"caption": "<b>door</b>", "parse_mode": "HTML", "photo": ("door.jpg", JPEG)}
    status, answer = call(sim, "sendPhoto", form(chat_id=USER, **fields))
    assert status == 200
    result = answer["result"]
    assert result["caption"] == "door"
    assert result["caption_entities"] == [{"type": "bold", "offset": 0, "length": 4}]
    assert [size["width"] for size in result["photo"]] == [90, 800]
    assert result["photo"][-1]["file_size"] == len(JPEG)
    (sent,) = sim.sent
    assert (sent.kind, sent.text, sent.html) == ("photo", "door", "<b>door</b>")
    assert sent.file is not None
    assert sent.file.data == JPEG


def test_a_document_can_be_fetched_once_its_path_is_told(sim: Simulator) -> None:
    data = bytes(range(256)) * 9 + b"\r\n--xy"
    _, answer = call(sim, "sendDocument", form(chat_id=USER, document=("a.csv", data)))
    document = answer["result"]["document"]
    assert (document["file_name"], document["mime_type"]) == ("a.csv", "text/csv")
    assert "caption" not in answer["result"]
    assert fetch(sim, "documents/file_0.csv")[0] == 404
    status, answer = call(sim, "getFile", form(file_id=document["file_id"]))
    assert (status, answer["result"]["file_size"]) == (200, len(data))
    path = answer["result"]["file_path"]
    assert path == "documents/file_0.csv"
    assert fetch(sim, path) == (200, data)
    assert fetch(sim, path, "123456789:wrong")[0] == 404
    assert fetch(sim, "documents/../" + path)[0] == 404
    again = form(chat_id=USER, document=document["file_id"])  # what the server has already
    assert call(sim, "sendDocument", again)[0] == 200


def refusal(sim: Simulator, method: str, **fields: Any) -> str:
    """What a call is refused with."""
    status, answer = call(sim, method, form(**fields))
    assert (status, answer["ok"], answer["error_code"]) == (status, False, status)
    assert status in (400, 413)
    return answer["description"]


def test_what_is_refused_has_telegrams_words(sim: Simulator) -> None:
    photo = {"chat_id": USER, "photo": ("x.jpg", JPEG)}
    for method, fields, words in (
        ("sendPhoto", {"chat_id": USER}, "there is no photo in the request"),
        ("sendDocument", photo, "there is no document in the request"),
        ("sendDocument", {"chat_id": USER, "document": ("x", b"")}, "file must be non-empty"),
        ("sendPhoto", photo | {"photo": ("x", b"text")}, "IMAGE_PROCESS_FAILED"),
        ("sendPhoto", photo | {"caption": "x" * 1025}, "message caption is too long"),
        ("sendPhoto", photo | {"chat_id": 5}, "chat not found"),
        (
            "sendPhoto",
            photo | {"photo": ("x", JPEG + bytes(MAX_PHOTO_B))},
            f"file of size {MAX_PHOTO_B + len(JPEG)} bytes is too big for a photo; "
            "the maximum size is 10485760 bytes",
        ),
        ("getFile", {"x": 1}, "file_id not specified"),
        ("getFile", {"file_id": "a"}, "wrong file_id or the file is temporarily unavailable"),
    ):
        assert refusal(sim, method, **fields) == f"Bad Request: {words}"
    assert call(sim, "sendPhoto", form(**photo, caption="x" * 1024))[0] == 200
    assert call(sim, "sendPhoto", form(**photo, caption=" "))[0] == 200
    assert sim.protocol_errors == []


def test_a_file_that_came_is_fetched_up_to_twenty_megabytes(sim: Simulator) -> None:
    for size in (MAX_DOWNLOAD_B, MAX_DOWNLOAD_B + 1):
        sim.push_file(bytes(size), "big.bin")
    updates = call(sim, "getUpdates", b"{}", "application/json")[1]["result"]
    ids = [update["message"]["document"]["file_id"] for update in updates]
    assert call(sim, "getFile", form(file_id=ids[0]))[0] == 200
    assert refusal(sim, "getFile", file_id=ids[1]) == "Bad Request: file is too big"


def test_the_text_of_a_photo_can_not_be_edited(sim: Simulator) -> None:
    _, answer = call(sim, "sendPhoto", form(chat_id=USER, photo=("x", JPEG)))
    number = answer["result"]["message_id"]
    told = refusal(sim, "editMessageText", chat_id=USER, message_id=number, text="new")
    assert told == "Bad Request: there is no text in the message to edit"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"--abc\r\n", "does not begin with its boundary"),
        (form(a="1").removesuffix(b"--xyz--\r\n"), "without an end"),
        (form(a="1") + b"x", "more behind the last boundary"),
        (form(a="1").replace(b"form-data", b"attachment"), "Content-Disposition"),
        (form(a="1").replace(b'name="a"', b"name=a"), "Content-Disposition"),
        (form(a="1").replace(b'"a"', b'""'), "without a name"),
        (form(a="1").replace(b"\r\n\r\n", b"\r\n"), "without a head"),
        (form(a="1").removesuffix(b"--\r\n") + form(a="2")[5:], "two parts are called 'a'"),
        (form(a="1").replace(b"1", b"\xff"), "must be UTF-8"),
        (form(a="1").replace(b"--xyz--", b"--xyzx"), "a boundary that goes on"),
        (form(**{f"a{n}": n for n in range(65)}), "more than 64 parts"),
    ],
)
def test_a_body_that_is_no_multipart_is_refused(sim: Simulator, body: bytes, told: str) -> None:
    with pytest.raises(BadForm, match=told):
        parse(body, KIND)
    status, answer = call(sim, "sendDocument", body)
    assert status == 400
    assert told in answer["description"]
    assert len(sim.protocol_errors) == 1


def test_a_boundary_must_be_named() -> None:
    for kind in ("multipart/form-data", "multipart/form-data; boundary=", 'x; boundary="a b"'):
        with pytest.raises(BadForm, match="boundary"):
            parse(form(a="1"), kind)
    assert parse(form(a="1"), 'multipart/form-data; boundary="xyz"') == {"a": "1"}


@pytest.mark.parametrize("kind", ["reset", "close"])
def test_a_connection_breaks_in_the_middle_of_a_body(sim: Simulator, kind: str) -> None:
    sim.fault(kind, "sendDocument", at="upload")
    body = form(chat_id=USER, document=("x", bytes(50_000)))
    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
        call(sim, "sendDocument", body)
    (broken,) = sim.calls_of("sendDocument")
    assert (broken.size, broken.status, broken.params) == (len(body) // 2, None, {})
    assert sim.sent == []
    assert call(sim, "sendDocument", body)[0] == 200


def test_a_download_breaks_in_the_middle(sim: Simulator) -> None:
    sim.push_file(bytes(50_000), "x.bin")
    update = call(sim, "getUpdates", b"{}", "application/json")[1]["result"][0]
    file_id = update["message"]["document"]["file_id"]
    path = call(sim, "getFile", form(file_id=file_id))[1]["result"]["file_path"]
    sim.fault("truncate", "file")
    with pytest.raises(http.client.IncompleteRead) as failed:
        fetch(sim, path)
    assert len(failed.value.partial) == 25_000
    assert fetch(sim, path)[0] == 200


def test_a_body_that_is_too_large_is_not_read(sim: Simulator) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", sim.port, timeout=10)
    connection.putrequest("POST", f"/bot{sim.token}/sendDocument")
    connection.putheader("Content-Length", str(60 << 20))
    connection.endheaders()
    response = connection.getresponse()
    assert (response.status, json.loads(response.read())["description"]) == (
        413,
        "Request Entity Too Large",
    )
    connection.close()


def test_a_line_sends_a_file(sim: Simulator, tmp_path: Path) -> None:
    (tmp_path / "door.jpg").write_bytes(JPEG)
    (tmp_path / "notes.txt").write_bytes(b"notes")
    assert act(sim, f"!file {tmp_path}/door.jpg the door") == "sent as a photo of 2,003 bytes"
    assert act(sim, f"!file {tmp_path}/notes.txt") == "sent as a document of 5 bytes"
    updates = call(sim, "getUpdates", b"{}", "application/json")[1]["result"]
    first, second = (update["message"] for update in updates)
    assert (first["caption"], first["photo"][-1]["file_size"]) == ("the door", 2003)
    assert second["document"]["file_name"] == "notes.txt"
    assert "caption" not in second
    assert act(sim, "!file") == "!file PATH [CAPTION]"
    assert act(sim, "!file none.txt") == "none.txt: No such file or directory"
