"""`copepod config` (and `make provision`): ask for what the board must know, and nothing twice.

Wi-Fi, the bot's token, who may talk to it and whom its assistant asks go to config.json: mode 0600,
ignored by git, every other key in it left as it is. Flags and environment variables answer for a script. No secret is
ever printed, not even in part.
"""

from __future__ import annotations

import copy
import json
import os
import re
import ssl
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from host_tools import text_files
from host_tools.app import app_files
from host_tools.app.app_files import CONFIG as ON_BOARD
from host_tools.board.littlefs_image import write_private
from host_tools.console import serial_io
from host_tools.console.ask_port import ask_port
from host_tools.errors import UserError
from host_tools.install import config_file, import_picoclaw, model_questions, workspace
from host_tools.install.flash import CONFIG as CONFIG_FILE
from host_tools.install.remote import Remote

TOKEN = re.compile(r"\d{1,20}:[A-Za-z0-9_-]{30,64}")
_ANY_TOKEN = "0:" + "A" * 35  # for a config in which something else is checked
TOKEN_FORM = "<digits>:<35 letters, digits, _ or -> as @BotFather gives it"
SSID_MAX_BYTES = 32
PASSWORD_BYTES = (8, 63)  # WPA2 and WPA3
BASE_URL = "https://api.telegram.org"
TIMEOUT_S = 8.0
NEW = ON_BOARD + ".new"

# Runs on the board: put the file in place at once, so that a power cut leaves one of the two. Who
# has been paired on the board stays so, unless the new file names somebody or has another token.
PLACE = """
import hashlib, json, os
with open(new, "rb") as f:
    data = f.read()
if "".join("%02x" % x for x in hashlib.sha256(data).digest())[:digits] == wanted:
    paired = []
    try:
        with open(path) as f:
            old = json.load(f)["channels"]["telegram"]
        config = json.loads(data)
        telegram = config["channels"]["telegram"]
        if not telegram.get("allow_from") and old["token"] == telegram["token"]:
            paired = telegram["allow_from"] = old["allow_from"]
            with open(new, "w") as f:
                json.dump(config, f)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    os.rename(new, path)
    answer = {"paired": len(paired)}
"""


def check_token(token: str) -> str:
    """The token if its form is right; UserError says what was found without showing it."""
    token = token.strip()
    if not TOKEN.fullmatch(token):
        raise UserError(f"the token has {len(token)} characters of another form than {TOKEN_FORM}")
    return token


def board_takes(name: str, value: Any) -> None:
    """Let the device's reader judge one value, `name` as in wifi.ssid, in its own words."""
    config: dict[str, Any] = {"channels": {"telegram": {"token": _ANY_TOKEN}}}
    *above, last = name.split(".")
    section(config, *above)[last] = value
    config_file.check_values(config)


def check_ssid(ssid: str) -> str:
    """The name if Wi-Fi can have it."""
    if len(ssid.encode()) > SSID_MAX_BYTES:
        raise UserError(
            f"a Wi-Fi name has at most {SSID_MAX_BYTES} bytes, this {len(ssid)} letters"
        )
    board_takes("wifi.ssid", ssid)
    return ssid


def check_password(password: str) -> str:
    """The password if WPA can have it; empty means an open network."""
    low, high = PASSWORD_BYTES
    if password and not low <= len(password.encode()) <= high:
        raise UserError(
            f"a Wi-Fi password has {low} to {high} characters (none: an open network), "
            f"this one {len(password)}"
        )
    board_takes("wifi.password", password)
    return password


def check_allow(text: str) -> list[str]:
    """Ids and user names from `123, @name`; `*` alone is everybody; empty is pairing."""
    names = [name.strip() for name in re.split(r"[,\s]+", text) if name.strip()]
    for name in names:
        if name == "*" and len(names) > 1:
            raise UserError("`*` admits everybody: give it alone, or not at all")
        if not re.fullmatch(r"\*|\d{1,20}|@?[A-Za-z][A-Za-z0-9_]{3,31}", name):
            raise UserError(f"{name!r} is neither a Telegram id (digits) nor a @username")
    board_takes("channels.telegram.allow_from", names)
    return names


