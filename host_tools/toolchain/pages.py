"""Where each resident page of a gateway's process goes: `copepod toolchain pages PID`.

The kernel says which pages are resident (/proc/PID/pagemap), the link map beside the interpreter
what lies in each page of the executable, and the interpreter's gcstat module where its heap is.
Under qemu-user the same is read for the program that it runs, whose memory lies in qemu's own.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import click

from host_tools.errors import UserError

PAGE = 4096

# qemu-user puts the pages of a 64-bit program below this address, its own far above.
_QEMU_GUEST_END = 1 << 40

# (pattern of an object file's path, what it belongs to); the first that is found counts.
_OWNERS = (
    ("frozen_content", "frozen bytecode and its names"),
    ("mbedtls", "mbedTLS"),
    (r"libc\.a|crt[1in]\.o|crtbegin|crtend", "musl"),
    (r"libgcc", "libgcc"),
    (r"/lib/", "other libraries"),
    (r"/extmod/", "MicroPython extmod/"),
    (r"/py/", "MicroPython py/"),
    (r"\.o$", "MicroPython's Unix port"),
)


# Sections that are loaded; the map lists debugging information as well.
_LOADED = (".text", ".rodata", ".init", ".fini", ".eh_frame", ".srodata")


@dataclass
class Area:
    """One kind of memory: bytes resident of those mapped, and whether they are a file's."""

    name: str
    resident: int = 0
    mapped: int = 0
    file: bool = False


@dataclass
class Breakdown:
    """A process taken apart; `rss` is the sum over smaps, exact where VmRSS may lag."""

    pid: int
    name: str
    program: str
    rss: int = 0
    anonymous: int = 0
    file: int = 0
    areas: list[Area] = field(default_factory=list)
    emulated: bool = False

    def as_dict(self) -> dict:
        """For a JSON result: sizes in bytes."""
        return {
            "process": self.name,
            "emulated": self.emulated,
            "rss_b": self.rss,
            "anonymous_b": self.anonymous,
            "file_b": self.file,
            "areas": [vars(area) for area in self.areas],
        }


@dataclass(frozen=True)
class _Mapping:
    start: int
    end: int
    file: str
    offset: int
    writable: bool
    rss: int
    anonymous: int


def totals(pid: int) -> Breakdown:
    """The process's sums alone, without its areas: quick. UserError as from breakdown()."""
    return _totals(pid)[0]


def _totals(pid: int) -> tuple[Breakdown, list[_Mapping]]:
    try:
        name = Path(f"/proc/{pid}/comm").read_text().strip()
        mappings = list(_mappings(pid))
        program, emulated = _program(pid)
    except OSError as error:
        raise UserError(f"process {pid}: {error.strerror}") from None
    if emulated:
        mappings = [mapping for mapping in mappings if mapping.start < _QEMU_GUEST_END]
    result = Breakdown(pid, name, program, emulated=emulated)
    result.rss = sum(mapping.rss for mapping in mappings)
    result.anonymous = sum(mapping.anonymous for mapping in mappings)
    result.file = result.rss - result.anonymous
    return result, mappings


def breakdown(pid: int) -> Breakdown:
    """Take process `pid` apart; UserError if it has gone or may not be looked at."""
    result, mappings = _totals(pid)
    program = result.program
    image = _image(program, Path(program).stat().st_mtime_ns)
    areas: dict[str, Area] = {}
    base = _load_base(mappings, program, image)
    heap = _heap(pid, image, base)
    with Path(f"/proc/{pid}/pagemap").open("rb") as pagemap:
        for mapping in mappings:
            present = _present(pagemap, mapping)
            if mapping.file == program and not mapping.writable:
                _add_program(areas, mapping, present, image, base)
            else:
                _add_other(areas, mapping, present, heap, program)
    result.areas = sorted(areas.values(), key=lambda area: (not area.file, -area.resident))
    return result


