"""A migration overtakes what connections have prepared: whoever asks at that moment notices nothing."""

from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
from quart.typing import ResponseReturnValue
from sqlalchemy import text

from ostiary_shared.database import Sessions, make_engine, make_sessions
from ostiary_shared.identity import Presented
from ostiary_shared.statements import Statements
from ostiary_shared.web.door import ANYONE, door
from ostiary_shared.web.kit import Kit
from ostiary_shared.web.service import Service, make_app, open_doors
from tests.conftest import Databases, execute
from tests.shared.web_app import FREE, Behind, _well, settings, small_app

# Our own statements name their columns; these stand for one whose result changes.
ALL = "SELECT * FROM overtaken"


@pytest.fixture
async def table(database: Databases) -> Any:
    await execute(
        database.owner,
        "CREATE TABLE overtaken (id integer)",
        "INSERT INTO overtaken VALUES (1)",
        "GRANT SELECT ON overtaken TO ostiary_auth",
    )
    yield "ALTER TABLE overtaken ADD COLUMN more text DEFAULT 'new'"
    await execute(database.owner, "DROP TABLE overtaken")


async def test_single_statements_go_on(database: Databases, table: str) -> None:
    statements = Statements(database.auth, "test")
    assert len(await statements.row(ALL)) == 1
    await execute(database.owner, table)
    assert len(await statements.row(ALL)) == 2
    await statements.close()


async def test_what_names_its_columns_is_never_overtaken_by_a_new_one(sessions: Sessions, database: Databases) -> None:
    from ostiary_shared.store import roles

    async with sessions() as session:
        assert await roles.find(session, "admin")
    await execute(database.owner, "ALTER TABLE roles ADD COLUMN more text DEFAULT '' NOT NULL")
    try:
        async with sessions() as session:
            assert await roles.find(session, "admin")
    finally:
        await execute(database.owner, "ALTER TABLE roles DROP COLUMN more")


@pytest.mark.parametrize(("method", "status"), [("get", 200), ("post", 503)])
async def test_a_request_that_changes_nothing_is_asked_again(
    database: Databases, table: str, method: str, status: int
) -> None:
    engine = make_engine(database.auth, "test", pool_size=1)
    opened = make_sessions(engine)

    async def look() -> ResponseReturnValue:
        async with opened() as session:
            return {"columns": len((await session.execute(text(ALL))).keys())}

    app = make_app(Service("ostiary_shared", "Test", "", _well), settings())
    app.add_url_rule("/look", "look", door(ANYONE, FREE)(look), methods=[method.upper()])
    behind = Behind()
    open_doors(app, Kit(settings(), None, None, behind.resolve, behind.deny, behind.take))  # type: ignore[arg-type]
    client = app.test_client()
    headers = {"Accept": "application/json", "Sec-Fetch-Site": "same-origin"}
    assert (await getattr(client, method)("/look", headers=headers)).status_code == 200
    await execute(database.owner, table)
    answer = await getattr(client, method)("/look", headers=headers)
    assert answer.status_code == status
    if method == "get":
        assert await answer.get_json() == {"columns": 2}
    else:
        assert answer.headers["Retry-After"] == "1"
        assert (await client.post("/look", headers=headers)).status_code == 200
    await engine.dispose()


@dataclass
class Overtaken(Behind):
    """The first look at who somebody is meets a migration."""

    looks: int = 0

    async def resolve(self, token: str | None) -> Presented:
        self.looks += 1
        if self.looks == 1:
            raise asyncpg.InvalidCachedStatementError("overtaken")
        return await super().resolve(token)


@pytest.mark.parametrize(("path", "status"), [("/mine", 401), ("/open", 200), ("/no-such-thing", 404)])
async def test_whoever_is_overtaken_at_the_door_still_has_to_pass_it(path: str, status: int) -> None:
    """The view alone, asked again, would answer to anybody who comes in the moment of a migration."""
    behind = Overtaken()
    client = small_app(behind).test_client()
    answer = await client.get(path, headers={"Accept": "application/json", "Authorization": "Bearer os_" + "A" * 55})
    assert (answer.status_code, behind.looks > 0) == (status, path != "/no-such-thing")
