"""Take the methods that seldom run out of the linked application, into files loaded on demand.

From a board's file system every method costs heap, whether a bot ever sends a table, loses its link
or is refused, or not. Classes therefore keep what a steady gateway runs through, and the rest is
written to copepod/rooms/<number>/. Which methods are in which room is told by the files rooms.toml
below firmware/: a table for each room, `class` and `methods`, and `keep = false` for what runs so
seldom, or once, that it is loaded for each call and dropped after it. A class finds a method that
it does not have through `__getattr__`, which looks the room up in copepod/rooms/index, imports it
and puts its methods in their place: from then on they are found like any other. A build that
freezes the application needs none of this.
"""

from __future__ import annotations

import ast
import builtins
import textwrap
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from host_tools.fold import STATIC_NAMES

Function = ast.FunctionDef | ast.AsyncFunctionDef

LOADER = "_load_rare"  # in the bundle that is loaded first, and in each class that has a room
HOME = "copepod/text_bundle.py"
FILE = "_room"
FOLDER = "rooms"
INDEX = f"copepod/{FOLDER}/index"  # read line by line
LINE = 80  # a longer line would want a larger piece of the heap

HOLDER = "function"
DROP = "drop_rare"

# Files and what they are named cost a board, too, and for good: a module's name, its path and its
# short strings are interned, and a table of 320 names takes more room than a small heap has. Every
# room is therefore the same file of the same name, each in a folder of its own, and is imported from
# there (build/names.txt tells which number is which room). Names inside are those of MicroPython's
# types: it has them, and host_tools/fold.py does not use them. What runs a method that is not kept is
# small, since it is there for as long as the method runs. Garbage is collected first, or a room that
# stays would be spread over a full heap and leave no larger piece of it free. When the heap is too
# full for a room, those loaded before are dropped: they come back when they are called.
_LOADER = f"""
closure = []

def {LOADER}(self, key):
    __import__("gc").collect()
    try:
        return generator(self, key)
    except MemoryError:
        {DROP}()
    return generator(self, key)

def {DROP}():
    while closure:
        value, keys = closure.pop()
        for key in keys:
            if hasattr(value, key):
                setattr(value, key, None)  # a deleted slot keeps its value
                delattr(value, key)
    __import__("gc").collect()

def generator(self, key):
    path = __file__.rsplit("/", 1)[0] + "/{FOLDER}"
    with open(path + "/index") as file:
        for index in file:
            if index.startswith(type(self).__name__ + ":", 1) and " " + key + " " in index:
                break
        else:
            raise AttributeError(key)
    module = iterator(path + "/" + index.split(":")[1])
    value = module.{HOLDER}
    module.{HOLDER} = None  # or each of its methods would hold all the others
    if index[0] == "-":
        return bound_method(self, getattr(value, key))
    keys = [end for end in dir(value) if end[:2] != "__"]
    closure.append((type(self), keys))
    for end in keys:
        setattr(type(self), end, getattr(value, end))
    return getattr(self, key)

def iterator(path):
    os = __import__("os")
    sys = __import__("sys")
    start = os.getcwd()
    sys.path.insert(0, "")
    os.chdir(path)
    try:
        return __import__("{FILE}")
    finally:
        os.chdir(start)
        sys.path.pop(0)
        sys.modules["{FILE}"] = None
        del sys.modules["{FILE}"]

def bound_method(self, value):
    return lambda *args: value(self, *args)
"""


# Whatever names MicroPython has: a list of them here would stay on the heap.
_GROW = """
closure.extend([end for end in dir(__import__("builtins")) if not hasattr({cls}, end)][:{count}])
[setattr({cls}, end, None) for end in closure]
[delattr({cls}, end) for end in closure]
closure.clear()
"""


@dataclass
class Room:
    """Methods of one class that are loaded together."""

    name: str
    cls: str
    methods: list[str]
    place: str  # the file that says so
    keep: bool = True  # from its first use on; otherwise it is loaded for each call


class RoomError(Exception):
    """A room names what is not there; the text names the place."""


def read_rooms(firmware: Path) -> list[Room]:
    """Every room of the rooms.toml files below `firmware`. Raises RoomError."""
    rooms = []
    for path in sorted(firmware.rglob("rooms.toml")):
        place = str(path.relative_to(firmware))
        for name, table in tomllib.loads(path.read_text()).items():
            if set(table) - {"keep"} != {"class", "methods"}:
                raise RoomError(f"{place}: [{name}] needs `class` and `methods`")
            methods = list(table["methods"])
            rooms.append(Room(name, table["class"], methods, place, table.get("keep", True)))
    return rooms


