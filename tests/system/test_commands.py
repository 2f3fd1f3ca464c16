"""The operator's commands on a database: the same flows as the console, sentences, exit statuses and JSON."""

import asyncio
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from click.testing import CliRunner, Result

from ostiary.cli import group
from ostiary.faults import Refusal
from ostiary.telling import told
from tests.conftest import AUTH_SECRET, Databases

PASSWORD = "river lantern otter 42\n"


@dataclass
class Terminal:
    """Runs commands as the operator would, on the test database."""

    database: Databases
    environment: dict[str, str]

    def run(self, command: str, *more: str, typed: str | None = None) -> Result:
        done = CliRunner().invoke(group, [*command.split(), *more], env=self.environment, input=typed)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
        return done

    def ok(self, command: str, *more: str, typed: str | None = None) -> str:
        done = self.run(command, *more, typed=typed)
        assert done.exit_code == 0, done.output
        return done.stdout.strip()

    def json(self, command: str, *more: str) -> Any:
        return json.loads(self.ok(f"{command} --json", *more))

    def finding(self, command: str, *more: str) -> str:
        done = self.run(command, *more)
        assert done.exit_code == 1, done.output
        return done.stderr.strip()

    def refusal(self, command: str, *more: str, typed: str | None = None) -> str:
        done = self.run(command, *more, typed=typed)
        assert done.exit_code == 2, done.output
        assert done.stdout == ""
        return done.stderr.strip()

    def rows(self, query: str) -> list[Any]:
        async def ask() -> list[Any]:
            connection = await asyncpg.connect(self.database.superuser)
            try:
                return [tuple(row) for row in await connection.fetch(query)]
            finally:
                await connection.close()

        return asyncio.run(ask())


@pytest.fixture
def terminal(database: Databases) -> Terminal:
    return Terminal(database, {
        "OSTIARY_DATABASE_URL": database.owner,
        "OSTIARY_PUBLIC_URL": "http://localhost:8000",
        "OSTIARY_SECRET_KEY": AUTH_SECRET,
        "OSTIARY_SMTP_URL": "smtp://127.0.0.1:1",
        "OSTIARY_MAIL_FROM": "Ostiary <door@example.test>",
    })  # fmt: skip


def test_somebody_created_is_invited_by_mail_and_waits_for_confirmation(terminal: Terminal) -> None:
    said = terminal.ok("users create ann@example.test --name Ann")
    assert said == "ann@example.test is there; an invitation is on its way."
    assert terminal.rows("SELECT kind, email FROM messages") == [("invite", "ann@example.test")]
    [ann] = terminal.json("users list --state unconfirmed")
    assert (ann["email"], ann["name"], ann["roles"], ann["confirmed_at"]) == (
        "ann@example.test",
        "Ann",
        ["end-user"],
        None,
    )


def test_the_first_administrator_can_be_made_with_a_password_from_standard_input(terminal: Terminal) -> None:
    terminal.ok("users create ann@example.test --role admin --password-stdin", typed=PASSWORD)
    assert terminal.rows("SELECT usable_admins()") == [(1,)]
    [(hashed,)] = terminal.rows("SELECT hash FROM passwords WHERE adopted_at IS NOT NULL")
    assert hashed.startswith("$argon2id$")
    assert terminal.rows("SELECT count(*) FROM messages") == [(0,)]


def test_a_weak_password_or_a_taken_address_creates_nobody(terminal: Terminal) -> None:
    assert "at least 15 characters" in terminal.refusal("users create a@example.test --password-stdin", typed="short\n")
    assert terminal.rows("SELECT count(*) FROM users") == [(0,)]
    terminal.ok("users create a@example.test")
    assert "this address already" in terminal.refusal("users create A@EXAMPLE.test")


def test_what_the_operator_does_is_in_the_audit_log_under_that_name(terminal: Terminal) -> None:
    terminal.ok("users create ann@example.test")
    terminal.ok("users lock ann@example.test --reason", "lost phone")
    found = terminal.rows("SELECT actor, actor_id, target, reason FROM audit_events WHERE event = 'admin:user:locked'")
    assert found == [("operator", None, "ann@example.test", "lost phone")]


def test_locking_and_unlocking_say_what_is_so_now_and_repeat_harmlessly(terminal: Terminal) -> None:
    terminal.ok("users create ann@example.test")
    told = terminal.ok("users lock ann@example.test --reason why")
    assert re.fullmatch(r"ann@example\.test is locked\. In force everywhere after \d+ ms\.", told)
    assert terminal.ok("users lock ann@example.test --reason why") == "ann@example.test was locked already."
    assert [person["locked_reason"] for person in terminal.json("users list --state locked")] == ["why"]
    done = terminal.json("users unlock ann@example.test")
    assert (done["email"], done["changed"], done["receipt"]["lapsed"]) == ("ann@example.test", True, [])
    again = terminal.json("users unlock ann@example.test")
    assert (again["changed"], again["receipt"]) == (False, None)
    assert "Missing option '--reason'" in terminal.refusal("users lock ann@example.test")