def get_me(token: str, base_url: str = BASE_URL, roots: bytes | None = None) -> str | None:
    """The bot's user name; None where the server can't be reached; UserError if it refuses.

    `roots`: DER of the certificates to trust instead of this machine's. No error holds the token.
    """
    context = ssl.create_default_context()
    if roots is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=roots)
    tls = context if base_url.startswith("https:") else None
    try:
        with urllib.request.urlopen(
            f"{base_url}/bot{token}/getMe", timeout=TIMEOUT_S, context=tls
        ) as answer:
            found = json.load(answer)
        return str(found["result"]["username"])
    except urllib.error.HTTPError as error:
        if error.code in (401, 404):
            raise UserError(
                "Telegram refuses this token: get it from @BotFather (/mybots, API Token)"
            ) from None
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def load(path: Path) -> dict[str, Any]:
    """What is in the file so far; empty if there is none."""
    try:
        found = json.loads(text_files.read(path)) if path.exists() else {}
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: {error}: mend or delete it") from None
    if not isinstance(found, dict):
        raise UserError(f"{path}: not an object {{…}}: mend or delete it")
    return found


def section(config: dict[str, Any], *names: str) -> dict[str, Any]:
    """A nested object, made where it is missing."""
    for name in names:
        inner = config.setdefault(name, {})
        if not isinstance(inner, dict):
            raise UserError(f"{name} in the config is no object {{…}}: mend or delete the file")
        config = inner
    return config


def save(path: Path, config: dict[str, Any]) -> None:
    """Write the file for its owner only, whole or not at all, checked by the device's reader."""
    fresh = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private(fresh, json.dumps(config, indent=2, ensure_ascii=False).encode() + b"\n")
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None
    try:
        config_file.check_config(fresh)
    except UserError as error:
        fresh.unlink()
        raise UserError(str(error).replace(str(fresh), str(path))) from None
    fresh.replace(path)


def ignored_by_git(path: Path) -> bool:
    """False if git would take the file into a commit."""
    try:
        run = subprocess.run(
            ["git", "-C", str(path.parent), "check-ignore", "-q", str(path.resolve())],
            capture_output=True,
            check=False,
        )
    except OSError:
        return True
    return run.returncode != 1


def push(port: str, path: Path) -> int:
    """Send a config to a running board and restart it, with its model's root and the workspace.

    Nothing else there is touched, and nothing in the workspace that is newer there. Returns how
    many that were paired on the board stay admitted.
    """
    data = config_file.read_config(path)
    roots = workspace.roots(path)
    remote = Remote(port)
    try:
        changes = workspace.look(remote, path)
        if roots:
            workspace.put(remote, roots)
        with tempfile.TemporaryDirectory(prefix="copepod-") as folder:
            local = Path(folder) / NEW
            write_private(local, data)
            remote.call("fs", "cp", "-f", str(local), f":{NEW}")
        placed = remote.execute(
            PLACE,
            new=NEW,
            path=ON_BOARD,
            wanted=app_files.file_hash(data),
            digits=app_files.HASH_DIGITS,
        )
        if not placed:
            raise UserError("the config arrived damaged; the board keeps its old one, try again")
        workspace.send(remote, path, changes, lambda text: click.echo("  " + text))
        return int(placed["paired"])
    finally:
        remote.reset_quietly()


