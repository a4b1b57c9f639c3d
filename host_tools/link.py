"""Join the modules that always run together into few files: what a module costs is paid once.

On a board every .mpy brings a module object, a table of its globals, and its path and its imports'
names as strings. A joined file is the text of its modules, one after the other, as they stand in
firmware/: nothing is renamed, so two of them that use one name for different things are an error.
The only lines that change, here and in the modules that stay apart, are imports of what was joined:
they name the file that it lies in. In the place of a module that a bot.py may import stands a stub
with its public names; the other joined modules have no file of their own.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

_MARK = "# joined: "  # begins the line before each module of a joined file


class LinkError(Exception):
    """Modules can't be joined; the text names the files, one trouble a line."""


@dataclass(eq=False)
class Module:
    """One module of the application."""

    name: str  # "copepod.net.http"
    path: str  # "copepod/net/http.py"
    text: str
    home: str = ""  # the module that it is joined into
    tree: ast.Module = field(init=False)

    def __post_init__(self) -> None:
        self.tree = ast.parse(self.text)

    @property
    def is_package(self) -> bool:
        return self.path.endswith("/__init__.py")

    def origin(self, node: ast.ImportFrom) -> str:
        """The module that an import in this one is from, dots resolved."""
        if not node.level:
            return node.module or ""
        parts = self.name.split(".")
        kept = parts[: len(parts) - node.level + self.is_package]
        return ".".join([*kept, *([node.module] if node.module else [])])


def link(
    sources: dict[str, str],
    entries: Iterable[str],
    apart: tuple[str, ...] = (),
    public: Iterable[str] = (),
) -> dict[str, str]:
    """Return `sources` (text by path) with what each of `entries` imports at its top joined into it.

    A module is joined into the first entry that needs it, packages never; what stands in `apart`
    ("copepod.log.", or "copepod.platform." for all below it) keeps its file, and so does whatever is
    imported below an `if` or inside of a function. Modules of `public` leave a stub. Raises LinkError.
    """
    modules: dict[str, Module] = {}
    for path, text in sources.items():
        name = path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        modules[name] = Module(name, path, text)
    joined: dict[str, list[Module]] = {}
    for entry in entries:
        joined[entry] = []
        for module in _needed(modules[entry], modules):
            if not (module.home or module.is_package or f"{module.name}.".startswith(apart)):
                module.home = entry
                joined[entry].append(module)
    for entry, parts in joined.items():
        _check(entry, parts)
    files = {m.path: _resolved(m, modules) for m in modules.values() if not m.home}
    for entry, parts in joined.items():
        aliases = [part.name for part in parts if part.name in public and part.name != entry]
        lines = [f"sys.modules[{name!r}] = sys.modules[__name__]" for name in aliases]
        if lines:
            lines.insert(0, "import sys")
        for part in parts:
            lines += [_MARK + part.path, _resolved(part, modules)]
            if part.name in aliases:
                names = sorted(name for name in _defined(part.tree) if not name.startswith("_"))
                files[part.path] = f"from {entry} import {', '.join(names)}\n"
        files[modules[entry].path] = "\n".join(lines)
    return files


def parts(text: str) -> list[tuple[int, str]]:
    """What was joined into a file: the line before each module's first, and the module's path."""
    lines = enumerate(text.split("\n"), 1)
    return [(at, line.removeprefix(_MARK)) for at, line in lines if line.startswith(_MARK)]


def _needed(module: Module, modules: dict[str, Module]) -> list[Module]:
    """The module and what it imports at its top, and so on; what is imported stands first."""
    seen: set[Module] = set()

    def visit(module: Module) -> Iterator[Module]:
        seen.add(module)
        for node in module.tree.body:
            if isinstance(node, ast.ImportFrom):
                base = module.origin(node)
                for alias in node.names:
                    found = modules.get(f"{base}.{alias.name}") or modules.get(base)
                    if found and found not in seen:
                        yield from visit(found)
        yield module

    return list(visit(module))


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module that run when it is loaded, those below an `if` or `try` too."""
    for node in body:
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = [*ast.iter_child_nodes(node)]
            yield from _statements([child for child in inner if isinstance(child, ast.stmt)])


def _defined(tree: ast.Module) -> set[str]:
    """Names that a module gives a value of its own."""
    found: set[str] = set()
    for node in _statements(tree.body):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif not isinstance(node, ast.Import | ast.ImportFrom):
            for child in ast.walk(node):
                if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
                    found.add(child.id)
    return found


def _check(entry: str, parts: list[Module]) -> None:
    """Raise LinkError for each name that would mean two things in the joined file."""
    seen: dict[str, tuple[str, str]] = dict.fromkeys(dir(builtins), ("builtins", "builtins"))
    troubles = []
    for part in parts:
        means = {name: f"{part.name}.{name}" for name in _defined(part.tree)}
        for node in _statements(part.tree.body):
            if isinstance(node, ast.Import | ast.ImportFrom):
                base = f"{part.origin(node)}." if isinstance(node, ast.ImportFrom) else ""
                for alias in node.names:
                    whole = alias.name if base or alias.asname else alias.name.split(".")[0]
                    means[alias.asname or whole] = base + whole
        for name, meaning in sorted(means.items()):
            other, known = seen.setdefault(name, (part.path, meaning))
            if known != meaning and not name.startswith("__"):
                troubles.append(f"{other} and {part.path} use the name {name} for two things")
    if troubles:
        raise LinkError("\n".join([f"{entry} can't be joined:", *troubles]))


def _resolved(module: Module, modules: dict[str, Module]) -> str:
    """The module's text with its imports of what was joined from where that lies; lines stay."""
    lines = module.text.split("\n")
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom):
            base = module.origin(node)
            part = modules.get(base)
            parts = [modules.get(f"{base}.{alias.name}") or part for alias in node.names]
            # A joined file may lie in another folder than its modules did: no dots there.
            if any(m and m.home for m in parts) or (node.level and module.home):
                found = [_import(base, alias, module, modules) for alias in node.names]
                for number in range(node.lineno - 1, node.end_lineno or 0):
                    lines[number] = ""
                new = "; ".join(line for line in found if line) or "pass"
                lines[node.lineno - 1] = " " * node.col_offset + new
    return "\n".join(lines)


def _import(base: str, alias: ast.alias, module: Module, modules: dict[str, Module]) -> str:
    """`from base import alias` in `module`, after joining; empty where the name is there anyway."""
    renamed = f" as {alias.asname}" if alias.asname else ""
    whole, part = modules.get(f"{base}.{alias.name}"), modules.get(base)
    if whole and whole.home:
        package, _, last = whole.home.rpartition(".")
        return f"from {package} import {last} as {alias.asname or alias.name}"
    home = (part and part.home) or base
    if home == module.home:
        return f"{alias.asname} = {alias.name}" if alias.asname else ""
    return f"from {home} import {alias.name}{renamed}"
