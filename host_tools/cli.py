"""The `copepod` command: one click group whose commands are imported only when they are called."""

from __future__ import annotations

import importlib
import sys

import click

from host_tools import visible
from host_tools.errors import UserError

# command name -> "module:attribute" of a click command, imported on first use
COMMANDS = {
    "format": "host_tools.format:format_command",
    "format-cost": "host_tools.formatting.cost:cost_command",
    "format-bench": "host_tools.formatting.bench:bench_command",
    "fuzz": "host_tools.fuzzing.command:fuzz_command",
    "fuzz-format": "host_tools.formatting.fuzz:fuzz_command",
    "audit": "host_tools.audit:audit_command",
    "bench": "host_tools.bench:bench_command",
    "report": "host_tools.report:report_command",
    "boards": "host_tools.boards_list:boards_command",
    "config": "host_tools.provision:config_command",
    "deploy": "host_tools.deploy:deploy_command",
    "doctor": "host_tools.doctor:doctor_command",
    "flash": "host_tools.flash:flash_command",
    "image": "host_tools.image:image_command",
    "mip": "host_tools.mip:mip_command",
    "monitor": "host_tools.monitor:monitor_command",
    "provision": "host_tools.provision:config_command",
    "build": "host_tools.build:build_command",
    "live": "host_tools.live:live_command",
    "compare": "host_tools.compare:compare_command",
    "run": "host_tools.run_chat:run_command",
    "simulator": "host_tools.simulator.command:simulator_command",
    "firmware": "host_tools.firmware:firmware_command",
    "machine": "host_tools.machine:machine_command",
    "record-order": "host_tools.record_order:order_command",
    "toolchain": "host_tools.toolchain:toolchain_command",
}


class LazyGroup(click.Group):
    """A click group that imports a command's module when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, attribute = place.split(":")
        return getattr(importlib.import_module(module), attribute)


@click.group(cls=LazyGroup)
@click.version_option(package_name="copepod")
def cli() -> None:
    """Copepod: a Telegram gateway on a $10 board, and the tools to prove its memory."""


def main() -> None:
    """Run the command line; a UserError becomes one line on stderr and exit status 1."""
    try:
        cli.main(standalone_mode=True)
    except UserError as error:
        click.echo(f"copepod: {visible.block(str(error))}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
