"""The chat in the terminal, the simulator's command, and what both show and take."""

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from host_tools.chat import run_chat
from host_tools.chat.simulator_command import fault_of, simulator_command
from host_tools.console import render
from host_tools.console.pseudo_terminal import PseudoTerminal
from host_tools.errors import UserError
from host_tools.paths import ROOT
from host_tools.scenarios import live
from host_tools.simulator import Simulator
from host_tools.simulator.judge import judge
from host_tools.simulator.keyboard import act

COPEPOD = Path(sys.executable).parent / "copepod"
CLEAN = {k: v for k, v in os.environ.items() if k not in ("TELEGRAM_TOKEN", "ALLOW", "BASE_URL")}


# --- rendering


def shown(html, width=60):
    verdict = judge(html)
    assert verdict.ok
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=width, color_system="standard")
    console.print(render.message(verdict.text, verdict.entities))
    return out.getvalue()


def plain(text):
    return re.sub(r"\x1b(\[[0-9;]*m|\]8;[^\x1b]*\x1b\\)", "", text)


@pytest.mark.parametrize(
    ("html", "code"),
    [
        ("a <b>x</b>", "1"),
        ("a <i>x</i>", "3"),
        ("a <u>x</u>", "4"),
        ("a <s>x</s>", "9"),
        ("a <code>x</code>", "36"),
        ("a <tg-spoiler>x</tg-spoiler>", "2;7"),
        ("🦀🦐 <b>x</b>", "1"),  # offsets count UTF-16 units
    ],
)
def test_styles_fall_on_the_right_letters(html, code):
    assert f"\x1b[{code}mx\x1b[0m" in shown(html)


def test_links_lead_somewhere():
    assert "https://e.example/" in shown('see <a href="https://e.example">x</a>')


def test_code_blocks_and_quotes_are_blocks():
    text = plain(
        shown(
            'before\n<pre><code class="language-python">x = 1\ny = 2</code></pre>\nbetween\n'
            "<blockquote>said\ntwice</blockquote>after"
        )
    )
    lines = [line.rstrip() for line in text.splitlines()]
    assert lines[0] == "before"
    assert lines[1].startswith("╭─ python ─")
    assert lines[2].startswith("│ x = 1")
    assert lines[5:9] == ["between", "▌ said", "▌ twice", "after"]


def test_markup_of_ours_is_not_obeyed():
    assert "[bold red]x[/]" in plain(shown("[bold red]x[/] <b>y</b>"))


# --- typing


@pytest.mark.parametrize("letter", ["x", "ж", "漢", "🦀"])
def test_a_long_line_is_sent_whole_in_several_messages(letter):
    """A message has at most 4,096 UTF-16 units; Telegram's apps send the rest in further ones."""
    sim, sent = Simulator(tls=False), []
    sim.push_text = lambda text, user: sent.append(text)
    told = act(sim, letter * 9000)
    assert "".join(sent) == letter * 9000
    assert all(len(text.encode("utf-16-le")) <= 2 * 4096 for text in sent)
    assert told.startswith(f"sent as {len(sent)} messages")
    assert act(sim, letter * 2048) is None


def test_lines_become_updates():
    with Simulator(tls=False) as sim:
        assert act(sim, "hello") is None
        assert act(sim, "") is None
        for line in ("!photo", "!press on", "!group hi @copepod_bot", "!reply yes", "!edit no"):
            assert act(sim, line) is None
        assert act(sim, "!big 5000 text") is None
        assert "BYTES" in act(sim, "!big x")
        assert "the next 2 of getMe" in act(sim, "!fault 500 getMe 2")
        assert "retry_after" in act(sim, "!fault what")
        assert "no calls" in act(sim, "!calls")
        assert "!press LABEL" in act(sim, "!help")
        assert len(sim.queue.pending()) == 7


def test_fault_options():
    assert fault_of("429") == ("429", "*", 1)
    assert fault_of("reset:getUpdates:3") == ("reset", "getUpdates", 3)
    for wrong in ("quake", "429:getMe:x"):
        with pytest.raises(UserError, match="--fault"):
            fault_of(wrong)


def test_a_simulator_token_of_another_form_is_not_shown():
    result = CliRunner().invoke(simulator_command, ["--token", "secret", "--port", "0"])
    assert isinstance(result.exception, UserError)
    assert str(result.exception).startswith("--token: ")
    assert "secret" not in str(result.exception)


# --- the real Telegram's config


def test_real_config_takes_the_environment():
    token = "1:" + 35 * "x"
    environ = {"TELEGRAM_TOKEN": token, "ALLOW": "7, @grace", "BASE_URL": "http://127.0.0.1:1"}
    telegram = run_chat.real_config(environ)["channels"]["telegram"]
    assert telegram["token"] == token
    assert telegram["allow_from"] == ["7", "@grace"]
    assert telegram["base_url"] == "http://127.0.0.1:1"
    bare = run_chat.real_config({"TELEGRAM_TOKEN": token})["channels"]["telegram"]
    assert bare["allow_from"] == []
    assert "base_url" not in bare


