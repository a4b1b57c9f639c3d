"""The models that a config names, as the board's own reader sees it, and what its server says of it.

The key goes into requests and nowhere else: no error, no line and no repr has it.
"""

from __future__ import annotations

import http.client
import json
import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from host_tools.errors import UserError
from host_tools.install import config_file

TIMEOUT_S = 8.0
_LIST_MAX_B = 16 << 20
_CHAT = "/chat/completions"
LOCAL = ("localhost", "127.0.0.1")

# Where Chat Completions are spoken, by the name that PicoClaw has for a provider.
BASES = {
    "anthropic": "https://api.anthropic.com/v1",
    "cerebras": "https://api.cerebras.ai/v1",
    "deepseek": "https://api.deepseek.com/v1",
    "groq": "https://api.groq.com/openai/v1",
    "lmstudio": "http://localhost:1234/v1",
    "mistral": "https://api.mistral.ai/v1",
    "moonshot": "https://api.moonshot.cn/v1",
    "nvidia": "https://integrate.api.nvidia.com/v1",
    "ollama": "http://localhost:11434/v1",
    "openai": "https://api.openai.com/v1",
    "openrouter": "https://openrouter.ai/api/v1",
    "qwen": "https://dashscope.aliyuncs.com/compatible-mode/v1",
    "venice": "https://api.venice.ai/api/v1",
    "vllm": "http://localhost:8000/v1",
    "zhipu": "https://open.bigmodel.cn/api/paas/v4",
}
# Those that the board's reader cuts off a model's name.
_CUT = ("openai", "openrouter", "groq", "deepseek", "anthropic", "mistral", "ollama")


class Unreachable(UserError):
    """Nobody answers, or not as a model's server does."""


class KeyRefused(UserError):
    """The server does not take the key, or wants one."""


@dataclass(frozen=True)
class Model:
    """Whom the board will ask."""

    label: str  # the config's name for it
    name: str
    host: str
    port: int
    tls: bool
    path: str  # before /chat/completions
    ca: Path | None  # the root beside the config
    key: str = field(repr=False)
    headers: list[str] = field(repr=False)

    @property
    def base(self) -> str:
        """The api_base, as it is shown."""
        usual = 443 if self.tls else 80
        port = "" if self.port == usual else f":{self.port}"
        return f"{'https' if self.tls else 'http'}://{self.host}{port}{self.path}"


def read(path: Path) -> list[Model]:
    """The models of the config at `path`, first the one that is asked; UserError in the reader's words."""
    models = []
    for found in config_file.read_models(path):
        ca = found.pop("ca")
        found["path"] = found["path"].removesuffix(_CHAT)
        models.append(Model(ca=Path(ca) if ca else None, **found))
    return models


def all_of_values(config: dict[str, Any], root_is_there: bool = True) -> list[Model]:
    """The models of values that are in no file yet, first the one that is asked."""
    values: dict[str, Any] = {
        "channels": {"telegram": {"token": "0:" + "A" * 35}},
        **{key: config[key] for key in ("model_list", "agents", "tls") if config.get(key)},
    }
    if root_is_there:
        values["tls"] = {**values.get("tls", {}), "model_ca": "model.der"}
    return config_file.with_file(values, read)


def of_values(config: dict[str, Any]) -> Model | None:
    """The one that is asked; None without one."""
    found = all_of_values(config)
    return found[0] if found else None


def address(text: str) -> str:
    """The api_base that was meant: an address, or a provider's name; UserError with the form."""
    text = text.strip().rstrip("/")
    if text.lower() in BASES:
        return BASES[text.lower()]
    parts = urlsplit(text if "://" in text else "")
    try:
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or "@" in parts.netloc or parts.query or parts.fragment:
        raise UserError(
            "a model's server is an address such as http://192.168.1.5:11434/v1, or one of "
            + ", ".join(BASES)
        )
    return text if parts.path else text + "/v1"


