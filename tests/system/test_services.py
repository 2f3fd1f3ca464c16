"""`services`: credentials made, replaced and taken away at the command line, through the flows of auth and console."""

from ostiary_shared import tokens
from tests.system.test_commands import Terminal, terminal

__all__ = ["terminal"]

KEPT = "SELECT name, secret_digest, scopes, disabled_at IS NULL FROM service_clients"


def test_a_service_gets_a_secret_that_is_shown_once_and_another_in_its_place(terminal: Terminal) -> None:
    assert terminal.ok("services list") == "No service."
    said = terminal.ok("services create Wiki --scope pages:read --scope pages:write").splitlines()
    (client_id, secret) = (line.split()[-1] for line in said[1:])
    assert (said[0], client_id[:5], secret[:3]) == ("Wiki: the secret is shown this once.", "wiki-", "oc_")
    scopes = ["pages:read", "pages:write"]
    assert terminal.rows(KEPT) == [("Wiki", tokens.digest(secret), scopes, True)]
    replaced = terminal.json(f"services replace-secret {client_id}")
    assert (replaced["client_id"], replaced["scopes"]) == (client_id, scopes)
    assert terminal.rows(KEPT) == [("Wiki", tokens.digest(replaced["secret"]), scopes, True)]
    [listed] = terminal.json("services list")
    assert (listed["client_id"], listed["scopes"], "secret" in listed) == (client_id, scopes, False)
    assert terminal.ok("services list").splitlines()[1].split() == [client_id, "Wiki", "on", *scopes, "never"]


def test_a_service_is_switched_off_and_on_and_forgotten(terminal: Terminal) -> None:
    client_id = terminal.json("services create Wiki")["client_id"]
    assert terminal.ok(f"services switch-off {client_id}") == f"{client_id} is switched off."
    assert terminal.ok(f"services switch-off {client_id}") == f"{client_id} was off already."
    assert terminal.ok("services list").splitlines()[1].split() == [client_id, "Wiki", "off", "-", "never"]
    assert terminal.json(f"services switch-on {client_id}") == {"client_id": client_id, "changed": True}
    assert terminal.rows("SELECT disabled_at FROM service_clients") == [(None,)]
    assert terminal.ok(f"services delete {client_id}") == f"The service {client_id} is gone."
    assert terminal.ok("services list") == "No service."
    events = terminal.rows("SELECT event, actor, target FROM audit_events WHERE event LIKE '%service%' ORDER BY at")
    assert [event.rpartition(":")[2] for event, _, _ in events] == ["created", "disabled", "enabled", "deleted"]
    assert {row[1:] for row in events} == {("operator", "Wiki")}


def test_what_is_wrong_is_said_and_changes_nothing(terminal: Terminal) -> None:
    assert terminal.refusal("services delete none") == "ostiary: there is no service none, nor any other."
    client_id = terminal.json("services create Wiki")["client_id"]
    for act in ("replace-secret", "switch-off", "switch-on", "delete"):
        said = terminal.refusal(f"services {act} none")
        assert said == f"ostiary: there is no service none; there are {client_id}.", act
    assert "a word without spaces" in terminal.refusal("services create Other --scope", "two words")
    for name in ("", " ", "x" * 101, "two\nlines"):
        assert "a name of at most 100 characters" in terminal.refusal("services create", name)
    assert [row[0] for row in terminal.rows(KEPT)] == ["Wiki"]
