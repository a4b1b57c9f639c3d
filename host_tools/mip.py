"""`copepod mip`: keep package.json complete, so that `mpremote mip install` works as well.

mip takes no wildcards: every file is listed, and a test fails when one is missing. A repository
holds no compiled files, so what is listed is the source, which the board compiles when it imports
it; the root certificates, which the build takes from certifi, lie beside as a module of their own.
For a board on your desk `make deploy` is better: it sends .mpy.
"""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path

import click

from host_tools import build
from host_tools.build import FIRMWARE, ROOT
from host_tools.errors import UserError

PACKAGE = ROOT / "package.json"
ROOTS = ROOT / "boards/mip/copepod/net/roots.py"
ROOTS_ON_BOARD = "copepod/net/roots.py"
LINE = 24  # bytes of a certificate in a line of its module


def package() -> dict[str, object]:
    """package.json: where each file goes on the board, and where it lies in the repository."""
    sources = [*build.sources(), *(FIRMWARE / name for name in build.SOURCE_FILES)]
    urls = {
        path.relative_to(FIRMWARE).as_posix(): path.relative_to(ROOT).as_posix()
        for path in sources
    }
    urls[ROOTS_ON_BOARD] = ROOTS.relative_to(ROOT).as_posix()
    return {
        "urls": [list(pair) for pair in sorted(urls.items())],
        "deps": [],
        "version": metadata.version("copepod"),
    }


def package_text() -> str:
    """package.json as it is committed: one file a line."""
    found = package()
    rows = ",\n".join(f"    {json.dumps(pair)}" for pair in found["urls"])  # type: ignore[attr-defined]
    return (
        f'{{\n  "urls": [\n{rows}\n  ],\n  "deps": [],\n'
        f'  "version": {json.dumps(found["version"])}\n}}\n'
    )


def roots_text() -> str:
    """The module with the bundled roots, in lines that a diff can show."""
    lines = [
        '"""Root certificates in DER, written by `copepod mip`. Memory: the certificates."""',
        "",
    ]
    lines.append("DER = (")
    for der in build.bundled_roots():
        lines += [f"    {der[at : at + LINE]!r}" for at in range(0, len(der), LINE)]
        lines[-1] += ","
    return "\n".join([*lines, ")", ""])


def stale() -> list[Path]:
    """Which of the two files are not what they should be."""
    wanted = {PACKAGE: package_text(), ROOTS: roots_text()}
    return [p for p, text in wanted.items() if not p.exists() or p.read_text() != text]


@click.command("mip")
@click.option("--check", is_flag=True, help="Change nothing; fail if something is out of date.")
def mip_command(check: bool) -> None:
    """Bring package.json up to date with firmware/."""
    out_of_date = stale()
    names = ", ".join(str(path.relative_to(ROOT)) for path in out_of_date)
    if check and out_of_date:
        raise UserError(f"{names}: out of date, run `copepod mip`")
    for path in out_of_date:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(package_text() if path == PACKAGE else roots_text())
    count = len(package()["urls"])  # type: ignore[arg-type]
    click.echo(f"{'wrote ' + names if out_of_date else 'up to date'}: {count} files")
    click.echo("Install on a board: mpremote mip install --target / github:<owner>/copepod")
