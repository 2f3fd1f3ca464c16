"""`ostiary-client` as others install it: a wheel with nothing but the client, which needs nothing but what it says."""

import os
import re
import subprocess
import sys
import zipfile
from email.parser import Parser
from importlib.metadata import distribution
from pathlib import Path

import pytest

import ostiary_client

FOLDER = Path(ostiary_client.__file__).parent
USING = """
import sys
from ostiary_client import AsgiMiddleware, SyncVerifier, Trust, Verifier, WsgiMiddleware
from ostiary_client import current_identity, fetch_session_sync, has_role, may, protect, signed_in, verify_assertion
trust = Trust("https://login.example.org", "wiki.example.org")
SyncVerifier(trust), Verifier(trust), WsgiMiddleware(None, trust), AsgiMiddleware(None, trust)
foreign = {"aiohttp", "asgiref", "django", "flask", "pytest", "quart", "starlette", "ostiary_shared"} & set(sys.modules)
assert not foreign, foreign
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the unpacked wheel, and links to what it requires, and to what that requires."""
    built, place = tmp_path_factory.mktemp("wheel"), tmp_path_factory.mktemp("site")
    subprocess.run(
        [sys.executable, "-P", "-m", "hatchling", "build", "-t", "wheel", "-d", built],
        cwd=FOLDER, check=True, capture_output=True,
    )  # fmt: skip
    with zipfile.ZipFile(next(built.glob("ostiary_client-*.whl"))) as wheel:
        wheel.extractall(place)
    link("joserfc", place)
    return place


def link(name: str, place: Path) -> None:
    """A distribution of this environment and its requirements, without extras."""
    found = distribution(name)
    for top in {file.parts[0] for file in found.files or () if not file.parts[0].startswith((".", "__"))}:
        if not (place / top).exists():
            (place / top).symlink_to(Path(str(found.locate_file(top))))
    for required in found.requires or ():
        word, _, marker = required.partition(";")
        if not marker:
            link(word.split("[")[0].split("<")[0].split(">")[0].split("=")[0].split("!")[0].strip(), place)
    for native in ("cffi", "pycparser") if name == "cryptography" else ():
        link(native, place)


def test_the_wheel_holds_the_client_and_nothing_else(installed: Path) -> None:
    ours = {path.name for path in FOLDER.iterdir() if path.suffix == ".py"} | {"py.typed"}
    assert {path.name for path in (installed / "ostiary_client").iterdir()} == ours
    (about,) = installed.glob("ostiary_client-*.dist-info")
    told = Parser().parsestr((about / "METADATA").read_text())
    assert [line for line in told.get_all("Requires-Dist", []) if "extra" not in line] == ["joserfc<2,>=1.8"]
    assert "ostiary_client.testing" in (about / "entry_points.txt").read_text()


def alone(installed: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Python with that folder and its own library: -S leaves out site-packages, and with them our path files."""
    there = f"import sys; sys.path.insert(0, {str(installed)!r})\n{code}"
    return subprocess.run([sys.executable, "-I", "-S", "-c", there], check=False, capture_output=True, text=True)


def test_it_works_where_nothing_else_of_ours_is(installed: Path) -> None:
    done = alone(installed, USING)
    assert done.returncode == 0, done.stderr


def test_fetch_session_alone_says_that_it_needs_aiohttp(installed: Path) -> None:
    done = alone(installed, "from ostiary_client import fetch_session")
    assert "No module named 'aiohttp'" in done.stderr


def test_pytest_finds_the_fixture_as_the_guide_says(installed: Path, tmp_path: Path) -> None:
    text = (FOLDER.parents[1] / "docs" / "client.md").read_text()
    guide = [block for block in _python(text) if "def test_" in block]
    (tmp_path / "test_theirs.py").write_text("".join(guide))
    (tmp_path / "test_readme.py").write_text("".join(_python((FOLDER / "README.md").read_text())))
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", tmp_path, tmp_path],
        check=False, capture_output=True, text=True, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def _python(text: str) -> list[str]:
    """The blocks of Python in a document."""
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def test_the_readme_can_be_read_anywhere_and_the_licence_comes_along(installed: Path) -> None:
    (about,) = installed.glob("ostiary_client-*.dist-info")
    readme = (FOLDER / "README.md").read_text()
    assert (about / "METADATA").read_text().endswith(readme)
    assert "](" not in readme  # where it is shown, there is no repository around it
    assert (about / "licenses" / "LICENSE").read_text() == (FOLDER.parents[1] / "LICENSE").read_text()


def test_the_first_apps_of_guide_and_readme_are_typed(tmp_path: Path) -> None:
    guide, readme = FOLDER.parents[1] / "docs" / "client.md", FOLDER / "README.md"
    for number, block in enumerate([*_python(guide.read_text())[:2], _python(readme.read_text())[0]]):
        (tmp_path / f"app{number}.py").write_text(block)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "mypy", "--strict", "--no-incremental", *sorted(tmp_path.glob("*.py"))],
        check=False, capture_output=True, text=True, cwd=FOLDER.parents[1],
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_every_public_name_is_there() -> None:
    for name in ostiary_client.__all__:
        assert getattr(getattr(ostiary_client, name), "__name__", name) == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        ostiary_client.nothing  # noqa: B018 - the access is the test
    rooms = {path.stem for path in FOLDER.glob("*.py")}
    assert rooms.isdisjoint(ostiary_client.__all__)  # a module would take the place of what it holds
