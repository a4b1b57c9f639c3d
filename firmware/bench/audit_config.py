"""The configuration in use: ten channels' worth against one. Memory: what is kept, per row."""

import json
import sys

_CHANNELS = (
    "telegram discord slack whatsapp feishu dingtalk line qq onebot maixcam".split()
)  # what the audited configuration has room for
_TOKEN = "123456:abcdefghijklmnopqrstuvwxyz012345678"


def ten_channels():
    """Every channel's settings in dicts, as they come from JSON, used or not."""
    channels = {}
    for name in _CHANNELS:
        channels[name] = {
            "enabled": name == "telegram",
            "token": _TOKEN if name == "telegram" else "",
            "proxy": "",
            "base_url": "",
            "webhook_host": "0.0.0.0",
            "webhook_port": 18791,
            "webhook_path": "/webhook/" + name,
            "allow_from": ["123456789"] if name == "telegram" else [],
        }
    found = {"channels": channels, "gateway": {"host": "127.0.0.1", "port": 18790}}
    return json.loads(json.dumps(found))


def one_channel():
    """Copepod: one object with the settings that are used; reader and table of keys dropped."""
    from copepod import config

    found = {
        "channels": {"telegram": {"token": _TOKEN, "allow_from": ["123456789"]}},
        "gateway": {"host": "127.0.0.1", "port": 18790},
    }
    settings = config.check(found, "config.json")
    sys.modules.pop("copepod.config", None)
    sys.modules["copepod"].__dict__.pop("config", None)
    return settings


one_channel()  # names are interned at the first import, and stay
KEPT = (("ten channels, as parsed", ten_channels), ("one channel, checked", one_channel))
