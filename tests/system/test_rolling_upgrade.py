"""From 0.1.0 to this release and one step back, replica by replica, while people are at work: nobody notices."""

import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from ostiary_shared.release import VERSION
from tests.conftest import Databases
from tests.system import released
from tests.system.replicas import WORDS, Crowd, House, nginx

OLD = "0.1.0"
PEOPLE = 8
ENOUGH = 10_000
BUSY_SECONDS = 2.0

pytestmark = pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed")


@pytest.fixture
def old(worker_id: str) -> Iterator[Databases]:
    import threading

    ready, done = threading.Event(), threading.Event()
    found: list[Databases] = []

    def keep() -> None:
        with released.database(f"rolling_{worker_id}", OLD) as database:
            found.append(database)
            ready.set()
            done.wait()

    thread = threading.Thread(target=keep)  # where no event loop runs
    thread.start()
    ready.wait()
    yield found[0]
    done.set()
    thread.join()


@pytest.mark.proxy
@pytest.mark.timeout(600)
async def test_replicas_roll_forth_and_one_back_while_people_are_at_work(old: Databases) -> None:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ostiary-rolling-") as scratch:
        before = released.unpacked(OLD, Path(scratch) / "old")
        async with aiohttp.ClientSession() as http:
            house = House(Path(scratch), old, released.sample(OLD), http)
            crowd = Crowd(house)
            async with nginx(house):
                try:
                    await _story(house, crowd, before)
                finally:
                    crowd.enough.set()
                    await house.end_all()
    print(f"{crowd.count} requests {crowd.asked}, {len(crowd.moments)} waited, in {time.monotonic() - began:.0f} s")
    assert crowd.failed == [], f"{len(crowd.failed)}: {chr(10).join(crowd.failed[:20])}"
    assert crowd.count >= ENOUGH


async def _story(house: House, crowd: Crowd, before: dict[str, str]) -> None:
    (first, second, spare), (console, other) = house.auth, house.admin
    one, two, admin = await asyncio.gather(
        house.start(first, before, OLD), house.start(second, before, OLD), house.start(console, before, OLD)
    )
    people = [asyncio.create_task(crowd.person(number)) for number in range(PEOPLE)]
    await crowd.until(500)
    crowd.during = "the migration"
    await _migrate(house)
    new = two
    for old, place in ((admin, other), (one, spare), (two, first)):
        crowd.during = f"the roll to {place}"
        new = await house.start(place, {}, VERSION)
        async with crowd.nobody_signs_in():  # 0.1.0 cuts off sign-ins that take longer than five seconds when it ends
            await house.end(old)
    crowd.during = "the step back"
    await house.start(second, before, OLD)
    await house.end(new)
    crowd.during = "the rest"
    await crowd.until(max(ENOUGH, crowd.count + 500))
    crowd.enough.set()
    await asyncio.gather(*people)


async def _migrate(house: House) -> None:
    """While somebody reads for long what it changes: it must not queue behind them, with everybody behind itself."""
    reader = await asyncpg.connect(house.database.superuser)
    try:
        async with reader.transaction():
            await reader.fetch("SELECT count(*) FROM messages")
            command = [sys.executable, "-P", "-m", "ostiary", "migrate"]
            told = {**WORDS, "OSTIARY_DATABASE_URL": house.database.owner}
            migrating = await asyncio.create_subprocess_exec(*command, env=told)
            await asyncio.sleep(BUSY_SECONDS)
            assert migrating.returncode is None
        assert await asyncio.wait_for(migrating.wait(), 60) == 0
    finally:
        await reader.close()
