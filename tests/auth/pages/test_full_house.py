"""While no more sign-ins can wait, the next are turned away at the doorstep, and it costs them nothing."""

import pytest

from ostiary_auth.factors.password import Passwords
from ostiary_auth.flows import login
from ostiary_auth.flows.login import Attempt
from ostiary_auth.tools import Desk
from ostiary_shared.errors import Busy
from tests.auth import people
from tests.auth.browser import Client, words
from tests.auth.people import ADA, PASSWORD


async def test_programs_and_people_are_told_to_come_back_before_anything_is_counted(
    auth: Client, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await people.person(desk)
    body = {"email": ADA, "password": PASSWORD}
    monkeypatch.setattr(Passwords, "full", True)
    for _ in range(2):
        answer = await auth.post("/api/v1/login", json=body)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "3")
        assert (await answer.get_json())["code"] == "unavailable"
        page = await auth.post("/login", form=body)
        assert (page.status_code, page.headers["Retry-After"]) == (503, "3")
        assert "Many people are signing in just now" in await words(page)
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert await people.count(desk, "counters") == 0
    assert (await auth.get("/login")).status_code == 200
    monkeypatch.undo()
    assert (await auth.post("/api/v1/login", json=body)).status_code == 200


async def test_whoever_is_turned_away_has_not_guessed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await people.person(desk)
    monkeypatch.setattr(Passwords, "full", True)
    with pytest.raises(Busy):
        await login.sign_in(desk, Attempt(ADA, PASSWORD))
    assert await people.count(desk, "counters") == 0


async def test_whoever_has_a_seat_keeps_it_for_all_hashes(desk: Desk) -> None:
    await people.person(desk)
    small = Passwords(19456, 2, 1, 0)
    with small.seat():
        for _ in range(2):
            assert not (await small.verify(None, PASSWORD)).right
        with pytest.raises(Busy), small.seat():
            pass
    with small.seat():
        small.close()
