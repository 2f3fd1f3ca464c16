"""Where one is signed in: one's own, by public id, and ended for good."""

import pytest

from ostiary_auth.flows import own_sessions
from ostiary_auth.flows.device import name_of
from ostiary_auth.tools import Desk
from ostiary_shared.errors import NotFound
from tests.auth import people

GECKO, WEBKIT = "Gecko/20100101", "AppleWebKit/605.1.15 (KHTML, like Gecko)"
LINUX = f"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) {GECKO} Firefox/140.0"
MAC = f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/18.0 Safari/605.1.15"
PHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) {WEBKIT} Version/18.0 Mobile/15E148 Safari/604.1"
EDGE = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/140.0.0.0 Safari/537.36 Edg/140.0"
ANDROID = f"Mozilla/5.0 (Linux; Android 16; Pixel 9) {WEBKIT} Chrome/140.0.0.0 Mobile Safari/537.36"


async def test_the_list_shows_this_device_first_and_no_token(desk: Desk) -> None:
    await people.person(desk)
    first, _ = await people.identity(desk), await people.identity(desk)
    async with desk.begin() as work:
        mine = await own_sessions.mine(work, first)
    assert [one.current for one in mine] == [True, False]
    assert {(one.device, one.ip) for one in mine} == {("Firefox on Linux", "192.0.2.7")}


async def test_one_can_be_ended_and_only_ones_own(desk: Desk) -> None:
    await people.person(desk)
    await people.person(desk, "eve@example.test")
    mine, other, eve = (
        await people.identity(desk),
        await people.identity(desk),
        await people.identity(desk, "eve@example.test"),
    )
    async with desk.begin() as work:
        await own_sessions.end(work, mine, other.session.id)
    for over in (other.session.id, eve.session.id):
        with pytest.raises(NotFound):
            async with desk.begin() as work:
                await own_sessions.end(work, mine, over)


async def test_all_others_can_be_ended_and_nobody_elses(desk: Desk) -> None:
    await people.person(desk)
    await people.person(desk, "eve@example.test")
    mine, _, eve = (
        await people.identity(desk),
        await people.identity(desk),
        await people.identity(desk, "eve@example.test"),
    )
    async with desk.begin() as work:
        assert await own_sessions.end_others(work, mine) == 1
        assert await own_sessions.end_others(work, mine) == 0
    living = {row.id for row in await people.rows(desk, "SELECT id FROM sessions WHERE ended_at IS NULL")}
    assert living == {mine.session.id, eve.session.id}


@pytest.mark.parametrize(
    ("said", "name"),
    [
        (LINUX, "Firefox on Linux"),
        (MAC, "Safari on macOS"),
        (PHONE, "Safari on iPhone"),
        (EDGE, "Edge on Windows"),
        (ANDROID, "Chrome on Android"),
        ("curl/8.5", "curl (a program)"),
        ("", "An unknown device"),
        ("Something (Linux)", "A device with Linux"),
        ("Mozilla/5.0 Firefox/1", "Firefox"),
    ],
)
def test_devices_have_names_that_people_know(said: str, name: str) -> None:
    assert name_of(said) == name
