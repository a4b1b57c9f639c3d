"""What the tables of the report share: platforms, results by their kind, Markdown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from host_tools.scenarios.results import firmware

ORDER = ("unix64", "unix32", "riscv64", "rv32", "esp32", "unix", "board", "windows")
PLATFORMS = {
    "unix64": "Linux x86-64, static",
    "unix32": "Linux i386, static: stands for ESP32-class boards",
    "riscv64": "Linux riscv64, static, under qemu-user",
    "rv32": "bare-metal RV32 in QEMU",
    "esp32": "stock MicroPython for an ESP32, in QEMU",
    "unix": "Linux, the wheel (inside a Python process)",
    "board": "a board",
    "windows": "Windows, the wheel",
}
OLDER = "† Measured with an older firmware than the one here: its command gives today's figure."
Results = dict[str, dict[str, Any]]  # file stem -> content


def load(folder: Path) -> Results:
    """Every results/*.json by its stem."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}


def table(head: list[str], rows: list[list[str]], right: int = 1) -> str:
    """A Markdown table; columns from `right` on are aligned to the right."""
    marks = ["---" if at < right else "---:" for at in range(len(head))]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, marks, *rows))


def kilobytes(size_b: int | None) -> str:
    return "-" if size_b is None else f"{size_b // 1024:,}"


def number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def kind(results: Results, prefix: str) -> dict[str, dict[str, Any]]:
    """Results of one kind by target, in the order of ORDER."""
    found = {
        stem[len(prefix) :]: data for stem, data in results.items() if stem.startswith(prefix)
    }
    return {name: found[name] for name in ORDER if name in found}


def by_command(*found: dict[str, Any]) -> str:
    """The commands that give the figures again."""
    commands = dict.fromkeys(f"`{data['command']}`{aged(data)}" for data in found if data)
    return explained("Again: " + ", ".join(commands) + ".")


def aged(data: dict[str, Any]) -> str:
    """The sign of a result that was measured with another firmware than the one here."""
    return "" if data.get("firmware") == firmware() else " †"


def explained(text: str) -> str:
    """With what the sign means, where it is used."""
    return f"{text}\n\n{OLDER}" if "†" in text else text


def missing(command: str) -> str:
    return f"Not measured yet: `{command}`."
