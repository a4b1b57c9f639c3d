"""/config.json → settings, every key checked. Memory: the file (at most 4 KiB) while it is read, then one object.

The shape is PicoClaw's, so that its users can bring theirs. All defaults stand in _KEYS.
"""

import json

from micropython import const

from copepod.once import forget

_FILE_MAX_B = const(4096)
_TOKEN_SECRET_MIN = const(30)
_ID_DIGITS = const(16)  # ids have at most 52 bits

# path, type, default, check: None is "must be given"; a tuple of types means any of them.
_KEYS: "Any" = (
    ("channels.telegram.enabled", bool, True, None),
    ("channels.telegram.token", str, None, "token"),
    ("channels.telegram.allow_from", list, (), "allow"),
    ("channels.telegram.base_url", str, "https://api.telegram.org", "url"),
    ("channels.telegram.poll_timeout_s", int, 30, (1, 50)),
    ("channels.telegram.limit", int, 1, (1, 100)),
    ("channels.telegram.rich_messages", bool, False, None),
    ("gateway.host", str, "127.0.0.1", None),
    ("gateway.port", int, 18790, (0, 65535)),
    ("gateway.health", bool, False, None),
    ("gateway.handler_timeout_s", int, 300, (1, 86400)),
    ("handlers.parallel", int, 2, (1, 4)),
    ("tz", str, "UTC0", "tz"),
    ("state.write_interval_s", int, 60, (1, 86400)),
    ("bot.updates", bool, True, None),
    ("bot.trial_s", int, 60, (1, 3600)),
    ("wifi.ssid", str, "", None),
    ("wifi.password", str, "", "password"),
    ("tls.ca", str, "", None),
    ("bus.capacity", int, 16, (1, 256)),
    ("bus.bytes", int, 8192, (256, 1048576)),
    ("telemetry.interval_s", int, 10, (1, 86400)),
    ("telemetry.collect", bool, True, None),
    ("telemetry.mem_info", bool, False, None),
    ("memory.gc_threshold", int, 0, (0, 16777216)),
)
_TYPES = {bool: "true or false", str: 'a string "…"', int: "a whole number", list: "a list […]"}
# PicoClaw's own keys that mean nothing here are passed over without a warning.
_SILENT = ("agents", "providers", "model_list", "tools", "heartbeat", "devices", "channels.telegram.proxy")
# The assistant's keys; assistant/config.py looks at them when there is the first. In a tuple no string is interned.
_ASSISTANTS = ("model_list", "limits", "hardware", "tls.model_ca")
# Seldom asked for: attributes, whose names cost memory, only where they are not as usual. Who asks has the default.
_SELDOM = ("gateway.host", "gateway.port", "handlers.parallel", "bot.updates", "bot.trial_s")

# Ids that come as a sender's and are no person's.
_NOT_PEOPLE = {
    1087968824: "that id stands for every anonymous admin of every group",
    136817688: "that id stands for whoever writes as a channel",
    777000: "that id is Telegram's own, for what channels post",
}


class ConfigError(ValueError):
    """The configuration can't be used; the text is one line that names the key and the remedy."""


class Config:
    """Settings as attributes: the last part of the key, with the part before it where needed.

    telegram keys: token, allow_from (list of str), base_url, poll_timeout_s, limit, rich_messages;
    host, port, tls of the Bot API server; the others as `<room>_<key>`: bus_bytes, wifi_ssid, …
    """

    path = ""
    warnings: "list[str] | None" = None
    model: "Any" = None  # whom the assistant asks, see assistant/config.py
    enabled: bool
    token: str
    allow_from: "list[str]"
    base_url: str
    poll_timeout_s: int
    limit: int
    rich_messages: bool
    tls: bool
    server: str
    server_port: int
    tls_context: "Any" = None  # made by startup.py from tls_ca
    gateway_health: bool
    gateway_handler_timeout_s: int
    tz: "tuple | None"  # see tz.py; None is UTC
    state_write_interval_s: int
    wifi_ssid: str
    wifi_password: str
    tls_ca: str
    bus_capacity: int
    bus_bytes: int
    telemetry_interval_s: int
    telemetry_collect: bool
    telemetry_mem_info: bool
    memory_gc_threshold: int


