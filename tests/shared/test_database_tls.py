"""TLS to PostgreSQL: with `sslmode=verify-full` it is a certificate of our CA for the right host, or silence."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from ostiary import authority
from ostiary_shared import migrations, tls
from ostiary_shared.database import make_engine
from ostiary_shared.statements import Statements
from tests.auth.fast.listening import listening
from tests.conftest import Databases
from tests.system.front import Front, before


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("papers")
    ours = authority.opened(folder)
    authority.settled(ours, "postgres", ["127.0.0.1", "localhost"])
    authority.settled(ours, "elsewhere", ["db.example.test"])
    authority.opened(folder / "stranger")
    return folder


def context(papers: Path, name: str) -> ssl.SSLContext:
    shown = tls.shown(str(papers / f"{name}.pem"), str(papers / f"{name}.key"))
    assert shown
    return shown


@pytest.fixture
async def front(database: Databases, papers: Path) -> AsyncIterator[Front]:
    """PostgreSQL that shows a certificate for this host."""
    async with before(database.auth, shown=context(papers, "postgres")) as opened:
        yield opened


def url(front: Front, database: Databases, ca: Path, role: str = "ostiary_auth") -> str:
    name = urlsplit(database.auth).path.strip("/")
    return front.url(role, name, f"?sslmode=verify-full&sslrootcert={ca}")


async def asked(url: str) -> int:
    engine = make_engine(url, "test")
    try:
        async with engine.connect() as connection:
            return int((await connection.execute(text("SELECT 42"))).scalar_one())
    finally:
        await engine.dispose()


async def test_everything_reaches_a_server_that_shows_the_right_certificate(
    front: Front, database: Databases, papers: Path
) -> None:
    good = url(front, database, papers / "ca.pem")
    assert await asked(good) == 42
    statements = Statements(good, "test")
    assert (await statements.row("SELECT 42 AS n"))["n"] == 42
    await statements.close()
    async with listening(good) as listener:
        assert listener.alive
    owner = url(front, database, papers / "ca.pem", "ostiary_owner")
    assert not (await asyncio.to_thread(migrations.state, owner)).newer
    await asyncio.to_thread(migrations.upgrade, owner)
    assert front.encrypted >= 5


@pytest.mark.parametrize("fault", ["another CA", "another host", "no TLS"])
async def test_nothing_is_said_to_a_server_that_may_be_somebody_else(
    fault: str, database: Databases, papers: Path
) -> None:
    ca = papers / "stranger/ca.pem" if fault == "another CA" else papers / "ca.pem"
    shown = None if fault == "no TLS" else context(papers, "elsewhere" if fault == "another host" else "postgres")
    async with before(database.auth, shown=shown, strips=fault == "no TLS") as front:
        bad = url(front, database, ca)
        with pytest.raises(OSError, match=r"(?i)certificate|rejected SSL|SSL"):
            await asked(bad)
        with pytest.raises(OSError, match=r"(?i)certificate|rejected SSL|SSL"):
            await Statements(bad, "test").row("SELECT 42 AS n")
        assert front.heard == []


async def test_a_ca_that_is_not_there_is_an_error_and_no_clear_text(database: Databases, papers: Path) -> None:
    async with before(database.auth, strips=True) as front:
        with pytest.raises(Exception, match=r"missing.pem|does not exist|No such file"):
            await asked(url(front, database, papers / "missing.pem"))
        assert front.heard == []