def test_roles_are_granted_and_revoked(terminal: Terminal) -> None:
    terminal.ok("users create ann@example.test")
    terminal.ok("roles create editor --description Writes")
    assert terminal.ok("users grant ann@example.test editor --reason new") == "ann@example.test holds editor now."
    assert terminal.ok("users grant ann@example.test editor") == "ann@example.test held editor already."
    assert [person["email"] for person in terminal.json("users list --role editor")] == ["ann@example.test"]
    assert "Take it away from them first" in terminal.finding("roles delete editor")
    taken = terminal.ok("users revoke ann@example.test editor")
    assert taken.startswith("ann@example.test does not hold editor any more. In force everywhere after ")
    assert terminal.ok("users revoke ann@example.test editor") == "ann@example.test did not hold editor."
    for command in (
        "users grant ann@example.test nope",
        "users revoke ann@example.test nope",
        "users list --role nope",
    ):
        said = terminal.refusal(command)
        assert said == "ostiary: there is no role nope; there are admin, auditor, editor, end-user, support."
    assert "no role nope" in terminal.refusal("users create new@example.test --role nope")
    assert [person["email"] for person in terminal.json("users list")] == ["ann@example.test"]


def test_a_role_may_be_granted_until_a_day_and_ends_with_it(terminal: Terminal) -> None:
    terminal.ok("users create ann@example.test")
    terminal.ok("users grant ann@example.test support --until 2999-01-31")
    [(until,)] = terminal.rows("SELECT expires_at AT TIME ZONE 'UTC' FROM role_grants WHERE expires_at IS NOT NULL")
    assert until.isoformat() == "2999-02-01T00:00:00"
    assert "still to come" in terminal.refusal("users grant ann@example.test auditor --until 2001-01-31")
    assert "--until" in terminal.refusal("users grant ann@example.test auditor --until soon")


def test_the_last_administrator_cannot_be_shut_out(terminal: Terminal) -> None:
    terminal.ok("users create ann@example.test --role admin --password-stdin", typed=PASSWORD)
    for command in ("lock ann@example.test --reason x", "revoke ann@example.test admin"):
        assert "nobody who can administer" in terminal.finding(f"users {command}")
    assert terminal.rows("SELECT usable_admins()") == [(1,)]


def test_lists_search_limit_and_say_so_when_empty(terminal: Terminal) -> None:
    assert terminal.ok("users list") == "Nobody."
    for name in ("ann", "bob", "cem"):
        terminal.ok(f"users create {name}@example.test")
    for limit in ("0", "-3", "many"):
        assert "--limit" in terminal.refusal("users list --limit", limit)
    assert "The first 2" in terminal.ok("users list --limit 2")
    assert [person["email"] for person in terminal.json("users list --search BOB")] == ["bob@example.test"]
    listed = terminal.ok("users list").splitlines()
    assert listed[0].split() == ["address", "name", "roles", "state", "last", "seen"]
    assert len(listed) == 4


def test_roles_are_listed_created_and_deleted(terminal: Terminal) -> None:
    assert [role["name"] for role in terminal.json("roles list")] == ["admin", "auditor", "end-user", "support"]
    terminal.ok("roles create greeter --permission users:read")
    [made] = [role for role in terminal.json("roles list") if role["name"] == "greeter"]
    assert (made["permissions"], made["people"]) == (["users:read"], 0)
    assert "everything" in terminal.ok("roles list")
    assert terminal.ok("roles delete greeter").startswith("The role greeter is gone. In force everywhere after ")
    assert "no permission fly" in terminal.refusal("roles create pilot --permission fly")
    assert "small letters" in terminal.finding("roles create", "Not Good!")
    assert "stays" in terminal.finding("roles delete admin")


def test_a_claim_link_is_made_while_nobody_administers(terminal: Terminal) -> None:
    link = terminal.ok("users claim-link")
    assert link.startswith("http://localhost:8000/claim?token=")
    terminal.ok("users create ann@example.test --role admin --password-stdin", typed=PASSWORD)
    done = terminal.run("users claim-link")
    assert (done.exit_code, "can administer already" in done.stdout) == (1, True)


