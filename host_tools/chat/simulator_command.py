"""`copepod simulator`: the Bot API server on its own, for anyone who writes a Telegram bot."""

from __future__ import annotations

import contextlib
import re
import tempfile
import time
from pathlib import Path

import click
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from host_tools.console import render
from host_tools.console.prompt import Prompt
from host_tools.errors import UserError
from host_tools.scenarios.terminal import screen
from host_tools.simulator.bot import Sent
from host_tools.simulator.certs import CHAINS, DEFAULT_CHAIN
from host_tools.simulator.faults import KINDS
from host_tools.simulator.keyboard import act
from host_tools.simulator.limits import Limits
from host_tools.simulator.server import Simulator
from host_tools.simulator.updates import USER

TOKEN = re.compile(r"\d{1,20}:[A-Za-z0-9_-]+")  # shorter ones than Telegram's will do for a test


def fault_of(text: str) -> tuple[str, str, int]:
    """KIND[:METHOD[:COUNT]] taken apart; UserError when it is something else."""
    kind, method, count = (*text.split(":"), "", "")[:3]
    if kind not in KINDS or (count and not count.isdigit()):
        raise UserError(f"--fault {text!r}: expected KIND[:METHOD[:COUNT]], of {', '.join(KINDS)}")
    return kind, method or "*", int(count or 1)


@click.command("simulator")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8443, show_default=True, help="0 takes a free one.")
@click.option("--token", help="The bot's token; one is made up if there is none.")
@click.option("--name", "names", multiple=True, help="One more host name for the certificate.")
@click.option("--plain", is_flag=True, help="HTTP without TLS.")
@click.option(
    "--ca",
    type=click.Path(path_type=Path),
    help="Folder of the authority: ca.pem, ca.der, its key.",
)
@click.option(
    "--chain",
    type=click.Choice(CHAINS),
    default=DEFAULT_CHAIN,
    show_default=True,
    help="Certificates: as Telegram's, or a small one.",
)
@click.option("--fault", "faults", multiple=True, help="KIND[:METHOD[:COUNT]]; may be repeated.")
@click.option("--flood", is_flag=True, help="Flood limits like Telegram's.")
@click.option("--rich-messages", is_flag=True, help="Know sendRichMessage.")
def simulator_command(
    host: str,
    port: int,
    token: str | None,
    names: tuple[str, ...],
    plain: bool,
    ca: Path | None,
    chain: str,
    faults: tuple[str, ...],
    flood: bool,
    rich_messages: bool,
) -> None:
    """Run a Bot API server for a bot under development.

    Lines that you type arrive at the bot as messages; what it sends is shown. !help tells more.
    """
    wanted = [fault_of(text) for text in faults]
    if token and not TOKEN.fullmatch(token):
        raise UserError("--token: expected <digits>:<letters, digits, _ or ->")
    limits = Limits() if flood else None
    sim = Simulator(
        tls=not plain,
        token=token,
        host=host,
        port=port,
        names=names,
        limits=limits,
        chain=chain,
        ca=ca,
    )
    sim.methods.rich = rich_messages
    for kind, method, count in wanted:
        sim.fault(kind, method, count)
    console = screen()

    def show(sent: Sent) -> None:
        console.print(f"[bold magenta]bot[/] [dim]{sent.message_id}[/]")
        if sent.file is not None:
            console.print(Padding(render.file(sent.kind, sent.file), (0, 0, 0, 2)))
        if sent.text or sent.file is None:
            console.print(Padding(render.message(sent.text, sent.entities), (0, 0, 0, 2)))

    sim.know(USER)
    sim.methods.on_sent = show
    try:
        sim.start()
    except OSError as error:
        raise UserError(f"port {port}: {error.strerror}: choose another with --port") from None
    try:
        with contextlib.ExitStack() as stack:
            folder = ca or Path(stack.enter_context(tempfile.TemporaryDirectory()))
            _tell(sim, host, folder, console)
            _converse(sim, console)
    finally:
        sim.stop()


def _tell(sim: Simulator, host: str, folder: Path, console: Console) -> None:
    url = sim.url_for("localhost" if host == "127.0.0.1" else host)
    lines = [f"base_url  {url}", f"token     {sim.token}"]
    trust = ""
    if sim.authority is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "ca.pem").write_text(sim.authority.pem)
        (folder / "ca.der").write_bytes(sim.ca_der)
        lines.append(f"trust     {folder / 'ca.pem'} (PEM), ca.der beside it")
        trust = f"--cacert {folder / 'ca.pem'} "
    lines.append(f"try       curl {trust}{url}/bot{sim.token}/getMe")
    lines.append("type to send a message to the bot, !help for more, Ctrl-C to end\n")
    console.print("\n".join(lines), markup=False, soft_wrap=True)


def _converse(sim: Simulator, console: Console) -> None:
    def status() -> str:
        return (
            f"{len(sim.calls)} calls · {len(sim.connections)} connections · "
            f"{len(sim.queue)} updates waiting · {len(sim.sent)} messages from the bot"
        )

    try:
        with Prompt(console, status) as prompt:
            while True:
                try:
                    line = prompt.read(0.25)
                except EOFError:
                    if prompt.interactive:
                        return
                    while True:  # standard input has ended: serve on until Ctrl-C
                        time.sleep(1)
                if line:
                    if prompt.interactive:
                        console.print(Text.assemble(("you ", "bold green"), line))
                    told = act(sim, line)
                    if told:
                        console.print(told, markup=False, style="dim")
    except KeyboardInterrupt:
        console.print("ended")
