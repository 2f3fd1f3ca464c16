"""Who is sent to sign in by a redirect, who is told in JSON, and where each comes back to."""

import pytest

from ostiary_auth.flows.gate import Asked
from ostiary_auth.flows.place import Place
from ostiary_auth.gate.manner import Manner, page_before, sign_in_for
from ostiary_auth.settings import AuthSettings

NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Accept": "text/html,*/*;q=0.8"}
SITE = Place("https", "app.example.org")


def manner(method: str, headers: dict[str, str]) -> Manner:
    return Manner.read(method, lambda name: headers.get(name, ""))


@pytest.mark.parametrize(
    ("what", "method", "headers", "status"),
    [
        ("a link", "GET", NAVIGATION, 302),
        ("a link, told by no destination", "GET", {"Sec-Fetch-Mode": "navigate"}, 302),
        ("a browser of old", "GET", {"Accept": "text/html,application/xhtml+xml"}, 302),
        ("a form that was sent", "POST", NAVIGATION, 303),
        ("a form, told by no destination", "POST", {"Sec-Fetch-Mode": "navigate"}, 0),
        ("a form of a browser of old", "POST", {"Accept": "text/html"}, 0),
        ("another method", "PUT", NAVIGATION, 0),
        ("a link checker", "HEAD", NAVIGATION, 0),
        ("fetch", "GET", {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty", "Accept": "text/html"}, 0),
        ("fetch of the same origin", "GET", {"Sec-Fetch-Mode": "same-origin", "Accept": "*/*"}, 0),
        ("XMLHttpRequest", "GET", {"Accept": "text/html, */*", "X-Requested-With": "XMLHttpRequest"}, 0),
        ("EventSource", "GET", {"Sec-Fetch-Mode": "cors", "Accept": "text/event-stream"}, 0),
        ("EventSource of old", "GET", {"Accept": "text/event-stream, text/html"}, 0),
        ("a WebSocket", "GET", {"Sec-Fetch-Mode": "websocket", "Upgrade": "websocket"}, 0),
        ("a WebSocket of old", "GET", {"Upgrade": "WebSocket", "Accept": "text/html"}, 0),
        ("a frame", "GET", {**NAVIGATION, "Sec-Fetch-Dest": "iframe"}, 0),
        ("a form sent to a frame", "POST", {**NAVIGATION, "Sec-Fetch-Dest": "iframe"}, 0),
        ("an object", "GET", {**NAVIGATION, "Sec-Fetch-Dest": "object"}, 0),
        ("a picture", "GET", {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image", "Accept": "image/*"}, 0),
        ("fetched ahead", "GET", {**NAVIGATION, "Sec-Purpose": "prefetch"}, 0),
        ("rendered ahead", "GET", {**NAVIGATION, "Sec-Purpose": "prefetch;prerender"}, 0),
        ("fetched ahead, of old", "GET", {"Accept": "text/html", "Purpose": "prefetch"}, 0),
        ("a program", "GET", {"Accept": "*/*"}, 0),
        ("a program for JSON", "GET", {"Accept": "application/json, text/html;q=0.1"}, 0),
        ("curl", "GET", {}, 0),
    ],
)
def test_only_a_page_that_somebody_waits_for_is_redirected(
    what: str, method: str, headers: dict[str, str], status: int
) -> None:
    assert manner(method, headers).redirect == status, what


@pytest.mark.parametrize(
    ("method", "headers", "path"),
    [
        ("GET", NAVIGATION, "/wanted?a=1"),
        ("GET", {**NAVIGATION, "Referer": "https://app.example.org/before"}, "/wanted?a=1"),
        # Never the address of an API, nor one that a GET would not mean.
        ("POST", NAVIGATION, "/"),
        ("POST", {**NAVIGATION, "Referer": "https://app.example.org/form?id=7"}, "/form?id=7"),
        ("GET", {"Sec-Fetch-Mode": "cors"}, "/"),
        ("GET", {"Sec-Fetch-Mode": "cors", "Referer": "https://app.example.org/page"}, "/page"),
        ("GET", {**NAVIGATION, "Sec-Fetch-Dest": "iframe", "Referer": "https://app.example.org/outer"}, "/outer"),
        ("HEAD", {}, "/"),
    ],
)
def test_people_come_back_to_a_page(method: str, headers: dict[str, str], path: str) -> None:
    assert manner(method, headers).way_back(SITE, "/wanted?a=1") == path


@pytest.mark.parametrize(
    "referer",
    [
        "",
        "https://app.example.org",
        "https://app.example.org.evil.test/x",
        "https://app.example.org@evil.test/x",
        "http://app.example.org/x",
        "https://evil.test/https://app.example.org/x",
        "https://app.example.org//evil.test",
        "https://app.example.org/a/../b",
        "https://app.example.org/\\evil.test",
        "https://app.example.org/.ostiary/sign-in?next=/",
        "https://app.example.org/" + "x" * 9000,
    ],
)
def test_a_referer_that_is_no_page_of_the_site_leads_to_its_front_page(referer: str) -> None:
    assert page_before(SITE, referer) == "/"


@pytest.mark.parametrize(
    ("domain", "host", "address"),
    [
        ("", "app.other.test", "https://app.other.test/.ostiary/sign-in?next=%2Fx%3Fa%3D1%26b"),
        ("", "APP.other.test:443", "https://app.other.test/.ostiary/sign-in?next=%2Fx%3Fa%3D1%26b"),
        ("", "app.other.test:8443", "https://app.other.test:8443/.ostiary/sign-in?next=%2Fx%3Fa%3D1%26b"),
        ("example.org", "app.example.org", "https://login.example.org/login?next=https%3A%2F%2Fapp.example.org%2Fx%3Fa%3D1%26b"),
        ("example.org", "notexample.org", "https://notexample.org/.ostiary/sign-in?next=%2Fx%3Fa%3D1%26b"),
        ("", "login.example.org:8443", "https://login.example.org/login?next=https%3A%2F%2Flogin.example.org%3A8443%2Fx%3Fa%3D1%26b"),
    ],
)  # fmt: skip
def test_a_site_that_does_not_see_our_cookie_has_a_door_of_its_own(
    auth_settings: AuthSettings, domain: str, host: str, address: str
) -> None:
    told = {"public_url": "https://login.example.org", "cookie_domain": domain}
    settings = auth_settings.model_copy(update=told)
    asked = Asked("GET", "https", host, "/x?a=1&b")
    assert sign_in_for(settings, asked, manner("GET", NAVIGATION)) == address


def test_over_plain_http_no_site_has_a_door_of_a_secure_sign_in(auth_settings: AuthSettings) -> None:
    settings = auth_settings.model_copy(update={"public_url": "https://login.example.org"})
    asked = Asked("GET", "http", "app.other.test", "/x")
    address = sign_in_for(settings, asked, manner("GET", NAVIGATION))
    assert address == "https://login.example.org/login?next=http%3A%2F%2Fapp.other.test%2Fx"


def test_an_overlong_address_is_not_come_back_to(auth_settings: AuthSettings) -> None:
    asked = Asked("GET", "http", "app.other.test", "/" + "x" * 2500)
    address = sign_in_for(auth_settings, asked, manner("GET", NAVIGATION))
    assert address == "http://app.other.test/.ostiary/sign-in?next=%2F"
