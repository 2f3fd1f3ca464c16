"""Builds Argon2 and its Python bindings from the locked source, for each level of x86-64 and plainly elsewhere.

The wheel's Argon2 is made for the oldest x86-64 there is. Here it is a library of its own, once for each level, where
the dynamic loader looks for the best one that the processor can run (glibc-hwcaps in ld.so(8)).
"""

import platform
import re
import subprocess
import sys
import tarfile
from pathlib import Path

NAME = "argon2-cffi-bindings"
LEVELS = ("x86-64-v2", "x86-64-v3", "x86-64-v4")
SOURCES = ("argon2", "core", "encoding", "thread", "blake2/blake2b")
PIP = (sys.executable, "-m", "pip")


def main(lock: Path, work: Path, libraries: Path) -> None:
    """Put the libraries into `libraries`, where the image will have them, and the wheel of the bindings into `work`."""
    source = fetched(lock, work) / "extras/libargon2"
    kinds = {"": ()} if platform.machine() != "x86_64" else {"": ()} | {level: (level,) for level in LEVELS}
    for level, march in kinds.items():
        folder = libraries / "glibc-hwcaps" / level if level else libraries
        folder.mkdir(parents=True)
        compiled(source, folder / "libargon2.so.1", march)
    (work / "libargon2.so").symlink_to(libraries / "libargon2.so.1")
    defines = (
        f"-Ccmake.define.ARGON2_INCLUDE_DIR={source / 'include'}",
        f"-Ccmake.define.ARGON2_LIBRARY={work / 'libargon2.so'}",
        f"-Ccmake.define.CMAKE_INSTALL_RPATH={libraries}",
    )
    run(*PIP, "wheel", "-q", "--no-build-isolation", "--no-deps", *defines, "-w", str(work), str(source.parents[1]))


def fetched(lock: Path, work: Path) -> Path:
    """The unpacked source of the bindings; pip has compared it with the lock's hashes."""
    pin = re.search(rf"^{NAME}==.*?(?=\n\S)", lock.read_text(), flags=re.MULTILINE | re.DOTALL)
    if pin is None:
        sys.exit(f"{lock} has no {NAME}")
    wanted = work / "bindings.lock"
    wanted.write_text(re.sub(r"\n\s*#.*", "", pin.group()) + "\n")
    only_source = ("--no-binary", NAME, "--no-build-isolation", "--no-deps", "--require-hashes")
    run(*PIP, "download", "-q", *only_source, "-r", str(wanted), "-d", str(work))
    with tarfile.open(next(work.glob("argon2*.tar.gz"))) as archive:
        archive.extractall(work, filter="data")
    return next(path for path in work.glob("argon2*") if path.is_dir())


def compiled(source: Path, library: Path, march: tuple[str, ...]) -> None:
    """The code for x86-64 uses what the level has (SSE2, SSSE3, AVX2, AVX-512); elsewhere there is the plain one."""
    kind = "opt" if platform.machine() == "x86_64" else "ref"
    files = [str(source / "src" / f"{name}.c") for name in (*SOURCES, kind)]
    flags = ["-O3", "-fPIC", "-pthread", *(f"-march={level}" for level in march), f"-I{source / 'include'}"]
    run("gcc", "-shared", *flags, *files, "-Wl,-soname,libargon2.so.1", "-Wl,-z,relro,-z,now", "-s", "-o", str(library))


def run(*command: str) -> None:
    """Run it and end with it, if it fails."""
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main(*(Path(word).absolute() for word in sys.argv[1:]))
