"""`./ostiary test`: what runs, what the summary says, and that one failure is enough for the exit status."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ostiary import test as command
from ostiary.cli import group

LINTER = ("style", ("/bin/sh", "-c", "echo all well"))
BROKEN = ("types", ("/bin/sh", "-c", "echo line 7 is wrong; exit 1"))


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one test that passes, and one linter that is content."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_one.py").write_text("def test_good():\n    pass\n")
    (tmp_path / "pyproject.toml").write_text("[tool.coverage.run]\nbranch = true\nparallel = true\n")
    monkeypatch.setattr(command, "ROOT", tmp_path)
    monkeypatch.setattr(command, "LINT", (LINTER,))
    for name in (
        "CI",
        "OSTIARY_REQUIRE",
        "OSTIARY_TEST_POSTGRES",
        "PYTEST_XDIST_WORKER",
        "COVERAGE_FILE",
        "COVERAGE_PROCESS_CONFIG",
    ):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(group, ["test", *arguments], env=environment)


def pretend(monkeypatch: pytest.MonkeyPatch, *, failures: int) -> None:
    """Stands in for a run of pytest, which takes seconds to load."""

    def outcome(_arguments: tuple[str, ...], _required: str, counts: Path) -> command.Result:
        counts.write_text(
            f'<testsuites><testsuite tests="9" skipped="2" failures="{failures}" errors="0"/></testsuites>'
        )
        return command.Result("tests", not failures, "", 0.1)

    monkeypatch.setattr(command, "_pytest", outcome)


def test_a_real_run_ends_with_its_counts(repository: Path) -> None:
    (repository / "tests" / "test_two.py").write_text("def test_bad():\n    raise ValueError\n")
    done = run("tests", "-n", "0")
    assert done.exit_code == 1, done.output
    assert done.stdout.splitlines()[-1] == "1 passed, 1 failed"


def test_all_is_well_means_status_zero(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, failures=0)
    done = run("tests/test_one.py")
    assert done.exit_code == 0, done.output
    assert "style" in done.stdout
    assert done.stdout.splitlines()[-1] == "7 passed, 0 failed"


def test_one_failing_test_or_check_fails_the_whole_and_says_what(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, failures=1)
    assert run("tests/test_one.py").exit_code == 1
    pretend(monkeypatch, failures=0)
    monkeypatch.setattr(command, "LINT", (LINTER, BROKEN))
    done = run("tests/test_one.py")
    assert done.exit_code == 1
    assert "line 7 is wrong" in done.stdout
    quick = run("--quick", "tests/test_one.py")
    assert quick.exit_code == 0
    assert "types" not in quick.stdout


def test_missing_programs_fail_where_they_are_required(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, failures=0)
    monkeypatch.setattr(command, "PROGRAMS", {"browser": ("no-such-browser",), "proxy": ("sh",)})
    assert run("--quick", "tests/test_one.py").exit_code == 0
    assert run("--quick", "tests/test_one.py", OSTIARY_REQUIRE="proxy").exit_code == 0
    for environment in ({"OSTIARY_REQUIRE": "browser"}, {"CI": "true"}):
        done = run("--quick", "tests/test_one.py", **environment)
        assert done.exit_code == 1
        assert "missing: no-such-browser" in done.stdout


def test_a_run_that_never_came_to_its_tests_is_a_failure(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_pytest", lambda *_: command.Result("tests", passed=False, said="", seconds=0.1))
    done = run("--quick", "tests/test_one.py")
    assert done.exit_code == 1
    assert done.stdout.splitlines()[-1] == "0 passed, 1 failed"


def test_it_is_for_a_clone_of_the_repository(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "ROOT", repository / "elsewhere")
    done = run()
    assert done.exit_code == 2
    assert "in a clone of it" in done.stderr
