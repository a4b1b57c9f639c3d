"""What `copepod doctor` says of the config's models: the root, the server, the key, the name of each."""

from __future__ import annotations

import datetime
import difflib
from collections.abc import Generator, Iterator
from pathlib import Path

from host_tools.errors import UserError
from host_tools.install import config_file, model, model_root
from host_tools.install.checks import Check
from host_tools.install.model import KeyRefused, Model, Unreachable

_PROVISION = "`make provision` finds it anew, then `copepod config --push`"
_KEY = "`make provision` asks for it, then `copepod config --push`"


def checks(path: Path) -> Iterator[Check]:
    """The lines for the config at `path`, which the board takes; none when it names no model."""
    found = model.read(path)
    for each in found:
        yield from _of_model(each, "model" if each is found[0] else each.label)
    for warning in config_file.warnings(path) if found else []:
        if warning.endswith("asked"):  # not another one's key that travels unencrypted
            yield Check("model_list", None, warning, "`make provision`, or mend config.json")


def _of_model(found: Model, name: str) -> Iterator[Check]:
    if found.host in model.LOCAL:
        yield Check(
            name, None, f"{found.base} is the board itself there", "its address in the network"
        )
    root = None
    if found.tls:
        root = yield from _root(found, name)
        if root is None:
            return  # what is asked without it would say nothing
    yield from _server(found, name, root)


def _root(found: Model, of: str) -> Generator[Check, None, bytes | None]:
    """Generator: returns the root in DER if the host's chain ends in it."""
    assert found.ca is not None
    name = found.ca.name
    try:
        root = model_root.parse(found.ca.read_bytes())
    except OSError as error:
        yield Check(name, False, f"not readable: {error.strerror}", _PROVISION)
        return None
    except UserError as error:
        yield Check(name, False, str(error), _PROVISION)
        return None
    now = datetime.datetime.now(datetime.UTC)
    until = f"{root.name!r} is good until {root.until:%Y-%m-%d}"
    if not root.since <= now < root.until:
        yield Check(name, False, f"{until}, from {root.since:%Y-%m-%d} on", _PROVISION)
        return None
    try:
        model_root.ends_in(found.host, found.port, root.der)
    except Unreachable as error:
        yield Check(of, False, str(error), "check api_base and this machine's network")
        return None
    except UserError as error:
        yield Check(name, False, f"{until}, but {error}", _PROVISION)
        return None
    if root.until - now < model_root.SOON:
        yield Check(name, None, f"{until}: soon over", _PROVISION)
    else:
        yield Check(name, True, f"{until}; {found.host}'s certificate ends in it")
    return root.der


def _server(found: Model, name: str, root: bytes | None) -> Iterator[Check]:
    try:
        listed = model.names(found, root)
    except KeyRefused as error:
        yield Check(f"{name}'s key", False, str(error), _KEY)
        return
    except Unreachable as error:
        remedy = "check api_base and this machine's network; Ollama: OLLAMA_HOST=0.0.0.0"
        yield Check(name, False, str(error), remedy)
        return
    if found.key:
        yield Check(f"{name}'s key", True, f"{found.host} takes it")
    if listed is None:
        text = f"{found.base} answers, but has no list of models"
        yield Check(name, None, text, "is the path of api_base right?")
    elif model.lists(listed, found.name):
        yield Check(name, True, f"{found.base} has {found.name}")
    else:
        near = difflib.get_close_matches(found.name, listed, 3, 0.3) or listed[:3]
        has = f"; it has {', '.join(near)}" if near else ""
        remedy = "`make provision` asks for its name, then `copepod config --push`"
        yield Check(name, False, f"{found.base} has no {found.name!r}{has}", remedy)
