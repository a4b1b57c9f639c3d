"""The config's part about the model, every key checked. Memory: dropped after use; one object stays.

The shape is PicoClaw's: `agents.defaults`, `model_list`, `tools.<name>.enabled`; `limits` and `hardware` are ours.
Every ValueError is one line that names the key and never holds a key of the model's.
"""

from copepod.assistant.model import Model

# key: default, least and most
_DEFAULTS = {
    "max_tokens": (1024, 1, 1048576),
    "max_tool_iterations": (8, 1, 50),
    "summarize_message_threshold": (0, 0, 10000),
}
_LIMITS = {
    "turns_per_hour": (60, 1, 100000),
    "turns_per_day": (300, 1, 1000000),
    "tokens_per_day": (500000, 1, 500000000),
    "history_tokens": (4000, 100, 1000000),
    "turn_s": (180, 5, 3600),
    "silence_s": (60, 1, 600),
}
_OTHERS = ("model_name", "temperature", "workspace")
# What a pin is for, and of which the entry has more than the pin's number.
_MODES = ("out", "in", "up", "down", "adc", "pwm", "dht11", "dht22", "ds18x20", "neopixel", "i2c")
_LIGHTS = (1, 256)
_INTERVAL_MIN = (30, 0.05, 1440)  # default, least and most

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


def check(found, path, warnings):
    """The Model of a config's JSON object, None when its model_list is empty; ValueError names the key."""
    entries = _object_of(found, "", "model_list", list)
    if not entries:
        return None
    agents = _object_of(found, "", "agents", dict)
    defaults = _object_of(agents, "agents.", "defaults", dict)
    where, entry = _chosen(entries, _text(defaults, "agents.defaults.", "model_name", ""))
    made = Model()
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
    made.max_tokens_field = _text(entry, where, "max_tokens_field", "max_tokens")
    if made.max_tokens_field not in ("max_tokens", "max_completion_tokens"):
        raise ValueError(where + "max_tokens_field: expected max_tokens or max_completion_tokens")
    numbers = _numbers(defaults, "agents.defaults.", _DEFAULTS, _OTHERS, warnings)
    made.max_tokens = numbers["max_tokens"]
    made.max_tool_iterations = numbers["max_tool_iterations"]
    made.summarize_message_threshold = numbers["summarize_message_threshold"]
    numbers = _numbers(_object_of(found, "", "limits", dict), "limits.", _LIMITS, (), warnings)
    made.turns_per_hour = numbers["turns_per_hour"]
    made.turns_per_day = numbers["turns_per_day"]
    made.tokens_per_day = numbers["tokens_per_day"]
    made.history_tokens = numbers["history_tokens"]
    made.turn_s = numbers["turn_s"]
    made.silence_s = numbers["silence_s"]
    temperature = defaults.get("temperature")
    if temperature is not None and (
        type(temperature) not in (int, float) or not 0 <= temperature <= 2
    ):
        raise ValueError("agents.defaults.temperature: expected a number from 0 to 2")
    made.temperature = None if temperature is None else str(temperature)
    made.workspace = _beside(
        path, _text(defaults, "agents.defaults.", "workspace", "") or "workspace"
    ).rstrip("/")
    made.ca = _text(_object_of(found, "", "tls", dict), "tls.", "model_ca", "")
    if made.ca:
        made.ca = _beside(path, made.ca)
    if made.tls and not made.ca:
        raise ValueError(
            "tls.model_ca: missing: an https:// model needs the file with its root certificate in DER"
        )
    made.pins = _pins(found)
    made.heartbeat_s = _heartbeat(_object_of(found, "", "heartbeat", dict))
    _tools(made, _object_of(found, "", "tools", dict), path)
    return made


def _heartbeat(found):
    if found.get("enabled") not in (None, True, False):
        raise ValueError("heartbeat.enabled: expected true or false")
    interval = found.get("interval", _INTERVAL_MIN[0])
    if type(interval) not in (int, float) or not _INTERVAL_MIN[1] <= interval <= _INTERVAL_MIN[2]:
        raise ValueError("heartbeat.interval: expected %.2f to %d minutes" % _INTERVAL_MIN[1:])
    return int(interval * 60) if found.get("enabled") else 0