def _ask(config: dict[str, Any], given: dict[str, Any], online: Callable[[str], None]) -> None:
    """Fill in what no flag or variable has said; Enter keeps what is there.

    Each question is asked again, with the reason, until its answer is one that the board takes.
    """
    wifi, telegram = section(config, "wifi"), section(config, "channels", "telegram")
    if given["ssid"] is None:
        given["ssid"] = _until_right(
            lambda: click.prompt("Wi-Fi name (2.4 GHz)", default=wifi.get("ssid", "")), check_ssid
        )
    same = given["ssid"] == wifi.get("ssid") and wifi.get("password")
    if given["password"] is None and given["ssid"]:
        note = "Enter: unchanged" if same else "Enter: an open network"
        given["password"] = _until_right(
            lambda: _hidden(f"Wi-Fi password ({note})") or (wifi["password"] if same else ""),
            check_password,
        )
    if given["token"] is None:
        note = " (Enter: unchanged)" if telegram.get("token") else " from @BotFather"

        def check(text: str) -> str:
            token = check_token(text)
            online(token)
            return token

        given["token"] = _until_right(
            lambda: _hidden(f"Bot token{note}") or telegram.get("token", ""), check
        )
    if given["allow"] is None:
        before = ", ".join(map(str, telegram.get("allow_from", [])))
        click.echo(
            "Who may talk to the bot: Telegram ids or @names; nobody yet: it offers pairing."
        )
        given["allow"] = _until_right(
            lambda: click.prompt("Admit", default=before, show_default=bool(before)), check_allow
        )


def _hidden(text: str) -> str:
    return click.prompt(text, hide_input=True, default="", show_default=False)


def _until_right(ask: Callable[[], str], check: Callable[[str], Any]) -> Any:
    while True:
        try:
            return check(ask())
        except UserError as error:
            click.echo(f"  {error}")


def check_given(config: dict[str, Any], given: dict[str, Any]) -> None:
    """Check what flags and variables say, and what the file has that nobody is asked for."""
    checks = {
        "ssid": check_ssid, "password": check_password, "token": check_token, "allow": check_allow,
    }  # fmt: skip
    for name, check in checks.items():
        if given[name] is not None:
            given[name] = check(given[name])
    rest = copy.deepcopy(config)
    for name in ("ssid", "password"):
        section(rest, "wifi").pop(name, None)
    telegram = section(rest, "channels", "telegram")
    telegram.pop("allow_from", None)
    telegram["token"] = _ANY_TOKEN
    if given["base_url"] is not None:
        telegram["base_url"] = given["base_url"]
    model_questions.check_given(given)
    if given["model"]:
        rest.pop("model_list", None)  # takes the place of what may be wrong there
    elif model_questions.current(rest):
        section(rest, "tls").setdefault("model_ca", "?")  # found later
    config_file.check_values(rest)


def _fill(config: dict[str, Any], given: dict[str, Any]) -> None:
    wifi, telegram = section(config, "wifi"), section(config, "channels", "telegram")
    if given["ssid"] is not None:
        if given["ssid"] != wifi.get("ssid") and given["password"] is None:
            wifi.pop("password", None)
        wifi["ssid"] = given["ssid"]
    if given["password"] is not None:
        wifi["password"] = given["password"]
    if given["token"] is not None:
        telegram["token"] = given["token"]
    if given["allow"] is not None:
        telegram["allow_from"] = given["allow"]
    telegram.setdefault("allow_from", [])
    if given["base_url"] is not None:
        telegram["base_url"] = given["base_url"]
    if not telegram.get("token"):
        raise UserError("no bot token: TELEGRAM_TOKEN=… or run it in a terminal, it asks")
    model_questions.fill(config, given)


def _check_online(token: str, config: dict[str, Any], path: Path, base_url: str | None) -> None:
    """Ask Telegram, or the config's own server, for the bot; UserError if it refuses the token."""
    telegram = section(config, "channels", "telegram")
    ca = section(config, "tls").get("ca")
    roots = None
    if ca:
        try:
            roots = (path.parent / ca).read_bytes()
        except OSError as error:
            click.echo(f"  tls.ca is not readable here ({error.strerror}), so not checked online")
            return
    name = get_me(token, base_url or telegram.get("base_url", BASE_URL), roots)
    click.echo(f"  the bot is @{name}" if name else "  no network: the token's form is right")


