"""The config: what is asked, what is refused, and that no secret is ever shown."""

from __future__ import annotations

import json
import os
import pty
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from asked import TOKEN, asked, no_variables  # noqa: F401
from command_line import Run, copepod
from pty_board import PtyBoard

from host_tools.errors import UserError
from host_tools.install import provision
from host_tools.simulator import Simulator

PASSWORD = "a secret of the house"


def config(path: Path, *more: object) -> Run:
    return copepod("config", "--config", path, "--no-input", "--offline", *more)


def telegram(path: Path) -> dict[str, object]:
    return json.loads(path.read_text())["channels"]["telegram"]


def test_variables_make_a_private_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config.json"
    old = os.umask(0)
    try:
        monkeypatch.setenv("WIFI_SSID", "home")
        monkeypatch.setenv("WIFI_PASSWORD", PASSWORD)
        monkeypatch.setenv("TELEGRAM_TOKEN", TOKEN)
        monkeypatch.setenv("ALLOW", "42, @Anna")
        run = config(path)
    finally:
        os.umask(old)
    assert run.returncode == 0, run.stderr
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    found = json.loads(path.read_text())
    assert found["wifi"] == {"ssid": "home", "password": PASSWORD}
    assert found["channels"]["telegram"] == {"token": TOKEN, "allow_from": ["42", "@Anna"]}
    for secret in (TOKEN, TOKEN[-10:], PASSWORD):
        assert secret not in run.stdout + run.stderr
    assert "Wi-Fi home, token set, admits 42, @Anna" in run.stdout
    assert list(tmp_path.iterdir()) == [path]


def test_other_keys_stay(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(
        json.dumps({"bus": {"capacity": 4}, "wifi": {"ssid": "old", "password": "x" * 9}})
    )
    run = config(path, "--token", TOKEN, "--ssid", "new", "--allow", "")
    assert run.returncode == 0, run.stderr
    found = json.loads(path.read_text())
    assert found["bus"] == {"capacity": 4}
    assert found["wifi"] == {"ssid": "new"}  # the password was the old network's
    assert telegram(path)["allow_from"] == []
    assert "Wi-Fi new (open)" in run.stdout
    assert "nobody: pairing" in run.stdout


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--token", "123:short"], "the token has 9 characters of another form"),
        (["--token", TOKEN + " x"], "another form"),
        (["--token", TOKEN, "--ssid", "x" * 33], "at most 32 bytes"),
        (["--token", TOKEN, "--ssid", "x", "--password", "short"], "8 to 63 characters"),
        (["--token", TOKEN, "--allow", "42, no name!"], "neither a Telegram id"),
        (["--token", TOKEN, "--allow", "*, 42"], "alone"),
        (["--token", TOKEN, "--base-url", "ftp://x"], "base_url"),
        ([], "no bot token"),
    ],
)
def test_what_is_refused(tmp_path: Path, flags: list[str], said: str) -> None:
    path = tmp_path / "config.json"
    run = config(path, *flags)
    assert run.returncode == 1
    assert said in run.stderr
    assert len(run.stderr.strip().splitlines()) == 1
    assert TOKEN not in run.stderr
    assert "short" not in run.stderr
    assert not list(tmp_path.iterdir())


def test_a_broken_file_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    for text in ("{", "[]", '{"wifi": 1}'):
        path.write_text(text)
        run = config(path, "--token", TOKEN, "--ssid", "x")
        assert run.returncode == 1
        assert path.read_text() == text


def test_get_me_against_a_real_server(tmp_path: Path) -> None:
    """Verified TLS, the bot's name said; a token that the server refuses is not written."""
    path, roots = tmp_path / "config.json", tmp_path / "roots.der"
    with Simulator(token=TOKEN) as sim:
        roots.write_bytes(sim.ca_der)
        path.write_text(json.dumps({"tls": {"ca": "roots.der"}}))
        good = ["--config", path, "--no-input", "--base-url", sim.base_url]
        run = copepod("config", *good, "--token", TOKEN)
        assert run.returncode == 0, run.stderr
        assert "the bot is @" in run.stdout
        assert [call.method for call in sim.calls] == ["getMe"]
        before = path.read_bytes()
        run = copepod("config", *good, "--token", TOKEN[:-1] + "X")
        assert run.returncode == 1
        assert "Telegram refuses this token" in run.stderr
        assert TOKEN[:20] not in run.stderr
        assert path.read_bytes() == before


