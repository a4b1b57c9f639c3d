"""PicoClaw's config in the form that the board reads: versions 1 to 3, the older one, `.security.yml`.

What is left out is said in one line each. No line holds a key or a token.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from host_tools import text_files
from host_tools.errors import UserError
from host_tools.install import model
from host_tools.paths import FIRMWARE

NEWEST = 3
SECRETS = ".security.yml"
_WORKSPACE = "~/.picoclaw/workspace"  # or beside the config that was named
_ENCRYPTED, _IN_FILE, _ELSEWHERE = "enc://", "file://", "[NOT_HERE]"

# Other names of providers, and those that do not speak Chat Completions.
_ALIASES = {"gpt": "openai", "claude": "anthropic", "glm": "zhipu", "qwen-portal": "qwen"}
_OTHER_WIRE = (
    "anthropic-messages", "antigravity", "azure", "azure-openai", "bedrock", "claude-cli",
    "claudecli", "codex-cli", "codexcli", "copilot", "elevenlabs", "gemini", "github-copilot",
    "google", "google-antigravity",
)  # fmt: skip
# Those whose address has to be in api_base.
_OTHERS = (
    "alibaba-coding", "avian", "gpt4free", "litellm", "longcat", "mimo", "minimax", "modelscope",
    "novita", "qwen-intl", "qwen-us", "shengsuanyun", "siliconflow", "vivgrid", "volcengine", "zai",
)  # fmt: skip
_DEFAULTS = (
    "max_tokens", "temperature", "max_tool_iterations", "summarize_message_threshold",
    "model_fallbacks",
)  # fmt: skip
_ENTRY = ("max_tokens_field", "custom_headers", "fallbacks", "request_timeout")
_MODELS_B = 1500  # of models, from which on no more are taken
# What is on the way here, or of the older form; the rest of the top level is left out.
_LOOKED_AT = (
    "version", "agents", "model_list", "providers", "channels", "channel_list", "tools",
    "heartbeat", "_comment", "bindings",
)  # fmt: skip


@dataclass
class Taken:
    """What comes over."""

    config: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)  # by their path in the workspace
    lines: list[str] = field(default_factory=list)  # what was left out, and why
    workspace: Path = Path()

    def leave(self, what: str, why: str) -> None:
        """Say that something stays behind."""
        self.lines.append(f"left out: {what}: {why}")

    def note(self, text: str) -> None:
        """Say what is other than it was."""
        self.lines.append(text)


def device_reads(word: str) -> bool:
    """Whether the assistant's device code has such a key or file at all."""
    sources = (FIRMWARE / "copepod" / "assistant").rglob("*.py")
    return any(
        f'"{word}"' in path.read_text() or f'{word}"' in path.read_text() for path in sources
    )


def read(place: Path) -> Taken:
    """What a `~/.picoclaw`, or a config in it, says in our form; UserError in one line."""
    place = place.expanduser()
    path = place / "config.json" if place.is_dir() else place
    if not path.exists():
        raise UserError(f"{path} does not exist: --from names PicoClaw's folder, or its config")
    found = _object(path, text_files.read(path))
    version = found.get("version", 0)
    if not isinstance(version, int) or not 0 <= version <= NEWEST:
        raise UserError(
            f"{path}: version {version!r}: {NEWEST} is the newest that is known here; try "
            "without --from"
        )
    taken = Taken()
    _add_secrets(found, path.with_name(SECRETS), taken)
    _telegram(found, path.parent, taken)
    _agents(found, path.parent, taken)
    _tools(found, taken)
    _heartbeat(found, taken)
    rest = sorted(set(found) - set(_LOOKED_AT))
    if rest:
        taken.leave(", ".join(rest), "there is nothing of the kind on a board")
    taken.workspace = path.parent / "workspace"
    own = str(_dict(_dict(found, "agents"), "defaults").get("workspace") or _WORKSPACE)
    if own.rstrip("/") != _WORKSPACE and Path(own).expanduser().is_dir():
        taken.workspace = Path(own).expanduser()
    return taken