def _describe(path: Path, config: dict[str, Any]) -> None:
    wifi, telegram = section(config, "wifi"), section(config, "channels", "telegram")
    allow = telegram["allow_from"]
    who = "everybody" if allow == ["*"] else ", ".join(map(str, allow)) or "nobody: pairing"
    network = wifi.get("ssid") or "none"
    kind = "" if wifi.get("password") or not wifi.get("ssid") else " (open)"
    click.echo(f"{path}: Wi-Fi {network}{kind}, token set, admits {who}")
    for line in model_questions.describe(config):
        click.echo(f"  {line}")
    if not ignored_by_git(path):
        click.echo(f"  git would commit {path.name}: add it to .gitignore")


@click.command("config")
@click.option("--config", "path", envvar="CONFIG", type=click.Path(path_type=Path))
@click.option("--ssid", envvar="WIFI_SSID", help="Wi-Fi name.")
@click.option("--password", envvar="WIFI_PASSWORD", help="Better WIFI_PASSWORD: ps shows flags.")
@click.option("--token", envvar="TELEGRAM_TOKEN", help="Better TELEGRAM_TOKEN, likewise.")
@click.option(
    "--allow", envvar="ALLOW", help="Ids and @names that may talk to it; '' for pairing."
)
@click.option("--base-url", envvar="BASE_URL", help="Bot API server of your own.")
@click.option("--model", envvar="MODEL", help="Address of a model's server, a provider, or none.")
@click.option("--model-name", envvar="MODEL_NAME", help="The model's name there.")
@click.option("--api-key", envvar="API_KEY", help="Better API_KEY: ps shows flags.")
@click.option("--from", "picoclaw", type=click.Path(path_type=Path), help="A ~/.picoclaw to take.")
@click.option("--replace", is_flag=True, help="PicoClaw's values instead of those that are here.")
@click.option("--offline", is_flag=True, help="Ask neither Telegram nor the model's server.")
@click.option("--push", "do_push", is_flag=True, help="Send the config to a running board.")
@click.option("--port", "-p", envvar="PORT", help="Its port, for --push.")
@click.option("--no-input", is_flag=True, help="Ask nothing: flags, variables and the file.")
def config_command(
    path: Path | None,
    ssid: str | None,
    password: str | None,
    token: str | None,
    allow: str | None,
    base_url: str | None,
    model: str | None,
    model_name: str | None,
    api_key: str | None,
    picoclaw: Path | None,
    replace: bool,
    offline: bool,
    do_push: bool,
    port: str | None,
    no_input: bool,
) -> None:
    """Write config.json: Wi-Fi, bot token, who may talk to it, a model. --push sends it to a board.

    --push alone sends the file as it is.
    """
    path = path or CONFIG_FILE
    given: dict[str, Any] = {
        "ssid": ssid,
        "password": password,
        "token": token or None,
        "allow": allow,
        "base_url": base_url or None,
        "model": model or None,
        "model_name": model_name or None,
        "api_key": api_key or None,
    }
    silent = picoclaw is None and all(value is None for value in given.values())
    if not (do_push and path.exists() and silent):
        config = load(path)
        taken = None
        if picoclaw is not None:
            taken = import_picoclaw.take(picoclaw, config, replace=replace)
        check_given(config, given)

        def online(token: str) -> None:
            if not offline:
                _check_online(token, config, path, given["base_url"])

        asking = not no_input and sys.stdin.isatty()
        token_given = given["token"] is not None
        if token_given:
            online(given["token"])
        if asking:
            _ask(config, given, online)
            model_questions.ask(config, given, path, offline=offline)
        _fill(config, given)
        if not (asking or token_given):
            online(section(config, "channels", "telegram")["token"])
        model_questions.secure(config, path, given, offline=offline)
        if not section(config, "tls"):
            del config["tls"]
        save(path, config)
        if taken is not None:
            import_picoclaw.write_files(taken, path, replace=replace)
        _describe(path, config)
    if do_push:
        chosen = serial_io.choose_port(port or None, ask_port)
        paired = push(chosen, path)
        stays = f" {paired} that were paired there stay admitted." if paired else ""
        click.echo(f"The board on {chosen} has it and restarts.{stays}")
    elif os.name == "posix":
        click.echo(
            "`make flash` puts it on a new board, `copepod config --push` on a running one."
        )
