"""Fold attribute names that are public between our own classes: on a board each costs a name.

host_tools/fold.py folds private names, file by file. Classes of the firmware that work together
share public ones (`channel.alive_ms`, `message.reply_to`), which nobody outside of the application
means either. Seen as a whole they can be folded as well: every attribute of that name, in every
file, gets the same static name of MicroPython. Two attributes may share one, if no class has both.

Left as they are: what a user's bot.py may say (InboundMessage, Formatter), what main.py names, names
that also occur as a string (getattr), as an attribute of something that is not ours, or of a module.
"""

from __future__ import annotations

import ast
import socket
import types
from collections import Counter, defaultdict

from host_tools.fold import STATIC_NAMES, is_private

PUBLIC_CLASSES = ("InboundMessage", "AnswerRefused", "Config", "Formatter")
# Files that talk to objects of the port: what they name may be theirs.
FOREIGN_FILES = ("copepod/platform/", "copepod/net/wifi.py", "copepod/net/ntp.py")
_BUILTIN = {
    name
    for kind in (
        *(str, bytes, bytearray, memoryview, list, dict, tuple, int, float, set, range),
        *(BaseException, OSError, StopIteration, socket.socket, type, object),
        *(types.GeneratorType, types.CoroutineType, types.FunctionType, types.ModuleType),
    )
    for name in dir(kind)
}


def fold_attributes(
    sources: dict[str, str], others: tuple[str, ...]
) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Return the folded `sources` and, per file, {"Class.old": new} as host_tools/fold.py does.

    `others` are sources that use the application without being part of it: their names are kept.
    """
    trees = {path: ast.parse(text) for path, text in sources.items()}
    families = _families(trees)
    owners = _owners(trees, families)
    kept = _kept(trees, others)
    taken = defaultdict(set)  # family -> the names its classes use
    for name, family_ids in owners.items():
        for family in family_ids:
            taken[family].add(name)
    count = Counter(
        node.attr
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
    )
    mapping: dict[str, str] = {}
    for name in sorted(owners, key=lambda name: (-count[name], name)):
        if name in kept or is_private(name) or name[:2] == "__" or name in STATIC_NAMES:
            continue
        used = set().union(*(taken[family] for family in owners[name]))
        new = next((free for free in STATIC_NAMES if free not in used), None)
        if new is not None:
            mapping[name] = new
            for family in owners[name]:
                taken[family].add(new)
    names = {}
    for path, tree in trees.items():
        names[path] = {
            f"{node.name}.{old}": new
            for node in tree.body
            if isinstance(node, ast.ClassDef)
            for old, new in mapping.items()
            if families[node.name] in owners[old]
        }
        _Renamer(mapping).visit(tree)
    return {path: ast.unparse(tree) + "\n" for path, tree in trees.items()}, names


def _families(trees: dict[str, ast.Module]) -> dict[str, str]:
    # Class -> the first class of those that it shares objects with, by name, across files.
    home: dict[str, str] = {}
    for tree in trees.values():
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                home.setdefault(node.name, node.name)
                for base in node.bases:
                    if isinstance(base, ast.Name):
                        old = home[node.name]
                        new = home.setdefault(base.id, base.id)
                        home.update({name: new for name, at in home.items() if at == old})
    return home


def _owners(trees: dict[str, ast.Module], families: dict[str, str]) -> dict[str, set[str]]:
    # Attribute -> the families whose classes define it, as a method, a default or by `self.x =`.
    owners: dict[str, set[str]] = defaultdict(set)
    for tree in trees.values():
        for cls in tree.body:
            if not isinstance(cls, ast.ClassDef):
                continue
            for node in cls.body:
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    owners[node.name].add(families[cls.name])
                elif isinstance(node, ast.Assign | ast.AnnAssign):
                    for inner in ast.walk(node):
                        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                            owners[inner.id].add(families[cls.name])
            for node in ast.walk(cls):
                if (
                    isinstance(node, ast.Attribute)
                    and isinstance(node.value, ast.Name)
                    and node.value.id == "self"
                    and isinstance(node.ctx, ast.Store)
                ):
                    owners[node.attr].add(families[cls.name])
    return dict(owners)


def _kept(trees: dict[str, ast.Module], others: tuple[str, ...]) -> set[str]:
    kept = set(_BUILTIN)
    for text in others:
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Attribute):
                kept.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                kept.update(node.value.replace(".", " ").split())
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                kept.add(node.name)
    for path, tree in trees.items():
        modules = _modules(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                kept.add(node.value)
            elif isinstance(node, ast.Attribute):
                base = node.value.id if isinstance(node.value, ast.Name) else None
                if base in modules or (path.startswith(FOREIGN_FILES) and base != "self"):
                    kept.add(node.attr)
            elif isinstance(node, ast.ClassDef) and node.name in PUBLIC_CLASSES:
                kept |= set(_owners({path: ast.Module([node], [])}, {node.name: node.name}))
                kept |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return kept


def _modules(tree: ast.Module) -> set[str]:
    # Names that an import binds anywhere in the file: their attributes are globals of others.
    return {
        (alias.asname or alias.name).split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }


class _Renamer(ast.NodeTransformer):
    def __init__(self, mapping: dict[str, str]) -> None:
        self.mapping = mapping

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        node.attr = self.mapping.get(node.attr, node.attr)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self.generic_visit(node)
        for statement in node.body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                statement.name = self.mapping.get(statement.name, statement.name)
            elif isinstance(statement, ast.Assign | ast.AnnAssign):
                for inner in ast.walk(statement):
                    if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                        inner.id = self.mapping.get(inner.id, inner.id)
        return node
