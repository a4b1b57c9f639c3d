"""PicoClaw's rules for Telegram, restated: a Go program cannot be installed here, what it does can be described.

The description, in its order: fenced code, code and links are put aside; headings lose their mark; a quote
loses its mark if the text is that one line; text is escaped; `**`, `__`, `_` and `~~` in pairs become tags; a
bullet is made of a dash or star that begins the text, and of no other; what was put aside comes back, code
without its language. A text is first cut at 4,000 characters, near a line's end or a blank, with an open fence
closed and opened again; a part that grew beyond a message is cut in two. Faults are restated with the rest.
"""

from __future__ import annotations

import html
import re

CUT = 4000  # characters of Markdown in one part
LIMIT = 4096  # characters of HTML in one message
_LINE_END, _BLANK = 200, 100  # how far back a line's end or a blank is looked for

_ASIDE = (
    (re.compile(r"```\w*\n?([\s\S]*?)```"), "<pre><code>{}</code></pre>"),
    (re.compile(r"`([^`]+)`"), "<code>{}</code>"),
)
_LINK = re.compile(r"\[([^\]]+)\]\(([^)]+)\)")
_UNMARKED = (re.compile(r"(?m)^#{1,6}\s+(.+)$"), re.compile(r"^>\s*(.*)\Z"))
_STYLES = (
    (re.compile(r"\*\*(.+?)\*\*"), r"<b>\1</b>"),
    (re.compile(r"__(.+?)__"), r"<b>\1</b>"),
    (re.compile(r"_([^_]+)_"), r"<i>\1</i>"),
    (re.compile(r"~~(.+?)~~"), r"<s>\1</s>"),
    (re.compile(r"^[-*]\s+"), "• "),
)


def _escape(text: str) -> str:
    return html.escape(text, quote=False)


def convert(markdown: str) -> str:
    """One part of a text as Telegram HTML."""
    aside: list[str] = []

    def put(finished: str) -> str:
        aside.append(finished)
        return f"\0{len(aside) - 1}\0"

    text = markdown
    for pattern, form in _ASIDE:
        text = pattern.sub(lambda m, form=form: put(form.format(_escape(m[1]))), text)
    text = _LINK.sub(lambda m: put(f'<a href="{html.escape(m[2])}">') + m[1] + put("</a>"), text)
    for pattern in _UNMARKED:
        text = pattern.sub(r"\1", text)
    text = _escape(text)
    for pattern, form in _STYLES:
        text = pattern.sub(form, text)
    for number, finished in enumerate(aside):
        text = text.replace(f"\0{number}\0", finished)
    return text


def parts(markdown: str, cut: int = CUT) -> list[str]:
    """The text in parts of at most `cut` characters."""
    found = []
    while len(markdown) > cut:
        end = markdown.rfind("\n", cut - _LINE_END, cut)
        if end < 0:
            end = markdown.rfind(" ", cut - _BLANK, cut)
        end = end if end > 0 else cut
        part, markdown = markdown[:end], markdown[end:].lstrip()
        fences = re.findall(r"(?m)^```.*$", part)
        if len(fences) % 2:
            part += "\n```"
            markdown = fences[-1] + "\n" + markdown
        found.append(part)
    return [*found, markdown]


def messages(markdown: str) -> list[str]:
    """The messages that the rules make of a text."""
    found = []
    for part in parts(markdown):
        made = convert(part)
        if len(made) > LIMIT:
            found += [convert(half) for half in parts(part, len(part) // 2 + _LINE_END)]
        else:
            found.append(made)
    return found
