"""Fold the names that our modules give one another: classes, functions and tables of a module.

host_tools/fold.py folds what is private to a file, host_tools/attributes.py what classes share. What
is left are the globals that one file of the application imports from another. Here a name gets one
new name in every file, one that the whole application does not use for anything else, so that
nothing can come to mean something it did not mean before.

Left as they are: what main.py and a user's bot.py name, what also occurs as a string, as a keyword
or as an attribute of anything but a module of ours. A stub gives the old name again.
"""

from __future__ import annotations

import ast
from collections import Counter

from host_tools.fold import STATIC_NAMES, is_private


def fold_exports(
    sources: dict[str, str], others: tuple[str, ...]
) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Return the folded `sources` and, per file that defines them, {old name: new name}.

    `others` are sources that use the application without being part of it: their names are kept.
    """
    trees = {path: ast.parse(text) for path, text in sources.items()}
    modules = {
        path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in trees
    }
    real = {name for name, tree in _by_module(trees).items() if not is_stub(tree)}
    aliases = {path: _module_aliases(tree, modules) for path, tree in trees.items()}
    defined = {path: _defined(tree) for path, tree in trees.items()}
    imported = _imported(trees, modules)
    used = Counter(name for tree in trees.values() for name in _identifiers(tree))
    kept = _kept(trees, aliases)
    for text in others:
        kept |= set(_identifiers(ast.parse(text)))
    free = iter([name for name in STATIC_NAMES if name not in used and name not in kept])
    mapping: dict[str, str] = {}
    for name in sorted(imported, key=lambda name: (-len(name), name)):
        public = not is_private(name) and not name.startswith("__")
        if public and name not in kept and name not in STATIC_NAMES:
            new = next(free, None)
            if new is None:
                break
            mapping[name] = new
    names = {}
    for path, tree in trees.items():
        names[path] = {name: mapping[name] for name in defined[path] if name in mapping}
        renamed = _module_aliases(tree, real)  # a stub's names stay
        _Renamer(mapping, renamed, is_stub(tree), real).visit(tree)
    folded = {path: ast.unparse(ast.fix_missing_locations(tree)) for path, tree in trees.items()}
    return {path: text + "\n" for path, text in folded.items()}, names


def _by_module(trees: dict[str, ast.Module]) -> dict[str, ast.Module]:
    return {
        path.removesuffix(".py").removesuffix("/__init__").replace("/", "."): tree
        for path, tree in trees.items()
    }


def is_stub(tree: ast.Module) -> bool:
    """True for a file that does nothing but give names of another again."""
    return len(tree.body) == 1 and isinstance(tree.body[0], ast.ImportFrom)


def _module_aliases(tree: ast.Module, modules: set[str]) -> set[str]:
    # Names that mean a module of ours somewhere in the file.
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if f"{node.module}.{alias.name}" in modules:
                    found.add(alias.asname or alias.name)
    return found


def _defined(tree: ast.Module) -> set[str]:
    found = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif not isinstance(node, ast.Import | ast.ImportFrom):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                    found.add(inner.id)
    return found


def _imported(trees: dict[str, ast.Module], modules: set[str]) -> set[str]:
    # What one file takes from another, by an import or through a module.
    found: set[str] = set()
    for tree in trees.values():
        ours = _module_aliases(tree, modules)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module in modules:
                found |= {
                    alias.name
                    for alias in node.names
                    if f"{node.module}.{alias.name}" not in modules
                }
            elif isinstance(node, ast.Attribute) and _of_module(node, ours):
                found.add(node.attr)
    defined = set().union(*(_defined(tree) for tree in trees.values()))
    return found & defined


def _of_module(node: ast.Attribute, aliases: set[str]) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id in aliases


def _identifiers(tree: ast.AST) -> list[str]:
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found.append(node.id)
        elif isinstance(node, ast.Attribute):
            found.append(node.attr)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.append(node.name)
        elif isinstance(node, ast.arg | ast.keyword):
            found.append(node.arg or "")
        elif isinstance(node, ast.alias):
            found += [*node.name.split("."), *([node.asname] if node.asname else [])]
        elif isinstance(node, ast.ImportFrom):
            found += (node.module or "").split(".")
        elif isinstance(node, ast.Global | ast.Nonlocal):
            found += node.names
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.append(node.name)
    return found


def _kept(trees: dict[str, ast.Module], aliases: dict[str, set[str]]) -> set[str]:
    kept: set[str] = set()
    for path, tree in trees.items():
        kept |= {part for part in path.removesuffix(".py").split("/")}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                kept.add(node.value)
            elif isinstance(node, ast.keyword) and node.arg:
                kept.add(node.arg)
            elif isinstance(node, ast.Attribute) and not _of_module(node, aliases[path]):
                kept.add(node.attr)
            elif isinstance(node, ast.ClassDef):  # a method or default of that name is another
                kept |= _defined(ast.Module(node.body, []))
            elif isinstance(node, ast.ImportFrom) and not node.module:
                kept |= {alias.name for alias in node.names}
    return kept


class _Renamer(ast.NodeTransformer):
    def __init__(
        self, mapping: dict[str, str], aliases: set[str], stub: bool, modules: set[str]
    ) -> None:
        self.mapping = mapping
        self.aliases = aliases
        self.stub = stub
        self.modules = modules

    def _new(self, name: str) -> str:
        return self.mapping.get(name, name)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._new(node.id)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if _of_module(node, self.aliases):
            node.attr = self._new(node.attr)
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.name = self._new(node.name)
        return self.generic_visit(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        node.name = self._new(node.name)
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.name = self._new(node.name)
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg = self._new(node.arg)
        return self.generic_visit(node)

    def visit_Global(self, node: ast.Global) -> ast.AST:
        node.names = [self._new(name) for name in node.names]
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        if node.name:
            node.name = self._new(node.name)
        return self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        for alias in node.names:
            bound = alias.asname or alias.name
            if node.module in self.modules:
                alias.name = self._new(alias.name)
            new = bound if self.stub else self._new(bound)
            alias.asname = new if new != alias.name else None
        return node

    def visit_Import(self, node: ast.Import) -> ast.AST:
        for alias in node.names:
            bound = alias.asname or alias.name
            if self._new(bound) != bound:
                alias.asname = self._new(bound)
        return node
