"""Make one class of a chain of them: what a class costs a board is paid once, and so is its lookup.

The formatter is written as a chain of classes, one concept each. On a board every class is a type
object, a table of its methods and a step more for each lookup that ends further up the chain. A
class that nobody but its one subclass names is therefore merged into that one after linking.
"""

from __future__ import annotations

import ast
import copy
from collections import Counter

Function = ast.FunctionDef | ast.AsyncFunctionDef


class FlattenError(Exception):
    """A `super()` call has a form that can't be merged; the text names it."""


def flatten(source: str) -> str:
    """Return `source`, a linked bundle, with every private base class of one subclass merged.

    A base's method that the subclass overrides and calls through `super()` becomes a method of its
    own; `super().__init__(…)` as a statement is replaced by the base's statements. Raises
    FlattenError.
    """
    tree = ast.parse(source)
    merged = True
    while merged:
        merged = False
        classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
        uses = Counter(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
        for derived in classes.values():
            base = derived.bases[0] if len(derived.bases) == 1 else None
            if isinstance(base, ast.Name) and base.id.startswith("_") and uses[base.id] == 1:
                parent = classes.get(base.id)
                if parent is not None and not parent.bases:
                    _merge(parent, derived)
                    tree.body.remove(parent)
                    merged = True
                    break
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def _merge(parent: ast.ClassDef, derived: ast.ClassDef) -> None:
    own = {node.name: node for node in derived.body if isinstance(node, Function)}
    assigned = {
        target.id
        for node in derived.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    kept: list[ast.stmt] = []
    for node in parent.body:
        if isinstance(node, Function) and node.name in own:
            calls = _Super(node, parent.name)
            override = own[node.name]
            override.body = [
                new
                for statement in override.body
                for new in _as_list(calls.statement(statement, override))
            ]
            if calls.needed:
                node.name = calls.name
                kept.append(node)
        elif isinstance(node, ast.Assign) and all(
            isinstance(target, ast.Name) and target.id in assigned for target in node.targets
        ):
            continue
        elif not isinstance(node, ast.Pass) and not _is_docstring(node):
            kept.append(node)
    for node in derived.body:
        for inner in ast.walk(node):
            if _is_super(inner):
                raise FlattenError(f"{derived.name}: super() of {ast.unparse(node)[:60]!r}")
    derived.bases = []
    derived.body = kept + [node for node in derived.body if not isinstance(node, ast.Pass)]


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_super(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "super"
        and not node.args
    )


def _as_list(node: ast.stmt | list[ast.stmt]) -> list[ast.stmt]:
    return node if isinstance(node, list) else [node]


class _Super(ast.NodeTransformer):
    """Replaces the calls of one overridden method in the one that overrides it."""

    def __init__(self, method: Function, parent: str) -> None:
        self.method = method
        self.name = f"_{parent.strip('_').lower()}_{method.name.strip('_')}"
        self.needed = False

    def statement(self, node: ast.stmt, override: Function) -> ast.stmt | list[ast.stmt]:
        call = node.value if isinstance(node, ast.Expr) else None
        if isinstance(call, ast.Call) and self._means(call):
            inlined = self._inlined(call, override)
            if inlined is not None:
                return inlined
        return self.visit(node)

    def _means(self, node: ast.AST) -> bool:
        return (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == self.method.name
            and _is_super(node.func.value)
        )

    def _inlined(self, call: ast.Call, override: Function) -> list[ast.stmt] | None:
        # Only what has no way out of its own and no names that could clash.
        taken = [argument.arg for argument in self.method.args.args[1:]]
        given = [argument.id for argument in call.args if isinstance(argument, ast.Name)]
        if call.keywords or self.method.args.defaults or len(given) != len(taken):
            return None
        if len(given) != len(call.args):
            return None
        body = [node for node in self.method.body if not _is_docstring(node)]
        bound = _stored(body)
        theirs = _stored(override.body) | {argument.arg for argument in override.args.args}
        if bound & (theirs | set(taken)) or any(
            isinstance(inner, ast.Return) for node in body for inner in ast.walk(node)
        ):
            return None
        rename = _Rename(dict(zip(taken, given, strict=True)))
        return [rename.visit(copy.deepcopy(node)) for node in body]

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if self._means(node):
            self.needed = True
            node.func = ast.Attribute(ast.Name("self", ast.Load()), self.name, ast.Load())
        return node


def _stored(body: list[ast.stmt]) -> set[str]:
    return {
        inner.id
        for node in body
        for inner in ast.walk(node)
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)
    }


class _Rename(ast.NodeTransformer):
    def __init__(self, mapping: dict[str, str]) -> None:
        self.mapping = mapping

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self.mapping.get(node.id, node.id)
        return node
