"""The config's part about the model: PicoClaw's keys and ours, each fault a line that names its key."""

import json

from copepod.assistant import config as settings

PURE = True

BASE = "http://192.168.1.5:11434/v1"
SECRET = "sk-9f8e7d6c5b4a"


def entry(more=None):
    found = {"model_name": "m", "model": "llama3", "api_base": BASE}
    found.update(more or {})
    return {"model_list": [found]}


def check(found, path="/config.json"):
    warnings = []
    return settings.check(json.loads(json.dumps(found)), path, warnings), warnings


def fails(found, *words):
    try:
        check(found)
    except ValueError as error:
        text = str(error)
        assert SECRET not in text
        assert "\n" not in text
        for word in words:
            assert word in text, text
        return
    raise AssertionError("nothing was wrong with %s" % found)


def test_what_a_small_config_means():
    model, warnings = check(entry())
    asked = model.endpoint
    assert (asked.label, asked.name, asked.host, asked.port) == (
        "m",
        "llama3",
        "192.168.1.5",
        11434,
    )
    assert (asked.tls, model.tls, asked.path) == (False, False, b"/v1/chat/completions")
    assert (asked.key, asked.headers, model.pins, model.switched_off) == ("", (), {}, ())
    assert (asked.request_timeout_s, asked.fallbacks, model.endpoints) == (0, (), [asked])
    assert (model.max_tokens, model.max_tool_iterations, model.temperature) == (1024, 8, None)
    assert model.workspace == "/workspace"
    assert warnings == []
    assert check({"model_list": []})[0] is None
    assert check({})[0] is None


def test_which_model_is_meant():
    two = entry({"model_name": "a", "model": "x"})
    two["model_list"] += entry({"model_name": "b", "model": "y"})["model_list"]
    assert check(two)[0].endpoint.name == "x"
    two["agents"] = {"defaults": {"model_name": "b"}}
    model = check(two)[0]
    assert (model.endpoint.name, model.default) == ("y", "b")
    assert [each.label for each in model.endpoints] == ["a", "b"]
    two["agents"]["defaults"]["model_name"] = "c"
    fails(two, "agents.defaults.model_name", "no entry")


def test_who_is_asked_when_a_model_fails():
    two = entry({"model_name": "a", "request_timeout": 30, "fallbacks": ["b", "a", "away", "c"]})
    two["model_list"] += entry({"model_name": "b", "fallbacks": ["a"]})["model_list"]
    two["model_list"] += entry({"model_name": "c"})["model_list"]
    two["agents"] = {"defaults": {"model_fallbacks": ["b"]}}
    model, warnings = check(two)
    a, b, c = model.endpoints
    assert (a.request_timeout_s, b.request_timeout_s) == (30, 0)
    assert (a.fallbacks, b.fallbacks, c.fallbacks) == ((b, c), (a,), (b,))
    assert warnings == ["model_list[0].fallbacks: away is not a model that can be asked"]


def test_what_is_wrong_with_another_model_is_a_warning():
    two = entry({"model_name": "a", "fallbacks": ["b"]})
    two["model_list"] += entry({"model_name": "b", "api_base": "https://box/v1"})["model_list"]
    for more, word in (
        ({}, "model_list[1].ca: missing"),
        ({"ca": "b.der", "model": None}, "model_list[1].model: missing"),
        ({"ca": "b.der", "api_keys": [SECRET + " x"]}, "model_list[1].api_keys[0]"),
        ({"ca": "b.der", "request_timeout": -1}, "model_list[1].request_timeout"),
        ({"ca": "b.der", "fallbacks": [1]}, "model_list[1].fallbacks"),
    ):
        found = json.loads(json.dumps(two))
        found["model_list"][1].update(more)
        model, warnings = check(found)
        assert [each.label for each in model.endpoints] == ["a"]
        assert model.endpoint.fallbacks == ()
        assert warnings[0].startswith(word) and warnings[0].endswith("it is not asked"), warnings
        assert "fallbacks: b is not" in warnings[1] and SECRET not in str(warnings)
    # the same names, those that are switched off
    two["model_list"][1]["enabled"] = False
    two["model_list"] += entry({"model_name": "a", "model": "other"})["model_list"]
    assert [each.name for each in check(two)[0].endpoints] == ["llama3"]


def test_each_host_has_a_root_of_its_own():
    two = entry({"model_name": "a"})
    more = {"model_name": "b", "api_base": "https://box/v1", "ca": "box.der"}
    two["model_list"] += entry(more)["model_list"]
    model = check(two)[0]
    assert [each.ca for each in model.endpoints] == ["", "/box.der"]
    assert (model.tls, model.hosts_ca) == (False, "")
    two["tls"] = {"model_ca": "model.der"}
    model = check(two)[0]
    assert [each.ca for each in model.endpoints] == ["/model.der", "/box.der"]
    two["agents"] = {"defaults": {"model_name": "b"}}
    assert check(two)[0].endpoint.ca == "/box.der"


def test_picoclaws_protocols():
    tls = {"tls": {"model_ca": "model.der"}}
    for name, base, told, host in (
        ("openai/gpt-5", None, "gpt-5", "api.openai.com"),
        ("openrouter/anthropic/claude-x", None, "anthropic/claude-x", "openrouter.ai"),
        (
            "anthropic/claude-x",
            "https://openrouter.ai/api/v1",
            "anthropic/claude-x",
            "openrouter.ai",
        ),
        ("openai/llama3", "https://box.local:8443/v1", "llama3", "box.local"),
        ("qwen/qwen3", "https://box.local/v1", "qwen/qwen3", "box.local"),
    ):
        found = {"model_list": [{"model": name}]}
        if base:
            found["model_list"][0]["api_base"] = base
        found.update(tls)
        model = check(found)[0]
        asked = model.endpoint
        assert (asked.name, asked.host, asked.tls, model.tls) == (told, host, True, True), name
        assert (asked.label, asked.ca) == (name, "/model.der")
    fails({"model_list": [{"model": "openai/gpt-5"}]}, "tls.model_ca", "missing")
    fails({"model_list": [{"model": "qwen3"}]}, "model_list[0].api_base", "missing")
    assert check({"model_list": [{"model": "ollama/llama3"}]})[0].endpoint.host == "localhost"


