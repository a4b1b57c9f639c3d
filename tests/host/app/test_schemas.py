"""What a model is told of the built-in tools: made from their sources, good enough for a strict server."""

from __future__ import annotations

import pytest

from host_tools.app import schemas
from host_tools.errors import UserError
from host_tools.simulator import model_judge

GOOD = '''
def run(gateway, pin: str, percent: int, fast: bool = False):
    """Let a pin
    pulse.

    pin: the name
    percent: how much: 0 to 100
    fast: true for fast
    """
'''


def test_a_schema_is_made_of_a_function() -> None:
    found = schemas.schema("pulse", GOOD)
    assert found["function"]["description"] == "Let a pin pulse."
    assert found["function"]["parameters"] == {
        "type": "object",
        "properties": {
            "pin": {"type": "string", "description": "the name"},
            "percent": {"type": "integer", "description": "how much: 0 to 100"},
            "fast": {"type": "boolean", "description": "true for fast"},
        },
        "required": ["pin", "percent"],
    }


@pytest.mark.parametrize(
    "source",
    [
        "x = 1",
        "def run(gateway): pass",
        GOOD.replace("pin: str", "pin"),
        GOOD.replace("pin: str", "pin: list"),
        GOOD.replace("    percent: how", "    how"),
    ],
)
def test_what_is_missing_is_an_error(source: str) -> None:
    with pytest.raises(UserError, match="tools/pulse.py"):
        schemas.schema("pulse", source)


def test_every_built_in_tool_has_one_that_servers_take() -> None:
    found = schemas.schemas()
    files = {path.stem for path in schemas.TOOLS.glob("*.py")} - {"__init__"}
    assert {entry["function"]["name"] for entry in found} == files
    assert len(files) >= 20
    for entry in found:
        assert model_judge.tool_problems(entry) == []
    namespace: dict[str, tuple[tuple[str, bytes], ...]] = {}
    exec(schemas.module(), namespace)
    assert [name for name, _ in namespace["SCHEMAS"]] == [e["function"]["name"] for e in found]