def _object(path: Path, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise UserError(f"{path}: {error}") from None
    if not isinstance(found, dict):
        raise UserError(f"{path}: not an object {{…}}")
    return found


def _dict(found: dict[str, Any], name: str) -> dict[str, Any]:
    value = found.get(name)
    return value if isinstance(value, dict) else {}


def _list(found: dict[str, Any], name: str) -> list[Any]:
    value = found.get(name)
    return value if isinstance(value, list) else []


# Secrets ------------------------------------------------------------------------------------


def _add_secrets(found: dict[str, Any], path: Path, taken: Taken) -> None:
    """Put what `.security.yml` has in its place; it wins over the config."""
    if not path.exists():
        return
    try:
        secrets = yaml.safe_load(text_files.read(path)) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1} " if mark else ""
        raise UserError(f"{path}: {line}is no YAML") from None
    if not isinstance(secrets, dict):
        raise UserError(f"{path}: not a mapping")
    counts: dict[str, int] = {}
    for entry in _list(found, "model_list"):
        if isinstance(entry, dict):
            name = str(entry.get("model_name"))
            number = counts[name] = counts.get(name, -1) + 1
            by_name = _dict(secrets, "model_list")
            kept = by_name.get(f"{name}:{number}") or (not number and by_name.get(name)) or {}
            if isinstance(kept, dict) and kept.get("api_keys"):
                entry["api_keys"] = kept["api_keys"]
    for name in ("channels", "channel_list"):
        telegram = _dict(_dict(secrets, name), "telegram")
        token = telegram.get("token") or _dict(telegram, "settings").get("token")
        if token:
            key, channel = _channel(found)
            if channel is None:
                taken.leave(f"{SECRETS}: {name}.telegram", "the config has no such channel")
            else:
                channel["token"] = token
                _dict(channel, "settings").pop("token", None)


def _secret(value: Any, folder: Path, what: str, taken: Taken) -> str:
    """The secret itself; "" where it stays behind, which is said."""
    text = str(value or "").strip()
    if text.startswith(_ENCRYPTED):
        taken.leave(what, "encrypted with a passphrase and an SSH key of PicoClaw's: give it anew")
        return ""
    if text.startswith(_IN_FILE):
        path = folder / text[len(_IN_FILE) :]
        try:
            return path.read_text().strip()
        except (OSError, ValueError):
            taken.leave(what, f"{path} can't be read")
            return ""
    return "" if text == _ELSEWHERE else text


# Telegram -----------------------------------------------------------------------------------


def _channel(found: dict[str, Any]) -> tuple[str, dict[str, Any] | None]:
    """Telegram's part, and its key in the config."""
    for section in ("channel_list", "channels"):
        for name, channel in _dict(found, section).items():
            if isinstance(channel, dict) and channel.get("type", name) == "telegram":
                return f"{section}.{name}", channel
    return "channels.telegram", None


def _telegram(found: dict[str, Any], folder: Path, taken: Taken) -> None:
    key, channel = _channel(found)
    others = {
        f"{section}.{name}": bool(isinstance(value, dict) and value.get("enabled"))
        for section in ("channel_list", "channels")
        for name, value in _dict(found, section).items()
        if value is not channel
    }
    on = [name for name, enabled in others.items() if enabled]
    if on:
        taken.leave(", ".join(on), "Telegram is the only channel")
    if channel is None:
        taken.leave("the channel", "the config has no Telegram")
        return
    settings = {**_dict(channel, "settings"), **channel}
    made: dict[str, Any] = {}
    token = _secret(settings.get("token"), folder, f"{key}'s token", taken)
    if token:
        made["token"] = token
    if settings.get("enabled") is False:
        taken.note(f"{key}: it was not enabled there, and is here")
    if settings.get("base_url"):
        made["base_url"] = str(settings["base_url"]).rstrip("/")
    if settings.get("proxy"):
        taken.leave(f"{key}.proxy", "a board knows no proxy")
    allowed = settings.get("allow_from")
    names = [str(name).removeprefix("telegram:") for name in _list(settings, "allow_from")]
    made["allow_from"] = names
    if allowed is not None and not names:
        taken.note(f"{key}.allow_from is empty: there it admits everybody, here nobody: pairing")
    taken.config["channels"] = {"telegram": made}


