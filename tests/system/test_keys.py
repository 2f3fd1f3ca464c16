"""`keys`: what verifiers are shown, and a new key by an operator's word; a service's secret key, step by step."""

import asyncio
import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ostiary_auth.flows import key_rotation
from ostiary_auth.settings import AuthSettings
from ostiary_shared.database import make_engine, make_sessions
from ostiary_shared.settings import keys_of
from tests.conftest import ADMIN_SECRET, AUTH_SECRET
from tests.system.test_commands import Terminal, terminal

__all__ = ["terminal"]

OTHER_SECRET = "other-5d7b9f1a3c2e4068b1d3f5a7c9e20486"


def test_a_key_is_replaced_without_anybody_noticing_or_at_once(terminal: Terminal) -> None:
    assert terminal.json("keys list") == []
    made = terminal.json("keys rotate")
    assert made["withdrawn"] is False
    [waiting] = terminal.json("keys list")
    # Nothing else is there to sign with.
    assert (waiting["opens"], waiting["signs"], waiting["retired_at"]) == (True, True, None)
    assert terminal.json("keys rotate --now --reason leaked")["receipt"]["lapsed"] == []
    first, second = terminal.json("keys list")
    assert (first["state"], second["state"]) == ("signs", "retired, still shown")
    assert terminal.json("keys rotate")["signs_from"] > first["signs_from"]
    states = [key["state"] for key in terminal.json("keys list")]
    assert states == ["waits", "signs", "retired, still shown"]
    assert terminal.json("keys rotate --withdraw")["withdrawn"] is True
    assert [key["state"] for key in terminal.json("keys list")] == ["signs"]
    events = terminal.rows("SELECT actor, reason FROM audit_events WHERE event = 'system:signing-key:made' ORDER BY at")
    assert [tuple(row) for row in events][1] == ("operator", "leaked")
    assert len(events) == 4


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "auth.key"
    made.write_text(f"{AUTH_SECRET}\n")
    made.chmod(0o640)
    return made


def test_a_secret_key_is_replaced_in_three_steps(terminal: Terminal, file: Path) -> None:
    assert "--add" in terminal.ok(f"keys secret {file}")
    assert "begin with --add" in terminal.finding(f"keys secret {file} --promote")
    assert "one key only" in terminal.finding(f"keys secret {file} --drop")
    before = file.stat()
    assert "is accepted, and waits to come first" in terminal.ok(f"keys secret {file} --add")
    after = file.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert after.st_ino != before.st_ino  # another file in its place, whole
    assert list(file.parent.iterdir()) == [file]
    old, new = keys_of(file.read_text())
    assert (old, len(new)) == (AUTH_SECRET, 64)
    assert "waits already" in terminal.finding(f"keys secret {file} --add")
    assert keys_of(file.read_text()) == (old, new)
    told = terminal.json(f"keys secret {file} --promote")
    assert [(key["makes"], key["waits"]) for key in told] == [(True, False), (False, False)]
    assert keys_of(file.read_text()) == (new, old)
    assert new not in str(told)
    assert "no new key waits" in terminal.finding(f"keys secret {file} --promote")
    assert "it made until" in terminal.ok(f"keys secret {file}")
    assert "not recognised any more" in terminal.ok(f"keys secret {file} --drop")
    assert file.read_text() == f"{new}\n"


def test_a_new_key_can_be_taken_away_again_and_a_year_later_there_are_three(terminal: Terminal, file: Path) -> None:
    terminal.ok(f"keys secret {file} --add")
    terminal.ok(f"keys secret {file} --drop")
    assert file.read_text() == f"{AUTH_SECRET}\n"
    for _ in range(2):
        terminal.ok(f"keys secret {file} --add")
        terminal.ok(f"keys secret {file} --promote")
    promoted = file.read_text()
    terminal.ok(f"keys secret {file} --add")
    terminal.ok(f"keys secret {file} --drop")
    assert file.read_text() == promoted  # the keys of before are needed still
    found = terminal.json(f"keys secret {file}")
    assert [key["makes"] for key in found] == [True, False, False]
    assert all(key["made_until"] for key in found[1:])
    assert keys_of(file.read_text())[-1] == AUTH_SECRET


def test_nothing_is_taken_away_that_somebody_needs(terminal: Terminal, file: Path) -> None:
    terminal.ok("keys rotate --now")
    with _replica(terminal, "web-1:77"):
        terminal.ok(f"keys secret {file} --add")
        waits = file.read_text()
        said = terminal.finding(f"keys secret {file} --promote")
        assert said.startswith("ostiary: web-1:77 started before the last change of the file and cannot know it")
        assert file.read_text() == waits
        terminal.ok(f"keys secret {file} --promote --anyway")
        assert "web-1:77 started before" in terminal.finding(f"keys secret {file} --drop")
    promoted = file.read_text()
    assert "a signing key is sealed with an older key" in terminal.finding(f"keys secret {file} --drop")
    terminal.environment["OSTIARY_SECRET_KEY"] = " ".join(keys_of(promoted))
    assert [key["state"] for key in terminal.json("keys list")] == ["signs, sealed with an older key"]
    _seal_anew(terminal)
    assert [key["state"] for key in terminal.json("keys list")] == ["signs"]
    _somebody_is_signed_in(terminal)
    said = terminal.finding(f"keys secret {file} --drop")
    assert "1 sessions and 0 API tokens were made with an older key, or may have been, and are good still" in said
    assert file.read_text() == promoted
    terminal.ok(f"keys secret {file} --drop --anyway")
    assert keys_of(file.read_text()) == keys_of(promoted)[:1]


