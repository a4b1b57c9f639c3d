"""Operating-system packages that a build needs: installed on Debian, named elsewhere."""

from __future__ import annotations

import os
import shutil
import subprocess

import click

from host_tools.errors import UserError


def gcc_major() -> str:
    """Major version of the machine's own gcc: Debian's cross compilers carry it in their names."""
    try:
        run = subprocess.run(["gcc", "-dumpversion"], capture_output=True, text=True, check=True)
        return run.stdout.split(".")[0].strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def missing(packages: list[str]) -> list[str]:
    """Those of `packages` that dpkg does not have installed, in the same order."""
    command = ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *packages]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    installed = {
        line.split()[0] for line in run.stdout.splitlines() if line.endswith(" installed")
    }
    return [name for name in packages if name not in installed]


def require(packages: list[str]) -> None:
    """Install what is missing of `packages`, as root or through sudo, and say so.

    Raises UserError that names them where there is no apt, no right to use it, or it fails.
    """
    if not shutil.which("dpkg-query") or not shutil.which("apt-get"):
        raise UserError(f"this build needs what Debian calls: {' '.join(packages)}")
    wanted = missing(packages)
    if not wanted:
        return
    if os.geteuid() == 0:
        prefix = []
    elif shutil.which("sudo"):
        prefix = ["sudo"]
    else:
        raise UserError(f"as root, run: apt-get install {' '.join(wanted)}")
    command = [*prefix, "apt-get", "install", "-y", "-q", "--no-install-recommends", *wanted]
    click.echo(f"installing packages: {' '.join(command)}", err=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run = _apt(command, environment)
    if run.returncode:
        # The package lists may be absent or old: fetch them and try once more.
        _apt([*prefix, "apt-get", "update", "-q"], environment)
        run = _apt(command, environment)
    if run.returncode:
        errors = [line for line in run.stderr.splitlines() if line.startswith("E:")]
        raise UserError(f"{' '.join(command)}: {' '.join(errors) or run.stderr.strip()}")


def _apt(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env=environment, stdin=None, capture_output=True, text=True, check=False
    )
