"""Gives the assistant's model a function of bot.py to call. Memory: loaded by bot.py if it wants to, then kept.

from copepod.tools import tool

@tool("Switch the lamp.", on=bool)
def lamp(on):
    light.value(on)
    return "The lamp is " + ("on" if on else "off")

The function's name is the tool's. MicroPython keeps neither docstrings nor annotations, so that what the model is told
is said here: what it does, and its arguments by name, each bool, int, float or str, or with a word about it: `(int,
"in percent")`. All of them are needed. With `confirm=True` a person is asked first. A function may be async; what it
returns is told to the model as text, at most 1 kB of it, and so is an error that it raises.
"""

import json

confirmed = []  # names of those that a person is asked about before each call
registered = {}  # name -> (function, what it does, its arguments)

_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}


def tool(description, **arguments):
    """Register a function as a tool of the assistant's. ValueError for a type that has no name in JSON.

    `confirm=True`: whoever talks to the assistant is asked with buttons before each call.
    """
    asks = arguments.get("confirm") is True
    if asks:
        del arguments["confirm"]
    for name in arguments:
        if _type(arguments[name]) not in _TYPES:
            raise ValueError("tool argument %r: bool, int, float or str" % name)

    def register(function):
        registered[function.__name__] = (function, description, arguments)
        if asks:
            confirmed.append(function.__name__)
        return function

    return register


def schema(name):
    """What the model is told, JSON as bytes."""
    _, description, arguments = registered[name]
    properties = {}
    for key in arguments:
        value = arguments[key]
        properties[key] = {"type": _TYPES[_type(value)]}
        if type(value) is tuple:
            properties[key]["description"] = value[1]
    parameters = {"type": "object", "properties": properties, "required": sorted(arguments)}
    function = {"name": name, "description": description, "parameters": parameters}
    return json.dumps({"type": "function", "function": function}).encode()


def call(name, given):
    """Call it with what the model has given, or raise ValueError."""
    function, _, arguments = registered[name]
    for key in given:
        if key not in arguments:
            raise ValueError("there is no argument %s" % key)
    for key in arguments:
        if key not in given:
            raise ValueError("the argument %s is missing" % key)
        kind = _type(arguments[key])
        value = given[key]
        if kind is float and type(value) is int:
            given[key] = float(value)
        elif type(value) is not kind:
            raise ValueError("the argument %s: %s expected" % (key, _TYPES[kind]))
    return function(**given)


def _type(value):
    return value[0] if type(value) is tuple else value
