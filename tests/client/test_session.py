"""Asking auth whom a token belongs to, with aiohttp and with nothing: a clear yes, a clear no, or no answer at all."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from ostiary_client.answers import AuthUnavailable, Refused, SessionAnswer, SignedIn
from ostiary_client.session import fetch_session
from ostiary_client.session_sync import fetch_session_sync
from tests.client.conftest import FakeAuth
from tests.system.conftest import Site

MOMENT = "2026-01-02T12:00:00+00:00"
YES: dict[str, Any] = {
    "user": {
        "id": "0199f3a1-0000-7000-8000-000000000001",
        "email": "bo@example.test",
        "name": "Bö",
        "roles": ["editor"],
        "permissions": ["audit:read"],
    },
    "session": {
        "id": "0199f3a1-0000-7000-8000-000000000002",
        "assurance": 1,
        "methods": ["password"],
        "created_at": MOMENT,
        "authenticated_at": MOMENT,
        "expires_at": MOMENT,
    },
}
Fetch = Callable[[str, str | None], Awaitable[SessionAnswer]]


@pytest.fixture(params=["aiohttp", "nothing"])
async def fetch(request: pytest.FixtureRequest) -> AsyncIterator[Fetch]:
    if request.param == "nothing":

        async def fetching(url: str, token: str | None) -> SessionAnswer:
            return await asyncio.to_thread(fetch_session_sync, url, token, seconds=0.5)

        yield fetching
        return
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.5)) as http:
        yield lambda url, token: fetch_session(http, url, token)


async def test_a_living_session_is_somebody(fake: FakeAuth, fetch: Fetch) -> None:
    fake.answer = YES
    found = await fetch(fake.url, "os_token")
    assert isinstance(found, SignedIn)
    assert (found.user.name, found.user.roles, found.user.permissions) == ("Bö", ("editor",), frozenset(["audit:read"]))
    assert found.session.expires_at.isoformat() == MOMENT
    path, headers = fake.asked[0]
    assert (path, headers["Authorization"]) == ("/api/v1/session", "Bearer os_token")


async def test_a_clear_no_says_where_the_reasons_are(fake: FakeAuth, fetch: Fetch) -> None:
    fake.status, fake.answer = 401, {"reference": "ABCD-EFGH"}
    assert await fetch(fake.url, None) == Refused("ABCD-EFGH")
    assert "Authorization" not in fake.asked[0][1]


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (200, {}),
        (200, []),
        (200, b"yes"),
        (200, {**YES, "user": {**YES["user"], "id": "7"}}),
        (200, {**YES, "user": {**YES["user"], "name": None}}),
        (200, {**YES, "session": {**YES["session"], "expires_at": "2026-01-02T12:00:00"}}),
        (200, {**YES, "session": None}),
        (200, {**YES, "padding": "x" * 300_000}),
        (204, {}),
        (403, YES),
        (500, YES),
        (401, b"no"),
    ],
)
async def test_anything_else_is_no_answer(fake: FakeAuth, fetch: Fetch, status: int, answer: Any) -> None:
    fake.status, fake.answer = status, answer
    with pytest.raises(AuthUnavailable):
        await fetch(fake.url, "os_token")


async def test_a_redirect_is_no_answer_and_takes_the_token_nowhere(fake: FakeAuth, fetch: Fetch) -> None:
    fake.status, fake.answer, fake.headers = 302, YES, {"Location": f"{fake.url}/elsewhere"}
    with pytest.raises(AuthUnavailable):
        await fetch(fake.url, "os_token")
    assert len(fake.asked) == 1


async def test_whoever_is_away_or_dawdles_is_no_answer(fake: FakeAuth, fetch: Fetch) -> None:
    with pytest.raises(AuthUnavailable):
        await fetch("http://127.0.0.1:1", "os_token")
    release, began = threading.Event(), time.monotonic()
    fake.before = lambda: release.wait(5)
    with pytest.raises(AuthUnavailable):
        await fetch(fake.url, "os_token")
    assert time.monotonic() - began < 3
    release.set()


async def test_the_real_auth_answers_both_alike(site: Site, fetch: Fetch) -> None:
    bo = await site.person("bo@example.test", "end-user")
    found = await fetch(site.url, bo.token)
    assert isinstance(found, SignedIn)
    assert (found.user.id, found.user.email, found.user.roles) == (bo.id, "bo@example.test", ("end-user",))
    refused = await fetch(site.url, "os_made-up")
    assert isinstance(refused, Refused)
    assert refused.reference
