"""What Telegram would make of a message's text: TDLib's own parser, then the rules for a message.

TDLib (the `tdjson` package, run offline) parses the markup and repairs the entities; what the
server checks on top of that is done here: length of the raw text, trimming, emptiness, 4096
characters, and the hundred entities of which a message keeps no more.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import tdjson

from host_tools.simulator.files import MAX_CAPTION

MAX_RAW_BYTES = 32768
MAX_LENGTH = 4096
MAX_RICH_LENGTH = 32768  # characters of a rich message
MAX_ENTITIES = 100

# What a message can not consist of alone, beside blanks (TDLib: is_empty_string).
_BLANK = frozenset(
    [0x20, 0x0A, 0xA0, 0x1680, 0x180E, 0x202E, 0x202F, 0x205F, 0x2800, 0x3000, 0xFEFF, 0xFFFC]
    + list(range(0x2000, 0x2010))
    + list(range(0xE0000, 0xE0080))
)

_TYPES = {
    "textEntityTypeBold": "bold",
    "textEntityTypeItalic": "italic",
    "textEntityTypeUnderline": "underline",
    "textEntityTypeStrikethrough": "strikethrough",
    "textEntityTypeSpoiler": "spoiler",
    "textEntityTypeCode": "code",
    "textEntityTypePre": "pre",
    "textEntityTypePreCode": "pre",
    "textEntityTypeTextUrl": "text_link",
    "textEntityTypeMentionName": "text_mention",
    "textEntityTypeBlockQuote": "blockquote",
    "textEntityTypeExpandableBlockQuote": "expandable_blockquote",
    "textEntityTypeCustomEmoji": "custom_emoji",
    "textEntityTypeDateTime": "date_time",
    "textEntityTypeUrl": "url",
    "textEntityTypeEmailAddress": "email",
    "textEntityTypeMention": "mention",
    "textEntityTypeHashtag": "hashtag",
    "textEntityTypeCashtag": "cashtag",
    "textEntityTypeBotCommand": "bot_command",
    "textEntityTypePhoneNumber": "phone_number",
    "textEntityTypeBankCardNumber": "bank_card_number",
    "textEntityTypeMediaTimestamp": "media_timestamp",
}
# Order in which the server keeps entities when there are more than it keeps.
_STYLES = frozenset(["bold", "italic", "underline", "strikethrough", "spoiler"])

# Characters that TDLib's parseMarkdown, used here for its repair of entities, would read as marks.
_MARKS = "*_~|`[]()"

_MODES = {
    "html": {"@type": "textParseModeHTML"},
    "markdown": {"@type": "textParseModeMarkdown", "version": 1},
    "markdownv2": {"@type": "textParseModeMarkdown", "version": 2},
}


@dataclass
class Verdict:
    """The server's answer: accepted or not, why not, and what a reader would see.

    `entities` are in the Bot API's form (type, offset, length in UTF-16 units, url, language), after
    the server's repairs. `dropped` lists what the markup asked for and the server silently leaves
    out; links that it refuses are not in it (the parser never reports them), and it is exact only for
    text from which the server deletes no character.
    """

    ok: bool
    error: str | None = None
    text: str = ""
    entities: list[dict[str, Any]] = field(default_factory=list)
    dropped: list[dict[str, Any]] = field(default_factory=list)


def _call(request: dict[str, Any]) -> dict[str, Any]:
    answer = tdjson.td_execute(json.dumps(request).encode())
    return json.loads(answer) if answer else {}


_call({"@type": "setLogVerbosityLevel", "new_verbosity_level": 0})


def utf16_length(text: str) -> int:
    """Length in UTF-16 units, the unit of entity offsets."""
    return len(text) + sum(1 for char in text if ord(char) > 0xFFFF)


def _bot_api_entity(entity: dict[str, Any]) -> dict[str, Any]:
    kind = entity["type"]
    out: dict[str, Any] = {
        "type": _TYPES[kind["@type"]],
        "offset": entity["offset"],
        "length": entity["length"],
    }
    for key in ("url", "language", "user_id", "custom_emoji_id"):
        if key in kind:
            out[key] = kind[key]
    return out


def _rejection(message: str) -> Verdict:
    return Verdict(False, "Bad Request: " + message[:1].lower() + message[1:])


def _repair(formatted: dict[str, Any]) -> dict[str, Any]:
    """TDLib's fix_formatted_text, reached through parseMarkdown with its marks hidden."""
    text = formatted["text"]
    used = set(text)
    spare = (chr(code) for code in range(0xE000, 0xF8FF) if chr(code) not in used)
    hide = {mark: next(spare) for mark in _MARKS}
    hidden = text.translate(str.maketrans(hide))
    entities = [{"@type": "textEntity", **entity} for entity in formatted["entities"]]
    answer = _call(
        {
            "@type": "parseMarkdown",
            "text": {"@type": "formattedText", "text": hidden, "entities": entities},
        }
    )
    if answer.get("@type") == "formattedText":
        answer["text"] = answer["text"].translate(str.maketrans({v: k for k, v in hide.items()}))
    return answer


