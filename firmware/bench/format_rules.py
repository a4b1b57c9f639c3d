"""PicoClaw's rules for Telegram HTML, done with MicroPython's `re`: what the formatter's cost is compared with.

A restatement of what its markdownToTelegramHTML does (code put aside, heading, quote, links, bold, italic,
strike, bullet, escaping), rule by rule and with its faults. Memory: a copy of the text for every rule.
"""

import re

_FENCE = re.compile("```[a-zA-Z0-9_]*\n?([^`]*)```")
_CODE = re.compile("`([^`]+)`")
_HEADING = re.compile("^##*[ \t]+(.+)$")
_QUOTE = re.compile("^>[ \t]*(.*)$")
_LINK = re.compile("\\[([^\\]]+)\\]\\(([^)]+)\\)")
_BOLD = re.compile("\\*\\*(.+?)\\*\\*")
_BOLD_LOW = re.compile("__(.+?)__")
_ITALIC = re.compile("_([^_]+)_")
_STRIKE = re.compile("~~(.+?)~~")
_BULLET = re.compile("^[-*][ \t]+")


def escape(text):
    """The three replacements that Telegram needs."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def convert(text):
    """Markdown to HTML by those rules."""
    aside = []

    def keep(match):
        aside.append(match.group(1))
        return "\0%d\0" % (len(aside) - 1)

    text = _FENCE.sub(keep, text)
    blocks = len(aside)
    text = _CODE.sub(keep, text)
    text = _HEADING.sub("\\1", text)
    text = _QUOTE.sub("\\1", text)
    text = escape(text)
    text = _LINK.sub('<a href="\\2">\\1</a>', text)
    text = _BOLD.sub("<b>\\1</b>", text)
    text = _BOLD_LOW.sub("<b>\\1</b>", text)
    text = _ITALIC.sub("<i>\\1</i>", text)
    text = _STRIKE.sub("<s>\\1</s>", text)
    text = _BULLET.sub("• ", text)
    for n, code in enumerate(aside):
        form = "<pre><code>%s</code></pre>" if n < blocks else "<code>%s</code>"
        text = text.replace("\0%d\0" % n, form % escape(code))
    return text
