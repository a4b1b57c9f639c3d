"""Fold private names onto names that every MicroPython already holds: they cost a board no RAM.

A name that a .mpy file brings and the firmware does not know is interned on the GC heap: about 8
bytes of table, twice over while the table grows by doubling, and its letters. The static names of
MicroPython (py/makeqstrdata.py) are part of the .mpy format and free in every port. Private names
(`_one_underscore`) can't be seen from outside their class or file, so the build for a board's file
system gives each of them such a name; `const()` names are gone after compiling anyway. Parameters
without a default are treated the same way unless some call names them.

Tracebacks of such a build show the folded names; build/names.txt tells what they were.
"""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass, field

# Names from MicroPython's static table, none of them special to the compiler.
STATIC_NAMES = """
    value values key keys step items index count copy clear append insert extend remove reverse
    sort find rfind format join lower upper strip lstrip rstrip split rsplit replace startswith
    endswith isalpha isdigit islower isupper isspace read readinto readline write close send throw
    pop popitem setdefault update get end sep stop start args main little micropython bytecode
    builtins from_bytes to_bytes rindex zip sum sorted round pow ord oct next map iter hex filter
    divmod dir chr callable any all abs id eval exec globals locals repr hash bool bytearray bytes
    dict int list object range set str tuple type print len getattr hasattr setattr isinstance
    issubclass staticmethod classmethod super ArithmeticError AssertionError AttributeError
    EOFError Ellipsis GeneratorExit ImportError IndentationError IndexError KeyError LookupError
    NameError NoneType NotImplementedError OverflowError RuntimeError SyntaxError SystemExit
    ZeroDivisionError
""".split()  # noqa: SIM905

# Private names of MicroPython's own asyncio that the firmware uses or overrides.
FOREIGN = {"_task_queue", "_io_queue", "_dequeue"}


def is_private(name: str) -> bool:
    """True for `_name`, not for `__name__` nor `_`."""
    return len(name) > 1 and name[0] == "_" and name[1] != "_" and name not in FOREIGN


@dataclass
class Module:
    """One source file on its way through the folding."""

    path: str  # "copepod/net/http.py"
    tree: ast.Module
    group: str = ""
    consts: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        return self.path.removesuffix(".py").replace("/", ".")


class FoldError(Exception):
    """A private name is used outside the file or family of classes that defines it."""


