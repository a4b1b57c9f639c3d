"""The C library of the static builds: musl, compiled for size, one per processor.

glibc's static getaddrinfo alone brings 700 kB of text into a binary; musl's whole share is 60 kB.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from host_tools.toolchain.make import Stopwatch, make, run
from host_tools.toolchain.sources import TOOLCHAIN, locked, musl_source, source_version

# What makes a small static executable, for the library and for what is linked with it.
CFLAGS = (
    "-fno-pie",
    "-fno-stack-protector",
    "-fno-unwind-tables",
    "-fno-asynchronous-unwind-tables",
)

# How gcc finds this library instead of the system's own; @ stands for where it is installed.
_SPECS = """\
%rename cpp_options old_cpp_options

*cpp_options:
-nostdinc -isystem @/include -isystem include%s %(old_cpp_options)

*cc1:
%(cc1_cpu) -nostdinc -isystem @/include -isystem include%s

*link_libgcc:
-L@/lib -L .%s

*libgcc:
libgcc.a%s %:if-exists(libgcc_eh.a%s)

*startfile:
@/lib/crt1.o @/lib/crti.o crtbegin.o%s

*endfile:
crtend.o%s @/lib/crtn.o

*link:
{link} -nostdlib -static

"""


def musl(processor: str, compiler: str, binutils: str, emulation: str) -> Path:
    """The gcc specs file of a musl for `processor` ("i386"…), built if it is not in the cache.

    `compiler` is the command that compiles for it, `binutils` the prefix of its ar and ranlib,
    `emulation` the linker's name for it.
    """
    tree = musl_source()
    text = "\n".join([source_version(tree), compiler, emulation, *CFLAGS, _SPECS])
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    prefix = TOOLCHAIN / f"musl-{processor}-{digest}"
    specs = prefix / "gcc.specs"
    with locked(f"musl-{processor}"):
        if not specs.exists():
            _build(tree, prefix, processor, compiler, binutils)
            filled = _SPECS.replace("@", str(prefix)).replace("{link}", f"-m {emulation}")
            specs.write_text(filled)
    return specs


def _build(tree: Path, prefix: Path, processor: str, compiler: str, binutils: str) -> None:
    label = f"musl-{processor}"
    work = TOOLCHAIN / "work" / prefix.name
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    flags = " ".join(("-Os", "-ffunction-sections", "-fdata-sections", *CFLAGS))
    configure = [
        str(tree / "configure"),
        f"--prefix={prefix}",
        f"--target={processor}",
        "--disable-shared",
        "--disable-wrapper",
        f"CC={compiler}",
        f"AR={binutils}ar",
        f"RANLIB={binutils}ranlib",
        f"CFLAGS={flags}",
    ]
    with Stopwatch(label):
        run(label, configure, work)
        make(label, work, "install")
    shutil.rmtree(work)
