"""The list of people: search means what was typed, paging shows everybody once, cursors cannot be abused."""

import itertools
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from ostiary_admin.queries import audit, denials, grants, keyset, mail, people, sessions
from ostiary_admin.queries.keyset import Place
from ostiary_admin.queries.people import Filter
from ostiary_shared import clock
from ostiary_shared.errors import Invalid
from ostiary_shared.models import User
from tests.admin.conftest import Desk

SORTS = [way + name for way in ("", "-") for name in people.ORDERS]


async def crowd(desk: Desk, count: int) -> None:
    now = clock.now()
    for number in range(count):
        user_id = await desk.person(f"P{number:02}@example.test", "end-user")
        seen = now - timedelta(days=number // 3) if number % 4 else None
        values = {"last_seen_at": seen, "name": f"Name {number // 5}", "created_at": now - timedelta(days=number // 2)}
        async with desk.rows.begin() as session:
            await session.execute(
                update(User).where(User.id == user_id).values(**values).execution_options(synchronize_session=False)
            )


@pytest.fixture
async def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyset, "PAGE_SIZE", 4)


async def test_paging_shows_everybody_once_in_every_order_and_back(desk: Desk, small_pages: None) -> None:
    actor = await desk.person("a@example.test", "admin")
    await crowd_of_the_owner(desk, 13)
    for sort in SORTS:
        place: Place | None = Place()
        forward: list[list[str]] = []
        last: keyset.Page[people.PersonRow] = keyset.Page([], None, None)
        while place is not None:
            async with desk.acting(actor) as work:
                page = await people.page(work, Filter(), sort, place)
            forward.append([row.email for row in page.items])
            last = page
            place = Place(after=page.next) if page.next else None
        everybody = list(itertools.chain(*forward))
        assert len(everybody) == len(set(everybody)) == 14, sort
        backward = [forward[-1]]
        while last.previous:
            async with desk.acting(actor) as work:
                last = await people.page(work, Filter(), sort, Place(before=last.previous))
            if last.items:
                backward.insert(0, [row.email for row in last.items])
        assert backward == forward, sort
        async with desk.acting(actor) as work:
            page = await people.page(work, Filter(), sort.removeprefix("-") if sort[0] == "-" else f"-{sort}", Place())
        assert everybody[::-1][:4] == [row.email for row in page.items], sort


async def crowd_of_the_owner(desk: Desk, count: int) -> None:
    from ostiary_shared.database import make_engine, make_sessions

    url = desk.settings.database_url.get_secret_value().replace("ostiary_admin@", "ostiary_owner@")
    engine = make_engine(url, "test")
    owner = Desk(make_sessions(engine), desk.sessions, desk.settings)
    await crowd(owner, count)
    await engine.dispose()


async def test_search_means_what_was_typed(desk: Desk) -> None:
    actor = await desk.person("boss@example.test", "admin")
    for email in ("100%@example.test", "under_score@example.test", "plain@example.test", "Größe@example.test"):
        await desk.person(email)
    found = {}
    for typed in ("%", "_", "\\", "100%", "UNDER_", "PLAIN", "größe", "'; DROP TABLE users; --", "@example"):
        async with desk.acting(actor) as work:
            page = await people.page(work, Filter(q=typed), "email", Place())
        found[typed] = [row.email for row in page.items]
    assert found["%"] == found["100%"] == ["100%@example.test"]
    assert found["_"] == found["UNDER_"] == ["under_score@example.test"]
    assert found["\\"] == found["'; DROP TABLE users; --"] == []
    assert found["PLAIN"] == ["plain@example.test"]
    assert found["größe"] == ["Größe@example.test"]
    assert len(found["@example"]) == 5


async def test_filters_narrow_by_role_state_and_confirmation(desk: Desk) -> None:
    actor = await desk.person("boss@example.test", "admin")
    await desk.person("fresh@example.test", confirmed=False)
    for state in ("locked", "deleted"):
        user_id = await desk.person(f"{state}@example.test", "support")
        from ostiary_admin.flows import locks

        async with desk.acting(actor) as work:
            await (locks.lock if state == "locked" else locks.delete)(work, user_id, "because")
    expected = {
        Filter(): {"boss", "fresh", "locked"},
        Filter(state="any"): {"boss", "fresh", "locked", "deleted"},
        Filter(state="deleted"): {"deleted"},
        Filter(state="locked"): {"locked"},
        Filter(state="active"): {"boss", "fresh"},
        Filter(confirmed="no"): {"fresh"},
        Filter(confirmed="yes"): {"boss", "locked"},
        Filter(role="admin"): {"boss"},
        Filter(role="support"): {"locked"},
        Filter(role="nothing"): set(),
    }
    for wanted, names in expected.items():
        async with desk.acting(actor) as work:
            page = await people.page(work, wanted, "email", Place())
        assert {row.email.partition("@")[0] for row in page.items} == names, wanted


@pytest.mark.parametrize(
    "key",
    [
        ["a", "no uuid"],
        [1, "x"],
        [None, None],
        ["\0", "00000000-0000-0000-0000-000000000000"],
        [[], {}],
        ["x"],
        ["\ud800", "00000000-0000-0000-0000-000000000000"],
    ],
)
async def test_keys_that_were_tampered_with_are_refused(desk: Desk, key: list[Any]) -> None:
    actor = await desk.person("boss@example.test", "admin")
    for sort in SORTS:
        if sort.endswith(("created", "seen")) and key == [None, None]:
            continue
        with pytest.raises(Invalid):
            async with desk.acting(actor) as work:
                await people.page(work, Filter(), sort, Place(after=key))
    for page in (
        lambda work: audit.page(work, audit.Filter(), Place(after=key)),
        lambda work: mail.page(work, "", None, Place(before=key)),
        lambda work: sessions.page(work, None, Place(after=key)),
        lambda work: grants.page(work, "", None, Place(after=key)),
        lambda work: denials.page(work, None, Place(after=key)),
    ):
        with pytest.raises(Invalid):
            async with desk.acting(actor) as work:
                await page(work)
