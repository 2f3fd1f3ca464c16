"""Canonical addresses: what is taken, what is refused, and that what is taken reads the same to everybody."""

import posixpath
import re
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostiary_shared.site_address import (
    entries_for,
    is_below,
    objection_to_host,
    objection_to_method,
    objection_to_site,
    objection_to_uri,
    without_default_port,
)
from tests.system.traversals import TRAVERSALS

PLAIN = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
RAW = st.text(st.sampled_from("/.%;\\?#&=azAZ09 2eEfF5cC~\x00\t\n\x7f\u00fc-_:@"), max_size=30)


@pytest.mark.parametrize(
    "uri",
    [
        "/",
        "/a/b/",
        "/a.b/..c/d..",
        "/%C3%BC/%e2%82%ac",
        "/a%20b",
        "/a+b,c=d:e@f!g$h&i'j(k)l*m",
        "/[id]|x^y",
        "/100%25",
        '/x?y=../../&z=%2e%2F;\\"<>{}',
        "/x?%",
        "/x??",
        "/who%3F",
    ],
)
def test_canonical_addresses_are_taken(uri: str) -> None:
    assert objection_to_uri(uri) is None


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "x",
        "*",
        "http://host/x",
        "//host/x",
        "/a//b",
        "/a//",
        "/./a",
        "/a/.",
        "/a/..",
        "/../a",
        "/a/../b",
        "/%41",
        "/%7E",
        "/%2e%2E/",
        "/a%2Fb",
        "/a%2fb",
        "/a%5Cb",
        "/a\\b",
        "/a;b",
        "/a%3Bb",
        "/%00",
        "/%1F",
        "/%0a",
        "/%7f",
        "/%252e",
        "/%25%32%65",
        "/%2525",
        "/%",
        "/%2",
        "/%zz",
        "/%u002e",
        "/%ff",
        "/%c0%ae",
        "/%ed%a0%80",
        "/\u00fc",
        "/a b",
        "/a\tb",
        "/a\nb",
        "/a#b",
        "/a?b#c",
        "/a?b c",
        "/a?\u00fc",
        "/a?\x00",
        "/a?\x7f",
        '/"',
        "/<",
        "/`",
        "/{}",
        "/" + "a" * 8000,
    ],
)
def test_every_other_address_is_refused_with_a_reason(uri: str) -> None:
    assert objection_to_uri(uri)


@given(st.lists(PLAIN, max_size=5), st.booleans())
def test_what_a_careful_client_encodes_is_canonical_unless_it_holds_a_separator(parts: list[str], slash: bool) -> None:
    uri = "/" + "/".join(quote(part, safe="") for part in parts) + ("/" if slash and parts else "")
    odd = any(part in {".", ".."} or set(part) & set("/\\;") or re.search("%[0-9A-Fa-f]{2}", part) for part in parts)
    assert (objection_to_uri(uri) is None) == (not odd)


@given(RAW | st.sampled_from(TRAVERSALS) | st.tuples(st.sampled_from(TRAVERSALS), RAW).map("".join))
def test_an_address_that_is_taken_means_one_thing_however_often_it_is_read(target: str) -> None:
    if objection_to_uri(target):
        return
    path = target.partition("?")[0]
    once = unquote(path)
    assert unquote(once) == once or "%25" in path
    assert posixpath.normpath(once) == (once.rstrip("/") or "/")
    assert not set(once) & set(";\\")
    assert all(ord(mark) >= 32 for mark in once)


@given(RAW)
def test_no_input_makes_the_rules_raise(text: str) -> None:
    for rule in (objection_to_uri, objection_to_host, objection_to_method):
        assert rule(text) is None or rule(text)


@pytest.mark.parametrize(
    "host",
    [
        "a",
        "a.b-c.example",
        "localhost:8080",
        "xn--bcher-kva.example",
        "192.0.2.1:81",
        "[2001:db8::1]",
        "[::1]:8443",
        "my_app.lan",
    ],
)
def test_plain_hosts_are_taken(host: str) -> None:
    assert objection_to_host(host) is None


