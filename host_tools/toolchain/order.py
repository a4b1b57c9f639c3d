"""The order of functions in the executables: those that a gateway runs first, in one place.

The kernel maps a file 64 kB at a time around the page that was asked for, so functions that never
run are resident when they lie among those that do. boards/linux/order.txt names the ones that run
in a live test (host_tools/record_order.py writes it). It is kept for what it saves of resident
memory with the application inside: 644 kB against 756 on unix64, 552 against 668 on unix32
(`copepod live --target unix64 --app frozen`, with and without the script).
"""

from __future__ import annotations

import re

from host_tools.errors import UserError
from host_tools.toolchain.sources import ROOT

ORDER = ROOT / "boards" / "linux" / "order.txt"

PAGE = 4096
WINDOW = 16 * PAGE  # what the kernel maps at a fault, by default


def linker_script() -> str:
    """A script for GNU ld: the functions that run, then all constants, then the rest."""
    lines = []
    for name in ORDER.read_text().splitlines():
        if name.endswith(".o"):
            lines.append(f"    *lib*.a:{name}(.text .text.*) */{name}(.text .text.*)")
        elif name and not name.startswith("#"):
            lines.append(f"    *(.text.{name} .text.{name}.*)")
    body = "\n".join(lines)
    return (
        f"SECTIONS\n{{\n  .text.first :\n  {{\n{body}\n  }}\n"
        "  .rodata.first : { *(.rodata .rodata.* .srodata .srodata.*) }\n"
        "}\nINSERT BEFORE .text;\n"
    )


def start_address(link_map: str) -> int:
    """Where a program should begin so that its functions that run end where a window does.

    Otherwise the last window that holds some of them brings up to 64 kB of the others with it.
    """
    start = re.search(r'SEGMENT_START \("text-segment", (0x[0-9a-f]+)\)', link_map)
    rest = re.search(r"^\.text\s+(0x[0-9a-f]+)", link_map, re.MULTILINE)
    if not start or not rest:
        raise UserError("the linker's map names no text segment: is it GNU ld's?")
    return int(start[1], 16) + (-int(rest[1], 16) % WINDOW & -PAGE)
