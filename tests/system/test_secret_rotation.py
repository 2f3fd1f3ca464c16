"""Both services' secret keys are replaced while people are at work, replica by replica: nobody is signed out (F28)."""

import asyncio
import re
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from click.testing import CliRunner

from ostiary.cli import group
from ostiary_auth.tools import AuthTools
from ostiary_shared import clock, tokens
from ostiary_shared.database import Sessions
from ostiary_shared.models import Site, SiteRule
from ostiary_shared.release import VERSION
from ostiary_shared.settings import keys_of
from ostiary_shared.store import api_tokens, sites
from tests.conftest import ADMIN_SECRET, AUTH_SECRET, Databases, execute
from tests.make import PASSWORD, make_person
from tests.system.released import Sample
from tests.system.replicas import Crowd, House, Place, Replica, nginx

HOST = "wiki.example.test"
PEOPLE = 4
AT_EACH_STEP = 60
PAUSE = 0.05  # what matters is who asks when, not how fast: new replicas have to start beside

pytestmark = pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed")


@dataclass
class Keyed(House):
    """Replicas that are told their keys by files."""

    def _told(self, place: Place) -> dict[str, str]:
        told = super()._told(place)
        del told["OSTIARY_SECRET_KEY"]
        return {**told, "OSTIARY_SECRET_KEY_FILE": str(self.key_file(place.service))}

    def key_file(self, service: str) -> Path:
        return self.folder / f"{service}.key"

    async def keys(self, service: str, step: str) -> tuple[int, str]:
        """What the operator types, and what is said."""
        command = ["keys", "secret", str(self.key_file(service)), step]
        told = {"OSTIARY_DATABASE_URL": self.database.owner}
        done = await asyncio.to_thread(CliRunner().invoke, group, command, env=told)
        return done.exit_code, done.output


@dataclass
class Users(Crowd):
    """People with every session they were ever given, and a program; all of it has to count until they sign out."""

    given: dict[str, list[str]] = field(default_factory=dict)
    program: str = ""
    people: list[asyncio.Task[None]] = field(default_factory=list)
    later: list[str] = field(default_factory=list)

    async def person(self, number: int) -> None:
        email = f"p{number}@example.test"
        turn = number
        async with aiohttp.ClientSession(f"http://127.0.0.1:{self.house.port}") as http:
            while not self.enough.is_set():
                turn += 1
                await asyncio.sleep(PAUSE)
                token = self.given[email][turn % len(self.given[email])]
                visitor = {"X-Visitor": f"192.0.2.{turn % 250}", "Host": f"localhost:{self.house.port}"}
                known = {**visitor, "Cookie": f"ostiary={token}"}
                if turn % 30 == 0:
                    body = {"email": email, "password": PASSWORD, "token": True}
                    entered = await self.ask(http.post("/api/v1/login", json=body, headers=visitor), "sign-in")
                    self.given[email] += [entered["token"]] if entered else []
                elif turn % 20 == 0:
                    await self.ask(http.get("/admin/users", headers=known), "console")
                elif turn % 7 == 0:
                    bearer = {**visitor, "Authorization": f"Bearer {self.program}"}
                    await self.ask(http.get("/api/v1/session", headers=bearer), "program")
                elif turn % 3 == 0:
                    await self.ask(http.get("/account/sessions", headers=known), "page")
                else:
                    await self.ask(http.get("/gate/nginx", headers={**known, "X-Site": HOST}), "gate")

    async def ask(self, asking: Any, what: str, status: int = 200) -> Any:
        """On a machine that is busy beyond measure some are asked to come again; whoever is signed out is not."""
        failed = len(self.failed)
        answer = await super().ask(asking, what, status)
        if len(self.failed) > failed and f"{what}: 503 " in self.failed[-1]:
            self.later.append(self.failed.pop())
        return answer

    async def more(self) -> None:
        """So many more requests."""
        enough = self.count + AT_EACH_STEP
        while self.count < enough:
            assert not any(person.done() for person in self.people), self.people
            await asyncio.sleep(PAUSE)


@pytest.fixture
async def given(sessions: Sessions, admin_sessions: Sessions, tools: AuthTools) -> tuple[dict[str, list[str]], str]:
    """Everybody's first session, and a program of one of them."""
    async with admin_sessions.begin() as session:
        site = Site(name="Intranet", host=HOST)
        session.add(site)
        await session.flush()
        await sites.replace_rules(session, site.id, [SiteRule(path_prefix="/", methods=[], asks="signed_in", value="")])
    made = [
        await make_person(sessions, tools, f"p{number}@example.test", holds=("admin", "end-user"))
        for number in range(PEOPLE)
    ]
    program = tokens.mint(tokens.PERSONAL, tools.personal_key)
    now = clock.now()
    async with sessions.begin() as session:
        wanted = api_tokens.Wanted(
            made[0].id, "Backup", program.digest, (), now + tools.lifetime(remember=True).absolute
        )
        await api_tokens.add(session, wanted, now)
    return {person.email: [person.token] for person in made}, program.value