def _tools(made, tools, path):
    # PicoClaw's have other keys, too, and some of its are no objects.
    made.switched_off = []
    made.confirmed = []
    for name in tools:
        entry = tools[name]
        if type(entry) is not dict:
            continue
        where = "tools.%s." % name
        if entry.get("enabled") is False:
            made.switched_off.append(name)
        if entry.get("confirm") not in (None, True, False):
            raise ValueError(where + "confirm: expected true or false")
        if entry.get("confirm"):
            made.confirmed.append(name)
    entry = tools.get("http_get")
    if type(entry) is not dict:
        entry = {}
    made.hosts = _object_of(entry, "tools.http_get.", "hosts", list)
    for host in made.hosts:
        if type(host) is not str or not host or "/" in host or "@" in host or " " in host:
            raise ValueError(
                "tools.http_get.hosts: expected names such as 192.168.1.5 or home.local:8123"
            )
    made.hosts_ca = _text(entry, "tools.http_get.", "ca", "")
    made.hosts_ca = _beside(path, made.hosts_ca) if made.hosts_ca else made.ca


def _object_of(found, prefix, name, kind):
    value = found.get(name)
    if value is None:
        return kind()
    if type(value) is not kind:
        raise ValueError(
            "%s%s: expected %s" % (prefix, name, "a list" if kind is list else "an object")
        )
    return value


def _text(found, prefix, name, default):
    value = found.get(name)
    if value is None:
        return default
    if type(value) is not str:
        raise ValueError("%s%s: expected a string" % (prefix, name))
    return value


def _numbers(found, prefix, rows, others, warnings):
    values = {}
    for name in rows:
        default, least, most = rows[name]
        value = found.get(name)
        if value is None:
            value = default
        if type(value) is not int or not least <= value <= most:
            raise ValueError("%s%s: expected %d to %d" % (prefix, name, least, most))
        values[name] = value
    for name in found:
        if name not in rows and name not in others:
            warnings.append("%s%s: unknown key, passed over" % (prefix, name))
    return values


def _chosen(entries, wanted):
    # The entry that agents.defaults.model_name names, or the first.
    for index, entry in enumerate(entries):
        where = "model_list[%d]." % index
        if type(entry) is not dict:
            raise ValueError(where[:-1] + ": expected an object")
        if not wanted or entry.get("model_name") == wanted:
            return where, entry
    raise ValueError("agents.defaults.model_name: no entry of model_list has this name")


def _address(made, entry, where, warnings):
    # PicoClaw's "openai/gpt-5" begins with a protocol, which api_base may say better.
    name = _text(entry, where, "model", "")
    if not name:
        raise ValueError(where + "model: missing, expected the model's name")
    base = _text(entry, where, "api_base", "")
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
    found = _object_of(entry, where, "custom_headers", dict)
    for name in found:
        line = "%s: %s" % (name, found[name])
        if type(found[name]) is not str or "\r" in line or "\n" in line or len(line) > 200:
            raise ValueError("%scustom_headers.%s: expected a string of one line" % (where, name))
        lines.append(line)
    return lines


def _pins(found):
    pins = {}
    given = _object_of(_object_of(found, "", "hardware", dict), "hardware.", "pins", dict)
    for name in given:
        where = "hardware.pins.%s: " % name
        entry = given[name]
        if type(entry) is not dict:
            entry = {"pin": entry}
        use = entry.get("mode", "out")
        if use not in _MODES:
            raise ValueError("%smode: expected one of %s" % (where, ", ".join(_MODES)))
        for byte in name.encode():
            if byte < 32 or byte == 34 or byte == 92:
                raise ValueError(where + "a name without quotes, please")
        if use == "i2c":
            found = (_number(entry.get("scl"), where), use, _number(entry.get("sda"), where))
        elif use == "neopixel":
            count = entry.get("count", 1)
            if type(count) is not int or not _LIGHTS[0] <= count <= _LIGHTS[1]:
                raise ValueError("%scount: expected %d to %d" % ((where,) + _LIGHTS))
            found = (_number(entry.get("pin"), where), use, count)
        else:
            found = (_number(entry.get("pin"), where), use)
        pins[name] = found
    return pins


def _number(value, where):
    if type(value) is not int or not 0 <= value < 64:
        raise ValueError(
            where
            + 'expected a pin\'s number, {"pin": 4, "mode": "in"} or {"mode": "i2c", "scl": 22, "sda": 21}'
        )
    return value


def _beside(path, name):
    # Beside the config, unless it is an absolute path.
    if name[:1] == "~":
        raise ValueError("agents.defaults.workspace: expected a path without ~")
    if name[:1] != "/" and "/" in path:
        name = path[: path.rindex("/") + 1] + name
    return name
