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
from itertools import chain

# Names from MicroPython's static table, none of them special to the compiler, and then names of
# modules that every port has; getattr, setattr and AttributeError are left to rare.py;
# modules that every port has (time, select, socket, random, math, heapq, json, os, io, hashlib).
STATIC_NAMES = """
    value values key keys step items index count copy clear append insert extend remove reverse
    sort find rfind format join lower upper strip lstrip rstrip split rsplit replace startswith
    endswith isalpha isdigit islower isupper isspace read readinto readline write close send throw
    pop popitem setdefault update get end sep stop start args main little micropython bytecode
    builtins from_bytes to_bytes rindex zip sum sorted round pow ord oct next map iter hex filter
    divmod dir chr callable any all abs id eval exec globals locals repr hash bool bytearray bytes
    dict int list object range set str tuple type print len hasattr isinstance
    issubclass staticmethod classmethod ArithmeticError AssertionError
    EOFError Ellipsis GeneratorExit ImportError IndentationError IndexError KeyError LookupError
    NameError NoneType NotImplementedError OverflowError RuntimeError SyntaxError SystemExit
    ZeroDivisionError accept bind listen recv recvfrom sendto settimeout setblocking makefile
    getaddrinfo connect modify register unregister ipoll poll localtime mktime gmtime sleep sleep_us
    ticks_us ticks_cpu urandom choice randint random uniform seed ceil floor fabs sqrt exp sin cos
    tan heappush heappop heapify namedtuple deque hexlify unhexlify crc32 digest sha256 loads dumps
    load dump stat statvfs listdir mkdir rmdir unlink getcwd chdir mount umount flush seek tell
    getvalue
""".split()  # noqa: SIM905

# Private names of MicroPython's own asyncio that the firmware uses or overrides.
FOREIGN = {"_task_queue", "_io_queue", "_dequeue"}


def is_private(name: str) -> bool:
    """True for `_name`, not for `__name__` nor `_`."""
    return len(name) > 1 and name[0] == "_" and name[1] != "_" and name not in FOREIGN


class FoldError(Exception):
    """A private name is used outside the file that defines it, or of nobody knows which class."""


@dataclass
class Family:
    """Classes of one file that inherit from one another: their objects share their attributes."""

    classes: list[ast.ClassDef]
    foreign: bool = False  # a base comes from elsewhere: what it holds is not known
    mapping: dict[str, str] = field(default_factory=dict)
    private: set[str] = field(default_factory=set)  # what defined() found before anything changed

    def defined(self) -> set[str]:
        """Private attributes and methods that the classes themselves make."""
        found = set()
        for cls in self.classes:
            for node in cls.body:
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    found.add(node.name)
                else:
                    found |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
            for node in ast.walk(cls):
                if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                    found.add(node.attr)
        return {name for name in found if is_private(name)}