@pytest.mark.parametrize(
    "host",
    [
        "",
        ".",
        "a.",
        ".a",
        "a..b",
        "A.example",
        "b\u00fccher.example",
        "a b",
        "a,b",
        "a, b",
        "u@a",
        "u:p@a",
        "a:",
        "a:0",
        "a:65536",
        "a:08",
        "a:80:80",
        "a:x",
        "-a",
        "a-",
        "a/b",
        "a?b",
        "a#b",
        "a%2eb",
        "a\\b",
        "a\n",
        "a:80\n",
        "[::1",
        "::1",
        "[::0001]",
        "[fe80::1%eth0]",
        "[::ffff:1.2.3.4]x",
        "a" * 64,
        ".".join(["a" * 60] * 5),
    ],
)
def test_every_other_host_is_refused(host: str) -> None:
    assert objection_to_host(host)


@pytest.mark.parametrize(
    ("method", "fine"),
    [("GET", True), ("M-SEARCH", True), ("get", False), ("", False), ("GET ", False), ("G\nET", False)],
)
def test_methods_are_in_capitals(method: str, fine: bool) -> None:
    assert (objection_to_method(method) is None) == fine


@pytest.mark.parametrize(
    ("path", "prefix", "below"),
    [
        ("/editor/x", "/editor", True),
        ("/editor", "/editor/", True),
        ("/editor/", "/editor", True),
        ("/editorial", "/editor", False),
        ("/", "/", True),
        ("/x", "/", True),
        ("/edit", "/editor", False),
        ("/%C3%BC/x", "/%c3%bc", True),
        ("/%21", "/!", True),
        ("/a/b", "/a/c", False),
        ("/Editor", "/editor", False),
    ],
)
def test_a_prefix_covers_whole_segments_however_they_are_encoded(path: str, prefix: str, below: bool) -> None:
    assert is_below(path, prefix) == below


def test_only_the_port_that_the_scheme_implies_is_dropped() -> None:
    assert without_default_port("a.example:443", "https") == "a.example"
    assert without_default_port("a.example:443", "http") == "a.example:443"
    assert without_default_port("a.example:8080", "http") == "a.example:8080"


@pytest.mark.parametrize(
    ("host", "fine"),
    [
        ("*.example.org", True),
        ("*.example.org:8443", True),
        ("*.apps.example.org", True),
        ("*.localhost", True),
        ("*.localhost:9001", True),
        ("wiki.example.org", True),
        ("*", False),
        ("*.", False),
        ("*.org", False),
        ("*.org:443", False),
        ("*.localhost.", False),
        ("*.example.org.", False),
        ("*.*.example.org", False),
        ("w*.example.org", False),
        ("wiki.*.org", False),
        ("*example.org", False),
        ("*.Example.org", False),
        ("*.10.0.0.1", False),
        ("*.[::1]", False),
        ("*.example.org:0", False),
    ],
)
def test_a_site_may_stand_for_every_name_with_one_label_in_front(host: str, fine: bool) -> None:
    assert (objection_to_site(host) is None) == fine
    assert host.startswith("wiki.example") or objection_to_host(host)


@pytest.mark.parametrize(
    ("host", "entries"),
    [
        ("wiki.example.org", ["wiki.example.org", "*.example.org"]),
        (
            "wiki.example.org:8443",
            ["wiki.example.org:8443", "wiki.example.org", "*.example.org:8443", "*.example.org"],
        ),
        ("localhost:9001", ["localhost:9001", "localhost"]),
        ("app.localhost", ["app.localhost", "*.localhost"]),
        ("[::1]", ["[::1]"]),
        ("[::1]:80", ["[::1]:80", "[::1]"]),
    ],
)
def test_the_closest_entry_speaks_for_a_host(host: str, entries: list[str]) -> None:
    assert entries_for(host) == entries
