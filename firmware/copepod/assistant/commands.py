"""The assistant's commands: /new, /model, /tools, /stop, /usage. Memory: loaded when asked, dropped after it."""

import json

from copepod.once import forget


def answer(msg):
    """The answer to one of them."""
    model = msg.gateway.config.model
    command = msg.command
    if command == "new":
        return _new(msg)
    if command == "model":
        from copepod.assistant import choice

        forget("copepod.assistant.choice")
        return choice.answer(model, msg.args)
    if command == "tools":
        return _tools(model)
    if command == "stop":
        return "Nothing is being written any more."
    return _usage(model)


def _new(msg):
    from copepod.assistant import turn_begin

    turn_begin.history.clear(turn_begin.open_session(msg.gateway.config.model, msg.chat_id))
    forget("copepod.assistant.turn_begin")
    for name in ("session", "window"):
        forget("copepod.assistant." + name)
    return "This is a new conversation."


def _tools(model):
    with open(model.workspace + "/state/tools.json") as file:
        found = [entry["function"] for entry in json.load(file)]
    from copepod.assistant.run_tools import asks_first

    forget("copepod.assistant.run_tools")
    forget("copepod.assistant.calls")
    rows = []
    for entry in found:
        asks = " I ask you first." if asks_first(model, entry["name"]) else ""
        rows.append("- **%s** %s%s" % (entry["name"], entry["description"], asks))
    if not model.endpoint.with_tools:
        rows.append("The model's server takes no tools.")
    return "\n".join(rows) or "It has no tools."


def _usage(model):
    from copepod.assistant import limits

    found = limits.usage(model)
    forget("copepod.assistant.limits")
    rows = (
        ("questions in this hour", found["turns_hour"], model.turns_per_hour),
        ("questions today", found["turns_day"], model.turns_per_day),
        ("tokens today", found["tokens_day"], model.tokens_per_day),
    )
    return "\n".join(["- %s: %d of %d" % row for row in rows])
