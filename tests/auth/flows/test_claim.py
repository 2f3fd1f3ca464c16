"""The first administrator: one, by a link that is good once, and only while there is none."""

import asyncio

import pytest

from ostiary_auth.flows import claim
from ostiary_auth.flows.claim import Claim
from ostiary_auth.flows.one_time import Dead
from ostiary_auth.flows.start_session import Started
from ostiary_auth.tools import Desk
from ostiary_shared.errors import Invalid
from tests.auth import people
from tests.auth.people import ADA, OTHER, PASSWORD


async def _link(desk: Desk) -> str:
    async with desk.begin() as work:
        link = await claim.make_claim_link(work)
    assert link is not None
    assert link.startswith("http://localhost/claim?token=ot_")
    return link.partition("token=")[2]


async def test_whoever_has_the_link_becomes_administrator_and_is_signed_in(desk: Desk) -> None:
    entered = await claim.claim(desk, Claim(await _link(desk), ADA, PASSWORD, "Ada"))
    assert isinstance(entered, Started)
    assert entered.identity.roles == ("admin", "end-user")
    assert entered.identity.may("users:delete")
    async with desk.begin() as work:
        assert await claim.make_claim_link(work) is None


async def test_of_fifty_claims_at_once_one_becomes_administrator(desk: Desk) -> None:
    token, hashed = await _link(desk), await people.hashed(desk.tools)

    async def one(number: int) -> Started | Dead:
        async with desk.begin() as work:
            return await claim.settle(work, Claim(token, f"person{number}@example.test", hashed))

    outcomes = await asyncio.gather(*(one(number) for number in range(50)))
    assert [type(outcome) for outcome in outcomes].count(Started) == 1
    assert await people.count(desk, "users") == 1


async def test_a_newer_link_makes_the_older_worthless(desk: Desk) -> None:
    older, newer = await _link(desk), await _link(desk)
    assert await claim.claim(desk, Claim(older, ADA, PASSWORD)) == Dead()
    assert isinstance(await claim.claim(desk, Claim(newer, ADA, PASSWORD)), Started)


async def test_once_somebody_administers_the_link_does_nothing(desk: Desk) -> None:
    token = await _link(desk)
    await people.person(desk, "root@example.test", role="admin")
    assert await claim.claim(desk, Claim(token, ADA, PASSWORD)) == Dead()
    async with desk.begin() as work:  # somebody became administrator while the form was sent
        assert await claim.settle(work, Claim(token, ADA, await people.hashed(desk.tools))) == Dead()
    assert await people.count(desk, "users") == 1


async def test_a_refused_form_leaves_the_link_good(desk: Desk) -> None:
    token = await _link(desk)
    await people.person(desk)
    for wanted in (Claim(token, ADA, OTHER), Claim(token, "new@example.test", "short"), Claim(token, "nothing", OTHER)):
        with pytest.raises(Invalid):
            await claim.claim(desk, wanted)
    assert isinstance(await claim.claim(desk, Claim(token, "new@example.test", OTHER)), Started)


async def test_a_sign_up_that_nobody_confirmed_does_not_stand_in_the_way(desk: Desk) -> None:
    await people.person(desk, password=OTHER, confirmed=False)
    entered = await claim.claim(desk, Claim(await _link(desk), ADA, PASSWORD, "Root"))
    assert isinstance(entered, Started)
    assert entered.identity.name == "Root"
    await people.identity(desk)
