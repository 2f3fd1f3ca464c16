"""The direction of imports is law: the contracts of pyproject.toml hold, and a trespass of any kind is reported."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import PACKAGES, ROOT

# A line added to a file of a copy of the house, and the contract that must break.
TRESPASSES = [
    ("ostiary_auth/flows/login.py", "import quart", "rules never see HTTP or SMTP"),
    ("ostiary_auth/flows/signup.py", "import ostiary_auth.pages.signup", "auth flows downward"),
    ("ostiary_auth/helpers.py", '"""A file without a room."""', "auth flows downward"),
    ("ostiary_auth/pages/login.py", "from ostiary_shared.store import users", "the doors never touch rows"),
    ("ostiary_auth/factors/password.py", "import sqlalchemy", "factors are mechanisms alone"),
    ("ostiary_admin/pages/people.py", "import sqlalchemy", "the doors never touch rows"),
    ("ostiary_admin/queries/people.py", "import ostiary_admin.flows.authority", "admin flows downward"),
    ("ostiary_admin/app.py", "import ostiary_auth.tools", "the services never meet; both stand on shared"),
    ("ostiary_shared/models/user.py", "import ostiary_shared.store.users", "shared flows downward"),
    ("ostiary_shared/clock.py", "import ostiary_shared.settings", "shared flows downward"),
    ("ostiary_client/session.py", "import ostiary_shared.clock", "the services never meet; both stand on shared"),
    ("ostiary_client/verifier.py", "import aiohttp", "the client is light"),
    ("ostiary_client/keys.py", "import ostiary_client.verifier", "the client flows downward"),
]


def lint(root: Path, packages: dict[str, Path]) -> tuple[int, str]:
    """What import-linter says of the packages, with the contracts of this repository."""
    places = os.pathsep.join(str(package.parent) for package in packages.values())
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--config", ROOT / "pyproject.toml", "--no-cache"],
        cwd=root,
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": places},
    )
    return done.returncode, done.stdout + done.stderr


def test_every_contract_is_kept() -> None:
    status, said = lint(ROOT, PACKAGES)
    assert status == 0, said
    assert "0 broken" in said


@pytest.mark.parametrize("trespass", TRESPASSES, ids=lambda trespass: f"{trespass[0]} {trespass[1]}")
def test_a_trespass_is_reported(trespass: tuple[str, str, str], tmp_path: Path) -> None:
    file, line, contract = trespass
    copies = {name: tmp_path / str(package.relative_to(ROOT)) for name, package in PACKAGES.items()}
    for name, copy in copies.items():
        shutil.copytree(PACKAGES[name], copy, ignore=shutil.ignore_patterns("__pycache__", "static", "templates"))
    target = copies[file.split("/", 1)[0]].parent / file
    assert target.exists() or file.endswith("helpers.py")
    with target.open("a") as stream:
        stream.write(f"\n{line}\n")
    status, said = lint(tmp_path, copies)
    assert status != 0
    assert f"{contract} BROKEN" in said, said
