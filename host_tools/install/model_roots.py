"""The roots of the config's models: each host's own, found, written beside the config and named there.

The model that is asked first has its root in tls.model_ca, another one that is on another host in
its own `ca`. A file that the owner has named is left alone and only tried.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from host_tools.board.littlefs_image import write_private
from host_tools.errors import UserError
from host_tools.install import model, model_root
from host_tools.install.model import Model, Unreachable

_OURS = re.compile(r"model-[\w.-]+\.der")


def file_of(found: Model) -> str:
    """The name of the file for another model's root."""
    return f"model-{re.sub(r'[^a-z0-9.-]', '-', found.host.lower())}.der"


def own(entry: dict[str, Any]) -> str:
    """The file that the owner has named in an entry; "" if there is none, or it is one written here."""
    named = str(entry.get("ca") or "")
    return "" if _OURS.fullmatch(named) else named


def secure(
    config: dict[str, Any], chosen: dict[str, Any] | None, path: Path, *, offline: bool
) -> None:
    """Write the root of each model but the one that is chosen, and try its key; say what is in the way.

    What is wrong with one of them is no error: the board does not ask it, then.
    """
    before = _written(config)
    if chosen is not None and not own(chosen):
        chosen.pop("ca", None)  # tls.model_ca has it
    first = _model(chosen)
    done: dict[str, bytes] = {}
    for entry in _entries(config):
        found = None if entry is chosen else _model(entry)
        if found is None or entry.get("enabled") is False:
            continue
        root = None
        if not found.tls or (first and first.tls and first.host == found.host):
            if not own(entry):
                entry.pop("ca", None)
        elif own(entry):
            root = try_named(found, path.parent / own(entry), "ca")
        else:
            root = _found(found, entry, path, done, offline=offline)
        if not offline and (root is not None or not entry.get("ca")):
            _try_key(found, root)
    for name in sorted(before - _written(config)):
        file = path.parent / name
        if file.exists():
            file.unlink()
            click.echo(f"  {name} is needed no more, and was removed")


def _found(
    found: Model, entry: dict[str, Any], path: Path, done: dict[str, bytes], *, offline: bool
) -> bytes | None:
    """The root of another host, written; None where it can't be had now."""
    name = file_of(found)
    file = path.parent / name
    root = done.get(name)
    if root is None and not offline:
        try:
            there = model_root.find(found.host, found.port)
            write(found, there, file)
            root = done[name] = there.der
        except UserError as error:
            click.echo(f"  {found.label}: {error}")
    if file.exists():
        entry["ca"] = name
    else:
        entry.pop("ca", None)
        click.echo(f"  {found.label} is not asked until its root is found: `copepod config`")
    return root


def _try_key(found: Model, root: bytes | None) -> None:
    try:
        click.echo(f"  {found.label}: {model.hear(found, root)}")
    except UserError as error:
        click.echo(f"  {found.label}: {error}")


def write(found: Model, root: model_root.Root, file: Path) -> None:
    """Write a root beside the config, at once or not at all, and say whose it is."""
    same = file.exists() and file.read_bytes() == root.der
    if not same:
        fresh = file.with_name(file.name + ".new")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            write_private(fresh, root.der)
            fresh.replace(file)
        except OSError as error:
            raise UserError(f"{file}: {error.strerror}") from None
    whose = "" if root.known else ", which only this machine knows"
    click.echo(
        f"  {found.host}'s certificate ends in {root.name!r}{whose}, good until "
        f"{root.until:%Y-%m-%d}: " + (f"{file.name} has it" if same else f"written to {file.name}")
    )


def try_named(found: Model, file: Path, key: str = "tls.model_ca") -> bytes | None:
    """The root in a file that the owner has named in `key`; None, and why, if it is of no use."""
    try:
        root = model_root.parse(file.read_bytes())
        model_root.ends_in(found.host, found.port, root.der)
        return root.der
    except OSError as error:
        click.echo(f"  {key} is not readable here ({error.strerror}), so not tried")
    except (UserError, Unreachable) as error:
        click.echo(f"  {key}: {error}")
    return None


def _entries(config: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in config.get("model_list") or [] if isinstance(each, dict)]


def _written(config: dict[str, Any]) -> set[str]:
    names = {str(entry.get("ca") or "") for entry in _entries(config)}
    return {name for name in names if _OURS.fullmatch(name)}


def _model(entry: dict[str, Any] | None) -> Model | None:
    """The entry as the board sees it; None where it can't ask it."""
    try:
        return model.of_values({"model_list": [entry]}) if entry else None
    except UserError:
        return None