def _trim(text: str, entities: list[dict[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
    """Blanks at both ends go, on the left only up to the first entity; entities shrink along."""
    text = text.rstrip(" \n")
    length = utf16_length(text)
    first = min((entity["offset"] for entity in entities), default=length)
    cut = min(len(text) - len(text.lstrip(" \n")), first)
    text = text[cut:]
    kept = []
    for entity in entities:
        end = min(entity["offset"] + entity["length"], length)
        if end > entity["offset"]:
            start = entity["offset"] - cut
            kept.append({**entity, "offset": start, "length": end - cut - start})
    return text, kept


def _fewest(entities: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The hundred entities that a message keeps: not the styles first."""
    if len(entities) <= MAX_ENTITIES:
        return entities
    ranked = sorted(entities, key=lambda e: (e["type"] in _STYLES, e["offset"]))
    kept = ranked[:MAX_ENTITIES]
    return [entity for entity in entities if entity in kept]


def judge(
    text: str, parse_mode: str | None = "HTML", *, rich: bool = False, caption: bool = False
) -> Verdict:
    """What the Bot API would do with this `text` and `parse_mode` of sendMessage.

    `rich`: the text is a rich message's Markdown, which is taken as it is, but may be longer. `caption`: it stands
    below a file, may be empty and is shorter.
    """
    if text == "" and caption:
        return Verdict(True)
    if text == "":
        return _rejection("message text is empty")
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        return _rejection("text must be encoded in UTF-8")
    if rich:  # TDLib would cut it short, and does not know its Markdown
        if all(ord(char) in _BLANK for char in text):
            return _rejection("text must be non-empty")
        if len(text) > MAX_RICH_LENGTH:
            return _rejection("message is too long")
        return Verdict(True, None, text.strip(" \n"))
    if len(raw) > MAX_RAW_BYTES:
        return _rejection("text is too long")
    if parse_mode:
        mode = _MODES.get(parse_mode.lower())
        if mode is None:
            return _rejection("unsupported parse_mode")
        parsed = _call({"@type": "parseTextEntities", "text": text, "parse_mode": mode})
        if parsed.get("@type") != "formattedText":
            return _rejection(parsed.get("message", "internal error"))
    else:
        parsed = {"text": text, "entities": []}
    asked = [_bot_api_entity(entity) for entity in parsed["entities"]]
    fixed = _repair(parsed)
    if fixed.get("@type") != "formattedText":
        return _rejection(fixed.get("message", "internal error"))
    entities = [_bot_api_entity(entity) for entity in fixed["entities"]]
    clean, entities = _trim(fixed["text"], entities)
    if all(ord(char) in _BLANK for char in clean):
        return Verdict(True) if caption else _rejection("text must be non-empty")
    if len(clean) > (MAX_CAPTION if caption else MAX_LENGTH):
        return _rejection("message caption is too long" if caption else "message is too long")
    kept = _fewest(entities)
    return Verdict(True, None, clean, kept, _lost(asked, fixed, kept, entities))


def _lost(
    asked: list[dict[str, Any]],
    fixed: dict[str, Any],
    kept: list[dict[str, Any]],
    entities: list[dict[str, Any]],
) -> list[dict[str, Any]]:
    """Formatting that was asked for and that covers less text after the repair than before."""
    lost = [entity for entity in entities if entity not in kept]
    repaired = [_bot_api_entity(entity) for entity in fixed["entities"]]
    for entity in asked:
        if entity in repaired:
            continue
        kind = entity["type"]
        wanted = set(range(entity["offset"], entity["offset"] + entity["length"]))
        for other in repaired:
            if other["type"] == kind:
                wanted -= set(range(other["offset"], other["offset"] + other["length"]))
        if wanted:
            lost.append({**entity, "uncovered": len(wanted)})
    return lost
