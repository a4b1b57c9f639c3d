"""`copepod format-cost`: time, garbage and growth of the formatter, measured on a MicroPython.

What runs is the application as it is built for a board, and the benchmark compiled with it.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

import click

from host_tools.app import tree as app
from host_tools.errors import UserError
from host_tools.formatting import corpus
from host_tools.scenarios import results
from host_tools.toolchain.locate import interpreter as interpreter_of

SCRIPT = """
import gc, json
gc.collect()
before = gc.mem_alloc()
import copepod.text.markdown
gc.collect()
code = gc.mem_alloc() - before
print("code that is always loaded, from .mpy: %d B of heap" % code)
from bench.format_cost import run
figures = run({texts!r})
figures["code_b"] = code
print(json.dumps(figures))
"""


@click.command("format-cost")
@click.option("--target", default="unix32", show_default=True, help="unix, unix32, unix64 …")
@click.option("--interpreter", help="A MicroPython to run instead of the target's.")
@click.option("--json", "path", type=click.Path(path_type=Path), help="Where the JSON goes.")
def cost_command(target: str, interpreter: str | None, path: Path | None) -> None:
    """Compare the formatter with PicoClaw's rules done in `re`, in one run of one interpreter."""
    python = interpreter or str(interpreter_of(target))
    tree = app.app_tree()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "bench").symlink_to(app.benches(tree))
        texts = Path(folder) / "texts"
        texts.write_text("\n%%%\n".join(e.markdown for e in corpus.answers()), "utf-8")
        script = SCRIPT.format(texts=str(texts))
        done = subprocess.run(
            [python, "-X", "heapsize=2M", "-c", script],
            env={"MICROPYPATH": f"{folder}:{tree}:.frozen"},
            cwd=folder,  # what lies in the current folder is found first
            stdout=subprocess.PIPE,
            encoding="utf-8",
            check=False,
        )
    if done.returncode:
        raise UserError(f"{python} ended with {done.returncode}:\n{done.stdout}")
    *lines, last = done.stdout.splitlines()
    click.echo("\n".join([f"interpreter: {python}", *lines]))
    command = results.command()
    path = results.place("format-cost", path, command)
    data = {
        "command": command,
        "firmware": results.firmware(),
        "target": target,
        **json.loads(last),
    }
    path.write_text(json.dumps(data, indent=1) + "\n")
    click.echo(f"written to {results.shown(path)}")
