"""Take the methods that few texts need out of the linked application, into files loaded on demand.

From a board's file system every method costs heap, whether a bot ever sends a table or not. The
formatter's classes therefore keep the methods that nearly every text runs through; those of the
groups below go to copepod/rare_<group>.mpy. A class finds a method that it does not have through
`__getattr__`, which imports the group once and puts its methods in their place: from then on they
are found like any other. A build that freezes the application needs none of this.
"""

from __future__ import annotations

import ast
import builtins

ENTRY = "copepod/text/markdown.py"

# By the class they stand in, or by their own name: what a text of plain words, emphasis, code
# spans and escapes runs through is not here.
GROUPS: dict[str, tuple[set[str], set[str]]] = {
    "tables": ({"Tables"}, set()),
    "links": (
        {"Links"},
        {"_link_end", "_target", "_acceptable", "_href", "_math_end", "_formula"},
    ),
    "blocks": (
        set(),
        set(
            """
            _skip_blanks _match _pop _is_rule _pad_for _quick_text _note _widen
            _after_quote _push_container _marker _hashes _fence_length _interrupts _item _decimal
            _atx _fence_open _pre _code_lines _closes _closing _margin _no_returns _burst
            _blank _break
            """.split()  # noqa: SIM905
        ),
    ),
}

KEPT = {"_widen_and_write"}  # bound when the formatter is made

_LOADER = """
def __getattr__(self, name):
    for group, names in {table}:
        if " " + name + " " in names:
            module = __import__("copepod.rare_" + group)
            rare = getattr(module, "rare_" + group).Rare
            for other in names.split():
                setattr({cls}, other, getattr(rare, other))
            return getattr(self, name)
    raise AttributeError(name)
"""


def split(folded: dict[str, str], names: dict[str, dict[str, str]]) -> dict[str, str]:
    """Return `folded` with the rare methods in files of their own; `names` is what fold() returned."""
    tree = ast.parse(folded[ENTRY])
    mapping = names[ENTRY]
    was_global = {new: old.lstrip("_") for old, new in mapping.items() if "." not in old}
    family = next(key.partition(".")[0] for key in mapping if key.endswith("._write_row"))
    was_method = {
        new: old.partition(".")[2] for old, new in mapping.items() if old.startswith(family + ".")
    }
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    chain = [next(c for c in classes.values() if was_global.get(c.name, c.name) == "Formatter")]
    while (
        chain[-1].bases and isinstance(base := chain[-1].bases[0], ast.Name) and base.id in classes
    ):
        chain.append(classes[base.id])
    moved: dict[str, list[ast.FunctionDef]] = {group: [] for group in GROUPS}
    for cls in chain:
        old_class = was_global.get(cls.name, cls.name)
        for node in list(cls.body):
            if not isinstance(node, ast.FunctionDef) or node.name.startswith("__"):
                continue
            old = was_method.get(node.name, node.name)
            for group, (whole, single) in GROUPS.items():
                public = not old.startswith("_")
                if old in KEPT:
                    break
                if (old_class in whole and not public) or old in single:
                    cls.body.remove(node)
                    moved[group].append(node)
                    break
        if not cls.body:
            cls.body.append(ast.Pass())
    table = tuple((group, f" {' '.join(n.name for n in moved[group])} ") for group in moved)
    loader = ast.parse(_LOADER.format(table=repr(table), cls=chain[-1].name)).body[0]
    chain[-1].body.append(loader)
    result = dict(folded)
    for group, functions in moved.items():
        result[f"copepod/rare_{group}.py"] = _module(functions, tree)
    result[ENTRY] = ast.unparse(ast.fix_missing_locations(tree)) + "\n"
    return result


def _module(functions: list[ast.FunctionDef], tree: ast.Module) -> str:
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
    for function in functions:
        local = {argument.arg for argument in function.args.args}
        for node in ast.walk(function):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                local.add(node.id)
            elif isinstance(node, ast.ExceptHandler) and node.name:
                local.add(node.name)
        for node in ast.walk(function):
            if isinstance(node, ast.Name) and node.id not in local:
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
    lost = wanted - used_consts - plain - set(dir(builtins))
    if lost:
        raise ValueError(f"rare methods name what nobody defines: {sorted(lost)}")
    lines = ["from micropython import const"] if used_consts else []
    if shared:
        lines.append(f"from copepod.text.markdown import {', '.join(shared)}")
    lines += [ast.unparse(node) for name, node in consts.items() if name in used_consts]
    # In a class, so that a method named like a builtin does not hide it.
    holder = ast.ClassDef("Rare", [], [], list(functions), [])
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
    return found
