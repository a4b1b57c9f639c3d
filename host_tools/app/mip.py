"""`copepod mip`: what `mpremote mip install` gets: the compiled tree and a package.json that lists it.

mip takes no wildcards, so every file is listed. main holds no compiled files: a release is a branch
that holds nothing else, and is written anew from the sources each time.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import click

from host_tools.app.tree import app_tree
from host_tools.errors import UserError
from host_tools.paths import BUILD, ROOT

FOLDER = BUILD / "mip"
PACKAGE = "package.json"


def write(folder: Path = FOLDER) -> list[str]:
    """Write the folder anew; the paths of what a board gets, which are those on the board, too."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(app_tree(), folder)
    paths = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    package = {"urls": [[path, path] for path in paths], "deps": []}
    (folder / PACKAGE).write_text(json.dumps(package, indent=1) + "\n")
    return paths


def commit(folder: Path, branch: str) -> str:
    """Make the folder the content of `branch` of this repository, as one commit; its hash."""

    def git(*arguments: str) -> str:
        index = {"GIT_INDEX_FILE": str(folder.with_suffix(".index"))}
        command = ["git", "--work-tree", str(folder), *arguments]
        run = subprocess.run(
            command, cwd=ROOT, env=os.environ | index, capture_output=True, text=True, check=False
        )
        if run.returncode:
            raise UserError(f"git {arguments[0]}: {run.stderr.strip()}")
        return run.stdout.strip()

    git("read-tree", "--empty")
    git("add", "--force", "--all", str(folder))
    message = f"Compiled from {git('describe', '--always', '--dirty')}."
    made = git("commit-tree", git("write-tree"), "-m", message)
    git("update-ref", f"refs/heads/{branch}", made)
    return made


@click.command("mip")
@click.option("--branch", help="Commit it as the only content of this branch.")
def mip_command(branch: str | None) -> None:
    """Write build/mip/, what `mpremote mip install` takes."""
    paths = write()
    click.echo(f"{FOLDER.relative_to(ROOT)}: {len(paths)} files")
    if branch:
        click.echo(
            f"{branch}: {commit(FOLDER, branch)[:12]}; publish it: git push -f origin {branch}"
        )
        click.echo(f"on a board: mpremote mip install --target / github:<owner>/copepod@{branch}")