def _mappings(pid: int) -> Iterator[_Mapping]:
    """The mappings of /proc/PID/smaps with what is resident of each."""
    text = Path(f"/proc/{pid}/smaps").read_text()
    for part in re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", text, flags=re.MULTILINE)[1:]:
        head, _, rest = part.partition("\n")
        span, rights, offset, _device, _inode, *path = head.split(maxsplit=5)
        start, end = (int(number, 16) for number in span.split("-"))
        sizes = dict(re.findall(r"^(Rss|Anonymous):\s+(\d+)", rest, re.MULTILINE))
        yield _Mapping(
            start,
            end,
            path[0] if path else "",
            int(offset, 16),
            "w" in rights,
            int(sizes.get("Rss", 0)) * 1024,
            int(sizes.get("Anonymous", 0)) * 1024,
        )


def _program(pid: int) -> tuple[str, bool]:
    """Path of the program that runs, and whether qemu-user runs it."""
    executable = str(Path(f"/proc/{pid}/exe").readlink())
    if not Path(executable).name.startswith("qemu-"):
        return executable, False
    arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    for argument in arguments[1:]:
        path = Path(argument.decode())
        if path.is_file() and path.read_bytes()[:4] == b"\x7fELF":
            return str(path.resolve()), True
    raise UserError(f"process {pid}: no program among the arguments of {executable}")


@dataclass
class _Image:
    """An executable: its word size, first address, and from the link map what lies where."""

    word: int
    start: int
    sections: list[tuple[int, int, str]]  # address, size, owner
    heap_symbol: int | None


@lru_cache(maxsize=8)
def _image(program: str, changed_ns: int) -> _Image:
    head = Path(program).read_bytes()[:64]
    word = 8 if head[4] == 2 else 4
    # The first program header's virtual address: every build here has its text first.
    table = struct.unpack_from("<Q" if word == 8 else "<I", head, 32 if word == 8 else 28)[0]
    with Path(program).open("rb") as handle:
        handle.seek(table)
        headers = handle.read(1024)
    size = 56 if word == 8 else 32
    start = 0
    for at in range(0, len(headers) - size, size):
        if struct.unpack_from("<I", headers, at)[0] == 1:  # PT_LOAD
            start = struct.unpack_from("<Q" if word == 8 else "<I", headers, at + 2 * word)[0]
            break
    link_map = Path(program).with_suffix(".map")
    if not link_map.exists():
        return _Image(word, start & -PAGE, [], None)
    sections, heap_symbol = _read_map(link_map.read_text())
    return _Image(word, start & -PAGE, sections, heap_symbol)


def _read_map(text: str) -> tuple[list[tuple[int, int, str]], int | None]:
    """Input sections of a GNU ld map with their owners, and the address of gcstat_heap."""
    text = text.partition("Linker script and memory map")[2]
    # A long section name stands on a line of its own before the address.
    rows = re.findall(r"^ (\.\S+)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S+)$", text, re.MULTILINE)
    sections = []
    for name, address, size, path in rows:
        if name.startswith(_LOADED) and int(size, 16):
            owner = next((name for found, name in _OWNERS if re.search(found, path)), "padding")
            sections.append((int(address, 16), int(size, 16), owner))
    found = re.search(r"^ \.bss\.gcstat_heap\s+0x([0-9a-f]+)", text, re.MULTILINE)
    return sorted(sections), int(found.group(1), 16) if found else None


def _load_base(mappings: list[_Mapping], program: str, image: _Image) -> int:
    """What to add to an address of the executable's to find it in the process."""
    starts = [mapping.start - mapping.offset for mapping in mappings if mapping.file == program]
    return min(starts) - image.start if starts else 0


def _heap(pid: int, image: _Image, base: int) -> tuple[int, int] | None:
    """First and last address of the GC heap in the process; None if that can't be read."""
    if image.heap_symbol is None:
        return None
    try:
        with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
            memory.seek(base + image.heap_symbol)
            raw = memory.read(2 * image.word)
    except OSError:
        return None
    start, end = struct.unpack("<QQ" if image.word == 8 else "<II", raw)
    return start + base, end + base


