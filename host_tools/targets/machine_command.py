"""`copepod machine`: the bare-metal RV32 machine with its console on a socket, for mpremote.

copepod machine                       # then, in another terminal:
mpremote connect socket://127.0.0.1:4555 exec "import virt; print(virt.heap_info())"
mpremote connect socket://127.0.0.1:4555 fs ls
copepod monitor --port socket://127.0.0.1:4555
"""

from __future__ import annotations

import signal
import socket
import subprocess
from pathlib import Path

import click

from host_tools.app.tree import app_tree
from host_tools.board import littlefs_image
from host_tools.errors import UserError
from host_tools.paths import ROOT
from host_tools.targets import rv32
from host_tools.targets.target import heap_bytes

DISK = ROOT / "build" / "machine.img"


def serve(elf: Path, disk: Path, port: int, options: rv32.Options) -> subprocess.Popen[bytes]:
    """Start QEMU with the console at socket://127.0.0.1:<port>; it serves one client at a time."""
    console = f"socket,id=console,host=127.0.0.1,port={port},server=on,wait=off"
    return subprocess.Popen(
        rv32.command(elf, disk, console, options), stdin=subprocess.DEVNULL, start_new_session=True
    )


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@click.command("machine")
@click.option("--port", default=4555, show_default=True, help="Of the console; 0: any free one.")
@click.option("--disk", type=click.Path(dir_okay=False, path_type=Path), default=DISK)
@click.option("--config", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--heap", help="A heap of this size for Python, like 48k, that does not grow.")
@click.option("--c-heap", help="Free before the network is up, like 128k.")
@click.option("--app", type=click.Choice(["mpy", "frozen"]), default="mpy", show_default=True)
@click.option("--legacy", is_flag=True, help="Devices with virtio's old register layout.")
def machine_command(
    port: int,
    disk: Path,
    config: Path | None,
    heap: str | None,
    c_heap: str | None,
    app: str,
    legacy: bool,
) -> None:
    """Run the bare-metal RV32 machine until Ctrl-C; mpremote and the monitor talk to it."""
    disk.parent.mkdir(parents=True, exist_ok=True)
    files = littlefs_image.read_tree(app_tree()) if app == "mpy" else {}
    if config:
        files["config.json"] = config.read_bytes()
    rv32.write_disk(disk, files)
    port = port or free_port()
    options = rv32.Options(
        legacy=legacy,
        gc_heap=heap_bytes(heap) if heap else None,
        c_heap=heap_bytes(c_heap) if c_heap else None,
        fixed=bool(heap),
        frozen=app == "frozen",
    )
    elf = rv32.TARGET.firmware(options)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # either way QEMU ends with us
    process = serve(elf, disk, port, options)
    click.echo(f"the machine runs; its console: socket://127.0.0.1:{port}")
    click.echo(f"for example: mpremote connect socket://127.0.0.1:{port} fs ls")
    try:
        if status := process.wait():
            raise UserError(f"QEMU has ended with status {status}")
    except KeyboardInterrupt:
        pass
    finally:
        process.kill()
        process.wait()