def test_explaining_ends_with_the_verdict_as_exit_status(terminal: Terminal) -> None:
    terminal.ok("users create ann@example.test --role admin --password-stdin", typed=PASSWORD)
    terminal.ok("users create bob@example.test --password-stdin", typed=PASSWORD)
    assert terminal.ok("explain ann@example.test users:read").splitlines()[-1] == "The door opens."
    refused = terminal.run("explain bob@example.test users:read --json")
    assert refused.exit_code == 1
    told = json.loads(refused.stdout)
    assert (told["outcome"], told["cause"], told["email"]) == ("refused", "permission", "bob@example.test")
    assert terminal.run("explain bob@example.test http://wiki.example.test/").exit_code == 1
    assert "say whom it is about" in terminal.refusal("explain")
    assert "no refusal with this code" in terminal.refusal("explain ABCD-EFGH")
    assert "ostiary: nobody here" in terminal.refusal("explain nobody@example.test users:read")


@pytest.fixture
def wiki(terminal: Terminal) -> None:
    """A site with a rule for everybody signed in, one for a network and one for a role; ann may more than bob."""
    terminal.ok("users create ann@example.test --role admin --password-stdin", typed=PASSWORD)
    terminal.ok("users create bob@example.test --password-stdin", typed=PASSWORD)
    terminal.rows("INSERT INTO sites (name, host) VALUES ('Wiki', '*.example.test') RETURNING 1")
    terminal.rows("""
        INSERT INTO site_rules (site_id, position, path_prefix, asks, value, roles, networks)
        SELECT id, rule.* FROM sites, (VALUES
            (0, '/public', 'anyone', '', '{}'::text[], '{}'::cidr[]),
            (1, '/office', 'signed_in', '', '{}', '{192.0.2.0/24}'),
            (2, '/ops', 'any_role', '', '{admin,support}', '{}')
        ) AS rule RETURNING 1
    """)


@pytest.mark.usefixtures("wiki")
def test_who_could_open_an_address_is_listed(terminal: Terminal) -> None:
    told = terminal.json("explain --who https://wiki.example.test/ops/x")
    assert (told["rule"], told["count"]) == ("rule 3 of Wiki (/ops)", 1)
    assert [person["email"] for person in told["people"]] == ["ann@example.test"]
    listed = terminal.ok("explain --who https://wiki.example.test/office --from 192.0.2.7")
    assert "bob@example.test" in listed
    assert listed.splitlines()[-1] == "2 could open this, had they just signed in."
    elsewhere = terminal.run("explain --who https://wiki.example.test/office --from 198.51.100.7")
    assert (elsewhere.exit_code, elsewhere.stdout.splitlines()[-1]) == (1, "Nobody could open this.")
    anywhere = terminal.run("explain --who https://wiki.example.test/office")
    assert (anywhere.exit_code, anywhere.stdout.splitlines()[-1]) == (1, "Say where they come from: --from ADDRESS.")
    assert "Anyone at all" in terminal.ok("explain --who https://wiki.example.test/public")
    assert terminal.run("explain --who https://wiki.example.test/").exit_code == 1
    assert "whole address" in terminal.refusal("explain --who wiki")
    assert "no ip address" in terminal.refusal("explain --who https://wiki.example.test/ --from office").lower()
    assert "leave the person out" in terminal.refusal("explain ann@example.test --who https://wiki.example.test/")


@pytest.mark.usefixtures("wiki")
def test_what_somebody_could_open_is_told_rule_by_rule(terminal: Terminal) -> None:
    [site] = terminal.json("explain ann@example.test")["sites"]
    assert [part["open"] for part in site["parts"]] == [True, True, True]
    told = terminal.ok("explain bob@example.test").splitlines()
    assert told[0] == "Wiki (*.example.test): 2 of 3 rules let them in"
    assert told[3].startswith("  ✗ rule 3 /ops: Is one of the roles admin, support held?")
    assert told[4] == "    → Grant admin to bob@example.test."
    terminal.rows("DELETE FROM site_rules WHERE asks <> 'any_role' RETURNING 1")
    assert terminal.run("explain bob@example.test").exit_code == 1
    assert "nobody here" in terminal.refusal("explain nobody@example.test")


@pytest.mark.usefixtures("wiki")
def test_explaining_an_address_goes_by_where_the_request_comes_from(terminal: Terminal) -> None:
    asking = "explain bob@example.test https://wiki.example.test/office"
    assert "The door opens." in terminal.ok(f"{asking} --from 192.0.2.7")
    assert terminal.run(f"{asking} --from 198.51.100.7").exit_code == 1
    unknown = terminal.run(asking)
    assert (unknown.exit_code, unknown.stdout.splitlines()[-3:]) == (
        1,
        [
            "✗ Which rule decided? rule 2 of Wiki (/office): asks where the visitor comes from, which is not known",
            "  → Say where they come from: --from ADDRESS.",
            "It depends on where they come from.",
        ],
    )
    told = json.loads(terminal.run(f"{asking} --json").stdout)
    assert (told["depends_on_address"], told["remedy"]["kind"]) == (True, "tell-address")
    assert terminal.json(f"{asking} --from 192.0.2.7")["depends_on_address"] is False