def test_an_old_key_that_somebody_wrote_there_by_hand_is_looked_for_before_it_goes(
    terminal: Terminal, file: Path
) -> None:
    """Nothing in the file says whether the last key waits or made: what it made must not die unasked."""
    terminal.ok("keys rotate --now")
    file.write_text(f"{OTHER_SECRET}\n{AUTH_SECRET}\n")
    assert "a signing key is sealed with an older key" in terminal.finding(f"keys secret {file} --drop")
    assert keys_of(file.read_text()) == (OTHER_SECRET, AUTH_SECRET)


def test_a_key_that_nothing_tells_to_be_new_is_not_promoted_unasked(terminal: Terminal, file: Path) -> None:
    """Written by hand as a hurried operator does, the new one first: the other one is the one that got out."""
    file.write_text(f"{OTHER_SECRET}\n{AUTH_SECRET}\n")
    assert [key["waits"] for key in terminal.json(f"keys secret {file}")] == [False, False]
    assert "--promote" not in terminal.ok(f"keys secret {file}")
    assert "is a new one or one that made before" in terminal.finding(f"keys secret {file} --promote")
    assert keys_of(file.read_text()) == (OTHER_SECRET, AUTH_SECRET)
    terminal.ok(f"keys secret {file} --add")
    terminal.ok(f"keys secret {file} --promote")
    assert keys_of(file.read_text())[1:] == (OTHER_SECRET, AUTH_SECRET)
    file.write_text(f"{AUTH_SECRET}\n{OTHER_SECRET}\n")
    terminal.ok(f"keys secret {file} --promote --anyway")
    assert keys_of(file.read_text()) == (OTHER_SECRET, AUTH_SECRET)
    assert "no new key waits" in terminal.finding(f"keys secret {file} --promote --anyway")


def test_another_services_file_is_nobodys_business_but_its_own(terminal: Terminal, tmp_path: Path) -> None:
    terminal.ok("keys rotate --now")
    file = tmp_path / "admin.key"
    file.write_text(ADMIN_SECRET + "\n")
    with _replica(terminal, "web-1:77"):
        for step in ("--add", "--promote", "--drop"):
            terminal.ok(f"keys secret {file} {step}")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("short\n", "must be at least 32 random characters"),
        ("", "must hold a key"),
        (f"{AUTH_SECRET}\n{AUTH_SECRET}\n", "must not hold the same key twice"),
    ],
)
def test_a_file_that_holds_no_keys_is_not_touched(terminal: Terminal, tmp_path: Path, content: str, says: str) -> None:
    file = tmp_path / "other"
    file.write_text(content)
    said = terminal.refusal(f"keys secret {file} --add")
    assert said.startswith(f"ostiary: {file} is no file of secret keys")
    assert says in said
    assert file.read_text() == content
    assert "cannot be read" in terminal.refusal(f"keys secret {tmp_path / 'none'} --add")


def test_a_note_that_somebody_has_spoiled_is_told(terminal: Terminal, file: Path) -> None:
    terminal.ok(f"keys secret {file} --add")
    file.write_text(re.sub(r"since \S+", "since Tuesday", file.read_text()))
    assert "has a note with a date that is none" in terminal.refusal(f"keys secret {file}")


def _seal_anew(terminal: Terminal) -> None:
    """What auth does at its start, and the courier every few minutes."""
    asyncio.run(_keep_young(AuthSettings.load(terminal.environment)))


async def _keep_young(settings: AuthSettings) -> None:
    engine = make_engine(settings.database_url.get_secret_value(), "test")
    await key_rotation.keep_young(make_sessions(engine), settings)
    await engine.dispose()


@contextlib.contextmanager
def _replica(terminal: Terminal, name: str) -> Iterator[None]:
    """A process of auth that serves and started a moment ago."""
    terminal.rows(f"INSERT INTO replicas (name) VALUES ('{name}') RETURNING id")
    yield
    terminal.rows("DELETE FROM replicas RETURNING id")


def _somebody_is_signed_in(terminal: Terminal) -> None:
    terminal.rows("INSERT INTO users (email, name) VALUES ('ada@example.test', 'Ada') RETURNING id")
    terminal.rows(
        """INSERT INTO sessions (user_id, token_digest, methods, assurance, authenticated_at, last_seen_at, expires_at,
            idle_limit) SELECT id, '\\x00', '{password}', 1, now(), now(), now() + interval '1 day', interval '1 hour'
        FROM users RETURNING id"""
    )
