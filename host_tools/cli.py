"""The `copepod` command: one click group whose commands are imported only when they are called."""

from __future__ import annotations

import importlib
import sys

import click

from host_tools.console import visible
from host_tools.errors import UserError

# command name -> "module:attribute" of a click command, imported on first use
COMMANDS = {
    "format": "host_tools.formatting.command:format_command",
    "format-cost": "host_tools.formatting.cost:cost_command",
    "format-bench": "host_tools.formatting.bench:bench_command",
    "fuzz": "host_tools.fuzzing.command:fuzz_command",
    "fuzz-format": "host_tools.formatting.fuzz:fuzz_command",
    "audit": "host_tools.measure.audit:audit_command",
    "bench": "host_tools.measure.bench:bench_command",
    "first-answer": "host_tools.measure.first_answer:first_answer_command",
    "rivals": "host_tools.measure.rivals:rivals_command",
    "report": "host_tools.measure.report:report_command",
    "boards": "host_tools.install.boards_list:boards_command",
    "config": "host_tools.install.provision:config_command",
    "deploy": "host_tools.install.deploy:deploy_command",
    "doctor": "host_tools.install.doctor:doctor_command",
    "flash": "host_tools.install.flash:flash_command",
    "image": "host_tools.install.image:image_command",
    "mip": "host_tools.app.mip:mip_command",
    "new": "host_tools.starting.command:new_command",
    "monitor": "host_tools.monitor.command:monitor_command",
    "provision": "host_tools.install.provision:config_command",
    "build": "host_tools.app.tree:build_command",
    "live": "host_tools.scenarios.live:live_command",
    "compare": "host_tools.measure.compare:compare_command",
    "run": "host_tools.chat.run_chat:run_command",
    "simulator": "host_tools.chat.simulator_command:simulator_command",
    "firmware": "host_tools.toolchain.firmware:firmware_command",
    "machine": "host_tools.targets.machine_command:machine_command",
    "record-order": "host_tools.measure.record_order:order_command",
    "toolchain": "host_tools.targets.toolchain_command:toolchain_command",
}

# What `copepod` imports of requirements-dev.lock: the packages that `make dev` brings.
DEVELOPING = ("hypothesis", "markdown_it", "matplotlib", "pyte")


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
    """Run the command line; an error of the user's becomes one line on stderr and exit status 1."""
    try:
        cli.main(standalone_mode=True)
    except UserError as error:
        click.echo(f"copepod: {visible.block(str(error))}", err=True)
        sys.exit(1)
    except ModuleNotFoundError as error:
        if error.name not in DEVELOPING:
            raise
        click.echo(f"copepod: {error.name} is missing: `make dev`", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
