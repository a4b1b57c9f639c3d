"""`copepod deploy`: send what has changed to a board, so that no failure leaves half an app.

Changed files go to a folder aside (`.deploy`), and only when all of them are there, each with the
right hash, does one piece of code on the board rename them into place. Until then the old app is
whole, and it is the one that runs after a failure.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import click
from rich.console import Console

from host_tools.app import app_files
from host_tools.app.app_files import CONFIG, HASH_DIGITS, NOTE, OWNERS_FILE, TRIED
from host_tools.board import boards
from host_tools.console import serial_io
from host_tools.console.ask_port import ask_port
from host_tools.errors import UserError
from host_tools.install import diagnose, workspace
from host_tools.install.flash import CONFIG as CONFIG_FILE
from host_tools.install.flash import wait_for_steady
from host_tools.install.remote import CLEAR, FOLDERS, HASH, TEXT, Remote

STAGE = ".deploy"
MPY_VERSION = 6

# Runs on the board. Memory: HASH's, the note and the answer.
LOOK = (
    HASH
    + TEXT
    + """
import json, os, sys
note = text_of(note_path)
hashes = {}
known = list(json.loads(note)["files"]) if note else []
for path in paths + [p for p in known if p not in paths]:
    hashes[path] = hash_of(path)
try:
    s = os.statvfs(".")
    free = s[0] * s[3]
except (AttributeError, OSError):
    free = None
config = hash_of(config_path)
mpy = getattr(sys.implementation, "_mpy", 0) & 0xFF
answer = {"note": note, "hashes": hashes, "free": free, "mpy": mpy, "config": config,
    "version": list(sys.implementation[1][:3]), "platform": sys.platform}
"""
)

# The board's boot.py while files are being renamed: if the power goes in the middle, it goes on where
# it was, at the next start and before anything of the app is imported. It ends by putting back the
# owner's boot.py, or by removing itself.
FINISH = (
    FOLDERS
    + """
def finish(stage, moves, removes):
    for name, path in moves:
        make_folders(path)
        try:
            os.rename(stage + "/" + name, path)
        except OSError:
            pass
    for path in removes:
        try:
            os.remove(path)
        except OSError:
            pass
    try:
        os.rename(stage + "/own", "boot.py")
    except OSError:
        os.remove("boot.py")
    for name in os.listdir(stage):
        os.remove(stage + "/" + name)
    os.rmdir(stage)
    if hasattr(os, "sync"):
        os.sync()
"""
)

# `hashes`: (staged name, path, hash). Nothing is put in place before every staged file is right.
COMMIT = (
    HASH
    + """
bad = [path for name, path, wanted in hashes if hash_of(stage + "/" + name) != wanted]
if not bad:
    if "boot.py" in os.listdir():
        with open("boot.py", "rb") as old, open(stage + "/own", "wb") as kept:
            kept.write(old.read())
    os.rename(stage + "/boot", "boot.py")
    with open("boot.py") as f:
        exec(f.read())
