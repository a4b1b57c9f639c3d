"""Mutated configs through the reader of configs, and those that it takes through pairing."""

import os
import sys

import fuzz_cases

from copepod import config, config_edit
from copepod import parts

path = sys.argv[1]
SECRET = "AAExampleExampleExampleExampleExam"


def write(data):
    with open(path, "wb") as file:
        file.write(data)


def load():
    """The config, or None; refused in one line that does not tell the token."""
    try:
        return config.load(path)
    except config.ConfigError as error:
        text = str(error)
        assert "\n" not in text and text.startswith(path + ": "), text
        assert SECRET not in text
        return None


def check(data, number):
    write(data)
    found = load()
    if found is None:
        return False
    for warning in found.warnings:
        assert SECRET not in warning, warning
    gate = parts.access(found.allow_from)
    for entry in gate.allow:
        assert entry == "*" or entry.isdigit() or entry[0].isalpha(), entry
    try:
        config_edit.admit(path, ["7"])
    except ValueError:
        with open(path, "rb") as file:
            assert file.read() == bytes(data), "changed, although it says that it can't be"
        return True
    again = load()
    assert again is not None and again.allow_from == ["7"], "pairing made a config that is refused"
    assert (again.token, again.limit, again.wifi_ssid) == (
        found.token,
        found.limit,
        found.wifi_ssid,
    )
    return True


fuzz_cases.run(check)
os.remove(path)
