"""What the laws are about: the files of the repository and the Python of the five packages."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "ostiary_shared": ROOT / "shared/ostiary_shared",
    "ostiary_client": ROOT / "shared/ostiary_client",
    "ostiary_auth": ROOT / "services/auth/ostiary_auth",
    "ostiary_admin": ROOT / "services/admin/ostiary_admin",
    "ostiary": ROOT / "deploy/ostiary",
}
Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that belongs to the repository: what git tracks or would add."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return tuple(path for name in sorted(set(listing.split("\0"))) if name and (path := ROOT / name).is_file())


@cache
def texts() -> dict[Path, str]:
    """The tracked files that are text, with what stands in them."""
    found = {}
    for path in tracked():
        raw = path.read_bytes()
        if b"\0" not in raw:
            found[path] = raw.decode()
    return found


def name(path: Path) -> str:
    """A file as one speaks of it."""
    return str(path.relative_to(ROOT))


def modules() -> Iterator[Path]:
    """The Python files of the five packages; a migration is history and may be as long as it was."""
    for package in PACKAGES.values():
        yield from (path for path in sorted(package.rglob("*.py")) if "versions" not in path.parts)


def functions() -> Iterator[tuple[str, Function]]:
    """Every function of the five packages, with its place."""
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, Function):
                yield f"{name(path)}:{node.lineno} {node.name}", node
