"""The toolchain: sources as they were signed, interpreters as they are described, pages counted.

What needs no build runs always; what needs an interpreter runs for each one that TARGETS names.
"""

from __future__ import annotations

import hashlib
import os
import struct
import subprocess
from pathlib import Path

import pytest

from host_tools.errors import UserError
from host_tools.measure import record_order
from host_tools.toolchain import interpreters, locate, order, packages, pages, sources
from host_tools.toolchain.make import run as run_command


def standalone() -> list[str]:
    """The built interpreters among the targets asked for."""
    names = os.environ.get("TARGETS", "unix").replace(",", " ").split()
    return [name for name in interpreters.INTERPRETERS if name in names or "all" in names]


def python(name: str, script: str, *, frozen: bool = False, heap: str = "256k") -> str:
    """Run a script on an interpreter; its standard output."""
    path = locate.interpreter(name, frozen=frozen)
    command = [*locate.runner(name), str(path), "-X", f"heapsize={heap}", "-c", script]
    environment = {**os.environ, "MICROPYPATH": ".frozen"}
    run = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=25, check=False
    )
    assert run.returncode == 0, run.stderr + run.stdout
    return run.stdout.strip()


# --- sources


DEB822 = """\
# a comment
Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main

Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /keys/debian.gpg
"""


def test_archive_is_the_machines_own(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d/debian.sources").write_text(DEB822)
    assert sources.debian_archive(tmp_path) == ("http://mirror.example/debian", "/keys/debian.gpg")


def test_archive_in_one_line_format(tmp_path: Path) -> None:
    lines = [
        "# deb http://old.example/debian stable main",
        "deb [arch=amd64] http://other.example/apt stable main",
        "deb [signed-by=/keys/k.gpg] http://mirror.example/debian trixie main contrib",
    ]
    (tmp_path / "sources.list").write_text("\n".join(lines))
    assert sources.debian_archive(tmp_path) == ("http://mirror.example/debian", "/keys/k.gpg")


def test_no_archive_names_the_other_way(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="MICROPYTHON_DIR"):
        sources.debian_archive(tmp_path)


def test_changed_download_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.dsc").write_bytes(b"as signed")
    digest = hashlib.sha256(b"as signed").hexdigest()
    sources._check({"files": {"a.dsc": digest}}, tmp_path)
    (tmp_path / "a.dsc").write_bytes(b"as singed")
    with pytest.raises(UserError, match=rf"a\.dsc has sha256 .* says {digest}"):
        sources._check({"files": {"a.dsc": digest}}, tmp_path)


def test_checkout_without_a_submodule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "py").mkdir()
    (tmp_path / "py/mpconfig.h").touch()
    monkeypatch.setenv("MICROPYTHON_DIR", str(tmp_path))
    with pytest.raises(UserError, match="git submodule update --init lib/mbedtls"):
        sources.micropython_source()


def test_checkout_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in sources.NEEDED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.setenv("MICROPYTHON_DIR", str(tmp_path))
    assert sources.micropython_source() == tmp_path
    for command in ("init -q", "add .", "-c user.name=a -c user.email=b commit -q -m x"):
        subprocess.run(["git", "-C", str(tmp_path), *command.split()], check=True)
    clean = sources.source_version(tmp_path)
    (tmp_path / "py/mpconfig.h").write_text("#define CHANGED")
    assert sources.source_version(tmp_path) != clean


def test_packages_that_cannot_be_installed_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages.shutil, "which", lambda name: None)
    with pytest.raises(UserError, match="gcc-12-multilib"):
        packages.require(["gcc-12-multilib"])


def test_failed_build_quotes_its_error() -> None:
    sources.TOOLCHAIN.mkdir(parents=True, exist_ok=True)
    script = "echo noise; echo 'x.c:1: error: no such thing'; exit 2"
    with pytest.raises(UserError, match=r"building self-test failed .*error: no such thing"):
        run_command("self-test", ["sh", "-c", script])
    (sources.TOOLCHAIN / "self-test.log").unlink()


def test_unknown_interpreter() -> None:
    with pytest.raises(UserError, match="no interpreter is called 'unix16'"):
        locate.interpreter("unix16")


# --- the order of functions


MAP = """\
discarded input sections
 .text.gone     0x0000000000000000      0x10 a.o
Linker script and memory map
 .text.short    0x0000000000401000       0x10 /work/py/a.o
                0x0000000000401000                short
 .text.a_long_function_name
                0x0000000000401010       0x20 /work/extmod/b.o
                0x0000000000401010                a_long_function_name
                0x0000000000401010                an_alias
 .text.part.isra.0
                0x0000000000401030       0x08 /work/lib/mbedtls/c.o
 .text          0x0000000000401040       0x30 /lib/libc.a(memcpy.o)
                0x0000000000401040                memcpy
 .text          0x0000000000401070       0x30 /lib/libc.a(nameless.o)
 .rodata.table  0x0000000000402000      0x100 /work/frozen_content.o
 .bss.gcstat_heap
                0x0000000000403010       0x10 /work/gcstat/gcstat.o
 .debug_info    0x0000000000000010     0x1000 /work/py/a.o
"""


def test_functions_are_found_by_name_alias_and_address() -> None:
    profile = "fn=(1) short\ncfn=(2) part.isra.0\nfn=(3) an_alias'2\nfn=(4) 0x0000000000401075\n"
    names = record_order.executed(profile)
    assert names == {"short", "part.isra.0", "an_alias", "0x0000000000401075"}
    assert record_order.sections(MAP, names) == [
        "a_long_function_name",
        "nameless.o",
        "part",
        "short",
    ]


