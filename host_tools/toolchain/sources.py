"""The MicroPython sources, unmodified, with mbedTLS, lwIP and littlefs where its makefiles look,
and those of musl, the C library of the static builds.

Either a checkout that MICROPYTHON_DIR (MUSL_DIR) names, or the source packages of a Debian suite,
which apt checks against the archive's signature and boards/sources.lock once more, file by file.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from host_tools.errors import UserError
from host_tools.paths import ROOT

TOOLCHAIN = ROOT / "build" / "toolchain"
LOCK = ROOT / "boards" / "sources.lock"

# source package -> where its files belong in the MicroPython tree ("" is the tree itself)
PLACES = {"micropython": "", "mbedtls": "lib/mbedtls", "lwip": "lib/lwip"}

# Every source package in the lock.
PACKAGES = (*PLACES, "musl")

# A file of each library that the builds need, and the submodule that brings it to a checkout.
NEEDED = {
    "py/mpconfig.h": "",
    "lib/mbedtls/library/ssl_tls.c": "lib/mbedtls",
    "lib/lwip/src/core/tcp.c": "lib/lwip",
    "lib/littlefs/lfs2.c": "",
    "lib/micropython-lib/README.md": "lib/micropython-lib",
}

CHECKOUT_HINT = (
    "set MICROPYTHON_DIR to a MicroPython checkout at a release tag "
    "(git submodule update --init lib/mbedtls lib/lwip lib/micropython-lib) "
    "and MUSL_DIR to musl's sources"
)


class GoneError(UserError):
    """A suite no longer has the version that was asked for."""


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold build/toolchain/<name>.lock, so that two builds of one thing wait for each other."""
    TOOLCHAIN.mkdir(parents=True, exist_ok=True)
    with (TOOLCHAIN / f"{name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def micropython_source() -> Path:
    """The MicroPython tree that every build uses; fetched and prepared on the first call.

    Raises UserError when there is neither a usable checkout nor a Debian archive to ask.
    """
    checkout = os.environ.get("MICROPYTHON_DIR")
    if checkout:
        tree = Path(checkout).expanduser().resolve()
        missing = [name for name in NEEDED if not (tree / name).exists()]
        if missing:
            submodule = NEEDED[missing[0]]
            remedy = f": run git submodule update --init {submodule} there" if submodule else ""
            raise UserError(f"MICROPYTHON_DIR={checkout} has no {missing[0]}{remedy}")
        return tree
    return _prepared("micropython", tuple(PLACES))


def musl_source() -> Path:
    """The musl tree that the static builds use; fetched on the first call."""
    checkout = os.environ.get("MUSL_DIR")
    if not checkout:
        return _prepared("musl", ("musl",))
    tree = Path(checkout).expanduser().resolve()
    if not (tree / "configure").exists():
        raise UserError(f"MUSL_DIR={checkout} is no musl source tree: it has no configure")
    return tree


def _prepared(name: str, wanted: tuple[str, ...]) -> Path:
    """The tree of package `name` with the other `wanted` ones in their places."""
    lock = tomllib.loads(LOCK.read_text())
    pinned = repr([lock[package] for package in wanted]).encode()
    digest = hashlib.sha256(pinned).hexdigest()[:12]
    tree = TOOLCHAIN / "sources" / f"{name}-{lock[name]['version']}-{digest}"
    with locked("sources"):
        if not tree.is_dir():
            _prepare(lock, wanted, tree)
    return tree


def source_version(tree: Path) -> str:
    """A line that changes whenever the tree does: part of every build's cache key."""
    if not (tree / ".git").exists():
        return tree.name
    head = _git(tree, "describe", "--always", "--long", "--abbrev=40")
    changed = _git(tree, "diff", "HEAD", "--submodule=diff")
    return f"{head} {hashlib.sha256(changed.encode()).hexdigest()[:12]}"


def _git(tree: Path, *arguments: str) -> str:
    command = ["git", "-C", str(tree), *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        raise UserError(f"{' '.join(command)}: {run.stderr.strip()}")
    return run.stdout.strip()


def _prepare(lock: dict, wanted: tuple[str, ...], tree: Path) -> None:
    """Fetch, check and unpack the source packages, and put the libraries in their places."""
    click.echo(f"fetching {', '.join(wanted)}: source packages of {lock['suite']} …", err=True)
    tree.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=tree.parent) as scratch:
        downloads = _download_locked(lock, wanted, Path(scratch))
        fresh = Path(scratch) / "tree"
        for name in wanted:
            target = fresh / PLACES.get(name, "")
            if target.exists() and any(target.iterdir()):
                raise UserError(f"{wanted[0]} brings its own {PLACES[name]}")
            _unpack(downloads, name, target)
        if "micropython" in wanted:
            # The makefiles ask only whether this file exists.
            library = fresh / "lib/micropython-lib"
            library.mkdir(parents=True, exist_ok=True)
            (library / "README.md").touch()
        _digest_file(tree).write_text(tree_digest(fresh))
        fresh.rename(tree)


def _download_locked(lock: dict, wanted: tuple[str, ...], scratch: Path) -> Path:
    """Download the locked versions, or where the suite has moved on, what it has now."""
    suite = lock["suite"]
    versions = {name: lock[name]["version"] for name in wanted}
    try:
        downloads = download(suite, versions, scratch / "locked")
    except GoneError as error:
        click.echo(
            f"{error}: taking what {suite} has now, which its signature vouches for but no figure "
            "here was measured with; `copepod toolchain lock` writes the lock anew",
            err=True,
        )
        return download(suite, dict.fromkeys(wanted), scratch / "newest")
    for name in wanted:
        _check(lock[name], downloads)
    return downloads


def _digest_file(tree: Path) -> Path:
    return tree.with_name(f"{tree.name}.sha256")


def tree_digest(tree: Path) -> str:
    """SHA-256 over every file of a tree, names included."""
    digest = hashlib.sha256()
    for path in sorted(path for path in tree.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(tree)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def unmodified(tree: Path) -> bool:
    """True if every file of a prepared tree is still as it was unpacked."""
    return _digest_file(tree).read_text() == tree_digest(tree)


def download(suite: str, versions: dict[str, str | None], into: Path) -> Path:
    """Download source packages of `suite` without unpacking them; the folder that holds them.

    apt runs with a sources folder and package lists of its own, so that the machine's are left as
    they are. A version of None means the suite's newest.
    """
    if not shutil.which("apt-get"):
        raise UserError(f"no apt-get here to fetch the sources with: {CHECKOUT_HINT}")
    uri, keyring = debian_archive()
    parts, lists, target = into / "sources.list.d", into / "lists", into / "downloads"
    for folder in (parts, lists / "partial", target):
        folder.mkdir(parents=True)
    (parts / "copepod.sources").write_text(
        f"Types: deb-src\nURIs: {uri}\nSuites: {suite}\nComponents: main\nSigned-By: {keyring}\n"
    )
    options = {
        "Dir::Etc::sourcelist": "/dev/null",
        "Dir::Etc::sourceparts": str(parts),
        "Dir::State::Lists": str(lists),
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
        "APT::Get::AllowUnauthenticated": "false",
        "APT::Sandbox::User": "root" if os.geteuid() == 0 else "",
        "Acquire::AllowInsecureRepositories": "false",
        "Acquire::Languages": "none",
    }
    base = ["apt-get", "-q"]
    for key, value in options.items():
        base += ["-o", f"{key}={value}"]
    _run([*base, "update"], target)
    wanted = [f"{name}={version}" if version else name for name, version in versions.items()]
    _run([*base, "source", "--download-only", *wanted], target)
    return target


def _run(command: list[str], folder: Path) -> None:
    environment = {**os.environ, "LC_ALL": "C"}
    run = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if run.returncode:
        errors = [line for line in run.stderr.splitlines() if line.startswith("E:")]
        errors = errors or [run.stderr.strip()]
        gone = any("Can not find version" in line for line in errors)
        raise (GoneError if gone else UserError)("apt-get: " + "; ".join(errors).strip())


def debian_archive(folder: Path = Path("/etc/apt")) -> tuple[str, str]:
    """URI and keyring of the Debian archive that this machine's own apt configuration uses."""
    for entry in _apt_entries(folder):
        keyring = entry.get("Signed-By", "")
        for uri in entry.get("URIs", "").split():
            debian = (
                re.search(r"/debian/?$", uri) and "main" in entry.get("Components", "").split()
            )
            if debian and "deb" in entry.get("Types", "").split():
                return uri, keyring or "/usr/share/keyrings/debian-archive-keyring.gpg"
    raise UserError(f"apt has no Debian archive configured: {CHECKOUT_HINT}")


def _apt_entries(folder: Path) -> Iterator[dict[str, str]]:
    """Every entry of the apt sources in `folder`, of either format, as its deb822 fields."""
    for path in sorted(folder.glob("sources.list.d/*.sources")):
        for paragraph in re.split(r"\n\s*\n", path.read_text()):
            lines = [line for line in paragraph.splitlines() if not line.startswith("#")]
            fields = (line.partition(":") for line in lines if ":" in line)
            yield {name.strip(): value.strip() for name, _, value in fields}
    for path in [folder / "sources.list", *sorted(folder.glob("sources.list.d/*.list"))]:
        for line in path.read_text().splitlines() if path.exists() else ():
            match = re.match(r"(deb)\s+(?:\[(.*?)\]\s+)?(\S+)\s+(\S+)\s+(.*)", line)
            if match:
                kind, options, uri, suite, components = match.groups()
                signed = re.search(r"signed-by=(\S+)", options or "")
                yield {
                    "Types": kind,
                    "URIs": uri,
                    "Suites": suite,
                    "Components": components,
                    "Signed-By": signed.group(1) if signed else "",
                }


def _check(locked_package: dict, downloads: Path) -> None:
    """Compare every file of one source package with the lock."""
    for name, digest in locked_package["files"].items():
        found = hashlib.sha256((downloads / name).read_bytes()).hexdigest()
        if found != digest:
            raise UserError(f"{name} has sha256 {found}, boards/sources.lock says {digest}")


def _unpack(downloads: Path, name: str, target: Path) -> None:
    """Unpack a package's upstream tarball, no Debian patches, as the folder `target`."""
    (archive,) = (path for path in downloads.glob(f"{name}_*.orig.tar.*") if path.suffix != ".asc")
    with tempfile.TemporaryDirectory(dir=downloads.parent) as scratch:
        with tarfile.open(archive) as tar:
            tar.extractall(scratch, filter="data")
        (top,) = Path(scratch).iterdir()
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            target.rmdir()
        top.rename(target)


def write_lock(suite: str) -> None:
    """Write boards/sources.lock for what `suite` has now; apt checks the signatures."""
    with tempfile.TemporaryDirectory() as scratch:
        downloads = download(suite, dict.fromkeys(PACKAGES), Path(scratch))
        lines = [
            "# The source packages that `copepod toolchain` builds from, and each file's SHA-256.",
            "# Written by `copepod toolchain lock`; apt checks the archive's signature as well.",
            f'suite = "{suite}"',
        ]
        for name in PACKAGES:
            (description,) = downloads.glob(f"{name}_*.dsc")
            version = re.search(r"^Version: (\S+)", description.read_text(), re.MULTILINE)
            if not version:
                raise UserError(f"{description.name} names no version")
            lines += ["", f"[{name}]", f'version = "{version.group(1)}"', f"[{name}.files]"]
            for path in sorted(downloads.glob(f"{name}_*")):
                lines.append(f'"{path.name}" = "{hashlib.sha256(path.read_bytes()).hexdigest()}"')
    LOCK.write_text("\n".join(lines) + "\n")