answer = {"bad": bad}
"""
)


@dataclass
class Changes:
    """What a deployment would do."""

    send: dict[str, bytes] = field(default_factory=dict)
    remove: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)  # edited on the board, so left alone
    tried: bool = False  # a bot.py that was sent to the bot is being tried there

    def __bool__(self) -> bool:
        return bool(self.send or self.remove)


def compare(
    files: dict[str, bytes], found: dict[str, str | None], note: dict[str, str], *, replace: bool
) -> Changes:
    """What has to be sent and removed, given the hashes on the board and the note there."""
    changes = Changes()
    for path, data in files.items():
        wanted, there = app_files.file_hash(data), found.get(path)
        if there == wanted:
            continue
        edited = there is not None and there != note.get(path)
        if path == OWNERS_FILE and edited and not replace:
            changes.kept.append(path)
        else:
            changes.send[path] = data
    for path, recorded in note.items():
        if path in files or path in (CONFIG, NOTE) or found.get(path) is None:
            continue
        (changes.remove if found[path] == recorded else changes.kept).append(path)
    return changes


class Deployment:
    """One run against one board."""

    def __init__(self, remote: Remote, files: dict[str, bytes], console: Console) -> None:
        self.remote = remote
        self.files = files
        self.console = console

    def look(self, *, replace: bool) -> Changes:
        """Ask the board what it holds."""
        found = self.remote.execute(
            LOOK,
            paths=[*self.files, TRIED],
            note_path=NOTE,
            config_path=CONFIG,
            digits=HASH_DIGITS,
        )
        version = ".".join(map(str, found["version"]))
        self.console.print(f"  MicroPython {version} on {found['platform']}", highlight=False)
        if found["mpy"] != MPY_VERSION:
            raise UserError(
                f"MicroPython {version} loads .mpy {found['mpy']}, these are of version "
                f"{MPY_VERSION}: `make flash` writes the firmware that fits"
            )
        note = app_files.parse_note((found["note"] or "").encode())
        changes = compare(self.files, found["hashes"], note, replace=replace)
        changes.tried = found["hashes"].get(TRIED) is not None
        if changes.tried and (replace or OWNERS_FILE in changes.send):
            changes.remove.append(TRIED)
        if found["config"] is None:
            self.console.print("  no config.json on the board: `copepod config --push` sends one")
        needed = sum(-(-len(data) // 4096) * 4096 for data in changes.send.values())
        if found["free"] is not None and needed > found["free"]:
            raise UserError(f"the board has {found['free']} bytes free, {needed} are needed")
        return changes

    def send(self, changes: Changes) -> None:
        """Stage, check and rename; UserError leaves the old app whole and running."""
        note = app_files.note(self._placed(changes))
        sent = {**changes.send, NOTE: note}
        try:
            self.remote.guard()
            self.remote.execute(CLEAR, stage=STAGE)
            with tempfile.TemporaryDirectory(prefix="copepod-") as folder:
                moves = [(f"f{number}", path) for number, path in enumerate(sent)]
                call = f"finish({STAGE!r}, {moves!r}, {changes.remove!r})\n"
                staged = {name: sent[path] for name, path in moves}
                staged["boot"] = (FINISH + call).encode()
                for name, data in staged.items():
                    (Path(folder) / name).write_bytes(data)
                self.remote.put([Path(folder) / name for name in staged], STAGE)
            paths = dict(moves)
            hashes = [
                (name, paths.get(name, name), app_files.file_hash(data))
                for name, data in staged.items()
            ]
        except UserError as error:
            self.remote.reset_quietly()
            raise UserError(f"{error}; the old app is untouched") from None
        try:
            answer = self.remote.execute(COMMIT, stage=STAGE, hashes=hashes, digits=HASH_DIGITS)
        except UserError as error:
            self.remote.reset_quietly()
            raise UserError(
                f"{error}; if the new app was being put in place, the board finishes it at its "
                "next start"
            ) from None
        if answer["bad"]:
            self.remote.reset_quietly()
            raise UserError(
                f"{answer['bad'][0]} arrived damaged; the old app is untouched, try again"
            )

    def _placed(self, changes: Changes) -> dict[str, bytes]:
        """What the note should speak of: what is ours, not what its owner has edited."""
        return {path: data for path, data in self.files.items() if path not in changes.kept}


def deploy(port: str, config: Path, console: Console, *, replace: bool, dry_run: bool) -> bool:
    """Bring the board on `port` up to date, its workspace, too; True if it was restarted."""
    files = app_files.app()

    def say(text: str) -> None:
        console.print("  " + text, markup=False, highlight=False, soft_wrap=True)

    run = Deployment(Remote(port), files, console)
    console.print(f"Asking MicroPython on {port} what it holds …")
    began = time.monotonic()
    try:
        changes = run.look(replace=replace)
        beside = workspace.look(run.remote, config)
    except UserError:
        run.remote.reset_quietly()
        raise
    for path in changes.kept:
        say(
            f"{path} was edited on the board, or sent to the bot, and stays (--replace sends ours)"
        )
    if changes.tried and TRIED not in changes.remove:
        say("a bot.py that was sent to the bot is being tried there: the trial goes on")
    for path, data in changes.send.items():
        console.print(f"  send   {path}, {len(data)} bytes", highlight=False)
    for path in changes.remove:
        console.print(f"  remove {path}", highlight=False)
    if not changes or dry_run:
        if dry_run:
            for name in beside.send:
                say(f"send   {name} of the workspace")
        else:
            _send_workspace(run.remote, config, beside, say)
        sent = changes or beside.send
        if dry_run or not sent:
            console.print("Nothing was sent." if sent else "Everything is up to date.")
        run.remote.reset()  # asking has interrupted the app
        return not dry_run
    run.send(changes)
    _send_workspace(run.remote, config, beside, say)
    run.remote.reset()
    size = sum(map(len, changes.send.values()))
    seconds = time.monotonic() - began
    console.print(
        f"[bold]Deployed[/bold] {len(changes.send)} files, {size} bytes, in {seconds:.1f} s.",
        highlight=False,
    )
    return True


def _send_workspace(
    remote: Remote, config: Path, changes: workspace.Changes, say: Callable[[str], None]
) -> None:
    try:
        workspace.send(remote, config, changes, say)
    except UserError:
        remote.reset_quietly()
        raise


@click.command("deploy")
@click.option("--port", "-p", envvar="PORT", help="Serial port; without it, the only one.")
@click.option("--board", "-b", envvar="BOARD", help="Needed for Linux boards only.")
@click.option("--host", envvar="BOARD_HOST", help="user@host of a Linux board.")
@click.option("--config", envvar="CONFIG", type=click.Path(path_type=Path), default=CONFIG_FILE)
@click.option(
    "--replace", is_flag=True, help="Send bot.py even if it was edited there, or sent to the bot."
)
@click.option("--bot", help="Your bot.py, also BOT=…; firmware/bot.py without one.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent.")
@click.option("--listen", "listen_s", default=diagnose.LISTEN_S, help="Seconds; 0: do not.")
def deploy_command(
    port: str | None,
    board: str | None,
    host: str | None,
    config: Path,
    replace: bool,
    bot: str | None,
    dry_run: bool,
    listen_s: float,
) -> None:
    """Compile, send what changed, remove what is gone, restart."""
    if bot:
        os.environ["BOT"] = bot
    console = Console(file=sys.stdout)
    if board and not boards.get(board).flashable:
        from host_tools.install import deploy_linux

        if not boards.get(board).linux:
            raise UserError(
                f"{boards.get(board).id} takes no files: `{boards.get(board).instead}`"
            )
        deploy_linux.deploy(
            boards.get(board), host, config, console, dry_run=dry_run, replace=replace
        )
        return
    chosen = serial_io.choose_port(port or None, ask_port)
    if deploy(chosen, config, console, replace=replace, dry_run=dry_run) and listen_s > 0:
        wait_for_steady(chosen, listen_s, console, "the app is deployed, but")
