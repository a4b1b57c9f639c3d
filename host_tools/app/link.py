"""Join the modules that always run together into few files: what a module costs is paid once.

On a board every .mpy brings a module object, a table of globals, its path and its imports' names. A
joined file is the text of its modules as they stand in firmware/: nothing is renamed, so one name
for two things is an error. The only lines that change, here and in the modules that stay apart, are
imports of what was joined: they name the file it lies in. What a bot.py may import leaves a stub.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_MARK = "# joined: "  # begins the line before each module of a joined file


class LinkError(Exception):
    """Modules can't be joined; the text has a line for each trouble."""


@dataclass(eq=False)
class Module:
    """One module of the application."""

    name: str  # "copepod.net.http"
    path: str  # "copepod/net/http.py"
    text: str
    tree: ast.Module
    home: str = ""  # the module that it is joined into

    def origin(self, node: ast.ImportFrom) -> str:
        """The module that an import in this one is from, dots resolved."""
        if not node.level:
            return node.module or ""
        folders = self.path.split("/")[: -node.level]
        return ".".join([*folders, *([node.module] if node.module else [])])


def link(
    sources: dict[str, str],
    entries: Iterable[str],
    apart: tuple[str, ...] = (),
    public: Iterable[str] = (),
) -> dict[str, str]:
    """Return `sources` (text by path) with what each of `entries` imports at its top joined into it.

    A module is joined into the first entry that needs it. Packages keep their files, and what `apart`
    names with a dot behind, and what is imported below an `if` or in a function. Raises LinkError.
    """
    modules: dict[str, Module] = {}
    for path, text in sources.items():
        name = path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        modules[name] = Module(name, path, text, ast.parse(text, path))
    joined: dict[str, list[Module]] = {entry: [] for entry in entries}
    for entry, held in joined.items():
        for module in _needed(modules[entry], modules, set()):
            package = module.path.endswith("/__init__.py")
            if not (module.home or package or f"{module.name}.".startswith(apart)):
                module.home = entry
                held.append(module)
        _check(entry, held)
    files = {m.path: _resolved(m, modules) for m in modules.values() if not m.home}
    for entry, held in joined.items():
        stubs = [module for module in held if module.name in public and module.name != entry]
        lines = ["import sys"] if stubs else []
        for module in stubs:
            lines.append(f"sys.modules[{module.name!r}] = sys.modules[__name__]")
            names = sorted(name for name in _defined(module.tree) if not name.startswith("_"))
            files[module.path] = f"from {entry} import {', '.join(names)}\n"
        for module in held:
            lines += [_MARK + module.path, _resolved(module, modules)]
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
            base = module.origin(node)
            for alias in node.names:
                found = modules.get(f"{base}.{alias.name}") or modules.get(base)
                if found and found not in seen:
                    yield from _needed(found, modules, seen)
    yield module


def _statements(body: Iterable[ast.AST]) -> Iterator[ast.stmt]:
    """The statements of a module that run when it is loaded, those below an `if` or `try` too."""
    for node in body:
        if isinstance(node, ast.stmt):
            yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _statements(ast.iter_child_nodes(node))


def _defined(tree: ast.Module) -> set[str]:
    """Names that a module gives a value of its own."""
    found: set[str] = set()
    for node in _statements(tree.body):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        else:
            names = [child for child in ast.walk(node) if isinstance(child, ast.Name)]
            found.update(name.id for name in names if isinstance(name.ctx, ast.Store))
    return found


def _check(entry: str, held: list[Module]) -> None:
    """Raise LinkError for each name that would mean two things in the joined file."""
    seen: dict[str, tuple[str, str]] = dict.fromkeys(dir(builtins), ("builtins", "builtins"))
    troubles = []
    for module in held:
        means = {name: f"{module.name}.{name}" for name in _defined(module.tree)}
        for node in _statements(module.tree.body):
            if isinstance(node, ast.Import | ast.ImportFrom):
                base = f"{module.origin(node)}." if isinstance(node, ast.ImportFrom) else ""
                for alias in node.names:
                    whole = alias.name if base or alias.asname else alias.name.split(".")[0]
                    means[alias.asname or whole] = base + whole
        for name, meaning in sorted(means.items()):
            other, known = seen.setdefault(name, (module.path, meaning))
            if known != meaning and not name.startswith("__"):
                troubles.append(f"{other} and {module.path} use the name {name} for two things")
    if troubles:
        raise LinkError("\n".join([f"{entry} can't be joined:", *troubles]))


def _resolved(module: Module, modules: dict[str, Module]) -> str:
    """The module's text, imports of what was joined from where that lies; lines stay."""
    lines = module.text.split("\n")
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom):
            base = module.origin(node)
            was = [f"from {base} import {ast.unparse(alias)}" for alias in node.names]
            new = [_import(base, alias, module, modules) for alias in node.names]
            # A joined file may lie in another folder than its modules did: no dots there.
            if new != was or (node.level and module.home):
                for number in range(node.lineno, node.end_lineno or 0):
                    lines[number] = ""
                text = "; ".join(line for line in new if line) or "pass"
                lines[node.lineno - 1] = " " * node.col_offset + text
    return "\n".join(lines)


def _import(base: str, alias: ast.alias, module: Module, modules: dict[str, Module]) -> str:
    """`from base import alias` in `module`, after joining; empty where the name is there anyway."""
    whole, part = modules.get(f"{base}.{alias.name}"), modules.get(base)
    if whole and whole.home:
        package, _, last = whole.home.rpartition(".")
        found = ast.alias(last, alias.asname or (alias.name if alias.name != last else None))
        return f"from {package} import {ast.unparse(found)}"
    home = (part and part.home) or base
    here = f"{alias.asname} = {alias.name}" if alias.asname else ""
    return here if home == module.home else f"from {home} import {ast.unparse(alias)}"