def room_path(number: int) -> str:
    """Where the `number`th room (from 1) goes."""
    return f"copepod/{FOLDER}/{number}/{FILE}.py"


def is_room(path: str) -> bool:
    """True for what room_path() makes."""
    return path.endswith(f"/{FILE}.py")


def split(
    folded: dict[str, str], names: dict[str, dict[str, str]], rooms: list[Room]
) -> dict[str, str]:
    """Return `folded` with the rooms in files of their own; `names` is what fold() returned.

    Raises RoomError when a room names a class or a method that is not there.
    """
    result = dict(folded)
    trees = {path: ast.parse(folded[path]) for path in names if path in folded}
    index: list[str] = []
    kept: dict[str, list[int]] = {}
    owners: dict[str, ast.ClassDef] = {}  # rooms are found by the class's name
    changed: set[str] = set()
    for room in rooms:
        path, cls, _ = _find(room, trees, names)
        if owners.setdefault(cls.name, cls) is not cls:
            _rename(cls, trees[path], names[path], set(owners))
            owners[cls.name] = cls
    moved: list[tuple[str, list[Function]]] = []  # of each room: whose bundle, which methods
    for room in rooms:
        path, cls, was = _find(room, trees, names)
        mapping = {old.partition(".")[2]: new for old, new in was.items() if "." in old}
        functions: list[Function] = []
        for method in room.methods:
            name = mapping.get(method, method)
            found = [node for node in cls.body if isinstance(node, Function) and node.name == name]
            if not found:
                raise RoomError(f"{room.place}: [{room.name}] {room.cls} has no method {method}")
            cls.body.remove(found[0])
            functions.append(found[0])
        if not any(line[1:].startswith(f"{cls.name}:") for line in index):
            cls.body.append(
                ast.Assign([ast.Name("__getattr__", ast.Store())], ast.Name(LOADER, ast.Load()))
            )
        if room.keep and path == HOME:
            kept.setdefault(cls.name, []).append(len(functions))
        changed.add(path)
        head = f"{'+' if room.keep else '-'}{cls.name}:{len(moved) + 1}: "
        listed = textwrap.wrap(" ".join(function.name for function in functions), LINE)
        index += [f"{head}{names} " for names in listed]
        moved.append((path, functions))
    for number, (path, functions) in enumerate(moved, 1):
        others = [
            node for at, group in moved if at == path and group is not functions for node in group
        ]
        imported = _imported_from(path, trees)
        along = _only_for(functions, trees[path], others, imported)
        result[room_path(number)] = _module(functions, along, path, trees[path])
    for name, sizes in kept.items():
        # The class's table gets places for two rooms while the heap is still in one piece.
        trees[HOME].body += ast.parse(_GROW.format(cls=name, count=sum(sorted(sizes)[-2:]))).body
    for path in changed:
        tree = trees[path]
        if path == HOME:
            at = _after_imports(tree)
            tree.body[at:at] = ast.parse(_LOADER).body
        else:
            module = HOME.removesuffix(".py").replace("/", ".")
            tree.body[0:0] = ast.parse(f"from {module} import {LOADER}").body
        result[path] = ast.unparse(ast.fix_missing_locations(tree)) + "\n"
    if changed and HOME not in changed:
        raise RoomError(f"no room has a class of {HOME}, where the loader stands")
    result[INDEX] = "".join(f"{line}\n" for line in index)
    return result


def _find(
    room: Room, trees: dict[str, ast.Module], names: dict[str, dict[str, str]]
) -> tuple[str, ast.ClassDef, dict[str, str]]:
    # The file, the class, and what fold() called its private names.
    for path, tree in trees.items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                was = {new: old for old, new in names[path].items() if "." not in old}
                if was.get(node.name, node.name).lstrip("_") == room.cls and room.methods:
                    own = {
                        old: new
                        for old, new in names[path].items()
                        if old.partition(".")[0].lstrip("_") == room.cls and "." in old
                    }
                    return path, node, own
    raise RoomError(f"{room.place}: [{room.name}] there is no class {room.cls}")


