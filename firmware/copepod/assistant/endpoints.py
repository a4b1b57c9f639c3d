"""The config's `model_list`, every key checked. Memory: dropped after use; an Endpoint for each model stays.

The shape is PicoClaw's; `ca` is ours. What is wrong with the model that is asked is an error, what is wrong with
another one a warning: it is not asked, then. Each is one line that names its key and never holds a key of the model's.
"""

from copepod.assistant.model import Endpoint
from copepod.assistant.values import beside, number, object_of, text

_TIMEOUT_S = (0, 0, 3600)  # default, least and most

# What PicoClaw calls a protocol, before the model's own name.
_BASES = {
    "openai": "https://api.openai.com/v1",
    "openrouter": "https://openrouter.ai/api/v1",
    "groq": "https://api.groq.com/openai/v1",
    "deepseek": "https://api.deepseek.com/v1",
    "anthropic": "https://api.anthropic.com/v1",
    "mistral": "https://api.mistral.ai/v1",
    "ollama": "http://localhost:11434/v1",
}


def fill(model, entries, defaults, ca, path, warnings):
    """Give the Model those of `entries` that can be asked; `ca`: the root of those that name none.

    `defaults` is the config's agents.defaults, `path` the config's own. ValueError names the key.
    """
    wanted = text(defaults, "agents.defaults.", "model_name", "")
    made = []
    labels = []
    falls = []  # the names that each of them falls back to
    chosen = None
    for index, entry in enumerate(entries):
        where = "model_list[%d]." % index
        if type(entry) is not dict:
            raise ValueError(where[:-1] + ": expected an object")
        label: "Any" = entry.get("model_name") or entry.get("model")
        asked = chosen is None and (not wanted or label == wanted)
        if not asked and (label in labels or entry.get("enabled") is False):
            continue
        try:
            text(entry, where, "model_name", "")
            endpoint = _endpoint(entry, where, path, warnings)
            endpoint.ca = endpoint.ca or ca
            if endpoint.tls and not endpoint.ca:
                raise ValueError(
                    "%s: missing: an https:// model needs the file with its root certificate in DER"
                    % ("tls.model_ca" if asked else where + "ca")
                )
            names = object_of(entry, where, "fallbacks", list)
            for name in names:
                if type(name) is not str:
                    raise ValueError(where + "fallbacks: expected a list of models' names")
        except ValueError as error:
            if asked:
                raise
            warnings.append("%s: it is not asked" % error)
            continue
        if asked:
            chosen = endpoint
        endpoint.label = label
        made.append(endpoint)
        labels.append(label)
        falls.append((where, names))
    if chosen is None:
        raise ValueError("agents.defaults.model_name: no entry of model_list has this name")
    usual = object_of(defaults, "agents.defaults.", "model_fallbacks", list)
    for endpoint, (where, names) in zip(made, falls):
        endpoint.fallbacks = _fallbacks(endpoint, where, names or usual, made, labels, warnings)
    model.endpoint = chosen
    model.endpoints = made
    model.default = chosen.label
    model.tls = True
    for endpoint in made:
        model.tls = model.tls and endpoint.tls


def _fallbacks(endpoint, where, names, made, labels, warnings):
    found = []
    for name in names:
        if name not in labels:
            warnings.append("%sfallbacks: %s is not a model that can be asked" % (where, name))
        elif name != endpoint.label:
            found.append(made[labels.index(name)])
    return tuple(found)


def _endpoint(entry, where, path, warnings):
    made = Endpoint()
    _address(made, entry, where, warnings)
    secrets = entry.get("api_keys")
    if secrets is None:
        secrets = [entry["api_key"]] if entry.get("api_key") else []
    if type(secrets) is not list or [key for key in secrets if type(key) is not str]:
        raise ValueError(where + "api_keys: expected a list of strings")
    made.key = secrets[0].strip() if secrets else ""
    for byte in made.key.encode():
        if not 32 < byte < 127:
            raise ValueError(where + "api_keys[0]: holds a blank or a character that no key has")
    made.headers = _headers(entry, where)
    made.max_tokens_field = text(entry, where, "max_tokens_field", "max_tokens")
    if made.max_tokens_field not in ("max_tokens", "max_completion_tokens"):
        raise ValueError(where + "max_tokens_field: expected max_tokens or max_completion_tokens")
    made.request_timeout_s = number(entry, where, "request_timeout", _TIMEOUT_S)
    made.ca = text(entry, where, "ca", "")
    if made.ca:
        made.ca = beside(path, made.ca)
    return made


def _address(made, entry, where, warnings):
    # PicoClaw's "openai/gpt-5" begins with a protocol, which api_base may say better.
    name = text(entry, where, "model", "")
    if not name:
        raise ValueError(where + "model: missing, expected the model's name")
    base = text(entry, where, "api_base", "")
    protocol, slash, rest = name.partition("/")
    if slash and protocol in _BASES and (protocol == "openrouter" or "openrouter.ai/" not in base):
        name = rest
        base = base or _BASES[protocol]
    if not base:
        raise ValueError(
            where + "api_base: missing, expected a URL such as http://192.168.1.5:11434/v1"
        )
    made.name = name
    scheme, _, rest = base.partition("://")
    host, _, path = rest.partition("/")
    host, colon, port = host.partition(":")
    if scheme not in ("http", "https") or not host or (colon and not port.isdigit()):
        raise ValueError(where + "api_base: expected http(s)://host[:port]/path")
    made.tls = scheme == "https"
    made.host = host
    made.port = int(port) if port else (443 if made.tls else 80)
    path = path.rstrip("/")
    if len(path) > 128:
        raise ValueError(where + "api_base: the path is longer than 128 characters")
    made.path = (("/" + path if path else "") + "/chat/completions").encode()
    if not made.tls and (entry.get("api_keys") or entry.get("api_key")):
        warnings.append(where + "api_base: http://: the key travels unencrypted")


def _headers(entry, where):
    lines = []
    found = object_of(entry, where, "custom_headers", dict)
    for name in found:
        line = "%s: %s" % (name, found[name])
        if type(found[name]) is not str or "\r" in line or "\n" in line or len(line) > 200:
            raise ValueError("%scustom_headers.%s: expected a string of one line" % (where, name))
        lines.append(line)
    return tuple(lines)
