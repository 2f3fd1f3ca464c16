"""The files of a release: the same commit makes the same bytes, the list of parts is whole, and damage is found."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import cyclonedx.schema
import pytest
from jsonschema import Draft7Validator
from referencing import Registry, Resource

from ostiary_release import lock, sums
from ostiary_shared.release import VERSION
from tests.house.tree import ROOT

SCHEMAS = Path(cyclonedx.schema.__file__).parent / "_res"


def run(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "ostiary_release", *words]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=100)


@pytest.fixture(scope="module")
def commit() -> str:
    return subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=ROOT, text=True).strip()


@pytest.fixture(scope="module")
def released(commit: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("released") / "files"
    done = run(str(folder), "--commit", commit)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def copy(released: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(released, tmp_path / "copy"))


def parts(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / f"ostiary-{VERSION}.cdx.json").read_text())
    return found


def test_the_same_commit_makes_the_same_bytes(commit: str, released: Path, tmp_path: Path) -> None:
    assert run(str(tmp_path / "again"), "--commit", commit).returncode == 0
    first, second = (
        {path.name: path.read_bytes() for path in folder.iterdir()} for folder in (released, tmp_path / "again")
    )
    assert len(first) == 7
    assert first == second


def test_the_list_of_parts_names_every_pin_with_its_hashes(commit: str, released: Path) -> None:
    pins = lock.read(subprocess.check_output(["git", "show", f"{commit}:requirements.lock"], cwd=ROOT, text=True))
    assert len(pins) > 50
    listed = {
        (part["name"], part["version"]): {mark["content"] for mark in part["hashes"]}
        for part in parts(released)["components"]  # type: ignore[attr-defined]
    }
    for pin in pins:
        assert listed.pop((pin.name, pin.version)) == set(pin.hashes)
        assert pin.hashes
    ours = {path.name.split("-")[0].replace("_", "-"): {sums.sha256(path)} for path in released.glob("*.whl")}
    assert {name: marks for (name, _), marks in listed.items()} == ours


def test_the_list_of_parts_says_what_needs_what(released: Path) -> None:
    needs = {entry["ref"]: entry.get("dependsOn", []) for entry in parts(released)["dependencies"]}  # type: ignore[attr-defined]
    assert f"ostiary-shared=={VERSION}" in needs[f"ostiary-admin=={VERSION}"]
    assert any(name.startswith("argon2-cffi==") for name in needs[f"ostiary-auth=={VERSION}"])
    [argon2] = [name for name in needs if name.startswith("argon2-cffi==")]
    assert [name.split("==")[0] for name in needs[argon2]] == ["argon2-cffi-bindings"]


def test_the_list_of_parts_is_as_its_published_schema_wants_it(released: Path) -> None:
    schemas = {path.name: json.loads(path.read_text()) for path in SCHEMAS.glob("*.schema.json")}
    known = Registry().with_resources(
        (schema["$id"], Resource.from_contents(schema)) for schema in schemas.values() if "$id" in schema
    )
    validator = Draft7Validator(schemas["bom-1.6.SNAPSHOT.schema.json"], registry=known)
    assert [fault.message[:200] for fault in validator.iter_errors(parts(released))] == []


def test_untouched_files_pass(released: Path) -> None:
    done = run("--check", str(released))
    assert (done.returncode, done.stdout) == (0, f"All files in {released} are as SHA256SUMS says.\n")
    if sha256sum := shutil.which("sha256sum"):
        subprocess.run([sha256sum, "-c", "--quiet", sums.LIST], check=True, cwd=released)


def test_a_changed_byte_is_found(copy: Path) -> None:
    wheel = next(copy.glob("ostiary_auth-*.whl"))
    content = bytearray(wheel.read_bytes())
    content[len(content) // 2] ^= 1
    wheel.write_bytes(content)
    done = run("--check", str(copy))
    assert (done.returncode, done.stdout) == (1, f"{wheel.name} is not what was released.\n")


def test_missing_and_added_files_are_found(copy: Path) -> None:
    parts_file = copy / f"ostiary-{VERSION}.cdx.json"
    parts_file.rename(copy / "other.json")
    assert sums.faults(copy) == [f"{parts_file.name} is missing.", "other.json is not part of the release."]


@pytest.mark.parametrize("content", ["", "no hash at all\n"])
def test_a_list_that_says_nothing_is_no_proof(copy: Path, content: str) -> None:
    (copy / sums.LIST).write_text(content)
    assert sums.faults(copy) == ["SHA256SUMS is damaged."]


def test_wrong_usage_is_told(released: Path, tmp_path: Path) -> None:
    for words, sentence in [
        ((str(released),), "is not empty; name a new folder."),
        (("--check", str(tmp_path)), "has no SHA256SUMS; name the folder with the files of a release."),
        ((str(tmp_path / "new"), "--commit", "nothing"), "git knows no commit nothing."),
    ]:
        done = run(*words)
        assert done.returncode == 2
        assert sentence in done.stderr
