"""Move modules out of the packages below copepod/: on a board every package is a module more.

The folders net/ and telegram/ are for people. What goes into the bundles has left them (link.py);
what remains is loaded when it is used, and would bring its package along, which stays. The build
for a board's file system therefore puts such a module into copepod/ itself.
"""

from __future__ import annotations

import ast

FROM = ("net", "telegram")


def lift(files: dict[str, str]) -> dict[str, str]:
    """Return `files`, source by path, with the modules of FROM one folder up, and imports to match.

    A module whose name is taken there, and what only gives names of another again, stay.
    """
    moved = {}
    for path, text in files.items():
        parts = path.removesuffix(".py").split("/")
        if len(parts) == 3 and parts[1] in FROM and parts[2] != "__init__":
            stub = len(ast.parse(text).body) <= 1 and "import" in text
            if not stub and f"copepod/{parts[2]}.py" not in files:
                moved[".".join(parts)] = f"copepod.{parts[2]}"
    result = {}
    for path, text in files.items():
        name = path.removesuffix(".py").replace("/", ".")
        new = moved.get(name, name).replace(".", "/") + ".py" if path.endswith(".py") else path
        result[new] = _Renamer(moved).source(text) if path.endswith(".py") else text
    return result


class _Renamer(ast.NodeTransformer):
    def __init__(self, moved: dict[str, str]) -> None:
        self.moved = moved

    def source(self, text: str) -> str:
        """The text with its imports and the names of modules in it renamed; else as it was."""
        if not any(name.rpartition(".")[0] in text for name in self.moved):
            return text
        return ast.unparse(ast.fix_missing_locations(self.visit(ast.parse(text)))) + "\n"

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | list[ast.AST]:
        if node.module in self.moved:
            node.module = self.moved[node.module]
            return node
        up = [alias for alias in node.names if f"{node.module}.{alias.name}" in self.moved]
        if not up:
            return node
        rest = [alias for alias in node.names if alias not in up]
        lifted = ast.ImportFrom("copepod", up, 0)
        return [lifted, ast.ImportFrom(node.module, rest, 0)] if rest else lifted

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, str) and node.value in self.moved:
            node.value = self.moved[node.value]
        return node