def name_for_board(name: str, base: str) -> str:
    """How the config has to spell a model's name so that the board asks for exactly this one.

    Its reader takes a provider's name off the front, as PicoClaw does.
    """
    first, slash, _ = name.partition("/")
    if slash and "openrouter.ai/" in base:
        return f"openrouter/{name}" if first == "openrouter" else name
    return f"openai/{name}" if slash and first in _CUT else name


def key_of(text: str) -> str:
    """A key without the blanks around it; UserError if it can be none, without showing it."""
    key = text.strip()
    if not re.fullmatch(r"[!-~]*", key):
        raise UserError("the key holds a blank or a character that no key has")
    return key


def names(model: Model, roots: bytes | None = None) -> list[str] | None:
    """The models that the server lists; None where it has no list.

    `roots`: DER to trust instead of this machine's. KeyRefused, or Unreachable in one line.
    """
    if model.host == "openrouter.ai":  # its list is for everybody
        status, _ = _get(model, "/key", roots)
        if status in (401, 403):
            raise _refused(model, status)
    paged = "?limit=1000" if model.host == "api.anthropic.com" else ""
    status, body = _get(model, "/models" + paged, roots)
    if status in (401, 403):
        raise _refused(model, status)
    if status in (404, 405):
        return None
    if status != 200:
        raise Unreachable(f"{model.base}: its list of models is answered with {status}")
    try:
        found = json.loads(body)
        rows = found["data"] if "data" in found else found["models"]
        return [str(row.get("id") or row["name"]) for row in rows]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Unreachable(
            f"{model.base} answers, but not as a model's server: is its path right?"
        ) from None


def hear(model: Model, roots: bytes | None) -> str:
    """What the server says of this model and its key, in one line; KeyRefused or Unreachable."""
    listed = names(model, roots)
    if listed is None:
        return f"{model.base} answers, but has no list of models: is its path right?"
    if not lists(listed, model.name):
        return f"{model.host} answers, but lists no model {model.name!r}: is the name right?"
    return f"{model.host} has {model.name}" + (" and takes the key" if model.key else "")


def lists(listed: list[str], name: str) -> bool:
    """The name is on the list, or is short for one that is: qwen3 for qwen3:latest."""
    short = (f"{name}:latest", f"{name}-")
    return any(each == name or each.startswith(short) for each in listed)


def _refused(model: Model, status: int) -> KeyRefused:
    if model.key:
        return KeyRefused(f"{model.host} refuses this key ({status})")
    return KeyRefused(f"{model.host} wants a key ({status})")


def _get(model: Model, path: str, roots: bytes | None) -> tuple[int, bytes]:
    headers = dict(line.split(": ", 1) for line in model.headers)
    if model.key:
        headers["Authorization"] = "Bearer " + model.key
        if model.host == "api.anthropic.com":
            headers |= {"x-api-key": model.key, "anthropic-version": "2023-06-01"}
    connection = _connection(model, roots)
    try:
        connection.request("GET", model.path + path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read(_LIST_MAX_B)
    except ssl.SSLCertVerificationError as error:
        raise Unreachable(f"{model.base}: its certificate: {error.verify_message}") from None
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(f"{model.base} can't be reached: {why(error)}") from None
    finally:
        connection.close()


def _connection(model: Model, roots: bytes | None) -> http.client.HTTPConnection:
    if not model.tls:
        return http.client.HTTPConnection(model.host, model.port, timeout=TIMEOUT_S)
    context = ssl.create_default_context()
    if roots is not None:
        context = only(roots)
    return http.client.HTTPSConnection(model.host, model.port, timeout=TIMEOUT_S, context=context)


def only(root: bytes) -> ssl.SSLContext:
    """A context that trusts this one certificate (DER), as the board's does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # it need not be signed by itself
    try:
        context.load_verify_locations(cadata=root)
    except ssl.SSLError:
        raise UserError("no certificate in DER") from None
    return context


def why(error: BaseException) -> str:
    """A network's error in a few words."""
    if isinstance(error, TimeoutError):
        return f"no answer within {TIMEOUT_S:.0f} s"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text)[:80]