def _rename(cls: ast.ClassDef, tree: ast.Module, names: dict[str, str], taken: set[str]) -> None:
    # Classes of two files have been folded onto one name.
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} | _bundle_names(tree)
    new = next(name for name in STATIC_NAMES if name not in used | taken)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == cls.name:
            node.id = new
    for old, folded in names.items():
        if folded == cls.name and "." not in old:
            names[old] = new
    cls.name = new


def _after_imports(tree: ast.Module) -> int:
    last = 0
    for number, node in enumerate(tree.body):
        if isinstance(node, ast.Import | ast.ImportFrom):
            last = number + 1
    return last


def _imported_from(path: str, trees: dict[str, ast.Module]) -> set[str]:
    module = path.removesuffix(".py").replace("/", ".")
    return {
        alias.name
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == module
        for alias in node.names
    }


def _only_for(
    functions: list[Function], tree: ast.Module, others: list[Function], imported: set[str]
) -> list[ast.stmt]:
    """Take what nobody else names out of `tree`: functions, and values that can't change."""
    along: list[ast.stmt] = []
    while True:
        wanted = _names_in([*functions, *along])
        for node in tree.body:
            name = _movable(node)
            if name in wanted and name not in imported:
                rest = [other for other in tree.body if other is not node]
                if name not in _names_in([*rest, *others]):
                    tree.body.remove(node)
                    along.append(node)
                    break
        else:
            order = {id(node): number for number, node in enumerate(along)}
            return sorted(along, key=lambda node: (isinstance(node, Function), -order[id(node)]))


def _names_in(nodes: Iterable[ast.AST]) -> set[str]:
    return {inner.id for node in nodes for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def _movable(node: ast.stmt) -> str | None:
    if isinstance(node, ast.FunctionDef) and not node.decorator_list:
        if not any(isinstance(inner, ast.Global) for inner in ast.walk(node)):
            return node.name
    elif isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
        fixed = ast.Constant | ast.Tuple | ast.BinOp | ast.operator | ast.Load
        if isinstance(target, ast.Name) and all(
            isinstance(inner, fixed) for inner in ast.walk(node.value)
        ):
            return target.id
    return None


def _module(functions: list[Function], along: list[ast.stmt], path: str, tree: ast.Module) -> str:
    # What the functions name must come along: consts are copied, the rest is the bundle's.
    consts: dict[str, ast.Assign] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            function = node.value.func
            if isinstance(function, ast.Name) and function.id == "const":
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        consts[target.id] = node
    wanted: set[str] = set()
    kin = _bundle_names(ast.Module(along, []))
    for function in [*functions, *(node for node in along if isinstance(node, Function))]:
        local = {argument.arg for argument in function.args.args}
        for node in ast.walk(function):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                local.add(node.id)
            elif isinstance(node, ast.ExceptHandler) and node.name:
                local.add(node.name)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                local |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
            elif isinstance(node, ast.Global):
                raise RoomError(f"{path}: {function.name} binds globals: it can't be in a room")
        for node in ast.walk(function):
            if isinstance(node, ast.Name) and node.id not in local | kin:
                wanted.add(node.id)
    used_consts = {name for name in wanted if name in consts}
    grown = True
    while grown:  # a const made of others
        inner = {
            node.id
            for name in used_consts
            for node in ast.walk(consts[name].value)
            if isinstance(node, ast.Name) and node.id in consts
        }
        grown = not inner <= used_consts
        used_consts |= inner
    plain = _bundle_names(tree) - set(consts)
    shared = sorted(name for name in wanted - used_consts if name in plain)
    if HOLDER in wanted:
        raise RoomError(f"{path}: {HOLDER} is what a room's methods stand in")
    lost = wanted - used_consts - plain - set(dir(builtins))
    if lost:
        raise RoomError(f"{path}: rare methods name what nobody defines: {sorted(lost)}")
    lines = ["from micropython import const"] if used_consts else []
    if shared:
        module = path.removesuffix(".py").replace("/", ".")
        lines.append(f"from {module} import {', '.join(shared)}")
    lines += [ast.unparse(node) for name, node in consts.items() if name in used_consts]
    lines += [ast.unparse(node) for node in along]
    # In a class, so that a method named like a builtin does not hide it.
    holder = ast.ClassDef(HOLDER, [], [], list(functions), [])
    lines.append(ast.unparse(ast.fix_missing_locations(holder)))
    return "\n".join(lines) + "\n"


def _bundle_names(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        else:
            for inner in ast.walk(node):
                if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                    found.add(inner.id)
                elif isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):  # below an `if`
                    found.add(inner.name)
    return found
