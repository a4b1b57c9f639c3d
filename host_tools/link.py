"""Link the modules that always run together into one: what a module costs a board is paid once.

On a board's file system every .mpy brings a module object, a table of its globals, its path and
name as strings, and the code and names of its imports: 300 to 400 bytes of heap on 32 bits, and the
firmware has some thirty modules. The build therefore writes those that copepod/gateway.py imports
at once into few files, as a linker would: imports between them disappear, names that clash are
prefixed, a const() of one bundle is a const() of the next. In the place of each such module stands a
stub that gives its public names again, so that `from copepod.handlers import on_command` means the
same everywhere; the application's own modules import from the bundles and load no stub.

Left apart are the modules that main.py needs before the gateway (safe mode must not load it), and
those that are imported only when they are used.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from host_tools.flatten import flatten

# One bundle each, with its name, in the order in which they are linked: while a bundle is being loaded
# the heap holds all of it twice in part, so three smaller ones need less room than one. They stand in
# the package itself: a folder's package would be a module more.
BUNDLES = {
    "copepod.text.markdown": "copepod.text_bundle",
    "copepod.telegram.api": "copepod.telegram_bundle",
    "copepod.gateway": "copepod.gateway",
}
APART = ("copepod.platform",)  # which of its files is used is known on the board


class LinkError(Exception):
    """A module uses another in a way that can't be linked; the text names the place."""


@dataclass
class Module:
    """One module of the application, its imports resolved."""

    name: str  # "copepod.net.http"
    path: str
    tree: ast.Module
    imports: set[str] = field(default_factory=set)  # modules of ours, imported at the top
    globals: set[str] = field(default_factory=set)
    consts: dict[str, int] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)  # global -> its name in the bundle
    seen: dict[str, str] = field(default_factory=dict)  # the same with what it imports
    home: str = ""  # the bundle it went into, once that is written


def link(
    sources: dict[str, str],
    before: tuple[str, ...] = (),
    others: tuple[str, ...] = (),
    bundles: dict[str, str] = BUNDLES,
) -> dict[str, str]:
    """Return `sources` with the bundles and stubs in place of what went into them.

    `sources` maps paths ("copepod/bus.py") to text; `before` are sources that run before the
    gateway is loaded (main.py), `others` more that import from the application (bot.py, benches):
    public names that no source outside of the bundle uses become private. Raises LinkError.
    """
    modules: dict[str, Module] = {}
    for path, text in sources.items():
        name = path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        modules[name] = Module(name, path, ast.parse(text))
    for module in modules.values():
        module.imports = _imports(module.tree, module.name, module.path, modules)
        module.globals = _globals(module.tree)
        module.consts = _consts(module.tree)
    apart: set[str] = set()
    for text in before:
        _reach(_imports(ast.parse(text), "main", "main.py", modules), modules, apart)
    orders: dict[str, list[Module]] = {}
    for entry in bundles:
        names = [name for name in _ordered(entry, modules) if _goes_in(modules[name], apart)]
        apart |= set(names)
        orders[entry] = [modules[name] for name in names]
    bundled = {module.path for order in orders.values() for module in order}
    users = [*before, *others, *(text for path, text in sources.items() if path not in bundled)]
    outside = _used(users)
    linked = dict(sources)
    for entry, order in orders.items():
        inside = {module.name: module for module in order}
        rest = [sources[path] for path in bundled - {module.path for module in order}]
        _rename(order, outside, outside | _used(rest), inside)
        home = bundles[entry]
        linked[home.replace(".", "/") + ".py"] = flatten(_bundle(order, inside, modules))
        for module in order:
            module.home = home
            if module.name != home:
                linked[module.path] = _stub(module)
    for module in modules.values():
        if not module.home and any(modules[name].home for name in module.imports):
            module.renamed = {name: name for name in module.globals}
            linked[module.path] = _resolved(module, modules)
    return linked


def _goes_in(module: Module, apart: set[str]) -> bool:
    return (
        module.name not in apart
        and not module.name.startswith(APART)
        and not module.path.endswith("__init__.py")
    )


