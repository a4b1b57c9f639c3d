"""Names that only the application uses, written to a board as words that its firmware has in flash anyway.

Each name of our own costs a board some 18 bytes of Python's heap for good: a string, and a place in the table of
strings, which doubles at 310 and at 630 names. A stock ESP32 has no such 11 kB (docs/technical.md says what is saved).
So the build gives names that nobody outside uses words that MicroPython knows. One map serves all files, and what it
gives is used nowhere else. There are fewer words than names, so a name that only its own file knows (a function or a
variable of the module, an argument that no call says) shares its word with such names of other files. No two names
that one file says get the same: the program means the same.
What a bot.py may say (firmware/api.txt) stays. `copepod monitor` reads tracebacks back (tracebacks.py).
"""

from __future__ import annotations

import ast
import builtins
import collections
import functools
import io
import keyword
import re
import tokenize
from collections.abc import Iterable
from pathlib import Path

from host_tools.app.link import bound

# MicroPython's own names, which stay: those in the flash of stock ESP32 firmware 1.26.1 and of the Unix and bare-metal
# builds alike, those in that of the ESP32 alone, and others (tests/host/app/test_names.py asks).
FLASH = Path(__file__).with_name("names_in_flash.txt")
EVERYWHERE, ESP32, ELSEWHERE = (part.split() for part in FLASH.read_text().split("\n\n"))

# Files whose attributes are a port's, too, but for those of our own modules.
_OURS = ("port", "record")
_SPOKEN = (
    *("copepod/platform/", "copepod/net/wifi", "copepod/net/tls"),
    *(f"copepod/assistant/tools/{sensor}" for sensor in ("dht", "ds18x20", "i2c", "neopixel")),
)
# Loaded only where there is a model: what it has alone gets a word last, and its strings name no attributes.
ASSISTANT = ("copepod/assistant/", "copepod/tools.py")
_TOOLS = "copepod/assistant/tools/"  # a model says their arguments
_BENCH = "bench/"  # the host says its functions; what it has alone costs a board nothing
_EXCEPTION = re.compile(r"^class (\w+)\(.*(?:Error|Exception)\)", re.MULTILINE)
# Not loaded at each start.
_SELDOM = (
    *("copepod/text/", "copepod/health", "copepod/builtin", "copepod/figures", "copepod/crash"),
    *("copepod/asking.", "copepod/bot.", "copepod/config_edit.", "copepod/crontab."),
    *("copepod/durable.", "copepod/keyboard.", "copepod/pins.", "copepod/special."),
    *("copepod/state.", "copepod/streams.", "copepod/timers.", "copepod/tz.", "copepod/unasked."),
    *("copepod/files.", "copepod/net/http_body.", "copepod/telegram/upload.", "copepod/update."),
    *("copepod/telegram/file_source.", "copepod/telegram/download.", "copepod/tri"),
)


