"""Messages that outlive a restart: kept in a file until Telegram has accepted them. Memory: one at a time.

Beside the config, in NAME.unsent.jsonl: a line of JSON each, [number, chat id, Markdown, buttons], 4 KiB in all. A
crash between "accepted" and the line's end sends it once more: at least once is what can be had.
"""

import json
import os

from micropython import const

from copepod import answers
from copepod.log import log
from copepod.messages import AnswerRefused
from copepod.once import forget

_MOST_B = const(4096)
_ENOSPC = const(28)  # which not every port's errno has


async def send(gateway, chat_id, markdown, buttons):
    """Keep the message, send it, forget it. Returns a Sent, or AnswerRefused.

    OSError(ENOSPC) when there is no room for it in the file; nothing is sent then. Cancelled, it is sent after the
    next restart.
    """
    forget("copepod.durable")
    if not isinstance(markdown, str):
        raise TypeError("what is durable is a str")
    if buttons:
        from copepod import keyboard

        keyboard.markup(buttons)  # which raises now what it would raise for ever
    path = gateway.config.path + ".unsent.jsonl"
    number = keep(path, chat_id, markdown, buttons)
    return await _send(gateway, path, number, chat_id, markdown, buttons)


async def send_kept(gateway, path, numbers):
    """Send what a run before has left; to be called with numbers_in(path) before anything else is kept."""
    for number in numbers:
        entry = _entry(path, number)
        if entry is None:
            _drop(path, number)
            continue
        _, chat_id, markdown, buttons = entry
        log("bot", "sending what a restart has cut off, to ", chat_id)
        try:
            await _send(gateway, path, number, chat_id, markdown, buttons)
        except AnswerRefused as error:
            log("bot", "it is refused: ", error)


def numbers_in(path):
    """The numbers of what is kept; none, most of the time."""
    try:
        with open(path, "rb") as file:
            return [_number(line) for line in file]
    except OSError:
        return ()


async def _send(gateway, path, number, chat_id, markdown, buttons):
    try:
        sent = await answers.send(gateway, chat_id, markdown, None, None, buttons)
    except (AnswerRefused, ValueError):
        _drop(path, number)
        raise
    _drop(path, number)
    return sent


def _number(line):
    # 7 of b'[7, …'; what is no such line has the number 0, and is dropped.
    digits = line[1 : line.find(b",")]
    return int(digits) if digits.isdigit() else 0


def keep(path, chat_id, markdown, buttons):
    """Append the message to the file at `path`, which is sent after the next start; returns its number. OSError."""
    number = max(numbers_in(path) or (0,)) + 1
    line = json.dumps([number, chat_id, markdown, buttons]) + "\n"
    try:
        size_b = os.stat(path)[6]
    except OSError:
        size_b = 0
    if size_b + len(line.encode()) > _MOST_B:
        raise OSError(_ENOSPC)
    _write(path, None, line)
    return number


def _drop(path, number):
    # The message needs nothing more.
    try:
        _write(path, number, "")
    except OSError as error:
        log("bot", path, " can't be written: ", error)


def _write(path, without, added):
    from copepod.platform import files

    forget("copepod.platform.files")
    files.write_atomic(path, _lines(path, without, added))


def _lines(path, without, added):
    # What the file shall hold, line by line.
    try:
        with open(path, "rb") as file:
            for line in file:
                if _number(line) != without:
                    yield line
    except OSError:
        pass
    yield added.encode()


def _entry(path, number):
    # What is kept under that number; None when it can't be read.
    try:
        with open(path, "rb") as file:
            for line in file:
                if _number(line) == number:
                    entry = json.loads(line)
                    return entry if len(entry) == 4 and isinstance(entry[2], str) else None
    except (OSError, ValueError):
        pass
    return None
