"""The config: every key checked, every fault one line that names the key."""

import json
import os

from copepod import config
from fakes.scratch import written

PURE = True

TOKEN = "123456789:AAExampleExampleExampleExampleExam"
PATH = "build/test_config_%d.json" % id(object())

SOURCE_ONLY = ("test_who_asks_has_the_default_of_what_is_seldom_asked_for",)  # it reads the source


def _telegram(**keys):
    telegram = {"token": TOKEN}
    telegram.update(keys)
    return {"channels": {"telegram": telegram}}


def _load(content):
    if not isinstance(content, bytes):
        content = json.dumps(content).encode()
    written(PATH, content)
    try:
        return config.load(PATH)
    finally:
        os.remove(PATH)


def _fails(content, *words):
    try:
        _load(content)
    except config.ConfigError as error:
        text = str(error)
        for word in words:
            assert word in text, (word, text)
        assert "\n" not in text, text
        assert TOKEN not in text
        return
    raise AssertionError("accepted: %r" % (content,))


def test_defaults():
    found = _load(_telegram())
    assert found.token == TOKEN
    assert found.limit == 1
    assert found.poll_timeout_s == 30
    assert list(found.allow_from) == []
    assert (found.server, found.server_port, found.tls) == ("api.telegram.org", 443, True)
    assert (found.bus_capacity, found.bus_bytes) == (16, 8192)
    assert found.gateway_health is False
    assert found.telemetry_interval_s == 10
    assert found.warnings == []


def test_picoclaw_file_is_taken():
    found = _load(
        {
            "agents": {"defaults": {"model": "x"}},
            "channels": {
                "telegram": {
                    "enabled": True,
                    "token": TOKEN,
                    "proxy": "",
                    "allow_from": ["123|bob", 45, "@Ann"],
                }
            },
            "gateway": {"host": "127.0.0.1", "port": 18790},
        }
    )
    assert found.allow_from == ["123", "45", "ann"]
    assert found.warnings == []


def test_unknown_keys_warn_with_their_path():
    content = _telegram(colour="red")
    content["wlan"] = {}
    found = _load(content)
    assert len(found.warnings) == 2
    text = " ".join(found.warnings)
    assert "channels.telegram.colour" in text
    assert "wlan" in text


def test_base_url():
    found = _load(_telegram(**{"base_url": "https://localhost:8443"}))
    assert (found.server, found.server_port, found.tls) == ("localhost", 8443, True)
    found = _load(_telegram(**{"base_url": "http://127.0.0.1:8081"}))
    assert (found.tls, found.warnings) == (False, [])
    found = _load(_telegram(**{"base_url": "http://192.168.1.2:8081/"}))
    assert "unencrypted" in found.warnings[0]
    for bad in ("ftp://x", "https://", "https://a:b", "https://a/path", "a", "https://a:70000"):
        _fails(_telegram(**{"base_url": bad}), "channels.telegram.base_url")


def test_missing_and_wrong_types_name_the_key():
    _fails({}, "channels.telegram.token", "missing")
    _fails({"channels": {"telegram": {}}}, "channels.telegram.token", "missing")
    _fails({"channels": []}, "channels", "expected an object")
    _fails({"channels": {"telegram": 5}}, "channels.telegram", "expected an object")
    _fails([], "expected an object")
    _fails(_telegram(**{"limit": "1"}), "channels.telegram.limit", "a string", "whole number")
    _fails(_telegram(**{"limit": 1.5}), "channels.telegram.limit", "fraction")
    _fails(_telegram(**{"limit": True}), "channels.telegram.limit", "true or false")
    _fails(_telegram(**{"limit": 0}), "channels.telegram.limit", "1 to 100")
    _fails(_telegram(allow_from="123"), "channels.telegram.allow_from", "a list")
    _fails(_telegram(allow_from=[{}]), "channels.telegram.allow_from")
    _fails(_telegram(**{"enabled": False}), "channels.telegram.enabled")
    content = _telegram()
    content["wifi"] = {"ssid": 5}
    _fails(content, "wifi.ssid", "a string")


def test_time_zone():
    content = _telegram()
    assert _load(content).tz is None  # UTC
    content["tz"] = "UTC0"
    assert _load(content).tz is None
    content["tz"] = "CET-1CEST,M3.5.0,M10.5.0/3"
    found = _load(content)
    assert found.tz == (3600, 7200, (3, 5, 0, 7200), (10, 5, 0, 10800)) and found.warnings == []
    for bad in ("", "Europe/Berlin", "CET", "CET-25", "CET-1CEST", "CET-1CEST,M3.5.0,M10.6.0"):
        content["tz"] = bad
        _fails(content, ": tz: ", repr(bad), "POSIX form, such as CET-1CEST,M3.5.0,M10.5.0/3")
    content["tz"] = 1
    _fails(content, "tz", "a string")