def test_explaining_a_code_ends_with_the_verdict_too(terminal: Terminal) -> None:
    terminal.ok("users create bob@example.test --password-stdin", typed=PASSWORD)
    terminal.rows("""
        INSERT INTO denials (code, user_id, cause, hour, method, url, decision)
        SELECT '7K2MQ9XD', id, 'x', now(), 'GET', 'http://wiki.example.test/',
            '{"outcome": "refused", "cause": "rule", "remedy": null, "steps": []}' FROM users RETURNING 1
    """)
    explained = terminal.run("explain 7k2m-q9xd")
    assert (explained.exit_code, explained.stderr) == (1, "")
    assert explained.stdout.splitlines()[-1] == "The door stays shut."


def test_an_unknown_person_is_wrong_usage(terminal: Terminal) -> None:
    said = terminal.refusal("users lock who@example.test --reason x")
    assert said == "ostiary: nobody has the address who@example.test."


def test_a_database_role_without_the_right_is_told_which_to_use(terminal: Terminal) -> None:
    terminal.environment["OSTIARY_DATABASE_URL"] = terminal.database.auth
    assert "OSTIARY_DATABASE_URL" in terminal.refusal("roles delete support")


def test_missing_settings_are_named(terminal: Terminal) -> None:
    del terminal.environment["OSTIARY_SECRET_KEY"]
    assert "OSTIARY_SECRET_KEY" in terminal.refusal("users claim-link")
    assert "OSTIARY_SECRET_KEY" in terminal.refusal("serve auth")


def test_a_database_that_does_not_answer_is_one_sentence(terminal: Terminal) -> None:
    terminal.environment["OSTIARY_DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/ostiary"
    assert "the database does not answer" in terminal.refusal("users list")
    assert "the database does not answer" in terminal.refusal("migrate")
    with pytest.raises(Refusal, match=r"\(it took too long\)"), told():
        raise TimeoutError
    terminal.environment["OSTIARY_DATABASE_URL"] = terminal.database.owner.replace("ostiary_owner", "stranger")
    assert "does not let this user in" in terminal.refusal("users list")
    terminal.environment["OSTIARY_DATABASE_URL"] = "nonsense"
    assert "must look like postgresql://" in terminal.refusal("users list")


def test_a_folder_named_at_the_command_line_goes_before_the_environment(terminal: Terminal, tmp_path: Path) -> None:
    assert "there is no data in" in terminal.refusal("users list --data", str(tmp_path / "none"))


def test_the_database_url_may_stand_in_a_file(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "url").write_text(terminal.environment.pop("OSTIARY_DATABASE_URL") + "\n")
    terminal.environment |= {"OSTIARY_DATABASE_URL_FILE": str(tmp_path / "url"), "OSTIARY_DATABASE_URL": ""}
    assert terminal.ok("users list") == "Nobody."


def test_names_cannot_command_the_terminal(terminal: Terminal) -> None:
    terminal.rows("INSERT INTO users (email, name) VALUES ('a@example.test', E'\\x1b[2J[red]x') RETURNING 1")
    listed = terminal.ok("users list")
    assert "\x1b" not in listed
    assert "[2J[red]x" in listed


def test_without_any_database_the_remedy_is_named(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        group, ["users", "list", "--data", str(tmp_path / "none")], env={"OSTIARY_DATABASE_URL": ""}
    )
    assert done.exit_code == 2
    assert "run ./ostiary up first" in done.stderr


def test_migrating_says_from_where_to_where_and_refuses_a_newer_database(terminal: Terminal) -> None:
    at = terminal.json("migrate")["to"]
    assert terminal.ok("migrate") == f"The database is at {at} already."
    terminal.rows("UPDATE alembic_version SET version_num = '9999' RETURNING 1")
    try:
        said = terminal.refusal("migrate")
        assert "9999" in said
        assert "later" in said
    finally:
        terminal.rows(f"UPDATE alembic_version SET version_num = '{at}' RETURNING 1")


def test_help_is_there_for_every_command_without_a_database() -> None:
    top = CliRunner().invoke(group, ["--help"]).stdout
    for command in ("up", "serve", "migrate", "users", "roles", "explain", "test"):
        assert f"\n  {command} " in top
        assert CliRunner().invoke(group, [command, "--help"]).exit_code == 0
    assert CliRunner().invoke(group, ["fly"]).exit_code == 2