def _present(pagemap: BinaryIO, mapping: _Mapping) -> list[int]:
    """Addresses of the mapping's resident pages."""
    if mapping.start >= 1 << 63:  # the kernel's vsyscall page is not in pagemap
        return []
    pagemap.seek(mapping.start // PAGE * 8)
    count = (mapping.end - mapping.start) // PAGE
    entries = struct.unpack(f"<{count}Q", pagemap.read(count * 8))
    return [mapping.start + at * PAGE for at, entry in enumerate(entries) if entry >> 63]


def _add_program(
    areas: dict[str, Area], mapping: _Mapping, present: list[int], image: _Image, base: int
) -> None:
    """Share the resident pages of the executable's text and constants among their owners."""
    pages = set(present)
    covered = 0
    for address, size, owner in image.sections:
        first, last = address + base, address + base + size
        if not mapping.start <= first < mapping.end:
            continue
        area = areas.setdefault(owner, Area(owner, file=True))
        area.mapped += size
        for page in range(first & -PAGE, last, PAGE):
            if page in pages:
                part = min(last, page + PAGE) - max(first, page)
                area.resident += part
                covered += part
    rest = areas.setdefault("headers and padding", Area("headers and padding", file=True))
    rest.resident += len(present) * PAGE - covered
    rest.mapped = max(rest.mapped, rest.resident)


def _add_other(
    areas: dict[str, Area],
    mapping: _Mapping,
    present: list[int],
    heap: tuple[int, int] | None,
    program: str,
) -> None:
    """Add a mapping that is not the executable's text: heaps, stack, variables."""

    def add(name: str, resident: int, mapped: int, file: bool = False) -> None:
        area = areas.setdefault(name, Area(name, file=file))
        area.resident += resident
        area.mapped += mapped

    if mapping.file.startswith(("[vdso", "[vvar", "[vsyscall")):
        add("the kernel's own (vdso)", mapping.rss, mapping.end - mapping.start, file=True)
        return
    if mapping.file == "[stack]":
        add("C stack", mapping.rss, mapping.end - mapping.start)
        return
    if mapping.file == program:
        add("variables (data)", mapping.rss, mapping.end - mapping.start)
        return
    inside = 0
    if heap:
        first, last = max(heap[0], mapping.start), min(heap[1], mapping.end)
        if first < last:
            inside = sum(first - PAGE < page < last for page in present)
            add("GC heap", inside * PAGE, last - first)
            mapping_left = mapping.end - mapping.start - (last - first)
            add(
                "malloc: TLS and stream buffers", len(present) * PAGE - inside * PAGE, mapping_left
            )
            return
    name = "malloc: TLS and stream buffers"
    if not mapping.file or mapping.file == "[heap]":
        add(name, mapping.rss, mapping.end - mapping.start)
    else:
        add("other files", mapping.rss, mapping.end - mapping.start, file=True)


def table(result: Breakdown) -> str:
    """The breakdown as lines of text, sizes in kB of 1,024 bytes."""
    lines = [
        f"process {result.pid} {result.name}: RSS {result.rss / 1024:.0f} kB = "
        f"{result.anonymous / 1024:.0f} anonymous + {result.file / 1024:.0f} file-backed"
        + (" (the emulated program's own pages)" if result.emulated else ""),
        f"{'':34} {'resident':>9} {'mapped':>9}",
    ]
    for area in result.areas:
        kind = "file" if area.file else "anon"
        lines.append(
            f"  {kind} {area.name:27} {area.resident / 1024:9.1f} {area.mapped / 1024:9.1f}"
        )
    return "\n".join(lines)


def summary(result: dict) -> str:
    """One paragraph of a breakdown's `as_dict()`, for the live test's report."""
    kinds = {"file-backed": True, "anonymous": False}
    lines = []
    for kind, file in kinds.items():
        parts = [
            f"{area['name']} {area['resident'] / 1024:.0f}"
            for area in result["areas"]
            if area["file"] == file and area["resident"] >= 1024
        ]
        lines.append(f"  {kind:15} {', '.join(parts)}")
    if result["emulated"]:
        lines.insert(0, f"  of which the emulated program's own {result['rss_b'] / 1024:.0f} kB:")
    return "\n".join(lines)


@click.command("pages")
@click.argument("pid", type=int)
def pages_command(pid: int) -> None:
    """Print where each resident page of process PID goes."""
    click.echo(table(breakdown(pid)))
