"""Identity headers in every spelling: none that a client wrote is left for an app to believe."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostiary_client import headers
from ostiary_client.identity import Identity

WHO = Identity("7", "bö@example.test", "Bö\nX-Admin: 1", ("editor", "writer"), frozenset(), "9")
NAMES = ("Remote-User", "Remote-Email", "Remote-Name", "Remote-Groups", "X-Ostiary-Assertion")
KEPT = (
    "Remote",
    "Remote-Users",
    "X-Remote-User",
    "Remote-Addr",
    "X-Ostiary",
    "Authorization",
    "Cookie",
    "Remote--User",
)


def spelled(name: str) -> st.SearchStrategy[str]:
    """A name with any case, and any of the marks that backends take for a hyphen."""
    marks = [st.sampled_from("-_.") if mark == "-" else st.sampled_from(mark.lower() + mark.upper()) for mark in name]
    return st.tuples(*marks).map("".join)


@given(st.sampled_from(NAMES).flatmap(spelled))
def test_no_spelling_is_left(name: str) -> None:
    kept, assertion = headers.taken_off([(name.encode(), b"forged"), (b"Cookie", b"a=1")])
    assert kept == [(b"Cookie", b"a=1")]
    assert assertion == ("forged" if name.lower() == "x-ostiary-assertion" else "")
    for key in (f"HTTP_{name.upper().replace('-', '_')}", f"HTTP_{name}", f"http_{name}"):
        environ: dict[str, Any] = {key: "forged", "HTTP_COOKIE": "a=1"}
        headers.take_off_environ(environ)
        assert environ == {"HTTP_COOKIE": "a=1"}, key


@pytest.mark.parametrize("name", KEPT)
def test_what_is_not_ours_is_left_alone(name: str) -> None:
    assert headers.taken_off([(name.encode(), b"x")])[0] == [(name.encode(), b"x")]
    environ: dict[str, Any] = {f"HTTP_{name.upper().replace('-', '_')}": "x", "REMOTE_ADDR": "192.0.2.7"}
    before = dict(environ)
    headers.take_off_environ(environ)
    assert environ == before


def test_two_assertions_are_none() -> None:
    twice = [(b"x-ostiary-assertion", b"one"), (b"x-ostiary-assertion", b"two")]
    assert headers.taken_off(twice) == ([], "")
    assert headers.taken_off([(b"x-ostiary-assertion", b""), twice[0]]) == ([], "one")


def test_a_server_that_lets_somebody_in_by_other_means_does_not_speak_for_ostiary() -> None:
    environ: dict[str, Any] = {"REMOTE_USER": "root", "REMOTE_ADDR": "192.0.2.7"}
    assert headers.take_off_environ(environ) == ""
    assert environ == {"REMOTE_ADDR": "192.0.2.7"}


def test_what_was_proved_is_put_in_their_place() -> None:
    assert dict(headers.put_back(WHO, "jwt")) == {
        b"remote-user": b"7", b"remote-email": "bö@example.test".encode(), b"remote-name": "Bö X-Admin: 1".encode(),
        b"remote-groups": b"editor,writer", b"x-ostiary-assertion": b"jwt",
    }  # fmt: skip
    environ: dict[str, Any] = {}
    headers.put_back_environ(environ, WHO, "jwt")
    assert environ == {
        "HTTP_REMOTE_USER": "7", "HTTP_REMOTE_EMAIL": "bö@example.test".encode().decode("latin-1"),
        "HTTP_REMOTE_NAME": "Bö X-Admin: 1".encode().decode("latin-1"), "HTTP_REMOTE_GROUPS": "editor,writer",
        "HTTP_X_OSTIARY_ASSERTION": "jwt", "REMOTE_USER": "7",
    }  # fmt: skip
