"""Log lines: JSON with a moment and a level; on the terminal of `up` only that something failed."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from ostiary import logs


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    """Logging is the process's: what a test configured is undone."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    for handler in handlers:  # `force` would close pytest's own
        root.removeHandler(handler)
    yield
    for handler in root.handlers[:]:
        root.removeHandler(handler)
        handler.close()
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level)
    logging.getLogger(logs.OURS).setLevel(logging.NOTSET)
    structlog.reset_defaults()


def fail(message: str) -> None:
    try:
        raise ValueError(message)
    except ValueError:
        structlog.get_logger("ostiary").exception("broken", path="/x")


def test_a_service_writes_json_lines_of_its_level_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    logs.to_stdout("warning", "auth")
    structlog.get_logger("ostiary").info("quiet")
    structlog.get_logger("ostiary").warning("courier waits", trouble="no server")
    logging.getLogger("somebody").warning("else")
    first, second = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (first["event"], first["level"], first["trouble"]) == ("courier waits", "warning", "no server")
    assert first["timestamp"].endswith("Z")
    assert (second["event"], second["level"]) == ("else", "warning")


def test_up_keeps_the_details_in_its_folder_and_says_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs.to_folder(tmp_path)
    structlog.get_logger("ostiary").info("started")
    fail("no luck")
    kept = [json.loads(line) for line in (tmp_path / logs.FILE).read_text().splitlines()]
    assert [line["event"] for line in kept] == ["started", "broken"]
    assert "no luck" in kept[1]["exception"]
    assert capsys.readouterr().err == f"Something failed; {tmp_path / logs.FILE} says what.\n"


def test_a_log_that_has_grown_large_starts_afresh(tmp_path: Path) -> None:
    (tmp_path / logs.FILE).write_bytes(b"x" * (logs.LIMIT + 1))
    logs.to_folder(tmp_path)
    assert (tmp_path / logs.FILE).read_text() == ""
    assert (tmp_path / "ostiary.log.1").exists()
