"""Fetching Ostiary's keys, on an event loop and in threads: seldom, never in vain twice, and never when in doubt."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ostiary_client import complaints, keys
from ostiary_client.assertion import AssertionInvalid, KeysUnavailable
from ostiary_client.identity import Identity
from ostiary_client.trust import Trust
from ostiary_client.verifier import SyncVerifier, Verifier
from tests.client.conftest import FakeAuth
from tests.client.test_assertion import HOST, JWKS, STRANGER, signed

Verify = Callable[[str], Awaitable[Identity]]


def trust(fake: FakeAuth, *audience: str) -> Trust:
    return Trust(issuer=fake.url + "/", audience=audience or HOST)


@pytest.fixture(params=["loop", "threads"])
def verify(request: pytest.FixtureRequest, fake: FakeAuth) -> Verify:
    fake.answer = JWKS
    if request.param == "loop":
        return Verifier(trust(fake)).verify
    verifier = SyncVerifier(trust(fake))

    async def verifying(token: str) -> Identity:
        return await asyncio.to_thread(verifier.verify, token)

    return verifying


async def test_keys_are_fetched_once_and_again_when_a_new_one_appears(
    fake: FakeAuth, verify: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        assert (await verify(signed(iss=fake.url))).id == "7"
    assert [path for path, _ in fake.asked] == ["/.well-known/jwks.json"]
    fake.answer = {"keys": [*JWKS["keys"], STRANGER.as_dict(private=False)]}
    for _ in range(3):
        with pytest.raises(AssertionInvalid):
            await verify(signed(STRANGER, iss=fake.url))
    assert len(fake.asked) == 1  # a flood of made-up keys is not passed on
    monkeypatch.setattr(keys, "ASK_AGAIN_SECONDS", 0.0)
    assert (await verify(signed(STRANGER, iss=fake.url))).id == "7"
    assert len(fake.asked) == 2


async def test_a_key_that_was_withdrawn_counts_no_longer_than_the_list_is_kept(
    fake: FakeAuth, verify: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await verify(signed(iss=fake.url))).id == "7"
    fake.answer = {"keys": [STRANGER.as_dict(private=False)]}
    assert (await verify(signed(iss=fake.url))).id == "7"
    monkeypatch.setattr(keys, "KEPT_SECONDS", 0.0)
    with pytest.raises(AssertionInvalid):
        await verify(signed(iss=fake.url))
    assert (await verify(signed(STRANGER, iss=fake.url))).id == "7"


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (500, JWKS),
        (404, {}),
        (200, []),
        (200, {"keys": 1}),
        (200, b"{"),
        (200, b"[" * 100_000),
        (200, {"keys": "x" * 300_000}),
    ],
)
async def test_without_keys_nobody_is_believed(fake: FakeAuth, verify: Verify, status: int, answer: Any) -> None:
    fake.status, fake.answer = status, answer
    for _ in range(3):
        with pytest.raises(KeysUnavailable):
            await verify(signed(iss=fake.url))
    assert len(fake.asked) == 1


async def test_a_redirect_is_not_followed(fake: FakeAuth, verify: Verify) -> None:
    fake.status, fake.headers = 302, {"Location": f"{fake.url}/elsewhere"}
    with pytest.raises(KeysUnavailable):
        await verify(signed(iss=fake.url))
    assert len(fake.asked) == 1


async def test_after_the_pause_it_is_tried_again(
    fake: FakeAuth, verify: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.status = 503
    with pytest.raises(KeysUnavailable):
        await verify(signed(iss=fake.url))
    fake.status = 200
    monkeypatch.setattr(keys, "PAUSE_SECONDS", 0.0)
    assert (await verify(signed(iss=fake.url))).id == "7"


async def test_nobody_there_is_no_answer_either() -> None:
    nowhere = Trust(issuer="http://127.0.0.1:1", audience=HOST)
    with pytest.raises(KeysUnavailable):
        await Verifier(nowhere).verify(signed())
    with pytest.raises(KeysUnavailable):
        SyncVerifier(nowhere).verify(signed())


async def test_an_auth_that_dawdles_is_waited_for_once_not_for_ever(
    fake: FakeAuth, verify: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "TIMEOUT_SECONDS", 0.2)
    release = threading.Event()
    fake.before = lambda: release.wait(5)
    began = time.monotonic()
    answers = await asyncio.gather(*(verify(signed(iss=fake.url)) for _ in range(8)), return_exceptions=True)
    assert time.monotonic() - began < 2
    release.set()
    assert all(isinstance(answer, KeysUnavailable) for answer in answers)
    assert len(fake.asked) == 1


def test_many_threads_fetch_once(fake: FakeAuth) -> None:
    fake.answer = JWKS
    fake.before = lambda: time.sleep(0.3)
    verifier = SyncVerifier(trust(fake))
    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(verifier.verify, [signed(iss=fake.url)] * 40))
    assert {who.id for who in said} == {"7"}
    assert len(fake.asked) == 1


async def test_on_a_loop_one_thread_waits_for_keys_and_not_one_for_each_request(
    fake: FakeAuth, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.answer = JWKS
    fake.before = lambda: time.sleep(0.3)
    fetch, calls = keys.Keyring.fetch, []

    def counted(ring: keys.Keyring, kid: str) -> Any:
        calls.append(kid)
        return fetch(ring, kid)

    monkeypatch.setattr(keys.Keyring, "fetch", counted)
    verifier = Verifier(trust(fake))
    await asyncio.gather(*(verifier.verify(signed(iss=fake.url)) for _ in range(8)))
    assert len(calls) == 1


async def test_an_app_of_several_hosts_takes_what_is_meant_for_any_of_them(fake: FakeAuth) -> None:
    fake.answer = JWKS
    verifier = Verifier(trust(fake, "a.example.test", "b.example.test:8443"))
    assert (await verifier.verify(signed(iss=fake.url, aud="b.example.test:8443"))).id == "7"
    for other in ("b.example.test", "c.example.test"):
        with pytest.raises(AssertionInvalid):
            await verifier.verify(signed(iss=fake.url, aud=other))


async def test_keys_come_from_where_the_app_reaches_auth(fake: FakeAuth) -> None:
    fake.answer = JWKS
    inside = Trust(issuer="https://login.example.test", audience=HOST, auth_url=fake.url)
    assert (await Verifier(inside).verify(signed())).id == "7"


def _told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "ostiary_client"]


async def test_the_log_says_what_was_set_wrong_once_a_minute_for_each_cause(
    fake: FakeAuth, verify: Verify, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = [signed(iss=fake.url, aud=f"{HOST}:8443"), signed(), signed(iss=fake.url, exp=1), signed(iss=fake.url)[:-9]]
    for token in wrong * 2:
        with pytest.raises(AssertionInvalid):
            await verify(token)
    told = _told(caplog)
    assert told[0] == f"assertion is for {HOST}:8443, this app is {HOST}"
    assert told[1] == f"assertion is from https://login.example.test, this app trusts {fake.url}"
    assert told[2].startswith("the assertion is over a minute old")
    assert told[3].startswith("the assertion is not genuine")
    assert len(told) == 4
    assert not any(part in line for line in told for token in wrong for part in token.split("."))
    monkeypatch.setattr(complaints, "EVERY_SECONDS", 0.0)
    with pytest.raises(AssertionInvalid):
        await verify(wrong[0])
    assert len(_told(caplog)) == 5


async def test_the_log_says_where_keys_could_not_be_fetched(
    fake: FakeAuth, verify: Verify, caplog: pytest.LogCaptureFixture
) -> None:
    fake.status = 404
    for _ in range(3):
        with pytest.raises(KeysUnavailable):
            await verify(signed(iss=fake.url))
    assert _told(caplog) == [f"cannot fetch keys from {fake.url}/.well-known/jwks.json: status 404 and no keys"]


async def test_what_was_not_signed_by_ostiary_is_never_quoted(
    fake: FakeAuth, verify: Verify, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(AssertionInvalid):
        await verify(signed(STRANGER, iss=fake.url, aud="canary"))
    assert len(_told(caplog)) == 1
    assert "canary" not in caplog.text