def plan(files: dict[str, str], public: Iterable[str], first: tuple[str, ...]) -> dict[str, str]:
    """A word for each name that is only the application's; `files` is its source by path, as it is compiled.

    `public` are names that stay, `first` where files are that are always loaded: theirs get the words in flash.
    """
    defined: set[str] = set()
    theirs: set[str] = set()  # the assistant's
    asked: set[str] = set()  # what modules and objects are asked for
    held: set[str] = set()  # what classes have
    kept = {*public, *keyword.kwlist, *dir(builtins), *EVERYWHERE, *ESP32, *ELSEWHERE}
    for path, text in files.items():
        mine = theirs if path.startswith(ASSISTANT) else defined
        labels = path.startswith(_BENCH) and "getattr(" not in text  # its strings name no attributes
        if path.startswith(_BENCH):
            mine = set()
            kept.update(re.findall(r"^def (\w+)", text, re.MULTILINE))
        kept.update(_EXCEPTION.findall(text))  # their names are printed
        if not path.startswith(_TOOLS):  # imported by strings
            kept.update(path.removesuffix(".py").split("/"))
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom):
                asked |= {alias.name for alias in node.names}
            elif isinstance(node, ast.Attribute):
                asked.add(node.attr)
            if isinstance(node, ast.ClassDef):
                held |= {name for name, _ in bound(node.body)}
            match node:
                case ast.Module(body=body) | ast.ClassDef(body=body):
                    mine |= {name for name, imported in bound(body) if not imported}
                case ast.arg(arg=name):
                    (kept if path.startswith(_TOOLS) else mine).add(name)
                case ast.keyword(arg=str(name)):
                    kept.add(name)
                case ast.Constant(value=str(name)) if mine is not theirs and not labels:
                    kept.add(name)
                case ast.Attribute(value=owner, attr=name) if path.startswith(_SPOKEN):
                    (mine if ast.unparse(owner) in _OURS or name[0] == "_" else kept).add(name)
                case ast.Attribute(attr=name, ctx=ast.Store()):
                    mine.add(name)
    # The compiler keeps nothing of a constant whose name begins with "_". So it shall with one that no module is asked
    # for, since link.py has given its value to whoever imports it; and must not with another.
    constants = set(re.findall(r"^(\w+) = const\(", "\n".join(files.values()), re.MULTILINE))
    kept |= {name for name in constants if name[0] == "_"}
    spoken = {path: said(text) for path, text in files.items()}
    everywhere, always, seldom = _below(spoken, ""), _below(spoken, first), _below(spoken, _SELDOM)
    hidden = {n: f"_{n}" for n in constants - kept - asked if f"_{n}" not in everywhere}
    names = [n for n in (defined | theirs) - kept - hidden.keys() if n[:2] != "__"]
    names.sort(key=lambda n: (n not in defined, n not in always, n in seldom, -len(n), n))
    taken = {*everywhere, *keyword.kwlist, *dir(builtins)}
    words = [word for word in [*EVERYWHERE, *sorted(ESP32, key=len)] if word not in taken]
    places: dict[str, set[str]] = {name: set() for name in names}  # the files that say it
    for path, found in spoken.items():
        for name in found & places.keys():
            places[name].add(path)
    given = hidden
    shared: dict[str, set[str]] = {}  # where a word stands for a name that only its own file knows
    for name in names:
        local = name not in asked | held
        free = [word for word in shared if local and not shared[word] & places[name]]
        fit = (word for word in free + words if name not in constants or word[0] != "_")
        if word := next(fit, ""):
            given[name] = word
            if local:
                shared.setdefault(word, set()).update(places[name])
            if word in words:
                words.remove(word)
    return given


def shorten(text: str, words: dict[str, str]) -> str:
    """A source with the names of `words` replaced; lines stay lines."""
    lines = text.splitlines(keepends=True)
    for token in reversed(_tokens(text)):
        if token.string in words:
            row, start = token.start
            line = lines[row - 1]
            lines[row - 1] = line[:start] + words[token.string] + line[token.end[1] :]
    return "".join(lines)


def beside(texts: list[str], words: dict[str, str]) -> dict[str, str]:
    """`words` for programs beside the application: of those that names share, what one of them asks for.

    It would be another name's in a program that says both.
    """
    asked: set[str] = set()
    for node in (node for text in texts for node in ast.walk(ast.parse(text))):
        if isinstance(node, ast.ImportFrom):
            asked |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Attribute):
            asked.add(node.attr)
    count = collections.Counter(words.values())
    return {n: word for n, word in words.items() if count[word] == 1 or n in asked}


def said(text: str) -> set[str]:
    """Every name in a source."""
    return {token.string for token in _tokens(text)}


def _below(spoken: dict[str, set[str]], places: str | tuple[str, ...]) -> set[str]:
    """The names in the files whose paths begin with one of `places`."""
    return set().union(*(found for path, found in spoken.items() if path.startswith(places)))


@functools.cache
def _tokens(text: str) -> list[tokenize.TokenInfo]:
    every = tokenize.generate_tokens(io.StringIO(text).readline)
    return [token for token in every if token.type == tokenize.NAME]
