"""The config's model, as `copepod config` asks for it: last, and Enter means none.

Its key is a secret like the token: typed without an echo, never printed, not even in part. The root
that an https:// host needs is written beside the config.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from host_tools.errors import UserError
from host_tools.install import model, model_root, model_roots
from host_tools.install.model import KeyRefused, Model, Unreachable

NONE = "none"
_SHOWN = 8  # of the names that a server lists


def current(config: dict[str, Any]) -> dict[str, Any] | None:
    """The entry that the board asks: the one that agents.defaults.model_name names, or the first."""
    entries = config.get("model_list") or []
    wanted = _defaults(config).get("model_name")
    for entry in entries:
        if isinstance(entry, dict) and (not wanted or entry.get("model_name") == wanted):
            return entry
    return None


def _defaults(config: dict[str, Any]) -> dict[str, Any]:
    agents = config.get("agents")
    found = agents.get("defaults") if isinstance(agents, dict) else None
    return found if isinstance(found, dict) else {}


def check_given(given: dict[str, Any]) -> None:
    """Check what flags and variables say of a model; UserError in one line."""
    if given["model"] == "mock":
        raise UserError("MODEL=mock is for `make run`: a board has no model inside")
    if given["model"] and given["model"] != NONE:
        given["model"] = model.address(given["model"])
        if not given["model_name"]:
            raise UserError("MODEL_NAME is not set: the model's name, as its server lists it")
    if given["api_key"] is not None:
        given["api_key"] = model.key_of(given["api_key"])


def fill(config: dict[str, Any], given: dict[str, Any]) -> None:
    """Put what was said of a model into the config; without a word of one it stays as it is."""
    if given["model"] == NONE:
        config.pop("model_list", None)
        _defaults(config).pop("model_name", None)
        return
    before = current(config)
    if given["model"] is None and before is None:
        if given["model_name"]:
            raise UserError("MODEL is not set: the address of the model's server")
        return
    if given["model"] is None and given["model_name"] is None and given["api_key"] is None:
        return
    entry = dict(before or {})
    base = given["model"] or entry.get("api_base") or ""
    if given["model"] and given["model"] != entry.get("api_base"):
        entry = {}  # another server: neither key nor headers are for it
    if given["model_name"]:
        if entry.get("model_name") in (None, entry.get("model")):  # else a label of its owner's
            entry["model_name"] = given["model_name"]
        entry["model"] = model.name_for_board(given["model_name"], base)
    if base:
        entry["api_base"] = base
    if given["api_key"] is not None:
        entry.pop("api_key", None)
        entry.pop("api_keys", None)
        if given["api_key"]:
            entry["api_keys"] = [given["api_key"]]
    entries = [entry if each is before else each for each in config.get("model_list") or []]
    config["model_list"] = entries if before is not None else [entry, *entries]
    if "model_name" in _defaults(config):
        _defaults(config)["model_name"] = entry["model_name"]


def ask(config: dict[str, Any], given: dict[str, Any], path: Path, *, offline: bool) -> None:
    """Ask for what no flag has said, each until it is right; online its server is asked, too."""
    if given["model"] is not None:
        return
    before = current(config)
    note = f"Enter: {before.get('model_name')} as it is; {NONE}" if before else "Enter: none"
    while True:
        try:
            text = click.prompt(
                f"Model's server: an address, or openrouter, openai, groq … ({note})",
                default="",
                show_default=False,
            ).strip()
            if not text or (text == NONE and not before):
                return
            if text == NONE:
                given["model"] = NONE
                return
            base = model.address(text)
            _tell_of_localhost(base)
            same = before if before and before.get("api_base") == base else None
            root = None if offline else _root_of(base, config, path)
            listed = None if offline else _listed(base, root)
            break
        except UserError as error:
            click.echo(f"  {error}")
    if listed:
        more = " …" if len(listed) > _SHOWN else ""
        click.echo(f"  it has {', '.join(listed[:_SHOWN])}{more}")
    known = model.of_values({"model_list": [same]}) if same else None
    name = given["model_name"] or _ask_name(known.name if known else "")
    said: dict[str, Any] = {}
    while True:
        try:
            key, given["api_key"] = given["api_key"], None  # a wrong one is asked for
            if key is None:
                key = _ask_key(bool(same and (same.get("api_keys") or same.get("api_key"))))
            said = {"model": base, "model_name": name, "api_key": key}
            if not offline:
                tried: dict[str, Any] = {"model_list": [same] if same else []}
                fill(tried, said)
                found = model.of_values(tried)
                assert found is not None
                click.echo(f"  {model.hear(found, root)}")
        except Unreachable as error:
            click.echo(f"  {error}")
        except UserError as error:
            click.echo(f"  {error}")
            continue
        given.update(said, heard=True)
        return


def _ask_name(before: str) -> str:
    while True:
        name = click.prompt(
            "Name of the model there", default=before, show_default=bool(before)
        ).strip()
        if name:
            return name


def _ask_key(has_one: bool) -> str | None:
    """None: the one that is there."""
    note = "Enter: unchanged" if has_one else "Enter: none"
    text = click.prompt(f"Its key ({note})", hide_input=True, default="", show_default=False)
    return None if has_one and not text.strip() else model.key_of(text)


def _nameless(base: str) -> Model:
    found = model.of_values({"model_list": [{"model": "openai/any", "api_base": base}]})
    assert found is not None
    return found


def _root_of(base: str, config: dict[str, Any], path: Path) -> bytes | None:
    """The root for an https:// address, found before anything else is asked, or the owner's own."""
    found = _nameless(base)
    if not found.tls:
        return None
    named = _own_root(config)
    if named:
        return model_roots.try_named(found, path.parent / named)
    return model_root.find(found.host, found.port).der