# The model ----------------------------------------------------------------------------------


def _agents(found: dict[str, Any], folder: Path, taken: Taken) -> None:
    agents = _dict(found, "agents")
    defaults = _dict(agents, "defaults")
    kept = {name: defaults[name] for name in _DEFAULTS if defaults.get(name) is not None}
    known = (*kept, "workspace", "model", "model_name", "provider")
    rest = sorted(set(defaults) - set(known))
    if rest:
        taken.leave(f"agents.defaults: {', '.join(rest)}", "the board has no such setting")
    if agents.get("list"):
        taken.leave("agents.list", "there is one agent on a board")
    wanted = str(defaults.get("model_name") or defaults.get("model") or "")
    entries = [entry for entry in _list(found, "model_list") if isinstance(entry, dict)]
    if not entries:
        entries = _of_providers(found, defaults, wanted, taken)
        wanted = entries[0]["model_name"] if entries else wanted
    chosen = next(
        (each for each in entries if each.get("model_name") == wanted or not wanted), None
    )
    if chosen is None:
        if wanted or entries:
            taken.leave(f"the model {wanted!r}", "no entry of model_list has this name")
        return
    entry = _entry(chosen, folder, taken)
    if entry is None:
        return
    made = [entry]
    for each in entries:
        if each is not chosen:
            _add_other(made, each, folder, taken)
    taken.config["model_list"] = made
    if kept:
        taken.config["agents"] = {"defaults": kept}


def _add_other(
    made: list[dict[str, Any]], found: dict[str, Any], folder: Path, taken: Taken
) -> None:
    """Take another model, for /model and for when the first one fails; what is said if it stays behind."""
    label = str(found.get("model_name") or found.get("model"))
    what = f"model_list: {label}"
    key = str((_list(found, "api_keys") or [found.get("api_key")])[0] or "").strip()
    if any(each["model_name"] == label for each in made):
        taken.leave(f"{what} (another one)", "the board has one model of a name")
    elif found.get("enabled") is False:
        taken.leave(what, "it is not enabled")
    elif key in ("", _ELSEWHERE) and not str(found.get("api_base")).startswith("http://"):
        taken.leave(what, "it has no key")
    elif len(json.dumps(made)) > _MODELS_B:
        taken.leave(what, "a board's config has at most 4 kB")
    elif (entry := _entry(found, folder, taken)) is not None:
        made.append(entry)


def _of_providers(
    found: dict[str, Any], defaults: dict[str, Any], wanted: str, taken: Taken
) -> list[dict[str, Any]]:
    """The one entry that the older form, `providers`, comes to."""
    providers = {
        name: value
        for name, value in _dict(found, "providers").items()
        if isinstance(value, dict) and (value.get("api_key") or value.get("api_base"))
    }
    if not providers:
        return []
    first = wanted.partition("/")[0]
    names = (str(defaults.get("provider") or ""), first, *providers)
    name = next(each for each in names if each in providers)
    rest = sorted(set(providers) - {name})
    if rest:
        taken.leave(f"providers: {', '.join(rest)}", f"the board asks one model, of {name}")
    if not wanted:
        taken.leave(f"providers.{name}", "agents.defaults names no model")
        return []
    value = providers[name]
    entry = {key: value[key] for key in ("api_base", "api_key", "proxy") if value.get(key)}
    model_id = wanted if first == name and "/" in wanted else f"{name}/{wanted}"
    return [{"model_name": wanted, "model": model_id, **entry}]