def test_everything_that_is_ours():
    found = entry({"api_keys": [SECRET], "custom_headers": {"X-Title": "me"}})
    found["model_list"][0]["max_tokens_field"] = "max_completion_tokens"
    found["agents"] = {
        "defaults": {"temperature": 0.5, "workspace": "/sd/work/", "max_tokens": 99}
    }
    found["limits"] = {"turns_per_day": 7, "tokens_per_day": 8, "silence_s": 9}
    found["hardware"] = {"pins": {"lamp": 2, "door": {"pin": 4, "mode": "up"}}}
    found["tools"] = {"write_file": {"enabled": False}, "exec": {"enabled": True}}
    model, warnings = check(found)
    asked = model.endpoint
    assert (asked.key, asked.headers) == (SECRET, ("X-Title: me",))
    assert asked.max_tokens_field == "max_completion_tokens"
    assert (model.temperature, model.workspace, model.max_tokens) == ("0.5", "/sd/work", 99)
    assert (model.turns_per_day, model.tokens_per_day, model.silence_s) == (7, 8, 9)
    assert model.pins == {"lamp": (2, "out"), "door": (4, "up")}
    assert model.switched_off == ("write_file",)
    assert len(warnings) == 1 and "unencrypted" in warnings[0] and SECRET not in warnings[0]


def test_unknown_keys_are_named():
    found = entry()
    found["limits"] = {"turns": 1}
    found["agents"] = {"defaults": {"max_tokenz": 1}}
    warnings = check(found)[1]
    assert sorted(warnings) == [
        "agents.defaults.max_tokenz: unknown key, passed over",
        "limits.turns: unknown key, passed over",
    ]


def test_every_fault_names_its_key():
    fails({"model_list": {}}, "model_list", "a list")
    fails({"model_list": ["m"]}, "model_list[0]", "an object")
    fails(entry({"model": None}), "model_list[0].model", "missing")
    fails(entry({"api_base": "ftp://x/v1"}), "model_list[0].api_base")
    fails(entry({"api_base": "http://x:y/v1"}), "model_list[0].api_base")
    fails(entry({"api_base": "http://x/" + "v" * 200}), "model_list[0].api_base", "128")
    fails(entry({"api_keys": SECRET}), "model_list[0].api_keys")
    fails(entry({"api_keys": [SECRET + " x"]}), "model_list[0].api_keys[0]")
    fails(entry({"max_tokens_field": "n"}), "max_tokens_field")
    for seconds in (-1, 3601, 1.5, "30"):
        fails(entry({"request_timeout": seconds}), "model_list[0].request_timeout", "0 to 3600")
    for names in ("b", ["b", 1]):
        fails(entry({"fallbacks": names}), "model_list[0].fallbacks", "a list")
    fails(entry({"custom_headers": {"X": "a\r\nb"}}), "custom_headers.X")
    for limit, value in (("turns_per_hour", 0), ("tokens_per_day", "many"), ("silence_s", 601)):
        found = entry()
        found["limits"] = {limit: value}
        fails(found, "limits." + limit, "expected")
    for pin in ("2", 64, -1, {"mode": "out"}, {"pin": 2, "mode": "up and down"}):
        found = entry()
        found["hardware"] = {"pins": {"lamp": pin}}
        fails(found, "hardware.pins.lamp")
    found = entry()
    found["agents"] = {"defaults": {"temperature": 3}}
    fails(found, "agents.defaults.temperature")
    found["agents"] = {"defaults": {"workspace": "~/.picoclaw/workspace"}}
    fails(found, "agents.defaults.workspace")


def test_what_is_connected_and_whom_a_tool_may_ask():
    found = entry()
    found["hardware"] = {
        "pins": {
            "wires": {"mode": "i2c", "scl": 22, "sda": 21},
            "strip": {"mode": "neopixel", "pin": 5, "count": 30},
            "one": {"mode": "neopixel", "pin": 6},
            "climate": {"mode": "dht22", "pin": 15},
        }
    }
    found["tools"] = {
        "http_get": {"hosts": ["home.local:8123"], "ca": "web.der"},
        "gpio_write": {"confirm": True},
        "note": {"confirm": False},
        "exec": True,
    }
    model = check(found)[0]
    assert model.pins == {
        "wires": (22, "i2c", 21),
        "strip": (5, "neopixel", 30),
        "one": (6, "neopixel", 1),
        "climate": (15, "dht22"),
    }
    assert (model.hosts, model.hosts_ca) == (("home.local:8123",), "/web.der")
    assert (model.confirmed, model.switched_off) == (("gpio_write",), ())
    for pin in (
        {"mode": "i2c", "scl": 22},
        {"mode": "neopixel", "pin": 5, "count": 0},
        {"mode": "dht22"},
    ):
        found["hardware"]["pins"] = {"wires": pin}
        fails(found, "hardware.pins.wires")
    found["hardware"] = {}
    for hosts in ("home.local", [1], ["http://home.local"], ["a b"], [""]):
        found["tools"] = {"http_get": {"hosts": hosts}}
        fails(found, "tools.http_get.hosts")
    found["tools"] = {"note": {"confirm": "yes"}}
    fails(found, "tools.note.confirm")
