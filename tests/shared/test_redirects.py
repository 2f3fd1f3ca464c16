"""Where a browser may be sent: a corpus of what open redirects have been made of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostiary_shared.web.redirects import foreign_host, own_path, with_next

HOSTILE = [
    "",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r\nSet-Cookie: a=b",
    "https:evil.example",
    "https:/evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    " /account",
    "\x00/account",
    "/a b",
    "/ä",
    "/\u2028",
    "account",
    "./account",
    "?next=/",
    "#x",
    "/" + "a" * 3000,
    "/%\\",
    "/path\\..\\x",
    "//",
    "/\\",
    "/\x7f",
]


@pytest.mark.parametrize("wanted", HOSTILE)
def test_hostile_targets_are_no_path_of_ours(wanted: str) -> None:
    assert own_path(wanted) is None


@pytest.mark.parametrize("wanted", ["/", "/account", "/a/b?c=d&e=%2F%2Fx#f", "/@user", "/a;b", "/%2F/x", "/.//x"])
def test_plain_paths_are_ours(wanted: str) -> None:
    assert own_path(wanted) == wanted


@pytest.mark.parametrize(
    ("wanted", "host"),
    [
        ("http://site.example/page?a=b", "site.example"),
        ("https://SITE.example:8443/", "site.example:8443"),
        ("https://site.example:443/x", "site.example"),
        ("http://localhost:8080/editor/", "localhost:8080"),
        ("http://[::1]:80/", "[::1]"),
    ],
)
def test_a_plain_address_has_a_host(wanted: str, host: str) -> None:
    assert foreign_host(wanted) == host


@pytest.mark.parametrize(
    "wanted",
    [
        "http://site.example.",
        "http://user@site.example/",
        "http://site.example\\@evil.example/",
        "http://site.example@evil.example",
        "ftp://site.example/",
        "//site.example/",
        "http:///x",
        "http://",
        "http://site.example:99999/",
        "http://site.example:/x y",
        "http://sité.example/",
        "http://site.example/\n",
        "javascript://site.example/%0aalert(1)",
        "http:site.example",
    ],
)
def test_an_address_that_browsers_read_otherwise_has_none(wanted: str) -> None:
    assert foreign_host(wanted) is None


@given(st.text(max_size=60))
def test_what_passes_starts_with_one_slash_and_holds_no_control_character(wanted: str) -> None:
    if own_path(wanted) is not None:
        assert wanted[0] == "/"
        assert wanted[1:2] not in {"/", "\\"}
        assert wanted.isascii()
        assert wanted.isprintable()


def test_the_wanted_place_is_kept_whole() -> None:
    assert with_next("/login", "/a?b=c&d=e") == "/login?next=%2Fa%3Fb%3Dc%26d%3De"