def fold(sources: dict[str, str]) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Return the folded sources and, per file, {old name: new name}.

    `sources` maps paths ("copepod/bus.py") to source text. Raises FoldError.
    """
    modules = [Module(path, ast.parse(text)) for path, text in sources.items()]
    for module in modules:
        module.consts = _consts(module.tree)
        module.group = module.path
    _join_families(modules)
    _join_friends(modules)
    keywords = _keywords(modules)
    groups: dict[str, list[Module]] = {}
    for module in modules:
        groups.setdefault(module.group, []).append(module)
    _check_privacy(groups)
    folded: dict[str, str] = {}
    names: dict[str, dict[str, str]] = {}
    for members in groups.values():
        mapping = _mapping(members)
        for module in members:
            _Renamer(mapping).visit(module.tree)
            _Parameters(keywords).visit(module.tree)
            folded[module.path] = ast.unparse(ast.fix_missing_locations(module.tree)) + "\n"
            names[module.path] = mapping
    return folded, names


def _consts(tree: ast.Module) -> set[str]:
    found = set()
    for node in tree.body:
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and isinstance(node.value.func, ast.Name)
            and node.value.func.id == "const"
        ):
            found.update(target.id for target in node.targets if isinstance(target, ast.Name))
    return found


def _join_families(modules: list[Module]) -> None:
    # Files whose classes inherit from one another share an object, hence one mapping.
    by_name = {module.name: module for module in modules}
    for module in modules:
        imported = {
            alias.asname or alias.name: node.module
            for node in ast.walk(module.tree)
            if isinstance(node, ast.ImportFrom) and node.module
            for alias in node.names
        }
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                for base in node.bases:
                    home = imported.get(base.id) if isinstance(base, ast.Name) else None
                    if home in by_name:
                        _join(modules, module, by_name[home])


def _join(modules: list[Module], one: Module, two: Module) -> None:
    old = one.group
    for other in modules:
        if other.group == old:
            other.group = two.group


def _join_friends(modules: list[Module]) -> None:
    # Files of one folder that use each other's private names share a mapping, too.
    defined = {module.path: _defined(module) for module in modules}
    for module in modules:
        folder = module.path.rpartition("/")[0]
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.Attribute) or not is_private(node.attr):
                continue
            if node.attr not in defined[module.path]:
                for other in modules:
                    there = other.path.rpartition("/")[0]
                    if there == folder and node.attr in defined[other.path]:
                        _join(modules, module, other)


def _keywords(modules: list[Module]) -> set[str]:
    return {
        node.arg
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.keyword) and node.arg
    }


def _names(tree: ast.AST) -> Counter[str]:
    found: Counter[str] = Counter()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            found[node.attr] += 1
        elif isinstance(node, ast.Name):
            found[node.id] += 1
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found[node.name] += 1
        elif isinstance(node, ast.arg):
            found[node.arg] += 1
        elif isinstance(node, ast.alias):
            for part in (node.asname or node.name).split("."):
                found[part] += 1
            found[node.name.split(".")[-1]] += 1
        elif isinstance(node, ast.keyword) and node.arg:
            found[node.arg] += 1
        elif isinstance(node, ast.Global | ast.Nonlocal):
            for name in node.names:
                found[name] += 1
    return found


def _defined(module: Module) -> set[str]:
    found = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.attr)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return {name for name in found if is_private(name)} - module.consts


def _check_privacy(groups: dict[str, list[Module]]) -> None:
    for members in groups.values():
        defined = set().union(*(_defined(module) for module in members))
        for module in members:
            for node in ast.walk(module.tree):
                if (
                    isinstance(node, ast.Attribute)
                    and is_private(node.attr)
                    and node.attr not in defined
                ):
                    raise FoldError(f"{module.path}:{node.lineno}: {node.attr} is not its own")


def _mapping(members: list[Module]) -> dict[str, str]:
    used: Counter[str] = Counter()
    private: set[str] = set()
    for module in members:
        used += _names(module.tree)
        private |= _defined(module)
    free = [name for name in STATIC_NAMES if name not in used]
    ordered = sorted(private, key=lambda name: (-used[name], name))
    return dict(zip(ordered, free, strict=False))


class _Renamer(ast.NodeTransformer):
    """Gives private names their new ones."""

    def __init__(self, mapping: dict[str, str]) -> None:
        self.mapping = mapping

    def _new(self, name: str) -> str:
        return self.mapping.get(name, name)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        node.attr = self._new(node.attr)
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._new(node.id)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.name = self._new(node.name)
        return self.generic_visit(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        node.name = self._new(node.name)
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.name = self._new(node.name)
        return self.generic_visit(node)

    def visit_Global(self, node: ast.Global) -> ast.AST:
        node.names = [self._new(name) for name in node.names]
        return node


class _Parameters(ast.NodeTransformer):
    """Gives parameters that no call names static names, function by function."""

    def __init__(self, keywords: set[str]) -> None:
        self.keywords = keywords

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        self.generic_visit(node)  # inner functions first: their own parameters are theirs
        used = _names(node)
        free = [name for name in STATIC_NAMES if name not in used]
        mapping = {}
        arguments = node.args.args
        for argument in arguments[: len(arguments) - len(node.args.defaults)]:
            name = argument.arg
            if name not in STATIC_NAMES and name != "self" and name not in self.keywords and free:
                mapping[name] = free.pop(0)
                argument.arg = mapping[name]
        inner = _Locals(mapping)
        node.body = [inner.visit(statement) for statement in node.body]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)


class _Locals(ast.NodeTransformer):
    """Renames plain names only: attributes and keywords of the same spelling are others' names."""

    def __init__(self, mapping: dict[str, str]) -> None:
        self.mapping = mapping

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self.mapping.get(node.id, node.id)
        return node

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.AST:
        node.names = [self.mapping.get(name, name) for name in node.names]
        return node
