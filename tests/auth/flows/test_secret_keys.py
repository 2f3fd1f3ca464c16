"""While a secret key follows another, whatever one process made is accepted by all; without a key, what it made is not.

Each step of a rotation is tried with replicas that are a step behind and a step ahead.
"""

from collections.abc import Awaitable, Callable
from dataclasses import fields, replace
from datetime import timedelta

import pytest
from quart.sessions import SecureCookieSessionInterface

from ostiary_auth.flows import (
    api_tokens,
    confirm,
    deny,
    handover,
    key_rotation,
    known_device,
    one_time,
    probe,
    resolve_session,
    secret_keys,
    signing_keys,
    signup,
)
from ostiary_auth.flows.api_tokens import Made, Wish
from ostiary_auth.flows.confirm import Live
from ostiary_auth.flows.resolve_session import Accepts
from ostiary_auth.settings import AuthSettings
from ostiary_auth.tools import AuthTools, Desk, Keyring, make_tools
from ostiary_shared import clock, tokens
from ostiary_shared.access import refuse_address
from ostiary_shared.database import Sessions
from ostiary_shared.settings import SettingsError
from ostiary_shared.store.one_time_tokens import Purpose
from ostiary_shared.tokens import Key
from ostiary_shared.web.service import Service, make_app
from ostiary_shared.work import Caller, open_work
from tests.auth import people
from tests.auth.people import ADA, HERE, PASSWORD, Mailed
from tests.conftest import AUTH_SECRET
from tests.make import make_person

OLD, NEW = AUTH_SECRET, "auth-0b8d6f4e2c1a9735e8d0c2b4a6f81937"
STEPS = [(OLD,), (OLD, NEW), (NEW, OLD), (NEW,)]
Check = Callable[[Desk], Awaitable[bool]]


def with_keys(settings: AuthSettings, *keys: str) -> AuthSettings:
    """The same settings with these secret keys."""
    told = {f"OSTIARY_{name.upper()}": str(getattr(settings, name)) for name in ("public_url", "mail_from")}
    told["OSTIARY_DATABASE_URL"] = settings.database_url.get_secret_value()
    return AuthSettings.load({**told, "OSTIARY_SMTP_URL": "smtp://127.0.0.1:1", "OSTIARY_SECRET_KEY": " ".join(keys)})


@pytest.fixture
def desks(auth_settings: AuthSettings, tools: AuthTools, sessions: Sessions) -> list[Desk]:
    """A process of auth at each step of a rotation."""

    def desk(keys: tuple[str, ...]) -> Desk:
        made = make_tools(with_keys(auth_settings, *keys))
        made.passwords.close()
        derived = {f.name: getattr(made, f.name) for f in fields(made) if isinstance(getattr(made, f.name), Key)}
        mine = replace(tools, settings=made.settings, keyring=Keyring(), **derived)
        caller = Caller(ip="192.0.2.7", user_agent="test")

        async def here() -> Caller:
            return caller

        return Desk(mine, lambda: open_work(sessions, tools=mine, caller=caller), here)

    return [desk(keys) for keys in STEPS]


async def session(desk: Desk, sessions: Sessions) -> Check:
    person = await make_person(sessions, desk.tools, "session@example.test")

    async def check(other: Desk) -> bool:
        async with other.begin() as work:
            return (await resolve_session.resolve(work, person.token)).session is not None

    return check


async def api_token(desk: Desk, _sessions: Sessions) -> Check:
    await people.person(desk)
    made = await api_tokens.create(desk, await people.identity(desk), Wish("Backup", (), 90), PASSWORD)
    assert isinstance(made, Made)

    async def check(other: Desk) -> bool:
        async with other.begin() as work:
            return (await resolve_session.resolve(work, made.value, Accepts(machines=True))).session is not None

    return check


async def state_at_a_site(desk: Desk, _sessions: Sessions) -> Check:
    async with desk.begin() as work:
        state = handover.set_out(work, None)

    async def check(other: Desk) -> bool:
        async with other.begin() as work:
            return handover.set_out(work, state) == state

    return check


async def typed_code(desk: Desk, _sessions: Sessions) -> Check:
    user = await people.person(desk)
    _, code = await people.sent(desk, Purpose.RECOVER, Mailed(user.id))

    async def check(other: Desk) -> bool:
        async with other.begin() as work:
            return await one_time.peek(work, Purpose.RECOVER, code) is not None

    return check


async def origin_of_a_sign_up(desk: Desk, _sessions: Sessions) -> Check:
    await signup.sign_up(desk, signup.Wish(ADA, PASSWORD, "", HERE))
    (mail,) = await people.rows(desk, "SELECT user_id, subject FROM messages")
    link, _ = await people.sent(desk, Purpose.CONFIRM, Mailed(mail.user_id, ADA, mail.subject))

    async def check(other: Desk) -> bool:
        async with other.begin() as work:
            return await confirm.look(work, link.token, HERE) == Live(ADA, asks_password=False)

    return check