def test_what_runs_before_main_is_known_by_its_name() -> None:
    assert record_order.executed("fn=(1) (below main)\n") == {"__libc_start_main"}


@pytest.mark.parametrize("cold", [0x45D123, 0x460000, 0x460001, 0x45FFFF])
def test_functions_that_run_end_where_a_window_does(cold: int) -> None:
    link_map = (
        f'    PROVIDE (x = SEGMENT_START ("text-segment", 0x400000))\n.text  {cold:#018x}  0x20\n'
    )
    shift = order.start_address(link_map) - 0x400000
    assert shift % order.PAGE == 0
    beyond = (cold + shift) % order.WINDOW
    assert beyond == 0 or beyond > order.WINDOW - order.PAGE  # less than one page is wasted


def test_map_is_read_by_owner() -> None:
    found, heap = pages._read_map(MAP)
    owners = {owner: size for _, size, owner in found}
    assert heap == 0x403010
    assert owners["frozen bytecode and its names"] == 0x100
    assert owners["mbedTLS"] == 8
    assert sum(size for _, size, _ in found) == 0x10 + 0x20 + 8 + 0x60 + 0x100  # no .debug_info


# --- every interpreter


@pytest.mark.parametrize("name", standalone())
class TestInterpreter:
    def test_is_a_static_program_of_its_word_size(self, name: str) -> None:
        head = locate.interpreter(name).read_bytes()[:4096]
        word = 4 if name == "unix32" else 8
        machine = {"unix32": 3, "unix64": 62, "riscv64": 243}[name]
        assert head[:5] == b"\x7fELF" + bytes([1 if word == 4 else 2])
        assert struct.unpack_from("<HH", head, 16) == (2, machine)  # fixed addresses, no loader
        table, size, count = (
            (struct.unpack_from("<I", head, 28)[0], *struct.unpack_from("<HH", head, 42))
            if word == 4
            else (struct.unpack_from("<Q", head, 32)[0], *struct.unpack_from("<HH", head, 54))
        )
        kinds = {struct.unpack_from("<I", head, table + at * size)[0] for at in range(count)}
        assert 1 in kinds
        assert not kinds & {2, 3}  # neither PT_DYNAMIC nor PT_INTERP

    def test_has_what_a_stock_board_has(self, name: str) -> None:
        modules = "asyncio tls socket select json re os time random hashlib binascii struct array"
        script = f"for m in {modules.split()!r}: __import__(m)\nimport os\n"
        script += "print([f for f in ('rename', 'remove', 'stat', 'mkdir') if not hasattr(os, f)])"
        assert python(name, script) == "[]"

    def test_meters(self, name: str) -> None:
        script = """
import gc, gcstat, micropython
before = micropython.mem_total()
x = bytearray(1000)
assert micropython.mem_total() - before >= 1000
runs, us = gcstat.runs(), gcstat.us()
gc.collect()
assert gcstat.runs() == runs + 1 and gcstat.us() >= us
gc.threshold(4096)
for i in range(2000):
    bytearray(100)
assert gcstat.runs() > runs + 10, gcstat.runs()
print(gc.mem_free() + gc.mem_alloc())"""
        total = int(python(name, script, heap="64k"))
        assert 60_000 < total < 65_536

    def test_numbers_are_those_of_a_board(self, name: str) -> None:
        assert python(name, "import sys; print(sys.maxsize)") == str(
            2**31 - 1 if name == "unix32" else 2**63 - 1
        )
        assert python(name, "print(1e300)") == "inf"  # single precision, as on ESP32

    @pytest.mark.timeout(120)  # links, and may wait for another build's lock
    def test_application_is_in_the_frozen_one_only(self, name: str) -> None:
        script = "import copepod.net.built as b; print(b.DAY > 20000, b.__file__)"
        assert python(name, script, frozen=True) == "True copepod/net/built.py"
        with pytest.raises(AssertionError, match="no module named 'copepod'"):
            python(name, script)

    @pytest.mark.timeout(120)  # links, and may wait for another build's lock
    def test_same_inputs_give_the_same_bytes(self, name: str, tmp_path: Path) -> None:
        path = locate.interpreter(name)
        again = tmp_path / "again" / "micropython"
        with sources.locked(name):
            interpreters.make_interpreter(interpreters.INTERPRETERS[name], False, again)
        assert again.read_bytes() == path.read_bytes()

    def test_pages_add_up(self, name: str) -> None:
        script = "x = bytearray(40000)\nprint('ready')\nimport sys\nsys.stdin.readline()"
        path = locate.interpreter(name)
        command = [*locate.runner(name), str(path), "-X", "heapsize=64k", "-c", script]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
            found = pages.breakdown(process.pid)
        finally:
            process.communicate("\n", timeout=10)
        areas = {area.name: area for area in found.areas}
        assert found.emulated == (name == "riscv64")
        assert found.program == str(path)
        assert sum(area.resident for area in found.areas) == found.rss
        assert found.rss == found.anonymous + found.file
        heap = areas["GC heap"]
        assert heap.mapped == 65536
        assert 40000 < heap.resident <= 65536 + pages.PAGE
        assert areas["MicroPython py/"].resident > 50_000
        if not found.emulated:
            assert areas["C stack"].resident >= pages.PAGE


@pytest.mark.skipif(not standalone(), reason="no built interpreter among TARGETS")
@pytest.mark.skipif("MICROPYTHON_DIR" in os.environ, reason="the user's own checkout")
def test_sources_are_unmodified() -> None:
    assert sources.unmodified(sources.micropython_source())
    assert sources.unmodified(sources.musl_source())


def test_pages_of_a_process_that_has_gone() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    with pytest.raises(UserError, match=f"process {gone.pid}"):
        pages.breakdown(gone.pid)
