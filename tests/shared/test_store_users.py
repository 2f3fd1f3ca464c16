"""People in rows: one address, one person."""

from ostiary_auth.tools import AuthWork
from ostiary_shared.store import users


async def test_an_address_is_one_whatever_its_case_and_folding(work: AuthWork) -> None:
    first = await users.add(work.session, "Straße@example.test", "")
    assert first is not None
    assert await users.add(work.session, "STRASSE@EXAMPLE.test", "") is None
    found = await users.find(work.session, "strasse@example.TEST")
    assert found is not None
    assert found.id == first.id
