"""What an hour and a day may cost, kept over restarts. Memory: dropped after use; the file state/usage.json."""

import json
import os
from time import time

_NAMES = ("hour", "turns_hour", "day", "turns_day", "tokens_day")


def usage(model):
    """What was used in this hour and on this day, a dict."""
    found: "Any" = None
    try:
        with open(_path(model)) as file:
            found = json.load(file)
    except (OSError, ValueError):
        pass
    if type(found) is not dict:
        found = {}
    for name in _NAMES:
        if type(found.get(name)) is not int:
            found[name] = 0
    hour = int(time()) // 3600
    if found["hour"] != hour:
        found["hour"] = hour
        found["turns_hour"] = 0
    if found["day"] != hour // 24:
        found["day"] = hour // 24
        found["turns_day"] = found["tokens_day"] = 0
    return found


def begin(model):
    """Count a turn; the sentence to say instead of it when there may be none."""
    found = usage(model)
    if found["turns_hour"] >= model.turns_per_hour:
        return (
            "I have answered %d questions in this hour, which is my limit." % model.turns_per_hour
        )
    if found["turns_day"] >= model.turns_per_day:
        return "I have answered %d questions today, which is my limit." % model.turns_per_day
    if found["tokens_day"] >= model.tokens_per_day:
        return "Today's %d tokens are used up." % model.tokens_per_day
    found["turns_hour"] += 1
    found["turns_day"] += 1
    _store(model, found)
    return None


def spend(model, tokens):
    """Count tokens; False when the day's are used up."""
    found = usage(model)
    found["tokens_day"] += tokens
    _store(model, found)
    return found["tokens_day"] < model.tokens_per_day


def _path(model):
    return model.workspace + "/state/usage.json"


def _store(model, found):
    path = _path(model)
    with open(path + ".new", "w") as file:
        json.dump(found, file)
    os.rename(path + ".new", path)