def test_without_a_network_the_form_must_do(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    arguments = ["--config", path, "--no-input", "--token", TOKEN]
    run = copepod("config", *arguments, "--base-url", "http://127.0.0.1:1")
    assert run.returncode == 0, run.stderr
    assert "no network: the token's form is right" in run.stdout


def test_git_would_commit_it(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    path = tmp_path / "config.json"
    assert "git would commit config.json" in config(path, "--token", TOKEN).stdout
    (tmp_path / ".gitignore").write_text("config.json\n")
    assert "git would" not in config(path, "--token", TOKEN).stdout


def test_the_tree_ignores_its_config() -> None:
    assert provision.ignored_by_git(provision.CONFIG_FILE)


def test_asking_echoes_no_secret_and_asks_until_it_is_right(tmp_path: Path) -> None:
    """In a terminal: names are seen as they are typed, the token and the password are not.

    What the board would refuse is said at once, with the reason, and only that is asked again.
    """
    path = tmp_path / "config.json"
    seen = asked(
        path,
        "--offline",
        answers=[
            (b"Wi-Fi name", b"x" * 33),
            (b"at most 32 bytes", None),
            (b"Wi-Fi name", b"home"),
            (b"Wi-Fi password", b"five5"),
            (b"8 to 63 characters", None),
            (b"Wi-Fi password", PASSWORD.encode()),
            (b"Bot token", b"123:wrong"),
            (b"another form", None),
            (b"Bot token", TOKEN.encode()),
            (b"Admit", b"no name!"),
            (b"neither a Telegram id", None),
            (b"Admit", b"*, 42"),
            (b"alone", None),
            (b"Admit", b"42"),
            (b"Model's server", b""),
            (b"admits 42", None),
        ],
    )
    for secret in (TOKEN.encode(), PASSWORD.encode(), b"wrong", b"five5"):
        assert secret not in seen
    assert b"home" in seen
    assert telegram(path) == {"token": TOKEN, "allow_from": ["42"]}
    assert json.loads(path.read_text())["wifi"] == {"ssid": "home", "password": PASSWORD}


def test_a_token_that_the_server_refuses_is_asked_for_again(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    with Simulator(token=TOKEN, tls=False) as sim:
        seen = asked(
            path,
            "--base-url",
            sim.base_url,
            answers=[
                (b"Wi-Fi name", b""),
                (b"Bot token", TOKEN[:-1].encode() + b"X"),
                (b"refuses this token", None),
                (b"Bot token", TOKEN.encode()),
                (b"the bot is @", None),
                (b"Admit", b""),
                (b"Model's server", b""),
                (b"nobody: pairing", None),
            ],
        )
    assert telegram(path)["token"] == TOKEN
    assert TOKEN[:20].encode() not in seen


def test_what_a_flag_or_the_file_says_wrong_is_told_before_anything_is_asked(
    tmp_path: Path,
) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"bus": {"capacity": 0}}))
    program = [str(Path(sys.executable).with_name("copepod")), "config", "--offline"]
    for flags, said in (
        (["--config", tmp_path / "other.json", "--password", "five5"], b"8 to 63 characters"),
        (["--config", path], b"bus.capacity"),
    ):
        terminal, slave = pty.openpty()
        run = subprocess.run([*program, *flags], stdin=slave, capture_output=True, timeout=25)
        os.close(terminal)
        os.close(slave)
        assert run.returncode == 1
        assert said in run.stderr
        assert b"Wi-Fi name" not in run.stdout


def test_push_replaces_the_config_of_a_running_board(tmp_path: Path) -> None:
    board_folder, path = tmp_path / "board", tmp_path / "config.json"
    board_folder.mkdir()
    (board_folder / "main.py").write_text(
        "import time\nprint('config', open('config.json').read())\nwhile True: time.sleep_ms(50)\n"
    )
    paired = {"channels": {"telegram": {"token": TOKEN, "allow_from": ["42"]}}}
    (board_folder / "config.json").write_text(json.dumps(paired))
    assert config(path, "--token", TOKEN, "--ssid", "elsewhere").returncode == 0
    with PtyBoard(board_folder) as board:
        start = board.wait_for(b"config {")
        run = copepod("config", "--config", path, "--push", "--port", board.port)
        assert run.returncode == 0, run.stderr
        board.wait_for(b"elsewhere", start=start)
        assert board.boots == 2
        on_board = json.loads((board_folder / "config.json").read_text())
        assert on_board["wifi"] == {"ssid": "elsewhere"}
        assert on_board["channels"]["telegram"]["allow_from"] == ["42"]  # who was paired stays
        assert "1 that were paired there stay" in run.stdout
        # another token is another bot, with nobody paired
        other = TOKEN[:-1] + "Z"
        assert config(path, "--token", other).returncode == 0
        start = len(board.log)
        run = copepod("config", "--config", path, "--push", "--port", board.port)
        assert run.returncode == 0, run.stderr
        board.wait_for(b"config {", start=start)
        assert telegram(board_folder / "config.json") == {"token": other, "allow_from": []}
        assert TOKEN not in run.stdout


def test_allow_is_taken_apart() -> None:
    assert provision.check_allow(" 1, @Anna_B  77 ") == ["1", "@Anna_B", "77"]
    assert provision.check_allow("") == []
    assert provision.check_allow("*") == ["*"]
    with pytest.raises(UserError):
        provision.check_allow("me")