def test_a_wrong_token_or_id_is_said_before_anything_starts():
    with pytest.raises(UserError, match="^TELEGRAM_TOKEN: ") as caught:
        run_chat.real_config({"TELEGRAM_TOKEN": "1:secret"})
    assert "secret" not in str(caught.value)
    with pytest.raises(UserError, match="^ALLOW: '!'"):
        run_chat.real_config({"TELEGRAM_TOKEN": "1:" + 35 * "x", "ALLOW": "!"})


def test_live_with_a_token_reports_the_same(tmp_path, monkeypatch):
    """A simulator plays Telegram behind BASE_URL, and a thread the owner who sends messages."""
    with Simulator(tls=False) as sim:
        monkeypatch.setenv("TELEGRAM_TOKEN", sim.token)
        monkeypatch.setenv("ALLOW", "7000000001")
        monkeypatch.setenv("BASE_URL", f"http://127.0.0.1:{sim.port}")

        def owner():
            sim.wait(lambda: sim.calls_of("getUpdates"), 10)
            for n in range(4):
                sim.push_text(f"hello {n}")

        thread = threading.Thread(target=owner)
        thread.start()
        out = tmp_path / "out.json"
        arguments = ["--messages", "4", "--json", str(out)]
        result = CliRunner().invoke(live.live_command, arguments)
        thread.join()
        assert result.exit_code == 0, result.output
        assert [sent.text for sent in sim.sent] == [f"hello {n}" for n in range(4)]
    data = json.loads(out.read_text())
    assert data["messages"]["answered"] == 4
    assert data["server"].startswith("http://127.0.0.1")
    assert data["rss"]["name"] == "micropython"
    assert sim.token not in result.output + out.read_text()


# --- the commands, whole


def test_run_in_a_pipe():
    run = subprocess.run(
        [COPEPOD, "run"],
        input="hello **bold**\n/ping\n",
        capture_output=True,
        text=True,
        timeout=25,
        env=CLEAN,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    lines = [line.strip() for line in run.stdout.splitlines()]
    assert lines.index("hello bold") < lines.index("pong")
    assert re.search(r"│ steady +│", run.stdout)
    assert "2 messages in, 2 out, 1 connections" in run.stdout


def test_run_without_input_starts_and_ends():
    """Nothing to say, as in cron or under `make run </dev/null`: no traceback, and a summary."""
    run = subprocess.run(
        [COPEPOD, "run"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=25,
        env=CLEAN,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Traceback" not in run.stdout + run.stderr
    assert re.search(r"│ steady +│", run.stdout)
    assert "0 messages in, 0 out" in run.stdout


def test_make_passes_arguments_on():
    """Every target that runs a command takes ARGS, as the Makefile's help says of some."""
    root = ROOT
    for target in (
        "run",
        "live",
        "bench",
        "machine",
        "monitor",
        "flash",
        "deploy",
        "doctor",
        "boards",
    ):
        command = ["make", "-n", "-C", root, target, "ARGS=--help-me"]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
        assert f"copepod {target}" in run.stdout
        assert "--help-me" in run.stdout, target


def test_run_in_a_terminal():
    with PseudoTerminal([COPEPOD, "run"], CLEAN) as terminal:
        terminal.until("you ›")
        terminal.type("hello `code` 🦀\r")
        # What is printed has the line at the bottom drawn anew, as a whole.
        terminal.until(r"(?s)copepod\s+hello code 🦀.*heap .* KiB · live")
        # Code has several lines; the terminal marks where pasting begins and ends.
        terminal.type("\x1b[200~first\rsecond\x1b[201~\r")
        terminal.until(r"copepod\s+first\s+second")
        terminal.type("woooorld\x1b[H\x1b[3~hello \x1b[F!\x17")  # Home, Delete, End, Ctrl-W
        terminal.type("two\r")
        terminal.until(r"copepod\s+hello two")
        terminal.type("\x1b[A\x7f\r")  # the last one again, without its last letter
        terminal.until(r"copepod\s+hello tw\b(?!o)")
        terminal.type("\x03")
        seen = terminal.until(r"4 messages in, 4 out")
        assert "GC heap by phase" in seen
        assert terminal.end() == 0


def test_simulator_command(tmp_path):
    process = subprocess.Popen(
        [COPEPOD, "simulator", "--plain", "--port", "0", "--fault", "500:getMe"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=CLEAN,
    )
    try:
        head = [process.stdout.readline() for _ in range(3)]
        url = head[0].split()[1]
        token = head[1].split()[1]
        process.stdin.write("hello\n")
        process.stdin.close()
        ask = f"{url}/bot{token}/"
        with pytest.raises(urllib.error.HTTPError, match="500"):
            urllib.request.urlopen(ask + "getMe", timeout=5)
        with urllib.request.urlopen(ask + "getUpdates?timeout=5", timeout=9) as answer:
            (update,) = json.load(answer)["result"]
        assert update["message"]["text"] == "hello"
        chat = update["message"]["chat"]["id"]
        urllib.request.urlopen(f"{ask}sendMessage?chat_id={chat}&text=back", timeout=5).close()
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(5) == 0
        assert "back" in rest
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_simulator_command_says_that_its_port_is_taken():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        port = str(sock.getsockname()[1])
        command = [COPEPOD, "simulator", "--port", port]
        run = subprocess.run(command, capture_output=True, text=True, env=CLEAN, check=False)
    assert run.returncode == 1
    assert f"port {port}" in run.stderr
    assert "Traceback" not in run.stderr