def _entry(found: dict[str, Any], folder: Path, taken: Taken) -> dict[str, Any] | None:
    label = str(found.get("model_name") or found.get("model"))
    what = f"model_list: {label}"
    protocol, name = _protocol(found)
    base = str(found.get("api_base") or model.BASES.get(protocol, "")).strip().rstrip("/")
    if protocol in _OTHER_WIRE or found.get("auth_method") in ("oauth", "token"):
        taken.leave(what, f"{protocol} does not speak Chat Completions with a key")
        return None
    if not base or not name:
        taken.leave(what, f"api_base is missing, and {protocol}'s is not known here")
        return None
    made: dict[str, Any] = {"model_name": label, "model": model.name_for_board(name, base)}
    made["api_base"] = base
    keys = _list(found, "api_keys") or ([found["api_key"]] if found.get("api_key") else [])
    secrets = [_secret(key, folder, f"{what}: its key", taken) for key in keys]
    secrets = [secret for secret in secrets if secret]
    if secrets:
        made["api_keys"] = secrets[:1]
    if len(secrets) > 1:
        taken.leave(f"{what}: {len(secrets) - 1} more keys", "the board uses the first")
    for key in _ENTRY:
        if found.get(key):
            made[key] = found[key]
    shown = {*made, "api_key", "provider", "enabled", "_comment"}
    rest = sorted(key for key in found if key not in shown and found[key])
    if rest:
        taken.leave(f"{what}: {', '.join(rest)}", "the board has no such setting")
    if any(f"//{host}" in base for host in model.LOCAL):
        taken.note(f"{what}: {base} would be the board itself: MODEL=… gives its address")
    return made


def _protocol(found: dict[str, Any]) -> tuple[str, str]:
    """A provider's name, and what the model is called there."""
    name = str(found.get("model") or "").strip()
    protocol = str(found.get("provider") or "").strip().lower()
    if not protocol:
        first, slash, rest = name.partition("/")
        if slash and first in (*model.BASES, *_ALIASES, *_OTHERS, *_OTHER_WIRE):
            protocol, name = first, rest
    return _ALIASES.get(protocol, protocol) or "openai", name


# The rest -----------------------------------------------------------------------------------


def _tools(found: dict[str, Any], taken: Taken) -> None:
    ours = {path.stem for path in (FIRMWARE / "copepod/assistant/tools").glob("[a-z]*.py")}
    off, others = {}, []
    for name, value in _dict(found, "tools").items():
        enabled = value.get("enabled") if isinstance(value, dict) else None
        if name in ours and enabled is False:
            off[name] = {"enabled": False}
        elif name not in ours and enabled:
            others.append(name)
    if off:
        taken.config["tools"] = off
    if others:
        taken.leave(f"tools: {', '.join(sorted(others))}", "the board has no such tools")


def _heartbeat(found: dict[str, Any], taken: Taken) -> None:
    heartbeat = _dict(found, "heartbeat")
    kept = {key: heartbeat[key] for key in ("enabled", "interval") if key in heartbeat}
    if kept and device_reads("HEARTBEAT.md"):
        taken.config["heartbeat"] = kept
    elif kept.get("enabled"):
        taken.leave("heartbeat", "the board has none yet")


def merge(config: dict[str, Any], taken: Taken, *, replace: bool, where: str = "") -> None:
    """Put what was taken into a config; a value that is there stays, unless `replace`. Both are said."""
    _merge(config, taken.config, where, taken, replace)


def _merge(
    config: dict[str, Any], found: dict[str, Any], where: str, taken: Taken, replace: bool
) -> None:
    for key, value in found.items():
        there = config.get(key)
        if isinstance(value, dict) and isinstance(there, dict):
            _merge(there, value, f"{where}{key}.", taken, replace)
        elif there in (None, [], {}, ""):
            config[key] = value
        elif there != value and value not in ([], {}):
            if replace:
                config[key] = value
                taken.note(f"replaced: {where}{key}")
                if where + key == "model_list":  # it names one of the others
                    _dict(_dict(config, "agents"), "defaults").pop("model_name", None)
            else:
                taken.note(f"kept: {where}{key} of the config (--replace takes PicoClaw's)")
