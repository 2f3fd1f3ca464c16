"""Log lines: JSON with a moment and a level; on the terminal of `up` only that something failed."""

import json
import logging
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from ostiary import logs
from ostiary.scrubbing import scrubbed
from tests import canary


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    """Logging is the process's: what a test configured is undone."""
    root = logging.getLogger()
    handlers, level, hooks = root.handlers[:], root.level, (sys.excepthook, threading.excepthook)
    for handler in handlers:  # `force` would close pytest's own
        root.removeHandler(handler)
    yield
    for handler in root.handlers[:]:
        root.removeHandler(handler)
        handler.close()
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    sys.excepthook, threading.excepthook = hooks
    canary.reset()


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


def test_what_libraries_and_the_database_say_is_written_without_secrets_and_addresses(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.to_stdout("info", "auth")
    said = (
        "cannot reach postgresql://ostiary_auth:very-secret@db:5432/ostiary with os_" + "a" * 55 + "\n"
        "duplicate key\nDETAIL:  Key (email)=(ada@example.test) already exists.\n"
        "password='hunter2hunter2' input_value='geheim', input_type=str $argon2id$v=19$m=19456$abc"
    )
    fail(said)
    structlog.get_logger("ostiary").warning("odd", detail=[said], count=3)
    written = capsys.readouterr().out
    for secret in ("very-secret", "os_aaaa", "ada@", "hunter2", "geheim", "argon2id"):
        assert secret not in written
    assert "@db:5432/ostiary" in written
    assert [json.loads(line)["event"] for line in written.splitlines()] == ["broken", "odd"]


def test_addresses_stand_where_they_are_wanted_and_secrets_nowhere(capsys: pytest.CaptureFixture[str]) -> None:
    logs.to_stdout("info", "auth", addresses=True)
    structlog.get_logger("ostiary").warning("odd", detail="ada@example.test ot_" + "b" * 43)
    detail = json.loads(capsys.readouterr().out)["detail"]
    assert detail == "ada@example.test ***"


def test_nothing_in_a_line_can_end_it_or_look_like_another(capsys: pytest.CaptureFixture[str]) -> None:
    logs.to_stdout("info", "auth")
    nasty = 'a\r\n{"level": "info"}\x1b[2J\u202eb\u2028c'
    structlog.get_logger("ostiary").warning(nasty, detail=nasty)
    written = capsys.readouterr().out
    assert written.count("\n") == 1
    assert written[:-1].isprintable()
    assert written.isascii()
    assert json.loads(written)["detail"] == nasty


def test_what_nobody_catches_is_a_line_and_an_endless_value_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    logs.to_stdout("info", "courier")
    try:
        raise ValueError("x" * 100_000)
    except ValueError as error:
        sys.excepthook(ValueError, error, error.__traceback__)
    line = json.loads(capsys.readouterr().out)
    assert (line["level"], line["event"], line["service"]) == ("critical", "crash", "courier")
    assert len(line["exception"]) < 25_000
    assert list(line)[:4] == ["timestamp", "level", "event", "service"]


@pytest.mark.parametrize("piece", ["a", "eyJ-", "://a:b", "input_value=", "password=", "x@"])
def test_words_without_end_are_looked_at_once_each(piece: str) -> None:
    """Patterns that began anew at each letter took minutes for this, in which nobody was answered."""
    endless = piece * (300_000 // len(piece))
    assert len(scrubbed(endless)) <= len(endless) * 2


def test_an_address_and_a_token_are_seen_wherever_they_begin() -> None:
    assert scrubbed("to=<ann@example.test>, a@b@example.test") == "to=<***>, a@***"
    assert scrubbed("Bearer eyJhbGciOiJF.eyJzdWIi.c2ln") == "Bearer ***"
