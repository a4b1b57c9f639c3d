"""Runs the tool calls of a line, one after the other, and writes down what came of each. Memory: dropped after use.

What a tool says is at most 1 kB. One that fails is an answer, too: the model is told what went wrong.
"""

import json
import sys

from micropython import const

from copepod.assistant.calls import Calls
from copepod.log import log
from copepod.once import forget

forget("copepod.assistant.calls")

_RESULT_B = const(1024)
_CONNECTING = ("http_get", "message")  # tools that need a connection
_HELPERS = ("pins", "schedule", "workspace_files")
_SAME = const(3)  # identical calls in a row that are too many
_LOST = "error: the board was restarted before this call had come to its end; it may have been done or not"
_DECLINED = "declined by the user"
_NOBODY = "error: this needs somebody's yes, and nobody is asked now; tell them what you would do"
_AGAIN = "error: the same call for the third time, which is not made; say what you know"


async def run(asking, at, first, lost, yes, dropped, watch):
    """Run the calls from number `first` on of the line at `at`; `lost`: a crash may have cut the first one.

    `yes`: what somebody has decided about the first one, None if they were not asked. When they are to be asked about
    one, that is what is returned, and no more is run: a question and its buttons. `dropped` calls were left out of the
    line. `watch` is a list in which a turn remembers its last call, and how often it was made in a row. Returns False
    when that was three times.
    """
    session = asking.session
    with open(session.path, "rb") as file:
        calls = Calls()
        calls.at(file, at)
        count = calls.count
        fine = True
        result: "Any"
        for index in range(first, count):
            calls.at(file, at, index)
            if _again(watch, hash((calls.name, bytes(calls.arguments)))):
                fine = False
                result = _AGAIN
            else:
                settled = index == first and yes is not None
                result = None
                if settled and not yes:
                    result = _DECLINED
                elif not settled and asks_first(asking.model, calls.name):
                    result = _question(asking, calls)
                    if type(result) is tuple:
                        return result
                elif lost and index == first:
                    result = _LOST
                if result is None:
                    result = await _result(asking, calls.name, calls.arguments)
            if dropped and index == count - 1:
                result += "\n(%d more calls were left out: %d at a time)" % (dropped, count)
            line = session.line()
            line.write(b'{"role":"tool","tool_call_id":"')
            _text(line, calls.call_id)
            line.write(b'","content":"')
            _text(line, result)
            line.write(b'"}')
            session.complete(line)
    return fine


def asks_first(model, name):
    """Whether somebody is to be asked before this tool is called."""
    tools = sys.modules.get("copepod.tools")
    return name in model.confirmed or tools is not None and name in tools.confirmed


def _question(asking, calls):
    # The question and its buttons; what the model is told where nobody can be asked; None for a call that is none.
    if not asking.session.asks:
        return _NOBODY
    try:
        given = json.loads(calls.arguments) if calls.arguments else {}
    except ValueError:
        return None
    if type(given) is not dict or "malformed" in given:
        return None
    from copepod.assistant import confirming

    forget("copepod.assistant.confirming")
    return confirming.question(asking, calls.name, given)


def _again(watch, call):
    watch[:] = (call, watch[1] + 1) if watch and watch[0] == call else (call, 1)
    return watch[1] >= _SAME


async def _result(asking, name, arguments):
    # What the tool says, "error: …" if it fails.
    try:
        given = json.loads(arguments) if arguments else {}
        if type(given) is not dict or "malformed" in given:
            return "error: the arguments are no JSON object of at most 1 kB"
        result = await _called(asking, name, given)
    except Exception as error:
        log("tool", name, " failed: ", type(error).__name__)
        return _cut("error: %s: %s" % (type(error).__name__, error))
    if result is None:
        return "done"
    return _cut(result if type(result) is str else str(result))


async def _called(asking, name, given):
    gateway = asking.gateway
    tools = sys.modules.get("copepod.tools")
    own = tools is not None and name in tools.registered
    if asking.endpoint.tls and (own or name in _CONNECTING):
        asking.release()  # what it sends needs the room of the model's TLS session
    if own:
        result = tools.call(name, given)
        return await result if hasattr(result, "send") else result
    module = "copepod.assistant.tools." + name
    try:
        if not _offered(gateway.config.model, name):
            raise ImportError
        __import__(module)
    except ImportError:
        return "error: there is no tool of this name"
    try:
        result = sys.modules[module].run(gateway, **given)
        return await result if hasattr(result, "send") else result
    finally:
        forget(module)
        for helper in _HELPERS:
            forget("copepod.assistant." + helper)
        forget("copepod.assistant.tools")


def _offered(model, name):
    return name not in model.switched_off and "." not in name and name[:1] != "_"


def _cut(text):
    data = memoryview(text)
    if len(data) <= _RESULT_B:
        return text
    end = _RESULT_B - 32
    while data[end] & 0xC0 == 0x80:
        end -= 1
    return str(data[:end], "utf8") + "… (cut at 1 kB)"  # pyright: ignore[reportArgumentType]


def _text(line, text):
    data = memoryview(text)
    line.write_json(data, 0, len(data))