def test_state_interval():
    content = _telegram()
    assert _load(content).state_write_interval_s == 60
    content["state"] = {"write_interval_s": 3600, "max_bytes": 1}
    found = _load(content)
    assert found.state_write_interval_s == 3600
    assert found.warnings == ["state.max_bytes: unknown key, passed over"]
    assert not hasattr(found, "bot_updates") and not hasattr(found, "bot_trial_s")
    content["bot"] = {"updates": False, "trial_s": 5}
    other = _load(content)
    assert other.bot_updates is False and other.bot_trial_s == 5
    content["bot"] = {"trial_s": 0}
    _fails(content, "bot.trial_s", "1 to 3600")
    content["bot"] = {"updates": "no"}
    _fails(content, "bot.updates", "true or false")
    del content["bot"]
    content["state"] = {"write_interval_s": 0}
    _fails(content, "state.write_interval_s", "1 to 86400")


def test_how_many_are_served_side_by_side():
    content = _telegram()
    assert not hasattr(_load(content), "handlers_parallel")  # it costs nothing: seats.py has the default
    for parallel in (1, 3, 4):
        content["handlers"] = {"parallel": parallel}
        assert _load(content).handlers_parallel == parallel
    content["handlers"] = {"parallel": 2, "other": 1}
    found = _load(content)
    assert not hasattr(found, "handlers_parallel")
    assert found.warnings == ["handlers.other: unknown key, passed over"]
    for wrong in (0, 5, -1):
        content["handlers"] = {"parallel": wrong}
        _fails(content, PATH, "handlers.parallel", "found %d, expected 1 to 4" % wrong)
    for wrong in ("2", True, 1.5):
        content["handlers"] = {"parallel": wrong}
        _fails(content, "handlers.parallel", "expected a whole number")
    content["handlers"] = 2
    _fails(content, "handlers: found a whole number, expected an object")


def test_token_form():
    for bad in (
        "",
        "abc",
        "123:short",
        "x" + TOKEN,
        TOKEN + " ",
        TOKEN[:-1] + "é",
        "1" * 30 + TOKEN,
    ):
        _fails(_telegram(token=bad), "channels.telegram.token", "@BotFather")


def test_who_may_talk():
    found = _load(
        _telegram(allow_from=["1", 4503599627370495, "@Ann_B", "bob7", " 5 ", "*", "9|", "8|x"])
    )
    assert found.allow_from == ["1", "4503599627370495", "ann_b", "bob7", "5", "*", "9", "8"]
    for entry in ("@*", "*|bob", "@", "|bob", "", " ", "**", "bob|1", "1|@", "@1", "007", "0", "1" * 17, "-5",
                  "a b", "b\u00f6b", "\u0663", "x" * 33, "1.5", "_a", 0, 1.5, True, None, [], {}, ["1"]):  # fmt: skip
        _fails(_telegram(allow_from=["1", entry]), "channels.telegram.allow_from[1]")


def test_who_is_no_person():
    """The ids of groups, of Telegram's own accounts and of the bot would admit nobody, or anybody."""
    for entry, why in (
        (-1002147483647, "group"),
        ("-1002147483647", "group"),
        (1087968824, "anonymous admin"),
        ("1087968824|GroupAnonymousBot", "anonymous admin"),
        (136817688, "channel"),
        (777000, "Telegram"),
        ("123456789", "the bot itself"),
    ):
        _fails(_telegram(allow_from=[entry]), "channels.telegram.allow_from[0]", why)


def test_wifi_password():
    for good in ("", "x" * 8, "x" * 63, "\u00e9" * 4):
        content = _telegram()
        content["wifi"] = {"ssid": "s", "password": good}
        assert _load(content).wifi_password == good
    for bad in ("x", "short", "x" * 7, "x" * 64, "\u00e9" * 32):
        content["wifi"]["password"] = bad
        _fails(content, "wifi.password", "8 to 63")


def test_broken_files():
    whole = json.dumps(_telegram()).encode()
    _fails(b"", "not valid JSON")
    _fails(b"\xef\xbb\xbf" + whole, "byte order mark")
    _fails(whole + b" x", "not valid JSON")
    _fails(whole[:-1], "not valid JSON", "1 bracket(s)")
    _fails(b'{\n "a": "b\n}', "not valid JSON", "line 2")
    _fails(whole + b" " * 100000, "larger than 4096 bytes")
    _fails(whole.replace(b"12345", b"\xff\xfe"), "not UTF-8")
    _fails(b"[" * 4000, "not valid JSON")
    _fails(b'{5 "channels": true}')  # which MicroPython reads as a number for a key


def test_missing_file():
    try:
        config.load("build/no_such_file.json")
    except config.ConfigError as error:
        assert "no_such_file.json" in str(error)
        return
    raise AssertionError("a file that is not there was read")


def test_every_prefix_is_an_error_line():
    whole = json.dumps(_telegram(allow_from=["1"])).encode()
    for end in range(len(whole)):
        _fails(whole[:end], "config")


def test_who_asks_has_the_default_of_what_is_seldom_asked_for():
    usual = {path: default for path, _, default, _ in config._KEYS}
    askers = {
        "gateway.host": ("health.py", '"gateway_host", "%s")'),
        "gateway.port": ("health.py", '"gateway_port", %d)'),
        "handlers.parallel": ("seats.py", "_PARALLEL = const(%d)"),
        "bot.updates": ("update.py", '"bot_updates", %s)'),
        "bot.trial_s": ("steady.py", '"bot_trial_s", %d)'),
    }
    assert sorted(askers) == sorted(config._SELDOM)
    for path, (name, words) in askers.items():
        with open("firmware/copepod/" + name) as file:
            assert words % usual[path] in file.read(), path
