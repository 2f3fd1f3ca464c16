"""One version for all distributions, and every release that there was is kept to upgrade from."""

import re
import tomllib

from ostiary_shared.migrations import chain
from ostiary_shared.release import NEEDS_SCHEMA, SCHEMA, VERSION
from tests.house import tree

DISTRIBUTIONS = ("shared", "shared/ostiary_client", "services/auth", "services/admin", "deploy")
RELEASES = tree.ROOT / "tests/releases"


def test_all_distributions_are_of_this_release_and_want_each_other_so() -> None:
    for folder in DISTRIBUTIONS:
        project = tomllib.loads((tree.ROOT / folder / "pyproject.toml").read_text())["project"]
        assert project["version"] == VERSION
        ours = [name for name in project["dependencies"] if name.startswith("ostiary-")]
        assert all(name.endswith(f"=={VERSION}") for name in ours)


def test_every_release_of_the_changelog_is_kept() -> None:
    changelog = (tree.ROOT / "CHANGELOG.md").read_text()
    released = re.findall(r"^## (\d+\.\d+\.\d+) \(\d{4}-\d\d-\d\d\)$", changelog, flags=re.MULTILINE)
    assert released
    for version in released:
        assert len(list((RELEASES / version).glob("*.whl"))) == len(DISTRIBUTIONS)
        for name in ("sample.sql.gz", "sample.json"):
            assert (RELEASES / version / name).is_file(), f"tests/releases/make.py {version} makes it"


def test_the_code_says_itself_which_schema_it_knows_and_which_it_needs() -> None:
    """Alembic would take a third of a second to load, at every start of a service."""
    last = chain.steps()[-1]
    assert last.revision == SCHEMA
    assert chain.numbered(last.since) <= chain.numbered(VERSION)
    assert NEEDS_SCHEMA in {step.revision for step in chain.steps()}
