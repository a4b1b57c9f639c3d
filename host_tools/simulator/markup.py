"""Inline keyboards as the server takes them: what is wrong with one, and which button was pressed.

https://core.telegram.org/bots/api#inlinekeyboardmarkup
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from host_tools.simulator.updates import Json

MAX_DATA_B = 64
MAX_BUTTONS = 100
MAX_IN_ROW = 8  # a row with more is cut by the server into several
SCHEMES = ("http", "https", "tg", "ton", "tonsite")
# What a button does, beside `text`; exactly one of them. Others than these two are taken as they are.
ACTIONS = ("url", "callback_data", "web_app", "login_url", "switch_inline_query")
ACTIONS += ("switch_inline_query_current_chat", "switch_inline_query_chosen_chat", "copy_text")
ACTIONS += ("callback_game", "pay")


class BadMarkup(ValueError):
    """The server refuses it; the text is the description after "Bad Request: "."""


def check(markup: Any) -> Json | None:
    """The markup as it will be kept, None for one that shows nothing. Raises BadMarkup."""
    if markup is None or markup == {}:
        return None
    if not isinstance(markup, dict):
        raise BadMarkup("object expected as reply markup")
    if "inline_keyboard" not in markup:
        return markup  # a keyboard of another kind, which is none of a message's
    rows = markup["inline_keyboard"]
    if not isinstance(rows, list):
        raise BadMarkup('field "inline_keyboard" must be of type Array')
    kept: list[list[Json]] = []
    for row in rows:
        if not isinstance(row, list):
            raise BadMarkup("can't parse inline keyboard button: expected an Array")
        made = [_button(each) for each in row]
        kept += [made[at : at + MAX_IN_ROW] for at in range(0, len(made), MAX_IN_ROW)]
    if sum(map(len, kept)) > MAX_BUTTONS:
        raise BadMarkup("REPLY_MARKUP_TOO_LONG")
    return {"inline_keyboard": kept} if kept else None


def _button(button: Any) -> Json:
    if not isinstance(button, dict):
        raise BadMarkup("can't parse inline keyboard button: expected an Object")
    for name in ("text", "url", "callback_data"):
        if name in button and not isinstance(button[name], str):
            raise BadMarkup(
                f'can\'t parse inline keyboard button: Field "{name}" must be of type String'
            )
    if not button.get("text", "").strip():
        raise BadMarkup("can't parse inline keyboard button: Can't find field \"text\"")
    if not any(name in button for name in ACTIONS):
        raise BadMarkup(
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
        )
    if "url" in button:
        _url(button["url"])
    elif "callback_data" in button and not 0 < len(button["callback_data"].encode()) <= MAX_DATA_B:
        raise BadMarkup("BUTTON_DATA_INVALID")
    return button


def _url(url: str) -> None:
    scheme, separator, _ = url.partition("://")
    if separator and scheme.lower() not in SCHEMES:
        raise BadMarkup(f"inline keyboard button URL '{url}' is invalid: Unsupported URL protocol")
    if scheme.lower() in ("http", "https"):
        host = urlsplit(url).hostname or ""
        if "." not in host.strip("."):
            raise BadMarkup("BUTTON_URL_INVALID")


def buttons(markup: Any) -> list[Json]:
    """Every button of a message's keyboard."""
    rows = markup.get("inline_keyboard", []) if isinstance(markup, dict) else []
    return [button for row in rows for button in row]


def labels(markup: Any) -> list[list[str]]:
    """What stands on the buttons, row by row."""
    rows = markup.get("inline_keyboard", []) if isinstance(markup, dict) else []
    return [[button["text"] for button in row] for row in rows]


def find(markup: Any, what: str) -> Json | None:
    """The button with this label or this data, if it is one that can be pressed."""
    for button in buttons(markup):
        if "callback_data" in button and what in (button["text"], button["callback_data"]):
            return button
    return None
