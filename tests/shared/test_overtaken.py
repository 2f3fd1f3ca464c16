"""A migration overtakes what connections have prepared: whoever asks at that moment notices nothing."""

from typing import Any

import pytest
from quart.typing import ResponseReturnValue
from sqlalchemy import text

from ostiary_shared.database import Sessions, make_engine, make_sessions
from ostiary_shared.statements import Statements
from ostiary_shared.web.door import ANYONE, door
from ostiary_shared.web.kit import Kit
from ostiary_shared.web.service import Service, make_app, open_doors
from tests.conftest import Databases
from tests.shared.web_app import FREE, Behind, _well, settings
from tests.system.released import execute

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
