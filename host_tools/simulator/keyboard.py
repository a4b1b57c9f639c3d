"""Lines that a person types become what Telegram users do: texts, media, presses, faults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from host_tools.console import visible
from host_tools.simulator.faults import KINDS
from host_tools.simulator.files import MAX_UPLOAD_B
from host_tools.simulator.judge import MAX_LENGTH
from host_tools.simulator.server import Simulator
from host_tools.simulator.updates import GROUP, MEDIA, USER

HELP = """\
a line is sent to the bot as a message; lines that begin with ! do more:
  !photo, !voice, !location …     send what is no text: {media}
  !file PATH [CAPTION]            send a file; one that ends in .jpg as a photo
  !press LABEL                    press a button under the bot's message
  !group TEXT                     the same text in a group
  !reply TEXT                     answer the bot's last message
  !edit TEXT                      edit a message
  !big BYTES TEXT                 a message in an update of so many bytes
  !fault KIND [METHOD] [COUNT]    let something go wrong: {faults}
  !calls                          how often each method was called
  !help                           this"""


def act(sim: Simulator, line: str, user: int = USER) -> str | None:
    """Do what the line says; returns a text for the person, if there is something to say."""
    if not line.strip():
        return None
    if not line.startswith("!"):
        parts = split(line)
        for part in parts:
            sim.push_text(part, user=user)
        if len(parts) > 1:
            return f"sent as {len(parts)} messages, as Telegram's apps do with more than 4,096 letters"
        return None
    word, _, rest = line[1:].partition(" ")
    return _special(sim, word, rest.strip(), user)


def split(text: str) -> list[str]:
    """The text in pieces that a message may have: at most 4,096 UTF-16 units each."""
    parts, part, length = [], "", 0
    for letter in text:
        units = 2 if letter > "\uffff" else 1
        if length + units > MAX_LENGTH:
            parts.append(part)
            part, length = "", 0
        part += letter
        length += units
    return [*parts, part]


def _special(sim: Simulator, word: str, rest: str, user: int) -> str | None:
    if word in MEDIA:
        sim.push_media(word, user=user)
    elif word == "file":
        return _file(sim, rest, user)
    elif word == "press":
        try:
            sim.press(rest, user=user)
        except ValueError:  # a button of a message from before
            sim.push_callback(rest or "button", user=user)
    elif word == "group":
        sim.push_text(rest, user=user, chat=GROUP)
    elif word == "reply":
        sim.push_text(rest, user=user, reply_to_message=_last(sim))
    elif word == "edit":
        sim.push_text(rest, user=user, kind="edited_message", edit_date=1)
    elif word == "big":
        size, _, text = rest.partition(" ")
        if not size.isdigit():
            return "!big BYTES TEXT, like !big 1000000 hello"
        sim.push_text(text or "big", user=user, pad=int(size))
    elif word == "fault":
        return _fault(sim, rest.split())
    elif word == "calls":
        return _calls(sim)
    elif word != "help":
        return f"no !{visible.line(word)[:20]}: !help lists what there is"
    else:
        return HELP.format(media=", ".join(MEDIA), faults=", ".join(KINDS))
    return None


def _file(sim: Simulator, rest: str, user: int) -> str | None:
    name, _, caption = rest.partition(" ")
    path = Path(name).expanduser()
    try:
        data = path.read_bytes()
    except OSError as error:
        return f"{visible.line(name)}: {error.strerror}" if name else "!file PATH [CAPTION]"
    if len(data) > MAX_UPLOAD_B:
        return f"{visible.line(name)}: {len(data):,} bytes, at most {MAX_UPLOAD_B:,}"
    kind = "photo" if path.suffix.lower() in (".jpg", ".jpeg") else "document"
    more: dict[str, Any] = {"caption": caption.strip()} if caption.strip() else {}
    sim.push_file(data, path.name, kind=kind, user=user, **more)
    return f"sent as a {kind} of {len(data):,} bytes"


def _last(sim: Simulator) -> dict[str, Any]:
    if not sim.sent:
        return {"message_id": 1, "date": 0, "chat": {"id": USER, "type": "private"}, "text": "?"}
    sent = sim.sent[-1]
    return {
        "message_id": sent.message_id,
        "from": sim.methods.bot,
        "chat": {"id": sent.chat_id, "type": "private"},
        "date": int(sent.at),
        "text": sent.text,
    }


def _fault(sim: Simulator, words: list[str]) -> str:
    kind, method, count = (*words, "", "", "")[:3]
    if kind not in KINDS:
        return "\n".join(f"{name:12} {about}" for name, about in KINDS.items())
    number = int(count) if count.isdigit() else 1
    sim.fault(kind, method or "*", number)
    return f"the next {number} of {method or 'any method'}: {KINDS[kind]}"


def _calls(sim: Simulator) -> str:
    counts: dict[str, int] = {}
    for call in sim.calls:
        counts[call.method] = counts.get(call.method, 0) + 1
    told = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
    return f"{told or 'no calls'}; {len(sim.connections)} connections, {sim.handshakes} handshakes"
