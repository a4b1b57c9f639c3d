"""The standalone interpreters: what each is made with, and the build, cached by its inputs.

Object files stay in build/toolchain/work/ (keyed by settings and sources), so that a build with
the application frozen in, again after every change of firmware/, takes seconds.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from host_tools import paths
from host_tools.app import build as app
from host_tools.app.tree import SOURCE_FILES
from host_tools.toolchain import flash_names, musl, order, packages
from host_tools.toolchain.make import Stopwatch, make
from host_tools.toolchain.sources import (
    ROOT,
    TOOLCHAIN,
    locked,
    micropython_source,
    musl_source,
    source_version,
)

BOARDS = ROOT / "boards"
FROZEN = ROOT / "build" / "frozen"


@dataclass(frozen=True)
class Interpreter:
    """One standalone interpreter: the name it goes by and what it is compiled with.

    "{gcc}" in a field stands for the major version of the machine's gcc.
    """

    name: str
    board: str  # folder below boards/, which is the port's variant folder
    summary: str
    processor: str  # as musl names it
    emulation: str  # as the linker names it
    compiler: str
    binutils: str  # prefix of ar, ld, strip and so on
    packages: tuple[str, ...]
    runner: tuple[str, ...] = ()  # what runs the binary where the machine itself can't
    flash_names: str = ""  # of a board whose heap this stands for


INTERPRETERS = {
    spec.name: spec
    for spec in (
        Interpreter(
            name="unix32",
            board="UNIX32",
            summary="static 32-bit Linux: the figures that stand for ESP32-class boards",
            processor="i386",
            emulation="elf_i386",
            compiler="gcc -m32",
            binutils="",
            # Not gcc-multilib, which conflicts with the riscv64 compiler.
            packages=("gcc-{gcc}-multilib",),
            flash_names=flash_names.header(),
        ),
        Interpreter(
            name="unix64",
            board="UNIX64",
            summary="static 64-bit Linux: the live figures",
            processor="x86_64",
            emulation="elf_x86_64",
            compiler="gcc",
            binutils="",
            packages=(),
        ),
        Interpreter(
            name="riscv64",
            board="LINUX_RISCV64",
            summary="static Linux for LicheeRV Nano and Milk-V Duo class boards; qemu-user here",
            processor="riscv64",
            emulation="elf64lriscv",
            compiler="riscv64-linux-gnu-gcc-{gcc}",
            binutils="riscv64-linux-gnu-",
            packages=("gcc-{gcc}-riscv64-linux-gnu", "qemu-user-static"),
            runner=("qemu-riscv64-static",),
        ),
    )
}

CFLAGS = (*musl.CFLAGS, "-fno-plt", r"-DMP_CONFIGFILE=\"../linux/mpconfigport.h\"")
SETTINGS = ("STRIPFLAGS_EXTRA=--strip-debug",)  # function names stay, for callgrind
LDFLAGS = ("-static", "-no-pie", "-Wl,-z,norelro", "-Wl,-z,noseparate-code", "-Wl,--build-id=none")


def interpreter(name: str, *, frozen: bool = False) -> Path:
    """Path of the interpreter `name`, built if it is not in the cache.

    `frozen` puts the application into it. Raises UserError when it can't be built here.
    """
    spec = INTERPRETERS[name]
    if frozen:
        write_generated()
    path = TOOLCHAIN / f"{_label(spec, frozen)}-{_digest(spec, frozen)}" / "micropython"
    if not path.exists():
        with locked(spec.name):
            if not path.exists():
                make_interpreter(spec, frozen, path)
                _forget_older(_label(spec, frozen), path.parent)
    return path


def _label(spec: Interpreter, frozen: bool) -> str:
    return spec.name + ("-frozen" if frozen else "")


def _compiler(spec: Interpreter) -> str:
    return spec.compiler.format(gcc=packages.gcc_major())


def _digest(spec: Interpreter, frozen: bool) -> str:
    """Hash of everything that the binary is made from."""
    digest = hashlib.sha256((_settings_digest(spec) + order.linker_script()).encode())
    add_files(digest, [Path(__file__).resolve(), Path(order.__file__).resolve()])  # the linking
    if frozen:
        add_files(digest, [*FROZEN.rglob("*.py"), BOARDS / "manifest.py"])
    return digest.hexdigest()[:12]


def _settings_digest(spec: Interpreter) -> str:
    """Hash of what the object files are made from: sources, settings and board headers."""
    sources = [source_version(tree) for tree in (micropython_source(), musl_source())]
    text = "\n".join([*sources, repr(spec), packages.gcc_major(), *SETTINGS, *CFLAGS, *LDFLAGS])
    digest = hashlib.sha256(text.encode())
    folders = (BOARDS / "linux", BOARDS / "modules", BOARDS / spec.board)
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    add_files(digest, [path for path in files if path != order.ORDER])
    return digest.hexdigest()[:12]


def add_files(digest: hashlib._Hash, files: list[Path]) -> None:
    for path in sorted(files):
        digest.update(f"{path.relative_to(ROOT)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())


def write_generated() -> None:
    """Write build/frozen/, what boards/manifest.py freezes: the linked app, its generated modules."""
    tree = {**app.application(), **app.generated()}
    for name in SOURCE_FILES:
        tree[name] = (paths.FIRMWARE / name).read_text()
    with locked("frozen"):
        for path in FROZEN.rglob("*.py"):
            if str(path.relative_to(FROZEN)) not in tree:
                path.unlink()
        for name, text in tree.items():
            path = FROZEN / name
            # An unchanged file keeps its time: makemanifest compiles what is newer.
            if not path.exists() or path.read_text() != text:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)


def mpy_cross() -> Path:
    """The mpy-cross of the same sources: frozen bytecode must match the interpreter exactly."""
    tree = micropython_source()
    digest = hashlib.sha256(source_version(tree).encode()).hexdigest()[:12]
    path = TOOLCHAIN / f"mpy-cross-{digest}" / "mpy-cross"
    with locked("mpy-cross"):
        if not path.exists():
            packages.require(["gcc", "make", "libc6-dev"])
            with Stopwatch("mpy-cross"):
                make("mpy-cross", tree / "mpy-cross", f"BUILD={path.parent}")
    return path


def make_interpreter(spec: Interpreter, frozen: bool, path: Path) -> None:
    """Make the interpreter in its work folder and put it and its link map in `path`'s folder.

    The caller holds the lock of the interpreter's name.
    """
    gcc = packages.gcc_major()
    wanted = [name.format(gcc=gcc) for name in spec.packages]
    packages.require(["gcc", "make", "libc6-dev", *wanted])
    compiler = _compiler(spec)
    specs = musl.musl(spec.processor, compiler, spec.binutils, spec.emulation)
    cross = mpy_cross()
    label = _label(spec, frozen)
    work = TOOLCHAIN / "work" / f"{spec.name}-{_settings_digest(spec)}"
    manifest = "manifest_frozen.py" if frozen else "manifest_stock.py"
    work.mkdir(parents=True, exist_ok=True)
    # Two flavours share the object files. make sees no other manifest, no other linker script and
    # no file that became older: what depends on them is made anew.
    shutil.rmtree(work / "frozen_mpy", ignore_errors=True)
    for name in ("frozen_content.c", "micropython"):
        (work / name).unlink(missing_ok=True)
    script = work / "order.ld"
    script.write_text(order.linker_script())
    arguments = (
        f"VARIANT_DIR={BOARDS / spec.board}",
        f"BUILD={work}",
        f"FROZEN_MANIFEST={BOARDS / 'linux' / manifest}",
        f"USER_C_MODULES={BOARDS / 'modules'}",
        f"MICROPY_MPYCROSS={cross}",
        f"CROSS_COMPILE={spec.binutils}",
        f"CC={compiler} -specs={specs}",
        f"CFLAGS_EXTRA={' '.join(CFLAGS)}",
        *SETTINGS,
        *((flash_names.argument(work),) if spec.flash_names else ()),
    )
    linking = f"LDFLAGS_EXTRA={' '.join(LDFLAGS)} -Wl,-T,{script}"
    port = micropython_source() / "ports" / "unix"
    with Stopwatch(label):
        make(label, port, *arguments, linking)
        start = order.start_address((work / "micropython.map").read_text())
        (work / "micropython").unlink()
        make(label, port, *arguments, f"{linking} -Wl,-Ttext-segment={start:#x}")
    fresh = path.parent.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    _copy_in_pages(work / "micropython", fresh / "micropython")
    shutil.copy2(work / "micropython.map", fresh)
    fresh.rename(path.parent)


def _copy_in_pages(source: Path, target: Path) -> None:
    """Copy a program with writes of one page each.

    Since Linux 6.18 a page fault maps the whole folio that holds the page, and a folio is as large
    as the write that made it: a program just copied in one go would be resident as a whole, unlike
    one that has been read from disk.
    """
    with source.open("rb") as reader, target.open("wb", buffering=0) as writer:
        while page := reader.read(4096):
            writer.write(page)
    target.chmod(0o755)


def _forget_older(label: str, keep: Path) -> None:
    """Remove all but the two newest earlier builds of `label`: a test may still be running one."""
    older = [path for path in TOOLCHAIN.glob(f"{label}-????????????") if path != keep]
    for path in sorted(older, key=lambda path: path.stat().st_mtime)[:-2]:
        shutil.rmtree(path, ignore_errors=True)
