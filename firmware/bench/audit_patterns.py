"""Formatting one answer: patterns compiled in each call, compiled once, none. Memory: per row.

The rules are those of PicoClaw's converter to Telegram's HTML, written anew for MicroPython's `re`:
fenced and inline code set aside, headings, quotes, links, bold twice, italic, strike, bullets.
"""

import re

from copepod.text.markdown import Formatter

_PATTERNS = (
    "```[a-z]*\n?([^`]*)```",
    "`([^`]+)`",
    "^#+ +(.*)$",
    "^> *(.*)$",
    "\\[([^]]+)\\]\\(([^)]+)\\)",
    "\\*\\*([^*]+)\\*\\*",
    "__([^_]+)__",
    "_([^_]+)_",
    "~~([^~]+)~~",
    "^[-*] +",
)
_REPLACEMENTS = (
    "<pre><code>\\1</code></pre>",
    "<code>\\1</code>",
    "\\1",
    "\\1",
    '<a href="\\2">\\1</a>',
    "<b>\\1</b>",
    "<b>\\1</b>",
    "<i>\\1</i>",
    "<s>\\1</s>",
    "* ",
)
TEXT = "# Tides\n**high** at _six_, `read()` says: a<b\n- [reef](https://example.org) ~~low~~"
LONG = (TEXT + "\n\n") * 40  # a long answer, 3,360 characters

_once = tuple(re.compile(pattern) for pattern in _PATTERNS)


def _escape(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def compiled_each_call(text=TEXT):
    """The way of the audited code: ten patterns compiled whenever an answer is formatted."""
    text = _escape(text)
    for index in range(len(_PATTERNS)):
        text = re.compile(_PATTERNS[index]).sub(_REPLACEMENTS[index], text)
    return text


def compiled_once(text=TEXT):
    """The study's recommendation."""
    text = _escape(text)
    for index in range(len(_once)):
        text = _once[index].sub(_REPLACEMENTS[index], text)
    return text


_formatter = Formatter()


def _sink(buffer, start, end):
    pass


def no_patterns(text=TEXT):
    """Copepod: one pass over the text, HTML straight into the request."""
    formatter = _formatter
    formatter.begin()
    formatter.feed(text)
    formatter.finish()
    while formatter.ready():
        formatter.write(_sink)
        formatter.drop()


def _long(function):
    return lambda: function(LONG)


ROWS = (
    ("compiled in each call", compiled_each_call),
    ("compiled once", compiled_once),
    ("none: Copepod's formatter", no_patterns),
    ("compiled in each call, 3,360 characters", _long(compiled_each_call)),
    ("compiled once, 3,360 characters", _long(compiled_once)),
    ("none: Copepod's formatter, 3,360 characters", _long(no_patterns)),
)