def load(path, buffer=None):
    """Read and check the file at `path`; ConfigError with one line when it can't be used.

    `buffer` is a bytearray of more than 4 KiB to read through, one is made if there is none.
    """
    view = memoryview(buffer or bytearray(_FILE_MAX_B + 1))[: _FILE_MAX_B + 1]
    try:
        with open(path, "rb") as file:
            head = bytes(view[: file.readinto(view)])
    except OSError as error:
        raise ConfigError("%s: can't be read (%s): write one with make provision" % (path, error))
    if len(head) > _FILE_MAX_B:
        raise ConfigError("%s: larger than %d bytes: keep only the keys that Copepod knows" % (path, _FILE_MAX_B))
    if head[:3] == b"\xef\xbb\xbf":
        raise ConfigError("%s: starts with a byte order mark: save it as UTF-8 without BOM" % path)
    try:
        head.decode()
    except (ValueError, UnicodeError):
        raise ConfigError("%s: not UTF-8: save it as UTF-8" % path)
    found = None
    where = _where(head)  # asked first: MicroPython 1.25 forgives a bracket that is not closed
    try:
        if not where:
            found = json.loads(head)
    except (ValueError, RuntimeError):  # RuntimeError: nested deeper than the stack
        where = "look for a missing or extra comma, or text after the last }"
    if where:
        raise ConfigError("%s: not valid JSON: %s" % (path, where))
    if not isinstance(found, dict):
        raise ConfigError("%s: found %s, expected an object {…}" % (path, _kind(found)))
    return check(found, path)


def _where(head):
    # The line that breaks: the shortest run of whole lines that no closing can complete is hard to
    # tell, so say where the brackets or quotes stop to match, else the remedy only.
    depth = line = 0
    for row in head.split(b"\n"):
        line += 1
        quoted = False
        escaped = False
        for byte in row:
            if escaped:
                escaped = False
            elif byte == 0x5C and quoted:
                escaped = True
            elif byte == 0x22:
                quoted = not quoted
            elif not quoted:
                if byte in b"{[":
                    depth += 1
                elif byte in b"}]":
                    depth -= 1
        if quoted:
            return "line %d has an unclosed string" % line
        if depth < 0:
            return "line %d closes a bracket that was not opened" % line
    if depth:
        return "%d bracket(s) are not closed at the end" % depth
    return None


def _kind(value):
    if value is None:
        return "null"
    for kind in _TYPES:
        if type(value) is kind:
            return _TYPES[kind]
    return "an object {…}" if isinstance(value, dict) else "a number with a fraction"


def check(found, path):
    """Turn the parsed JSON object `found` into a Config; ConfigError names the key."""
    config = Config()
    config.path = path
    config.warnings = []
    values = {}
    _unknown(found, "", config.warnings)
    for key, kind, default, rule in _KEYS:
        rooms = key.split(".")
        value = found
        for index, room in enumerate(rooms):
            if not isinstance(value, dict):
                raise ConfigError(
                    "%s: %s: found %s, expected an object {…}" % (path, ".".join(rooms[:index]), _kind(value))
                )
            value = value.get(room)
            if value is None:
                break
        if value is None:
            if default is None:
                raise ConfigError("%s: %s: missing, expected %s" % (path, key, _TYPES[kind]))
            value = default
        elif type(value) is not kind:
            raise ConfigError("%s: %s: found %s, expected %s" % (path, key, _kind(value), _TYPES[kind]))
        if rule == "token":
            _check_token(value, path, key)
        elif rule == "allow":
            value = _check_allow(value, path, key, values["channels.telegram.token"].partition(":")[0])
        elif rule == "password":
            _check_password(value, path, key)
        elif rule == "tz":
            value = _zone(value, path, key)
        elif rule == "url":
            _check_url(value, path, key, config)
        elif rule and not rule[0] <= value <= rule[1]:
            raise ConfigError("%s: %s: found %d, expected %d to %d" % (path, key, value, rule[0], rule[1]))
        values[key] = value
        if key in _SELDOM and value != default:
            setattr(config, key.replace(".", "_"), value)
    _fill(config, values)
    if found.get(_ASSISTANTS[0]):
        config.model = _model(found, path, config)
    if not config.enabled:
        raise ConfigError("%s: channels.telegram.enabled: false, and there is no other channel: set it to true" % path)
    return config


def _fill(config, values):
    # One by one, so that who reads this file finds where each attribute comes from.
    config.enabled = values["channels.telegram.enabled"]
    config.token = values["channels.telegram.token"]
    config.allow_from = values["channels.telegram.allow_from"]
    config.base_url = values["channels.telegram.base_url"]
    config.poll_timeout_s = values["channels.telegram.poll_timeout_s"]
    config.limit = values["channels.telegram.limit"]
    config.rich_messages = values["channels.telegram.rich_messages"]
    config.gateway_health = values["gateway.health"]
    config.gateway_handler_timeout_s = values["gateway.handler_timeout_s"]
    config.tz = values["tz"]
    config.state_write_interval_s = values["state.write_interval_s"]
    config.wifi_ssid = values["wifi.ssid"]
    config.wifi_password = values["wifi.password"]
    config.tls_ca = values["tls.ca"]
    config.bus_capacity = values["bus.capacity"]
    config.bus_bytes = values["bus.bytes"]
    config.telemetry_interval_s = values["telemetry.interval_s"]
    config.telemetry_collect = values["telemetry.collect"]
    config.telemetry_mem_info = values["telemetry.mem_info"]
    config.memory_gc_threshold = values["memory.gc_threshold"]


