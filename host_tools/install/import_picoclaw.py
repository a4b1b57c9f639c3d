"""`copepod config --from ~/.picoclaw`: what comes over is put beside what is here, and all of it is said.

A value or a file that is here already stays, unless --replace is given.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from host_tools.board.littlefs_image import write_private
from host_tools.errors import UserError
from host_tools.install import config_file, picoclaw, picoclaw_workspace, workspace
from host_tools.install.picoclaw import Taken

_ANY_TOKEN = "0:" + "A" * 35


def take(place: Path, config: dict[str, Any], *, replace: bool) -> Taken:
    """Read a PicoClaw folder and put its config into ours; says in a line each what it left out."""
    taken = picoclaw.read(place)
    _drop_refused(taken)
    picoclaw_workspace.add(taken)
    if "tz" in taken.config and (why := _refusal({"tz": taken.config["tz"]})):
        taken.leave("tz", why)
        del taken.config["tz"]
    picoclaw.merge(config, taken, replace=replace)
    for line in taken.lines:
        click.echo(f"  {line}")
    taken.lines.clear()
    return taken


def _drop_refused(taken: Taken) -> None:
    """Leave out each value that the board's own reader refuses, with its reason."""
    telegram = taken.config.get("channels", {}).get("telegram", {})
    for name in list(telegram):
        values = telegram[name] if name == "allow_from" else [telegram[name]]
        good = []
        for value in values:
            tried = {"token": _ANY_TOKEN, name: [value] if name == "allow_from" else value}
            why = _refusal({"channels": {"telegram": tried}})
            if name == "allow_from" and str(value).startswith("YOUR_"):
                why = "an example's"
            if not why:
                good.append(value)
                continue
            shown = f" {value!r}" if name == "allow_from" else ""
            taken.leave(f"channels.telegram.{name}{shown}", why.rpartition(": ")[2])
        if name == "allow_from":
            telegram[name] = good
        elif not good:
            del telegram[name]
    usual = {"model_list": [{"model": "m", "api_base": "http://h/v1"}]}
    defaults = taken.config.get("agents", {}).get("defaults", {})
    for name in list(defaults):
        why = _refusal({**usual, "agents": {"defaults": {name: defaults[name]}}})
        if why:
            taken.leave(f"agents.defaults.{name}", why.partition(": ")[2])
            del defaults[name]
    for name in ("heartbeat", "tools"):
        if name in taken.config and (why := _refusal({**usual, name: taken.config[name]})):
            taken.leave(name, why)
            del taken.config[name]
    if "model_list" in taken.config:
        why = _refusal({"model_list": taken.config["model_list"], "tls": {"model_ca": "?"}})
        if why:  # the root is found later
            taken.leave("model_list", why)
            del taken.config["model_list"]


def _refusal(values: dict[str, Any]) -> str:
    any_bot = {"channels": {"telegram": {"token": _ANY_TOKEN}}}
    try:
        config_file.check_values({**any_bot, **values})
    except UserError as error:
        return str(error)
    return ""


def write_files(taken: Taken, path: Path, *, replace: bool) -> None:
    """Write the workspace beside the config; a conversation's two files go together."""
    where = workspace.folder(path)
    for names in workspace.groups(taken.files):
        files = {where / name: taken.files[name] for name in names}
        other = [
            file for file, data in files.items() if file.exists() and file.read_bytes() != data
        ]
        if other and not replace:
            for file in other:
                click.echo(f"  kept: {file} (--replace takes PicoClaw's)")
            continue
        for file, data in files.items():
            if file.exists() and file not in other:
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            said = "replaced" if file in other else "taken"
            fresh = file.with_name(file.name + ".new")
            write_private(fresh, data)
            fresh.replace(file)
            click.echo(f"  {said}: {file}, {len(data)} bytes")
