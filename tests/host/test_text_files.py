"""Files from people, as their editors write them: on Windows with a mark, or in UTF-16."""

import codecs
import json
from pathlib import Path

import pytest
from command_line import copepod

from host_tools import paths, text_files
from host_tools.app import app_files, tree
from host_tools.console.frames import FIELDS, Frame, format_frame
from host_tools.errors import UserError
from host_tools.install import config_file, provision
from host_tools.scenarios import scenario

TOKEN = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFakeFak"
WAYS = {
    "plain": lambda text: text.encode(),
    "utf-8 with a mark": lambda text: codecs.BOM_UTF8 + text.encode(),
    "utf-16": lambda text: text.encode("utf-16"),
    "utf-16 big-endian": lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
    "lines as on Windows": lambda text: codecs.BOM_UTF8 + text.replace("\n", "\r\n").encode(),
}


@pytest.fixture(params=list(WAYS), ids=lambda name: name.replace(" ", "-"))
def written(request, tmp_path):
    """Writes a text in one of the ways."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_bytes(WAYS[request.param](text))
        return path

    return write


def console() -> str:
    values = dict.fromkeys(FIELDS) | {"gc_free": 5000}
    frames = [format_frame(Frame(seq, seq, "interval", values)) for seq in range(40)]
    return "\n".join(["copepod: wifi: joined Café", *frames]) + "\n"


def test_a_console_log_has_its_frames(written):
    run = copepod("monitor", "--replay", written("console.log", console()), "--plain")
    assert run.returncode == 0, run.stderr
    assert "40 frames, 0 events; 0 missing, 0 damaged" in run.stderr


def test_a_recording_has_its_frames(written):
    rows = [{"format": "copepod-recording", "version": 1}]
    rows += [{"t": 1.0, "line": line, "frame": {}} for line in console().splitlines()]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    run = copepod("monitor", "--replay", written("run.jsonl", text), "--plain")
    assert run.returncode == 0, run.stderr
    assert "40 frames" in run.stderr


def test_a_config_is_read_and_sent_as_a_board_reads_it(written):
    path = written("config.json", json.dumps({"channels": {"telegram": {"token": TOKEN}}}))
    assert json.loads(config_file.read_config(path))["channels"]["telegram"]["token"] == TOKEN
    assert provision.load(path)["channels"]["telegram"]["token"] == TOKEN


def test_a_bot_is_sent_as_a_board_reads_it(written, tmp_path, monkeypatch):
    text = (paths.FIRMWARE / "bot.py").read_text() + "# é\n"
    monkeypatch.setattr(tree, "FIRMWARE", tmp_path / "firmware")
    monkeypatch.setattr(tree, "BUILD", tmp_path)
    (tmp_path / "firmware").mkdir()
    written("firmware/bot.py", text)
    written("firmware/main.py", "")
    monkeypatch.setattr(tree.build, "write", lambda folder: (folder / "mpy").mkdir(parents=True))
    sent = (tree.app_tree() / app_files.OWNERS_FILE).read_text("utf-8")
    assert sent.replace("\r\n", "\n") == text


def test_a_scenario_and_markdown_are_read(written):
    path = written("mine.toml", 'about = "é"\n[messages]\ncount = 1\n')
    assert scenario.load(str(path)).about == "é"
    run = copepod("format", "--show", written("answer.md", "**bold** é\n"))
    assert run.returncode == 0, run.stderr
    assert "bold é" in run.stdout
    jobs = written("jobs.jsonl", '{"id": 1, "markdown": "**é**"}\n')
    run = copepod("format", jobs)
    assert json.loads(run.stdout)["messages"] == ["<b>é</b>"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("caf\xe9".encode("latin-1"), "line 1 is not UTF-8: save it as UTF-8"),
        (b"one\ntwo \xff", "line 2 is not UTF-8"),
        ("no mark".encode("utf-16-le"), "neither UTF-8 nor UTF-16 with a mark"),
        (codecs.BOM_UTF16_LE + b"x", "is not UTF-16"),
    ],
)
def test_what_is_no_text_is_refused_by_name(tmp_path, data, said):
    path = tmp_path / "config.json"
    path.write_bytes(data)
    with pytest.raises(UserError, match="config.json: ") as caught:
        text_files.read(path)
    assert said in str(caught.value)


def test_a_recording_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_bytes(console().encode("utf-16-le"))
    run = copepod("monitor", "--replay", path)
    assert run.returncode == 1
    assert "run.jsonl: neither UTF-8 nor UTF-16" in run.stderr