def _model(found, path, config):
    # The assistant's part has a reader of its own. A path in a string leaves no names to a gateway without it.
    reader = __import__("copepod.assistant.config", None, None, ("check",))
    try:
        made = reader.check(found, path, config.warnings)
    except ValueError as error:
        raise ConfigError(path + ": " + str(error))
    finally:
        forget("copepod.assistant.config")
    if not made.tls:
        config.limit = max(config.limit, 2)  # to hear /stop while it answers
    return made


def _unknown(found, prefix, warnings):
    for name in found:
        key = prefix + str(name)  # MicroPython reads numbers as keys, too
        if key in _SILENT or key in _ASSISTANTS:
            continue
        below = key + "."
        known = False
        for row in _KEYS:
            if row[0] == key or row[0].startswith(below):
                known = True
                break
        if not known:
            warnings.append(key + ": unknown key, passed over")
        elif isinstance(found[name], dict):
            _unknown(found[name], below, warnings)


def _check_token(token, path, key):
    # <bot id>:<secret>, https://core.telegram.org/bots/api#authorizing-your-bot
    number, _, secret = token.partition(":")
    good = number.isdigit() and len(number) <= 20 and len(secret) >= _TOKEN_SECRET_MIN and len(secret) <= 64
    for byte in secret.encode():  # a str would intern each character for good
        if not (48 <= byte <= 57 or 65 <= byte & 0xDF <= 90 or byte == 95 or byte == 45):
            good = False
    if not good:
        raise ConfigError(
            "%s: %s: %d characters of another form, expected <digits>:<35 letters, digits, _ or ->"
            " as @BotFather gives it" % (path, key, len(token))
        )


def _check_password(password, path, key):
    # IEEE 802.11: a WPA passphrase; an open network has none.
    count = len(password.encode())
    if count and not 8 <= count <= 63:
        raise ConfigError("%s: %s: %d bytes, expected 8 to 63, or none for an open network" % (path, key, count))


def _check_allow(allow, path, key, bot_id):
    names = []
    for entry in allow:
        where = "%s: %s[%d]: " % (path, key, len(names))
        if type(entry) is int:
            entry = str(entry)
        if type(entry) is not str:
            raise ConfigError("%sfound %s, expected an id, a username or \"*\"" % (where, _kind(entry)))
        name = _sender(entry.strip())
        if name is None:
            reason = "expected an id, a username or \"*\""
            if entry[:1] == "-" and _is_id(entry[1:]):
                reason = "that is a group or channel: list the people who may talk to the bot"
            raise ConfigError(where + reason)
        if name == bot_id:
            raise ConfigError(where + "that is the bot itself")
        if name.isdigit() and int(name) in _NOT_PEOPLE:
            raise ConfigError(where + _NOT_PEOPLE[int(name)])
        names.append(name)
    return names


def _sender(entry):
    # The id or the username in lower case; None for what is neither.
    if entry == "*":
        return entry
    number, bar, name = entry.partition("|")  # PicoClaw's "123|name": the id can't change hands
    if bar:
        return number if _is_id(number) and (not name or _is_name(name)) else None
    if _is_id(entry):
        return entry
    if entry[:1] == "@":
        entry = entry[1:]
    return entry.lower() if _is_name(entry) else None


def _is_id(text):
    if not text or len(text) > _ID_DIGITS or text[0] == "0":
        return False
    for byte in text.encode():
        if not 48 <= byte <= 57:
            return False
    return True


def _is_name(text):
    # https://core.telegram.org/method/account.checkUsername, and shorter ones that are sold
    data = text.encode()
    if not 0 < len(data) <= 32 or not 65 <= data[0] & 0xDF <= 90:
        return False
    for byte in data:
        if not (48 <= byte <= 57 or 65 <= byte & 0xDF <= 90 or byte == 95):
            return False
    return True


def _zone(text, path, key):
    # The tuple that timers go by.
    if text == "UTC0":
        return None
    from copepod import tz

    forget("copepod.tz")
    try:
        return tz.parse(text)
    except ValueError as error:
        raise ConfigError(
            "%s: %s: %r: %s; expected the POSIX form, such as CET-1CEST,M3.5.0,M10.5.0/3" % (path, key, text, error)
        )


def _check_url(url, path, key, config):
    scheme, _, rest = url.partition("://")
    host, slash, prefix = rest.partition("/")
    name, colon, port = host.partition(":")
    if scheme not in ("http", "https") or not name or prefix.strip("/") or (colon and not port.isdigit()):
        raise ConfigError("%s: %s: expected http(s)://host[:port] with no path" % (path, key))
    config.tls = scheme == "https"
    config.server = name
    config.server_port = int(port) if port else (443 if config.tls else 80)
    if not 0 < config.server_port < 65536:
        raise ConfigError("%s: %s: port %d is out of range" % (path, key, config.server_port))
    if not config.tls and name not in ("127.0.0.1", "localhost"):
        config.warnings.append(key + ": http:// off this machine: the token travels unencrypted")