def _consts(tree: ast.Module) -> dict[str, int]:
    """Values of the module's const() names."""
    found: dict[str, int] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            function = node.value.func
            if isinstance(function, ast.Name) and function.id == "const":
                code = compile(ast.Expression(node.value.args[0]), "const", "eval")
                try:
                    value = eval(code, {"__builtins__": {}}, dict(found))
                except NameError:
                    continue  # made of another module's: stays where it is
                for target in node.targets:
                    if isinstance(target, ast.Name) and isinstance(value, int):
                        found[target.id] = value
    return found


def _imports(tree: ast.AST, name: str, path: str, modules: dict[str, Module]) -> set[str]:
    # Our modules that the top level imports, packages left out.
    found = set()
    body = tree.body if isinstance(tree, ast.Module) else []
    for node in body:
        if isinstance(node, ast.ImportFrom):
            base = _absolute(node, name, path)
            for alias in node.names:
                for candidate in (f"{base}.{alias.name}", base):
                    if candidate in modules:
                        found.add(candidate)
                        break
    return found


def _absolute(node: ast.ImportFrom, name: str, path: str) -> str:
    if not node.level:
        return node.module or ""
    parts = name.split(".")
    keep = len(parts) - node.level + path.endswith("__init__.py")
    return ".".join([*parts[:keep], *([node.module] if node.module else [])])


def _globals(tree: ast.Module) -> set[str]:
    found = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif not isinstance(node, ast.Import | ast.ImportFrom):
            found |= _bound(node)
    return found


def _bound(node: ast.AST) -> set[str]:
    """Names that a statement binds in its own scope."""
    found: set[str] = set()
    pending = [node]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            found.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
            continue
        elif isinstance(node, ast.Lambda):
            continue
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
        pending.extend(ast.iter_child_nodes(node))
    return found


def _reach(names: set[str], modules: dict[str, Module], found: set[str]) -> None:
    for name in names - found:
        found.add(name)
        _reach(modules[name].imports, modules, found)


def _ordered(name: str, modules: dict[str, Module]) -> list[str]:
    # What a module imports stands before it.
    done: list[str] = []

    def visit(name: str) -> None:
        if name not in done:
            for other in sorted(modules[name].imports):
                visit(other)
            if name not in done:
                done.append(name)

    visit(name)
    return done


def _used(outside: list[str]) -> set[str]:
    """Names that sources outside of the bundle may mean by an import or an attribute."""
    found = {"run"}
    for text in outside:
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Attribute):
                found.add(node.attr)
            elif isinstance(node, ast.ImportFrom):
                found.update(alias.name for alias in node.names)
    return found


def _rename(
    order: list[Module], outside: set[str], used: set[str], bundled: dict[str, Module]
) -> None:
    # What other bundles use keeps its name, but for a const: that goes with them as a number.
    taken = {name for module in order for name in _outside(module, bundled)}
    local = {module.name: _locals(module.tree) for module in order}
    for module in reversed(order):  # the entry keeps its names
        # A name that is a local one elsewhere would be shadowed there.
        shadowed = set().union(*(local[other.name] for other in order if other is not module))
        for name in sorted(module.globals):
            wanted = outside if name in module.consts else used
            new = name if name in wanted or name.startswith("_") else "_" + name
            if new in taken or new in shadowed:
                new = f"{module.name.rpartition('.')[2]}_{name.lstrip('_')}"
                if name not in wanted:
                    new = "_" + new
            if new in taken:
                raise LinkError(f"{module.path}: {name}: no free name for it")
            taken.add(new)
            module.renamed[name] = new


def _locals(tree: ast.Module) -> set[str]:
    # Names that functions of the module bind for themselves.
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for statement in node.body:
                found |= _bound(statement)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
    return found


def _outside(module: Module, bundled: dict[str, Module]) -> set[str]:
    # Names that a module gets from what is not in the bundle.
    found = set()
    for node in module.tree.body:
        if isinstance(node, ast.Import):
            found |= _bound(node)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, module.name, module.path)
            for alias in node.names:
                if base not in bundled and f"{base}.{alias.name}" not in bundled:
                    found.add(alias.asname or alias.name)
    return found


