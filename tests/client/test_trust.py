"""What an app may be told to trust; a slip of the pen stops the start with what to write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostiary_client.trust import Trust

ISSUER = "https://login.example.test"


@pytest.mark.parametrize("audience", ["wiki.example.org", "localhost:9000", "[::1]:80", ("a.org", "b.org:8443")])
def test_the_own_host_is_written_as_browsers_do(audience: str | tuple[str, ...]) -> None:
    assert Trust(ISSUER + "/", audience).issuer == ISSUER


@pytest.mark.parametrize("audience", ["", (), "https://wiki.example.org", "Wiki.example.org", "a b", "a/", ("a", "")])
def test_anything_else_is_told(audience: str | tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"own host in small letters"):
        Trust(ISSUER, audience)


@pytest.mark.parametrize("issuer", ["", "login.example.org", "file:///etc/passwd", "https://"])
def test_ostiary_has_an_address(issuer: str) -> None:
    with pytest.raises(ValueError, match=r"address of Ostiary"):
        Trust(issuer, "a.org")
    if issuer:
        with pytest.raises(ValueError, match=r"auth_url"):
            Trust(ISSUER, "a.org", auth_url=issuer)


def test_public_paths_are_a_tuple_of_paths() -> None:
    with pytest.raises(ValueError, match=r"write a tuple of paths"):
        Trust(ISSUER, "a.org", public="/healthz")  # type: ignore[arg-type]


def test_a_public_path_is_that_path_and_with_a_star_all_below() -> None:
    trust = Trust(ISSUER, "a.org", public=("/", "/healthz", "/static/*"))
    for path in ("/", "/healthz", "/static/", "/static/css/a.css"):
        assert trust.lets_pass(path), path
    for path in ("", "/healthz/", "/healthzx", "/static", "/statics", "/me", "//", "//healthz", "/Healthz"):
        assert not trust.lets_pass(path), path


@pytest.mark.parametrize("trick", ["/static/../me", "/static/./x", "/static//me", "/static/..", "/static/..\\me"])
def test_dots_do_not_lead_out_of_what_is_public(trick: str) -> None:
    assert not Trust(ISSUER, "a.org", public=("/static/*",)).lets_pass(trick)


@given(st.text(max_size=30))
def test_by_default_no_path_is_public(path: str) -> None:
    assert not Trust(ISSUER, "a.org").lets_pass(path)
    assert Trust(ISSUER, "a.org", require=False).lets_pass(path)
