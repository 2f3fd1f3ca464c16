"""`secrets` makes what is missing and never touches what is there; with --check it reads the settings like auth."""

import os
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ostiary.cli import group
from ostiary.secret_files import FILES
from ostiary_shared.settings import fault_of_keys


def run(folder: Path, *more: str, **settings: str) -> Result:
    given = {name: None for name in os.environ if name.startswith("OSTIARY_")} | settings
    done = CliRunner().invoke(group, ["secrets", str(folder), *more], env=given)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    return done


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_every_secret_is_made_once(tmp_path: Path) -> None:
    first = run(tmp_path / "s")
    assert first.exit_code == 0
    made = contents(tmp_path / "s")
    assert set(made) == {file.path for file in FILES}
    again = run(tmp_path / "s")
    assert again.stdout == "Every secret is there already.\n"
    assert contents(tmp_path / "s") == made


def test_no_secret_is_another_s(tmp_path: Path) -> None:
    run(tmp_path)
    sources = [text for name, text in contents(tmp_path).items() if not name.endswith("pgpass")]
    assert len(set(sources)) == len(sources)
    assert fault_of_keys(((tmp_path / "auth/secret.key").read_text().strip(),)) == ""


def test_whoever_connects_has_the_password_that_migrate_sets(tmp_path: Path) -> None:
    run(tmp_path)
    for role in ("auth", "admin"):
        password = (tmp_path / f"migrate/{role}.password").read_text()
        assert (tmp_path / role / "pgpass").read_text() == f"*:*:*:ostiary_{role}:{password}"


def test_nobody_else_can_read_them(tmp_path: Path) -> None:
    run(tmp_path / "s")
    for path in (tmp_path / "s").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.skipif(os.geteuid() != 0, reason="giving files away takes root")
def test_a_user_is_given_its_files_and_we_can_still_add_some(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    assert run(tmp_path / "s", "--owner", "10001", "--give", str(tmp_path / "more")).exit_code == 0
    modes = {
        str(p.relative_to(tmp_path / "s")): (p.stat().st_uid, oct(p.stat().st_mode)[-3:])
        for p in (tmp_path / "s").rglob("*")
    }
    assert modes["auth/secret.key"] == (10001, "440")
    assert modes["auth/pgpass"] == (10001, "600"), "libpq ignores one that others may read"
    assert modes["postgres/superuser.password"] == (0, "444"), "its image's user has another number"
    assert modes["auth"] == (10001, "775")
    assert (tmp_path / "more").stat().st_uid == 10001


def test_what_is_missing_alone_is_made_from_its_source(tmp_path: Path) -> None:
    run(tmp_path)
    before = contents(tmp_path)
    (tmp_path / "auth/pgpass").unlink()
    assert run(tmp_path).stdout == "Made auth/pgpass.\n"
    assert contents(tmp_path) == before


def test_a_password_that_is_gone_is_not_made_up_beside_its_copy(tmp_path: Path) -> None:
    run(tmp_path)
    (tmp_path / "migrate/auth.password").unlink()
    before = contents(tmp_path)
    refused = run(tmp_path)
    assert refused.exit_code == 2
    assert "auth/pgpass was made from it" in refused.stderr
    assert contents(tmp_path) == before


GOOD = {
    "OSTIARY_PUBLIC_URL": "https://login.example.org",
    "OSTIARY_DATABASE_URL": "postgresql://ostiary_auth@postgres/ostiary",
    "OSTIARY_SMTP_URL": "smtp://user:pass@mail.example.org:25",
    "OSTIARY_MAIL_FROM": "Ostiary <login@example.org>",
}
WRONG = {
    "no https": ({"OSTIARY_PUBLIC_URL": "http://login.example.org"}, "must begin with https://"),
    "a port that nobody has": ({"OSTIARY_PUBLIC_URL": "https://localhost:8443"}, "write OSTIARY_HTTPS_PORT=8443"),
    "no sender": ({"OSTIARY_MAIL_FROM": "Ostiary <ostiary@localhost>"}, "OSTIARY_MAIL_FROM is not set"),
    "what auth refuses": ({"OSTIARY_WORKERS": "many"}, "OSTIARY_WORKERS cannot be used"),
}


def checked(folder: Path, **changes: str) -> Result:
    return run(folder, "--check", "443", OSTIARY_SECRET_KEY_FILE=str(folder / "auth/secret.key"), **(GOOD | changes))


def test_the_address_for_mail_follows_the_setting(tmp_path: Path) -> None:
    assert checked(tmp_path).stdout.endswith("The settings can be used.\n")
    assert (tmp_path / "auth/smtp.url").read_text() == GOOD["OSTIARY_SMTP_URL"] + "\n"
    checked(tmp_path, OSTIARY_SMTP_URL="smtp://mailbox:1025")
    assert (tmp_path / "auth/smtp.url").read_text() == "smtp://mailbox:1025\n"


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_setting_is_told(what: str, tmp_path: Path) -> None:
    changes, said = WRONG[what]
    done = checked(tmp_path, **changes)
    assert done.exit_code == 2
    assert said in done.stderr
    assert not (tmp_path / "auth/smtp.url").exists()


def test_the_mailbox_needs_no_sender(tmp_path: Path) -> None:
    settings = {"OSTIARY_SMTP_URL": "smtp://mailbox:1025", "OSTIARY_MAIL_FROM": "Ostiary <ostiary@localhost>"}
    assert checked(tmp_path, **settings).exit_code == 0
