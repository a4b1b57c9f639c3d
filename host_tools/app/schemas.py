"""What a model is told of the built-in tools: JSON made of their sources (firmware/copepod/assistant/tools/).

A tool is a file with a function run(gateway, …). Its docstring says what it does and has a line for each argument, the
annotations are its types; what has a default may be left out. MicroPython keeps none of that, so the build reads it.
"""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

from host_tools.errors import UserError
from host_tools.paths import FIRMWARE

TOOLS = FIRMWARE / "copepod/assistant/tools"
TYPES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}


def schema(name: str, source: str) -> dict[str, Any]:
    """The schema of the tool in `source`, as Chat Completions has it; UserError where it lacks something."""
    body = ast.parse(source).body
    functions = [n for n in body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    run = next((function for function in functions if function.name == "run"), None)
    if not run or not (told := ast.get_docstring(run)):
        raise UserError(f"tools/{name}.py has no function run() with a docstring")
    head, _, rest = told.partition("\n\n")
    lines = dict(line.split(": ", 1) for line in rest.splitlines() if ": " in line)
    arguments = run.args.args[1:]
    properties = {}
    for argument in arguments:
        kind = ast.unparse(argument.annotation) if argument.annotation else ""
        if kind not in TYPES or argument.arg not in lines:
            raise UserError(f"tools/{name}.py: {argument.arg} needs a type and a line")
        properties[argument.arg] = {"type": TYPES[kind], "description": lines[argument.arg]}
    parameters: dict[str, Any] = {"type": "object", "properties": properties}
    needed = [argument.arg for argument in arguments][: len(arguments) - len(run.args.defaults)]
    if needed:
        parameters["required"] = needed
    function = {"name": name, "description": " ".join(head.split()), "parameters": parameters}
    return {"type": "function", "function": function}


def schemas(folder: Path = TOOLS) -> list[dict[str, Any]]:
    """Of every built-in tool, by name."""
    paths = sorted(path for path in folder.glob("*.py") if path.stem != "__init__")
    return [schema(path.stem, path.read_text()) for path in paths]


def module() -> str:
    """Source of the module that a board reads them from, once, when it starts."""
    rows = [
        (entry["function"]["name"], json.dumps(entry, separators=(",", ":")).encode())
        for entry in schemas()
    ]
    return f'"""The tools\' schemas, by the build."""\nSCHEMAS = {tuple(rows)!r}\n'
