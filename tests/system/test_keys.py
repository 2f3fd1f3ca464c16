"""`keys`: what verifiers are shown, and a new key by an operator's word."""

from tests.system.test_commands import Terminal, terminal

__all__ = ["terminal"]


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
