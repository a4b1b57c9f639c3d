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
    assert (model.name, model.host, model.port, model.tls) == (
        "llama3",
        "192.168.1.5",
        11434,
        False,
    )
    assert model.path == b"/v1/chat/completions"
    assert (model.key, model.headers, model.pins, model.switched_off) == ("", [], {}, [])
    assert (model.max_tokens, model.max_tool_iterations, model.temperature) == (1024, 8, None)
    assert model.workspace == "/workspace"
    assert warnings == []
    assert check({"model_list": []})[0] is None
    assert check({})[0] is None


def test_which_model_is_meant():
    two = entry({"model_name": "a", "model": "x"})
    two["model_list"] += entry({"model_name": "b", "model": "y"})["model_list"]
    assert check(two)[0].name == "x"
    two["agents"] = {"defaults": {"model_name": "b"}}
    assert check(two)[0].name == "y"
    two["agents"]["defaults"]["model_name"] = "c"
    fails(two, "agents.defaults.model_name", "no entry")


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
        assert (model.name, model.host, model.tls) == (told, host, True), name
        assert model.ca == "/model.der"
    fails({"model_list": [{"model": "openai/gpt-5"}]}, "tls.model_ca", "missing")
    fails({"model_list": [{"model": "qwen3"}]}, "model_list[0].api_base", "missing")
    assert check({"model_list": [{"model": "ollama/llama3"}]})[0].host == "localhost"


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
    assert (model.key, model.headers, model.max_tokens_field) == (
        SECRET,
        ["X-Title: me"],
        "max_completion_tokens",
    )
    assert (model.temperature, model.workspace, model.max_tokens) == ("0.5", "/sd/work", 99)
    assert (model.turns_per_day, model.tokens_per_day, model.silence_s) == (7, 8, 9)
    assert model.pins == {"lamp": (2, "out"), "door": (4, "up")}
    assert model.switched_off == ["write_file"]
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
    assert (model.hosts, model.hosts_ca) == (["home.local:8123"], "/web.der")
    assert (model.confirmed, model.switched_off) == (["gpio_write"], [])
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
