"""Deploying to a Linux board: one static binary, the app and a service, sent by ssh.

Everything goes into one folder. It is unpacked aside and renamed into place, so that a transfer
that breaks leaves what was there; then the service is restarted.
"""

from __future__ import annotations

import io
import shlex
import subprocess
import tarfile
from pathlib import Path, PurePosixPath

from rich.console import Console

from host_tools.app import app_files
from host_tools.board.boards import Board
from host_tools.errors import UserError
from host_tools.install import config_file, workspace
from host_tools.toolchain import locate

CONNECT_S = 10
TIMEOUT_S = 120.0

# What runs on the board; {…} are quoted. The config on the board stays unless one is sent.
INSTALL = """\
set -e
mkdir -p {root}
rm -rf {root}/.new
mkdir {root}/.new
tar -x -C {root}/.new
cd {root}
test -e .new/complete
for name in app micropython; do
    rm -rf .old
    if [ -e $name ]; then mv $name .old; fi
    mv .new/$name $name
    rm -rf .old
done
if [ -e .new/config.json ]; then chmod 600 .new/config.json; mv .new/config.json config.json; fi
{own}
if [ -e .new/place.sh ]; then sh .new/place.sh; fi
if [ -d /run/systemd/system ]; then
    mv .new/{service} /etc/systemd/system/{service}
    systemctl daemon-reload
    systemctl enable {service}
    systemctl restart {service}
elif [ -d /etc/init.d ]; then
    mv .new/{init} /etc/init.d/{init}
    /etc/init.d/{init} restart
fi
rm -rf .new
echo copepod-installed
"""

# A bot.py that was sent to the bot lies there, and is imported before the one of app/.
REPLACE = "rm -f bot.py .trial/bot.py"
KEEP = "if [ -e bot.py ] || [ -e .trial/bot.py ]; then echo copepod-kept bot.py; fi"

# Puts the workspace in its place, in the board's folder for Copepod: see workspace.py.
PLACE = """\
set -e
fresh() { # FOLDER PATH HASH: it is not newer here
    was=$(awk -v path="$2" 'substr($0, 19) == path { h = $1 } END { print h }' "$1/state/deployed" 2>/dev/null || true)
    is=$(sha256sum "$1/$2" 2>/dev/null | cut -c1-16)  # of no file: nothing
    [ "$is" = "$3" ] || [ "$is" = "$was" ]
}
put() { # FOLDER PATH HASH STAGED
    mkdir -p "$(dirname "$1/$2")" "$1/state"
    mv ".new/$4" "$1/$2"
    [ "$was" = "$3" ] || echo "$3  $2" >>"$1/state/deployed"
}
"""
KEPT = "copepod-kept "


def place_script(roots: dict[str, bytes], files: dict[str, bytes], folder: str) -> str:
    """What the board's shell runs for files with roots, and for the workspace in `folder`."""
    lines = [f"mv .new/root{number} {shlex.quote(name)}" for number, name in enumerate(roots)]
    names = list(files)
    for together in workspace.groups(files):
        given = {
            name: shlex.join([folder, name, app_files.file_hash(files[name])]) for name in together
        }
        lines.append(f"if {' && '.join(f'fresh {text}' for text in given.values())}; then")
        lines += [f"    fresh {t}; put {t} file{names.index(n)}" for n, t in given.items()]
        lines.append(f"else echo {shlex.quote(KEPT + folder + '/' + together[0])}; fi")
    return PLACE + "\n".join(lines) + "\n" if lines else ""


def package(
    board: Board,
    binary: Path,
    files: dict[str, bytes],
    config: bytes | None,
    beside: Path | None = None,
) -> bytes:
    """A tar archive: the binary, the app below app/, the service files, the config and what is beside it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:

        def add(name: str, data: bytes, mode: int = 0o644) -> None:
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), mode
            archive.addfile(info, io.BytesIO(data))

        add("micropython", binary.read_bytes(), 0o755)
        for path, data in files.items():
            add(f"app/{path}", data)
        for key, mode in (("service", 0o644), ("init", 0o755)):
            name = board.linux[key]
            add(name, (board.folder / name).read_bytes(), mode)
        if config is not None:
            add("config.json", config, 0o600)
        if config is not None and beside is not None:
            roots, own = workspace.roots(beside), workspace.files(beside)
            for number, data in enumerate(roots.values()):
                add(f"root{number}", data)
            for number, data in enumerate(own.values()):
                add(f"file{number}", data, 0o600)
            text = place_script(roots, own, workspace.on_board(beside, below_root=False))
            if text:
                add("place.sh", text.encode())
        add("complete", b"")  # last: tar is content with an archive cut off between two files
    return out.getvalue()


def script(board: Board, *, replace: bool = False) -> str:
    """What the board's shell runs, the archive on its standard input; `replace`: with our bot.py whatever is there."""
    root = str(PurePosixPath(board.linux["binary"]).parent)
    return INSTALL.format(
        root=shlex.quote(root),
        service=shlex.quote(board.linux["service"]),
        init=shlex.quote(board.linux["init"]),
        own=REPLACE if replace else KEEP,
    )


def _ssh(host: str) -> list[str]:
    return ["ssh", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={CONNECT_S}", host]


def _reach(host: str) -> None:
    """UserError unless the machine lets us in."""
    try:
        run = subprocess.run(
            [*_ssh(host), "true"], stdin=subprocess.DEVNULL, capture_output=True,
            timeout=2 * CONNECT_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"ssh to {host}: {error}") from None
    if run.returncode:
        lines = run.stderr.decode(errors="replace").strip().splitlines()
        raise UserError(f"ssh to {host}: {lines[-1] if lines else 'no access'}")


def deploy(
    board: Board,
    host: str | None,
    config: Path,
    console: Console,
    *,
    dry_run: bool,
    replace: bool = False,
) -> None:
    """Install on `host` (user@name); UserError in one line when it fails."""
    if not host:
        raise UserError(f"{board.id} is reached by ssh: BOARD_HOST=root@its-address")
    if not dry_run:
        _reach(host)  # before the minute that a build takes
    binary = locate.interpreter(board.linux["target"])
    settings = config_file.read_config(config) if config.exists() else None
    archive = package(board, binary, app_files.app(), settings, config)
    command = [*_ssh(host), "sh", "-c", shlex.quote(script(board, replace=replace))]
    console.print(f"  {len(archive)} bytes for {host}: {binary.name}, app, service", end="")
    console.print(", config" if settings else "; the config there stays")
    if dry_run:
        console.print("Nothing was sent. The same by hand:", soft_wrap=True)
        console.print(f"  tar -c … | {shlex.join(command[:6])} …", markup=False, soft_wrap=True)
        return
    try:
        run = subprocess.run(
            command, input=archive, capture_output=True, timeout=TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"ssh to {host}: {error}") from None
    if run.returncode or b"copepod-installed" not in run.stdout:
        lines = run.stderr.decode(errors="replace").strip().splitlines()
        said = lines[-1] if lines else "it broke off"
        raise UserError(f"ssh to {host}: {said}; what was there before is still in place")
    for line in run.stdout.decode(errors="replace").splitlines():
        if line.startswith(KEPT):
            console.print(f"  {line[len(KEPT) :]} was changed on the board: what is there stays")
            if line == KEPT + app_files.OWNERS_FILE:
                console.print("  (it was sent to the bot; --replace removes it)")
    console.print("[bold]Deployed[/bold]; the service has been restarted.")