def fold(sources: dict[str, str]) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Return the folded sources and, per file, {old name: new name}.

    `sources` maps paths ("copepod/bus.py") to source text. An attribute stands in the names as
    `Class._name`, by the first class of its family. Raises FoldError.
    """
    trees = {path: ast.parse(text) for path, text in sources.items()}
    keywords = {
        node.arg
        for node in chain.from_iterable(map(ast.walk, trees.values()))
        if isinstance(node, ast.keyword) and node.arg
    }
    folded: dict[str, str] = {}
    names: dict[str, dict[str, str]] = {}
    for path, tree in trees.items():
        families = _families(tree)
        mapping = _mapping(_private_globals(tree), _plain_names(tree))
        names[path] = dict(mapping)
        for family in families:
            family.private = family.defined()
            if not family.foreign:
                used = Counter(chain.from_iterable(map(_attributes, family.classes)))
                family.mapping = _mapping(family.private, used)
                first = family.classes[0].name
                names[path] |= {f"{first}.{old}": new for old, new in family.mapping.items()}
        _Renamer(path, mapping, families).visit(tree)
        _Parameters(keywords).visit(tree)
        folded[path] = ast.unparse(ast.fix_missing_locations(tree)) + "\n"
    return folded, names


def _families(tree: ast.Module) -> list[Family]:
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    home: dict[str, Family] = {}
    for node in classes.values():
        family = Family([node])
        for base in node.bases:
            known = home.get(base.id) if isinstance(base, ast.Name) else None
            if known is None:
                family.foreign = True
            elif known is not family:
                known.classes += family.classes
                known.foreign |= family.foreign
                family = known
        for member in family.classes:
            home[member.name] = family
    found: list[Family] = []
    for family in home.values():
        if not any(family is other for other in found):
            found.append(family)
    return found


def _private_globals(tree: ast.Module) -> set[str]:
    # Module-level names, without those that const() makes the compiler forget.
    found: set[str] = set()
    consts: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
            continue
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                found.add(inner.id)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            function = node.value.func
            if isinstance(function, ast.Name) and function.id == "const":
                consts |= {name.id for name in node.targets if isinstance(name, ast.Name)}
    return {name for name in found - consts if is_private(name)}


def _plain_names(tree: ast.AST) -> Counter[str]:
    # Every name that is not an attribute: globals, locals, parameters, builtins, imports.
    found: Counter[str] = Counter()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found[node.id] += 1
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found[node.name] += 1
        elif isinstance(node, ast.arg):
            found[node.arg] += 1
        elif isinstance(node, ast.alias):
            found[(node.asname or node.name).split(".")[0]] += 1
        elif isinstance(node, ast.Global | ast.Nonlocal):
            found.update(node.names)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found[node.name] += 1
    return found


def _attributes(cls: ast.ClassDef) -> list[str]:
    # Every attribute named in a class: its own, and to be safe those of others.
    found = [node.attr for node in ast.walk(cls) if isinstance(node, ast.Attribute)]
    for node in cls.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.append(node.name)
        else:
            found += [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]
    return found


def _mapping(private: set[str], used: Counter[str]) -> dict[str, str]:
    free = [name for name in STATIC_NAMES if name not in used]
    ordered = sorted(private, key=lambda name: (-used[name], name))
    return dict(zip(ordered, free, strict=False))


class _Renamer(ast.NodeTransformer):
    """Gives private names their new ones."""

    def __init__(self, path: str, mapping: dict[str, str], families: list[Family]) -> None:
        self.path = path
        self.mapping = mapping
        self.families = families
        self.family: Family | None = None

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if is_private(node.attr):
            node.attr = self._owner(node).mapping.get(node.attr, node.attr)
        return node

    def _owner(self, node: ast.Attribute) -> Family:
        own = isinstance(node.value, ast.Name) and node.value.id == "self"
        own |= isinstance(node.value, ast.Call)  # super()
        if self.family is not None and own:
            return self.family
        owners = [family for family in self.families if node.attr in family.private]
        if len(owners) != 1:
            count = "no class" if not owners else "more than one class"
            raise FoldError(f"{self.path}:{node.lineno}: {node.attr} is of {count} of this file")
        return owners[0]

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self.mapping.get(node.id, node.id)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.name = self.mapping.get(node.name, node.name)
        self.family = next(f for f in self.families if any(node is cls for cls in f.classes))
        for statement in node.body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                statement.name = self.family.mapping.get(statement.name, statement.name)
            elif isinstance(statement, ast.Assign):
                for target in statement.targets:
                    if isinstance(target, ast.Name):
                        target.id = self.family.mapping.get(target.id, target.id)
        self.generic_visit(node)
        self.family = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        if self.family is None:
            node.name = self.mapping.get(node.name, node.name)
        return self.generic_visit(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        if self.family is None:
            node.name = self.mapping.get(node.name, node.name)
        return self.generic_visit(node)

    def visit_Global(self, node: ast.Global) -> ast.AST:
        node.names = [self.mapping.get(name, name) for name in node.names]
        return node

    def visit_alias(self, node: ast.alias) -> ast.AST:
        bound = node.asname or node.name
        if bound in self.mapping:
            node.asname = self.mapping[bound]
        return node


def _names(tree: ast.AST) -> Counter[str]:
    found = _plain_names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            found[node.attr] += 1
    return found


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