def _bundle(order: list[Module], bundled: dict[str, Module], modules: dict[str, Module]) -> str:
    links = _Imports(bundled, modules)
    body: list[ast.stmt] = []
    for module in order:
        names = module.seen = dict(module.renamed)
        aliases: dict[str, Module] = {}
        for node in module.tree.body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                links.add(node, module, names, aliases)
        linker = _Linker(module, names, aliases, links)
        for node in module.tree.body:
            if not _is_docstring(node) and not isinstance(node, ast.Import | ast.ImportFrom):
                body.append(linker.visit(node))
    lines = sorted(set(links.lines.values()))
    if links.consts and "from micropython import const" not in lines:
        lines.append("from micropython import const")
    lines += [f"{name} = const({value})" for name, value in sorted(links.consts.items())]
    head = ast.parse("\n".join(lines))
    tree = ast.Module(body=[*head.body, *body], type_ignores=[])
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def _resolved(module: Module, modules: dict[str, Module]) -> str:
    # A module that stays by itself, with its imports from the bundles, each where it was.
    links = _Imports({module.name: module}, modules)
    names = module.seen = dict(module.renamed)
    aliases: dict[str, Module] = {}
    body: list[ast.stmt | list[str]] = []
    for node in module.tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            known = set(links.lines)
            links.add(node, module, names, aliases)
            body.append([text for name, text in links.lines.items() if name not in known])
        else:
            body.append(node)
    linker = _Linker(module, names, aliases, links)
    known = set(links.lines)
    done: list[ast.stmt] = []
    for node in body:
        if isinstance(node, list):
            done += ast.parse("\n".join(node)).body
        elif not _is_docstring(node):
            done.append(linker.visit(node))
    head = [text for name, text in links.lines.items() if name not in known]
    if links.consts:
        head.insert(0, "from micropython import const")
    head += [f"{name} = const({value})" for name, value in sorted(links.consts.items())]
    tree = ast.Module(body=[*ast.parse("\n".join(head)).body, *done], type_ignores=[])
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


class _Imports:
    """What one bundle imports, and the numbers it takes from the bundles before it."""

    def __init__(self, bundled: dict[str, Module], modules: dict[str, Module]) -> None:
        self.bundled = bundled
        self.modules = modules
        self.lines: dict[str, str] = {}  # name -> the statement that binds it
        self.consts: dict[str, int] = {}

    def add(
        self,
        node: ast.Import | ast.ImportFrom,
        module: Module,
        names: dict[str, str],
        aliases: dict[str, Module],
    ) -> None:
        """Take over one import statement of `module`."""
        place = f"{module.path}:{node.lineno}"
        for alias in node.names:
            bound = alias.asname or alias.name.split(".")[0]
            if isinstance(node, ast.Import):
                text = f"import {alias.name}" + (f" as {alias.asname}" if alias.asname else "")
                if alias.asname and "." in alias.name:  # one spelling for `core`
                    parent, _, child = alias.name.rpartition(".")
                    text = f"from {parent} import {child} as {alias.asname}"
            else:
                base = _absolute(node, module.name, module.path)
                whole = self.modules.get(f"{base}.{alias.name}")
                part = self.modules.get(base)
                if whole and (whole.name in self.bundled or whole.home):
                    aliases[bound] = whole
                    continue
                if part and (part.name in self.bundled or part.home):
                    names[bound] = self.name_of(part, alias.name, place)
                    continue
                text = f"from {base} import {alias.name} as {bound}"
            self._bind(bound, text, place)
            names.setdefault(bound, bound)

    def name_of(self, other: Module, name: str, place: str) -> str:
        """The name here of a global of a module in this bundle or in one before. Raises LinkError."""
        known = other.seen if other.name in self.bundled else other.renamed
        if name not in known:
            raise LinkError(f"{place}: {other.name} has no {name}")
        if other.name in self.bundled:
            return known[name]
        if name in other.consts:
            copy = f"_{other.name.rpartition('.')[2]}_{name.lstrip('_')}"
            if self.consts.setdefault(copy, other.consts[name]) != other.consts[name]:
                raise LinkError(f"{place}: {copy} is another number already")
            return copy
        self._bind(known[name], f"from {other.home} import {known[name]} as {known[name]}", place)
        return known[name]

    def _bind(self, bound: str, text: str, place: str) -> None:
        text = text.removesuffix(f" import {bound} as {bound}") + (
            f" import {bound}" if text.endswith(f" import {bound} as {bound}") else ""
        )
        if self.lines.setdefault(bound, text) != text:
            raise LinkError(f"{place}: {bound} is something else elsewhere")


