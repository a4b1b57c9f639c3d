"""Names that only the application uses, written to a board as words that its firmware has in flash anyway.

Each name of our own costs a board some 18 bytes of Python's heap for good: a string, and a place in the table of
strings, which doubles at 310 and at 630 names. A stock ESP32 has no such 11 kB (docs/boards.md says what they buy). So
the build gives names that nobody outside uses words that MicroPython knows. One map
serves all files, what it gives is used nowhere else, and no two names get the same: the program means the same.
What a bot.py may say (firmware/api.txt) stays. `copepod monitor` reads tracebacks back (tracebacks.py).
"""

from __future__ import annotations

import ast
import builtins
import functools
import io
import keyword
import tokenize
from collections.abc import Iterable
from pathlib import Path

# Asyncio's and MicroPython's own, that we set, too; and what is asked for by a string put together.
_OTHERS = {"_io_queue", "_task_queue", "_thread", "cur_task", "ph_key", "data", "coro", "exc"}
_OTHERS |= {"state", "done"}
_ENTRIES = {"main", "boot", "startup", "run", "install"}  # said by the host, too
# Files whose names are a port's, too.
_SPOKEN = ("copepod/platform/", "copepod/net/wifi", "copepod/net/ntp", "copepod/net/tls")
# Loaded only where there is a model: what it has alone gets a word last, and its strings name no attributes.
ASSISTANT = ("copepod/assistant/", "copepod/tools.py")
_TOOLS = "copepod/assistant/tools/"  # a model says their arguments
# Not loaded at each start.
_SELDOM = (
    "copepod/text/",
    "copepod/health",
    "copepod/builtin",
    "copepod/figures",
    "copepod/crash",
)
_SELDOM += tuple(
    f"copepod/{name}."
    for name in (
        *("asking", "bot", "config_edit", "crontab", "durable", "keyboard", "pins", "special"),
        *("state", "streams", "timers", "tz", "unasked", "files", "net/http_body"),
        *(f"telegram/{name}" for name in ("upload", "file_source", "download")),
    )
)

# MicroPython's own names, which stay: those in the flash of stock ESP32 firmware 1.26.1 and of the Unix and bare-metal
# builds alike, those in that of the ESP32 alone, and others (tests/host/app/test_names.py asks).
FLASH = Path(__file__).with_name("names_in_flash.txt")
EVERYWHERE, ESP32, ELSEWHERE = (part.split() for part in FLASH.read_text().split("\n\n"))


def plan(files: dict[str, str], public: Iterable[str], first: Iterable[str]) -> dict[str, str]:
    """A word for each name that is only the application's; `files` is its source by path, as it is compiled.

    `public` are names that stay, `first` the paths of files that are always loaded: theirs get the words in flash.
    """
    defined: set[str] = set()
    theirs: set[str] = set()  # the assistant's
    kept: set[str] = {
        *public,
        *_OTHERS,
        *_ENTRIES,
        *keyword.kwlist,
        *dir(builtins),
        *EVERYWHERE,
        *ESP32,
        *ELSEWHERE,
    }
    for path, text in files.items():
        if not path.startswith(_TOOLS):  # imported by strings
            kept.update(path.removesuffix(".py").split("/"))
        tree = ast.parse(text)
        mine = theirs if path.startswith(ASSISTANT) else defined
        for scope in ast.walk(tree):
            if path.startswith(
                "bench/"
            ):  # names of its own cost a board nothing, and the host says them
                kept.update(node.name for node in tree.body if isinstance(node, ast.FunctionDef))
                break
            if isinstance(
                scope, ast.Module | ast.ClassDef
            ):  # what is a function's own has no name on a board
                mine |= {name for node in scope.body for name in _bound(node)}
        for node in ast.walk(tree):
            own = not path.startswith("bench/")
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and own:
                mine.add(node.name)
            elif isinstance(node, ast.ClassDef):
                if any(ast.unparse(base).endswith(("Error", "Exception")) for base in node.bases):
                    kept.add(node.name)  # an exception's name is printed
            elif isinstance(node, ast.arg) and own:
                (kept if path.startswith(_TOOLS) else mine).add(node.arg)
            elif isinstance(node, ast.Attribute):
                if isinstance(node.ctx, ast.Store) and own:
                    mine.add(node.attr)
                if path.startswith(_SPOKEN) and not node.attr.startswith("_"):
                    kept.add(node.attr)
            elif isinstance(node, ast.keyword) and node.arg:
                kept.add(node.arg)
            elif (
                isinstance(node, ast.Constant) and isinstance(node.value, str) and mine is defined
            ):
                kept.add(node.value)
    # The compiler keeps nothing of a constant whose name begins with "_", and must keep the others.
    constants = {name for text in files.values() for name in _constants(text)}
    kept.update(name for name in constants if name.startswith("_"))
    names = [n for n in (defined | theirs) - kept if not n.startswith("__") and len(n) > 2]
    always = {token.string for path in first for token in _tokens(files[path])}
    seldom = {
        token.string
        for path in files
        if path.startswith(_SELDOM)
        for token in _tokens(files[path])
    }
    names.sort(key=lambda n: (n not in defined, n not in always, n in seldom, -len(n), n))
    used = {token.string for text in files.values() for token in _tokens(text)}
    taken = used | set(keyword.kwlist) | set(dir(builtins))
    words = [word for word in [*EVERYWHERE, *sorted(ESP32, key=len)] if word not in taken]
    given: dict[str, str] = {}
    for name in names:
        fit = (word for word in words if name not in constants or not word.startswith("_"))
        word = next(fit, None)
        if word is not None:
            given[name] = word
            words.remove(word)
    return given


def _bound(node: ast.stmt) -> set[str]:
    """Names that a statement of a module or class gives a value, its inner blocks included."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    return {
        child.id
        for child in ast.walk(node)
        if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store)
    }


def shorten(text: str, words: dict[str, str]) -> str:
    """A source with the names of `words` replaced; lines stay lines."""
    lines = text.splitlines(keepends=True)
    for token in reversed(_tokens(text)):
        if token.string in words:
            row, start = token.start
            line = lines[row - 1]
            lines[row - 1] = line[:start] + words[token.string] + line[token.end[1] :]
    return "".join(lines)


def _constants(text: str) -> set[str]:
    """Names that a source gives a value with const()."""
    return {
        target.id
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
        and node.value.func.id == "const"
        for target in node.targets
        if isinstance(target, ast.Name)
    }


@functools.cache
def _tokens(text: str) -> list[tokenize.TokenInfo]:
    every = tokenize.generate_tokens(io.StringIO(text).readline)
    return [token for token in every if token.type == tokenize.NAME]