async def known_device_(desk: Desk, _sessions: Sessions) -> Check:
    user = await people.person(desk)
    mark = known_device.mark(desk.tools, user.id)

    async def check(other: Desk) -> bool:
        return known_device.recognise(other.tools, mark, user.id) is not None

    return check


async def mark_of_the_doctor(desk: Desk, _sessions: Sessions) -> Check:
    mark = probe.mark(desk.tools.probe_key, clock.now())

    async def check(other: Desk) -> bool:
        return probe.believed(other.tools.probe_key, mark, clock.now())

    return check


async def code_of_a_refusal(desk: Desk, _sessions: Sessions) -> Check:
    async with desk.begin() as work:
        code = deny.seal(work, refuse_address("//"), "GET", "http://x.test/")

    async def check(other: Desk) -> bool:
        async with other.begin() as work:
            return await deny.find(work, code) is not None

    return check


async def signing_key(desk: Desk, _sessions: Sessions) -> Check:
    async with desk.begin() as work:
        made = await signing_keys.make_first(work.session, desk.tools.signing_key, work.now)

    async def check(other: Desk) -> bool:
        async with other.begin() as work:
            states = await key_rotation.shown(work, other.tools.signing_key)
            return any(state.kid == made.kid and state.signs for state in states)

    return check


async def note_for_the_next_page(desk: Desk, _sessions: Sessions) -> Check:
    async def well() -> str:
        return ""

    def signer(some: Desk) -> object:
        app = make_app(Service("ostiary_auth", "Auth", "", well), some.tools.settings)
        return SecureCookieSessionInterface().get_signing_serializer(app)

    note = signer(desk).dumps({"_flashes": ["Done."]})  # type: ignore[attr-defined]

    async def check(other: Desk) -> bool:
        return bool(signer(other).loads_unsafe(note)[0])  # type: ignore[attr-defined]

    return check


MADE = (
    session,
    api_token,
    state_at_a_site,
    typed_code,
    origin_of_a_sign_up,
    known_device_,
    mark_of_the_doctor,
    code_of_a_refusal,
    signing_key,
    note_for_the_next_page,
)


@pytest.mark.parametrize("maker", range(4), ids=["before", "added", "promoted", "dropped"])
@pytest.mark.parametrize("make", MADE, ids=lambda make: make.__name__.strip("_"))
async def test_what_is_made_at_one_step_counts_one_step_before_and_after(
    make: Callable[[Desk, Sessions], Awaitable[Check]], maker: int, desks: list[Desk], sessions: Sessions
) -> None:
    check = await make(desks[maker], sessions)
    knows = [STEPS[maker][0] in keys for keys in STEPS]
    assert [await check(desk) for desk in desks] == knows
    assert all(knows[step] for step in (maker - 1, maker, maker + 1) if 0 <= step < len(STEPS))


def test_every_key_is_tried_above(tools: AuthTools) -> None:
    assert len([f for f in fields(tools) if isinstance(getattr(tools, f.name), Key)]) == len(MADE) - 1


async def test_a_signing_key_is_sealed_anew_with_the_first_key_and_outlives_the_old_one(
    desks: list[Desk], sessions: Sessions
) -> None:
    before, _added, promoted, dropped = desks
    check = await signing_key(before, sessions)
    assert not await check(dropped)
    assert await sealed_with_an_older_key(promoted) == [True]
    for desk in (before, promoted, promoted):  # who does not know the new key leaves it as it is
        await key_rotation.keep_young(sessions, desk.tools.settings)
    assert await sealed_with_an_older_key(promoted) == [False]
    assert await check(dropped)
    assert await sealed_with_an_older_key(dropped) == [False]


async def sealed_with_an_older_key(desk: Desk) -> list[bool]:
    async with desk.begin() as work:
        return [state.older for state in await key_rotation.shown(work, desk.tools.signing_key)]


async def test_whoever_needs_an_old_key_still_is_counted(desks: list[Desk], sessions: Sessions) -> None:
    before, _added, promoted, _dropped = desks
    await signing_key(before, sessions)
    await api_token(before, sessions)
    await session(before, sessions)
    since = clock.now()
    async with promoted.begin() as work:
        seal = promoted.tools.signing_key
        found = await secret_keys.needs(work, seal, since)
        assert (found.ours, found.sealed, found.sessions, found.api_tokens, found.stale) == (True, 1, 2, 1, ())
        assert found.until is not None
        assert found.until - since > timedelta(days=89)
        long_ago = await secret_keys.needs(work, seal, since - timedelta(days=2))
        assert (long_ago.sessions, long_ago.api_tokens, long_ago.until) == (0, 0, None)
        assert not (await secret_keys.needs(work, tokens.derive(("another service's",), "signing"), since)).ours


def test_a_key_of_several_is_checked_like_one(auth_settings: AuthSettings) -> None:
    with pytest.raises(SettingsError, match="key 2 of 2"):
        with_keys(auth_settings, NEW, "changeme-changeme-changeme-changeme")