def _own_root(config: dict[str, Any]) -> str:
    """The file that the owner has named for it; "" if there is none, or it is the one written here."""
    named = (config.get("tls") or {}).get("model_ca", "")
    return "" if named == model_root.FILE else named


def _listed(base: str, root: bytes | None) -> list[str] | None:
    """What the server lists for nobody in particular."""
    try:
        return model.names(_nameless(base), root)
    except (KeyRefused, Unreachable):
        return None


def _tell_of_localhost(base: str) -> None:
    if base.split("://")[1].split("/")[0].split(":")[0] in model.LOCAL:
        click.echo(
            "  localhost is the board itself there: its model needs an address in the network, such "
            "as http://192.168.1.5:11434/v1"
        )


def secure(config: dict[str, Any], path: Path, given: dict[str, Any], *, offline: bool) -> None:
    """Write the roots that the models' hosts need beside the config, and name them there.

    A file that the config names itself is left alone and only tried. What nobody was asked for is
    tried at the server first. UserError in one line when there is no root to be had, or a new key
    is refused.
    """
    _secure_first(config, path, given, offline=offline)
    model_roots.secure(config, current(config), path, offline=offline)


def _secure_first(
    config: dict[str, Any], path: Path, given: dict[str, Any], *, offline: bool
) -> None:
    tls = config.get("tls") or {}
    named = tls.get("model_ca", "")
    found = model.of_values(config) if current(config) else None
    file = path.parent / model_root.FILE
    if found is None or not found.tls:
        if named == model_root.FILE:
            del tls["model_ca"]
            if file.exists():
                file.unlink()
                click.echo(f"  {file.name} is needed no more, and was removed")
        if found is not None and not offline:
            _try_key(found, None, given)
        return
    own = model_roots.own(current(config) or {})
    if own or _own_root(config):
        root = model_roots.try_named(
            found, path.parent / (own or named), "ca" if own else "tls.model_ca"
        )
        if root is not None and not offline:
            _try_key(found, root, given)
        return
    if offline:
        if given["model"] or not file.exists():
            raise UserError(
                f"--offline can't find the root certificate that {found.host} needs: without it, "
                "or name a file with it in tls.model_ca"
            )
    else:
        try:
            root = model_root.find(found.host, found.port)
            _try_key(found, root.der, given)
            model_roots.write(found, root, file)
        except Unreachable as error:
            if not file.exists():
                raise UserError(f"{error}: the root that it needs can't be found") from None
            click.echo(f"  {error}: {file.name} stays as it was")
    config.setdefault("tls", {})["model_ca"] = model_root.FILE


def _try_key(found: Model, root: bytes | None, given: dict[str, Any]) -> None:
    if given.get("heard"):
        return
    try:
        click.echo(f"  {model.hear(found, root)}")
    except KeyRefused as error:
        if given["model"] or given["model_name"] or given["api_key"]:
            raise
        click.echo(f"  {error}")
    except Unreachable as error:
        click.echo(f"  {error}: not tried")


def describe(config: dict[str, Any]) -> list[str]:
    """A line for each model of the config, with its secrets masked, and when it is asked."""
    lines = []
    chosen = current(config)
    try:
        asked = [each.label for each in model.all_of_values(config, root_is_there=False)]
    except UserError:
        asked = []
    instead = (chosen or {}).get("fallbacks") or _defaults(config).get("model_fallbacks") or []
    for entry in config.get("model_list") or []:
        if not isinstance(entry, dict):
            continue
        key = "key set" if entry.get("api_keys") or entry.get("api_key") else "no key"
        count = len(entry.get("custom_headers") or {})
        headers = f", {count} header{'s' * (count > 1)} of its own" if count else ""
        try:
            found = model.of_values({"model_list": [entry]})
        except UserError:  # one that is not asked may be of a form that the board does not take
            found = None
        name = found.name if found else entry.get("model")
        place = f" at {entry['api_base']}" if entry.get("api_base") else ""
        label = entry.get("model_name") or entry.get("model")
        when = ""
        if entry is not chosen:
            when = f" (after /model {label})"
            if label in instead:
                when = " (asked when the first one fails)"
            if label not in asked:
                when = " (not asked)"
        lines.append(f"model {name}{place}, {key}{headers}{when}")
    return lines
