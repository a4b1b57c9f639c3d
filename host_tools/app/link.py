"""Join the modules that always run together into few files: what a module costs is paid once.

On a board every .mpy brings a module object, a table of globals, its path and its imports' names. A
joined file is the text of its modules as they stand in firmware/: nothing is renamed, so one name
for two things is an error. The only lines that change, here and in the modules that stay apart, are
imports of what was joined: they name the file it lies in. What a bot.py may import leaves a stub.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from host_tools.errors import UserError

_CONSTANT = re.compile(r"^(\w+) = const\(([0-9]\w*)\)", re.MULTILINE)
_MARK = "# joined: "  # begins the line before each module of a joined file


@dataclass(eq=False)
class Module:
    """One module of the application."""

    name: str  # "copepod.net.http"
    path: str  # "copepod/net/http.py"
    text: str
    tree: ast.Module
    constants: dict[str, str]  # source of what is assigned by const(), by name
    home: str = ""  # the module that it is joined into


def link(
    sources: dict[str, str],
    entries: Iterable[str],
    apart: tuple[str, ...] = (),
    public: Iterable[str] = (),
) -> dict[str, str]:
    """Return `sources` (text by path) with what each of `entries` imports at its top joined into it.

    A module is joined into the first entry that needs it. Packages keep their files, and those whose paths begin with
    one of `apart`, and what is imported below an `if` or in a function. UserError where that can't be.
    """
    modules: dict[str, Module] = {}
    for path, text in sources.items():
        name = path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        try:
            tree = ast.parse(text)
        except SyntaxError as error:
            raise UserError(f"{path}:{error.lineno}: {error.msg}") from None
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.level:  # what the dots stand for
                folders = path.split("/")[: -node.level]
                node.module = ".".join([*folders, *filter(None, [node.module])])
        modules[name] = Module(name, path, text, tree, dict(_CONSTANT.findall(text)))
    joined: dict[str, list[Module]] = {entry: [] for entry in entries}
    for entry, held in joined.items():
        for module in _needed(modules[entry], modules, set()):
            package = module.path.endswith("/__init__.py")
            if not (module.home or package or module.path.startswith(apart)):
                module.home = entry
                held.append(module)
        _check(entry, held)
    files = {m.path: _resolved(m, modules, set()) for m in modules.values() if not m.home}
    for entry, held in joined.items():
        stubs = [module for module in held if module.name in public and module.name != entry]
        lines = ["import sys"] if stubs else []
        for module in stubs:
            lines.append(f"sys.modules[{module.name!r}] = sys.modules[__name__]")
            own = {name for name, imported in bound(module.tree.body) if not imported}
            names = sorted(name for name in own if not name.startswith("_"))
            files[module.path] = f"from {entry} import {', '.join(names)}\n"
        known: set[str] = set()
        for module in held:
            lines += [_MARK + module.path, _resolved(module, modules, known)]
        files[modules[entry].path] = "\n".join(lines)
    return files


def parts(text: str) -> list[tuple[int, str]]:
    """What was joined into a file: the line before each module's first, and the module's path."""
    lines = enumerate(text.split("\n"), 1)
    return [(at, line.removeprefix(_MARK)) for at, line in lines if line.startswith(_MARK)]


def place(text: str, number: int) -> str:
    """Where a line of a joined file comes from ("copepod/bus.py:12"); "" for a file that is none."""
    before = [part for part in parts(text) if part[0] < number]
    return f"{before[-1][1]}:{number - before[-1][0]}" if before else ""


def _needed(module: Module, modules: dict[str, Module], seen: set[Module]) -> Iterator[Module]:
    """The module and what it imports at its top, and so on; what is imported stands first."""
    seen.add(module)
    for node in module.tree.body:
        if isinstance(node, ast.ImportFrom):
            base = node.module or ""
            for alias in node.names:
                found = modules.get(f"{base}.{alias.name}") or modules.get(base)
                if found and found not in seen:
                    yield from _needed(found, modules, seen)
    yield module


def bound(body: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    """Names that statements and their blocks give a value, each with what it is imported from, or "".

    What is bound in a function or a class is that's own.
    """
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, ""
        elif isinstance(node, ast.Import | ast.ImportFrom):
            base = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
            for alias in node.names:
                yield alias.asname or alias.name, base + alias.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, ""
        else:
            yield from bound(ast.iter_child_nodes(node))


def _check(entry: str, held: list[Module]) -> None:
    """UserError, with a line for each name that would mean two things in the joined file."""
    seen: dict[str, tuple[str, str]] = dict.fromkeys(dir(builtins), ("builtins", ""))
    troubles = []
    for module in held:
        for name, imported in dict(sorted(bound(module.tree.body))).items():
            meaning = imported or f"{module.name}.{name}"
            other, known = seen.setdefault(name, (module.path, meaning))
            if known != meaning and not name.startswith("__"):
                troubles.append(f"{other} and {module.path} use the name {name} for two things")
    if troubles:
        raise UserError("\n".join([f"{entry} can't be joined:", *troubles]))


def _resolved(module: Module, modules: dict[str, Module], known: set[str]) -> str:
    """The module's text, imports of what was joined from where that lies; lines stay.

    A constant of another file is said with its value, once in a file, whose `known` ones grow: the compiler
    writes it where it is used.
    """
    lines = module.text.split("\n")
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom):
            was = [f"from {node.module} import {ast.unparse(alias)}" for alias in node.names]
            base = node.module or ""
            new = [_import(base, alias, module, modules, known) for alias in node.names]
            # A joined file may lie in another folder than its modules did: no dots there.
            if new != was or (node.level and module.home):
                text = " " * node.col_offset + ("; ".join(filter(None, new)) or "pass")
                first, last = node.lineno - 1, node.end_lineno or 0
                lines[first:last] = [text] + [""] * (last - first - 1)
    return "\n".join(lines)


def _import(
    base: str, alias: ast.alias, module: Module, modules: dict[str, Module], known: set[str]
) -> str:
    """`from base import alias` in `module`, after joining; empty where the name is there anyway."""
    name, shown = alias.name, alias.asname or alias.name
    whole, part = modules.get(f"{base}.{name}"), modules.get(base)
    if whole and whole.home:
        base, _, name = whole.home.rpartition(".")
    elif part and part.home:
        base = part.home
    if base == module.home:
        return f"{shown} = {name}" if shown != name else ""
    if part and name in part.constants:
        fresh = shown not in known
        known.add(shown)
        return f"{shown} = const({part.constants[name]})" if fresh else ""
    return f"from {base} import {name}" + (f" as {shown}" if shown != name else "")