def _stub(module: Module) -> str:
    public = sorted(
        name
        for name, new in module.renamed.items()
        if not name.startswith("_") and not new.startswith("_")
    )
    if not public:
        return ""
    parts = [
        name if module.renamed[name] == name else f"{module.renamed[name]} as {name}"
        for name in public
    ]
    return f"from {module.home} import {', '.join(parts)}\n"


class _Linker(ast.NodeTransformer):
    """Rewrites one module's statements for the bundle's one scope."""

    def __init__(
        self,
        module: Module,
        names: dict[str, str],
        aliases: dict[str, Module],
        links: _Imports,
    ) -> None:
        self.module = module
        self.names = names
        self.aliases = aliases
        self.links = links
        self.scopes: list[set[str]] = []

    def _local(self, name: str) -> bool:
        return any(name in scope for scope in self.scopes)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if not self._local(node.id):
            if node.id in self.aliases:
                raise LinkError(f"{self.module.path}:{node.lineno}: {node.id} used as a value")
            node.id = self.names.get(node.id, node.id)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and not self._local(node.value.id):
            other = self.aliases.get(node.value.id)
            if other is not None:
                place = f"{self.module.path}:{node.lineno}"
                name = self.links.name_of(other, node.attr, place)
                return ast.copy_location(ast.Name(name, node.ctx), node)
        return self.generic_visit(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> ast.AST:
        arguments = node.args
        arguments.defaults = [self.visit(default) for default in arguments.defaults]
        scope = {argument.arg for argument in arguments.args + arguments.kwonlyargs}
        scope |= {extra.arg for extra in (arguments.vararg, arguments.kwarg) if extra}
        if isinstance(node, ast.Lambda):
            self.scopes.append(scope)
            node.body = self.visit(node.body)
        else:
            if not self.scopes:
                node.name = self.names.get(node.name, node.name)
            node.decorator_list = [self.visit(decorator) for decorator in node.decorator_list]
            node.returns = None
            for statement in node.body:
                scope |= _bound(statement)
            for inner in ast.walk(node):
                if isinstance(inner, ast.Global):
                    scope -= set(inner.names)
                elif isinstance(inner, ast.ImportFrom):
                    base = _absolute(inner, self.module.name, self.module.path)
                    for alias in inner.names:
                        if {base, f"{base}.{alias.name}"} & set(self.links.bundled):
                            place = f"{self.module.path}:{inner.lineno}"
                            raise LinkError(f"{place}: import {alias.name} at the top")
            self.scopes.append(scope)
            node.body = [self.visit(statement) for statement in node.body]
        self.scopes.pop()
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return self._function(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        if not self.scopes:
            node.name = self.names.get(node.name, node.name)
        node.bases = [self.visit(base) for base in node.bases]
        # A class's own names are seen by its body's statements, not by its methods.
        own: set[str] = set()
        for statement in node.body:
            own |= _bound(statement)
        body = []
        for statement in node.body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                name = statement.name
                self.scopes.append(set())
                statement = self.visit(statement)
                self.scopes.pop()
                statement.name = name
            else:
                self.scopes.append(own)
                statement = self.visit(statement)
                self.scopes.pop()
            body.append(statement)
        node.body = body
        return node

    def visit_Global(self, node: ast.Global) -> ast.AST:
        node.names = [self.names.get(name, name) for name in node.names]
        return node

    def visit_alias(self, node: ast.alias) -> ast.AST:
        # An import inside a `try` at the top level binds a global of the module.
        bound = node.asname or node.name
        if not self.scopes and self.names.get(bound, bound) != bound:
            node.asname = self.names[bound]
        return node
