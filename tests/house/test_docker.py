"""The images' recipe: from which bases, as whom, and with which packages."""

import re
import tomllib
from fnmatch import fnmatch

import pytest

from ostiary_shared.release import VERSION
from tests.house import tree

FOLDER = tree.ROOT / "deploy/docker"
BASES = {"python:3.13-slim", "postgres:18", "caddy:2"}
TARGETS = ("auth", "courier", "admin", "operator")
LABELS = ("title", "description", "version", "revision", "licenses")
# Which of our distributions a lock serves, and with which extras of theirs.
LOCKED: dict[str, dict[str, tuple[str, ...]]] = {
    "auth": {"shared": (), "services/auth": (), "deploy": ()},
    "admin": {"shared": (), "shared/ostiary_client": ("aiohttp",), "services/admin": (), "deploy": ()},
}
COMPILE = (
    "uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header "
    "{0}.in -o {0}.lock"
)


def instructions() -> list[tuple[str, str]]:
    """Every instruction of the Dockerfile with its words; comments and line ends are gone."""
    text = re.sub(r"^\s*#.*\n", "", (FOLDER / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [(word, rest) for line in lines if line for word, _, rest in [line.partition(" ")]]


def stages() -> dict[str, tuple[str, list[tuple[str, str]]]]:
    """Each stage: what it starts from, and its instructions."""
    found: dict[str, tuple[str, list[tuple[str, str]]]] = {}
    arguments = dict(rest.split("=", 1) for word, rest in instructions() if word == "ARG" and "=" in rest)
    for word, rest in instructions():
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            found[name] = (re.sub(r"\$\{(\w+)\}", lambda match: arguments[match[1]], base), [])
        elif found:
            list(found.values())[-1][1].append((word, rest))
    return found


def line_of(stage: str) -> list[tuple[str, str]]:
    """The instructions of an image, with those of the stages it starts from."""
    base, own = stages()[stage]
    return [*(line_of(base) if base in stages() else []), *own]


def pins(lock: str) -> set[tuple[str, str]]:
    """Each package with its version; one that depends on the Python has two."""
    text = (tree.ROOT / lock).read_text()
    return set(re.findall(r"^([a-z0-9._-]+)(?:\[[a-z,]+\])?==(\S+)", text, flags=re.MULTILINE))


def test_every_stage_starts_from_a_known_base() -> None:
    made: set[str] = set()
    for name, (base, _) in stages().items():
        assert base in BASES | made
        made.add(name)
    assert set(TARGETS) <= made


def test_no_other_frontend_is_fetched_to_read_the_recipe() -> None:
    assert not re.search(r"#\s*syntax\s*=", (FOLDER / "Dockerfile").read_text())


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_says_what_it_is_who_it_runs_as_and_how_it_is(target: str) -> None:
    steps = line_of(target)
    assert ("USER", "10001:10001") in steps
    assert sum(word == "HEALTHCHECK" for word, _ in steps) == 1
    labels = " ".join(rest for word, rest in steps if word == "LABEL")
    assert all(f"org.opencontainers.image.{name}=" in labels for name in LABELS)
    assert ("ENTRYPOINT", '["ostiary"]') in steps
    assert [word for word, _ in steps if word in {"RUN", "ADD"}] == [], "an image is only copied together"


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_takes_over_nothing_but_its_tree(target: str) -> None:
    copied = [rest for word, rest in line_of(target) if word == "COPY"]
    assert len(copied) == 1
    assert re.fullmatch(r"--from=\w+-tree /tree/ /", copied[0])


def test_neither_history_nor_tests_reach_the_builder() -> None:
    rules = [rule for rule in (tree.ROOT / ".dockerignore").read_text().splitlines() if rule and rule[0] != "#"]
    assert rules[0] == "*"
    let_in = [rule[1:] for rule in rules if rule[0] == "!"]
    for name in (".git", "tests", ".venv", ".ostiary", "docs", ".env"):
        assert not any(fnmatch(name, rule) or rule.startswith(f"{name}/") for rule in let_in)
    named = " ".join(rest for word, rest in instructions() if word in {"COPY", "ADD"} and "--from=" not in rest)
    assert not re.search(r"(^|\s)(\.|\.git|tests)(/|\s|$)", named)


def test_the_images_are_of_this_release() -> None:
    assert ("ARG", f"VERSION={VERSION}") in line_of("auth")


@pytest.mark.parametrize("name", LOCKED)
def test_an_image_gets_what_its_distributions_ask_for(name: str) -> None:
    wanted = set()
    for folder, extras in LOCKED[name].items():
        project = tomllib.loads((tree.ROOT / folder / "pyproject.toml").read_text())["project"]
        lists = [project["dependencies"], *(project["optional-dependencies"][extra] for extra in extras)]
        wanted |= {word.replace("'", '"') for words in lists for word in words if not word.startswith("ostiary")}
    asked = {
        line for line in (FOLDER / f"{name}.in").read_text().splitlines() if line and not line.startswith(("#", "-c"))
    }
    assert asked == wanted, f"then, in deploy/docker: {COMPILE.format(name)}"


@pytest.mark.parametrize("name", LOCKED)
def test_an_image_gets_the_very_versions_that_are_tested(name: str) -> None:
    assert pins(f"deploy/docker/{name}.lock") <= pins("requirements.lock"), f"in deploy/docker: {COMPILE.format(name)}"


def test_the_tools_of_the_build_are_those_of_the_tests_where_both_have_them() -> None:
    known = pins("requirements.lock") | pins("tests/requirements.lock")
    names = {name for name, _ in known}
    assert {pin for pin in pins("deploy/docker/build.lock") if pin[0] in names} <= known


def test_admin_gets_nothing_that_only_auth_needs() -> None:
    names = {name for name, _ in pins("deploy/docker/admin.lock")}
    assert not names & {"argon2-cffi", "argon2-cffi-bindings", "zxcvbn-rs-py", "aiosmtplib"}
