"""The config's part about the assistant, every key checked. Memory: dropped after use; what model.py has stays.

The shape is PicoClaw's: `agents.defaults`, `model_list` (see endpoints.py), `tools.<name>.enabled`; `limits` and
`hardware` are ours. Every ValueError is one line that names the key and never holds a key of the model's.
"""

from copepod.assistant.endpoints import fill
from copepod.assistant.model import Model
from copepod.assistant.values import beside, number, object_of, text
from copepod.once import forget

for _name in ("endpoints", "values"):
    forget("copepod.assistant." + _name)

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
_OTHERS = ("model_name", "model_fallbacks", "temperature", "workspace")
# What a pin is for, and of which the entry has more than the pin's number.
_MODES = ("out", "in", "up", "down", "adc", "pwm", "dht11", "dht22", "ds18x20", "neopixel", "i2c")
_LIGHTS = (1, 256)
_INTERVAL_MIN = (30, 0.05, 1440)  # default, least and most


def check(found, path, warnings):
    """The Model of a config's JSON object, None when its model_list is empty; ValueError names the key."""
    entries = object_of(found, "", "model_list", list)
    if not entries:
        return None
    agents = object_of(found, "", "agents", dict)
    defaults = object_of(agents, "agents.", "defaults", dict)
    made = Model()
    ca = text(object_of(found, "", "tls", dict), "tls.", "model_ca", "")
    ca = beside(path, ca) if ca else ""
    fill(made, entries, defaults, ca, path, warnings)
    numbers = _numbers(defaults, "agents.defaults.", _DEFAULTS, _OTHERS, warnings)
    made.max_tokens = numbers["max_tokens"]
    made.max_tool_iterations = numbers["max_tool_iterations"]
    made.summarize_message_threshold = numbers["summarize_message_threshold"]
    numbers = _numbers(object_of(found, "", "limits", dict), "limits.", _LIMITS, (), warnings)
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
    made.workspace = beside(
        path, text(defaults, "agents.defaults.", "workspace", "") or "workspace"
    ).rstrip("/")
    made.pins = _pins(found)
    made.heartbeat_s = _heartbeat(object_of(found, "", "heartbeat", dict))
    _tools(made, object_of(found, "", "tools", dict), path, ca)
    return made


def _heartbeat(found):
    if found.get("enabled") not in (None, True, False):
        raise ValueError("heartbeat.enabled: expected true or false")
    interval = found.get("interval", _INTERVAL_MIN[0])
    if type(interval) not in (int, float) or not _INTERVAL_MIN[1] <= interval <= _INTERVAL_MIN[2]:
        raise ValueError("heartbeat.interval: expected %.2f to %d minutes" % _INTERVAL_MIN[1:])
    return int(interval * 60) if found.get("enabled") else 0


def _tools(made, tools, path, ca):
    # PicoClaw's have other keys, too, and some of its are no objects.
    switched_off = []
    confirmed = []
    for name in tools:
        entry = tools[name]
        if type(entry) is not dict:
            continue
        where = "tools.%s." % name
        if entry.get("enabled") is False:
            switched_off.append(name)
        if entry.get("confirm") not in (None, True, False):
            raise ValueError(where + "confirm: expected true or false")
        if entry.get("confirm"):
            confirmed.append(name)
    made.switched_off = tuple(switched_off)  # a tuple without anything in it costs nothing
    made.confirmed = tuple(confirmed)
    entry = tools.get("http_get")
    if type(entry) is not dict:
        entry = {}
    made.hosts = tuple(object_of(entry, "tools.http_get.", "hosts", list))
    for host in made.hosts:
        if type(host) is not str or not host or "/" in host or "@" in host or " " in host:
            raise ValueError(
                "tools.http_get.hosts: expected names such as 192.168.1.5 or home.local:8123"
            )
    made.hosts_ca = text(entry, "tools.http_get.", "ca", "")
    made.hosts_ca = beside(path, made.hosts_ca) if made.hosts_ca else ca


def _numbers(found, prefix, rows, others, warnings):
    values = {}
    for name in rows:
        values[name] = number(found, prefix, name, rows[name])
    for name in found:
        if name not in rows and name not in others:
            warnings.append("%s%s: unknown key, passed over" % (prefix, name))
    return values


def _pins(found):
    pins = {}
    given = object_of(object_of(found, "", "hardware", dict), "hardware.", "pins", dict)
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