@pytest.mark.proxy
@pytest.mark.timeout(600)
async def test_every_step_of_a_rotation_goes_by_unnoticed(
    database: Databases, given: tuple[dict[str, list[str]], str]
) -> None:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ostiary-keys-") as scratch:
        async with aiohttp.ClientSession() as http:
            house = Keyed(Path(scratch), database, Sample(VERSION, PASSWORD, {}, "", AUTH_SECRET, ADMIN_SECRET), http)
            house.key_file("auth").write_text(AUTH_SECRET + "\n")
            house.key_file("admin").write_text(ADMIN_SECRET + "\n")
            crowd = Users(house, given=given[0], program=given[1])
            async with nginx(house):
                try:
                    await _story(house, crowd)
                finally:
                    crowd.enough.set()
                    await house.end_all()
    print(f"{crowd.count} requests {crowd.asked} in {time.monotonic() - began:.0f} s, {len(crowd.later)} came again")
    assert crowd.failed == [], f"{len(crowd.failed)}: {chr(10).join(crowd.failed[:20])}"
    assert min(crowd.asked.values()) > 10
    assert len(crowd.later) < crowd.count / 100


async def _story(house: Keyed, crowd: Users) -> None:
    (first, second, spare), (console, other) = house.auth, house.admin
    one, two, admin = await asyncio.gather(*(house.start(place, {}, VERSION) for place in (first, second, console)))
    crowd.people = [asyncio.create_task(crowd.person(number)) for number in range(PEOPLE)]
    await crowd.more()
    _shows_no_secret(one)
    for step in ("--add", "--promote"):
        assert (await house.keys("auth", step))[0] == 0
        assert (await house.keys("admin", step))[0] == 0
        one, spare = await house.roll(one, spare, {}, VERSION), one.place
        await crowd.more()  # of two replicas, one is a step ahead
        two, spare = await house.roll(two, spare, {}, VERSION), two.place
        await crowd.more()
    await house.roll(admin, other, {}, VERSION)
    status, said = await house.keys("auth", "--drop")
    assert (status, "made with an older key" in said) == (1, True), said
    await _a_year_later(house, crowd)
    status, said = await house.keys("auth", "--drop")
    assert status == 0, said
    assert AUTH_SECRET not in keys_of(house.key_file("auth").read_text())
    await house.roll(one, spare, {}, VERSION)
    await crowd.more()
    crowd.enough.set()
    await asyncio.gather(*crowd.people)


def _shows_no_secret(replica: Replica) -> None:
    """Neither the list of processes nor the environment of one holds what came as a file."""
    known = Path(f"/proc/{replica.process.pid}")
    for told in ("environ", "cmdline") if known.exists() else ():
        assert AUTH_SECRET.encode() not in (known / told).read_bytes()


async def _a_year_later(house: Keyed, crowd: Users) -> None:
    """People signed in again and made their programs new tokens, as they do; what is older has ended by itself."""
    now = clock.now()
    crowd.given = {email: [await _signed_in(house, email)] for email in crowd.given}
    [new, _old] = keys_of(house.key_file("auth").read_text())
    program = tokens.mint(tokens.PERSONAL, tokens.derive((new,), "api token"))
    await execute(
        house.database.superuser,
        f"""INSERT INTO api_tokens (user_id, name, token_digest, expires_at)
            SELECT user_id, 'New', '\\x{program.digest.hex()}', now() + interval '1 year' FROM api_tokens""",
    )
    crowd.program = program.value
    await crowd.more()  # nobody is on the way with an old one any more
    for table in ("sessions", "api_tokens"):
        await execute(
            house.database.superuser, f"UPDATE {table} SET expires_at = now() WHERE created_at < '{now.isoformat()}'"
        )
    file = house.key_file("auth")
    file.write_text(re.sub(r"(?<=made until )\S+", (now - timedelta(days=400)).isoformat(), file.read_text()))


async def _signed_in(house: House, email: str) -> str:
    body = {"email": email, "password": PASSWORD, "token": True}
    visitor = {"X-Visitor": "192.0.2.251", "Host": f"localhost:{house.port}"}
    async with house.http.post(f"http://127.0.0.1:{house.port}/api/v1/login", json=body, headers=visitor) as answer:
        return str((await answer.json())["token"])
