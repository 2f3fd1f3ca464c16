"""`test`: every check and every test, cheapest first. What each tool looks for stands in the root's pyproject.toml."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ostiary import home as folder
from ostiary.faults import FINDING, Refusal

ROOT = folder.REPOSITORY
PYTHON = (sys.executable, "-m")
# djlint would otherwise take the settings of the first distribution it finds.
TEMPLATED = ("shared", "services", "deploy")
LINT = (
    ("style", (*PYTHON, "ruff", "check")),
    ("layout", (*PYTHON, "ruff", "format", "--check")),
    ("types", (*PYTHON, "mypy")),
    ("imports", (str(Path(sys.executable).with_name("lint-imports")),)),
    ("templates", (*PYTHON, "djlint", "--lint", "--quiet", "--configuration", "pyproject.toml", *TEMPLATED)),
)
PROGRAMS = {"browser": ("chromium",), "proxy": ("nginx", "caddy", "haproxy", "apache2")}


@dataclass(frozen=True)
class Result:
    """How one check went."""

    check: str
    passed: bool
    said: str
    seconds: float


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--quick", is_flag=True, help="Only the tests, without the linters.")
@click.option(
    "--require",
    envvar="OSTIARY_REQUIRE",
    default="",
    help="Fail when these are missing: browser,proxy [env: OSTIARY_REQUIRE].",
)
@click.option("--ci", envvar="CI", default="", hidden=True)
@click.argument("pytest_args", nargs=-1, type=click.UNPROCESSED)
def test(pytest_args: tuple[str, ...], *, quick: bool, require: str, ci: str) -> None:
    """Run every check and every test; more arguments go to pytest.

    Browser and proxy tests are skipped where chromium, nginx, caddy, haproxy or apache2 are missing, unless CI or
    OSTIARY_REQUIRE is set.
    """
    if not (ROOT / "tests").is_dir():
        message = "the tests are part of the repository; run this in a clone of it."
        raise Refusal(message)
    required = require or (",".join(PROGRAMS) if ci else "")
    console = Console(highlight=False)
    results = [_programs(required)] if required else []
    results += [] if quick else [_lint(console, name, command) for name, command in LINT]
    with tempfile.TemporaryDirectory() as scratch:
        counts = Path(scratch) / "results.xml"
        results.append(_pytest(pytest_args, required, counts))
        passed, failed = _counts(counts)
    if not pytest_args:
        results.append(_coverage(console))
    _summary(console, results)
    click.echo(f"{passed} passed, {failed} failed")
    sys.exit(0 if all(result.passed for result in results) and not failed else FINDING)


def _programs(required: str) -> Result:
    missing = [name for kind in required.split(",") for name in PROGRAMS.get(kind, ()) if not shutil.which(name)]
    return Result("programs", not missing, f"missing: {', '.join(missing)}" if missing else "", 0.0)


def _lint(console: Console, name: str, command: tuple[str, ...]) -> Result:
    with console.status(f"{name} …"):
        began = time.monotonic()
        done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    output = (done.stdout + done.stderr).strip()
    if done.returncode:
        click.echo(output)
    return Result(name, done.returncode == 0, output.splitlines()[-1] if output else "", time.monotonic() - began)


def _pytest(arguments: tuple[str, ...], required: str, counts: Path) -> Result:
    began = time.monotonic()
    command = [*PYTHON, "coverage", "run", "-m", "pytest", "-n", "2", f"--junitxml={counts}", *arguments]
    environment = {**os.environ, "OSTIARY_REQUIRE": required}
    # Hundreds of commands are started: each would compile a thousand modules anew, for two seconds.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(command, cwd=ROOT, check=False, env=environment)
    return Result("tests", done.returncode == 0, "", time.monotonic() - began)


def _counts(path: Path) -> tuple[int, int]:
    """How many tests passed and failed, as pytest wrote them down; an error counts as a failure."""
    if not path.exists():
        return 0, 1
    suites = [suite.attrib for suite in ET.parse(path).getroot()]  # noqa: S314 - our own file of a moment ago
    total, failed, skipped = (
        sum(int(suite.get(name, 0)) for suite in suites for name in names)
        for names in (("tests",), ("failures", "errors"), ("skipped",))
    )
    return total - failed - skipped, failed


def _coverage(console: Console) -> Result:
    subprocess.run([*PYTHON, "coverage", "combine", "--quiet"], cwd=ROOT, check=False, capture_output=True)
    return _lint(console, "coverage", (*PYTHON, "coverage", "report", "--skip-covered", "--skip-empty"))


def _summary(console: Console, results: list[Result]) -> None:
    table = Table("check", "result", "", "seconds")
    for result in results:
        word = "[green]passed[/]" if result.passed else "[red]failed[/]"
        table.add_row(result.check, word, escape(result.said), f"{result.seconds:.1f}")
    console.print(table)
